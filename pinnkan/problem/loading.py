"""Finding and loading problems: a path, the name of a shipped problem, or the text itself."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pinnkan.errors import FileAccessError, ProblemError, UsageError, did_you_mean
from pinnkan.problem.places import quote
from pinnkan.problem.reader import MOST_CHARACTERS
from pinnkan.problem.schema import read_problem
from pinnkan.problem.spec import Problem

_PACKAGE = Path(__file__).resolve().parent.parent
_LARGEST_FILE = 4 * MOST_CHARACTERS


def shipped_problems() -> dict[str, Path]:
    """Return the problems that come with the package, name to file, sorted.

    A wheel carries them in ``pinnkan/problems``; an editable install has them
    beside the package.
    """
    folders = (_PACKAGE / "problems", _PACKAGE.parent / "problems")
    folder = next((folder for folder in folders if folder.is_dir()), None)
    return {} if folder is None else {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def find_problem(text: str) -> Path:
    """Return the file behind a path or the name of a shipped problem; an existing file comes first.

    Raises:
        UsageError: If there is neither.
    """
    shipped = shipped_problems()
    path = Path(text)
    try:
        if path.is_file():
            return path
    except (OSError, ValueError):
        raise UsageError(f"problem {quote(text)}: not a file name") from None
    if text in shipped:
        return shipped[text]
    what = "is a directory" if path.is_dir() else "no such file"
    hint = did_you_mean(text, tuple(shipped)) if len(text) <= 60 else ""
    raise UsageError(
        f"problem {quote(text, 80)}: {what}, and the shipped problems are {', '.join(shipped)}{hint}"
    )


def load_problem(
    source: str | os.PathLike[str],
    *,
    overrides: Sequence[str] = (),
    name: str | None = None,
    directory: Path | None = None,
) -> Problem:
    """Load and validate a problem.

    Args:
        source: A path, the name of a shipped problem, or the YAML text itself
            (recognised by its line breaks).
        overrides: ``--set`` texts such as ``training.steps=200``.
        name: Name of the problem where ``source`` is its text.
        directory: Where a reference file's path starts from in that case.

    Raises:
        UsageError: If there is no such file or shipped problem.
        FileAccessError: If the file cannot be read.
        ProblemError: With every fault of the file.
    """
    if isinstance(source, str) and ("\n" in source or "\r" in source):
        name = name or "problem"
        return read_problem(source, file=f"{name}.yaml", name=name, overrides=overrides, directory=directory)
    path = find_problem(os.fspath(source))
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE)
    except OSError as error:
        raise FileAccessError.of("read", path, error) from None
    text = _decode(content, path)
    return read_problem(
        text, file=str(path), name=name or path.stem, overrides=overrides, directory=directory or path.parent
    )


def _decode(content: bytes, path: Path) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"{path}:{line}:1: error: byte 0x{content[error.start]:02x} is not UTF-8 text"
        raise ProblemError([f"{message}; save the file as UTF-8"]) from None

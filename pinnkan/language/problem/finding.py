"""Where problem files are, and their names, titles and texts: what is known before one is understood."""

from __future__ import annotations

from pathlib import Path

from pinnkan.ground.errors import ProblemError, UsageError, did_you_mean, quote
from pinnkan.ground.files import read_data
from pinnkan.language.reading.nodes import MOST_CHARACTERS, Block, Scalar, read_yaml
from pinnkan.language.reading.places import Faults

_PACKAGE = Path(__file__).resolve().parents[2]
_LARGEST_FILE = 4 * MOST_CHARACTERS


def shipped_problems() -> dict[str, Path]:
    """Return the problems that come with the package, name to file, sorted.

    A wheel carries them in ``pinnkan/problems``; an editable install has them
    beside the package.
    """
    folders = (_PACKAGE / "problems", _PACKAGE.parent / "problems")
    folder = next((folder for folder in folders if folder.is_dir()), None)
    return {} if folder is None else {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def shipped_with_the_paper() -> dict[str, Path]:
    """Return the studies and problems that repeat a paper, ``folder/name`` to file, sorted.

    Kept apart from the shipped problems: they serve a comparison, and most of them are no problems.
    """
    files = sorted(
        path for shipped in list(shipped_problems().values())[:1] for path in shipped.parent.glob("*/*.yaml")
    )
    return {f"{path.parent.name}/{path.stem}": path for path in files}


def find_problem(text: str) -> Path:
    """Return the file behind a path or a shipped name; an existing file comes first.

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
    if text in (others := shipped_with_the_paper()):
        return others[text]
    what = "is a directory" if path.is_dir() else "no such file"
    hint = did_you_mean(text, tuple(shipped)) if len(text) <= 60 else ""
    raise UsageError(
        f"problem {quote(text, 80)}: {what}, and the shipped problems are {', '.join(shipped)}{hint}"
    )


def problem_text(path: Path) -> str:
    """Return the text of a problem file.

    Raises:
        FileAccessError: If the file cannot be read.
        UsageError: If it is no regular file or too large.
        ProblemError: If it is not UTF-8.
    """
    content = read_data(path, what="problem", max_bytes=_LARGEST_FILE)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"{path}:{line}:1: error: byte 0x{content[error.start]:02x} is not UTF-8 text"
        raise ProblemError([f"{message}; save the file as UTF-8"]) from None


def top_level_text(path: Path, key: str) -> str | None:
    """Return the text of a key of a file, of which nothing else is looked at; None if there is no such key.

    Raises:
        FileAccessError: If the file cannot be read.
        ProblemError: If it is no YAML.
    """
    faults = Faults()
    root = read_yaml(problem_text(path), str(path), faults)
    faults.raise_if_any()
    found = root.get(key) if isinstance(root, Block) else None
    return None if found is None else found.text if isinstance(found, Scalar) else ""

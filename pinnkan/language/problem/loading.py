"""Loading problems: by a path, the name of a shipped problem, or the text itself."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pinnkan.language.problem.finding import find_problem, problem_text
from pinnkan.language.problem.schema import read_problem
from pinnkan.language.problem.spec import Problem


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
    return read_problem(
        problem_text(path),
        file=str(path),
        name=name or path.stem,
        overrides=overrides,
        directory=directory or path.parent,
    )

"""What the arguments of a command name: a problem, a run directory, parameter values, a file to write.

Cheap looks at the disk come first: a wrong name is answered before torch is imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pinnkan.cli.terminal.text import printable
from pinnkan.ground.errors import UsageError
from pinnkan.storage.runs.paths import ADAPTERS, BASE, FAMILY

if TYPE_CHECKING:
    from pinnkan.language.problem.spec import Problem

RUNS = Path("runs")


def load(name: str, overrides: Sequence[str] | None) -> Problem:
    """Read the problem that a PROBLEM argument names, with its ``--set`` overrides.

    Raises:
        UsageError: If there is no such file and no shipped problem of this name.
        ProblemError: If the file or an override has faults.
    """
    from pinnkan.language.problem.finding import find_problem

    path = find_problem(name)  # a wrong name is answered before SymPy is imported
    from pinnkan.language.problem.loading import load_problem

    return load_problem(path, overrides=overrides or ())


def require_run(directory: Path) -> Path:
    """Return a run directory after a look at whether it is one.

    Raises:
        UsageError: If it is missing or has no base.
    """
    if (directory / BASE).is_file():
        return directory
    if (RUNS / directory / BASE).is_file():
        raise UsageError(f"{directory} is not a run directory; did you mean '{RUNS / directory}'?")
    if directory.is_file():
        raise UsageError(f"{directory} is a file; expected the run directory that holds {BASE}")
    found = f"{directory} has no {BASE}" if directory.is_dir() else f"there is no directory {directory}"
    raise UsageError(f"{found}; 'pinnkan pretrain PROBLEM -o {directory}' makes one")


def read_values(
    directory: Path,
    lambdas: Sequence[str] | None,
    params: Sequence[str] | None,
    *,
    quiet: bool,
    paired: bool = False,
) -> list[dict[str, float]]:
    """Expand ``--lambda`` and ``--param`` with the names of the problem that a run directory holds.

    Args:
        directory: The run directory.
        lambdas: Texts of ``--lambda``.
        params: Texts of ``--param``.
        quiet: Whether to leave out the note on values that are asked for more than once.
        paired: Whether several lists are paired (``--zip``).

    Returns:
        One mapping from parameter to value each; empty if no option was given.

    Raises:
        UsageError: If a value or a name cannot be read, or the lists cannot be paired.
    """
    if not lambdas and not params:
        return []
    from pinnkan.language.parameters import family_points
    from pinnkan.storage.runs.identity import recorded_problem

    parameters = recorded_problem(directory).parameters
    return family_points(
        parameters, only=lambdas or (), named=params or (), paired=paired, remark=note(quiet=quiet)
    )


def note(*, quiet: bool) -> Callable[[str], None]:
    """Return what writes a remark on the arguments to stderr, or does nothing."""

    def write(text: str) -> None:
        if not quiet:
            print(printable(text), file=sys.stderr)

    return write


def at_most_one(values: Sequence[Mapping[str, float]]) -> Mapping[str, float] | None:
    """Return the one value asked for, or None if none was.

    Raises:
        UsageError: If there are several.
    """
    if len(values) > 1:
        raise UsageError(f"this command takes one parameter value, got {len(values)}")
    return values[0] if values else None


def resolved(path: Path) -> Path:
    """Return the place that a path means; of links in a circle one of them, which nobody can write."""
    return Path(os.path.realpath(path))


def spare_the_store(output: Path, directory: Path, *others: Path) -> Path:
    """Return a file to write after a look at whether it would overwrite one that pinnkan reads.

    Args:
        output: The file.
        directory: The run directory, whose base, adapters and reduced basis are spared.
        others: More files that are.

    Raises:
        UsageError: If it would.
    """
    run = resolved(directory)
    spared = [run / BASE, run / FAMILY, *map(resolved, others)]
    if resolved(output) in spared or resolved(output).parent == run / ADAPTERS:
        raise UsageError(f"-o {output} would overwrite the run's own {output.name}; choose another name")
    return output

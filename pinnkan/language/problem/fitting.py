"""Problems of function representation, written from a formula or a table: what ``fit`` trains on.

The text is an ordinary problem file, so that everything else works on the result: the equation is
u = formula, or the values are ``samples``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.datafiles import DataFile
from pinnkan.ground.errors import UsageError, did_you_mean, quote
from pinnkan.language.expressions import derivative_symbols
from pinnkan.language.parameters import parse_number
from pinnkan.language.problem.loading import load_problem
from pinnkan.language.problem.spec import Problem

TABLES = (".csv", ".npz")
FILES = (".yaml", ".yml")


@dataclass(frozen=True)
class Request:
    """What ``fit`` was told; what was not said is None.

    Attributes:
        domain: ``x=-1:1,y=0:2``: where a formula is sampled.
        column: The column of a table that holds the values; its last one unless given.
        samples: Points to train on, of a formula.
        validation: Share of all samples that is held out.
        noise: Standard deviation of normal noise on the values.
        overrides: ``--set`` texts.
    """

    domain: str | None = None
    column: str | None = None
    samples: int | None = None
    validation: float | None = None
    noise: float | None = None
    overrides: Sequence[str] = ()


def fit_problem(source: str, request: Request) -> Problem:
    """Return the problem behind a formula, a table or a problem file.

    Args:
        source: ``sin(pi*x)``, ``data.csv`` or ``task.yaml``.
        request: The options beside it.

    Raises:
        UsageError: If an option is missing or has no meaning for this kind of source, or a file has
            derivatives of the unknown in it.
        FileAccessError: If a file cannot be read.
        ProblemError: If formula or file has faults.
    """
    path = Path(source)
    if path.suffix.lower() in TABLES:
        _refuse(request, "a table", ("domain", "samples"))
        problem = _of_table(path, request)
    elif path.suffix.lower() in FILES:
        _refuse(request, "a problem file", ("domain", "column", "samples", "validation", "noise"))
        problem = load_problem(path, overrides=request.overrides)
    else:
        _refuse(request, "a formula", ("column",))
        problem = _of_formula(source, request)
    return _without_derivatives(problem)


def _refuse(request: Request, kind: str, options: Sequence[str]) -> None:
    for name in options:
        if getattr(request, name) is not None:
            raise UsageError(f"--{name} does not go with {kind}{_ADVICE.get(kind, '')}")


_ADVICE = {"a problem file": "; it says so itself, under points: or samples: (--set points.noise=0.05)"}
_SAMPLES, _VALIDATION = 1000, 0.2


def _of_formula(formula: str, request: Request) -> Problem:
    if request.domain is None:
        raise UsageError(
            f"{quote(formula, 60)} is taken for a formula, which needs --domain x=-1:1,y=-1:1 "
            f"(a table ends in {' or '.join(TABLES)}, a problem file in {FILES[0]})"
        )
    count, share = request.samples or _SAMPLES, _share(request)
    held_out = max(1, round(count * share / (1.0 - share)))
    lines = [
        *_head(_box(request.domain), "u"),
        f"exact: {_quoted(formula)}",
        "equations: [u = exact]",
        "scales: none",
        f"points: {{interior: {count}, held_out: {held_out}, rule: random, noise: {request.noise or 0.0!r}}}",
    ]
    return load_problem("\n".join(lines) + "\n", overrides=request.overrides, name="fit")


def _of_table(path: Path, request: Request) -> Problem:
    file = DataFile(path, what="samples")
    names = list(file.names)
    column = request.column or names[-1]
    if column not in names:
        raise UsageError(
            f"--column {column}: {path} has the columns {', '.join(names)}{did_you_mean(column, names)}"
        )
    for name in names:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", name):
            raise UsageError(
                f"{path}: column {quote(name)}: a coordinate's or unknown's name is a letter followed by "
                "letters and digits; rename it in the first line, or leave the column out"
            )
    columns = file.columns(names, gaps_in=column).arrays
    box = {name: _range(name, v, file.label) for name, v in columns.items() if name != column}
    trained = max(1, round(len(columns[column]) * (1.0 - _share(request))))
    lines = [
        *_head(box, column),
        "scales: none",
        f"samples: {{file: {_quoted(path.name)}, validation: {_share(request)!r}}}",
        f"points: {{interior: {trained}, noise: {request.noise or 0.0!r}}}",
    ]
    text = "\n".join(lines) + "\n"
    return load_problem(text, overrides=request.overrides, name=path.stem, directory=path.parent)


def _range(name: str, column: FloatArray, label: str) -> tuple[float, float]:
    """Return the least and the largest entry of a coordinate.

    Raises:
        UsageError: If they are the same: there is no domain.
    """
    low, high = float(column.min()), float(column.max())
    if low == high:
        raise UsageError(f"{label}: column {quote(name)} is {low:.9g} in every row; leave the column out")
    return low, high


def _share(request: Request) -> float:
    return _VALIDATION if request.validation is None else request.validation


def _head(box: Mapping[str, tuple[float, float]], unknown: str) -> list[str]:
    """Return coordinates, domain and unknown of a problem file."""
    shape = "interval" if len(box) == 1 else "box"
    ranges = "".join(f", {name}: [{low!r}, {high!r}]" for name, (low, high) in box.items())
    return [
        f"coordinates: [{', '.join(box)}]",
        f"domain: {{shape: {shape}{ranges}}}",
        f"unknowns: {unknown}",
    ]


def _box(text: str) -> dict[str, tuple[float, float]]:
    """Read ``x=-1:1,y=0:2``."""
    found: dict[str, tuple[float, float]] = {}
    for part in text.split(","):
        match = re.fullmatch(r"\s*([A-Za-z][A-Za-z0-9]*)\s*=([^:]*):([^:]*)", part)
        low, high = (None, None) if match is None else map(parse_number, match.groups()[1:])
        if match is None or low is None or high is None or match[1] in found:
            raise UsageError(f"--domain {quote(text, 60)}: expected NAME=LOW:HIGH,..., such as x=-1:1,y=0:2")
        found[match[1]] = (low, high)
    return found


def _quoted(text: str) -> str:
    """Return a text as a single-quoted YAML scalar on one line."""
    return "'" + " ".join(text.split()).replace("'", "''") + "'"


def _without_derivatives(problem: Problem) -> Problem:
    for equation in problem.equations:
        if any(any(p.orders) for p in derivative_symbols(equation.residual, problem.names).values()):
            raise UsageError(
                f"{problem.name}: {equation.name} is a differential equation; "
                "'pinnkan pretrain' solves it, 'pinnkan fit' represents functions (u = formula, or samples)"
            )
    return problem

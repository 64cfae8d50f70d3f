"""How verdicts are said: a cell and a line under a table, a message, an exit code."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import typer

from pinnkan.cli.terminal import render
from pinnkan.ground.errors import ToleranceMissedError, UnsolvedError
from pinnkan.language.methods import method_named
from pinnkan.storage.runs.results import is_within

Row = Mapping[str, Any]

SOME_UNSOLVED = 1
"""Exit code when some of several results are unsolved."""


def shown(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return rows for a table: of the relative residuals the largest, named."""
    return [{**row, "relative_residual": _largest(row.get("relative_residual"))} for row in rows]


def worded(data: Any) -> Any:
    """Return a nested document with `shown` applied to whatever in it has relative residuals."""
    if isinstance(data, Mapping):
        entries = {key: worded(value) for key, value in data.items()}
        return shown([data])[0] if isinstance(data.get("relative_residual"), Mapping) else entries
    return [worded(entry) for entry in data] if isinstance(data, list) else data


def remarks(rows: Sequence[Row]) -> str:
    """Return what stands under a table: an empty line, then a line for each result that is not solved."""
    lines = [_line(row) for row in rows if row.get("verdict") not in (None, "solved")]
    return "".join(f"\n{line}" for line in ["", *lines]) if lines else ""


def unsolved(rows: Sequence[Row]) -> list[Row]:
    """Return the rows whose verdict is that they are unsolved."""
    return [row for row in rows if row.get("verdict") == "unsolved"]


def missed(row: Row) -> bool:
    """Tell whether a result is above the tolerance that it was asked for."""
    return row.get("file") is not None and not is_within(row)


_MORE_TIME = "the same command with more time (--time-limit) goes on from it"
_OTHER_NETWORK = "another seed, a wider network or more points may reach it (--force begins anew)"
_OTHER_BASE = "the base does not grow under an adapter; 'pinnkan pretrain --tolerance' refines it"


def _miss(row: Row) -> str:
    """Say by how much a tolerance is missed, and what to do about it."""
    estimate, tolerance = row.get("error_estimate"), row["tolerance"]
    size = "no estimate of the error" if estimate is None else f"the error estimate {estimate:.2g}"
    above = "to compare with" if estimate is None else "is above"
    remedy = _OTHER_BASE if method_named(row["method"]).on_base else _OTHER_NETWORK
    if row.get("stop_reason") == "time_limit":
        remedy = _MORE_TIME
    return f"{_who(row)}: {size} {above} the tolerance {tolerance:g}; {remedy}"


def conclude(rows: Sequence[Row], *, said: bool) -> None:
    """End a command whose results are unsolved, or above the tolerance that was asked for.

    Args:
        rows: All results of the command.
        said: Whether a table has said already which are, and why.

    Raises:
        UnsolvedError: If the only result is unsolved.
        ToleranceMissedError: If it is above its tolerance.
        typer.Exit: With 1 if some of several are either.
    """
    _conclude_unsolved(rows, said=said)
    above = [row for row in rows if missed(row)]
    if above and len(rows) == 1:
        raise ToleranceMissedError(_miss(above[0]))
    for row in above:
        typer.echo(f"error: {_miss(row)}", err=True)
    if above:
        raise typer.Exit(SOME_UNSOLVED)


def _conclude_unsolved(rows: Sequence[Row], *, said: bool) -> None:
    """End a command whose results are unsolved; see `conclude`."""
    found = unsolved(rows)
    if not found:
        return
    if len(rows) == 1:
        only = found[0]
        raise UnsolvedError(f"{_who(only)} is unsolved; why stands above" if said else _line(only))
    if not said:
        typer.echo(remarks(found).lstrip("\n"), err=True)
    raise typer.Exit(SOME_UNSOLVED)


def _who(row: Row) -> str:
    values, method = row["parameters"], row.get("method")
    name = render.cell("parameters", values) if values else ""
    return f"{name} ({method})" if name and method else name or str(method)


def _line(row: Row) -> str:
    return f"{_who(row)}: {row['verdict']}: {'; '.join(row.get('reasons') or [])}"


def _largest(values: Mapping[str, float | None] | None) -> str | None:
    """Write the largest of the relative residuals with its name; what is not finite is the largest."""
    if not values:
        return None
    sizes = {name: math.inf if value is None else value for name, value in values.items()}
    name, value = max(sizes.items(), key=lambda item: item[1])
    return f"{render.cell('relative_residual', value)} {name}"

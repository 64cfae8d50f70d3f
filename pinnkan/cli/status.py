"""``pinnkan status``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pinnkan.cli.terminal import options, render, targets, verdicts
from pinnkan.ground.errors import UsageError
from pinnkan.language.methods import LOTRA

if TYPE_CHECKING:
    from pinnkan.storage.runs.inventory import ValueStatus

MEANINGS = {
    "done": "a file is there, verifies, and fits the present base; where values are asked for, its settings"
    " and, where they are stated, seed, precision and start are those asked for",
    "running": "a training is at work on it: its state file is younger than 30 s",
    "failed": "its last training failed, and nothing has replaced it since",
    "missing": "nothing is there yet, or a training that was stopped and will continue",
    "stale": "a file is there that does not count: damaged or of another base, which finetune replaces, or of"
    " other settings, which it replaces with --force only",
}
_SHOWN = 1000
"""Rows of a table; nobody reads a hundred thousand, and the counts are of all."""
_SIZES = (("d", 86400), ("h", 3600), ("min", 60))

EXAMPLES = (
    "\n\n".join(["Statuses:", *(f"{name}: {meaning}." for name, meaning in MEANINGS.items())])
    + "\n\n"
    + options.examples(
        "pinnkan status runs/elliptic",
        "pinnkan status runs/elliptic --lambda 0:1:101 --json",
        "pinnkan status runs/elliptic --lambda 0:2:41 --start nearest",
    )
)

Files = Annotated[bool, typer.Option("-v", "--verbose", help="Their files as well.")]


def status(
    directory: options.Directory,
    lambdas: options.Lambdas = None,
    params: options.Params = None,
    paired: options.Paired = False,
    method: options.TrainingMethod = LOTRA.name,
    tag: options.Tag = None,
    compression: options.Compression = None,
    overrides: options.Overrides = None,
    seed: options.Seed = None,
    dtype: options.StoredDtype = None,
    start: options.Start = None,
    as_json: options.AsJson = False,
    quiet: options.QuietAlready = False,
    verbose: Files = False,
) -> None:
    """Tell which values are done, running or failed, and why.

    Of everything that is there; with values, of those, as 'finetune' with the same options would
    find them. Nothing is trained or changed.
    """
    from pinnkan.storage.runs.paths import WORK

    asked = bool(lambdas or params)
    if asked or not (directory / WORK).is_dir():  # a first base in training is no run yet
        targets.require_run(directory)
    values = targets.read_values(directory, lambdas, params, quiet=quiet, paired=paired)
    texts = options.settings(overrides, compression)
    stated = texts or tag or any(option is not None for option in (dtype, seed, start))
    if not asked and (stated or method != LOTRA.name):
        raise UsageError(
            "--method, --tag, --seed, --dtype, --start, --compression and --set are those of values: "
            "give --lambda or --param as well"
        )
    from pinnkan.storage.runs.identity import identities
    from pinnkan.storage.runs.inventory import asked_for, chained, value_statuses

    if asked:
        nearest = options.nearest(start)
        wanted = identities(
            directory,
            values,
            method=method,
            overrides=texts,
            seed=seed,
            dtype=dtype and dtype.value,
            nearest=nearest,
        )
        found = (chained if nearest else asked_for)(directory, wanted, tag)
    else:
        found = value_statuses(directory)
    _write(found, as_json=as_json, verbose=verbose)


def _write(found: Sequence[ValueStatus], *, as_json: bool, verbose: bool) -> None:
    counted: Counter[str] = Counter(entry.status for entry in found)
    counts = {name: counted[name] for name in MEANINGS}
    if as_json:
        render.write_json({"results": [_row(entry) for entry in found], "counts": counts})
        return
    rows = [_row(entry) for entry in found[:_SHOWN]]
    who = ["parameters", "method", *(["tag"] if any(row["tag"] for row in rows) else [])]
    columns = [*who, "status", "verdict", "age", "why", *(["file"] if verbose else [])]
    laid = render.table([row | {"age": _age(row["age_seconds"])} for row in rows], columns)
    if len(found) > _SHOWN:
        laid += f"\n... and {len(found) - _SHOWN} more (--json has all)"
    said = verdicts.remarks(rows)
    render.write(f"{laid}{said}\n\n{', '.join(f'{count} {name}' for name, count in counts.items() if count)}")


def _row(status: ValueStatus) -> dict[str, Any]:
    from pinnkan.storage.runs.results import stored_verdict

    return {
        "parameters": dict(status.name.values or {}),
        "method": status.name.method,
        "tag": status.name.tag,
        "status": status.status,
        "why": status.why,
        **stored_verdict(status.meta or {}),
        "age_seconds": status.age_s,
        "file": status.file,
    }


def _age(seconds: float | None) -> str | None:
    """Write an age in the largest unit that gives at least 2: ``90 s``, ``5 min``, ``3 d``."""
    if seconds is None:
        return None
    unit, size = next(((unit, size) for unit, size in _SIZES if seconds >= 2 * size), ("s", 1))
    return f"{seconds / size:.0f} {unit}"

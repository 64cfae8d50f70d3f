"""``pinnkan evaluate``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from pinnkan.cli.terminal import options, render, targets, verdicts
from pinnkan.cli.terminal.progress import watching
from pinnkan.ground.errors import DamagedFileError, ToleranceMissedError

ERRORS = {
    "relative_l2": "||psi - u|| / ||u||, root of the sum of squares over the evaluation points;"
    " psi the network's solution, u the reference",
    "relative_l2_squared": "the square of relative_l2",
    "relative_max": "max |psi - u| / max |u| over the evaluation points",
    "absolute_rms": "root mean square of psi - u; says what the relative figures cannot where u is zero",
    "boundary_max": "largest absolute violation of any boundary or initial condition or constraint",
    "residual_rms": "root mean square of the equation's residual at held-out points, never trained on",
    "zero_network_l2": "relative_l2 of the ansatz with a network of zero, which is what hard conditions give"
    " away for nothing; a benchmark in which it is below 0.1 is void",
}
COST = {
    "trainable_parameters": "numbers that were trained for this value",
    "file_bytes": "size of the base or adapter file",
    "train_seconds": "wall time from the generation of points to the last step",
    "steps": "optimizer steps, all phases together",
    "stop_reason": "why training ended",
}
JUDGEMENT = {
    "error_estimate": "estimate of relative_l2 without a reference, made when training ended: |w| / |u + w|,"
    " w what one step of Newton's method adds to the solution u, in polynomials, on points never trained on;"
    " unknown where polynomials take no more of the residual than of noise. No bound: it does not see a"
    " second solution, nor what is thinner than its points lie apart",
    "relative_residual": "of every equation and condition (the largest in the table), on scrambled Sobol"
    " points of their own, never trained on: root mean square of its residual over the root mean square of"
    " the sum of the absolute values of its terms, as 'pinnkan check' prints them with derivatives written"
    " out; where fewer than two terms are other than zero, the terms are those of a function of the"
    " solution's own range over the domain's own length. It has no unit: 1e-6 is solved, 1 is nothing",
    "verdict": "solved, doubtful or unsolved, as it was given when training ended, from the relative"
    " residuals, the conditions' violations, training against held-out residual and how the residual fell",
    "reasons": "why the verdict is not solved, in words (a line under the table)",
}
FIELDS = ("relative_l2", "relative_max", "absolute_rms", "zero_network_l2", "error_estimate")
"""Numbers given of every unknown of a system; in JSON under ``fields``."""
_WHO = ("parameters", "method", "tag")
_ONLY_JSON = ("relative_l2_squared", "reasons")


def _definitions() -> str:
    """Define every number, one paragraph each."""
    entries = [f"{name}: {meaning}." for name, meaning in (ERRORS | COST | JUDGEMENT).items()]
    return "\n\n".join(
        [
            "Numbers, each over 20,000 uniform points of the domain unless --points is given; of a fit to a"
            " table, over its samples held out:",
            *entries,
            "fields: of several unknowns, the errors and the estimate of each by its name, in a table of its"
            " own; the numbers above are then the largest of those of unknowns that are not zero. centred:"
            " whether its mean is taken out first, since no statement fixes its constant.",
        ]
    )


EXAMPLES = (
    _definitions()
    + "\n\n"
    + options.examples(
        "pinnkan evaluate runs/elliptic",
        "pinnkan evaluate runs/elliptic --lambda 0.1,1 --json",
        "pinnkan evaluate runs/elliptic --lambda 1 --fail-above 1e-3",
        "pinnkan evaluate runs/elliptic --method full --tag long",
    )
)

Points = Annotated[
    Path | None,
    typer.Option(
        "--points",
        metavar="FILE",
        help="Evaluate at the points of a CSV or NPZ file (columns: coordinates); a column of the unknown is"
        " the reference there.",
        show_default=False,
    ),
]
EvaluationSeed = Annotated[
    int,
    typer.Option(
        "--eval-seed",
        min=0,
        max=options.LARGEST_SEED,
        metavar="N",
        help="Seed of the evaluation points.",
    ),
]
Limit = Annotated[
    float | None,
    typer.Option(
        "--fail-above",
        min=0.0,
        callback=options.finite,
        metavar="X",
        help="Exit with 5 if a relative_l2 is above X (residual_rms where there is no reference).",
        show_default=False,
    ),
]


def evaluate(
    directory: options.Directory,
    lambdas: options.Lambdas = None,
    params: options.Params = None,
    paired: options.Paired = False,
    method: options.AnyMethod = None,
    tag: options.Tag = None,
    points: Points = None,
    eval_seed: EvaluationSeed = 0,
    fail_above: Limit = None,
    device: options.Device = "cpu",
    dtype: options.StoredDtype = None,
    threads: options.Threads = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Measure the errors of base and adapters.

    Of all of them, or of the values, the method or the tag named; at the base's own value of the base,
    unless an adapter was trained there. The evaluation points are drawn
    with their own seed and are none of the training points. What is unknown is printed as - (null in
    JSON).
    """
    targets.require_run(directory)
    values = targets.read_values(directory, lambdas, params, quiet=quiet, paired=paired)
    from pinnkan.workflows.evaluate import evaluate as run

    with watching(quiet=quiet, verbose=verbose) as observer:
        table = run(
            directory,
            values=values or None,
            method=method,
            tag=tag,
            points=points,
            eval_seed=eval_seed,
            device=device,
            dtype=dtype and dtype.value,
            threads=threads,
            observer=observer,
        )
    report = table.to_json()
    if as_json:
        render.write_json(report)
    else:
        _write(report["results"])
    if table.refused:  # after the rows of all others are out
        raise DamagedFileError("\n".join(table.refused))
    if fail_above is not None:
        require_below(fail_above, report["results"])


def _write(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print errors, cost and judgement as tables that each fit a terminal of 80 columns."""
    who = [name for name in _WHO if name != "tag" or any(row.get("tag") for row in rows)]
    errors = [name for name in ERRORS if name not in _ONLY_JSON]
    if all(row.get("relative_l2") is not None for row in rows):
        errors.remove("absolute_rms")
    judgement = [name for name in JUDGEMENT if name not in _ONLY_JSON]
    shown = verdicts.shown(rows)
    tables = [render.table(shown, [*who, *columns]) for columns in (errors, COST, judgement)]
    fields = [_field(row, name, field) for row in rows for name, field in row.get("fields", {}).items()]
    if fields:
        tables.insert(1, render.table(fields, [*who, "unknown", *FIELDS]))
    render.write("\n\n".join(tables) + _centred(rows) + verdicts.remarks(rows))


def _field(row: Mapping[str, Any], name: str, field: Mapping[str, Any]) -> dict[str, Any]:
    """Return the line of one unknown of a result."""
    return {key: row.get(key) for key in _WHO} | {"unknown": name} | dict(field)


def _centred(rows: Sequence[Mapping[str, Any]]) -> str:
    """Say which unknowns are known up to a constant."""
    fields = [field for row in rows for field in row.get("fields", {}).items()]
    names = list(dict.fromkeys(name for name, field in fields if field["centred"]))
    if not names and not any(row.get("centred") for row in rows):
        return ""
    what = ", ".join(names) or "the solution"
    return f"\n{what}: compared after the mean is taken out, since no statement fixes the constant"


def require_below(limit: float, rows: Sequence[Mapping[str, Any]]) -> None:
    """Hold every row to ``--fail-above``; a row whose figure is unknown does not pass.

    Raises:
        ToleranceMissedError: Naming every row above the limit.
    """
    missed = []
    for row in rows:
        name = "residual_rms" if row["relative_l2"] is None else "relative_l2"
        value = row[name]
        who = f"{render.cell('parameters', row['parameters'])} ({row['method']})"
        if value is None or math.isnan(value):
            missed.append(f"{who}: {name} is unknown, so not below {limit:g}")
        elif value > limit:
            missed.append(f"{who}: {name} {render.cell(name, value)} is above {limit:g}")
        # Where the reference is zero there is no relative error: the unknown's scale is what it is held to.
        for unknown, field in row.get("fields", {}).items():
            error = field["absolute_rms"]
            if field["relative_l2"] is None and error is not None and error > limit * field["scale"]:
                text = f"{render.cell('absolute_rms', error)} is above {limit:g} of its scale"
                missed.append(f"{who}: {unknown}: absolute_rms {text}")
    if missed:
        raise ToleranceMissedError("\n".join(missed))

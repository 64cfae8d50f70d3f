"""``pinnkan check``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from pinnkan.cli import options, render, targets
from pinnkan.cli.progress import note, watching
from pinnkan.errors import ToleranceMissedError

EXAMPLES = options.examples(
    "pinnkan check heat.yaml",
    "pinnkan check elliptic --lambda 0.5 --plot points.png",
    "pinnkan check elliptic --json",
)

PointsPlot = Annotated[
    Path | None,
    typer.Option(
        "--plot", metavar="FILE", help="Draw the collocation points (PNG, PDF, SVG).", show_default=False
    ),
]


def check(
    problem: options.Problem,
    overrides: options.Overrides = None,
    lambdas: options.Lambdas = None,
    params: options.Params = None,
    plot: PointsPlot = None,
    seed: options.Seed = 0,
    device: options.Device = "cpu",
    dtype: options.TrainingDtype = options.Dtype.float64,
    threads: options.Threads = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Show how a problem file is understood; test it.

    Prints every equation and condition as '<residual> = 0' with operators and definitions expanded,
    counts points and trainable parameters, and tests that the exact solution (where there is one)
    satisfies them and that initial and boundary data meet. Trains nothing. Exits with 5 if a test fails.
    """
    stated = targets.load(problem, overrides)
    values = targets.at_most_one(targets.expand(stated, lambdas, params))
    from pinnkan.workflows.check import check as run

    with watching(quiet=quiet, verbose=verbose):
        report = run(
            stated, values=values, seed=seed, device=device, dtype=dtype.value, threads=threads, plot=plot
        )
    if as_json:
        render.write_json(report)
    else:
        _write(report)
    for warning in report.get("warnings", ()):
        note(f"warning: {warning}", quiet=quiet)
    failed = [test["name"] for test in report.get("tests", ()) if not test["passed"]]
    if failed:
        raise ToleranceMissedError(f"the problem does not agree with itself: {', '.join(failed)}")


def _write(report: Mapping[str, Any]) -> None:
    """Print the equations as lines of mathematics, the rest as a document."""
    apart = ("equations", "conditions", "warnings")
    head = {key: value for key, value in report.items() if key not in apart}
    statements = [*report["equations"], *report["conditions"]]
    lines = [f"{statement['name']}: {statement['residual']} = 0" for statement in statements]
    render.write("\n".join([*lines, "", render.document(head)]))

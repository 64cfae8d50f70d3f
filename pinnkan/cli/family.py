"""``pinnkan family``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pinnkan.cli import options, render, targets
from pinnkan.cli.progress import watching
from pinnkan.errors import ToleranceMissedError, UsageError

if TYPE_CHECKING:
    from pinnkan.workflows.family import FamilyResult

EXAMPLES = options.examples(
    "pinnkan family runs/elliptic --lambda 0:2 --tolerance 1e-4",
    "pinnkan family runs/burgers --param nu=0.01:0.1 --max-adapters 8",
)

Range = Annotated[
    str | None,
    typer.Option(
        "--lambda",
        metavar="LOW:HIGH",
        help="Range of the family's only parameter.",
        show_default=False,
    ),
]
Ranges = Annotated[
    list[str] | None,
    typer.Option(
        "--param",
        metavar="NAME=LOW:HIGH",
        help="Range of a named parameter, such as nu=0.01:0.1; repeatable. Unnamed ones keep their base"
        " values.",
        show_default=False,
    ),
]
Tolerance = Annotated[
    float,
    typer.Option(
        "--tolerance",
        min=0.0,
        callback=options.finite,
        metavar="X",
        help="Bound of the estimated relative L2 error over the range.",
    ),
]
MaxAdapters = Annotated[
    int, typer.Option("--max-adapters", min=2, max=64, metavar="N", help="Most adapters to train.")
]


def family(
    directory: options.Directory,
    only: Range = None,
    params: Ranges = None,
    tolerance: Tolerance = 1e-4,
    max_adapters: MaxAdapters = 12,
    overrides: options.Overrides = None,
    seed: options.Seed = 0,
    threads: options.Threads = None,
    force: options.Force = False,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Make a reduced basis of adapters: then 'pinnkan solve' answers any value in a millisecond.

    Trains adapters where the estimated error is worst until it meets the tolerance, and writes
    DIR/family.h5. The estimate is the residual's norm times a constant, calibrated on adapters that
    are predicted from the others: it is no bound. If the tolerance is not met, the file is written
    all the same and the exit code is 5. A killed search goes on where it stopped.
    """
    targets.require_run(directory)
    if only is None and not params:
        raise UsageError("which range? Give --lambda LOW:HIGH or --param NAME=LOW:HIGH")
    from pinnkan.workflows.family import family as run

    with watching(quiet=quiet, verbose=verbose) as observer:
        found = run(
            directory,
            only=only,
            params=params or [],
            tolerance=tolerance,
            max_adapters=max_adapters,
            overrides=overrides or [],
            seed=seed,
            threads=threads,
            force=force,
            observer=observer,
        )
    _conclude(found, as_json=as_json)


def _conclude(found: FamilyResult, *, as_json: bool) -> None:
    """Print the curve and the reason.

    Raises:
        ToleranceMissedError: If the estimate is above the tolerance somewhere.
    """
    if as_json:
        render.write_json({**vars(found), "path": str(found.path)})
    else:
        columns = ("adapters", "relative_residual", "relative_estimate", "median_estimate", "worst_at")
        rows = [
            {
                "adapters": point["adapters"],
                "relative_residual": point["worst_residual"],
                "relative_estimate": point["worst_estimate"],
                "relative_median": point["median_estimate"],
                "worst_at": point["at"],
            }
            for point in found.curve
        ]
        render.write(render.table(rows, columns))
        facts: dict[str, Any] = {
            "reason": found.reason,
            "adapters": list(found.adapters),
            "file": str(found.path),
        }
        if found.effectivity is not None:
            facts["effectivity"] = {k: float(f"{v:.3g}") for k, v in found.effectivity.items()}
        render.write("\n" + render.document(facts))
    if not found.met:
        worst = found.curve[-1]["worst_estimate"]
        raise ToleranceMissedError(
            f"the worst estimate is {worst:.2e}, above the tolerance {found.tolerance:g}: {found.advice}"
        )

"""``pinnkan family``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pinnkan.cli.terminal import options, render, targets
from pinnkan.cli.terminal.progress import watching_training
from pinnkan.ground.errors import ToleranceMissedError, UsageError
from pinnkan.ground.machine import Compute

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
    seed: options.Seed = None,
    threads: options.Threads = None,
    force: options.Force = False,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Make a reduced basis that answers any value of a range.

    Trains adapters where the estimated error is worst until it meets the tolerance, and writes
    DIR/family.h5, from which 'pinnkan solve' answers. If the tolerance is not met, the file is
    written all the same and the exit code is 5. A killed search goes on where it stopped.

    The table has, by the number of adapters, over a training set of 64 values (more for several
    parameters): worst_residual, the largest root mean square of the residual, averaged over small
    cells, divided by that of the solution; worst_estimate and median_estimate of the relative L2
    error, that residual times a constant calibrated on adapters predicted from the others: an
    estimate, not a bound; unsolved, the values where Gauss-Newton did not end: nothing is known of the
    largest residual then; at, where the next adapter goes. effectivity is estimate over true error
    (2.5 %, 50 % and 97.5 % of 32 values between those of the training set), where a formula is known.
    Several unknowns share one basis; the error is the largest among them.
    """
    targets.require_run(directory)
    if only is None and not params:
        raise UsageError("which range? Give --lambda LOW:HIGH or --param NAME=LOW:HIGH")
    from pinnkan.sweeps.options import SweepOptions, TrainingOptions
    from pinnkan.workflows.family import family as run
    from pinnkan.workflows.requests import FamilyRequest

    request = FamilyRequest(only, params or [], tolerance, max_adapters)
    training = TrainingOptions(seed, force, compute=Compute(threads=threads))
    sweep = SweepOptions(directory, overrides=tuple(overrides or ()), training=training)
    with watching_training(quiet=quiet, verbose=verbose, threads=threads) as observer:
        result = run(request, sweep, observer)
    _conclude(result, as_json=as_json)


def _conclude(found: FamilyResult, *, as_json: bool) -> None:
    """Print the curve and the reason.

    Raises:
        ToleranceMissedError: If the estimate is above the tolerance somewhere.
    """
    if as_json:
        render.write_json(found.to_json())
    else:
        unsolved = ["unsolved"] if any(point["unsolved"] for point in found.curve) else []
        columns = ["adapters", "worst_residual", "worst_estimate", "median_estimate", *unsolved, "at"]
        render.write(render.table(found.curve, columns))
        facts: dict[str, Any] = {
            "reason": found.reason,
            "adapters": list(found.adapters),
            "file": str(found.path),
        }
        if found.effectivity is not None:
            facts["effectivity"] = {k: options.rounded(v) for k, v in found.effectivity.items()}
        render.write("\n" + render.document(facts))
    if not found.met:
        raise ToleranceMissedError(f"{_shortfall(found)}: {found.advice}")


def _shortfall(found: FamilyResult) -> str:
    """Say by how much the tolerance is missed."""
    last = found.curve[-1]
    if last["unsolved"]:
        return f"Gauss-Newton did not end at {last['unsolved']} values of the training set: no estimate there"
    if last["worst_estimate"] <= found.tolerance:
        return f"the worst estimate is {last['worst_estimate']:.2e}"
    return f"the worst estimate is {last['worst_estimate']:.2e}, above the tolerance {found.tolerance:g}"

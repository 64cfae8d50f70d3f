"""``pinnkan pretrain``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pinnkan.cli.terminal import options, render, results, targets, verdicts
from pinnkan.cli.terminal.progress import watching_training
from pinnkan.ground.machine import Compute

EXAMPLES = options.examples(
    "pinnkan pretrain elliptic",
    "pinnkan pretrain heat.yaml -o runs/heat --seed 1 --set training.steps=80",
)

if TYPE_CHECKING:
    from pinnkan.language.problem import Problem
    from pinnkan.sweeps.options import TrainingOptions

RunDirectory = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="DIR",
        help="Run directory; runs/<file stem> if not given.",
        show_default=False,
    ),
]


def pretrain(
    problem: options.Problem,
    output: RunDirectory = None,
    overrides: options.Overrides = None,
    seed: options.Seed = None,
    device: options.Device = "cpu",
    dtype: options.TrainingDtype = None,
    threads: options.Threads = None,
    tolerance: options.Tolerance = None,
    time_limit: options.TimeLimit = None,
    force: options.Force = False,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Train the base network; writes DIR/base.h5.

    The base solves the problem at the family's base value. A finished base of the same problem,
    settings and, where they are stated, seed and precision is left as it is (exit 0); over a different one
    nothing is trained without --force, which makes the adapters there stale. A base that is unsolved is
    written all the same, and the exit code is 4 ('pinnkan evaluate --help' defines verdict and
    relative_residual).

    With a tolerance, training ends as soon as error_estimate is below it. That is the relative L2 norm of
    the correction that one Newton step on other points, in polynomials, would make; the largest over the
    unknowns. A finished base with a larger estimate is gone on from; one that stays above it is written,
    and the exit code is 5.
    """
    from pinnkan.sweeps.options import TrainingOptions

    stated = targets.load(problem, overrides)
    row = base_row(
        stated,
        output or targets.RUNS / stated.name,
        TrainingOptions(seed, force, time_limit, Compute(device, dtype and dtype.value, threads), tolerance),
        present="is finished for this problem and these settings; --force trains it again",
        quiet=quiet,
        verbose=verbose,
    )
    if as_json:
        render.write_json(row)
    else:
        results.write_rows([row])
    verdicts.conclude([row], said=not as_json)


def base_row(
    stated: Problem,
    directory: Path,
    training: TrainingOptions,
    *,
    present: str,
    quiet: bool,
    verbose: bool,
) -> dict[str, Any]:
    """Train the base of a problem and return what is printed of it.

    Args:
        stated: The problem.
        directory: Run directory.
        training: How it is trained.
        present: What is said of a base that is there already.
        quiet: Whether no progress is shown.
        verbose: Whether every step is.
    """
    from pinnkan.physics.family import Family
    from pinnkan.workflows.pretrain import pretrain as run

    with watching_training(quiet=quiet, verbose=verbose, threads=training.compute.threads) as observer:
        result = run(Family(stated), directory, training, observer)
        if result.status == "present":
            observer.note(f"{result.path} {present}{results.said_unasked(result)}")
    return results.row(result)

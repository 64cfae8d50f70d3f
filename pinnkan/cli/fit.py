"""``pinnkan fit``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from pinnkan.cli.pretrain import RunDirectory, base_row
from pinnkan.cli.terminal import options, render, targets
from pinnkan.ground.machine import Compute

EXAMPLES = options.examples(
    'pinnkan fit "sin(pi*x)*sin(pi*y)" --domain x=-1:1,y=-1:1 --noise 0.05 -o runs/waves',
    "pinnkan fit data.csv --column u --set network.kind=slim --set network.rank=1/4",
    "pinnkan fit task.yaml --seed 1",
)
COLUMNS = (
    "status",
    "training_rms",
    "validation_rms",
    "relative_l2",
    "trainable_parameters",
    "train_seconds",
    "steps",
    "stop_reason",
)

Source = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="A formula, a table (.csv, .npz) or a problem file (.yaml) without derivatives.",
        show_default=False,
    ),
]
Domain = Annotated[
    str | None,
    typer.Option(
        "--domain",
        metavar="RANGES",
        help="Where a formula is sampled: x=-1:1,y=0:2.",
        show_default=False,
    ),
]
Column = Annotated[
    str | None,
    typer.Option(
        "--column",
        metavar="NAME",
        help="The column of a table that holds the values (the last one); the others are coordinates.",
        show_default=False,
    ),
]
Samples = Annotated[
    int | None,
    typer.Option(
        "--samples",
        min=1,
        metavar="N",
        help="Points of a formula to train on (1000).",
        show_default=False,
    ),
]
Validation = Annotated[
    float | None,
    typer.Option(
        "--validation",
        min=0.01,
        max=0.99,
        callback=options.finite,
        metavar="SHARE",
        help="Share of all samples that is held out (0.2).",
        show_default=False,
    ),
]
Noise = Annotated[
    float | None,
    typer.Option(
        "--noise",
        min=0.0,
        callback=options.finite,
        metavar="S",
        help="Add normal noise of this standard deviation to the values.",
        show_default=False,
    ),
]


def fit(
    source: Source,
    output: RunDirectory = None,
    domain: Domain = None,
    column: Column = None,
    samples: Samples = None,
    validation: Validation = None,
    noise: Noise = None,
    overrides: options.Overrides = None,
    seed: options.Seed = None,
    device: options.Device = "cpu",
    dtype: options.TrainingDtype = None,
    threads: options.Threads = None,
    time_limit: options.TimeLimit = None,
    force: options.Force = False,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Represent a function given by a formula or samples.

    Trains a network of any kind (--set network.kind=kan, slim or mlp) by any optimizer on noisy or clean
    values and writes DIR/base.h5, which plot, export, evaluate and show take like a solution.
    Training and validation error are root mean squares over the samples, noise included; relative_l2 is
    against the formula without it.
    """
    from pinnkan.language.problem.fitting import Request, fit_problem
    from pinnkan.sweeps.options import TrainingOptions

    asked = Request(domain, column, samples, validation, noise, tuple(overrides or ()))
    stated = fit_problem(source, asked)
    trained = base_row(
        stated,
        output or targets.RUNS / stated.name,
        TrainingOptions(seed, force, time_limit, Compute(device, dtype and dtype.value, threads)),
        present="is finished for these samples and settings; --force fits again",
        quiet=quiet,
        verbose=verbose,
    )
    row = _row(trained)
    if as_json:
        render.write_json(row)
    else:
        render.write(render.table([row], COLUMNS))


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """Call the held-out residual of samples what it is."""
    return {("validation_rms" if key == "residual_rms" else key): value for key, value in row.items()}

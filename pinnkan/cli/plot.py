"""``pinnkan plot``."""

from __future__ import annotations

from typing import Annotated

import typer

from pinnkan.cli import options, targets
from pinnkan.cli.progress import watching

EXAMPLES = options.examples(
    "pinnkan plot runs/elliptic -o base.png",
    "pinnkan plot runs/allen_cahn --lambda 1 --field error --time 0.5 -o error.pdf",
    "pinnkan plot runs/elliptic --lambda 0.1 --slice y=0 -o cut.svg",
    "pinnkan plot runs/elliptic --lambda 0.1 --field history -o history.png",
)

FieldOption = Annotated[options.Field, typer.Option("--field", help="What to draw.")]
Slices = Annotated[
    list[str] | None,
    typer.Option(
        "--slice",
        metavar="NAME=VALUE",
        help="Cut at a coordinate, such as y=0.5; repeatable.",
        show_default=False,
    ),
]


def plot(
    directory: options.Directory,
    output: options.Output,
    lambdas: options.Lambdas = None,
    params: options.Params = None,
    method: options.StoredMethod = options.Method.lotra,
    tag: options.Tag = None,
    field: FieldOption = options.Field.solution,
    time: options.Time = None,
    slices: Slices = None,
    dpi: options.Dpi = 200,
    device: options.Device = "cpu",
    dtype: options.StoredDtype = None,
    threads: options.Threads = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Draw a picture of a solution.

    Draws the solution, the reference, the error, the residual or the training history. Without a
    parameter value, or at the base's own where no adapter was trained, it shows the base. The ending of
    FILE names the format: png, pdf or svg.
    """
    targets.require_run(directory)
    targets.spare_the_store(output, directory)
    values = targets.at_most_one(targets.read_values(directory, lambdas, params, quiet=quiet))
    from pinnkan.workflows.plot import plot as run

    with watching(quiet=quiet, verbose=verbose) as observer:
        path = run(
            directory,
            values=values,
            method=method.value,
            tag=tag,
            field=field.value,
            time=time,
            slices=slices or [],
            dpi=dpi,
            device=device,
            dtype=dtype and dtype.value,
            threads=threads,
            output=output,
            observer=observer,
        )
        observer.note(f"wrote {path}")

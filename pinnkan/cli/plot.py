"""``pinnkan plot``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pinnkan.cli.terminal import options, targets
from pinnkan.cli.terminal.progress import watching
from pinnkan.ground.machine import Compute
from pinnkan.language.methods import LOTRA
from pinnkan.storage.runs.paths import ResultName

if TYPE_CHECKING:
    from pinnkan.workflows.requests import FlowKind

EXAMPLES = options.examples(
    "pinnkan plot runs/elliptic -o base.png",
    "pinnkan plot runs/allen_cahn --lambda 1 --field error --time 0.5 -o error.pdf",
    "pinnkan plot runs/elliptic --lambda 0.1 --slice y=0 -o cut.svg",
    "pinnkan plot runs/elliptic --lambda 0.1 --field history -o history.png",
    "pinnkan plot runs/elliptic --field 'norm(grad(u))' --arrows 'grad(u)' -o slope.png",
)

FieldOption = Annotated[
    str | None,
    typer.Option(
        "--field",
        metavar="FIELD",
        help="What to draw: solution, reference, error, residual, history, or a formula of the unknowns, "
        "their derivatives and the definitions, such as u, v_x - u_y or norm(U).  [default: solution]",
        show_default=False,
    ),
]
Streamlines = Annotated[
    str | None,
    typer.Option(
        "--streamlines",
        metavar="VECTOR",
        help="Streamlines of a vector over the field: a definition, or [u, v].",
        show_default=False,
    ),
]
Arrows = Annotated[
    str | None,
    typer.Option("--arrows", metavar="VECTOR", help="Arrows of a vector over the field.", show_default=False),
]
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
    method: options.StoredMethod = LOTRA.name,
    tag: options.Tag = None,
    field: FieldOption = None,
    streamlines: Streamlines = None,
    arrows: Arrows = None,
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

    Draws the solution, the reference, the error, the residual, the training history, or any formula of
    the unknowns; of several unknowns a panel each. Without a
    parameter value, or at the base's own where no adapter was trained, it shows the base. The ending of
    FILE names the format: png, pdf or svg.
    """
    targets.require_run(directory)
    targets.spare_the_store(output, directory)
    values = targets.at_most_one(targets.read_values(directory, lambdas, params, quiet=quiet))
    from pinnkan.workflows.plot import plot as run
    from pinnkan.workflows.requests import View

    view = View(
        field=field or _default_field(streamlines or arrows),
        time=time,
        slices=slices or [],
        flows=_flows(streamlines, arrows),
    )
    with watching(quiet=quiet, verbose=verbose) as observer:
        path = run(
            directory,
            ResultName(values, method, tag),
            view,
            output=output,
            dpi=dpi,
            compute=Compute(device, dtype and dtype.value, threads),
            observer=observer,
        )
        observer.note(f"wrote {path}")


def _flows(streamlines: str | None, arrows: str | None) -> dict[FlowKind, str]:
    """Return the vectors that are drawn over the field, by how they are."""
    stated: dict[FlowKind, str | None] = {"streamlines": streamlines, "arrows": arrows}
    return {kind: vector for kind, vector in stated.items() if vector is not None}


def _default_field(vector: str | None) -> str:
    """Return the solution, below a vector its length."""
    return "solution" if vector is None else f"norm({vector})"

"""``pinnkan export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pinnkan.cli.terminal import options, targets
from pinnkan.cli.terminal.progress import watching
from pinnkan.ground.errors import UsageError
from pinnkan.ground.machine import Compute
from pinnkan.language.methods import LOTRA
from pinnkan.storage.runs.paths import ResultName

EXAMPLES = options.examples(
    "pinnkan export runs/elliptic --lambda 0.1 --grid 101x101 -o u.csv",
    "pinnkan export runs/heat --time 0.5 --grid 101x101 -o u.vtu",
    "pinnkan export runs/allen_cahn --lambda 1 --grid 11x101x101 -o u.npz",
    "pinnkan export runs/elliptic --points points.csv -o u.csv",
    "pinnkan export runs/elliptic --fields 'u, grad(u), laplace(u)' --grid 51x51 -o derivatives.vtu",
)

Grid = Annotated[
    str | None,
    typer.Option(
        "--grid",
        metavar="COUNTS",
        help="Points along every axis of the bounding box, time first: 101x101, 11x101x101.",
        show_default=False,
    ),
]
Points = Annotated[
    Path | None,
    typer.Option(
        "--points",
        metavar="FILE",
        help="Points of a CSV or NPZ file (columns: coordinates).",
        show_default=False,
    ),
]
Fields = Annotated[
    str | None,
    typer.Option(
        "--fields",
        metavar="FORMULAS",
        help="Columns: formulas of the unknowns, their derivatives and the definitions, with commas between "
        "them, such as 'u, v_x - u_y, norm(U)'.  [default: the unknowns]",
        show_default=False,
    ),
]


def export(
    directory: options.Directory,
    output: options.Output,
    lambdas: options.Lambdas = None,
    params: options.Params = None,
    method: options.StoredMethod = LOTRA.name,
    tag: options.Tag = None,
    grid: Grid = None,
    points: Points = None,
    time: options.Time = None,
    fields: Fields = None,
    device: options.Device = "cpu",
    dtype: options.StoredDtype = None,
    threads: options.Threads = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Write a solution to csv, npz, vtu or h5.

    The points are those of a grid or of a file; vtu opens in ParaView. Without a parameter value, or
    at the base's own where no adapter was trained, it exports the base. Points of the grid outside the
    domain give no row in CSV and NaN in the other formats.
    """
    targets.require_run(directory)
    targets.spare_the_store(output, directory)
    if (grid is None) == (points is None):
        raise UsageError("at which points? Give either --grid COUNTS or --points FILE")
    if points is not None and time is not None:
        raise UsageError("--time goes with --grid; the points of a file carry their own times")
    values = targets.at_most_one(targets.read_values(directory, lambdas, params, quiet=quiet))
    from pinnkan.workflows.export import export as run
    from pinnkan.workflows.requests import Places

    with watching(quiet=quiet, verbose=verbose) as observer:
        path = run(
            directory,
            ResultName(values, method, tag),
            Places(grid, points, time),
            fields=fields,
            output=output,
            compute=Compute(device, dtype and dtype.value, threads),
            observer=observer,
        )
        observer.note(f"wrote {path}")

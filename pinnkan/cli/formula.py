"""``pinnkan formula``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from pinnkan.cli.terminal import options, render, targets
from pinnkan.cli.terminal.progress import watching
from pinnkan.ground.files import atomic_writer
from pinnkan.language.methods import LOTRA
from pinnkan.storage.runs.paths import ResultName

EXAMPLES = options.examples(
    "pinnkan formula runs/waves",
    "pinnkan formula runs/advection --param c=0.8 --r2 0.999 --digits 3",
    "pinnkan formula runs/heat -o heat.txt",
)

LeastR2 = Annotated[
    float,
    typer.Option(
        "--r2",
        min=0.0,
        max=1.0,
        metavar="R",
        help="An edge takes the simplest function whose R^2 over the edge's inputs is at least this.",
    ),
]
Digits = Annotated[
    int, typer.Option("--digits", min=1, max=15, metavar="N", help="Significant digits of every number.")
]
FormulaFile = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="Text file to write the whole formula to.",
        show_default=False,
    ),
]


def formula(
    directory: options.Directory,
    lambdas: options.Lambdas = None,
    params: options.Params = None,
    method: options.StoredMethod = LOTRA.name,
    tag: options.Tag = None,
    least_r2: LeastR2 = 0.9999,
    digits: Digits = 4,
    output: FormulaFile = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    verbose: options.VerboseEdges = False,
) -> None:
    """Write a small network as a closed formula.

    Every edge becomes the simplest of 1, x, x^2, x^3, x^4, sin, cos, exp, log, sqrt, tanh, abs, 1/x and
    a Gaussian, with numbers inside and outside, that follows it; one that none follows keeps its
    polynomial. All numbers are then fitted together to the network. relative_l2_network is the distance
    of the printed formula to the network, relative_l2 that to the reference. Of a formula of more than
    1000 characters the table shows the beginning; -o FILE and --json have all of it.
    """
    targets.require_run(directory)
    if output is not None:
        targets.spare_the_store(output, directory)
    values = targets.at_most_one(targets.read_values(directory, lambdas, params, quiet=quiet))
    from pinnkan.workflows.formula import formula as run

    report = run(directory, ResultName(values, method, tag), least_r2=least_r2, digits=digits)
    whole = f"{report['unknown']} = {report['formula']}"
    if output is not None:
        with atomic_writer(output) as file:
            file.write(f"{whole}\n".encode())
    if as_json:
        render.write_json(report)
        return
    edges = report.pop("edges")
    with watching(quiet=quiet, verbose=False) as observer:
        for said in _advice(report):
            observer.note(said)
        if output is not None:
            observer.note(f"wrote {output}")
    figures = ("relative_l2_network", "relative_l2", "network_relative_l2")
    render.write(f"{_shown(whole)}\n")
    render.write(render.document({name: report[name] for name in figures}))
    if verbose:
        render.write("\n" + render.table(edges, ["layer", "input", "output", "function", "missed_r2"]))


def _shown(whole: str) -> str:
    """Return a formula as a terminal can show it: of a long one the beginning, up to a sign."""
    if len(whole) <= _LONG:
        return whole
    beginning = whole[:_BEGINNING].rpartition(" ")[0]
    return f"{beginning} ...\n({len(whole):,} characters in all: -o FILE writes them, --json prints them)"


def _advice(report: Mapping[str, Any]) -> Iterator[str]:
    """Say where the formula is not what one would want."""
    distance, own = report["relative_l2_network"], report["network_relative_l2"]
    if len(report["formula"]) > _LONG:
        yield (
            f"the formula has {len(report['formula']):,} characters: edges that no simple function follows "
            "keep their polynomials; train fewer nodes, or prune (phases with sparsity and prune)"
        )
    if distance is None or (distance > _FAR and (own is None or distance > 10 * own)):
        said = "not finite" if distance is None else f"{distance:.1e} away from the network"
        yield f"the formula is {said}; a larger --r2 keeps more of the network, fewer nodes make it simpler"


_LONG, _BEGINNING, _FAR = 1000, 400, 1e-3
"""Characters of a formula that nobody reads, and those shown of it; relative L2 distance worth a word."""

"""``pinnkan spectrum``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from pinnkan.cli.terminal import options, render, targets
from pinnkan.cli.terminal.progress import watching
from pinnkan.ground.errors import UsageError

EXAMPLES = options.examples(
    "pinnkan spectrum runs/elliptic/base.h5",
    "pinnkan spectrum runs/elliptic/adapters/lambda=1.full.h5 -o spectra.pdf",
)

Files = Annotated[
    list[Path],
    typer.Argument(metavar="FILE...", help="Bases, adapters, full results of a run.", show_default=False),
]
Picture = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="Picture to write: png, pdf or svg.",
        show_default=False,
    ),
]
COLUMNS = ("layer", "mode", "count", "leading", "rank_90%", "rank_99%", "rank_99.9%")
TRUNCATIONS = ("compression", "ranks", "removed", "eps", "difference", "bound")


def spectrum(
    files: Files,
    output: Picture = None,
    dpi: options.Dpi = 200,
    threads: options.Threads = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Show the singular values of hidden coefficients and updates.

    They are those of the three mode unfoldings (HOSVD) of the hidden layers' coefficients: of the base,
    of the update that an adapter or a full result makes, and of the sum. leading: the largest,
    relative to the first; rank 99%: the least rank that holds 99 % of the energy.

    Theorem 1 bounds the difference of the network's outputs when the change is truncated to the
    ranks of a compression ratio; the difference shown is the largest on 20,000 points. This
    describes a trained network; an adapter trained at a rank does far better than a truncation to it.
    """
    for path in files:
        if path.is_dir():
            raise UsageError(f"{path} is a directory; name files in it: base.h5, adapters/...h5")
        if not path.is_file():
            raise UsageError(f"there is no file {path}")
        if output is not None and targets.resolved(output) == targets.resolved(path):
            raise UsageError(f"-o {output} is one of the files to be read; name another one")
    from pinnkan.workflows.spectrum import spectrum as run

    with watching(quiet=quiet, verbose=verbose) as observer:
        data = run(files, output=output, dpi=dpi, threads=threads)
        if output is not None:
            observer.note(f"wrote {output}")
    if as_json:
        render.write_json(data)
        return
    for number, result in enumerate(data["results"]):
        _write(result, first=number == 0)


def _write(one: Mapping[str, Any], *, first: bool) -> None:
    render.write(f"{'' if first else chr(10)}{one['tensor']} of {one['file']}")
    render.write(render.table([_short(row, "leading") for row in one["spectra"]], COLUMNS))
    known = one["theorem1"]
    render.write(
        "\nTheorem 1: |difference| <= sum_l (M L sqrt(K))^(D-l) B sqrt(I K) eps, "
        f"layers l = 1 ... D, D = {known['layers']}\n"
        "  eps    root of the squared singular values that truncation discards in all three modes:\n"
        "         not less than the norm of what it removes (of several layers, the largest)\n"
        f"  B = {known['B']:.4g}  largest value of a basis function\n"
        f"  L = {known['L']:.4g}  largest slope of a basis function in a hidden layer's input\n"
        f"  M = {known['M']:.4g}  largest Frobenius norm of a layer's coefficients\n"
        f"  largest output on the {known['points']:,} points: {known['largest_output']:.4g}"
    )
    rows = [{**row, "ranks": [_by(ranks) for ranks in row["ranks"]]} for row in known["truncations"]]
    shown = ("removed", "eps", "difference", "bound")
    render.write(render.table([_short(row, *shown) for row in rows], TRUNCATIONS))


def _short(row: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """Return a row with some of its numbers written with three digits."""
    return {**row, **{key: _three_digits(row[key]) for key in keys}}


def _three_digits(value: Any) -> str:
    return ", ".join(map(_three_digits, value)) if isinstance(value, list) else f"{value:.3g}"


def _by(ranks: list[int]) -> str:
    return " x ".join(map(str, ranks))

"""Options and arguments that several commands share, and the small languages some of them speak."""

from __future__ import annotations

import math
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from pinnkan.language.methods import METHODS

LARGEST_SEED = 2**63 - 1
"""What a file can state as an integer."""
_MOST_THREADS = 1024


class Dtype(StrEnum):
    """Precision of the coefficients."""

    float64 = "float64"
    float32 = "float32"


class StartFrom(StrEnum):
    """Where the training of an adapter starts."""

    base = "base"
    nearest = "nearest"


def examples(*commands: str) -> str:
    """Format the examples at the end of a command's help; ``\\b`` keeps the lines as they are."""
    lines = "\n".join(f"  {command}" for command in commands)
    return f"\b\nExamples:\n{lines}"


def finite(value: float | None) -> float | None:
    """Refuse nan and inf, which Python reads as numbers.

    Raises:
        typer.BadParameter: If the value is not finite.
    """
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"expected a finite number, got {value}")
    return value


def one_of_the_methods(name: str | None) -> str | None:
    """Refuse a method that is not in the table.

    Raises:
        typer.BadParameter: If it is another one.
    """
    if name is not None and name not in METHODS:
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(map(repr, METHODS))}.")
    return name


def _method(text: str, *, show_default: bool = True) -> Any:
    """Return the option ``--method``, its words those of the table."""
    return typer.Option(
        "--method",
        callback=one_of_the_methods,
        metavar=f"<{'|'.join(METHODS)}>",
        autocompletion=lambda: list(METHODS),
        help=text,
        show_default=show_default,
    )


def rounded(value: float | None) -> float | None:
    """Round a ratio to the three digits that it is worth in a table."""
    return None if value is None else float(f"{value:.3g}")


def nearest(start: StartFrom | None) -> bool | None:
    """Return whether values start from their neighbours; None where nobody says."""
    return None if start is None else start is StartFrom.nearest


def settings(overrides: list[str] | None, compression: str | None) -> list[str]:
    """Return the ``--set`` texts, that of ``--compression`` last: of two for one key the last one counts."""
    return [*(overrides or []), *([] if compression is None else [f"adapter.compression={compression}"])]


Problem = Annotated[
    str,
    typer.Argument(
        metavar="PROBLEM",
        help="Problem file, or the name of a shipped one ('pinnkan problems').",
        show_default=False,
    ),
]
Directory = Annotated[
    Path,
    typer.Argument(metavar="DIR", help="Run directory, as 'pinnkan pretrain' wrote it.", show_default=False),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override a key of the problem file, such as training.steps=200; repeatable.",
        show_default=False,
    ),
]
Compression = Annotated[
    str | None,
    typer.Option(
        "--compression",
        metavar="RATIO",
        help="Ranks as a share of the layers' sizes, such as 1/8; auto: they grow while that lowers the"
        " held-out residual. Short for --set adapter.compression=RATIO.",
        show_default=False,
    ),
]
Lambdas = Annotated[
    list[str] | None,
    typer.Option(
        "--lambda",
        metavar="VALUES",
        help="Values of the family's only parameter: 0.1; 0.1,0.2; 0:1:11 (start:stop:count, both ends"
        " included); log:1e-3:1:7; @values.txt. Repeatable.",
        show_default=False,
    ),
]
Params = Annotated[
    list[str] | None,
    typer.Option(
        "--param",
        metavar="NAME=VALUES",
        help="Values of a named parameter, such as nu=0.01; repeatable. Unnamed ones keep their base values.",
        show_default=False,
    ),
]
Paired = Annotated[
    bool,
    typer.Option("--zip", help="Pair the lists of several --param, first with first, ...; no product."),
]
Seed = Annotated[
    int | None,
    typer.Option(
        "--seed",
        min=0,
        max=LARGEST_SEED,
        metavar="N",
        help="Seed of points and coefficients; 0 if not given, and what is finished"
        " answers whatever its own is.",
        show_default=False,
    ),
]
Device = Annotated[str, typer.Option("--device", metavar="NAME", help="cpu, cuda, cuda:1 or auto.")]
TrainingDtype = Annotated[
    Dtype | None,
    typer.Option(
        "--dtype",
        help="Precision of the coefficients; float64 if not given, and what is finished answers in its own.",
        show_default=False,
    ),
]
StoredDtype = Annotated[
    Dtype | None,
    typer.Option(
        "--dtype",
        help="Precision; that of the base if not given, and what is finished answers in its own.",
        show_default=False,
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads",
        min=1,
        max=_MOST_THREADS,
        metavar="N",
        help="CPU threads; as many as torch takes if not given.",
        show_default=False,
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Train again, over what is there.")]
TimeLimit = Annotated[
    float | None,
    typer.Option(
        "--time-limit",
        min=0.0,
        callback=finite,
        metavar="SECONDS",
        help="Stop each training after so many seconds.",
        show_default=False,
    ),
]
Tolerance = Annotated[
    float | None,
    typer.Option(
        "--tolerance",
        min=0.0,
        callback=finite,
        metavar="X",
        help="Relative error to reach, by its estimate; as the file says (training.tolerance,"
        " finetuning.tolerance) if not given, and without either training goes on until more does not pay.",
        show_default=False,
    ),
]
Start = Annotated[
    StartFrom | None,
    typer.Option(
        "--start",
        help="Where a value starts from. base: the base, as if not given. nearest: the adapter of its"
        " neighbour on the way to the base, among the values of this command; it is waited for.",
        show_default=False,
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        min=1,
        max=_MOST_THREADS,
        metavar="N",
        help="Train N values at a time, in worker processes that share the cores.",
        show_default=False,
    ),
]
Dask = Annotated[
    str | None,
    typer.Option(
        "--dask",
        metavar="ADDRESS",
        help="Hand the values to a Dask scheduler, tcp://host:8786 or its file; needs pinnkan[dask].",
        show_default=False,
    ),
]
PrintSlurm = Annotated[
    bool,
    typer.Option("--print-slurm", help="Train nothing: print a SLURM array script that does, for sbatch."),
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No progress, no notes; results and errors only.")]
QuietAlready = Annotated[bool, typer.Option("-q", "--quiet", help="Results and errors only, as always here.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="More on stderr: a line for every step.")]
VerboseEdges = Annotated[bool, typer.Option("-v", "--verbose", help="What every edge became as well.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]
TrainingMethod = Annotated[
    str, _method("; ".join(f"{method.name}: {method.summary}" for method in METHODS.values()) + ".")
]
StoredMethod = Annotated[str, _method("Which result of the value.")]
AnyMethod = Annotated[str | None, _method("Only adapters that came about so.", show_default=False)]
Tag = Annotated[
    str | None,
    typer.Option(
        "--tag",
        metavar="NAME",
        help="Tag of the result's file: lambda=0.1.NAME.h5.",
        show_default=False,
    ),
]
Time = Annotated[
    float | None,
    typer.Option("--time", callback=finite, metavar="T", help="Time to look at.", show_default=False),
]
Output = Annotated[
    Path,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="File to write; its ending names the format.",
        show_default=False,
    ),
]
Dpi = Annotated[int, typer.Option("--dpi", min=10, max=2400, metavar="N", help="Dots per inch of a PNG.")]

"""``pinnkan compare``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pinnkan.cli.terminal import options, render
from pinnkan.cli.terminal.progress import watching, watching_training
from pinnkan.ground.errors import UsageError, quote
from pinnkan.optim.kinds import OPTIMIZERS

if TYPE_CHECKING:
    from pinnkan.studies.study import Study
    from pinnkan.studies.tables import Table

SOME_FAILED = 1

EXAMPLES = options.examples(
    "pinnkan compare elliptic --lambda 0.1,1 --axis basis=chebyshev,fourier --axis method=1/8,full",
    "pinnkan compare study.yaml --quick -o runs/study --plot study.png",
)

Subject = Annotated[
    str,
    typer.Argument(
        metavar="STUDY",
        help="Study file (YAML, first key study:), or a problem, compared as the options say.",
        show_default=False,
    ),
]
AxisOption = Annotated[
    list[str] | None,
    typer.Option(
        "--axis",
        metavar="NAME=LEVELS",
        help="An axis of a problem's comparison: basis=chebyshev,fourier; compression=1/2,1/8;"
        " method=1/8,1/4,full,scratch; optimizer="
        f"{','.join(OPTIMIZERS)}; rates=LR-1,LR-2;"
        " initialisation=batch,paper,orthonormal;"
        " kind=kan,slim,mlp; or any key: finetuning.steps=10,20. Repeatable.",
        show_default=False,
    ),
]
Seeds = Annotated[
    str | None,
    typer.Option(
        "--seeds", metavar="LIST", help="Seeds, such as 0,1,2; those of the file, or 0.", show_default=False
    ),
]
Quick = Annotated[bool, typer.Option("--quick", help="The part that the study calls quick.")]
Folder = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="DIR",
        help="Where trainings go; runs/compare/NAME if not given.",
        show_default=False,
    ),
]
RowsFile = Annotated[
    Path | None,
    typer.Option(
        "--table",
        metavar="FILE.csv",
        help="The rows; DIR/cells.csv if not given. FILE.curves.json beside it holds the losses over steps.",
        show_default=False,
    ),
]
Picture = Annotated[
    Path | None,
    typer.Option(
        "--plot",
        metavar="FILE",
        help="Loss over steps and seconds: PNG, PDF, SVG; a study's figures each to FILE-NAME.",
        show_default=False,
    ),
]
Report = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE.md",
        help="Write the tables into a Markdown file, in place of this study's last ones.",
        show_default=False,
    ),
]
TimeLimit = Annotated[
    float | None,
    typer.Option(
        "--time-limit",
        min=0.0,
        callback=options.finite,
        metavar="SECONDS",
        help="Begin no cell after so many seconds; the same command goes on.",
        show_default=False,
    ),
]


def compare(
    subject: Subject,
    lambdas: options.Lambdas = None,
    params: options.Params = None,
    axes: AxisOption = None,
    seeds: Seeds = None,
    overrides: options.Overrides = None,
    quick: Quick = False,
    output: Folder = None,
    table: RowsFile = None,
    picture: Picture = None,
    report: Report = None,
    jobs: options.Jobs = None,
    device: options.Device = "cpu",
    threads: options.Threads = None,
    time_limit: TimeLimit = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Compare trainings over bases, ranks, methods and optimizers.

    Every combination of the levels of some axes, at every value and seed, is a cell. Its row in a
    CSV file holds the errors of base and value, as 'evaluate' defines them; what has a result there,
    if only that it diverged, is never run again. Tables show medians over seeds, and their range. If
    cells fail, the others go on and the exit code is 1.
    """
    from pinnkan.studies.compare import compare as run
    from pinnkan.studies.tables import tables_of

    study, name = _study(subject, lambdas, params, axes, seeds, overrides, quick=quick)
    folder = output or Path("runs") / "compare" / name
    rows_file = table or folder / "cells.csv"
    if picture is not None:
        from pinnkan.output.pictures.canvas import PICTURES
        from pinnkan.output.suffixes import require_suffix

        require_suffix(picture, PICTURES)
    if report is not None:
        from pinnkan.studies.report import around, write_report

        if report.suffix.lower() != ".md":
            raise UsageError(f"--report {report}: expected a Markdown file (.md)")
        section = _section(name, axes, overrides)
        around(report, section)
    with watching_training(quiet=quiet, verbose=verbose, threads=threads, jobs=jobs) as observer:
        rows = run(
            study,
            directory=folder,
            table=rows_file,
            jobs=jobs,
            threads=threads,
            device=device,
            time_limit=time_limit,
            observer=observer,
        )
        tables = tables_of(study, rows)
        if report is not None:
            write_report(report, section, study, rows)
            observer.note(f"wrote {report}")
    _print(study, rows_file, tables, rows, as_json=as_json)
    if picture is not None:
        from pinnkan.studies.figures import draw_figures

        with watching(quiet=quiet, verbose=verbose) as observer:
            for file in draw_figures(study, rows, rows_file, picture):
                observer.note(f"wrote {file}")
    if any(row["status"] != "done" for row in rows):
        raise typer.Exit(SOME_FAILED)


def _section(name: str, axes: Sequence[str] | None, overrides: Sequence[str] | None) -> str:
    """Return what a report's section is found by: one problem is compared by many axes and settings."""
    by = ", ".join(text.partition("=")[0].strip() for text in axes or ())
    settings = ", ".join(overrides or ())
    return (name + (f" by {by}" if by else "") + (f" with {settings}" if settings else "")).replace(
        "-->", "->"
    )


def _print(
    study: Study, rows_file: Path, tables: Sequence[Table], rows: Sequence[Any], *, as_json: bool
) -> None:
    if as_json:
        from pinnkan.studies.compare import planned

        found = [
            {"title": one.title, "header": one.header, "rows": one.body, "notes": one.notes} for one in tables
        ]
        counts = {"planned": len(planned(study)), "cells": rows}
        render.write_json({"study": study.title, "table": str(rows_file), "tables": found, **counts})
    else:
        render.write("\n\n".join(_laid(one) for one in tables))


def _study(
    subject: str,
    lambdas: Sequence[str] | None,
    params: Sequence[str] | None,
    axes: Sequence[str] | None,
    seeds: str | None,
    overrides: Sequence[str] | None,
    *,
    quick: bool,
) -> tuple[Study, str]:
    """Return the study of a file, or the one that the options say, and its name.

    Raises:
        UsageError: If options contradict a study's file, or there are no values.
    """
    from dataclasses import replace

    from pinnkan.language.problem.finding import find_problem
    from pinnkan.studies.study_file import is_study, read_study
    from pinnkan.studies.study_options import study_of_options

    path = find_problem(subject)
    numbers = _seeds(seeds)
    if not is_study(path):
        study = study_of_options(subject, path, lambdas or (), params or (), axes or (), overrides or ())
        return replace(study, seeds=numbers or (0,)), path.stem
    if lambdas or params or axes:
        raise UsageError(f"{path} is a study: its values and axes stand in the file")
    study = read_study(path)
    study = study.quickened() if quick else study
    study = replace(study, overrides=(*study.overrides, *(overrides or ())), seeds=numbers or study.seeds)
    return study, path.stem


def _seeds(text: str | None) -> tuple[int, ...]:
    if text is None:
        return ()
    words = [word.strip() for word in text.split(",")]
    if not all(re.fullmatch(r"[0-9]{1,18}", word) for word in words):
        raise UsageError(f"--seeds {quote(text)}: expected whole numbers of at most 18 digits, such as 0,1,2")
    return tuple(map(int, words))


def _laid(table: Table) -> str:
    rows: list[dict[str, Any]] = [dict(zip(table.header, line, strict=True)) for line in table.body]
    return "\n\n".join([table.title, render.table(rows, table.header), *table.notes])

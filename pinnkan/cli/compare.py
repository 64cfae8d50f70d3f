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
from pinnkan.ground.machine import Compute
from pinnkan.optim.kinds import OPTIMIZERS

if TYPE_CHECKING:
    from pinnkan.studies.rows import Row
    from pinnkan.studies.study import Study
    from pinnkan.studies.study_options import StatedStudy
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
        " kind=kan,slim,mlp,random; or any key: finetuning.steps=10,20. Repeatable.",
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
    from pinnkan.studies.compare import CompareOptions
    from pinnkan.studies.compare import compare as run
    from pinnkan.studies.study_options import StatedStudy
    from pinnkan.studies.tables import tables_of

    stated = StatedStudy(lambdas or (), params or (), axes or (), overrides or ())
    study, name = _study(subject, stated, seeds, quick=quick)
    folder = output or Path("runs") / "compare" / name
    rows_file = table or folder / "cells.csv"
    section = _section(name, stated)
    _require_writable(picture, report, section)
    chosen = CompareOptions(
        directory=folder,
        table=rows_file,
        jobs=jobs,
        compute=Compute(device, threads=threads),
        time_limit=time_limit,
    )
    with watching_training(quiet=quiet, verbose=verbose, threads=threads, jobs=jobs) as observer:
        rows = run(study, chosen, observer)
        tables = tables_of(study, rows)
        if report is not None:
            _write_report(report, section, study, rows)
            observer.note(f"wrote {report}")
    _print(study, rows_file, tables, rows, as_json=as_json)
    if picture is not None:
        with watching(quiet=quiet, verbose=verbose) as observer:
            for file in _drawn(study, rows, rows_file, picture):
                observer.note(f"wrote {file}")
    if any(row["status"] != "done" for row in rows):
        raise typer.Exit(SOME_FAILED)


def _require_writable(picture: Path | None, report: Path | None, section: str) -> None:
    """Refuse what cannot be written before anything is trained for it.

    Raises:
        UsageError: If a suffix is unknown, or the report is no text.
        FileAccessError: If the report cannot be read or written.
    """
    if picture is not None:
        from pinnkan.output.pictures.formats import PICTURES
        from pinnkan.output.suffixes import require_suffix

        require_suffix(picture, PICTURES)
    if report is not None:
        from pinnkan.studies.report import around

        if report.suffix.lower() != ".md":
            raise UsageError(f"--report {report}: expected a Markdown file (.md)")
        around(report, section)


def _write_report(report: Path, section: str, study: Study, rows: Sequence[Row]) -> None:
    from pinnkan.studies.report import write_report

    write_report(report, section, study, rows)


def _drawn(study: Study, rows: Sequence[Row], rows_file: Path, picture: Path) -> list[Path]:
    from pinnkan.studies.figures import draw_figures

    return draw_figures(study, rows, rows_file, picture)


def _section(name: str, stated: StatedStudy) -> str:
    """Return what a report's section is found by: one problem is compared by many axes and settings."""
    by = ", ".join(text.partition("=")[0].strip() for text in stated.axes)
    settings = ", ".join(stated.overrides)
    return (name + (f" by {by}" if by else "") + (f" with {settings}" if settings else "")).replace(
        "-->", "->"
    )


def _print(
    study: Study, rows_file: Path, tables: Sequence[Table], rows: Sequence[Any], *, as_json: bool
) -> None:
    if as_json:
        from pinnkan.studies.planning import planned

        written = [
            {"title": table.title, "header": table.header, "rows": table.body, "notes": table.notes}
            for table in tables
        ]
        counts = {"planned": len(planned(study)), "cells": rows}
        render.write_json({"study": study.title, "table": str(rows_file), "tables": written, **counts})
    else:
        render.write("\n\n".join(_laid(table) for table in tables))


def _study(subject: str, stated: StatedStudy, seeds: str | None, *, quick: bool) -> tuple[Study, str]:
    """Return the study of a file, or the one that the options say, and its name.

    Raises:
        UsageError: If options contradict a study's file, or there are no values.
    """
    from pinnkan.language.problem.finding import find_problem
    from pinnkan.studies.study_file import is_study, read_study

    path = find_problem(subject)
    numbers = _seeds(seeds)
    if not is_study(path):
        from pinnkan.language.problem.loading import load_problem
        from pinnkan.studies.study_options import study_of_options

        study = study_of_options(subject, load_problem(path), stated)
        return study.with_settings(numbers, ()), path.stem
    if stated.lambdas or stated.params or stated.axes:
        raise UsageError(f"{path} is a study: its values and axes stand in the file")
    study = read_study(path)
    study = study.quickened() if quick else study
    return study.with_settings(numbers, stated.overrides), path.stem


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

"""``pinnkan check``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from pinnkan.cli.terminal import options, render, targets
from pinnkan.cli.terminal.progress import note, watching
from pinnkan.ground.errors import ProblemError, ToleranceMissedError
from pinnkan.ground.machine import Compute

EXAMPLES = options.examples(
    "pinnkan check heat.yaml",
    "pinnkan check elliptic --set points.rule=sobol --plot points.png",
    "pinnkan check elliptic --lambda 0.25,0.75",
    "pinnkan check elliptic --json",
)

LONGEST_SOURCE = 200
"""A manufactured source can fill a page; that page belongs to whoever asks for it."""

PointsPlot = Annotated[
    Path | None,
    typer.Option(
        "--plot", metavar="FILE", help="Draw the collocation points (PNG, PDF, SVG).", show_default=False
    ),
]


def check(
    problem: options.Problem,
    overrides: options.Overrides = None,
    lambdas: options.Lambdas = None,
    params: options.Params = None,
    paired: options.Paired = False,
    plot: PointsPlot = None,
    seed: options.Seed = None,
    device: options.Device = "cpu",
    dtype: options.TrainingDtype = None,
    threads: options.Threads = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Show how a problem file is understood; test it.

    Prints every equation and condition as '<residual> = 0' with operators and definitions expanded,
    counts points and trainable parameters, and tests that the exact solution (where there is one)
    satisfies them, that initial and boundary data meet and that the problem is well posed. Trains
    nothing; takes the options of pretrain, so that a line can be tried first. At parameter values that are
    given it is tested, too, with the points that adapters are trained on. Exits with 5 if the file
    contradicts itself, with 2 if the problem has no solution that depends on its data with continuity.
    """
    stated = targets.load(problem, overrides)
    from pinnkan.language.parameters import family_points
    from pinnkan.physics.family import Family
    from pinnkan.workflows.check import check as run

    with watching(quiet=quiet, verbose=verbose) as observer:
        further = []
        if lambdas or params:
            further = family_points(
                stated.parameters,
                only=lambdas or (),
                named=params or (),
                paired=paired,
                remark=observer.note,
            )
        report = run(
            Family(stated),
            further=further,
            seed=seed or 0,
            compute=Compute(device, dtype and dtype.value, threads),
            plot=plot,
        )
    if as_json:
        render.write_json(report)
    else:
        _write(report, whole=verbose)
    _end(report["findings"], quiet=quiet)


def _end(findings: Sequence[Mapping[str, Any]], *, quiet: bool) -> None:
    """Say what was found, the gravest last.

    Raises:
        ProblemError: If the problem is none.
        ToleranceMissedError: If the file contradicts itself.
    """
    by_severity: dict[str, list[str]] = {"refusal": [], "error": [], "warning": []}
    for finding in findings:
        place = f"{finding['place']}: error: " if finding["place"] else ""
        by_severity[finding["severity"]].append(f"{place}{finding['message']}")
    for message in by_severity["warning"]:
        note(f"warning: {message}", quiet=quiet)
    errors = "\nerror: ".join(by_severity["error"])
    if by_severity["refusal"]:
        if errors:
            note(f"error: {errors}", quiet=False)
        raise ProblemError(by_severity["refusal"])
    if errors:
        raise ToleranceMissedError(errors)


def _write(report: Mapping[str, Any], *, whole: bool) -> None:
    """Print the equations as lines of mathematics, the rest as a document."""
    apart = ("equations", "conditions", "constraints", "boundary", "findings")
    rest = {key: value for key, value in report.items() if key not in apart}
    if not whole and "source" in rest:
        rest["source"] = _shortened(rest["source"])
    statements = [*report["equations"], *report["conditions"], *report["constraints"]]
    lines = [line for statement in statements for line in _lines_of(statement)]
    if report["boundary"]:
        lines += ["", _boundary_table(report["boundary"])]
    render.write("\n".join([*lines, "", render.document(rest)]))


def _boundary_table(boundary: Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]]) -> str:
    """Lay out what holds on every part of the boundary, unknown by unknown; ``-`` where nothing does."""
    unknowns = list(next(iter(boundary.values())))
    rows = [
        {"boundary": part}
        | {name: ", ".join(map(_holding, own[name])) or render.UNKNOWN for name in unknowns}
        for part, own in boundary.items()
    ]
    return render.table(rows, ["boundary", *unknowns])


def _holding(holding: Mapping[str, Any]) -> str:
    """Name a condition, and say how it is treated and whether it holds on a portion of the part."""
    portion = " on part of it" if holding["where"] else ""
    return f"{holding['condition']} {'hard' if holding['hard'] else 'soft'}{portion}"


def _shortened(source: str | Mapping[str, str] | None) -> Any:
    """Say how long a formula is in place of one that fills a page."""
    if isinstance(source, Mapping):
        return {name: _shortened(text) for name, text in source.items()}
    if source is None or len(source) <= LONGEST_SOURCE:
        return source
    return f"{len(source)} characters; -v or --json writes it out"


def _lines_of(statement: Mapping[str, Any]) -> Iterator[str]:
    """Give an equation or condition and, below it, how it is treated.

    A manufactured source is shown by its name; the residual with it written out is in JSON.
    """
    yield f"{statement['name']}: {statement.get('shown') or statement['residual']} = 0"
    remarks = [f"on {', '.join(statement['where'])}"] if statement.get("where") else []
    if statement.get("hard") is not None:
        remarks.append(
            "built into the ansatz" if statement["hard"] else f"soft, weight {statement['weight']:g}"
        )
    if statement.get("size") is not None:
        remarks.append(f"terms of size {statement['size']:.2g}")
    if statement.get("exact_residual") is not None:
        remarks.append(f"the exact solution leaves {statement['exact_residual']:.1e}")
    if statement.get("note"):
        remarks.append(statement["note"])
    if remarks:
        yield f"    {'; '.join(remarks)}"

"""``pinnkan solve``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pinnkan.cli.export import Grid, Points
from pinnkan.cli.terminal import options, render, targets, verdicts
from pinnkan.cli.terminal.progress import watching
from pinnkan.ground.errors import ToleranceMissedError, UsageError
from pinnkan.storage.runs.paths import FAMILY

if TYPE_CHECKING:
    from pinnkan.workflows.answers import Answers

_SHOWN = 40

EXAMPLES = options.examples(
    "pinnkan solve runs/elliptic --lambda 0.37",
    "pinnkan solve runs/elliptic --lambda 0.37 --grid 101x101 -o u.csv",
    "pinnkan solve runs/elliptic --lambda @values.txt --points points.csv -o u.npz",
    "pinnkan solve runs/burgers --param nu=log:0.01:0.1:1000 -o coefficients.npz",
)

Target = Annotated[
    Path,
    typer.Argument(metavar="DIR", help="Run directory with family.h5, or that file.", show_default=False),
]
Written = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="File to write: csv, npz, vtu or h5 for one value at points; npz otherwise.",
        show_default=False,
    ),
]
Check = Annotated[
    bool, typer.Option("--check", help="Measure errors and effectivity against the exact solution, too.")
]


def solve(
    target: Target,
    lambdas: options.Lambdas = None,
    params: options.Params = None,
    paired: options.Paired = False,
    points: Points = None,
    grid: Grid = None,
    time: options.Time = None,
    output: Written = None,
    check: Check = False,
    threads: options.Threads = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Answer any parameter values from a reduced basis.

    Reads DIR/family.h5 and nothing else. Thousands of values are answered at once: --lambda
    @values.txt. With points, one value makes a file like that of 'pinnkan export', several an npz
    with the parameters, estimate, coordinates and every unknown (values x points).

    estimate is that of the relative L2 error, of several unknowns of the largest (see 'pinnkan family
    --help'): no bound. A value outside the trained range (inside: no), or whose estimate exceeds the
    tolerance, is answered all the same and named, and the exit code is 5. relative_residual and verdict
    are defined in 'pinnkan evaluate --help'; of more than 300 values residuals are measured where the
    estimates are largest, and the other verdicts follow from their estimates (measured, in --json, says
    of how many). If the one value asked for is unsolved, the exit code is 4; if some of several are, 1.

    --check adds relative_l2, the error against the exact formula, of several unknowns the largest
    (fields, in --json, has each; centred: without the means, where nothing fixes an unknown but up to
    a constant), and effectivity, estimate over error. At its own value the base answers, unless the basis
    has an adapter of that value. method (--json) says which does; coefficients are those of the
    orthonormal basis in family.h5, null where the base answers.
    """
    path = _file(target)
    _check_options(path, points, grid, time, output)
    if not lambdas and not params:
        raise UsageError("which parameter values? Give --lambda VALUES or --param NAME=VALUES")
    from pinnkan.ground.runtime import limited_threads
    from pinnkan.language.parameters import family_points
    from pinnkan.workflows.answers_file import write_answers
    from pinnkan.workflows.requests import Places
    from pinnkan.workflows.solve import ReducedBasis

    with watching(quiet=quiet, verbose=verbose) as observer, limited_threads(threads):
        basis = ReducedBasis.load(path)
        values = family_points(
            basis.problem.parameters,
            only=lambdas or (),
            named=params or (),
            paired=paired,
            remark=observer.note,
        )
        answers = basis.solve_all(values)
        if output is not None:
            write_answers(answers, output, Places(grid, points, time))
            observer.note(f"wrote {output}")
        rows = _print(answers, check=check, as_json=as_json)
    verdicts.conclude(rows, said=not as_json)
    complaint = answers.complaint(str(path.parent))
    if complaint is not None:
        raise ToleranceMissedError(complaint)


def _file(target: Path) -> Path:
    """Return the family file that the argument names.

    Raises:
        UsageError: If there is none.
    """
    if target.is_file():
        return target
    if (target / FAMILY).is_file():
        return target / FAMILY
    if (targets.RUNS / target / FAMILY).is_file():
        raise UsageError(f"{target} has no {FAMILY}; did you mean '{targets.RUNS / target}'?")
    raise UsageError(f"{target} has no {FAMILY}; 'pinnkan family {target} --lambda LOW:HIGH' makes one")


def _check_options(
    path: Path, points: Path | None, grid: str | None, time: float | None, output: Path | None
) -> None:
    """Refuse options that contradict each other.

    Raises:
        UsageError: Naming them.
    """
    if points is not None and grid is not None:
        raise UsageError("at which points? Give either --grid COUNTS or --points FILE")
    if time is not None and grid is None:
        raise UsageError("--time goes with --grid; the points of a file carry their own times")
    if (points is not None or grid is not None) and output is None:
        raise UsageError("values at points go into a file: give -o FILE")
    if output is not None:
        targets.spare_the_store(output, path.parent, path)


def _print(answers: Answers, *, check: bool, as_json: bool) -> list[dict[str, Any]]:
    """Print a row a value, and return the rows."""
    from pinnkan.workflows.answer_verdicts import answer_verdicts
    from pinnkan.workflows.answers import summary

    rows = summary(answers, answers.errors() if check else None)
    judged = answer_verdicts(answers)
    rows = [row | verdict for row, verdict in zip(rows, judged.rows, strict=True)]
    if as_json:
        stored = answers.stored
        render.write_json(
            {
                "problem": stored.problem.name,
                "ranges": {span.name: [span.low, span.high] for span in stored.ranges},
                "tolerance": stored.tolerance,
                "seconds": answers.seconds,
                "measured": judged.measured,
                "results": rows,
            }
        )
        return rows
    first = verdicts.shown(rows[:_SHOWN])
    shown = [{**row, "effectivity": options.rounded(row.get("effectivity"))} for row in first]
    measured = ["relative_l2", "effectivity"] if check else []
    columns = ["parameters", "estimate", "inside", "relative_residual", "verdict", *measured]
    render.write(render.table(shown, columns) + verdicts.remarks(rows[:_SHOWN]))
    if len(rows) > _SHOWN:
        worst = max(row["estimate"] or float("inf") for row in rows)
        render.write(f"... and {len(rows) - _SHOWN} more (--json or -o FILE.npz has all); worst {worst:.2e}")
    if judged.remark:
        render.write(judged.remark)
    return rows

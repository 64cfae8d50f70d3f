"""Is the estimate of the error the error? Effectivity, estimate over error, on problems with known answers.

Every problem is trained twice, with few steps and with more, by small networks on few points: so that errors
run from nothing known to nearly solved. Half of the problems may be used to choose how errors are estimated
(`CHOSEN`), the others never are (`HELD_BACK`). Errors and estimates are kept in ``effectivity.json`` beside
this file.

    python tests/benchmarks/effectivity.py                      # sums up the rows that are kept
    python tests/benchmarks/effectivity.py --train --runs DIR   # trains what has no run in DIR
    python tests/benchmarks/effectivity.py --runs DIR           # estimates the errors of the runs there again
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import default_recipe
import tolerance_problems
from verdict_problems import CASES_TABLE
from verdict_references import Table
from verdict_tried import TRIED_TABLE

from pinnkan.language.problem import load_problem, shipped_problems
from pinnkan.physics.family import Family

ROWS = Path(__file__).resolve().parent / "effectivity.json"
STEPS = (4, 30)
SMALL = ("network.hidden=[6, 6]", "points.interior=500", "points.held_out=300")
POINTS, POINT_SEED = 4000, 7
BAD, BLIND = 0.1, 0.01
"""An error above the one that is estimated below the other is the worst that an estimate can do."""

CHOSEN = (
    "verdict poisson,rational,robin,reaction_robin,jump_source,kink_source,rough_disk,tent_start,step_start,"
    "switched_wall,burgers,wave,advection,heat_two_modes,plane_wave_12,layer_wide,gauss,pendulum,klein_gordon,"
    "cubic_piecewise,diffusion_hour,interior_front,burgers_sharp,layer,peak_missed,growth,lid,radiating_fin",
    "shipped kovasznay,beam,transport_periodic",
)
HELD_BACK = (
    "tried jump_source_heat,jump_source_plane,jump_source_small,jump_reaction,hat_start,cooling,heated,drift,"
    "wave_one,levels,advected_step,burgers_thin,plane_wave_40,side_lid,fin_square",
    "recipe fisher_front,disk_gelfand,heat_modes,square_convection,cube_poisson,disk_heat,reaction_layers",
    "shipped elasticity,maxwell,schroedinger,kdv,plate",
    "tolerance burgers_001,layer",
)


@dataclass(frozen=True)
class Row:
    """The error of one unknown and its estimate, which may be missing.

    Attributes:
        problem: From which table, and its name.
        is_chosen: Whether it may be used to choose how errors are estimated.
        steps: Of the training.
        unknown: Its name.
        error: Relative L2.
        estimate: Of that error.
    """

    problem: str
    is_chosen: bool
    steps: int
    unknown: str
    error: float
    estimate: float | None


def names(groups: Sequence[str]) -> list[str]:
    """Return ``table name`` for every name of a table."""
    return [f"{table} {name}" for table, listed in map(str.split, groups) for name in listed.split(",")]


def stated(name: str) -> tuple[Any, Any]:
    """Return a problem's text or file, and its right answer; None where its file says that."""
    table, short = name.split()
    if table == "shipped":
        return shipped_problems()[short], None
    if table == "recipe":
        case = default_recipe.TABLE[short]
        return case.text, case.judge
    if table == "tolerance":
        asked = tolerance_problems.CASES[short]
        return asked.file, asked.answer
    judged = {"verdict": CASES_TABLE, "tried": TRIED_TABLE}[table][short]
    return judged.text, judged.truth


def train(name: str, steps: int, directory: Path) -> None:
    """Train a problem with so many steps, unless that is done."""
    from pinnkan.ground.machine import Compute
    from pinnkan.ground.progress import Silent
    from pinnkan.sweeps.options import TrainingOptions
    from pinnkan.workflows.pretrain import pretrain

    problem = load_problem(stated(name)[0], overrides=(*SMALL, f"training.steps={steps}"))
    options = TrainingOptions(seed=0, compute=Compute(dtype="float64", threads=1))
    pretrain(Family(problem), directory, options, Silent())


def measured(name: str, steps: int, directory: Path) -> list[Row]:
    """Return errors and estimates of a run, a row for every unknown that is not zero."""
    from pinnkan.solutions.evaluation.correction import correction_of
    from pinnkan.storage.runs.directory import read_base

    solution = read_base(directory / "base.h5").solution()
    correction = correction_of(solution)
    estimates = None if correction is None else correction.error_estimates
    unknowns = solution.instance.problem.unknowns
    by_name = dict(zip(unknowns, estimates or [None] * len(unknowns), strict=True))
    return [
        Row(name, name in names(CHOSEN), steps, unknown, error, by_name[unknown])
        for unknown, error in errors_of(solution, stated(name)[1]).items()
        if error is not None
    ]


def errors_of(solution: Any, truth: Any) -> dict[str, float | None]:
    """Return the relative L2 error of every unknown, None of one that is zero."""
    from pinnkan.solutions.evaluation.measures import errors_at
    from pinnkan.solutions.evaluation.norms import measure_errors

    instance = solution.instance
    if isinstance(truth, Table):
        points, right = truth.points, truth.values
    else:
        points = instance.domain.uniform(POINTS, POINT_SEED)
        right = None if truth is None else truth(points)
    first = instance.problem.unknowns[0]
    if right is not None:
        return {first: measure_errors(np.asarray(solution(points)[0]), right).relative_l2}
    errors = errors_at(solution, instance.known(points))
    fields = errors.get("fields", {first: errors})
    return {unknown: field["relative_l2"] for unknown, field in fields.items()}


def effectivity(pairs: Sequence[tuple[float | None, float]]) -> str:
    """Say of estimates and errors how many there are, their ratio's median and its share within 0.2 to 10."""
    ratios = [estimate / error for estimate, error in pairs if estimate is not None]
    if not ratios:
        return f"estimates: 0 of {len(pairs)}"
    within = sum(0.2 <= ratio <= 10.0 for ratio in ratios) / len(ratios)
    blind = sum(error > BAD and estimate is not None and estimate < BLIND for estimate, error in pairs)
    return (
        f"estimates: {len(ratios)} of {len(pairs)}; over the error {statistics.median(ratios):.2f} in the "
        f"median, {within:.0%} within 0.2 to 10; errors above {BAD:g} estimated below {BLIND:g}: {blind}"
    )


def report(rows: Sequence[Row]) -> str:
    """Return a line for every row of both halves, by the ratio, and what they come to."""
    lines = []
    for title, is_chosen in (("used to choose", True), ("held back", False)):
        half = [row for row in rows if row.is_chosen == is_chosen]
        problems = len({row.problem for row in half})
        lines += ["", f"{title}: {problems} problems", ""]
        for row in sorted(half, key=lambda row: (row.estimate or 0.0) / row.error):
            estimate = (
                "none" if row.estimate is None else f"{row.estimate:.1e} {row.estimate / row.error:8.2f}"
            )
            lines.append(f"{row.problem:28} {row.unknown:6} {row.steps:3} steps {row.error:8.1e} {estimate}")
        lines += ["", effectivity([(row.estimate, row.error) for row in half])]
    return "\n".join(lines[1:])


def rows_of(folder: Path, *, is_training: bool) -> Iterator[Row]:
    """Yield the rows of the runs in a folder, those that are missing trained if asked to."""
    for name in (*names(CHOSEN), *names(HELD_BACK)):
        for steps in STEPS:
            directory = folder / f"{name.replace(' ', '_')}_{steps}"
            if is_training:
                train(name, steps, directory)
            if (directory / "base.h5").is_file():
                yield from measured(name, steps, directory)


def read_rows() -> list[Row]:
    """Return the rows that are kept."""
    return [Row(**row) for row in json.loads(ROWS.read_text(encoding="utf-8"))]


def main() -> None:
    """Train or estimate again if asked to, and sum up."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--train", action="store_true", help="train what has no run in --runs")
    parser.add_argument("--runs", type=Path, help="folder of the runs")
    options = parser.parse_args()
    if options.train and options.runs is None:
        parser.error("--train: needs --runs, the folder that keeps the trained files")
    if options.runs is None:
        rows = read_rows()
    else:
        rows = list(rows_of(options.runs, is_training=options.train))
        text = ",\n ".join(json.dumps(asdict(row)) for row in rows)
        ROWS.write_text(f"[\n {text}\n]\n", encoding="utf-8")
    print(report(rows))


if __name__ == "__main__":
    main()

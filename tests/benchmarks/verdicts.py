"""Are verdicts right? Trains the problems of `verdict_problems`, measures them, and counts hits and misses.

The rows (errors and the evidence that a verdict is made from) are kept in ``verdicts.json`` beside this
file, so that limits are judged again without training. The limits were settled on the problems of
`verdict_problems`, and tried on those of `verdict_tried`, which were written down before and trained after.

    python tests/benchmarks/verdicts.py            # judges the rows that are there
    python tests/benchmarks/verdicts.py --train    # trains what has no row of its present text and settings
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pinnkan.physics.family import Family

ROWS = Path(__file__).resolve().parent / "verdicts.json"
GOOD, BAD = 1e-3, 1e-1
"""Relative L2 errors below and above which a verdict is right or wrong; between them none is."""
_POINTS, _POINT_SEED = 4000, 7

Row = Mapping[str, Any]


def read_rows() -> dict[str, dict[str, Any]]:
    """Return the kept rows by the problem's name."""
    return dict(json.loads(ROWS.read_text(encoding="utf-8"))) if ROWS.is_file() else {}


def cases() -> dict[str, Any]:
    """Return all problems by their names."""
    from verdict_problems import CASES_TABLE
    from verdict_tried import TRIED_TABLE

    return {**CASES_TABLE, **TRIED_TABLE}


def groups(rows: Mapping[str, Row]) -> dict[str, list[str]]:
    """Return the problems with a row on which the limits were chosen, and those on which they were tried."""
    from verdict_problems import CASES_TABLE
    from verdict_tried import TRIED_TABLE

    tables = {"chosen on": CASES_TABLE, "tried on": TRIED_TABLE}
    return {group: sorted(set(table) & set(rows)) for group, table in tables.items()}


def judged(row: Row) -> Any:
    """Return the verdict on a row by the present rule."""
    from flat_evidence import evidence_of_row

    from pinnkan.solutions.evaluation.verdict import judge

    return judge(evidence_of_row(row["evidence"]))


def confusion(rows: Sequence[Row]) -> dict[str, int]:
    """Count verdicts of good, middling and bad answers: ``{"good solved": 12, "bad unsolved": 20, ...}``."""
    counts = {
        f"{kind} {word}": 0
        for kind in ("good", "middling", "bad")
        for word in ("solved", "doubtful", "unsolved")
    }
    for row in rows:
        counts[f"{kind_of(row)} {judged(row).word}"] += 1
    return counts


def kind_of(row: Row) -> str:
    """Return ``good``, ``middling`` or ``bad``."""
    error = row["error"]
    return "good" if error < GOOD else "bad" if error > BAD else "middling"


def measured(case: Any, directory: Path) -> dict[str, Any]:
    """Train a case and return its row."""
    from pinnkan.ground.machine import Compute
    from pinnkan.ground.progress import Silent
    from pinnkan.language.problem import load_problem
    from pinnkan.solutions.evaluation.norms import measure_errors
    from pinnkan.storage.runs.directory import read_base
    from pinnkan.sweeps.options import TrainingOptions
    from pinnkan.workflows.pretrain import pretrain

    problem = load_problem(case.text, overrides=case.settings)
    options = TrainingOptions(seed=0, compute=Compute(dtype="float64", threads=1))
    pretrain(Family(problem), directory, options, Silent())
    result = read_base(directory / "base.h5")
    solution = result.solution()
    points, right = _right_values(case.truth, solution.instance)
    error = measure_errors(solution(points)[0], right).relative_l2
    return {"key": key_of(case), "error": error, "evidence": evidence(result)}


def _right_values(truth: Any, instance: Any) -> tuple[Any, Any]:
    """Return points and what is right there."""
    from verdict_references import Table

    if isinstance(truth, Table):
        return truth.points, truth.values
    points = instance.domain.uniform(_POINTS, _POINT_SEED)
    if truth is not None:
        return points, truth(points)
    (exact,) = instance.exact(points).values()
    return points, exact


def evidence(result: Any) -> dict[str, Any]:
    """Return what the verdict on a stored result is made from."""
    from flat_evidence import row_of_evidence

    from pinnkan.solutions.evaluation.correction import correction_of
    from pinnkan.solutions.evaluation.relative import residual_report
    from pinnkan.training.judgement import evidence_of

    training, course = result.meta["training"], result.meta["history"]["held_out"]
    report, scales = residual_report(result.solution()), result.family.scales
    found = evidence_of(
        report,
        scales,
        training=training["training_rms"],
        held_out=training["held_out"],
        course=course,
        correction=correction_of(result.solution()),
    )
    return row_of_evidence(found)


def key_of(case: Any) -> str:
    """Return what tells whether a row is of a case as it stands."""
    return hashlib.sha256(repr((case.text, case.settings)).encode()).hexdigest()[:12]


def train(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the rows, those that were missing trained; kept after every one."""
    rows = read_rows()
    for name, case in cases().items():
        if rows.get(name, {}).get("key") == key_of(case):
            continue
        rows[name] = measured(case, folder / name)
        print(f"{name}: error {rows[name]['error']:.1e}", flush=True)
        kept = {name: rows[name] for name in sorted(rows) if name in cases()}
        ROWS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return rows


def report(rows: Mapping[str, Row], names: Sequence[str]) -> str:
    """Return a table of the problems named by their errors, with the estimates, and what they come to."""
    from effectivity import effectivity

    lines = []
    for name in sorted(names, key=lambda name: rows[name]["error"]):
        verdict = judged(rows[name])
        estimate = rows[name]["evidence"]["estimate"]
        numbers = f"{rows[name]['error']:9.1e} {math.nan if estimate is None else estimate:9.1e}"
        lines.append(f"{name:22} {numbers}  {verdict.word:9} {'; '.join(verdict.reasons)}")
    kept = [rows[name] for name in names]
    counts = ", ".join(f"{name} {count}" for name, count in confusion(kept).items() if count)
    return "\n".join(
        [*lines, "", counts, effectivity([(row["evidence"]["estimate"], row["error"]) for row in kept])]
    )


def main() -> None:
    """Train what is missing if asked to, and print both groups."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--train", action="store_true", help="train problems without a row")
    parser.add_argument("--group", choices=("chosen on", "tried on"), help="print one group only")
    parser.add_argument("--runs", type=Path, help="keep the trained files here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = train(options.runs or Path(folder)) if options.train else read_rows()
    for group, names in groups(rows).items():
        if options.group in (None, group):
            print(f"\n{group} {len(names)} problems\n")
            print(report(rows, names))


if __name__ == "__main__":
    main()

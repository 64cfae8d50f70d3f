"""State a tolerance and nothing else: is the error below it, is the estimate true, and what did it take?

Runs ``pinnkan pretrain FILE --tolerance X`` for the problems of `tolerance_problems`, whose files say nothing
of network, points or training, each in a process of its own and a fresh directory; then measures the error
against the right answer on 20,000 points that no training saw. A pinnkan without ``--tolerance`` trains by
its default settings.

    python tests/benchmarks/tolerances.py                                  # all, at what must be reached
    python tests/benchmarks/tolerances.py --only layer,kdv_cosine --tolerance 1e-4 --seeds 1 --time-limit 60
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from common import POINT_SEED, POINTS, begin, error_text, finish, parser, spread, table, time_text, words

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tolerance_problems import CASES, Answer, Case

import pinnkan
from pinnkan.language.problem import load_problem
from pinnkan.physics.family import Family
from pinnkan.solutions.evaluation.norms import measure_errors

PINNKAN = (sys.executable, "-m", "pinnkan")


@dataclass(frozen=True)
class Row:
    """One result.

    Attributes:
        problem: Its name, with the parameter value of an adapter.
        seed: Of points and coefficients.
        tolerance: What was asked for; None where pinnkan has no such option.
        error: Relative L2 on points of its own.
        error_estimate: As pinnkan reports it.
        verdict: As pinnkan reports it.
        exit_code: Of the command that trained it.
        train_seconds: As pinnkan reports it.
        cpu_seconds: Of the whole command, start-up included.
        steps: Of the optimizer.
        trainable_parameters: Of the network that was delivered.
        levels: How often it was refined, where pinnkan says so.
        stop_reason: Why training ended.
    """

    problem: str
    seed: int
    tolerance: float | None
    error: float | None
    error_estimate: float | None
    verdict: str | None
    exit_code: int
    train_seconds: float
    cpu_seconds: float
    steps: int
    trainable_parameters: int
    levels: int | None
    stop_reason: str


def takes_tolerance(command: str) -> bool:
    """Tell whether a command of this pinnkan has the option ``--tolerance``."""
    shown = subprocess.run([*PINNKAN, command, "--help"], capture_output=True, text=True, check=True)
    return "--tolerance" in shown.stdout


def run(words: Sequence[str]) -> tuple[int, list[dict[str, Any]], float]:
    """Run one command; return its exit code, its results and its CPU seconds.

    Raises:
        RuntimeError: If it printed no result.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([*PINNKAN, *words, "--json"], capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if not done.stdout.strip():
        raise RuntimeError(f"pinnkan {' '.join(words)}: exit {done.returncode}\n{done.stderr}")
    printed = json.loads(done.stdout)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.returncode, printed.get("results", [printed]), cpu


def rows_of(name: str, case: Case, seed: int, options: argparse.Namespace) -> Iterator[Row]:
    """Train the base of a case and its adapters, and measure each."""
    shared = ["--seed", str(seed), "--threads", str(options.threads)]
    if options.time_limit is not None:
        shared += ["--time-limit", str(options.time_limit)]
    tolerance = options.tolerance or case.must.error
    overrides = [word for text in (*case.overrides, *options.overrides) for word in ("--set", text)]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "run"

        def trained(command: str, *rest: str) -> tuple[int, dict[str, Any], float, float | None]:
            asked = tolerance if takes_tolerance(command) else None
            stated = [] if asked is None else ["--tolerance", str(asked)]
            code, (result,), cpu = run([command, *rest, *shared, *stated])
            return code, result, cpu, asked

        results = trained("pretrain", str(case.file), "-o", str(folder), *overrides)
        yield row_of(name, seed, results, error_of(folder, None, case, case.answer))
        for value, answer in case.adapters.items():
            results = trained("finetune", str(folder), "--lambda", str(value))
            yield row_of(f"{name} {value:g}", seed, results, error_of(folder, value, case, answer))


def error_of(folder: Path, value: float | None, case: Case, answer: Answer) -> float | None:
    """Return the relative L2 error of the base or of an adapter; None where it is not finite."""
    points = Family(load_problem(case.file, overrides=case.overrides)).at().domain.uniform(POINTS, POINT_SEED)
    psi = np.asarray(pinnkan.load(folder).at(*([] if value is None else [value]))(points))
    return measure_errors(psi, answer(points)).relative_l2 if np.isfinite(psi).all() else None


def row_of(
    name: str, seed: int, trained: tuple[int, dict[str, Any], float, float | None], error: float | None
) -> Row:
    """Put together what pinnkan reports and what was measured."""
    code, result, cpu, asked = trained
    return Row(
        problem=name,
        seed=seed,
        tolerance=asked,
        error=error,
        error_estimate=result["error_estimate"],
        verdict=result["verdict"],
        exit_code=code,
        train_seconds=result["train_seconds"],
        cpu_seconds=cpu,
        steps=result["steps"],
        trainable_parameters=result["trainable_parameters"],
        levels=result.get("levels"),
        stop_reason=result["stop_reason"],
    )


def summary(rows: Sequence[Row]) -> str:
    """Return a table: a line for each problem, medians over the seeds with least and most."""
    lines = []
    for name in dict.fromkeys(row.problem for row in rows):
        of_problem = [row for row in rows if row.problem == name]
        case = CASES[name.split()[0]]
        errors = [math.inf if row.error is None else row.error for row in of_problem]
        estimates = [row.error_estimate for row in of_problem if row.error_estimate is not None]
        seconds = [row.train_seconds for row in of_problem]
        middle = statistics.median(errors), statistics.median(seconds)
        lines.append(
            [
                name,
                error_text(of_problem[0].tolerance),
                spread(errors, error_text),
                spread(estimates, error_text) if estimates else "-",
                "/".join(dict.fromkeys(str(row.verdict) for row in of_problem)),
                "/".join(dict.fromkeys(str(row.exit_code) for row in of_problem)),
                spread(seconds, time_text),
                time_text(statistics.median(row.cpu_seconds for row in of_problem)),
                "/".join(dict.fromkeys("-" if row.levels is None else str(row.levels) for row in of_problem)),
                "goal" if case.goal.met(*middle) else "must" if case.must.met(*middle) else "missed",
            ]
        )
    header = ["problem", "tolerance", "error", "estimate", "verdict", "exit"]
    return table([*header, "train s", "CPU s", "levels", "meets"], lines)


def main() -> None:
    """Run it."""
    options = read_options()
    record = begin("Ten problems by a stated tolerance", options)
    if not takes_tolerance("pretrain"):
        print("this pinnkan has no --tolerance: default settings\n")
    rows: list[Row] = []
    for name in options.only:
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            for row in rows_of(name, CASES[name], seed, options):
                rows.append(row)
                print(json.dumps(asdict(row)), flush=True)
    print("\n" + summary(rows))
    record["rows"] = [asdict(row) for row in rows]
    finish(record, options.json)


def read_options() -> argparse.Namespace:
    """Read the command line."""
    made = parser(__doc__)
    made.add_argument("--only", type=words, default=list(CASES), help="names, separated by commas")
    made.add_argument("--tolerance", type=float, help="of all; if not given, what each must reach")
    made.add_argument("--seeds", type=int, default=3, help="how many (default %(default)s)")
    made.add_argument("--first-seed", type=int, default=0, help="the first of them (default %(default)s)")
    made.add_argument("--time-limit", type=float, metavar="SECONDS", help="of each training")
    made.add_argument(
        "--set", action="append", default=[], dest="overrides", metavar="KEY=VALUE", help="of the bases"
    )
    options = made.parse_args()
    unknown = sorted(set(options.only) - set(CASES))
    if unknown:
        made.error(f"--only: no problem is named {', '.join(unknown)}; there are {', '.join(CASES)}")
    if options.quick:
        options.seeds, options.time_limit = 1, 1.0
    return options


if __name__ == "__main__":
    main()

"""The paper's families and Burgers from the shell: error and time of base and adapters over seeds.

Runs, for every family, basis and seed,

    pinnkan pretrain FAMILY -o DIR --seed S
    pinnkan finetune DIR --lambda 0.1,1 --seed S
    pinnkan evaluate DIR --json

and prints the medians of `relative_l2` and `train_seconds`, as `evaluate` reports them, beside
what is asked for. Burgers' errors are against the Cole-Hopf formula, on the same 20,000 points.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from common import (
    POINT_SEED,
    POINTS,
    begin,
    error_text,
    finish,
    integers,
    parser,
    spread,
    table,
    time_text,
    words,
)

import pinnkan
from pinnkan.physics.family import Family
from pinnkan.solutions.evaluation.norms import measure_errors


@dataclass(frozen=True)
class Target:
    """What is asked for: relative L2 error and seconds, at least and at best (nan: nothing)."""

    must_error: float
    must_seconds: float
    goal_error: float = math.nan
    goal_seconds: float = math.nan

    def verdict(self, error: float, seconds: float) -> str:
        """Say how far the medians get."""
        if error <= self.goal_error and seconds <= self.goal_seconds:
            return "goal"
        missed = [
            name
            for name, found, most in (
                ("error", error, self.must_error),
                ("time", seconds, self.must_seconds),
            )
            if not found <= most
        ]
        return f"misses {' and '.join(missed)}" if missed else "must"


BASES = {
    "elliptic": Target(3e-4, 30, 5e-5, 10),
    "allen_cahn": Target(5e-4, 90, 5e-5, 30),
    "hyperbolic": Target(1e-3, 120, 1e-4, 30),
}
ADAPTERS = {
    "elliptic": Target(1e-4, 15, 1e-5, 3),
    "allen_cahn": Target(1.5e-4, 30, 1e-5, 5),
    "hyperbolic": Target(2e-4, 40, 2e-5, 5),
}
BURGERS = {0.02: Target(2e-4, 20), 0.01: Target(1e-3, 20)}
UNSEEN = "0.03,0.5,2"
PARAMETER_VALUES = {"burgers": "0.02,0.01"}


@dataclass(frozen=True)
class Measurement:
    """One stored result of one seed."""

    family: str
    basis: str
    seed: int
    value: float
    method: str
    relative_l2: float
    relative_max: float | None
    train_seconds: float
    trainable_parameters: int
    file_bytes: int
    steps: int
    stop_reason: str


@dataclass(frozen=True)
class Command:
    """One run of the program: wall seconds and peak memory of its process."""

    words: tuple[str, ...]
    seconds: float
    peak_mebibytes: float
    output: str


def run_program(arguments: Sequence[str]) -> Command:
    """Run ``pinnkan`` in a process of its own and measure it.

    Raises:
        RuntimeError: If it fails, with what it said.
    """
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen([sys.executable, "-m", "pinnkan", *arguments], stdout=output)
        # wait4 and not wait: the peak memory of this child alone.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
        output.seek(0)
        text = output.read()
    if process.returncode:
        raise RuntimeError(f"pinnkan {' '.join(arguments)}: exit {process.returncode}")
    scale = 2**20 if sys.platform == "darwin" else 2**10
    return Command(tuple(arguments), seconds, usage.ru_maxrss / scale, text)


def measure(
    family: str, basis: str, seed: int, folder: Path, options: argparse.Namespace
) -> tuple[list[Measurement], list[Command]]:
    """Train a base and its adapters in ``folder`` and read what `evaluate` says."""
    always = ["--threads", str(options.threads), "-q"]
    training = ["--seed", str(seed), *always, *(word for one in options.set for word in ("--set", one))]
    network = [] if basis == "as shipped" else ["--set", f"network.basis={basis}"]
    start, tune = list(training), list(training)
    if options.quick:
        small = ["--time-limit", "1", "--set", "points.held_out=200"]
        start += [*small, "--set", "points.interior=200"]
        tune += [*small, "--set", "finetuning.points=300"]
    values = PARAMETER_VALUES.get(family) or ",".join([options.values, *([UNSEEN] if options.unseen else [])])
    commands = [
        run_program(["pretrain", family, "-o", str(folder), *network, *start]),
        run_program(["finetune", str(folder), "--lambda", values, *tune]),
        run_program(["evaluate", str(folder), "--json", *always]),
    ]
    facts = json.loads(commands[-1].output)["results"]
    found = [
        Measurement(
            family,
            basis,
            seed,
            next(iter(row["parameters"].values())),
            row["method"],
            row["relative_l2"] if row["relative_l2"] is not None else math.nan,
            *(row[key] for key in list(Measurement.__dataclass_fields__)[6:]),
        )
        for row in facts
    ]
    return (against_cole_hopf(folder, found) if family == "burgers" else found), commands


def against_cole_hopf(folder: Path, found: Sequence[Measurement]) -> list[Measurement]:
    """Fill in the errors of Burgers' equation, which the program has no reference for."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from reference_solutions import burgers

    run = pinnkan.load(folder)
    points = Family(run.problem).at(run.parameters).domain.uniform(POINTS, POINT_SEED)
    measured = []
    for one in found:
        solution = run.at() if one.method == "base" else run.at(one.value)
        report = measure_errors(solution(points), burgers(*points.T, one.value))
        errors = {"relative_l2": report.relative_l2, "relative_max": report.relative_max}
        measured.append(Measurement(**{**asdict(one), **errors}))
    return measured


def target_of(one: Measurement) -> Target | None:
    """Return what is asked of this result, None for what no table names."""
    if one.family == "burgers":
        return None if one.method == "base" else BURGERS.get(one.value)
    return (BASES if one.method == "base" else ADAPTERS).get(one.family)


def rows(measurements: Sequence[Measurement]) -> Iterator[list[str]]:
    """Give one row a result, over its seeds."""
    groups: dict[tuple[str, str, str, float], list[Measurement]] = {}
    for one in measurements:
        groups.setdefault((one.family, one.basis, one.method, one.value), []).append(one)
    for (family, basis, method, value), group in groups.items():
        errors, seconds = [one.relative_l2 for one in group], [one.train_seconds for one in group]
        target = target_of(group[0])
        must = goal = verdict = "-"
        if target is not None:
            must = f"{error_text(target.must_error)} in {target.must_seconds:g} s"
            verdict = target.verdict(statistics.median(errors), statistics.median(seconds))
        if target is not None and math.isfinite(target.goal_error):
            goal = f"{error_text(target.goal_error)} in {target.goal_seconds:g} s"
        basis_word = "" if basis == "as shipped" else f" {basis}"
        yield [
            f"{family}{basis_word} {method} {value:g}",
            spread(errors, error_text),
            spread(seconds, time_text),
            must,
            goal,
            verdict,
            str(group[0].trainable_parameters),
        ]


def command_rows(commands: Sequence[Command]) -> Iterator[list[str]]:
    """Give wall time and peak memory by kind of command and family."""
    groups: dict[str, list[Command]] = {}
    for one in commands:
        groups.setdefault(one.words[0], []).append(one)
    for name, group in groups.items():
        peak = max(group, key=lambda one: one.peak_mebibytes)
        yield [
            f"pinnkan {name}",
            spread([one.seconds for one in group], time_text),
            f"{peak.peak_mebibytes:.0f}",
            " ".join(peak.words[1:2] if name == "pretrain" else [Path(peak.words[1]).name]),
        ]


def main() -> None:
    """Run it."""
    options = read_options()
    record = begin("Families from the shell", options)
    measurements: list[Measurement] = []
    commands: list[Command] = []
    folder = options.runs or Path(tempfile.mkdtemp(prefix="pinnkan-families-"))
    for family in options.families:
        for basis in options.bases:
            for seed in options.seeds:
                place = folder / f"{family}-{basis.replace(' ', '-')}-{seed}"
                found, used = measure(family, basis, seed, place, options)
                measurements += found
                commands += used
                print(f"  {family}, {basis}, seed {seed}: done", file=sys.stderr, flush=True)
    print(f"Median (least..most) of seeds {','.join(map(str, options.seeds))}; files in {folder}\n")
    header = ["result", "relative_l2", "train_seconds", "must", "goal", "median meets", "parameters"]
    print(table(header, rows(measurements)))
    print("\nWhole commands, start-up included\n")
    print(table(["command", "wall seconds", "peak MiB", "the peak was of"], command_rows(commands)))
    record["results"] = [asdict(one) for one in measurements]
    record["commands"] = [asdict(one) | {"output": None} for one in commands]
    finish(record, options.json)


def read_options() -> Any:
    """Read the command line."""
    made = parser(__doc__)
    made.add_argument("--families", type=words, default=["elliptic", "allen_cahn", "hyperbolic", "burgers"])
    made.add_argument("--seeds", type=integers, default=[0, 1, 2])
    made.add_argument("--values", default="0.1,1", help="values of lambda (default %(default)s)")
    made.add_argument("--unseen", action="store_true", help=f"lambda = {UNSEEN} too")
    made.add_argument(
        "--bases",
        type=words,
        default=["as shipped"],
        help="basis functions, such as chebyshev,legendre,fourier (default: the file's)",
    )
    made.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="passed on; repeatable")
    made.add_argument("--runs", type=Path, metavar="DIR", help="where the runs go (default: a new folder)")
    options = made.parse_args()
    if options.quick:
        options.seeds = options.seeds[:1]
    return options


if __name__ == "__main__":
    main()

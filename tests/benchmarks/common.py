"""What all benchmarks share: the machine, threads, clocks, tables, and error curves over time."""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from pinnkan.ground.progress import Outcome, StepReport, SweepReport
from pinnkan.language.problem import Problem, load_problem, shipped_problems
from pinnkan.physics.family import Family
from pinnkan.physics.instance import Instance
from pinnkan.solutions.evaluation.norms import measure_errors
from pinnkan.training import Trained, TrainingTask, finetune, network_for, pretrain
from pinnkan.training.task import Arithmetic, Audience

POINTS, POINT_SEED = 20_000, 0
"""The error points of ``pinnkan evaluate`` with its defaults."""


def parser(description: str | None, *, threads: int = 2) -> argparse.ArgumentParser:
    """Return a parser with the options that every benchmark has."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--quick", action="store_true", help="tiny settings: shows that it runs, means nothing")
    made.add_argument("--json", type=Path, metavar="FILE", help="write all numbers to FILE")
    made.add_argument(
        "--threads", type=int, default=threads, help="CPU threads of every contestant (default %(default)s)"
    )
    return made


def numbers(text: str) -> list[float]:
    """Read ``0.1,1``."""
    return [float(word) for word in text.split(",")]


def integers(text: str) -> list[int]:
    """Read ``0,1,2``."""
    return [int(word) for word in text.split(",")]


def words(text: str) -> list[str]:
    """Read ``elliptic,burgers``."""
    return text.split(",")


def use_threads(threads: int) -> None:
    """Limit torch, BLAS and OpenMP of this process, and of the processes that it starts."""
    torch.set_num_threads(threads)
    threadpool_limits(limits=threads)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(threads)


def machine(threads: int) -> dict[str, Any]:
    """Return what a reader needs to judge a time."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "threads": threads,
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "platform": platform.platform(),
    }


def _cpu_model() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def begin(title: str, options: argparse.Namespace) -> dict[str, Any]:
    """Set the threads, print where this runs, and return the record that `finish` writes."""
    use_threads(options.threads)
    where = machine(options.threads)
    print(title)
    print(
        f"{where['cpu']}, {where['cores']} cores, {where['threads']} threads used, load {where['load']}; "
        f"Python {where['python']}, torch {where['torch']}"
    )
    if options.quick:
        print("QUICK: tiny settings, the numbers mean nothing")
    print(flush=True)
    plain = {key: str(value) if isinstance(value, Path) else value for key, value in vars(options).items()}
    return {"benchmark": title, "machine": where, "options": plain}


def finish(record: Mapping[str, Any], target: Path | None) -> None:
    """Write the record as JSON where that was asked for."""
    if target is not None:
        target.write_text(json.dumps(record, indent=1) + "\n")
        print(f"\nwrote {target}")


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out a plain table, the first column to the left and numbers to the right."""
    cells = [list(header), *(list(row) for row in rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(header))]
    lines = []
    for row in cells:
        padded = [
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(padded).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def error_text(value: float | None) -> str:
    """Write an error, ``-`` for what is not there."""
    return "-" if value is None or not math.isfinite(value) else f"{value:.1e}"


def time_text(value: float | None) -> str:
    """Write a time or a ratio with three digits, ``-`` for what is not there."""
    if value is None or not math.isfinite(value):
        return "-"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def spread(values: Sequence[float], write: Callable[[float], str]) -> str:
    """Write ``median (least..most)``; the median alone of a single value."""
    middle = write(statistics.median(values))
    return middle if len(values) == 1 else f"{middle} ({write(min(values))}..{write(max(values))})"


def median_or_none(values: Iterable[float | None]) -> float | None:
    """Return the median, a missing value counting as later than any; None if that is the median."""
    found = statistics.median(math.inf if value is None else value for value in values)
    return found if math.isfinite(found) else None


def median_seconds(work: Callable[[], object], *, repeats: int, warm_up: int = 2) -> float:
    """Return the median wall time of a call."""
    for _ in range(warm_up):
        work()
    taken = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def product_rate(dtype: torch.dtype, *, size: int = 1024, repeats: int = 9) -> float:
    """Return the machine's matrix-product rate in flop/s: 2 n^3 over the median time of torch.mm."""
    left = torch.rand(size, size, dtype=dtype)
    out = torch.empty_like(left)
    return 2.0 * size**3 / median_seconds(lambda: torch.mm(left, left, out=out), repeats=repeats)


def problem(name: str, overrides: Sequence[str] = ()) -> Problem:
    """Load a shipped problem with ``--set`` texts."""
    return load_problem(shipped_problems()[name], overrides=overrides)


class ErrorMeter:
    """Relative L2 error of coefficients on fixed points, with a clock of what measuring costs.

    Lift and factor of u = lift + factor * N are evaluated once.

    Args:
        instance: The problem at one parameter value, with a reference.
        network: As the training builds it.
        points: (N, D); the points of ``pinnkan evaluate`` if not given.
    """

    def __init__(self, instance: Instance, run_problem: Problem, points: np.ndarray | None = None) -> None:
        points = instance.domain.uniform(POINTS, POINT_SEED) if points is None else points
        (exact,) = instance.exact(points).values()
        value = [(0,) * points.shape[1]]
        self.points, self.reference = points, exact
        self.seconds = 0.0
        self._network = network_for(instance, run_problem.settings.network)
        self._places = torch.from_numpy(np.ascontiguousarray(points))
        self._lift = torch.from_numpy(instance.ansatzes[0].lift.derivatives(points, value)[0])
        self._factor = torch.from_numpy(instance.ansatzes[0].factor(points, value)[0])

    @torch.no_grad()
    def __call__(self, coefficients: Sequence[Tensor]) -> float | None:
        started = time.perf_counter()
        weights = self._network.matrices(coefficients)
        parts = [self._network.values(part, weights).squeeze(1) for part in self._places.split(2048)]
        found = measured(self._lift + self._factor * torch.cat(parts), self.reference)
        self.seconds += time.perf_counter() - started
        return found


def measured(values: Tensor, reference: np.ndarray) -> float | None:
    """Return the relative L2 error, None where a value is not finite."""
    return measure_errors(values.numpy(), reference).relative_l2 if bool(values.isfinite().all()) else None


@dataclass
class Curve:
    """Error over wall time, the time of measuring the error itself taken out.

    Attributes:
        seconds: From the generation of points.
        errors: Relative L2 at those times.
        total: Seconds of the whole training.
        final: Error of what the training returned (its best held-out state).
    """

    seconds: list[float] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    total: float = math.nan
    final: float = math.nan

    def add(self, seconds: float, error: float | None) -> None:
        """Append one point."""
        if error is not None:
            self.seconds.append(seconds)
            self.errors.append(error)

    def time_to(self, target: float) -> float | None:
        """Return the first time at which the error is at most ``target``; None if never."""
        return next(
            (seconds for seconds, error in zip(self.seconds, self.errors, strict=True) if error <= target),
            None,
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain lists."""
        return {"seconds": self.seconds, "errors": self.errors, "total": self.total, "final": self.final}


class CurveObserver:
    """An observer that writes down error over time.

    Args:
        meter: Measures the error, inside the training; its time is taken out.
    """

    def __init__(self, meter: ErrorMeter) -> None:
        self.curve = Curve()
        self._meter = meter
        self._started = time.perf_counter()

    def begin(self, title: str, phase: str, total_steps: int) -> None:
        """Say nothing."""

    def step(self, report: StepReport) -> None:
        """Write down one checked step."""
        self.curve.add(time.perf_counter() - self._started - self._meter.seconds, report.error)

    def end(self, outcome: Outcome) -> None:
        """Say nothing."""

    def sweep(self, report: SweepReport) -> None:
        """Say nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""


def trained_curve(
    family: Problem,
    values: Mapping[str, float],
    *,
    seed: int,
    base: Sequence[Tensor] | None = None,
    method: str = "lotra",
    dtype: torch.dtype = torch.float64,
    time_limit: float | None = None,
) -> tuple[Trained, Curve]:
    """Train as ``pinnkan pretrain`` (no ``base``) or ``finetune`` does and keep the error over time.

    Args:
        family: The problem with its settings.
        values: Parameter values.
        seed: Of points and coefficients.
        base: Coefficients of the base for an adapter, None to train from random ones.
        method: ``lotra`` or ``full``, with a base.
        dtype: Of coefficients, and of products where float32.
        time_limit: Seconds.
    """
    instance = Family(family).at(values)
    meter = ErrorMeter(instance, family)
    observer = CurveObserver(meter)
    run = TrainingTask(
        instance,
        family.settings,
        seed,
        Arithmetic(torch.device("cpu"), dtype),
        Audience(observer, "benchmark", meter),
        time_limit,
    )
    trained = pretrain(run) if base is None else finetune(run, base, method=method)
    curve = observer.curve
    curve.total = trained.seconds - meter.seconds
    curve.final = meter(trained.coefficients()) or math.nan
    return trained, curve

"""A soliton of Korteweg and de Vries once around its ring by Fourier modes: error against seconds.

u_t + 6 u u_x + u_xxx = 0 on the ring of `problems/kdv.yaml`, -14 < x < 14, for one period, 28/c. Products by
the two-thirds rule; time by ETDRK4 (tests/reference_solutions.py), which takes the linear part exactly.
Errors are relative L2 over all grid points and steps, against the soliton of the line, which the ring's own
differs from by its tails: the last rows show how much. The column `t < 1` is the time that the file asks for,
of the same run. Seconds are those of the processor, on one thread, for the whole period.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from common import begin, error_text, finish, numbers, parser, table, time_text

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from reference_solutions import exponential_runge_kutta, half_square_slope

LENGTH = 28.0
SIZES = ((48, 280), (64, 560), (96, 1120), (128, 2240), (128, 4480), (192, 4480))
"""Modes, and steps over one period."""


def soliton(x: np.ndarray, speed: float) -> np.ndarray:
    """Return c/2 sech^2(sqrt(c)/2 x) at the distance from the crest, by the shorter way around the ring."""
    away = (x + LENGTH / 2) % LENGTH - LENGTH / 2
    return np.asarray(speed / 2 / np.cosh(np.sqrt(speed) / 2 * away) ** 2)


@dataclass(frozen=True)
class Row:
    """One resolution.

    Attributes:
        modes: Grid points of the ring.
        steps: Over one period.
        seconds: Processor time, the least of the repeats.
        first_unit: Relative L2 error over 0 < t < 1.
        period: Relative L2 error over one period.
    """

    modes: int
    steps: int
    seconds: float
    first_unit: float
    period: float


def solve(modes: int, steps: int, speed: float) -> np.ndarray:
    """Return u at all steps of one period, shape (steps + 1, modes)."""
    wave = 2 * np.pi / LENGTH * modes * np.fft.fftfreq(modes)
    slope = half_square_slope(wave)
    start = np.fft.fft(soliton(grid(modes), speed))
    states = exponential_runge_kutta(
        1j * wave**3, lambda u: -6 * slope(u), start, time=LENGTH / speed, steps=steps
    )
    return np.asarray(np.fft.ifft(states, axis=1).real)


def grid(modes: int) -> np.ndarray:
    """Return the grid points, (modes,)."""
    return LENGTH * (np.arange(modes) / modes - 0.5)


def measure(modes: int, steps: int, speed: float, repeats: int) -> Row:
    """Solve at one resolution, and measure."""
    taken = []
    for _ in range(repeats):
        started = time.process_time()
        found = solve(modes, steps, speed)
        taken.append(time.process_time() - started)
    t = np.linspace(0, LENGTH / speed, steps + 1)[:, None]
    expected = soliton(grid(modes) - speed * t, speed)

    def error(rows: np.ndarray) -> float:
        return float(np.linalg.norm((found - expected)[rows]) / np.linalg.norm(expected[rows]))

    return Row(modes, steps, min(taken), error(t[:, 0] <= 1), error(t[:, 0] >= 0))


def main() -> None:
    """Run it."""
    options = read_options()
    record = begin("A soliton around a ring by Fourier modes", options)
    for speed in options.speeds:
        rows = [measure(modes, steps, speed, options.repeats) for modes, steps in options.sizes]
        lines = [
            [
                f"{row.modes} modes, {row.steps} steps",
                time_text(row.seconds),
                error_text(row.first_unit),
                error_text(row.period),
            ]
            for row in rows
        ]
        print(f"c = {speed:g}\n")
        print(table(["resolution", "CPU s", "t < 1", "period"], lines), end="\n\n")
        record[f"c = {speed:g}"] = [asdict(row) for row in rows]
    finish(record, options.json)


def read_options() -> argparse.Namespace:
    """Read the command line."""
    made = parser(__doc__, threads=1)
    made.add_argument("--speeds", type=numbers, default=[2.0], help="speeds c, 1.5,3")
    made.add_argument("--repeats", type=int, default=3, help="of every timing (default %(default)s)")
    options = made.parse_args()
    options.sizes = SIZES
    if options.quick:
        options.sizes, options.repeats = SIZES[:2], 1
    return options


if __name__ == "__main__":
    main()

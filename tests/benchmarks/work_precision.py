"""Error over seconds: a stated tolerance from 1e-2 to 1e-7, beside random features and the usual methods.

Two problems in a square beside elements of fourth degree (scikit-fem), two on a ring beside Fourier modes and
ETDRK4, which are the methods that a user of such problems would take first. A pinnkan without ``--tolerance``
is stopped by ``--time-limit`` instead; ``network: {kind: random}`` is drawn where it is known.

    python tests/benchmarks/work_precision.py --figure work_precision.png
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from common import begin, error_text, finish, numbers, parser, table, time_text, words

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from reference_solutions import half_square_slope, korteweg_de_vries, on_a_ring
from tolerance_problems import CASES
from tolerances import PINNKAN, rows_of, takes_tolerance

from pinnkan.language.problem import load_problem
from pinnkan.physics.family import Family

POINTS = 20_000
TOLERANCES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7)
LIMITS = (2.0, 5.0, 10.0, 20.0, 40.0, 80.0)
"""Seconds, in place of tolerances."""
RANDOM = "network.kind=random"


@dataclass(frozen=True)
class Point:
    """One solution: who made it, how well and how long it took.

    Attributes:
        problem: Name of the problem.
        method: ``pinnkan``, ``random features``, or the usual method.
        setting: Tolerance, time limit, mesh or modes.
        error: Relative L2; None where it is not finite.
        seconds: Of training or solving.
    """

    problem: str
    method: str
    setting: str
    error: float | None
    seconds: float


Solve = Callable[[np.ndarray], np.ndarray]


def elements(cells: int, wave: float, source: Solve) -> Callable[[np.ndarray], np.ndarray]:
    """Solve laplace(u) + k^2 u = f, u = 0 on the unit square's sides, by rectangles of fourth degree.

    Args:
        cells: Along a side.
        wave: k.
        source: f at points (N, 2).

    Returns:
        u at points (N, 2).
    """
    from skfem import Basis, BilinearForm, ElementQuadP, LinearForm, MeshQuad, condense, solve
    from skfem.helpers import dot, grad

    side = np.linspace(0, 1, cells + 1)
    basis = Basis(MeshQuad.init_tensor(side, side), ElementQuadP(4))
    operator = BilinearForm(lambda u, v, _: wave**2 * u * v - dot(grad(u), grad(v))).assemble(basis)
    right = LinearForm(lambda v, w: source(w.x.reshape(2, -1).T).reshape(w.x.shape[1:]) * v).assemble(basis)
    values = solve(*condense(operator, right, D=basis.get_dofs()))
    return lambda points: np.asarray(basis.probes(points.T) @ values)


def poisson_source(points: np.ndarray) -> np.ndarray:
    """Return -2 pi^2 sin(pi x) sin(pi y)."""
    return -2 * np.pi**2 * CASES["poisson_sines"].answer(points)


def helmholtz_source(points: np.ndarray) -> np.ndarray:
    """Return laplace(u) + k^2 u of the answer, sines times cos(phase) with phase = k (0.8 x + 0.6 y).

    The wave alone gives -k^2 u, the sines -2 pi^2 u, and what is left is twice the product of their slopes.
    """
    x, y = np.pi * points.T
    phase = WAVE * (0.8 * x + 0.6 * y) / np.pi
    slopes = 0.8 * np.cos(x) * np.sin(y) + 0.6 * np.sin(x) * np.cos(y)
    answer = np.sin(x) * np.sin(y) * np.cos(phase)
    return np.asarray(-2 * np.pi**2 * answer - 2 * np.pi * WAVE * slopes * np.sin(phase))


def fourier_burgers(modes: int, steps: int) -> Solve:
    """Solve Burgers' equation at the viscosity 0.01 on the ring that its odd start allows."""

    def equation(wave: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
        slope = half_square_slope(wave)
        return -0.01 * wave**2, lambda u: -slope(u)

    ring = {"ring": (-1.0, 1.0), "end": 1.0, "modes": modes, "steps": steps}
    return lambda points: on_a_ring(*points.T, equation, lambda x: -np.sin(np.pi * x), **ring)


def fourier_kdv(modes: int, steps: int) -> Solve:
    """Solve the equation of Korteweg and de Vries."""
    return lambda points: korteweg_de_vries(*points.T, modes=modes, steps=steps)


WAVE = np.pi * np.sqrt(253.5)
ELEMENTS, FOURIER = "elements of degree 4", "Fourier modes"
USUAL: dict[str, tuple[str, dict[str, Callable[[], Solve]]]] = {
    "poisson_sines": (
        ELEMENTS,
        {f"{n} x {n}": partial(elements, n, 0.0, poisson_source) for n in (2, 4, 8, 16)},
    ),
    "helmholtz_eight": (
        ELEMENTS,
        {f"{n} x {n}": partial(elements, n, WAVE, helmholtz_source) for n in (6, 12, 24, 36)},
    ),
    "burgers_001": (
        FOURIER,
        {f"{n}, {m} steps": partial(fourier_burgers, n, m) for n, m in ((128, 100), (256, 200), (512, 800))},
    ),
    "kdv_cosine": (
        FOURIER,
        {f"{n}, {m} steps": partial(fourier_kdv, n, m) for n, m in ((128, 500), (256, 2000), (384, 8000))},
    ),
}
"""The usual method of each problem, and its resolutions."""


def usual_points(name: str) -> Iterator[Point]:
    """Solve a problem by the usual method; evaluation at the 20,000 points is not timed."""
    method, resolutions = USUAL[name]
    case = CASES[name]
    low, high = Family(load_problem(case.file)).at().domain.bounding_box
    points = low + (high - low) * np.random.default_rng(0).random((POINTS, len(low)))
    right = case.answer(points)
    for setting, solve in resolutions.items():
        started = time.perf_counter()
        solution = solve()
        if method == FOURIER:  # which solves when it is asked
            solution(points[:8])
        seconds = time.perf_counter() - started
        error = float(np.linalg.norm(solution(points) - right) / np.linalg.norm(right))
        yield Point(name, method, setting, error, seconds)


def trained_points(name: str, method: str, options: argparse.Namespace) -> Iterator[Point]:
    """Train a problem to every tolerance, or for every time."""
    by_tolerance = takes_tolerance("pretrain")
    for asked in options.tolerances if by_tolerance else options.limits:
        told = argparse.Namespace(**vars(options))
        told.overrides = [RANDOM] if method != "pinnkan" else []
        told.tolerance = asked if by_tolerance else None
        told.time_limit = options.time_limit if by_tolerance else asked
        (row,) = rows_of(name, CASES[name], 0, told)
        yield Point(name, method, f"{asked:g}" + ("" if by_tolerance else " s"), row.error, row.train_seconds)


def takes_random_features(name: str) -> bool:
    """Tell whether this pinnkan has networks of random features."""
    asked = [*PINNKAN, "check", str(CASES[name].file), "--set", RANDOM]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


def draw(points: list[Point], target: Path) -> None:
    """Draw error over seconds, a panel for every problem."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = list(dict.fromkeys(point.problem for point in points))
    figure, axes = pyplot.subplots(1, len(names), figsize=(3.4 * len(names), 3.2), squeeze=False)
    for axis, name in zip(axes[0], names, strict=True):
        of_problem = [point for point in points if point.problem == name and point.error is not None]
        for method in dict.fromkeys(point.method for point in of_problem):
            curve = sorted((p.seconds, p.error) for p in of_problem if p.method == method)
            axis.loglog(*zip(*curve, strict=True), "o-", markersize=3, label=method)
        axis.set(title=name, xlabel="seconds")
        axis.legend(fontsize=7)
    axes[0][0].set_ylabel("relative L2 error")
    figure.tight_layout()
    figure.savefig(target, dpi=100)
    print(f"wrote {target}")


def main() -> None:
    """Run it."""
    options = read_options()
    record = begin("Error over seconds", options)
    points: list[Point] = []
    for name in options.only:
        curves = [usual_points(name), trained_points(name, "pinnkan", options)]
        if takes_random_features(name):
            curves.append(trained_points(name, "random features", options))
        for curve in curves:
            for point in curve:
                points.append(point)
                print(asdict(point), flush=True)
    lines = [
        [f"{point.problem}, {point.method}", point.setting, error_text(point.error), time_text(point.seconds)]
        for point in points
    ]
    print("\n" + table(["method", "setting", "error", "seconds"], lines))
    if options.figure:
        draw(points, options.figure)
    record["points"] = [asdict(point) for point in points]
    finish(record, options.json)


def read_options() -> argparse.Namespace:
    """Read the command line."""
    made = parser(__doc__)
    made.add_argument("--only", type=words, default=list(USUAL), help="names, separated by commas")
    made.add_argument("--tolerances", type=numbers, default=list(TOLERANCES), help="1e-2,1e-3")
    made.add_argument("--limits", type=numbers, default=list(LIMITS), help="seconds, in place of tolerances")
    made.add_argument("--time-limit", type=float, metavar="SECONDS", help="of a training to a tolerance")
    made.add_argument("--figure", type=Path, metavar="FILE", help="draw the curves into FILE")
    options = made.parse_args()
    unknown = sorted(set(options.only) - set(USUAL))
    if unknown:
        made.error(f"--only: no problem is named {', '.join(unknown)}; there are {', '.join(USUAL)}")
    if options.quick:
        options.tolerances, options.limits, options.time_limit = [1e-2], [1.0], 1.0
    return options


if __name__ == "__main__":
    main()

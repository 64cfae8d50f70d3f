"""The default recipe: problems that state no network, points or training, each with its right solution.

Twenty problems. Five are named in the requirements with limits of their own; fifteen were written down
before the recipe was tuned: interval, box, disk and ball, stationary and in time, linear and not. `exact:`
of a problem file is only reported, never trained on; sources and data are given as formulas of their own.
Three of the five are judged by an independent computation: Chebyshev collocation (`chebyshev_box`), the
formula of Cole and Hopf, and a table of finite differences (`cubic_piecewise.csv`, right to about 1e-4).

Every problem trains in a process of its own with one thread; a line of JSON says its relative L2 error on
20,000 unseen points, CPU and wall seconds of training, steps, numbers trained, held-out residual. CPU seconds
hardly depend on what else the machine does; two idle cores need between half and all of them as wall time.

    python tests/benchmarks/default_recipe.py --only heat_modes,fisher_front --seed 1
    python tests/benchmarks/default_recipe.py --set network.hidden=[16,16] --set points.interior=4000
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pinnkan.physics.family import Family

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from reference_solutions import burgers

POINTS, POINT_SEED = 20_000, 0
REPORTED = ("train_seconds", "steps", "trainable_parameters", "training_rms", "residual_rms", "stop_reason")


@dataclass(frozen=True)
class Case:
    """A problem and how it is judged.

    Attributes:
        text: The problem file.
        limit: Relative L2 error that the default recipe must reach.
        judge: The right values at points (N, D); None where ``exact:`` says them.
        named: Whether the requirements name it with this limit.
    """

    text: str
    limit: float = 1e-3
    judge: Callable[[np.ndarray], np.ndarray] | None = None
    named: bool = False


def chebyshev_box(
    sides: Sequence[tuple[float, float]],
    robin: Sequence[float | None],
    reaction: float,
    source: Callable[[np.ndarray, np.ndarray], np.ndarray],
    nodes: int = 48,
) -> Callable[[np.ndarray], np.ndarray]:
    """Solve -laplace(u) + c u = f on a rectangle by Chebyshev collocation in every coordinate.

    Args:
        sides: Ends of x and of y.
        robin: For x and for y: None for u = 0 at both ends, a for du/dn + a u = 0.
        reaction: c.
        source: f(x, y).
        nodes: In each coordinate.

    Returns:
        u at points (N, 2), by polynomial interpolation.
    """
    cheb = np.polynomial.chebyshev
    unit = -np.cos(math.pi * np.arange(nodes) / (nodes - 1))
    to_coefficients = np.linalg.inv(cheb.chebvander(unit, nodes - 1))
    once = np.stack([cheb.chebval(unit, cheb.chebder(c)) for c in to_coefficients.T], axis=1)
    axes, identity = [], np.eye(nodes)
    for (low, high), factor in zip(sides, robin, strict=True):
        first = once * 2 / (high - low)
        ends = identity[[0, -1]]
        conditions = ends if factor is None else first[[0, -1]] * [[-1], [1]] + factor * ends
        axes.append((low + (unit + 1) * (high - low) / 2, first @ first, conditions))
    (x, xx, at_x), (y, yy, at_y) = axes
    operator = reaction * np.eye(nodes**2) - np.kron(xx, identity) - np.kron(identity, yy)
    right = source(*np.meshgrid(x, y, indexing="ij")).ravel()
    rows = np.arange(nodes**2).reshape(nodes, nodes)
    for side, row_y, row_x in ((0, 0, 0), (-1, 1, 1)):
        operator[rows[:, side]] = np.kron(identity, at_y[row_y : row_y + 1])
        operator[rows[side]] = np.kron(at_x[row_x : row_x + 1], identity)
        right[rows[:, side]] = right[rows[side]] = 0.0
    values = np.linalg.solve(operator, right).reshape(nodes, nodes)
    coefficients = to_coefficients @ values @ to_coefficients.T

    def solution(points: np.ndarray) -> np.ndarray:
        scaled = [2 * (points[:, axis] - low) / (high - low) - 1 for axis, (low, high) in enumerate(sides)]
        return np.asarray(cheb.chebval2d(*scaled, coefficients))

    return solution


def _reaction_robin(points: np.ndarray) -> np.ndarray:
    def source(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return 10 * np.exp(-20 * ((x - 0.6) ** 2 + (y - 0.5) ** 2))

    return chebyshev_box([(0, 2), (0, 1)], [None, 2.0], 1.0, source)(points)


def _helmholtz_gauss(points: np.ndarray) -> np.ndarray:
    def source(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.exp(-20 * ((x - 0.4) ** 2 + (y - 0.6) ** 2))

    return chebyshev_box([(0, 1), (0, 1)], [None, None], -4.0, source)(points)


def _cubic_piecewise(points: np.ndarray) -> np.ndarray:
    """Read the table of finite differences on a grid; between its nodes, cubic splines."""
    from scipy.interpolate import RectBivariateSpline

    with (Path(__file__).parent / "cubic_piecewise.csv").open() as file:
        rows = np.array([[float(row[name]) for name in "xyu"] for row in csv.DictReader(file)])
    x, y = np.unique(rows[:, 0]), np.unique(rows[:, 1])
    values = np.empty((len(x), len(y)))
    values[np.searchsorted(x, rows[:, 0]), np.searchsorted(y, rows[:, 1])] = rows[:, 2]
    return np.asarray(RectBivariateSpline(x, y, values)(points[:, 0], points[:, 1], grid=False))


HEAD_1D = "coordinates: [x]\nunknowns: u\n"
HEAD_2D = "coordinates: [x, y]\nunknowns: u\n"
SQUARE = "domain: {shape: box, x: [0, 1], y: [0, 1]}\n"
DISK = "domain: {shape: disk, center: [0, 0], radius: 1}\n"
UNIT_TIME = "time: {t: [0, 1]}\n"
INTERVAL = "domain: {shape: interval, x: [0, 1]}\n"

TABLE: dict[str, Case] = {
    "reaction_robin": Case(
        HEAD_2D + "domain: {shape: box, x: [0, 2], y: [0, 1]}\n"
        "family: {k: {base: 1, range: [0.1, 20]}}\n"
        "source: 10*exp(-20*((x-0.6)^2 + (y-0.5)^2))\n"
        'equations: ["-laplace(u) + k*u = source"]\n'
        "boundary:\n  - {on: [left, right], equation: u = 0}\n"
        "  - {on: [bottom, top], equation: dn(u) + 2*u = 0}\n",
        1e-5,
        _reaction_robin,
        named=True,
    ),
    "helmholtz_gauss": Case(
        HEAD_2D + SQUARE + "family: {k: {base: 2, range: [1, 4]}}\n"
        'equations: ["-laplace(u) - k^2*u = exp(-20*((x-0.4)^2 + (y-0.6)^2))"]\nboundary: ["u = 0"]\n',
        1e-6,
        _helmholtz_gauss,
        named=True,
    ),
    "heat_modes": Case(
        HEAD_1D + UNIT_TIME + INTERVAL + "family: {kappa: {base: 0.2, range: [0.1, 0.5]}}\n"
        "exact: exp(-kappa*pi^2*t)*sin(pi*x) + 0.5*exp(-9*kappa*pi^2*t)*sin(3*pi*x)\n"
        'equations: ["u_t = kappa*u_xx"]\nboundary: ["u = 0"]\n'
        'initial: ["u = sin(pi*x) + 0.5*sin(3*pi*x)"]\n',
        1e-5,
        named=True,
    ),
    "burgers_005": Case(
        HEAD_1D + UNIT_TIME + "domain: {shape: interval, x: [-1, 1]}\n"
        "family: {nu: {base: 0.05, range: [0.01, 0.1]}}\n"
        'equations: ["u_t + u*u_x = nu*u_xx"]\nboundary: ["u = 0"]\ninitial: ["u = -sin(pi*x)"]\n',
        1e-5,
        lambda points: burgers(points[:, 0], points[:, 1], 0.05),
        named=True,
    ),
    "cubic_piecewise": Case(
        HEAD_2D + SQUARE + "family: {beta: {base: 1, range: [0, 20]}}\n"
        'equations: ["-laplace(u) + beta*u^3 = where(x < 0.5 and y < 0.5, 20, 0)"]\nboundary: ["u = 0"]\n',
        1e-2,
        _cubic_piecewise,
        named=True,
    ),
    "reaction_layers": Case(
        HEAD_1D + INTERVAL + "family: {width: {base: 0.05, range: [0.02, 0.1]}}\n"
        "exact: 1 - cosh((x - 0.5)/width)/cosh(0.5/width)\n"
        'equations: ["-width^2*u_xx + u = 1"]\nboundary: ["u = 0"]\n'
    ),
    "bratu": Case(
        HEAD_1D
        + INTERVAL
        + "exact: -2*log(cosh((x - 0.5)*1.5171645990507543/2)/cosh(1.5171645990507543/4))\n"
        'equations: ["u_xx + exp(u) = 0"]\nboundary: ["u = 0"]\n'
    ),
    "square_harmonic": Case(
        HEAD_2D + "domain: {shape: box, x: [0, 1], y: [-1, 1]}\nexact: exp(2*x)*cos(2*y)\n"
        'equations: ["laplace(u) = 0"]\nboundary: ["u = exp(2*x)*cos(2*y)"]\n'
    ),
    "square_neumann": Case(
        HEAD_2D + SQUARE + "exact: cos(pi*x)*cos(2*pi*y)\n"
        'equations: ["-laplace(u) + u = (1 + 5*pi^2)*cos(pi*x)*cos(2*pi*y)"]\nboundary: ["dn(u) = 0"]\n'
    ),
    "square_cubic": Case(
        HEAD_2D + SQUARE + "exact: 4*x*(1 - x)*sin(pi*y)\n"
        'equations: ["-laplace(u) + u^3 = 8*sin(pi*y) + pi^2*4*x*(1 - x)*sin(pi*y)'
        ' + (4*x*(1 - x)*sin(pi*y))^3"]\n'
        'boundary: ["u = 0"]\n'
    ),
    "square_convection": Case(
        HEAD_2D + SQUARE + "definitions:\n  d: 0.1\n  w: x - (exp((x - 1)/d) - exp(-1/d))/(1 - exp(-1/d))\n"
        "exact: w*sin(pi*y)\n"
        'equations: ["-d*laplace(u) + u_x = sin(pi*y) + d*pi^2*w*sin(pi*y)"]\nboundary: ["u = 0"]\n'
    ),
    "cube_poisson": Case(
        "coordinates: [x, y, z]\nunknowns: u\ndomain: {shape: box, x: [0, 1], y: [0, 1], z: [0, 1]}\n"
        "exact: sin(pi*x)*sin(pi*y)*sin(2*pi*z)\n"
        'equations: ["-laplace(u) = 6*pi^2*sin(pi*x)*sin(pi*y)*sin(2*pi*z)"]\nboundary: ["u = 0"]\n'
    ),
    "disk_poisson": Case(
        HEAD_2D + DISK + "exact: (1 - x^2 - y^2)*exp(x)\n"
        'equations: ["-laplace(u) = exp(x)*(4 + 4*x - (1 - x^2 - y^2))"]\nboundary: ["u = 0"]\n'
    ),
    "disk_gelfand": Case(
        HEAD_2D + DISK + "definitions:\n  b: 0.3\nexact: 2*log((1 + b)/(1 + b*(x^2 + y^2)))\n"
        'equations: ["-laplace(u) = 8*b/(1 + b)^2*exp(u)"]\nboundary: ["u = 0"]\n'
    ),
    "ball_screened": Case(
        "coordinates: [x, y, z]\nunknowns: u\ndomain: {shape: ball, center: [0, 0, 0], radius: 1}\n"
        "definitions:\n  r: sqrt(x^2 + y^2 + z^2 + 1.0e-24)\nexact: sinh(4*r)/(r*sinh(4))\n"
        'equations: ["laplace(u) = 16*u"]\nboundary: ["u = 1"]\n'
    ),
    "heat_insulated": Case(
        HEAD_1D
        + UNIT_TIME
        + INTERVAL
        + "exact: 1 + exp(-0.1*pi^2*t)*cos(pi*x) + 0.3*exp(-0.4*pi^2*t)*cos(2*pi*x)\n"
        'equations: ["u_t = 0.1*u_xx"]\nboundary: ["dn(u) = 0"]\n'
        'initial: ["u = 1 + cos(pi*x) + 0.3*cos(2*pi*x)"]\n'
    ),
    "wave_string": Case(
        HEAD_1D + UNIT_TIME + INTERVAL + "exact: sin(pi*x)*cos(pi*t)\n"
        'equations: ["u_tt = u_xx"]\nboundary: ["u = 0"]\ninitial: ["u = sin(pi*x)", "u_t = 0"]\n'
    ),
    "fisher_front": Case(
        HEAD_1D + UNIT_TIME + "domain: {shape: interval, x: [-5, 10]}\nexact: 1/(1 + exp(x - 5*t))^2\n"
        'equations: ["u_t = u_xx + 6*u*(1 - u)"]\n'
        "boundary:\n  - {on: left, equation: u = 1/(1 + exp(-5 - 5*t))^2}\n"
        "  - {on: right, equation: u = 1/(1 + exp(10 - 5*t))^2}\n"
        'initial: ["u = 1/(1 + exp(x))^2"]\n'
    ),
    "moving_pulse": Case(
        HEAD_1D + UNIT_TIME + "domain: {shape: interval, x: [-2, 4]}\n"
        "exact: exp(-(x - 2*t)^2/(0.4 + 0.2*t))*sqrt(0.4/(0.4 + 0.2*t))\n"
        'equations: ["u_t + 2*u_x = 0.05*u_xx"]\n'
        "boundary:\n  - {on: left, equation: u = exp(-(2 + 2*t)^2/(0.4 + 0.2*t))*sqrt(0.4/(0.4 + 0.2*t))}\n"
        "  - {on: right, equation: u = exp(-(4 - 2*t)^2/(0.4 + 0.2*t))*sqrt(0.4/(0.4 + 0.2*t))}\n"
        'initial: ["u = exp(-x^2/0.4)"]\n'
    ),
    "disk_heat": Case(
        HEAD_2D + UNIT_TIME + DISK + "exact: exp(-t)*(1 - x^2 - y^2)*x + sin(2*t)*(1 - x^2 - y^2)\n"
        'equations: ["u_t - 0.2*laplace(u) = (1.6*exp(-t) - exp(-t)*(1 - x^2 - y^2))*x'
        ' + 2*cos(2*t)*(1 - x^2 - y^2) + 0.8*sin(2*t)"]\n'
        'boundary: ["u = 0"]\ninitial: ["u = (1 - x^2 - y^2)*x"]\n'
    ),
}


def solve(name: str, overrides: Sequence[str], seed: int, keep: Path | None) -> dict[str, Any]:
    """Train one problem in this process and judge it."""
    import torch

    import pinnkan
    from pinnkan.ground.machine import Compute
    from pinnkan.ground.progress import Silent
    from pinnkan.language.problem import load_problem
    from pinnkan.sweeps.options import TrainingOptions
    from pinnkan.workflows.pretrain import pretrain

    torch.set_num_threads(1)
    problem = load_problem(TABLE[name].text, name=name, overrides=overrides)
    with tempfile.TemporaryDirectory() as scratch:
        directory = keep / name if keep else Path(scratch)
        before = resource.getrusage(resource.RUSAGE_SELF)
        options = TrainingOptions(seed, force=True, compute=Compute(dtype="float64", threads=1))
        result = pretrain(Family(problem), directory, options, Silent())
        after = resource.getrusage(resource.RUSAGE_SELF)
        solution = pinnkan.load(directory).at()
        points = Family(problem).at().domain.uniform(POINTS, POINT_SEED)
        psi = np.asarray(solution(points))
    judge = TABLE[name].judge
    (exact,) = Family(problem).at().exact(points).values() if judge is None else (judge(points),)
    u = np.asarray(exact)
    report = result.report
    return {
        "name": name,
        "error": float(np.linalg.norm(psi - u) / np.linalg.norm(u)),
        "cpu": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1),
        **{key: report[key] for key in REPORTED},
        "seed": seed,
    }


def main() -> None:
    """Run the problems asked for, each in a process of its own, and sum up."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default=",".join(TABLE), help="names, separated by commas")
    parser.add_argument("--set", action="append", default=[], dest="overrides", metavar="KEY=VALUE")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="problems at a time")
    parser.add_argument("--json", type=Path, metavar="FILE", help="append the lines to FILE")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the run directories")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    names = options.only.split(",")
    if options.worker:
        print(json.dumps(solve(names[0], options.overrides, options.seed, options.keep)), flush=True)
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(options.jobs) as pool:
        rows = [row for row in pool.map(lambda name: _in_a_process(name, options), names) if row]
    for title, of_kind in (("named", True), ("our own", False)):
        chosen = [row for row in rows if TABLE[row["name"]].named == of_kind]
        if chosen:
            good = sum(row["error"] <= TABLE[row["name"]].limit for row in chosen)
            middle = statistics.median(row["error"] for row in chosen)
            print(f"{title}: {good} of {len(chosen)} within their limits, median error {middle:.1e}")


def _in_a_process(name: str, options: argparse.Namespace) -> dict[str, Any] | None:
    command = [sys.executable, __file__, "--worker", "--only", name, "--seed", str(options.seed)]
    command += ["--keep", str(options.keep)] if options.keep else []
    for text in options.overrides:
        command += ["--set", text]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{name}: {done.stderr.strip().splitlines()[-1:]}", flush=True)
        return None
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(json.dumps(row), flush=True)
    if options.json:
        with options.json.open("a") as file:
            file.write(json.dumps(row | {"set": options.overrides}) + "\n")
    return row


if __name__ == "__main__":
    main()

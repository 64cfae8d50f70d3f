"""Kovasznay's flow by Taylor-Hood finite elements (scikit-fem): relative L2 errors against seconds.

Triangles on a tensor mesh, continuous velocity of degree k and pressure of degree k - 1, Newton's method from
the boundary data until a step moves nothing by more than 1e-10, SciPy's sparse direct solver. One vertex
fixes the pressure, which is compared after its mean is taken out. Everything is counted: mesh, numbering,
assembly and factorisation of every step; measuring is not. Seconds are those of the processor, on one thread;
errors are those on 20,000 seeded points of the box.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import scipy.sparse as sparse
from common import POINT_SEED, POINTS, begin, error_text, finish, integers, numbers, parser, table, time_text
from scipy.sparse.linalg import splu
from skfem import (
    Basis,
    BilinearForm,
    ElementTriP1,
    ElementTriP2,
    ElementTriP3,
    ElementTriP4,
    ElementVector,
    LinearForm,
    MeshTri,
)
from skfem.helpers import ddot, div, dot, grad, mul

LOW, HIGH = np.array([-0.5, -0.5]), np.array([1.0, 1.5])
ELEMENTS = {1: ElementTriP1, 2: ElementTriP2, 3: ElementTriP3, 4: ElementTriP4}
_NEWTON_TOLERANCE = 1e-10
_NEWTON_STEPS = 20


def exact(x: np.ndarray, y: np.ndarray, reynolds: float) -> np.ndarray:
    """Return u, v and p up to a constant (Kovasznay, Proc. Camb. Phil. Soc. 44, 1948), shape (3, ...)."""
    a = reynolds / 2 - np.sqrt(reynolds**2 / 4 + 4 * np.pi**2)
    wave = np.exp(a * x)
    u, v = 1 - wave * np.cos(2 * np.pi * y), a / (2 * np.pi) * wave * np.sin(2 * np.pi * y)
    return np.stack([u, v, -(wave**2) / 2])


@BilinearForm
def _momentum(u, v, w):  # type: ignore[no-untyped-def]
    # Newton's step written for the new velocity: U.grad U ~ U0.grad U + U.grad U0 - U0.grad U0.
    transport = mul(grad(u), w.now) + mul(grad(w.now), u)
    return ddot(grad(u), grad(v)) / w.reynolds + dot(transport, v)


@BilinearForm
def _continuity(u, q, _):  # type: ignore[no-untyped-def]
    return -div(u) * q


@LinearForm
def _known(v, w):  # type: ignore[no-untyped-def]
    return dot(mul(grad(w.now), w.now), v)


@dataclass(frozen=True)
class Row:
    """One mesh.

    Attributes:
        degree: Of the velocity.
        cells: Along every side, each cut into two triangles.
        unknowns: Size of the linear systems.
        steps: Of Newton's method.
        seconds: Processor time from the mesh to the last step, the least of the repeats.
        errors: Relative L2 of u, v and p.
    """

    degree: int
    cells: int
    unknowns: int
    steps: int
    seconds: float
    errors: tuple[float, float, float]


def solve(degree: int, cells: int, reynolds: float) -> tuple[Basis, Basis, np.ndarray, int]:
    """Return the bases of velocity and pressure, the coefficients of both, and the number of steps."""
    axes = (np.linspace(low, high, cells + 1) for low, high in zip(LOW, HIGH, strict=True))
    mesh = MeshTri.init_tensor(*axes)
    flow = Basis(mesh, ElementVector(ELEMENTS[degree]()), intorder=3 * degree - 1)
    pressure = flow.with_element(ELEMENTS[degree - 1]())
    fixed = np.append(flow.get_dofs().all(), flow.N)  # the last: the pressure at one vertex
    free = np.setdiff1d(np.arange(flow.N + pressure.N), fixed)
    now = np.zeros(flow.N + pressure.N)
    now[fixed[:-1]] = _boundary_values(flow, reynolds)
    divergence = _continuity.assemble(flow, pressure)
    for step in range(1, _NEWTON_STEPS + 1):
        data = {"now": flow.interpolate(now[: flow.N]), "reynolds": reynolds}
        momentum = _momentum.assemble(flow, **data)
        matrix = sparse.bmat([[momentum, divergence.T], [divergence, None]], format="csr")
        right = np.concatenate([_known.assemble(flow, **data), np.zeros(pressure.N)])
        rows = matrix[free]
        values = splu(rows[:, free].tocsc()).solve(right[free] - rows[:, fixed] @ now[fixed])
        moved = np.abs(values - now[free]).max()
        now[free] = values
        if moved < _NEWTON_TOLERANCE:
            return flow, pressure, now, step
    raise RuntimeError(f"Newton's method has not converged in {_NEWTON_STEPS} steps")


def _boundary_values(flow: Basis, reynolds: float) -> np.ndarray:
    """Return the exact velocity at the boundary's nodes, component by component as they are numbered."""
    nodes = flow.get_dofs().all()
    data = exact(*flow.doflocs[:, nodes], reynolds)
    second = np.zeros(flow.N, dtype=bool)
    dofs = flow.get_dofs().all([name for name in flow.elem.dofnames if name.endswith("^2")])
    second[dofs] = True
    return np.where(second[nodes], data[1], data[0])


def errors_of(
    flow: Basis, pressure: Basis, values: np.ndarray, reynolds: float
) -> tuple[float, float, float]:
    """Return the relative L2 errors of u, v and p on seeded points, p less its mean on both sides."""
    points = np.random.default_rng(POINT_SEED).uniform(LOW, HIGH, (POINTS, 2)).T
    velocity = (flow.probes(points) @ values[: flow.N]).reshape(2, -1)
    found = np.vstack([velocity, pressure.probes(points) @ values[flow.N :]])
    expected = exact(*points, reynolds)
    for field in (found, expected):
        field[2] -= field[2].mean()
    u, v, p = np.linalg.norm(found - expected, axis=1) / np.linalg.norm(expected, axis=1)
    return float(u), float(v), float(p)


def timed(work: Callable[[], tuple[Basis, Basis, np.ndarray, int]], repeats: int) -> tuple[float, tuple]:
    """Return the least processor time of several calls, and what the last returned."""
    taken = []
    for _ in range(repeats):
        started = time.process_time()
        made = work()
        taken.append(time.process_time() - started)
    return min(taken), made


def measure(degree: int, cells: int, reynolds: float, repeats: int) -> Row:
    """Solve on one mesh, and measure."""
    seconds, (flow, pressure, values, steps) = timed(lambda: solve(degree, cells, reynolds), repeats)
    errors = errors_of(flow, pressure, values, reynolds)
    return Row(degree, cells, int(flow.N + pressure.N), steps, seconds, errors)


def main() -> None:
    """Run it."""
    options = read_options()
    record = begin("Kovasznay's flow by Taylor-Hood finite elements", options)
    for reynolds in options.reynolds:
        rows = [
            measure(degree, intervals // degree, reynolds, options.repeats)
            for degree in options.degrees
            for intervals in options.intervals
        ]
        print(f"Re = {reynolds:g}\n")
        lines = [
            [
                f"P{row.degree}-P{row.degree - 1}, {row.cells} x {row.cells} x 2",
                str(row.unknowns),
                str(row.steps),
                time_text(row.seconds),
                *map(error_text, row.errors),
            ]
            for row in rows
        ]
        print(table(["elements", "unknowns", "Newton steps", "CPU s", "u", "v", "p"], lines), end="\n\n")
        record[f"Re = {reynolds:g}"] = [asdict(row) for row in rows]
    finish(record, options.json)


def read_options() -> argparse.Namespace:
    """Read the command line."""
    made = parser(__doc__, threads=1)
    made.add_argument("--reynolds", type=numbers, default=[40.0], help="Reynolds numbers, 40,80")
    made.add_argument("--degrees", type=integers, default=[2, 4], help="of the velocity, 2 to 4")
    made.add_argument(
        "--intervals", type=integers, default=[16, 32, 64, 96], help="between the nodes of a side"
    )
    made.add_argument("--repeats", type=int, default=2, help="of every timing (default %(default)s)")
    options = made.parse_args()
    if options.quick:
        options.intervals, options.repeats = [8, 16], 1
    return options


if __name__ == "__main__":
    main()

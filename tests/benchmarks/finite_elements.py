"""The paper's families by scikit-fem beside pinnkan, at equal error on the same points.

Quadratic triangles on a curved mesh of the disk, SciPy's direct solver, everything counted:
mesh, assembly, factorisation, all Newton and time steps. Elliptic: Newton from zero. Allen-Cahn: BDF2
with the cubic term extrapolated, diffusion and -u implicit. Hyperbolic: the trapezoidal rule. Linear
systems of the last two are factorised once. Errors are relative L2 over the 20,000 points of
`pinnkan evaluate` (space-time points: cubic interpolation between stored time steps).

pinnkan trains a base and an adapter by the shipped recipe; beside each stands what finite elements need
for the same error: meshes come in factors of two only, so cost over error is interpolated on
logarithms between two of them.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from statistics import median

import numpy as np
import scipy.sparse as sparse
from common import (
    POINT_SEED,
    POINTS,
    begin,
    error_text,
    finish,
    integers,
    parser,
    problem,
    table,
    time_text,
    trained_curve,
    words,
)
from radial import elliptic_source, shape
from scipy.sparse.linalg import splu, spsolve
from scipy.spatial import cKDTree
from skfem import Basis, BilinearForm, ElementTriP2, LinearForm, MeshTri1, MeshTri2, condense
from skfem.helpers import dot, grad
from skfem.mapping import MappingAffine

from pinnkan.physics.family import Family

_NEWTON_TOLERANCE = 1e-10
_LONG = 5.0
"""Seconds above which a solve is timed once."""


@dataclass(frozen=True)
class Solution:
    """Nodal values at one or all time steps.

    Attributes:
        basis: Of the finite elements.
        values: (steps + 1, DOF); one row for a stationary problem.
        seconds: Mesh to last step.
    """

    basis: Basis
    values: np.ndarray
    seconds: float

    def at(self, points: np.ndarray) -> np.ndarray:
        """Return u at points (N, 2), or (N, 3) with time in [0, 1] first."""
        cells, weights = locate(self.basis, points[:, -2:])
        nodes = self.basis.element_dofs[:, cells].T
        if len(self.values) == 1:
            return (weights * self.values[0][nodes]).sum(axis=1)
        first, lagrange = cubic_in_time(points[:, 0], len(self.values) - 1)
        return np.asarray(
            sum(
                lagrange[:, at] * (weights * self.values[(first + at)[:, None], nodes]).sum(axis=1)
                for at in range(4)
            )
        )


def locate(basis: Basis, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the triangle of every point (N,) and its six functions there (N, 6).

    The triangle is the one of the straight-sided mesh that contains the point, or fails to by
    least: near the circle the curved side bulges out of it.
    """
    mesh = basis.mesh
    straight = MeshTri1(mesh.p, mesh.t[:3])
    centres = straight.p[:, straight.t].mean(axis=1).T
    count = min(12, centres.shape[0])
    near = cKDTree(centres).query(points, count)[1]
    repeated = np.repeat(points, count, axis=0).T[:, :, None]
    local = MappingAffine(straight).invF(repeated, tind=near.ravel())[..., 0]
    depth = np.minimum(local.min(axis=0), 1.0 - local.sum(axis=0)).reshape(-1, count)
    cells = near[np.arange(len(points)), depth.argmax(axis=1)]
    place = basis.mapping.invF(points.T[:, :, None], tind=cells)
    functions = [
        basis.elem.gbasis(basis.mapping, place, at, tind=cells)[0].value[:, 0] for at in range(basis.Nbfun)
    ]
    return cells, np.stack(functions, axis=1)


def cubic_in_time(t: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first of four neighbouring steps (N,) and Lagrange weights (N, 4) at times in [0, 1]."""
    first = np.clip(np.floor(t * steps).astype(int) - 1, 0, steps - 3)
    s = t * steps - first
    weights = [
        np.prod([(s - other) / (at - other) for other in range(4) if other != at], axis=0) for at in range(4)
    ]
    return first, np.stack(weights, axis=1)


@BilinearForm
def _mass(u, v, _):  # type: ignore[no-untyped-def]
    return u * v


@BilinearForm
def _stiffness(u, v, _):  # type: ignore[no-untyped-def]
    return dot(grad(u), grad(v))


@BilinearForm
def _newton_matrix(u, v, w):  # type: ignore[no-untyped-def]
    return (1.0 + 0.5 * w.r2) * dot(grad(u), grad(v)) + 2.0 * dot(grad(w.now), grad(u)) * v


@LinearForm
def _newton_right(v, w):  # type: ignore[no-untyped-def]
    # Newton's step written for the new iterate: |grad u|^2 ~ 2 grad u0 . grad u - |grad u0|^2.
    return (w.source + dot(grad(w.now), grad(w.now))) * v


def disk(refinements: int) -> Basis:
    """Return quadratic elements on the disk."""
    return Basis(MeshTri2.init_circle(refinements), ElementTriP2(), intorder=4)


def radius(basis: Basis) -> np.ndarray:
    """Return r at the quadrature points, (triangles, points)."""
    x = basis.global_coordinates().value
    distance: np.ndarray = np.sqrt(x[0] ** 2 + x[1] ** 2)
    return distance


def elliptic(refinements: int, _: int, value: float) -> Solution:
    """Solve by Newton's method from zero."""
    started = time.perf_counter()
    basis = disk(refinements)
    r = radius(basis)
    source = elliptic_source(r, value)
    fixed = basis.get_dofs()
    now = np.zeros(basis.N)
    for _step in range(20):
        data = {"now": basis.interpolate(now), "source": source, "r2": r**2}
        system = condense(
            _newton_matrix.assemble(basis, **data), _newton_right.assemble(basis, **data), D=fixed
        )
        matrix, right, _whole, inner = system
        new = np.zeros(basis.N)
        new[inner] = spsolve(matrix.tocsc(), right)
        moved = np.abs(new - now).max()
        now = new
        if moved < _NEWTON_TOLERANCE:
            break
    return Solution(basis, now[None], time.perf_counter() - started)


@dataclass(frozen=True)
class Discrete:
    """Mass, stiffness and quadrature of the disk with u = 0 on the circle, on the inner nodes."""

    basis: Basis
    inner: np.ndarray
    mass: sparse.csc_matrix
    stiffness: sparse.csc_matrix
    integrate: sparse.csr_matrix
    """Values at all quadrature points to the load vector."""
    interpolate: sparse.csr_matrix
    """Inner nodal values to all quadrature points."""

    @classmethod
    def of(cls, basis: Basis) -> Discrete:
        """Assemble once."""
        inner = basis.complement_dofs(basis.get_dofs())
        triangles, quadrature = basis.dx.shape
        columns = np.arange(triangles * quadrature)
        values = [np.broadcast_to(basis.basis[at][0].value, basis.dx.shape) for at in range(basis.Nbfun)]
        rows = [np.repeat(basis.element_dofs[at], quadrature) for at in range(basis.Nbfun)]
        shape_ = (basis.N, columns.size)
        plain = sparse.coo_matrix(
            (
                np.concatenate([v.ravel() for v in values]),
                (np.concatenate(rows), np.tile(columns, basis.Nbfun)),
            ),
            shape=shape_,
        ).tocsr()[inner]
        mass = _mass.assemble(basis)[inner][:, inner].tocsc()
        stiffness = _stiffness.assemble(basis)[inner][:, inner].tocsc()
        weighted = (plain @ sparse.diags(basis.dx.ravel())).tocsr()
        return cls(basis, inner, mass, stiffness, weighted, plain.T.tocsr())

    def nodal(self, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Return a radial function at the inner nodes."""
        x = self.basis.doflocs[:, self.inner]
        return function(np.sqrt(x[0] ** 2 + x[1] ** 2))

    def padded(self, rows: Sequence[np.ndarray]) -> np.ndarray:
        """Return (steps + 1, DOF) with zeros on the circle."""
        whole = np.zeros((len(rows), self.basis.N))
        whole[:, self.inner] = rows
        return whole


def allen_cahn(refinements: int, steps: int, value: float) -> Solution:
    """Solve u_t - laplace(u) - u + u^3 = f by BDF2, the first step by backward Euler."""
    started = time.perf_counter()
    discrete = Discrete.of(disk(refinements))
    w, _, laplacian = shape(radius(discrete.basis).ravel(), value)
    dt = 1.0 / steps

    def load(t: float) -> np.ndarray:
        decay = np.exp(-t)
        return decay * (-2.0 * w - laplacian) + (decay * w) ** 3

    implicit = discrete.stiffness - discrete.mass
    euler = splu((discrete.mass / dt + implicit).tocsc())
    bdf = splu((1.5 * discrete.mass / dt + implicit).tocsc())
    rows = [discrete.nodal(lambda r: shape(r, value)[0])]
    for step in range(1, steps + 1):
        guess = rows[-1] if step == 1 else 2.0 * rows[-1] - rows[-2]
        right = discrete.integrate @ (load(step * dt) - (discrete.interpolate @ guess) ** 3)
        if step == 1:
            rows.append(euler.solve(right + discrete.mass @ rows[-1] / dt))
        else:
            rows.append(bdf.solve(right + discrete.mass @ (2.0 * rows[-1] - 0.5 * rows[-2]) / dt))
    return Solution(discrete.basis, discrete.padded(rows), time.perf_counter() - started)


def hyperbolic(refinements: int, steps: int, value: float) -> Solution:
    """Solve u_tt - laplace(u) = f by the trapezoidal rule for (u, u_t), from rest at zero."""
    started = time.perf_counter()
    discrete = Discrete.of(disk(refinements))
    w, _, laplacian = shape(radius(discrete.basis).ravel(), value)
    dt = 1.0 / steps
    constant, moving = discrete.integrate @ w, discrete.integrate @ laplacian

    def load(t: float) -> np.ndarray:
        growth = np.exp(t * t)
        return (2.0 + 4.0 * t * t) * growth * constant - (growth - 1.0) * moving

    system = splu((discrete.mass + 0.25 * dt**2 * discrete.stiffness).tocsc())
    u = velocity = np.zeros(len(discrete.inner))
    rows = [u]
    for step in range(steps):
        forces = 0.5 * (load(step * dt) + load((step + 1) * dt))
        # With u+ = u + dt/2 (v + v+): (M + dt^2/4 K) (v + v+)/2 = M v + dt/2 (f - K u).
        mean = system.solve(discrete.mass @ velocity + 0.5 * dt * (forces - discrete.stiffness @ u))
        u = u + dt * mean
        velocity = 2.0 * mean - velocity
        rows.append(u)
    return Solution(discrete.basis, discrete.padded(rows), time.perf_counter() - started)


SOLVERS: dict[str, Callable[[int, int, float], Solution]] = {
    "elliptic": elliptic,
    "allen_cahn": allen_cahn,
    "hyperbolic": hyperbolic,
}
LADDERS = {
    "elliptic": ((2, 0), (3, 0), (4, 0), (5, 0), (6, 0)),
    "allen_cahn": ((3, 40), (4, 150), (5, 500), (6, 1200)),
    "hyperbolic": ((3, 40), (4, 100), (5, 300), (6, 1000)),
}
"""Refinements of the mesh and time steps, chosen so that both errors are of one size."""


@dataclass(frozen=True)
class Rung:
    """One finite element solution, measured."""

    family: str
    value: float
    unknowns: int
    steps: int
    seconds: float
    relative_l2: float
    numbers: int
    """Stored to evaluate it at any time."""


@dataclass(frozen=True)
class Trained:
    """One pinnkan result: medians over seeds."""

    family: str
    value: float
    method: str
    seconds: float
    relative_l2: float
    numbers: int


def climb(family: str, value: float, repeats: int, most: int) -> list[Rung]:
    """Solve on every mesh of the ladder."""
    instance = Family(problem(family)).at({"lambda": value})
    points = instance.domain.uniform(POINTS, POINT_SEED)
    (exact,) = instance.exact(points).values()
    rungs = []
    for refinements, steps in LADDERS[family][:most]:
        solve = partial(SOLVERS[family], refinements, steps, value)
        solutions = [solve()]
        if solutions[0].seconds < _LONG:
            solutions += [solve() for _ in range(repeats - 1)]
        found = solutions[-1]
        error = float(np.linalg.norm(found.at(points) - exact) / np.linalg.norm(exact))
        seconds = median(one.seconds for one in solutions)
        rungs.append(Rung(family, value, found.basis.N, steps, seconds, error, found.values.size))
    return rungs


def train(family: str, value: float, options: argparse.Namespace) -> list[Trained]:
    """Train base (where ``value`` is the base's) or adapter by the shipped recipe, a network a seed."""
    small = ["points.interior=200", "finetuning.points=300"] if options.quick else []
    limit = 1.0 if options.quick else None
    shipped = problem(family, small)
    found: dict[str, list[tuple[float, float, int]]] = {}
    for seed in options.seeds:
        base, curve = trained_curve(shipped, shipped.base_values, seed=seed, time_limit=limit)
        found.setdefault("base", []).append(
            (curve.total, curve.final, sum(c.numel() for c in base.coefficients()))
        )
        adapter, curve = trained_curve(
            shipped, {"lambda": value}, seed=seed, base=base.coefficients(), time_limit=limit
        )
        found.setdefault("adapter", []).append((curve.total, curve.final, adapter.parameters.size))
        print(f"  {family}, seed {seed}: trained", file=sys.stderr, flush=True)
    return [
        Trained(
            family,
            shipped.base_values["lambda"] if method == "base" else value,
            method,
            median(seconds for seconds, _, _ in group),
            median(error for _, error, _ in group),
            group[0][2],
        )
        for method, group in found.items()
    ]


def ladder_rows(rungs: Sequence[Rung]) -> Iterator[list[str]]:
    """Give one row a mesh."""
    for one in rungs:
        yield [
            f"{one.family}, lambda = {one.value:g}",
            str(one.unknowns),
            str(one.steps) if one.steps else "-",
            error_text(one.relative_l2),
            time_text(one.seconds),
            str(one.numbers),
        ]


def at_error(ladder: Sequence[Rung], error: float) -> tuple[float, float, float] | None:
    """Return DOF, seconds and stored numbers for an error, None if no mesh of the ladder is that accurate.

    Above the coarsest mesh's error it is the coarsest mesh.
    """
    if not ladder or error < ladder[-1].relative_l2:
        return None
    errors = [-np.log(rung.relative_l2) for rung in ladder]
    costs = [[rung.unknowns, rung.seconds, rung.numbers] for rung in ladder]
    unknowns, seconds, count = np.exp(
        [np.interp(-np.log(error), errors, np.log(column)) for column in zip(*costs, strict=True)]
    )
    return unknowns, seconds, count


def comparison_rows(trained: Sequence[Trained], rungs: Sequence[Rung]) -> Iterator[list[str]]:
    """Put finite elements of the same error beside every network."""
    for one in trained:
        ladder = [rung for rung in rungs if (rung.family, rung.value) == (one.family, one.value)]
        equal = at_error(ladder, one.relative_l2)
        mine = [error_text(one.relative_l2), time_text(one.seconds), str(one.numbers)]
        theirs = ["-"] * 4
        if equal is not None:
            unknowns, seconds, count = equal
            ratio = one.seconds / seconds
            theirs = [f"{unknowns:.0f}", time_text(seconds), f"{count:.0f}", f"{time_text(ratio)}x"]
        yield [f"{one.family} {one.method}, lambda = {one.value:g}", *mine, *theirs]


def main() -> None:
    """Run it."""
    options = read_options()
    record = begin("Finite elements (scikit-fem) at equal error", options)
    rungs, trained = [], []
    for family in options.families:
        for value in (0.0, options.value):
            rungs += climb(family, value, 1 if options.quick else options.repeats, options.rungs)
        trained += [] if options.no_networks else train(family, options.value, options)
    header = ["scikit-fem", "DOF", "time steps", "relative_l2", "seconds", "stored numbers"]
    print(table(header, ladder_rows(rungs)))
    if trained:
        print(f"\nAt equal error; pinnkan: medians of seeds {options.seeds}, an adapter's base not counted\n")
        header = [
            "pinnkan",
            "relative_l2",
            "seconds",
            "numbers",
            "FEM DOF",
            "FEM seconds",
            "FEM numbers",
            "FEM is faster",
        ]
        print(table(header, comparison_rows(trained, rungs)))
    record["finite_elements"] = [asdict(one) for one in rungs]
    record["pinnkan"] = [asdict(one) for one in trained]
    finish(record, options.json)


def read_options() -> argparse.Namespace:
    """Read the command line."""
    made = parser(__doc__)
    made.add_argument("--families", type=words, default=list(SOLVERS))
    made.add_argument("--seeds", type=integers, default=[0, 1, 2])
    made.add_argument("--value", type=float, default=1.0, help="lambda of the adapter (default %(default)s)")
    made.add_argument("--repeats", type=int, default=5, help="finite element runs for a median")
    made.add_argument("--rungs", type=int, default=9, help="so many meshes of each ladder at most")
    made.add_argument("--no-networks", action="store_true", help="finite elements alone")
    options = made.parse_args()
    if options.quick:
        options.seeds, options.rungs = [0], min(options.rungs, 2)
    return options


if __name__ == "__main__":
    main()

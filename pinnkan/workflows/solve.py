"""``pinnkan solve``: answers at any parameter value from a family file alone."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from pinnkan.ground.errors import UsageError
from pinnkan.language.parameters import complete_values, file_stem, shortest_text
from pinnkan.language.problem import Problem
from pinnkan.physics.instance import Instance
from pinnkan.reduction import (
    field_root,
    network_residual,
    network_solution,
    online_points,
    outside,
    rows_of,
    stacked,
    values_of,
)
from pinnkan.solutions.fields import checked_points
from pinnkan.storage.runs.paths import FAMILY
from pinnkan.storage.runs.reduced_basis import StoredReducedBasis, read_family
from pinnkan.workflows.family import largest, relative_errors

FloatArray = NDArray[np.float64]

_CHUNK = 1 << 24
"""Numbers of solutions held at a time."""


@dataclass(frozen=True)
class Answers:
    """Answers at L parameter values.

    Attributes:
        stored: The reduced basis that they come from.
        values: Parameter values, one mapping each.
        coefficients: In the orthonormal basis, NaN where the base answers, shape (L, k).
        estimates: Of the relative L2 error, the largest over the unknowns; infinite where Gauss-Newton did
            not end, shape (L,).
        outside: Whether a value lies outside the trained range, shape (L,).
        by_base: Whether the base answers: at its own value, where the basis has no adapter, shape (L,).
        seconds: Wall time of coefficients and estimates.
    """

    stored: StoredReducedBasis
    values: Sequence[Mapping[str, float]]
    coefficients: FloatArray
    estimates: FloatArray
    outside: NDArray[np.bool_]
    by_base: NDArray[np.bool_]
    seconds: float

    @property
    def rows(self) -> FloatArray:
        """Parameter values, shape (L, P)."""
        return rows_of(self.stored.ranges, self.values)

    @property
    def doubtful(self) -> NDArray[np.bool_]:
        """Which values are outside the range or estimated above the tolerance, shape (L,).

        Outside the range the base is no extrapolation at its own value.
        """
        extrapolated = self.outside & ~self.by_base
        found: NDArray[np.bool_] = extrapolated | ~(self.estimates <= self.stored.tolerance)
        return found

    def method(self, at: int) -> str:
        """Return ``base`` or ``reduced basis``: what answers at one of the values."""
        return "base" if self.by_base[at] else "reduced basis"

    @property
    def reference(self) -> Instance:
        """An instance with the family's domain."""
        return self.stored.model.ansatz.reference

    def solutions(self, points: FloatArray) -> FloatArray:
        """Return all solutions at points (N, D), shape (L, U, N)."""
        parts = list(self.chunks(points))
        return np.concatenate(parts) if parts else np.zeros((0, len(self.reference.ansatzes), len(points)))

    def chunks(self, points: FloatArray) -> Iterator[FloatArray]:
        """Yield the rows of `solutions` a few at a time."""
        basis, ansatz = self.stored.fields(points), self.stored.model.ansatz
        values = values_of(len(basis), points.shape[1])
        lift = None if ansatz.lift_is_zero else ansatz.lift(points, values)
        step = max(1, _CHUNK // max(1, len(basis) * len(points)))
        rows = self.rows
        for at in range(0, len(rows), step):
            u = np.stack([self.coefficients[at : at + step] @ own for own in basis], axis=1)
            u = u if lift is None else u + lift(rows[at : at + step]).swapaxes(0, 1)
            for row in np.flatnonzero(self.by_base[at : at + step]):
                u[row] = self._of_base(rows[at + row], points)
            yield u

    def errors(self) -> dict[str, FloatArray] | None:
        """Return relative L2 errors against the exact formulas by unknown, (L,) each; None without a formula.

        NaN where a formula is zero all over. They are measured on all the points that the basis was made
        on, not on those few that the file keeps.
        """
        if not self.stored.problem.exact:
            return None
        place = online_points(self.reference)[0]
        root = field_root(place.weights, self.reference.scales)
        parts = [stacked(part.swapaxes(0, 1)) * root for part in self.chunks(place.points)]
        return relative_errors(self.stored.model.ansatz, place, self.rows, np.concatenate(parts))

    def _of_base(self, values: FloatArray, points: FloatArray) -> FloatArray:
        stored = self.stored
        return network_solution(
            stored.model.ansatz,
            stored.network,
            stored.base,
            values,
            points,
            constants=stored.constant_of_base,
        )

    def complaint(self, directory: str) -> str | None:
        """Say which values are doubtful and what would help; None if none is."""
        doubtful = np.flatnonzero(self.doubtful)
        if not len(doubtful):
            return None
        worst = doubtful[np.argsort(-self.estimates[doubtful], kind="stable")][:3]
        what = "; ".join(self._doubt(int(at)) for at in worst)
        more = f"; and {len(doubtful) - 3} more" if len(doubtful) > 3 else ""
        options = " ".join(f"--param {n}={shortest_text(v)}" for n, v in self.values[int(worst[0])].items())
        return f"{what}{more}; 'pinnkan finetune {directory} {options}' trains an adapter there"

    def _doubt(self, at: int) -> str:
        name, estimate = file_stem(self.values[at]), self.estimates[at]
        if self.outside[at] and not self.by_base[at]:
            box = ", ".join(f"{r.name} {r.low:.12g}:{r.high:.12g}" for r in self.stored.ranges)
            return f"{name} is outside the trained range ({box}), estimate {estimate:.2e}"
        return f"{name}: the estimate {estimate:.2e} exceeds the tolerance {self.stored.tolerance:.2g}"


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep torch to one thread: arrays fit a core's cache, and more threads would wait for each other.

    `limited_threads` looks up the BLAS libraries as well, which takes longer than an answer.
    """
    former = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(former)


class ReducedBasis:
    """A reduced basis: any parameter value of its range in a fraction of a millisecond.

    Made by :meth:`load` from the file that ``pinnkan family`` wrote; neither the base nor the adapters are
    opened.

    Examples:
        >>> import pinnkan
        >>> basis = pinnkan.ReducedBasis.load("runs/elliptic")
        >>> u = basis.solve(0.37)
        >>> u.estimate
        3.1e-05
        >>> u([[0.0, 0.0], [0.5, 0.0]])
        array([1.37000..., 0.53...])
    """

    def __init__(self, stored: StoredReducedBasis) -> None:
        self._stored = stored

    @classmethod
    def load(cls, path: str | Path) -> ReducedBasis:
        """Read ``family.h5``, given as a file or as the run directory that holds it.

        Raises:
            UsageError: If there is none.
            DamagedFileError: If it is damaged or foreign.
        """
        place = Path(path)
        return cls(read_family(place / FAMILY if place.is_dir() else place))

    @property
    def problem(self) -> Problem:
        """The problem."""
        return self._stored.problem

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """Low and high end of every parameter's trained range."""
        return {one.name: (one.low, one.high) for one in self._stored.ranges}

    @property
    def tolerance(self) -> float:
        """The tolerance it was made for."""
        return self._stored.tolerance

    def solve(self, values: float | Mapping[str, float] | None = None) -> ReducedSolution:
        """Return the solution at one parameter value.

        Args:
            values: A number for a family of one parameter; numbers by name, where a parameter left out
                keeps its base value.

        Raises:
            UsageError: If a name is unknown or a value not finite.
            PinnkanError: If the problem's data have no finite value at this parameter value.
        """
        return ReducedSolution(self.solve_all([values]))

    def solve_all(self, values: Sequence[float | Mapping[str, float] | None]) -> Answers:
        """Return the answers at many parameter values at once.

        Raises:
            UsageError: If there is no value, a name is unknown or a value not finite.
            PinnkanError: If the problem's data have no finite value at one of them.
        """
        stored = self._stored
        if not len(values):
            raise UsageError("which parameter values? Give at least one")
        complete = [complete_values(stored.problem.parameters, one) for one in values]
        rows = rows_of(stored.ranges, complete)
        started = time.perf_counter()
        with _one_thread():
            found = stored.model.solve(rows)
            by_base, residual = self._by_base(rows)
        estimates = np.where(found.converged, stored.factor * found.residual, np.inf)
        estimates[by_base], found.c[by_base] = stored.factor * residual, np.nan
        seconds = time.perf_counter() - started
        return Answers(stored, complete, found.c, estimates, outside(stored.ranges, rows), by_base, seconds)

    def _by_base(self, rows: FloatArray) -> tuple[NDArray[np.bool_], float]:
        """Tell which of parameter values (L, P) are the base's, and how large its relative residual is.

        None are if the basis has an adapter of that value.
        """
        stored = self._stored
        (own,) = rows_of(stored.ranges, [stored.problem.base_values])
        model = stored.model
        by_base: NDArray[np.bool_] = (rows == own).all(axis=1) & ~(model.basis.known == own).all(axis=1).any()
        if not by_base.any():
            return by_base, 0.0
        places = [block.place for block in model.blocks]
        taken = stored.constant_of_base
        return by_base, network_residual(
            model.ansatz, stored.network, stored.base, own, places, constants=taken
        )

    def __repr__(self) -> str:
        return f"<pinnkan reduced basis {self.problem.name}: {self._stored.path}>"


class ReducedSolution:
    """The solution at one parameter value, a function of points; made by :meth:`ReducedBasis.solve`."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    @cached_property
    def values(self) -> dict[str, float]:
        """Parameter values by name."""
        return dict(self._answers.values[0])

    @property
    def coefficients(self) -> FloatArray:
        """Coefficients in the orthonormal basis, shape (k,); NaN where the base answers."""
        coefficients: FloatArray = self._answers.coefficients[0]
        return coefficients

    @property
    def estimate(self) -> float:
        """Estimate, not a bound, of the relative L2 error; of several unknowns of the largest."""
        return float(self._answers.estimates[0])

    @property
    def is_trusted(self) -> bool:
        """Whether the value is inside the trained range and the estimate within the tolerance."""
        return not bool(self._answers.doubtful[0])

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Names of the columns of points, time first."""
        return self._answers.reference.coordinates

    def __call__(self, points: ArrayLike) -> FloatArray | dict[str, FloatArray]:
        """Return the solution at points (N, D): (N,), or of several unknowns (N,) by name.

        An unknown that nothing fixes but up to a constant has the mean zero over the domain.

        Raises:
            UsageError: If the points have another shape, are not finite or outside the domain.
        """
        reference = self._answers.reference
        places = checked_points(points, reference.coordinates, reference.domain.contains)
        values: FloatArray = self._answers.solutions(places)[0]
        unknowns = self._answers.stored.problem.unknowns
        return values[0] if len(unknowns) == 1 else dict(zip(unknowns, values, strict=True))

    def __repr__(self) -> str:
        return f"<pinnkan reduced solution {file_stem(self.values)}, estimate {self.estimate:.2g}>"


def summary(answers: Answers, errors: Mapping[str, FloatArray] | None) -> list[dict[str, Any]]:
    """Return one row a value, as ``solve --json`` prints it.

    Args:
        answers: The answers.
        errors: Those of `Answers.errors`; None where they are not asked for or not known.
    """
    together = None if errors is None else largest(errors)
    rows = []
    for at, values in enumerate(answers.values):
        estimate = float(answers.estimates[at])
        row: dict[str, Any] = {
            "parameters": dict(values),
            "estimate": estimate if np.isfinite(estimate) else None,
            "inside": not bool(answers.outside[at]),
            "method": answers.method(at),
            "coefficients": None if answers.by_base[at] else answers.coefficients[at].tolist(),
        }
        if errors is not None and together is not None:
            error = float(together[at])
            row["relative_l2"] = error if np.isfinite(error) else None
            row["effectivity"] = estimate / error if error > 0 else None
            if answers.stored.problem.is_system:
                row["fields"] = _fields(answers, errors, at)
        rows.append(row)
    return rows


def _fields(answers: Answers, errors: Mapping[str, FloatArray], at: int) -> dict[str, dict[str, Any]]:
    """Return the error of every unknown whose formula is known, under the names of ``evaluate --json``."""
    ansatz, unknowns = answers.stored.model.ansatz, answers.stored.problem.unknowns
    return {
        name: {
            "relative_l2": float(own[at]) if np.isfinite(own[at]) else None,
            "centred": unknowns.index(name) in ansatz.free_constants,
        }
        for name, own in errors.items()
    }

"""The answers of a reduced basis: at which values, how good, by whom, and at any points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pinnkan.ground.arrays import BoolArray, FloatArray
from pinnkan.language.parameters import file_stem, shortest_text
from pinnkan.physics.instance import Instance
from pinnkan.reduction import field_root, network_solution, online_points, rows_of, stacked, values_of
from pinnkan.storage.runs.reduced_basis import StoredReducedBasis
from pinnkan.workflows.family import largest, relative_errors

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
    outside: BoolArray
    by_base: BoolArray
    seconds: float

    @property
    def rows(self) -> FloatArray:
        """Parameter values, shape (L, P)."""
        return rows_of(self.stored.ranges, self.values)

    @property
    def doubtful(self) -> BoolArray:
        """Which values are outside the range or estimated above the tolerance, shape (L,).

        Outside the range the base is no extrapolation at its own value.
        """
        extrapolated = self.outside & ~self.by_base
        found: BoolArray = extrapolated | ~(self.estimates <= self.stored.tolerance)
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
        for first in range(0, len(rows), step):
            u = np.stack([self.coefficients[first : first + step] @ own for own in basis], axis=1)
            u = u if lift is None else u + lift(rows[first : first + step]).swapaxes(0, 1)
            for row in np.flatnonzero(self.by_base[first : first + step]):
                u[row] = self._of_base(rows[first + row], points)
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
        snapshots = self.stored.snapshots
        return network_solution(
            self.stored.model.ansatz,
            snapshots.network,
            snapshots.base,
            values,
            points,
            constants=snapshots.constant_of_base,
        )

    def complaint(self, directory: str) -> str | None:
        """Say which values are doubtful and what would help; None if none is."""
        doubtful = np.flatnonzero(self.doubtful)
        if not len(doubtful):
            return None
        worst = doubtful[np.argsort(-self.estimates[doubtful], kind="stable")][:3]
        what = "; ".join(self._doubt(int(index)) for index in worst)
        more = f"; and {len(doubtful) - 3} more" if len(doubtful) > 3 else ""
        options = " ".join(f"--param {n}={shortest_text(v)}" for n, v in self.values[int(worst[0])].items())
        return f"{what}{more}; 'pinnkan finetune {directory} {options}' trains an adapter there"

    def _doubt(self, at: int) -> str:
        name, estimate = file_stem(self.values[at]), self.estimates[at]
        if self.outside[at] and not self.by_base[at]:
            box = ", ".join(f"{r.name} {r.low:.12g}:{r.high:.12g}" for r in self.stored.ranges)
            return f"{name} is outside the trained range ({box}), estimate {estimate:.2e}"
        return f"{name}: the estimate {estimate:.2e} exceeds the tolerance {self.stored.tolerance:.2g}"


def summary(answers: Answers, errors: Mapping[str, FloatArray] | None) -> list[dict[str, Any]]:
    """Return one row a value, as ``solve --json`` prints it.

    Args:
        answers: The answers.
        errors: Those of `Answers.errors`; None where they are not asked for or not known.
    """
    together = None if errors is None else largest(errors)
    rows = []
    for index, values in enumerate(answers.values):
        estimate = float(answers.estimates[index])
        row: dict[str, Any] = {
            "parameters": dict(values),
            "estimate": estimate if np.isfinite(estimate) else None,
            "inside": not bool(answers.outside[index]),
            "method": answers.method(index),
            "coefficients": None if answers.by_base[index] else answers.coefficients[index].tolist(),
        }
        if errors is not None and together is not None:
            error = float(together[index])
            row["relative_l2"] = error if np.isfinite(error) else None
            row["effectivity"] = estimate / error if error > 0 else None
            if answers.stored.problem.is_system:
                row["fields"] = _fields(answers, errors, index)
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

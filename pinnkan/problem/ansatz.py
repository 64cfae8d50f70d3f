"""The ansatz u = lift + scale * factor * N, by which a network N meets conditions whatever its coefficients.

The lift takes the prescribed values, the factor vanishes where they are
prescribed: ``distance`` (geometry alone) on boundary parts, tau on the initial
values and tau^2 on initial values and rates, tau = (t - t0) / (t1 - t0). With a
boundary lift B and initial data u = h, u_t = k,

    lift = B + (h - B|t0) + (t - t0) (k - B_t|t0),

which keeps the boundary values if initial and boundary data meet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import sympy
from numpy.typing import NDArray

from pinnkan.channels import Channel, Collapsed, MultiIndex
from pinnkan.expressions import Names, canonical_text, evaluate, total_derivative
from pinnkan.problem.lifts import HarmonicLift

FloatArray = NDArray[np.float64]
Memory = dict[object, sympy.Expr]

_NOTHING = sympy.Integer(0)


@dataclass(frozen=True)
class Ansatz:
    """u = lift + scale * factor * N at one parameter value.

    Attributes:
        names: Of the problem.
        values: Of the parameters.
        lift_formula: The lift, but for ``harmonic``.
        factor_formula: The factor, 1 if no condition is hard.
        scale: Of the unknown, so that N is of size one.
        harmonic: A part of the lift given by a power series, None if there is none.
        hard: Names of the conditions that are met by construction.
        notes: Why a condition that prescribes u is not hard, by its name.
    """

    names: Names
    values: Mapping[str, float]
    lift_formula: sympy.Expr = field(default_factory=lambda: sympy.Integer(0))
    factor_formula: sympy.Expr = field(default_factory=lambda: sympy.Integer(1))
    scale: float = 1.0
    harmonic: HarmonicLift | None = None
    hard: tuple[str, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)
    memory: Memory = field(default_factory=dict, repr=False, compare=False)

    @property
    def is_identity(self) -> bool:
        """Whether u = N."""
        return self.lift_is_zero and self.factor_formula == 1 and self.scale == 1.0

    @property
    def lift_is_zero(self) -> bool:
        """Whether u = scale * factor * N."""
        return bool(self.lift_formula == 0) and self.harmonic is None

    def text(self) -> str:
        """Return the ansatz as a line for the user, N standing for the network."""
        lift = [] if self.lift_formula == 0 else [canonical_text(self.lift_formula)]
        if self.harmonic is not None:
            lift.append(f"(harmonic extension of the boundary data, {len(self.harmonic.coefficients)} modes)")
        factor = canonical_text(self.factor_formula)
        network = "N" if factor == "1" else f"({factor})*N"
        scale = f"{self.scale:.4g}"
        network = network if scale == "1" else f"{scale}*{network}"
        return f"{self.names.unknowns[0]} = {' + '.join([*lift, network])}"

    def lift_formulas(self, channels: Sequence[Channel]) -> list[sympy.Expr]:
        """Return derivatives of the lift as formulas in coordinates and parameters; ``harmonic`` left out."""
        return [
            sum((w * self._derivative(self.lift_formula, index) for w, index in terms(channel)), _NOTHING)
            for channel in channels
        ]

    def lift(self, points: FloatArray, channels: Sequence[Channel]) -> FloatArray:
        """Return derivatives of the lift.

        Args:
            points: Shape (N, D).
            channels: Multi-indices over the coordinates, or collapsed combinations.

        Returns:
            Shape (C, N).
        """
        result = self._channels(self.lift_formula, points, channels)
        if self.harmonic is not None:
            harmonic, offset = self.harmonic, points.shape[1] - 2
            for row, channel in enumerate(channels):
                for weight, index in terms(channel):
                    if not any(index[:offset]):
                        result[row] += weight * harmonic(points[:, offset:], index[offset:])
        return result

    def factor(self, points: FloatArray, channels: Sequence[Channel]) -> FloatArray:
        """Return derivatives of scale * factor, arguments and shape as in :meth:`lift`."""
        return self.scale * self._channels(self.factor_formula, points, channels)

    def _channels(self, formula: sympy.Expr, points: FloatArray, channels: Sequence[Channel]) -> FloatArray:
        result = np.zeros((len(channels), len(points)))
        if formula == 0:
            return result
        indices = sorted({index for channel in channels for _, index in terms(channel)})
        formulas = [self._derivative(formula, index) for index in indices]
        rows = dict(
            zip(indices, evaluate(formulas, self.names.coordinates, points, self.values), strict=True)
        )
        for row, channel in enumerate(channels):
            for weight, index in terms(channel):
                result[row] += weight * rows[index]
        return result

    def _derivative(self, formula: sympy.Expr, index: MultiIndex) -> sympy.Expr:
        """Differentiate once and remember: the formulas are the same at every parameter value."""
        if not any(index):
            return formula
        if (formula, index) not in self.memory:
            position = next(k for k, order in enumerate(index) if order)
            lower = tuple(order - (k == position) for k, order in enumerate(index))
            below = self._derivative(formula, lower)
            self.memory[formula, index] = total_derivative(
                below, self.names.coordinates[position], self.names
            )
        return self.memory[formula, index]


def terms(channel: Channel) -> list[tuple[float, MultiIndex]]:
    """Write a channel as a sum of weighted partial derivatives."""
    if not isinstance(channel, Collapsed):
        return [(1.0, channel)]
    size = len(channel.coefficients)
    twice = [tuple(2 * (k == axis) for k in range(size)) for axis in range(size)]
    return [(weight, index) for weight, index in zip(channel.coefficients, twice, strict=True) if weight]

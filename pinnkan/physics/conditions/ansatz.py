"""The ansatz u = lift + scale * distance * N: a network N meets conditions whatever its coefficients.

The lift takes the prescribed values, the distance vanishes where they are prescribed: on boundary parts by
geometry alone, like tau on the initial values and like tau^2 on initial values and rates,
tau = (t - t0) / (t1 - t0).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.channels import Channels
from pinnkan.ground.derivatives import Channel
from pinnkan.physics.conditions.point_functions import PointFunction


@dataclass(frozen=True)
class Ansatz:
    """u = lift + scale * distance * N for one unknown at one parameter value.

    Attributes:
        unknown: Name of the unknown.
        values: Of the parameters.
        lift: Takes the values of the hard conditions, 0 if there are none or these are 0.
        distance: Vanishes where they hold, 1 if there are none.
        scale: Of the unknown, so that N is of size one.
        hard: Names of the conditions that are met by construction.
        notes: Why a condition that prescribes u is not hard, by its name.
    """

    unknown: str
    values: Mapping[str, float]
    lift: PointFunction
    distance: PointFunction
    scale: float = 1.0
    hard: tuple[str, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_identity(self) -> bool:
        """Whether u = N."""
        return self.lift_is_zero and self.distance.formula == 1 and self.scale == 1.0

    @property
    def lift_is_zero(self) -> bool:
        """Whether u = scale * distance * N."""
        return bool(self.lift.formula == 0)

    def text(self) -> str:
        """Return the ansatz as a line for the user, N standing for the network."""
        lift = [] if self.lift_is_zero else [self.lift.text()]
        distance = self.distance.text()
        network = "N" if distance == "1" else f"({distance})*N"
        scale = f"{self.scale:.4g}"
        network = network if scale == "1" else f"{scale}*{network}"
        return f"{self.unknown} = {' + '.join([*lift, network])}"

    def factor(self, points: FloatArray, channels: Sequence[Channel]) -> FloatArray:
        """Return derivatives (C, N) of scale * distance, as `PointFunction.derivatives`."""
        return self.scale * self.distance.derivatives(points, channels)

    def blended(self, points: FloatArray, channels: Channels) -> tuple[FloatArray | None, FloatArray | None]:
        """Return lift (C, N) and blend (C, C, N) of u = lift + blend N; None for u = N.

        blend[a, b] is the coefficient of N_b in u_a: Leibniz' rule with the factor's derivatives.
        """
        if self.is_identity:
            return None, None
        keys: Sequence[Channel] = channels.keys
        factor = self.factor(points, keys)
        blend = np.zeros((len(channels), len(channels), len(points)))
        for term in channels.leibniz:
            blend[term.channel, term.right] += term.coefficient * factor[term.left]
        return self.lift.derivatives(points, keys), blend

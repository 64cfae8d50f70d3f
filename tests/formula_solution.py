"""A solution that is a formula, with all that the measures of a `Solution` ask of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sympy
import torch

from pinnkan.ground.derivatives import Channel, Collapsed
from pinnkan.physics.instance import Instance


@dataclass(frozen=True)
class Formula:
    """A function of the coordinates in place of a network.

    Attributes:
        instance: The problem at a parameter value.
        u: In symbols that are named as the coordinates are.
    """

    instance: Instance
    u: sympy.Expr

    @classmethod
    def of(cls, instance: Instance, text: str) -> Formula:
        """Return the function that is written so."""
        return cls(instance, sympy.sympify(text, {name: sympy.Symbol(name) for name in instance.coordinates}))

    def __call__(self, points: np.ndarray) -> np.ndarray:
        return self.derivatives(points, [(0,) * points.shape[1]])[0]

    def derivatives(self, points: np.ndarray, requested: Sequence[Channel]) -> np.ndarray:
        rows = [self._values(points, channel) for channel in requested]
        return np.stack(rows) if rows else np.zeros((0, len(points)))

    def residual(self, block, points, normals=None) -> np.ndarray:
        u = torch.from_numpy(self.derivatives(points, block.channels))
        return block.residual(torch.from_numpy(block.data(points, normals)), u).numpy()

    def _values(self, points: np.ndarray, channel: Channel) -> np.ndarray:
        symbols = [sympy.Symbol(name) for name in self.instance.coordinates]
        if isinstance(channel, Collapsed):
            pairs = zip(channel.coefficients, symbols, strict=True)
            expr = sum(c * sympy.diff(self.u, symbol, 2) for c, symbol in pairs)
        else:
            expr = self.u
            for symbol, order in zip(symbols, channel, strict=True):
                expr = sympy.diff(expr, symbol, order) if order else expr
        values = sympy.lambdify(symbols, expr, "numpy")(*points.T)
        return np.broadcast_to(np.asarray(values, dtype=float), (len(points),)).copy()

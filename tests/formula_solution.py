"""A solution of formulas, with all that the measures of a `Solution` ask of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sympy
import torch

from pinnkan.ground.derivatives import Channel, Derivative, terms_of
from pinnkan.physics.instance import Instance


@dataclass(frozen=True)
class Formula:
    """Functions of the coordinates in place of a network.

    Attributes:
        instance: The problem at a parameter value.
        unknowns: One function an unknown, in symbols that are named as the coordinates are.
    """

    instance: Instance
    unknowns: tuple[sympy.Expr, ...]

    @classmethod
    def of(cls, instance: Instance, *texts: str) -> Formula:
        """Return the functions that are written so, one an unknown."""
        symbols = {name: sympy.Symbol(name) for name in instance.coordinates}
        return cls(instance, tuple(sympy.sympify(text, symbols) for text in texts))

    def __call__(self, points: np.ndarray) -> np.ndarray:
        value = (0,) * points.shape[1]
        return self.derivatives(points, [Derivative(unknown, value) for unknown in range(len(self.unknowns))])

    def derivatives(self, points: np.ndarray, requested: Sequence[Derivative]) -> np.ndarray:
        rows = [self._values(points, self.unknowns[unknown], channel) for unknown, channel in requested]
        return np.stack(rows) if rows else np.zeros((0, len(points)))

    def residual(self, block, points, normals=None) -> np.ndarray:
        u = torch.from_numpy(self.derivatives(points, block.reads))
        return block.residual(torch.from_numpy(block.data(points, normals)), u).numpy()

    def _values(self, points: np.ndarray, u: sympy.Expr, channel: Channel) -> np.ndarray:
        symbols = [sympy.Symbol(name) for name in self.instance.coordinates]
        expr = sympy.Integer(0)
        for index, factor in terms_of(channel):
            expr += factor * sympy.diff(u, *zip(symbols, index, strict=True))
        values = sympy.lambdify(symbols, expr, "numpy")(*points.T)
        return np.broadcast_to(np.asarray(values, dtype=float), (len(points),)).copy()

"""The map from coordinates to a network's inputs in [-1, 1]: affine, or finer towards the first time.

    affine:  s = (x - center) / half_width
    graded:  s = 2 log(1 + g tau) / log(1 + g) - 1,    tau = (x - low) / (high - low) in [0, 1]

A solution that relaxes as exp(-g tau) is over within a share 1/g of the interval. In s it takes about half
of [-1, 1], as every later period of twice the length does, so that a few functions represent it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnkan.channels import Channel, Channels, Collapsed


@dataclass(frozen=True)
class InputMap:
    """One increasing function per coordinate from a box onto [-1, 1].

    Attributes:
        center: Of the box, shape (D,).
        half_width: Of the box, shape (D,).
        grading: The number g of every coordinate, 0 where it enters affinely; shape (D,).
    """

    center: tuple[float, ...]
    half_width: tuple[float, ...]
    grading: tuple[float, ...]

    @classmethod
    def over(
        cls, lower: Sequence[float], upper: Sequence[float], grading: Sequence[float] | None = None
    ) -> InputMap:
        """Return the map of a box given by its corners, shape (D,) each; affine without a grading."""
        center = tuple(0.5 * (low + high) for low, high in zip(lower, upper, strict=True))
        half = tuple(0.5 * (high - low) for low, high in zip(lower, upper, strict=True))
        return cls(center, half, tuple(grading or [0.0] * len(half)))

    def values(self, points: Tensor) -> Tensor:
        """Return the inputs (N, D) at points (N, D), in the points' precision.

        What is left of 1000.001 in single is no place in [1000, 1000.01].
        """
        inputs = (points - points.new_tensor(self.center)) / points.new_tensor(self.half_width)
        if not any(self.grading):
            return inputs
        columns = [
            2.0 * torch.log1p(0.5 * g * (column + 1.0)) / math.log1p(g) - 1.0 if g else column
            for column, g in zip(inputs.unbind(1), self.grading, strict=True)
        ]
        return torch.stack(columns, dim=1)

    def jet(self, points: Tensor, channels: Channels, dtype: torch.dtype | None = None) -> Tensor:
        """Return derivatives (C, N, D) of the inputs at points (N, D).

        Args:
            points: Mapped in their own precision.
            channels: The derivatives; all but those along one coordinate are 0.
            dtype: Of the result; by default that of the points.
        """
        jet = points.new_zeros(len(channels), *points.shape, dtype=dtype or points.dtype)
        jet[0] = self.values(points)
        for row, channel in enumerate(channels.keys[1:], start=1):
            for axis, order, weight in _along_axes(channel):
                if order == 1 or self.grading[axis]:
                    jet[row, :, axis] = weight * self._derivative(points[:, axis], axis, order)
        return jet

    def _derivative(self, x: Tensor, axis: int, order: int) -> Tensor | float:
        """Return d^m s / dx^m: 1 / half_width, or 2 (-1)^(m-1) (m-1)! (g' / (1 + g tau))^m / log(1 + g).

        There tau = (x - low) / (high - low) and g' = g / (high - low).
        """
        g, half = self.grading[axis], self.half_width[axis]
        if not g:
            return 1.0 / half
        tau = 0.5 * ((x - self.center[axis]) / half + 1.0)
        rate = (0.5 * g / half) / (1.0 + g * tau)
        return 2.0 * (-1.0) ** (order - 1) * math.factorial(order - 1) * rate**order / math.log1p(g)


def _along_axes(channel: Channel) -> list[tuple[int, int, float]]:
    """Return axis, order and factor of a channel's derivatives along single coordinates."""
    if isinstance(channel, Collapsed):
        return [(axis, 2, factor) for axis, factor in enumerate(channel.coefficients) if factor]
    axes = [axis for axis, order in enumerate(channel) if order]
    return [(axes[0], channel[axes[0]], 1.0)] if len(axes) == 1 else []

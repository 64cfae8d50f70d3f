"""The map from coordinates to a network's inputs in [-1, 1]: affine, finer at the first time, or periodic.

    affine:    s = (x - center) / half_width
    graded:    s = 2 log(1 + g tau) / log(1 + g) - 1,    tau = (x - low) / (high - low) in [0, 1]
    periodic:  (cos phi, sin phi),    phi = 2 pi tau

A solution that relaxes as exp(-g tau) is over within a share 1/g of the interval. In s it takes about half
of [-1, 1], as every later period of twice the length does, so that a few functions represent it.

A periodic coordinate gives two inputs, so that a network and all its derivatives are periodic whatever its
coefficients; Chebyshev polynomials of cos phi are the cosines of k phi, a Fourier series.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnkan.ground.channels import Channels
from pinnkan.ground.derivatives import Channel, lowered, terms_of


@dataclass(frozen=True)
class InputMap:
    """From a box to the I inputs in [-1, 1]: one for a coordinate, two for a periodic one, in their order.

    Attributes:
        center: Of the box, shape (D,).
        half_width: Of the box, shape (D,).
        grading: The number g of every coordinate, 0 where it enters affinely; shape (D,).
        periodic: Whether a coordinate enters as cosine and sine; shape (D,).
    """

    center: tuple[float, ...]
    half_width: tuple[float, ...]
    grading: tuple[float, ...]
    periodic: tuple[bool, ...]

    @classmethod
    def over(
        cls,
        lower: Sequence[float],
        upper: Sequence[float],
        grading: Sequence[float] | None = None,
        periodic: Sequence[bool] | None = None,
    ) -> InputMap:
        """Return the map of a box given by its corners, shape (D,) each; affine unless said otherwise."""
        center = tuple(0.5 * (low + high) for low, high in zip(lower, upper, strict=True))
        half = tuple(0.5 * (high - low) for low, high in zip(lower, upper, strict=True))
        flags = tuple(periodic or [False] * len(half))
        return cls(center, half, tuple(grading or [0.0] * len(half)), flags)

    @property
    def size(self) -> int:
        """I, the number of inputs."""
        return len(self.center) + sum(self.periodic)

    def values(self, points: Tensor) -> Tensor:
        """Return the inputs (N, I) at points (N, D), in the points' precision.

        What is left of 1000.001 in single is no place in [1000, 1000.01].
        """
        inputs = (points - points.new_tensor(self.center)) / points.new_tensor(self.half_width)
        if not any(self.grading) and not any(self.periodic):
            return inputs
        columns: list[Tensor] = []
        for column, g, periodic in zip(inputs.unbind(1), self.grading, self.periodic, strict=True):
            if periodic:
                phase = math.pi * (column + 1.0)
                columns += [torch.cos(phase), torch.sin(phase)]
            elif g:
                columns.append(2.0 * torch.log1p(0.5 * g * (column + 1.0)) / math.log1p(g) - 1.0)
            else:
                columns.append(column)
        return torch.stack(columns, dim=1)

    def places(self, points: Tensor) -> Tensor:
        """Return places (N, I) for points (N, D) whose distances are those of inputs, across seams too.

        A period is a circle of length 2 there, so that distances well below it are those of an affine input.
        """
        places = self.values(points)
        if not any(self.periodic):
            return places
        circles = [1.0 / math.pi if flag else 1.0 for flag in self.periodic for _ in range(1 + flag)]
        return places * places.new_tensor(circles)

    def jet(self, points: Tensor, channels: Channels, dtype: torch.dtype | None = None) -> Tensor:
        """Return derivatives (C, N, I) of the inputs at points (N, D).

        Args:
            points: Mapped in their own precision.
            channels: The derivatives; all but those along one coordinate are 0.
            dtype: Of the result; by default that of the points.
        """
        jet = points.new_zeros(len(channels), len(points), self.size, dtype=dtype or points.dtype)
        jet[0] = self.values(points)
        for row, channel in enumerate(channels.keys[1:], start=1):
            for axis, order, weight in _along_axes(channel):
                column = axis + sum(self.periodic[:axis])
                if self.periodic[axis]:
                    waves = self._waves(points[:, axis], axis, order)
                    jet[row, :, column : column + 2] = weight * waves
                elif order == 1 or self.grading[axis]:
                    jet[row, :, column] = weight * self._derivative(points[:, axis], axis, order)
        return jet

    def _waves(self, x: Tensor, axis: int, order: int) -> Tensor:
        """Return d^m/dx^m of cos phi and sin phi, (N, 2): (pi / half_width)^m times those at phi + m pi / 2.

        A quarter turn on, cosine and sine are minus sine and cosine: exact, where adding pi / 2 rounds.
        """
        phase = math.pi * ((x - self.center[axis]) / self.half_width[axis] + 1.0)
        waves = torch.stack([torch.cos(phase), torch.sin(phase)], dim=1)
        for _ in range(order % 4):
            waves = torch.stack([-waves[:, 1], waves[:, 0]], dim=1)
        return (math.pi / self.half_width[axis]) ** order * waves

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
    pure = [(index, factor) for index, factor in terms_of(channel) if sum(map(bool, index)) == 1]
    return [(lowered(index)[0], sum(index), factor) for index, factor in pure]

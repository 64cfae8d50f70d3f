"""Derivative channels: which partial derivatives travel through a network, and the calculus among them.

A *multi-index* ``(0, 2, 1)`` names the derivative d^3 / (dx_1^2 dx_2) of a
function of ``D = 3`` coordinates; ``(0, 0, 0)`` is the value. A *collapsed*
channel names one fixed combination sum_i c_i d^2/dx_i^2, a Laplacian or
u_tt - laplace(u), which travels as a single channel.
"""

from __future__ import annotations

from dataclasses import dataclass

MultiIndex = tuple[int, ...]


@dataclass(frozen=True)
class Collapsed:
    """The combination sum_i coefficients[i] * d^2/dx_i^2 as one channel, shape of coefficients (D,)."""

    coefficients: tuple[float, ...]


Channel = MultiIndex | Collapsed

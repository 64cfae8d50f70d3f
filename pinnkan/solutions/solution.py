"""The solution at one parameter value: a network with its ansatz, evaluated anywhere in the domain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from pinnkan.ground.channels import Channels
from pinnkan.ground.derivatives import Channel, Derivative, value_index
from pinnkan.networks import Network
from pinnkan.physics.blocks import ResidualBlock
from pinnkan.physics.instance import Instance
from pinnkan.physics.windows.hand_over import Differentiable

_CHUNK = 4096
"""Points evaluated at a time: bounds memory at some 100 MB for the paper's network."""


@dataclass(frozen=True)
class Solution:
    """u = lift + factor * N of every unknown at one parameter value.

    Attributes:
        instance: The problem at this value.
        network: Layers and input map.
        coefficients: Of every layer, in their stored shapes.
    """

    instance: Instance
    network: Network
    coefficients: Sequence[Tensor]

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Return the unknowns at points (N, D), shape (U, N), float64."""
        value = value_index(len(self.instance.coordinates))
        every = range(len(self.instance.problem.unknowns))
        return self.derivatives(points, [Derivative(unknown, value) for unknown in every])

    def named(self, points: np.ndarray) -> dict[str, np.ndarray]:
        """Return every unknown at points (N, D) by its name, (N,) each."""
        return dict(zip(self.instance.problem.unknowns, self(points), strict=True))

    def derivatives(self, points: np.ndarray, requested: Sequence[Derivative]) -> np.ndarray:
        """Return derivatives of the unknowns at points (N, D), shape (len(requested), N), float64."""
        wanted = tuple(channel for _, channel in requested)
        channels = _channels(wanted, len(self.instance.coordinates))
        weights = self.network.matrices(self.coefficients)
        reads = [(unknown, channels.position(channel)) for unknown, channel in requested]
        parts = [
            self._chunk(points[start : start + _CHUNK], channels, weights, reads)
            for start in range(0, len(points), _CHUNK)
        ]
        return np.concatenate(parts, axis=1) if parts else np.zeros((len(reads), 0))

    def residual(
        self, block: ResidualBlock, points: np.ndarray, normals: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the residual of one equation or condition at points (N, D), shape (N,)."""
        return residual_of(self, block, points, normals)

    def _chunk(
        self,
        points: np.ndarray,
        channels: Channels,
        weights: Sequence[Tensor],
        reads: Sequence[tuple[int, int]],
    ) -> np.ndarray:
        place = torch.as_tensor(points, dtype=torch.float64, device=weights[0].device)
        jets: np.ndarray = self.network.push(place, weights, channels).output.cpu().numpy()
        unknowns = {
            unknown: self._unknown(jets[:, :, unknown], unknown, points, channels) for unknown, _ in reads
        }
        return np.stack([unknowns[unknown][channel] for unknown, channel in reads])

    def _unknown(self, jet: np.ndarray, unknown: int, points: np.ndarray, channels: Channels) -> np.ndarray:
        """Return the channels (C, N) of one unknown from those of the network's output."""
        lift, blend = self.instance.ansatzes[unknown].blended(points, channels)
        if lift is None or blend is None:
            return jet
        values: np.ndarray = lift + np.einsum("abn,bn->an", blend, jet)
        return values


def residual_of(
    solution: Differentiable, block: ResidualBlock, points: np.ndarray, normals: np.ndarray | None = None
) -> np.ndarray:
    """Return the residual of one equation or condition at points (N, D), shape (N,)."""
    u = torch.from_numpy(solution.derivatives(points, block.reads))
    data = torch.from_numpy(np.ascontiguousarray(block.data(points, normals)))
    return block.residual(data, u).numpy()


@lru_cache(maxsize=64)
def _channels(requested: tuple[Channel, ...], dimension: int) -> Channels:
    """Return the channels of a request: the same ones are asked for again and again, at few points each."""
    return Channels(requested, dimension)

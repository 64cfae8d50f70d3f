"""A network: layers, an affine input map, jets through all of it and their adjoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pinnkan.channels import Channels
from pinnkan.networks.layers import Layer


@dataclass(frozen=True)
class Tape:
    """What one forward pass leaves for the reverse pass.

    Attributes:
        output: Jet of the network's output, shape (C, N, J).
        features: Features of every layer, (C, N, F) each.
    """

    output: Tensor
    features: tuple[Tensor, ...]
    kept: tuple[Any, ...]


@dataclass(frozen=True)
class Network:
    """Layers applied in turn to inputs mapped to [-1, 1]: s = (x - center) / half_width.

    Attributes:
        layers: From input to output.
        center: Shape (D,).
        half_width: Shape (D,).
    """

    layers: tuple[Layer, ...]
    center: tuple[float, ...]
    half_width: tuple[float, ...]

    def initial(self, generator: torch.Generator) -> list[Tensor]:
        """Draw starting coefficients for every layer, float64."""
        return [layer.initial(generator) for layer in self.layers]

    def matrices(self, coefficients: Sequence[Tensor]) -> list[Tensor]:
        """Return the weight matrices (F, J) of stored coefficients."""
        return [layer.matrix(c) for layer, c in zip(self.layers, coefficients, strict=True)]

    def input_jet(self, points: Tensor, channels: Channels, dtype: torch.dtype | None = None) -> Tensor:
        """Return the jet (C, N, D) of the mapped coordinates at points (N, D).

        They are mapped in the points' precision: what is left of 1000.001 in single is no place in
        [1000, 1000.01].
        """
        jet = points.new_zeros(len(channels), *points.shape, dtype=dtype or points.dtype)
        jet[0] = self._mapped(points)
        for axis, half in enumerate(self.half_width):
            unit = tuple(int(axis == other) for other in range(len(self.half_width)))
            if unit in channels.keys:
                jet[channels.position(unit), :, axis] = 1.0 / half
        return jet

    def push(
        self, points: Tensor, weights: Sequence[Tensor], channels: Channels, *, keep: bool = False
    ) -> Tape:
        """Carry the jet of the coordinates through every layer.

        Args:
            points: Shape (N, D).
            weights: One matrix (F, J) a layer; their dtype is that of the jets.
            channels: Derivatives to carry.
            keep: Whether `pull` will follow.

        Returns:
            The output's jet and, with ``keep``, features and derivatives of every layer.
        """
        jet = self.input_jet(points, channels, weights[0].dtype)
        features, kept = [], []
        for layer, weight in zip(self.layers, weights, strict=True):
            phi, saved = layer.push(channels, jet, keep=keep)
            jet = phi @ weight
            if keep:
                features.append(phi)
                kept.append(saved)
        return Tape(jet, tuple(features), tuple(kept))

    def pull(
        self, tape: Tape, weights: Sequence[Tensor], channels: Channels, adjoint: Tensor
    ) -> list[Tensor]:
        """Carry an adjoint of the output's jet back to every layer's output.

        Args:
            tape: Of a `push` with ``keep=True``.
            weights: Those of that push.
            channels: Those of that push.
            adjoint: Derivative of one scalar per point with respect to the output's jet, (C, N, J).

        Returns:
            For every layer the derivative with respect to its output's jet, (C, N, J_l).
            The gradient with respect to W_l is sum_c features_l[c]^T @ adjoint_l[c].
        """
        adjoints = [adjoint]
        for position in range(len(self.layers) - 1, 0, -1):
            back = adjoints[-1] @ weights[position].T
            adjoints.append(self.layers[position].pull(channels, tape.kept[position], back))
        return adjoints[::-1]

    def values(self, points: Tensor, weights: Sequence[Tensor]) -> Tensor:
        """Return the output (N, J) at points (N, D) by plain torch, differentiable any number of times."""
        z = self._mapped(points)
        for layer, weight in zip(self.layers, weights, strict=True):
            z = layer.values(z) @ weight
        return z

    def _mapped(self, points: Tensor) -> Tensor:
        return (points - points.new_tensor(self.center)) / points.new_tensor(self.half_width)

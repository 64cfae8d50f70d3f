"""A network: an input map, layers, jets through all of it and their adjoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pinnkan.ground.derivatives import Channels
from pinnkan.networks.input_map import InputMap
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
    """Layers applied in turn to the coordinates mapped to [-1, 1].

    Attributes:
        layers: From input to output.
        input_map: Of the D coordinates.
    """

    layers: tuple[Layer, ...]
    input_map: InputMap

    def initial(self, generator: torch.Generator) -> list[Tensor]:
        """Draw starting coefficients for every layer, float64."""
        return [layer.initial(generator) for layer in self.layers]

    def matrices(self, coefficients: Sequence[Tensor]) -> list[Tensor]:
        """Return the weight matrices (F, J) of stored coefficients."""
        return [layer.matrix(c) for layer, c in zip(self.layers, coefficients, strict=True)]

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
        jet = self.input_map.jet(points, channels, weights[0].dtype)
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
        z = self.input_map.values(points)
        for layer, weight in zip(self.layers, weights, strict=True):
            z = layer.values(z) @ weight
        return z

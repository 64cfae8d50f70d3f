"""A network: an input map, layers, jets through all of it and their adjoints.

Several unknowns are the outputs of one chain of layers, or of several chains side by side, each of which
gives a group of them. Chains share the input map and nothing else: a chain is a network of its own, and
all of them are one list of layers, chain after chain, to whoever trains, adapts or stores them. (The same
as one wide network whose coefficient tensors are block diagonal, without the zeros.)"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pinnkan.ground.channels import Channels
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
        layers: From input to output, chain after chain.
        input_map: Of the D coordinates.
        groups: The outputs that each of several chains of equal length gives, every output once; None where
            one chain gives all of them.
    """

    layers: tuple[Layer, ...]
    input_map: InputMap
    groups: tuple[tuple[int, ...], ...] | None = None

    @property
    def chains(self) -> list[slice]:
        """Where the layers of each chain stand among all."""
        return chains_of(len(self.layers), len(self.groups or (None,)))

    def initial(self, generator: torch.Generator) -> list[Tensor]:
        """Draw starting coefficients for every layer, float64."""
        return [layer.initial(generator) for layer in self.layers]

    def matrices(self, coefficients: Sequence[Tensor]) -> list[Tensor]:
        """Return the weight matrices (F, J) of stored coefficients."""
        return [layer.matrix(c) for layer, c in zip(self.layers, coefficients, strict=True)]

    def push(
        self,
        points: Tensor,
        weights: Sequence[Tensor],
        channels: Channels,
        *,
        keep: bool = False,
        lowest: int = 0,
    ) -> Tape:
        """Carry the jet of the coordinates through every layer.

        Args:
            points: Shape (N, D).
            weights: One matrix (F, J) a layer; their dtype is that of the jets.
            channels: Derivatives to carry.
            keep: Whether `pull` will follow.
            lowest: The lowest layer of a chain that it will go down to.

        Returns:
            The output's jet and, with ``keep``, features and derivatives of every layer.
        """
        inputs = self.input_map.jet(points, channels, weights[0].dtype)
        outputs, features, kept = [], [], []
        for chain in self.chains:
            jet = inputs
            for depth, (layer, weight) in enumerate(zip(self.layers[chain], weights[chain], strict=True)):
                phi, saved = layer.push(channels, jet, keep=keep and depth > lowest)
                jet = phi @ weight
                if keep:
                    features.append(phi)
                    kept.append(saved)
            outputs.append(jet)
        return Tape(self._joined(outputs), tuple(features), tuple(kept))

    def pull(
        self, tape: Tape, weights: Sequence[Tensor], channels: Channels, adjoint: Tensor, *, lowest: int = 0
    ) -> list[Tensor]:
        """Carry an adjoint of the output's jet back to every layer's output.

        Args:
            tape: Of a `push` with ``keep=True``.
            weights: Those of that push.
            channels: Those of that push.
            adjoint: Derivative of one scalar per point with respect to the output's jet, (C, N, J).
            lowest: That of the push: layers of a chain below it are not asked for.

        Returns:
            For every layer the derivative with respect to its output's jet, (C, N, J_l), or (C, N, 0) of one
            that is not asked for.
            The gradient with respect to W_l is sum_c features_l[c]^T @ adjoint_l[c].
        """
        adjoints: list[Tensor] = []
        for chain, own in zip(self.chains, self._parted(adjoint), strict=True):
            backwards = [own]
            for position in range(chain.stop - 1, chain.start + lowest, -1):
                back = backwards[-1] @ weights[position].T
                backwards.append(self.layers[position].pull(channels, tape.kept[position], back))
            adjoints += [own[..., :0]] * lowest + backwards[::-1]
        return adjoints

    def values(self, points: Tensor, weights: Sequence[Tensor]) -> Tensor:
        """Return the output (N, J) at points (N, D) by plain torch, differentiable any number of times."""
        inputs, outputs = self.input_map.values(points), []
        for chain in self.chains:
            z = inputs
            for layer, weight in zip(self.layers[chain], weights[chain], strict=True):
                z = layer.values(z) @ weight
            outputs.append(z)
        return self._joined(outputs)

    def _joined(self, outputs: Sequence[Tensor]) -> Tensor:
        """Put the outputs (..., J_g) of every chain where its group says, (..., J)."""
        if self.groups is None:
            return outputs[0]
        places = [place for group in self.groups for place in group]
        order = sorted(range(len(places)), key=places.__getitem__)
        return torch.cat(list(outputs), dim=-1)[..., order]

    def _parted(self, outputs: Tensor) -> list[Tensor]:
        """Return every chain's own (..., J_g) of all outputs (..., J): the transpose of `_joined`."""
        if self.groups is None:
            return [outputs]
        return [outputs[..., list(group)] for group in self.groups]


def chains_of(layers: int, chains: int) -> list[slice]:
    """Return where the layers of each of several chains of equal length stand among all."""
    depth = layers // chains
    assert depth * chains == layers, "chains are of equal length"
    return [slice(start, start + depth) for start in range(0, layers, depth)]

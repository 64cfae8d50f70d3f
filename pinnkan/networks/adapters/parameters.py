"""All layers' parameters as one vector theta: the adapter that training moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from pinnkan.networks.adapters.layerwise import LayerParametrisation, TuckerChange
from pinnkan.optim.optimizer import ParameterGroup


class Parametrisation:
    """One `LayerParametrisation` a layer, theta their concatenation.

    Attributes:
        layers: From input to output.
        size: P, entries of theta.
    """

    def __init__(self, layers: Sequence[LayerParametrisation]) -> None:
        self.layers = tuple(layers)
        self._sizes = [layer.size for layer in self.layers]
        self.size = sum(self._sizes)

    @property
    def ranks(self) -> list[tuple[int, ...]]:
        """(R1, R2, R3) of every layer in Tucker form."""
        return [tuple(layer.initial.core.shape) for layer in self.layers if isinstance(layer, TuckerChange)]

    def start(self) -> Tensor:
        """Return the theta that changes nothing (or a slim KAN's random start), float64."""
        return torch.cat([layer.start() for layer in self.layers])

    def split(self, theta: Tensor) -> tuple[Tensor, ...]:
        """Return each layer's part of theta."""
        return torch.split_with_sizes(theta, self._sizes)

    def coefficients(self, theta: Tensor) -> list[Tensor]:
        """Return every layer's changed coefficients in their stored shapes."""
        return [layer.coefficients(part) for layer, part in zip(self.layers, self.split(theta), strict=True)]

    def jacobian(self, features: Sequence[Tensor], adjoints: Sequence[Tensor], theta: Tensor) -> Tensor:
        """Return dr/dtheta, (N, P), from features (C, N, F_l) and adjoints (C, N, J_l)."""
        rows = zip(self.layers, features, adjoints, self.split(theta), strict=True)
        return torch.cat([layer.jacobian(phi, delta, part) for layer, phi, delta, part in rows], dim=1)

    def layers_of(self, columns: slice) -> dict[int, slice]:
        """Return the layers that consecutive entries of theta belong to, and which of theirs they are."""
        parts, start = {}, 0
        for depth, size in enumerate(self._sizes):
            low, high = max(columns.start - start, 0), min(columns.stop - start, size)
            if low < high:
                parts[depth] = slice(low, high)
            start += size
        return parts

    def columns(
        self, columns: slice, features: Mapping[int, Tensor], adjoints: Mapping[int, Tensor], theta: Tensor
    ) -> Tensor:
        """Return some consecutive columns of `jacobian`.

        Args:
            columns: Which entries of theta.
            features: Of the layers that they belong to, (C, N, F_l).
            adjoints: Of the same, (C, N, J_l).
            theta: (P,).
        """
        thetas = self.split(theta)
        return torch.cat(
            [
                self.layers[depth].jacobian(features[depth], adjoints[depth], thetas[depth])[:, part]
                for depth, part in self.layers_of(columns).items()
            ],
            dim=1,
        )

    def gradient(self, weight_gradients: Sequence[Tensor], theta: Tensor) -> Tensor:
        """Return the gradient (P,) from those of the weight matrices (F_l, J_l)."""
        rows = zip(self.layers, weight_gradients, self.split(theta), strict=True)
        return torch.cat([layer.gradient(gradient, part) for layer, gradient, part in rows])

    def rebased(self, matrix: Tensor, theta: Tensor) -> tuple[Parametrisation, Tensor]:
        """Return the same parametrisation, and its theta, of coefficients A x3 ``matrix`` for every A.

        Args:
            matrix: Invertible, (K, K).
            theta: (P,).
        """
        pairs = zip(self.layers, self.split(theta), strict=True)
        layers, parts = zip(*(layer.rebased(matrix, part) for layer, part in pairs), strict=True)
        return Parametrisation(layers), torch.cat(parts)

    def groups(self) -> list[ParameterGroup]:
        """Return every group of parameters, in the order of theta."""
        groups, end = [], 0
        for layer in self.layers:
            for name, size in layer.groups.items():
                groups.append(ParameterGroup(name, slice(end, end + size), tuple(layer.base.shape)))
                end += size
        return groups

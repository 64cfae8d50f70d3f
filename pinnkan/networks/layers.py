"""Network layers as linear maps on features: Z = Phi W.

A layer turns a jet of its I inputs into a jet of F features; its output is the
features times a weight matrix W (F, J). The layer owns no weights: they come
from whoever trains or stores them.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pinnkan.ground.channels import Channels
from pinnkan.networks import jets
from pinnkan.networks.bases import Basis


class Layer(ABC):
    """A linear map on features of I inputs.

    Attributes:
        inputs: I.
        outputs: J.
        shape: Shape of the coefficient tensor as stored; (I, J, K) for a KAN.
    """

    inputs: int
    outputs: int
    shape: tuple[int, ...]

    @property
    @abstractmethod
    def features(self) -> int:
        """F, rows of the weight matrix."""

    @abstractmethod
    def push(self, channels: Channels, jet: Tensor, *, keep: bool) -> tuple[Tensor, Any]:
        """Return the features' jet (C, N, F) and, if ``keep``, what `pull` needs."""

    @abstractmethod
    def pull(self, channels: Channels, kept: Any, adjoint: Tensor) -> Tensor:
        """Return the adjoint (C, N, I) of the input jet from that of the features (C, N, F)."""

    @abstractmethod
    def values(self, z: Tensor) -> Tensor:
        """Return the features (N, F) at inputs (N, I), differentiable any number of times."""

    @abstractmethod
    def matrix(self, coefficients: Tensor) -> Tensor:
        """Return the weight matrix W (F, J) of coefficients in their stored shape."""

    @abstractmethod
    def initial(self, generator: torch.Generator) -> Tensor:
        """Draw starting coefficients in their stored shape, float64."""


@dataclass(frozen=True)
class KanLayer(Layer):
    """Univariate functions on edges: z_q = sum_p sum_k A[p,q,k] b_k(s(z_p)).

    ``squash`` puts s = tanh before the basis, for bases on [-1, 1]; otherwise s
    is the identity. Features are k-major: row k*I + p of W holds A[p, :, k].
    """

    inputs: int
    outputs: int
    basis: Basis
    squash: bool

    @property
    def shape(self) -> tuple[int, int, int]:  # type: ignore[override]
        """(I, J, K)."""
        return (self.inputs, self.outputs, self.basis.size)

    @property
    def features(self) -> int:
        """I * K."""
        return self.inputs * self.basis.size

    def push(self, channels: Channels, jet: Tensor, *, keep: bool) -> tuple[Tensor, Any]:
        """See `Layer.push`."""
        extra = 1 if keep else 0
        squashed, outer = jet, None
        if self.squash:
            outer = jets.tanh_derivatives(jet[0], channels.order + extra).unsqueeze(2)
            squashed = jets.compose(channels, outer, jet).squeeze(2)
        inner = self.basis.derivatives(squashed[0], channels.order + extra)
        phi = jets.compose(channels, inner, squashed).flatten(2)
        return phi, (jet, outer, squashed, inner) if keep else None

    def pull(self, channels: Channels, kept: Any, adjoint: Tensor) -> Tensor:
        """See `Layer.pull`."""
        jet, outer, squashed, inner = kept
        shaped = adjoint.reshape(*adjoint.shape[:2], self.basis.size, self.inputs)
        result = jets.pull_back(channels, inner, squashed, shaped)
        if outer is None:
            return result
        return jets.pull_back(channels, outer, jet, result.unsqueeze(2))

    def values(self, z: Tensor) -> Tensor:
        """See `Layer.values`."""
        return self.basis.values(torch.tanh(z) if self.squash else z).flatten(1)

    def matrix(self, coefficients: Tensor) -> Tensor:
        """See `Layer.matrix`."""
        return coefficients.permute(2, 0, 1).reshape(self.features, self.outputs)

    def initial(self, generator: torch.Generator) -> Tensor:
        """Normal with standard deviation 1 / (I K): an output, of I K terms, is about 1 / sqrt(I K).

        Outputs of unit variance would be too large to begin with: second derivatives of T_k grow like
        k^4, and make a first residual of 10^3 to 10^7 of them (Adam at 49 % error after 2,000 steps,
        against 0.4 % after 500 from here).
        """
        scale = 1.0 / (self.inputs * self.basis.size)
        return scale * torch.randn(self.shape, generator=generator, dtype=torch.float64)


@dataclass(frozen=True)
class DenseLayer(Layer):
    """The layer of a multilayer perceptron: features (s(z), 1), s = tanh or the identity.

    Coefficients have shape (I + 1, J); the last row is the bias.
    """

    inputs: int
    outputs: int
    squash: bool

    @property
    def shape(self) -> tuple[int, int]:  # type: ignore[override]
        """(I + 1, J)."""
        return (self.inputs + 1, self.outputs)

    @property
    def features(self) -> int:
        """I + 1."""
        return self.inputs + 1

    def push(self, channels: Channels, jet: Tensor, *, keep: bool) -> tuple[Tensor, Any]:
        """See `Layer.push`."""
        squashed, outer = jet, None
        if self.squash:
            outer = jets.tanh_derivatives(jet[0], channels.order + (1 if keep else 0)).unsqueeze(2)
            squashed = jets.compose(channels, outer, jet).squeeze(2)
        phi = jet.new_zeros(*jet.shape[:2], self.features)
        phi[..., : self.inputs] = squashed
        phi[0, :, self.inputs] = 1.0
        return phi, (jet, outer) if keep else None

    def pull(self, channels: Channels, kept: Any, adjoint: Tensor) -> Tensor:
        """See `Layer.pull`."""
        jet, outer = kept
        inner = adjoint[..., : self.inputs]
        return inner if outer is None else jets.pull_back(channels, outer, jet, inner.unsqueeze(2))

    def values(self, z: Tensor) -> Tensor:
        """See `Layer.values`."""
        return torch.nn.functional.pad(torch.tanh(z) if self.squash else z, (0, 1), value=1.0)

    def matrix(self, coefficients: Tensor) -> Tensor:
        """See `Layer.matrix`."""
        return coefficients

    def initial(self, generator: torch.Generator) -> Tensor:
        """Glorot normal weights, zero bias (Glorot and Bengio, 2010)."""
        scale = math.sqrt(2.0 / (self.inputs + self.outputs))
        weights = scale * torch.randn(self.inputs, self.outputs, generator=generator, dtype=torch.float64)
        return torch.cat([weights, torch.zeros(1, self.outputs, dtype=torch.float64)])

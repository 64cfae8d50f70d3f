"""Blocks + network + parameters as one least-squares problem in theta.

Points are worked through in chunks, so that features and adjoints of a chunk
stay in cache and memory does not grow with the number of points. Residuals are
float64; features, adjoints and the Jacobian of a linearisation may be float32.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from pinnkan.ground.derivatives import Channels
from pinnkan.networks.adapters.layerwise import Full
from pinnkan.networks.adapters.parameters import Parametrisation
from pinnkan.networks.network import Network, Tape
from pinnkan.optim import LeastSquares
from pinnkan.physics.residuals.linearisation import BlockLinearisation, OuterProducts, Rows


class PointwiseResidual(Protocol):
    """A residual that depends on one point: what training needs of a `ResidualBlock`."""

    def residual(self, data: Tensor, u: Tensor) -> Tensor:
        """Return r (N,) from data (E, N) and the derivatives u (C', N) that it reads."""

    def partials(self, data: Tensor, u: Tensor) -> Tensor:
        """Return dr/du (C', N)."""


@dataclass(frozen=True)
class TrainingSet:
    """One residual on one collocation set, with all that stays fixed while theta moves.

    The unknown is u = lift + factor * N: channel a of u is
    lift[a] + sum_b blend[a, b] * N_b (Leibniz' rule; ``blend`` None means u = N).

    Attributes:
        name: Of the residual block.
        interior: Whether the points fill the domain: an equation's do, a condition's do not.
        residual: The block.
        channels: All channels that travel.
        reads: Positions in ``channels`` of the derivatives that the residual reads.
        points: (N, D).
        data: (E, N), float64.
        root_weights: Square roots of quadrature weight times the block's own weight, (N,), float64.
        size: Size of the residual's terms, which it is divided by.
        lift: (C, N) or None.
        blend: (C, C, N) or None.
    """

    name: str
    interior: bool
    residual: PointwiseResidual
    channels: Channels
    reads: tuple[int, ...]
    points: Tensor
    data: Tensor
    root_weights: Tensor
    lift: Tensor | None
    blend: Tensor | None
    size: float = 1.0

    @property
    def count(self) -> int:
        """N."""
        return self.points.shape[0]

    def chunk(self, part: slice) -> TrainingSet:
        """Return the points of one slice."""
        return replace(
            self,
            points=self.points[part],
            data=self.data[:, part],
            root_weights=self.root_weights[part],
            lift=None if self.lift is None else self.lift[:, part],
            blend=None if self.blend is None else self.blend[:, :, part],
        )

    def unknown(self, network_jet: Tensor) -> Tensor:
        """Return the derivatives of u that the residual reads, (C', N), from the network's jet (C, N)."""
        jet = network_jet
        if self.blend is not None and self.lift is not None:
            jet = self.lift + (self.blend * jet).sum(dim=1)
        return jet[list(self.reads)]

    def weighted(self, network_jet: Tensor) -> Tensor:
        """Return the residual over its size times the root of its weight, (N,), float64.

        What holds the user's units (data, lift, u itself) is double precision whatever the jet's: the
        numbers may be of any size, the result is of size one.
        """
        jet = network_jet.to(torch.float64)
        return self.residual.residual(self.data, self.unknown(jet)) * self._scaled_weights

    def seed(self, network_jet: Tensor) -> Tensor:
        """Return the derivative of `weighted` with respect to the network's jet, (C, N), in its dtype."""
        jet = network_jet.to(torch.float64)
        partials = self.residual.partials(self.data, self.unknown(jet)) * self._scaled_weights
        spread = torch.zeros_like(jet)
        spread[list(self.reads)] = partials
        if self.blend is not None:
            spread = (self.blend * spread.unsqueeze(1)).sum(dim=0)
        return spread.to(network_jet.dtype)

    @property
    def _scaled_weights(self) -> Tensor:
        return self.root_weights / self.size


def root_mean_squares(
    sets: Sequence[TrainingSet], residuals: Tensor, counts: Sequence[int] | None = None
) -> dict[str, float]:
    """Return the root mean square of every set's residual over its size, its block's weight taken out again.

    Args:
        sets: In the order of their residuals.
        residuals: Weighted, (M,).
        counts: Residuals of each set, where they are not its points'.
    """
    parts = torch.split_with_sizes(residuals, list(counts or [one.count for one in sets]))
    return {
        one.name: math.sqrt(float(part.square().sum() / one.root_weights.square().sum()))
        for one, part in zip(sets, parts, strict=True)
    }


class TrainingLeastSquares(LeastSquares, Protocol):
    """A least-squares problem that can say which set its residuals belong to: what the loop needs."""

    sets: tuple[TrainingSet, ...]

    def terms(self, residuals: Tensor) -> dict[str, float]:
        """See `root_mean_squares`."""


class NetworkLeastSquares:
    """|r(theta)|^2 over training sets; see `pinnkan.optim.least_squares.LeastSquares`.

    Args:
        network: Layers and input map.
        parameters: How coefficients depend on theta.
        sets: Residuals and their points.
        product_dtype: Of features, adjoints and Jacobian in `linearise`.
        chunk: Points worked through at a time.
    """

    def __init__(
        self,
        network: Network,
        parameters: Parametrisation,
        sets: Sequence[TrainingSet],
        *,
        product_dtype: torch.dtype = torch.float64,
        chunk: int = 512,
    ) -> None:
        self.network = network
        self.parameters = parameters
        self.sets = tuple(sets)
        self.product_dtype = product_dtype
        self.chunk = chunk
        self.size = parameters.size
        self.count = sum(one.count for one in sets)
        self._cut: list[TrainingSet] = []

    def residuals(self, theta: Tensor) -> Tensor:
        """Return the weighted residuals of all sets, (M,), float64."""
        weights = self._weights(theta, torch.float64)
        rows = []
        for one in self._chunks():
            jet = self.network.push(one.points, weights, one.channels).output.squeeze(2)
            rows.append(one.weighted(jet))
        return torch.cat(rows)

    def terms(self, residuals: Tensor) -> dict[str, float]:
        """See `root_mean_squares`."""
        return root_mean_squares(self.sets, residuals)

    def gradient(self, theta: Tensor) -> tuple[float, Tensor]:
        """Return |r|^2 and 2 J^T r by one reverse pass."""
        dtype = self.product_dtype
        weights = self._weights(theta, dtype)
        totals = [torch.zeros_like(weight) for weight in weights]
        loss = 0.0
        for one in self._chunks():
            tape, seed, residual = self._forward(one, weights)
            loss += float(residual.square().sum())
            self._accumulate(totals, tape, weights, one, seed * (2.0 * residual).to(dtype))
        return loss, self.parameters.gradient(totals, theta).to(torch.float64)

    def linearise(self, theta: Tensor) -> BlockLinearisation:
        """Return the Jacobian at theta in ``product_dtype``.

        Where M >= P the Jacobian is one matrix. Where M < P the kernel J J^T will
        be asked for, and each layer keeps the form that makes it cheapest.
        """
        if self.count >= self.size:
            return BlockLinearisation([Rows(self._rows(theta))], [self.size])
        blocks = self._layer_blocks(theta)
        sizes = [layer.size for layer in self.parameters.layers]
        return BlockLinearisation(blocks, sizes)

    def adjoints(self, theta: Tensor) -> list[Tensor]:
        """Return dr/dZ at every layer's output Z, all channels and points stacked, (B, J_l) each."""
        stacked: list[list[Tensor]] = [[] for _ in self.parameters.layers]
        for _, _, adjoints in self._sweep(theta):
            for rows, delta in zip(stacked, adjoints, strict=True):
                rows.append(delta.flatten(0, 1).to(torch.float64))
        return [torch.cat(rows) for rows in stacked]

    def output_gradients(self, theta: Tensor) -> list[Tensor]:
        """Return dL/dz, L = |r|^2 / 2, at every layer's output z, a row for each point, (N, J_l) each.

        z's derivatives stay as they are, as in a reverse pass through a network that is differentiated
        in its coordinates: they travel beside z.
        """
        stacked: list[list[Tensor]] = [[] for _ in self.parameters.layers]
        for _, _, adjoints in self._sweep(theta, of_loss=True):
            for rows, delta in zip(stacked, adjoints, strict=True):
                rows.append(delta[0].to(torch.float64))
        return [torch.cat(rows) for rows in stacked]

    def _rows(self, theta: Tensor) -> Tensor:
        """Return the Jacobian as one matrix (M, P)."""
        jacobian = torch.empty(self.count, self.size, dtype=self.product_dtype, device=theta.device)
        row = 0
        for one, features, adjoints in self._sweep(theta):
            jacobian[row : row + one.count] = self.parameters.jacobian(features, adjoints, theta)
            row += one.count
        return jacobian

    def _layer_blocks(self, theta: Tensor) -> list[Rows | OuterProducts]:
        """Return one block a layer, fully trained ones as outer products where that pays."""
        layers = self.parameters.layers
        outer = [self._keeps_outer_products(at) for at in range(len(layers))]
        kept: list[list[tuple[int, Tensor, Tensor]]] = [[] for _ in layers]
        rows: list[list[Tensor]] = [[] for _ in layers]
        parts = self.parameters.split(theta)
        origins = [at for at, one in enumerate(self.sets) for _ in range(0, one.count, self.chunk)]
        for origin, (_, features, adjoints) in zip(origins, self._sweep(theta), strict=True):
            for at, layer in enumerate(layers):
                if outer[at]:
                    kept[at].append((origin, features[at], adjoints[at]))
                else:
                    rows[at].append(layer.jacobian(features[at], adjoints[at], parts[at]))
        return [_joined(kept[at]) if outer[at] else Rows(torch.cat(rows[at])) for at in range(len(layers))]

    def _keeps_outer_products(self, at: int) -> bool:
        channels = max(len(one.channels) for one in self.sets)
        layer = self.network.layers[at]
        full = isinstance(self.parameters.layers[at], Full)
        return full and OuterProducts.pays(channels, layer.features, layer.outputs)

    def _sweep(
        self, theta: Tensor, *, of_loss: bool = False
    ) -> Iterator[tuple[TrainingSet, tuple[Tensor, ...], list[Tensor]]]:
        """Yield every chunk with all layers' features and adjoints, of residuals or of half their squares."""
        weights = self._weights(theta, self.product_dtype)
        for one in self._chunks():
            tape, seed, residual = self._forward(one, weights)
            seed = seed * residual.to(seed.dtype) if of_loss else seed
            yield one, tape.features, self.network.pull(tape, weights, one.channels, seed.unsqueeze(2))

    def _forward(self, one: TrainingSet, weights: Sequence[Tensor]) -> tuple[Tape, Tensor, Tensor]:
        tape = self.network.push(one.points, weights, one.channels, keep=True)
        jet = tape.output.squeeze(2)
        return tape, one.seed(jet), one.weighted(jet)

    def _accumulate(
        self, totals: list[Tensor], tape: Tape, weights: Sequence[Tensor], one: TrainingSet, seed: Tensor
    ) -> None:
        adjoints = self.network.pull(tape, weights, one.channels, seed.unsqueeze(2))
        for total, phi, delta in zip(totals, tape.features, adjoints, strict=True):
            total.addmm_(phi.flatten(0, 1).T, delta.flatten(0, 1))

    def _weights(self, theta: Tensor, dtype: torch.dtype) -> list[Tensor]:
        matrices = self.network.matrices(self.parameters.coefficients(theta))
        return [matrix.to(dtype).contiguous() for matrix in matrices]

    def _chunks(self) -> list[TrainingSet]:
        """Return the sets cut in chunks, cut once."""
        if not self._cut:
            self._cut = [
                one.chunk(slice(start, min(start + self.chunk, one.count)))
                for one in self.sets
                for start in range(0, one.count, self.chunk)
            ]
        return self._cut


def _joined(chunks: Sequence[tuple[int, Tensor, Tensor]]) -> OuterProducts:
    """Join the chunks of each training set, which share their channels."""
    origins = list(dict.fromkeys(origin for origin, _, _ in chunks))
    phi = [torch.cat([phi for origin, phi, _ in chunks if origin == one], dim=1) for one in origins]
    delta = [torch.cat([delta for origin, _, delta in chunks if origin == one], dim=1) for one in origins]
    return OuterProducts(phi, delta)

"""Blocks + network + parameters as one least-squares problem in theta.

Points are worked through in chunks, so that features and adjoints of a chunk
stay in cache and memory does not grow with the number of points. Residuals are
float64; features, adjoints and the Jacobian of a linearisation may be float32.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from pinnkan.networks.adapters.layerwise import Full
from pinnkan.networks.adapters.parameters import Parametrisation
from pinnkan.networks.network import Network, Tape
from pinnkan.optim.least_squares import LeastSquares
from pinnkan.physics.residuals.linearisation import BlockLinearisation, OuterProducts, Rows
from pinnkan.physics.residuals.training_set import TrainingSet


def root_mean_squares(
    sets: Sequence[TrainingSet], residuals: Tensor, counts: Sequence[int] | None = None
) -> dict[str, float]:
    """Return the root mean square of every set's residual over its size, its block's weight taken out again.

    Args:
        sets: In the order of their residuals.
        residuals: Weighted, (M,).
        counts: Residuals of each set, where they are not its points'.
    """
    parts = torch.split_with_sizes(residuals, list(counts or [own.residual_count for own in sets]))
    return {
        own.name: math.sqrt(float(part.square().sum()) / own.total_weight)
        for own, part in zip(sets, parts, strict=True)
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
        self.count = sum(own.residual_count for own in sets)
        self._cut: list[_Chunk] = []

    def residuals(self, theta: Tensor) -> Tensor:
        """Return the weighted residuals of all sets, (M,), float64."""
        weights = self._weights(theta, torch.float64)
        residuals = torch.empty(self.count, dtype=torch.float64, device=theta.device)
        for chunk in self._chunks():
            first = chunk.sets[0]
            jet = self.network.push(first.points, weights, first.channels).output
            for training_set, rows in zip(chunk.sets, chunk.rows, strict=True):
                residuals[rows] = training_set.weighted(jet)
        return residuals

    def terms(self, residuals: Tensor) -> dict[str, float]:
        """See `root_mean_squares`."""
        return root_mean_squares(self.sets, residuals)

    def gradient(self, theta: Tensor) -> tuple[float, Tensor]:
        """Return |r|^2 and 2 J^T r by one reverse pass."""
        dtype = self.product_dtype
        weights = self._weights(theta, dtype)
        totals = [torch.zeros_like(weight) for weight in weights]
        loss = 0.0
        for chunk in self._chunks():
            tape = self._push(chunk, weights)
            seed = torch.zeros_like(tape.output)
            for training_set in chunk.sets:
                residual = training_set.weighted(tape.output)
                loss += float(residual.square().sum())
                seed += (
                    training_set.seed(tape.output) * training_set.spread(2.0 * residual).to(dtype)[:, None]
                )
            adjoints = self.network.pull(tape, weights, chunk.sets[0].channels, seed)
            for total, phi, delta in zip(totals, tape.features, adjoints, strict=True):
                total.addmm_(phi.flatten(0, 1).T, delta.flatten(0, 1))
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

    def row_blocks(self, theta: Tensor, columns: slice) -> Iterator[tuple[slice, Tensor, Tensor]]:
        """Yield places, columns of the Jacobian and the residuals there, a chunk of one set at a time.

        No reverse pass goes below the lowest layer that the columns belong to: of the last layer alone the
        Jacobian is its features times the adjoint of the output.
        """
        weights = self._weights(theta, self.product_dtype)
        depths = self.parameters.layers_of(columns)
        length = len(self.network.layers) // len(self.network.chains)
        lowest = min((depth % length for depth in depths), default=0)
        for chunk in self._chunks():
            first = chunk.sets[0]
            tape = self.network.push(first.points, weights, first.channels, keep=True, lowest=lowest)
            for place, own in zip(chunk.rows, chunk.sets, strict=True):
                seed = own.seed(tape.output)
                adjoints = self.network.pull(tape, weights, own.channels, seed, lowest=lowest)
                phi, delta = (
                    {depth: own.by_residual(parts[depth]) for depth in depths}
                    for parts in (tape.features, adjoints)
                )
                rows = self.parameters.columns(columns, phi, delta, theta)
                yield place, rows.to(torch.float64), own.weighted(tape.output)

    def adjoints(self, theta: Tensor) -> list[Tensor]:
        """Return dr/dZ at every layer's output Z, all channels and points stacked, (B, J_l) each."""
        stacked: list[list[Tensor]] = [[] for _ in self.parameters.layers]
        for _, _, _, adjoints in self._sweep(theta):
            for rows, delta in zip(stacked, adjoints, strict=True):
                rows.append(delta.flatten(0, 1).to(torch.float64))
        return [torch.cat(rows) for rows in stacked]

    def output_gradients(self, theta: Tensor) -> list[Tensor]:
        """Return dL/dz, L = |r|^2 / 2, at every layer's output z, a row for each point, (N, J_l) each.

        z's derivatives stay as they are, as in a reverse pass through a network that is differentiated
        in its coordinates: they travel beside z.
        """
        stacked: list[list[Tensor]] = [[] for _ in self.parameters.layers]
        for _, _, _, adjoints in self._sweep(theta, of_loss=True):
            for rows, delta in zip(stacked, adjoints, strict=True):
                rows.append(delta[0].to(torch.float64))
        return [torch.cat(rows) for rows in stacked]

    def _rows(self, theta: Tensor) -> Tensor:
        """Return the Jacobian as one matrix (M, P)."""
        jacobian = torch.empty(self.count, self.size, dtype=self.product_dtype, device=theta.device)
        for position, rows, features, adjoints in self._sweep(theta):
            own = self.sets[position]
            phi, delta = ([own.by_residual(part) for part in parts] for parts in (features, adjoints))
            jacobian[rows] = self.parameters.jacobian(phi, delta, theta)
        return jacobian

    def _layer_blocks(self, theta: Tensor) -> list[Rows | OuterProducts]:
        """Return one block a layer, fully trained ones as outer products where that pays."""
        layers = self.parameters.layers
        outer = [self._keeps_outer_products(depth) for depth in range(len(layers))]
        products: list[list[_Products]] = [[_Products() for _ in self.sets] for _ in layers]
        rows = [
            None if outer[depth] else theta.new_empty(self.count, layer.size, dtype=self.product_dtype)
            for depth, layer in enumerate(layers)
        ]
        parts = self.parameters.split(theta)
        for position, own, features, adjoints in self._sweep(theta):
            for depth, layer in enumerate(layers):
                matrix = rows[depth]
                if matrix is None:
                    products[depth][position].add(features[depth], adjoints[depth])
                else:
                    phi, delta = (
                        self.sets[position].by_residual(part[depth]) for part in (features, adjoints)
                    )
                    matrix[own] = layer.jacobian(phi, delta, parts[depth])
        return [
            _joined(products[depth]) if matrix is None else Rows(matrix) for depth, matrix in enumerate(rows)
        ]

    def _keeps_outer_products(self, depth: int) -> bool:
        channels = max(len(own.channels) for own in self.sets)
        layer = self.network.layers[depth]
        full = isinstance(self.parameters.layers[depth], Full)
        # Points that are worked together count as channels, far too many for outer products.
        full = full and all(own.together == 1 for own in self.sets)
        return full and OuterProducts.pays(channels, layer.features, layer.outputs)

    def _sweep(
        self, theta: Tensor, *, of_loss: bool = False
    ) -> Iterator[tuple[int, slice, tuple[Tensor, ...], list[Tensor]]]:
        """Yield set, rows, and all layers' features and adjoints, of residuals or of half their squares.

        Features are those of a point: sets that share points are pushed forward once.
        """
        weights = self._weights(theta, self.product_dtype)
        for chunk in self._chunks():
            tape = self._push(chunk, weights)
            for position, training_set, rows in zip(chunk.positions, chunk.sets, chunk.rows, strict=True):
                seed = training_set.seed(tape.output)
                if of_loss:
                    residual = training_set.weighted(tape.output)
                    seed = seed * training_set.spread(residual).to(seed.dtype)[:, None]
                adjoints = self.network.pull(tape, weights, training_set.channels, seed)
                yield position, rows, tape.features, adjoints

    def _push(self, chunk: _Chunk, weights: Sequence[Tensor]) -> Tape:
        first = chunk.sets[0]
        return self.network.push(first.points, weights, first.channels, keep=True)

    def _weights(self, theta: Tensor, dtype: torch.dtype) -> list[Tensor]:
        matrices = self.network.matrices(self.parameters.coefficients(theta))
        return [matrix.to(dtype).contiguous() for matrix in matrices]

    def _chunks(self) -> list[_Chunk]:
        """Return the sets cut in chunks, cut once."""
        if not self._cut:
            starts = list(itertools.accumulate((own.residual_count for own in self.sets), initial=0))
            for _, positions in itertools.groupby(range(len(self.sets)), self._group):
                group = tuple(positions)
                for part in self.sets[group[0]].parts(self.chunk):
                    sets = tuple(self.sets[position].chunk(part) for position in group)
                    begins = [
                        starts[position] + part.start // self.sets[position].together for position in group
                    ]
                    rows = tuple(
                        slice(begin, begin + own.residual_count)
                        for begin, own in zip(begins, sets, strict=True)
                    )
                    self._cut.append(_Chunk(group, sets, rows))
        return self._cut

    def _group(self, position: int) -> tuple[int, int]:
        """Return what sets that are worked through together have in common."""
        group = self.sets[position].group
        return (0, position) if group is None else (1, group)


@dataclass(frozen=True)
class _Chunk:
    """Some points of sets that share them.

    Attributes:
        positions: Of the sets among all.
        sets: Those points of each.
        rows: Where their residuals stand among all.
    """

    positions: tuple[int, ...]
    sets: tuple[TrainingSet, ...]
    rows: tuple[slice, ...]


class _Products:
    """Features and adjoints of one set at one layer, chunk by chunk."""

    def __init__(self) -> None:
        self.phi: list[Tensor] = []
        self.delta: list[Tensor] = []

    def add(self, phi: Tensor, delta: Tensor) -> None:
        self.phi.append(phi)
        self.delta.append(delta)


def _joined(products: Sequence[_Products]) -> OuterProducts:
    """Join the chunks of each training set, which share their channels."""
    phi = [torch.cat(own.phi, dim=1) for own in products]
    return OuterProducts(phi, [torch.cat(own.delta, dim=1) for own in products])

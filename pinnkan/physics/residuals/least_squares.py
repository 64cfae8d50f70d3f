"""Blocks + network + parameters as one least-squares problem in theta.

Points are worked through in chunks, so that features and adjoints of a chunk
stay in cache and memory does not grow with the number of points. Residuals are
float64; features, adjoints and the Jacobian of a linearisation may be float32.
"""

from __future__ import annotations

import itertools
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
class Blend:
    """The ansatz of one unknown on a set of points: channel a of u is lift[a] + sum_b factor[a, b] N_b.

    Attributes:
        lift: (C, N).
        factor: (C, C, N), Leibniz' rule.
    """

    lift: Tensor
    factor: Tensor

    def chunk(self, part: slice) -> Blend:
        """Return the points of one slice."""
        return Blend(self.lift[:, part], self.factor[:, :, part])

    def unknown(self, jet: Tensor) -> Tensor:
        """Return the channels of u, (C, N), from those of a network's output, (C, N)."""
        return self.lift + (self.factor * jet).sum(dim=1)

    def pulled(self, adjoint: Tensor) -> Tensor:
        """Return the derivative by the network's channels, (C, N), from that by those of u, (C, N)."""
        return (self.factor * adjoint.unsqueeze(1)).sum(dim=0)


@dataclass(frozen=True)
class TrainingSet:
    """One residual on one collocation set, with all that stays fixed while theta moves.

    Every unknown is u = lift + factor * N with an output N of the network.

    Attributes:
        name: Of the residual block.
        interior: Whether the points fill the domain: an equation's do, a condition's do not.
        residual: The block.
        channels: All channels that travel.
        reads: Unknown and position in ``channels`` of the derivatives that the residual reads.
        points: (N, D).
        data: (E, N), float64.
        root_weights: Square roots of quadrature weight times the block's own weight, (N,), float64; of
            points that are worked together, times their shares in the residual.
        size: Size of the residual's terms, which it is divided by.
        blends: The ansatz of every unknown, None where u = N.
        group: Sets with the same number have the same points and channels.
        together: How many consecutive points make one residual, the sum of theirs; 1 but for integrals.
    """

    name: str
    interior: bool
    residual: PointwiseResidual
    channels: Channels
    reads: tuple[tuple[int, int], ...]
    points: Tensor
    data: Tensor
    root_weights: Tensor
    blends: tuple[Blend | None, ...]
    size: float = 1.0
    group: int | None = None
    together: int = 1

    @property
    def count(self) -> int:
        """N."""
        return self.points.shape[0]

    @property
    def residual_count(self) -> int:
        """N / together."""
        return self.count // self.together

    @property
    def total_weight(self) -> float:
        """Sum of the squares of what the residuals are multiplied by: the block's own weight."""
        return float(self.gathered(self.root_weights).square().sum())

    def gathered(self, values: Tensor) -> Tensor:
        """Return the sums over the points worked together, (N, ...) -> (N / together, ...)."""
        if self.together == 1:
            return values
        return values.reshape(-1, self.together, *values.shape[1:]).sum(dim=1)

    def by_residual(self, values: Tensor) -> Tensor:
        """Return features or adjoints (C, N, F) of points as those of residuals, (C G, N / G, F), G together.

        A row of the Jacobian is a sum over channels; that of a residual is one over its points too.
        """
        if self.together == 1:
            return values
        channels, _, width = values.shape
        return values.reshape(channels, -1, self.together, width).transpose(1, 2).flatten(0, 1)

    def spread(self, values: Tensor) -> Tensor:
        """Return for every point the value of its residual, (N / together,) -> (N,)."""
        return values if self.together == 1 else values.repeat_interleave(self.together)

    def parts(self, size: int) -> list[slice]:
        """Cut the points into slices of a size, points that are worked together into the same one."""
        whole = max(1, size // self.together) * self.together
        return [slice(start, min(start + whole, self.count)) for start in range(0, self.count, whole)]

    def chunk(self, part: slice) -> TrainingSet:
        """Return the points of one slice."""
        return replace(
            self,
            points=self.points[part],
            data=self.data[:, part],
            root_weights=self.root_weights[part],
            blends=tuple(None if blend is None else blend.chunk(part) for blend in self.blends),
        )

    def unknowns(self, network_jet: Tensor) -> Tensor:
        """Return the derivatives that the residual reads, (C', N), from the network's jet (C, N, U)."""
        jets = {unknown: self._unknown(network_jet, unknown) for unknown, _ in self.reads}
        return torch.stack([jets[unknown][channel] for unknown, channel in self.reads])

    def _unknown(self, network_jet: Tensor, unknown: int) -> Tensor:
        jet, blend = network_jet[:, :, unknown], self.blends[unknown]
        return jet if blend is None else blend.unknown(jet)

    def weighted(self, network_jet: Tensor) -> Tensor:
        """Return the residual over its size times the root of its weight, (N / together,), float64.

        What holds the user's units (data, lift, u itself) is double precision whatever the jet's: the
        numbers may be of any size, the result is of size one.
        """
        jet = network_jet.to(torch.float64)
        return self.gathered(self.residual.residual(self.data, self.unknowns(jet)) * self._scaled_weights)

    def seed(self, network_jet: Tensor) -> Tensor:
        """Return the derivative of `weighted` with respect to the network's jet, (C, N, U), in its dtype.

        Every point's part has the derivative of the one residual that it belongs to.
        """
        jet = network_jet.to(torch.float64)
        partials = self.residual.partials(self.data, self.unknowns(jet)) * self._scaled_weights
        spread = torch.zeros_like(jet)
        for (unknown, channel), partial in zip(self.reads, partials, strict=True):
            spread[channel, :, unknown] = partial
        for unknown in {unknown for unknown, _ in self.reads}:
            blend = self.blends[unknown]
            if blend is not None:
                spread[:, :, unknown] = blend.pulled(spread[:, :, unknown])
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
        outer = [self._keeps_outer_products(at) for at in range(len(layers))]
        products: list[list[_Products]] = [[_Products() for _ in self.sets] for _ in layers]
        rows = [
            None if outer[at] else theta.new_empty(self.count, layer.size, dtype=self.product_dtype)
            for at, layer in enumerate(layers)
        ]
        parts = self.parameters.split(theta)
        for position, own, features, adjoints in self._sweep(theta):
            for at, layer in enumerate(layers):
                matrix = rows[at]
                if matrix is None:
                    products[at][position].add(features[at], adjoints[at])
                else:
                    phi, delta = (self.sets[position].by_residual(part[at]) for part in (features, adjoints))
                    matrix[own] = layer.jacobian(phi, delta, parts[at])
        return [_joined(products[at]) if matrix is None else Rows(matrix) for at, matrix in enumerate(rows)]

    def _keeps_outer_products(self, at: int) -> bool:
        channels = max(len(one.channels) for one in self.sets)
        layer = self.network.layers[at]
        full = isinstance(self.parameters.layers[at], Full)
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
                    sets = tuple(self.sets[at].chunk(part) for at in group)
                    begins = [starts[at] + part.start // self.sets[at].together for at in group]
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

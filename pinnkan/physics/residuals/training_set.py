"""One residual on one collocation set, with all that stays fixed while the network moves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from pinnkan.ground.channels import Channels


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

    def chunk(self, part: slice | Tensor) -> Blend:
        """Return the points of one slice, or of indices."""
        return Blend(self.lift[:, part], self.factor[:, :, part])

    def joined(self, other: Blend) -> Blend:
        """Return these points and those of another one."""
        return Blend(torch.cat([self.lift, other.lift], dim=1), torch.cat([self.factor, other.factor], dim=2))

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

    def joined(self, other: TrainingSet) -> TrainingSet:
        """Return these points and those of another set of the same residual."""
        pairs = zip(self.blends, other.blends, strict=True)
        return replace(
            self,
            points=torch.cat([self.points, other.points]),
            data=torch.cat([self.data, other.data], dim=1),
            root_weights=torch.cat([self.root_weights, other.root_weights]),
            blends=tuple(None if own is None or more is None else own.joined(more) for own, more in pairs),
        )

    def selected(self, places: Tensor, factor: Tensor) -> TrainingSet:
        """Return the points of indices (N',), the roots of their weights times a factor (N',)."""
        return replace(
            self,
            points=self.points[places],
            data=self.data[:, places],
            root_weights=self.root_weights[places] * factor,
            blends=tuple(None if blend is None else blend.chunk(places) for blend in self.blends),
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

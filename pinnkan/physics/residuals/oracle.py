"""The slow oracle: the same residuals by nested torch autograd, for tests and for anyone who doubts.

Nothing here uses jets, adjoints or analytic partial derivatives: derivatives in
the coordinates come from differentiating `Network.values` again and again, those
in theta from one reverse pass through all of that. Everything is float64.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from pinnkan.ground.channels import Channels
from pinnkan.ground.derivatives import MultiIndex, lowered, terms_of, value_index
from pinnkan.networks.adapters.parameters import Parametrisation
from pinnkan.networks.network import Network
from pinnkan.physics.residuals.least_squares import root_mean_squares
from pinnkan.physics.residuals.linearisation import BlockLinearisation, Rows
from pinnkan.physics.residuals.training_set import TrainingSet


class AutogradLeastSquares:
    """|r(theta)|^2 over training sets; see `pinnkan.optim.least_squares.LeastSquares`.

    Args:
        network: Layers and input map.
        parameters: How coefficients depend on theta.
        sets: Residuals and their points.
        chunk: Points worked through at a time; each keeps a graph of all its derivatives.
    """

    def __init__(
        self, network: Network, parameters: Parametrisation, sets: Sequence[TrainingSet], *, chunk: int = 128
    ) -> None:
        self.network = network
        self.parameters = parameters
        self.sets = tuple(sets)
        self.chunk = chunk
        self.size = parameters.size
        self.count = sum(own.residual_count for own in sets)

    def residuals(self, theta: Tensor) -> Tensor:
        """Return the weighted residuals of all sets, (M,)."""
        return torch.cat([residual.detach() for residual in self._chunks(theta)])

    def terms(self, residuals: Tensor) -> dict[str, float]:
        """See `root_mean_squares`."""
        return root_mean_squares(self.sets, residuals)

    def gradient(self, theta: Tensor) -> tuple[float, Tensor]:
        """Return |r|^2 and its gradient, chunk by chunk in reverse."""
        variable = theta.detach().requires_grad_(True)
        loss, gradient = 0.0, torch.zeros_like(theta)
        for residual in self._chunks(variable):
            square = residual.square().sum()
            loss += float(square.detach())
            gradient += _derivative(square, variable, again=False)
        return loss, gradient

    def linearise(self, theta: Tensor) -> BlockLinearisation:
        """Return the Jacobian at theta as one matrix, a reverse pass for every residual."""
        variable = theta.detach().requires_grad_(True)
        rows = [
            _derivative(entry, variable, again=False)
            for residual in self._chunks(variable)
            for entry in residual.unbind()
        ]
        return BlockLinearisation([Rows(torch.stack(rows))], [self.size])

    def row_blocks(self, theta: Tensor, columns: slice) -> Iterator[tuple[slice, Tensor, Tensor]]:
        """Yield places, columns of the Jacobian and the residuals there, a chunk of one set at a time."""
        variable, start = theta.detach().requires_grad_(True), 0
        for residual in self._chunks(variable):
            rows = [_derivative(entry, variable, again=False)[columns] for entry in residual.unbind()]
            yield slice(start, start + len(rows)), torch.stack(rows), residual.detach()
            start += len(rows)

    def _chunks(self, theta: Tensor) -> Iterator[Tensor]:
        """Yield the residuals of every chunk as functions of theta."""
        for training_set in self.sets:
            for points in training_set.parts(self.chunk):
                part = training_set.chunk(points)
                weights = self.network.matrices(self.parameters.coefficients(theta))
                yield part.weighted(jet_by_autograd(self.network, part.points, weights, part.channels))


def jet_by_autograd(
    network: Network, points: Tensor, weights: Sequence[Tensor], channels: Channels
) -> Tensor:
    """Return the derivatives (C, N, U) of a network by differentiating its U outputs |alpha| times.

    Args:
        network: With U outputs.
        points: Shape (N, D).
        weights: One matrix (F, J) a layer; the result can be differentiated in them.
        channels: The derivatives wanted.
    """
    variable = points.detach().requires_grad_(True)
    outputs = network.values(variable, weights).unbind(dim=1)
    return torch.stack([_jet_of(output, variable, channels) for output in outputs], dim=2)


def _jet_of(output: Tensor, variable: Tensor, channels: Channels) -> Tensor:
    """Return the derivatives (C, N) of one output (N,) by the points (N, D) that it is a function of."""
    known: dict[MultiIndex, Tensor] = {value_index(channels.dimension): output}

    def partial(index: MultiIndex) -> Tensor:
        if index not in known:
            axis, lower = lowered(index)
            # Row n depends on point n alone, so that one pass on the sum differentiates every row.
            known[index] = _derivative(partial(lower).sum(), variable, again=True)[:, axis]
        return known[index]

    sums = [
        torch.stack([c * partial(index) for index, c in terms_of(key)]).sum(dim=0) for key in channels.keys
    ]
    return torch.stack(sums)


def _derivative(scalar: Tensor, variable: Tensor, *, again: bool) -> Tensor:
    """Return the gradient of a scalar, zero where it does not depend on the variable.

    ``again`` makes it differentiable in its turn; the scalar's own graph is kept either way.
    """
    if not scalar.requires_grad:
        return torch.zeros_like(variable)
    (gradient,) = torch.autograd.grad(
        scalar, variable, create_graph=again, retain_graph=True, allow_unused=True
    )
    return torch.zeros_like(variable) if gradient is None else gradient

"""Sparsity: a penalty on the size of every edge as further residuals, and pruning of what it leaves small.

With a_e the coefficients of edge e, n_e their norm as a function, sqrt(mean of phi_e^2), E edges and
    s_e = sqrt(lambda / E) L^T a_e / (n_e^2 + eps^2)^(1/4),    n_e^2 = |L^T a_e|^2 = a_e^T M a_e,
|s|^2 is lambda times the mean of n_e^2 / sqrt(n_e^2 + eps^2): the group lasso of Yuan and Lin (JRSS B 68,
2006) but smooth. One number an edge, (n^2 + eps^2)^(1/4), has the same square and no Jacobian at n = 0,
where a Gauss-Newton step would not see it; these K numbers have the right one.
M is the basis's Gram matrix over [-1, 1], over a period for a basis on the line.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pinnkan.ground.errors import UsageError
from pinnkan.networks import KanLayer, Network
from pinnkan.networks.adapters.parameters import Parametrisation
from pinnkan.networks.bases import Basis
from pinnkan.optim.kinds import names_where
from pinnkan.optim.least_squares import Linearisation, symmetric_product
from pinnkan.physics.residuals.least_squares import TrainingLeastSquares

_EPSILON = 1e-3
"""eps: edges below it, in the units of the inner variables, are as good as zero."""
_FEWEST_NODES = 96


def gram(basis: Basis) -> Tensor:
    """Return M[k, l], the mean of b_k b_l over the basis's interval, (K, K), by Gauss's rule."""
    # Squares of a Fourier basis have K waves, and Gauss's rule needs pi nodes a wave and some more.
    nodes, weights = np.polynomial.legendre.leggauss(max(_FEWEST_NODES, 4 * basis.size))
    reach = 1.0 if basis.domain == "unit" else math.pi
    values = basis.values(torch.from_numpy(reach * nodes).unsqueeze(1))[:, :, 0]
    return (values.T * torch.from_numpy(0.5 * weights)) @ values


def edge_norms(network: Network, coefficients: Sequence[Tensor]) -> list[Tensor]:
    """Return n_e of every edge, (I, J) a layer.

    Raises:
        UsageError: If the network is no KAN.
    """
    norms = []
    for layer, c in zip(network.layers, coefficients, strict=True):
        matrix = gram(_kan(layer).basis).to(c)
        norms.append(torch.einsum("ijk,kl,ijl->ij", c, matrix, c).clamp_min(0.0).sqrt())
    return norms


def pruned(network: Network, coefficients: Sequence[Tensor], share: float) -> tuple[list[Tensor], int]:
    """Set edges to zero whose norm is below ``share`` of the largest of their layer; return how many.

    An edge that was zero before is not counted.
    """
    result, count = [], 0
    for c, norms in zip(coefficients, edge_norms(network, coefficients), strict=True):
        small = norms < share * norms.max()
        count += int((small & (c != 0).any(dim=2)).sum())
        result.append(torch.where(small.unsqueeze(2), torch.zeros_like(c), c))
    return result, count


def _kan(layer: object) -> KanLayer:
    if not isinstance(layer, KanLayer):
        raise UsageError("sparsity: this network has no functions on its edges; use a KAN (network.kind)")
    return layer


class SparseLeastSquares:
    """|r(theta)|^2 + |s(theta)|^2: see the module.

    Args:
        inner: The residuals r.
        network: Gives the edges' basis.
        parameters: How coefficients depend on theta.
        strength: lambda.

    Raises:
        UsageError: If the network is no KAN.
    """

    def __init__(
        self, inner: TrainingLeastSquares, network: Network, parameters: Parametrisation, strength: float
    ) -> None:
        self.inner, self.parameters, self.strength = inner, parameters, strength
        self.sets, self.size = inner.sets, inner.size
        self._roots = [torch.linalg.cholesky(_regular(gram(_kan(layer).basis))) for layer in network.layers]
        self._edges = sum(_kan(layer).inputs * layer.outputs for layer in network.layers)
        self.count = inner.count + sum(math.prod(layer.shape) for layer in network.layers)

    def penalty(self, theta: Tensor) -> Tensor:
        """Return s(theta), float64."""
        parts = []
        for c, root in zip(self.parameters.coefficients(theta), self._roots, strict=True):
            scaled = c @ root.to(c)
            squares = scaled.square().sum(dim=2, keepdim=True)
            parts.append((scaled / (squares + _EPSILON**2) ** 0.25).flatten())
        return torch.cat(parts) * math.sqrt(self.strength / self._edges)

    def residuals(self, theta: Tensor) -> Tensor:
        """Return r, then s."""
        return torch.cat([self.inner.residuals(theta), self.penalty(theta)])

    def terms(self, residuals: Tensor) -> dict[str, float]:
        """Return the root mean squares by set, and the root of the penalty."""
        own, rest = residuals[: self.inner.count], residuals[self.inner.count :]
        return self.inner.terms(own) | {"sparsity": float(rest.norm())}

    def gradient(self, theta: Tensor) -> tuple[float, Tensor]:
        """Return |r|^2 + |s|^2 and its gradient."""
        loss, gradient = self.inner.gradient(theta)
        variable = theta.detach().requires_grad_(True)
        square = self.penalty(variable).square().sum()
        (own,) = torch.autograd.grad(square, variable)
        return loss + float(square.detach()), gradient + own

    def linearise(self, theta: Tensor) -> SparseLinearisation:
        """Return the Jacobian of r above that of s.

        Raises:
            UsageError: If there are more numbers than residuals: J^T J is then not at hand.
        """
        if self.inner.count < self.size:
            raise UsageError(
                f"sparsity: {names_where(linearises=True)} needs as many points as numbers, found "
                f"{self.inner.count} points for {self.size} numbers; take more points, a smaller network, "
                f"or optimizer {names_where(linearises=False)}"
            )
        return SparseLinearisation(self.inner.linearise(theta), self._penalty_rows(theta), self.inner.count)

    def row_blocks(self, theta: Tensor, columns: slice) -> Iterator[tuple[slice, Tensor, Tensor]]:
        """Yield places, some columns of the Jacobian of r and r, then those of s and s."""
        yield from self.inner.row_blocks(theta, columns)
        yield slice(self.inner.count, self.count), self._penalty_rows(theta)[:, columns], self.penalty(theta)

    def _penalty_rows(self, theta: Tensor) -> Tensor:
        # Row by row: the batched forms of torch warn of deprecated parts of their own.
        own: Tensor = torch.autograd.functional.jacobian(self.penalty, theta.detach())  # type: ignore[no-untyped-call]
        return own


def _regular(matrix: Tensor) -> Tensor:
    """Lift the diagonal by rounding: the functions of a large Taylor basis are nearly dependent."""
    return matrix + 1e-12 * matrix.diagonal().max() * torch.eye(len(matrix), dtype=matrix.dtype)


@dataclass(frozen=True)
class SparseLinearisation:
    """The Jacobian J of r above the Jacobian S of s.

    Attributes:
        inner: J.
        own: S, (Q, P), float64.
        count: Rows of J.
    """

    inner: Linearisation
    own: Tensor
    count: int

    def gram(self) -> Tensor:
        """Return J^T J + S^T S, (P, P), float64."""
        return self.inner.gram() + symmetric_product(self.own)

    def kernel(self) -> Tensor:
        """Never asked for: `SparseLeastSquares.linearise` wants as many residuals as numbers."""
        raise NotImplementedError

    def push(self, step: Tensor) -> Tensor:
        """Return J v, then S v."""
        return torch.cat([self.inner.push(step), self.own @ step])

    def pull(self, residuals: Tensor) -> Tensor:
        """Return J^T y + S^T z."""
        return self.inner.pull(residuals[: self.count]) + self.own.T @ residuals[self.count :]

"""Residuals tested against local averages instead of points: r -> S r.

The error of a solution is e = L^{-1} r, and L^{-1} damps a residual of
wavenumber k by 1/k^2 (elliptic L) or 1/k. The pointwise norm |r| does not: where
a solution has a kink that the network cannot resolve, the residual there rules
the fit and the smooth part of the error, all that matters, waits. A weak norm
puts that right, as in least-squares finite elements (Bochev and Gunzburger,
2009, negative norms) and variational PINNs (Kharazmi et al., arXiv 1912.00873).

S = (1 - t) A + t I, A the Gaussian average over the k nearest neighbours of a
point: in quadrature-weighted residuals sqrt(w) r it reads
    A[i, j] = sqrt(w_i) g_ij w_j / (sum_j g_ij w_j) / sqrt(w_j),
    g_ij = exp(-|x_i - x_j|^2 / 2 l_i^2), l_i proportional to the k-th distance.
Averages over many points overlap so much that every (k / 48)-th point has one:
S is (M', M) with M' <= M, and more points make better averages at little cost.
Measured on the paper's elliptic base (1,500 points, seed 0): 1.3e-4 without, 4e-5 with,
by plain Levenberg-Marquardt; accelerated steps need it no more there (3.0e-5 and 3.7e-5).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from pinnkan.networks.network import Network
from pinnkan.physics.residuals.averages import Averages
from pinnkan.physics.residuals.least_squares import TrainingLeastSquares, root_mean_squares
from pinnkan.physics.residuals.linearisation import BlockLinearisation, Rows
from pinnkan.physics.residuals.training_set import TrainingSet

_POINTWISE = 0.05
"""t: keeps wavenumbers beyond the averages' reach from being free."""

_OVERLAP = 48
"""Averages that a point takes part in, about; more neighbours mean fewer averages."""

_WIDTH = 0.4
"""l_i over the distance of the k-th neighbour: the Gaussian is 4 % there."""


class PointwiseLeastSquares(TrainingLeastSquares, Protocol):
    """A training problem whose Jacobian comes in blocks."""

    def linearise(self, theta: Tensor) -> BlockLinearisation:
        """Return the Jacobian at theta."""


class SmoothedLeastSquares:
    """|S r(theta)|^2: see the module; `pinnkan.optim.least_squares.LeastSquares` otherwise.

    M' averages and conditions stand where M residuals stood: ``count`` is M'.

    Conditions on the boundary and at the initial time stay pointwise.

    Args:
        inner: The pointwise problem r, by blocks of columns.
        network: Its input map gives the distances their units.
        neighbours: k, the point itself included.
    """

    def __init__(self, inner: PointwiseLeastSquares, network: Network, neighbours: int) -> None:
        self.inner = inner
        self.sets = inner.sets
        self.size = inner.size
        self._averages = averages_of(inner.sets, network, neighbours)
        self.count = sum(self._averages.counts)

    def residuals(self, theta: Tensor) -> Tensor:
        """Return S r(theta), (M',), float64."""
        return torch.mv(self._averages.matrix, self.inner.residuals(theta))

    def terms(self, residuals: Tensor) -> dict[str, float]:
        """Return the root mean squares of the averaged residuals by set."""
        return root_mean_squares(self.sets, residuals, self._averages.counts)

    def gradient(self, theta: Tensor) -> tuple[float, Tensor]:
        """Return |S r|^2 and 2 J^T S^T S r; costs a linearisation."""
        residuals = self.residuals(theta)
        return float(residuals @ residuals), 2.0 * self.linearise(theta).pull(residuals)

    def linearise(self, theta: Tensor) -> BlockLinearisation:
        """Return S J(theta)."""
        return self.inner.linearise(theta).averaged(self._averages)

    def row_blocks(self, theta: Tensor, columns: slice) -> Iterator[tuple[slice, Tensor, Tensor]]:
        """Yield the columns of S J and S r at once: an average needs points of several chunks."""
        pointwise = theta.new_empty(self.inner.count, columns.stop - columns.start)
        for place, rows, _ in self.inner.row_blocks(theta, columns):
            pointwise[place] = rows
        yield slice(0, self.count), Rows(pointwise).averaged(self._averages).matrix, self.residuals(theta)


def averages_of(sets: Sequence[TrainingSet], network: Network, neighbours: int) -> Averages:
    """Return S over all sets: averages where points fill the domain, the identity on conditions."""
    near: list[Tensor] = []
    weights: list[Tensor] = []
    for own in sets:
        averages = _averages(own, network, neighbours) if own.interior else _identity(own.residual_count)
        for kept, array in zip((near, weights), averages, strict=True):
            kept.append(torch.from_numpy(array).to(own.points.device))
    return Averages(near, weights, [own.residual_count for own in sets])


def _averages(one: TrainingSet, network: Network, neighbours: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the neighbours (M', k) of every point that has an average, and its row of S over them."""
    from scipy.spatial import cKDTree

    points = network.input_map.places(one.points).cpu().numpy()
    root = one.root_weights.cpu().numpy()
    count = min(neighbours, one.count)
    stride = max(1, count // _OVERLAP)
    distance, near = cKDTree(points).query(points[::stride], k=count)
    distance, near = distance.reshape(-1, count), near.reshape(-1, count)
    width = np.maximum(_WIDTH * distance[:, -1:], np.finfo(float).tiny)
    share = np.exp(-0.5 * (distance / width) ** 2) * root[near] ** 2
    share /= share.sum(axis=1, keepdims=True)
    rows = (1.0 - _POINTWISE) * share / root[near]
    # The nearest neighbour of a point is the point itself: points of a set are distinct.
    rows[:, 0] += _POINTWISE / root[near[:, 0]]
    # The averages carry the weights of the points that have none.
    own = root[::stride]
    return near, rows * (own * np.linalg.norm(root) / np.linalg.norm(own))[:, None]


def _identity(count: int) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(count)[:, None], np.ones((count, 1))

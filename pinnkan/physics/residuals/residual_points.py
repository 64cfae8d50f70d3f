"""Points where the residual is: half of them even, half drawn by its size, weighted so that sums stay.

Of M points of a pool with quadrature weights q_m and residuals r_m, N' are drawn, the m-th with probability

    pi_m = min(1, s q_m |r_m|),    sum_m pi_m = N',

beside as many even ones, e(x) points to the unit of the domain at x. By the rule of expected numbers (the
balance heuristic: Veach and Guibas, SIGGRAPH 1995) every point, of either half, has the weight

    w(x) = 1 / (e(x) + lambda(x)),    lambda(x) = min(1 / q, s |r(x)|):

the expected value of a weighted sum is the mean over the domain, so that the equation is solved in the same
norm, sampled better where the residual is; and no weight is above 1 / e, twice that of as many even points.
(Wu et al., Comput. Methods Appl. Mech. Engrg. 403, 2023, draw from such a mixture, without weights.)

Both halves have low discrepancy. The even ones are a Sobol net; those of the pool are kept one for each
integer that the running sum of pi, from a random start, passes along an order in which neighbours follow each
other. Independent draws leave mean squares two to seven times as uncertain.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pinnkan.ground.arrays import FloatArray
from pinnkan.physics.residuals.training_set import TrainingSet

POOL = 10
"""Points of the pool over those of the set that is drawn."""
_EXPONENT = 1.0
"""Of the size of the residual, by which points are drawn."""


@dataclass(frozen=True)
class Candidates:
    """Training sets of even points, followed by the same sets on a pool.

    Attributes:
        sets: Even points and pool in one.
        even: How many of each set's points are even; all where there is no pool.
    """

    sets: tuple[TrainingSet, ...]
    even: tuple[int, ...]

    @classmethod
    def of(cls, even: Sequence[TrainingSet], pool: Sequence[TrainingSet]) -> Candidates:
        """Join the sets pair by pair; points worked together, and single places, have no pool."""
        pairs = list(zip(even, pool, strict=True))
        has_pool = [own.together == 1 and more.count > own.count for own, more in pairs]
        sets = [
            own.joined(more) if joins else own for (own, more), joins in zip(pairs, has_pool, strict=True)
        ]
        return cls(tuple(sets), tuple(own.count for own in even))


@dataclass(frozen=True)
class Selection:
    """Points of a set that are kept.

    Attributes:
        places: Their indices (N,), ascending.
        factor: What the roots of their weights are multiplied by, (N,).
    """

    places: Tensor
    factor: Tensor

    def of(self, candidates: TrainingSet) -> TrainingSet:
        """Return them."""
        return candidates.selected(self.places, self.factor)


def selections_by_residual(
    candidates: Candidates, residuals: Tensor, generator: np.random.Generator
) -> list[Selection]:
    """Return for every set the even points and as many of the pool, by the residuals of all that share them.

    Args:
        candidates: Their pools in an order in which neighbours follow each other.
        residuals: Weighted residuals of all sets, (M,).
        generator: Stream of the random starts.
    """
    sets = candidates.sets
    parts = torch.split_with_sizes(residuals, [own.residual_count for own in sets])
    selections: list[Selection] = []
    for _, members in itertools.groupby(range(len(sets)), lambda position: sets[position].group):
        positions = list(members)
        first, even = sets[positions[0]], candidates.even[positions[0]]
        if first.count == even:
            every = torch.arange(even, device=first.points.device)
            selections += [Selection(every, torch.ones_like(first.root_weights))] * len(positions)
            continue
        weights = first.root_weights.square().cpu().numpy()
        weights /= weights[:even].sum()
        together = torch.stack([parts[position] for position in positions]).square().sum(dim=0)
        sizes = np.sqrt(together.cpu().numpy() / weights)
        places, raised = drawn(weights, sizes, even, generator)
        factor = np.sqrt(raised / weights[places])
        selection = Selection(*(torch.from_numpy(own).to(first.points.device) for own in (places, factor)))
        selections += [selection] * len(positions)
    return selections


def drawn(
    weights: FloatArray, sizes: FloatArray, even: int, generator: np.random.Generator
) -> tuple[np.ndarray, FloatArray]:
    """Return the even points and as many of the pool, (N,) indices, with the weights of the module, (N,).

    Args:
        weights: Of the even points, sum 1, then of the pool, sum 1.
        sizes: Of the residuals there; where they are not finite, or all zero, all count as the same.
        even: How many points are even.
        generator: Stream of the random start.
    """
    powers, ratio = sizes**_EXPONENT, even / (len(weights) - even)
    if not 0.0 < float(weights[even:] @ powers[even:]) < np.inf or not np.isfinite(powers).all():
        powers = np.ones_like(powers)
    shares, slope = inclusion(weights[even:] * powers[even:], even)
    places = np.concatenate([np.arange(even), even + systematic(shares, generator)])
    # What a point of the pool would weigh here.
    local = np.concatenate([ratio * weights[:even], weights[even:]])
    return places, (local / (ratio + np.minimum(1.0, slope * local * powers)))[places]


def inclusion(masses: FloatArray, count: int) -> tuple[FloatArray, float]:
    """Return min(1, s mass), (N,), whose sum is ``count`` unless fewer masses are not zero, and s."""
    shares, slope = np.zeros_like(masses), 0.0
    whole = np.zeros(len(masses), dtype=bool)
    # What exceeds 1 is 1, and the rest shares out what is left: each round fixes at least one more point.
    while True:
        rest, left = float(masses[~whole].sum()), count - int(whole.sum())
        if rest > 0.0 and left > 0:
            slope = left / rest
        shares = np.where(whole, 1.0, np.minimum(slope * masses, 2.0) if left > 0 else 0.0)
        over = (shares > 1.0) & ~whole
        if not over.any():
            return shares, slope
        whole |= over


def systematic(shares: FloatArray, generator: np.random.Generator) -> np.ndarray:
    """Return the points kept, ascending, each once: those at which u + sum pi passes an integer, (N',)."""
    passed = np.floor(generator.random() + np.cumsum(shares))
    return np.flatnonzero(np.diff(passed, prepend=0.0) > 0.0)

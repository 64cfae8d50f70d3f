"""Points where the residual is: a few of many, drawn by its size, weighted so that sums stay what they are.

Of a pool of points with quadrature weights w_n and residuals r_n, N are kept, the n-th with probability

    pi_n = min(1, s w_n (|r_n|^k / mean |r|^k + c) / (1 + c)),    sum_n pi_n = N,

and the weight w_n / pi_n (Horvitz and Thompson, J. Amer. Stat. Assoc. 47, 1952): the expected value of a
weighted sum of squares over the points kept is that over the pool, so that the equation is solved in the
same norm, sampled better where the residual is. The uniform share c bounds the weights: none is above
(1 + c) / c over the number of points. The density is that of Wu et al. (Comput. Methods Appl. Mech. Engrg.
403, 2023), who leave the weights out.

Points are kept systematically: one for each integer that the running sum of pi, from a random start, passes.
Along an order in which neighbours follow each other every part of the domain has its share of points to
within one; independent draws miss by the root of it.
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
"""Points of the pool over those that are kept."""
_EXPONENT, _UNIFORM = 1.0, 1.0
"""k and c."""


@dataclass(frozen=True)
class Selection:
    """Points of a set that are kept.

    Attributes:
        places: Their indices (N',), ascending.
        factor: What the roots of their weights are multiplied by, (N',).
    """

    places: Tensor
    factor: Tensor

    def of(self, pool: TrainingSet) -> TrainingSet:
        """Return them."""
        return pool.selected(self.places, self.factor)


def selections_by_residual(
    sets: Sequence[TrainingSet], residuals: Tensor, generator: np.random.Generator
) -> list[Selection]:
    """Return one point in `POOL` of every set, drawn by the residuals of all sets that share the points.

    Sets whose points are worked together, those of an integral, stay whole.

    Args:
        sets: The pool, its points in an order in which neighbours follow each other.
        residuals: Weighted residuals of all sets, (M,).
        generator: Stream of the random starts.
    """
    parts = torch.split_with_sizes(residuals, [own.residual_count for own in sets])
    kept: list[Selection] = []
    for _, members in itertools.groupby(range(len(sets)), lambda position: sets[position].group):
        positions = list(members)
        first = sets[positions[0]]
        if first.together > 1:
            every = torch.arange(first.count, device=first.points.device)
            kept += [Selection(every, torch.ones_like(first.root_weights))] * len(positions)
            continue
        weights = (first.root_weights.square() / first.total_weight).cpu().numpy()
        together = torch.stack([parts[position] for position in positions])
        squares = together.square().sum(dim=0).cpu().numpy() / weights
        shares = inclusion(weights, np.sqrt(squares), max(1, round(first.count / POOL)))
        places = torch.from_numpy(systematic(shares, generator)).to(first.points.device)
        raised = torch.from_numpy(shares).to(first.points.device)[places].rsqrt()
        kept += [Selection(places, raised)] * len(positions)
    return kept


def inclusion(weights: FloatArray, sizes: FloatArray, count: int) -> FloatArray:
    """Return with which probability every point of a pool is kept, (N,): see the module.

    Args:
        weights: Of the pool, sum 1, (N,).
        sizes: Of the residuals, (N,); where they are not finite or all zero, points are kept by weight alone.
        count: Points to keep, their sum.
    """
    powers = sizes**_EXPONENT
    mean = float(weights @ powers)
    relative = powers / mean if 0.0 < mean < np.inf else np.ones_like(powers)
    masses = weights * (relative + _UNIFORM) / (1.0 + _UNIFORM)
    shares: FloatArray = np.zeros_like(masses)
    whole = np.zeros(len(masses), dtype=bool)
    # What exceeds 1 is 1, and the rest shares out what is left: each round fixes at least one more point.
    while True:
        left = min(count, len(masses)) - int(whole.sum())
        shares = np.where(whole, 1.0, masses * (left / max(float(masses[~whole].sum()), 1e-300)))
        over = (shares > 1.0) & ~whole
        if not over.any():
            return shares
        whole |= over


def systematic(shares: FloatArray, generator: np.random.Generator) -> np.ndarray:
    """Return the points kept, ascending, each once: those at which u + sum pi passes an integer, (N',)."""
    passed = np.floor(generator.random() + np.cumsum(shares))
    return np.flatnonzero(np.diff(passed, prepend=0.0) > 0.0)

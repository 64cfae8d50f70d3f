"""Rows of equal size: every residual over the size of its own terms at its point.

Where the terms of an equation are large, in a layer or at the start of a decay, so is a residual that is
small beside them, and it rules the sum of squares. With s = 1 / (t + floor), t the sum of the terms' sizes at
the present network, every row says what share of its terms is left, in every part of the domain and of every
equation and condition; weights of the file multiply that.

While an optimizer minimises, s stays as it was when the points were drawn: one least-squares problem. The
held-out residuals that decide what is kept go by the sizes at the network that they judge, a function of it
alone, so that they can be compared with each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from pinnkan.physics.residuals.least_squares import NetworkLeastSquares
from pinnkan.physics.residuals.training_set import TrainingSet

_FLOOR = 1e-2
"""Least size over the root mean square of the sizes: where all terms vanish, a residual may not."""


def row_scales(sets: Sequence[TrainingSet], weighted_sizes: Tensor) -> Tensor:
    """Return what to multiply every residual by, (M,).

    Args:
        sets: Of the residuals, or of the sizes, on the same points.
        weighted_sizes: The sizes of the terms times the roots of the residuals' weights, (M,).
    """
    scales, counts = [], [own.residual_count for own in sets]
    for own, part in zip(sets, torch.split_with_sizes(weighted_sizes, counts), strict=True):
        root = own.gathered(own.root_weights)
        usual = part.norm() / root.norm()
        sizes = part / root + _FLOOR * usual
        scales.append(1.0 / sizes if float(usual) > 0.0 else torch.ones_like(part))
    return torch.cat(scales)


def balanced(
    sets: Sequence[TrainingSet], term_sets: Sequence[TrainingSet], weighted_sizes: Tensor
) -> list[TrainingSet]:
    """Return sets with rows of equal size.

    Args:
        sets: Of the residuals.
        term_sets: Of the sizes of their terms, on the same points.
        weighted_sizes: See `row_scales`.
    """
    counts = [own.residual_count for own in term_sets]
    scales = torch.split_with_sizes(row_scales(term_sets, weighted_sizes), counts)
    return [
        replace(own, root_weights=own.root_weights * own.spread(scale))
        for own, scale in zip(sets, scales, strict=True)
    ]


class OwnSizes:
    """Residuals over the sizes of their terms at the very theta that they are asked for.

    Args:
        inner: The residuals.
        terms: The sizes of their terms in the place of residuals, on the same points.
    """

    def __init__(self, inner: NetworkLeastSquares, terms: NetworkLeastSquares) -> None:
        self._inner, self._terms = inner, terms

    def residuals(self, theta: Tensor) -> Tensor:
        """Return them, (M,), float64."""
        scales = row_scales(self._terms.sets, self._terms.residuals(theta))
        return self._inner.residuals(theta) * scales

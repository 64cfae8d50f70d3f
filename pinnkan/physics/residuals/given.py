"""Residuals of function representation: u minus given values, and noise on what is given."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from pinnkan.physics.residuals.training_set import PointwiseResidual, TrainingSet


@dataclass(frozen=True)
class Given:
    """r = u - value."""

    def residual(self, data: Tensor, u: Tensor) -> Tensor:
        """Return r (N,) from the values (1, N) and u (1, N)."""
        return u[0] - data[0]

    def partials(self, data: Tensor, u: Tensor) -> Tensor:
        """Return dr/du = 1, (1, N)."""
        return torch.ones_like(u)


@dataclass(frozen=True)
class Noisy:
    """r - n: a residual whose right side is known up to noise; n is the last row of the data."""

    inner: PointwiseResidual

    def residual(self, data: Tensor, u: Tensor) -> Tensor:
        """Return r - n, (N,), from data (E + 1, N)."""
        return self.inner.residual(data[:-1], u) - data[-1]

    def partials(self, data: Tensor, u: Tensor) -> Tensor:
        """Return dr/du, (C', N)."""
        return self.inner.partials(data[:-1], u)


def noisy(one: TrainingSet, deviation: float, generator: np.random.Generator) -> TrainingSet:
    """Return a set whose residuals carry independent normal noise.

    Args:
        one: The set without noise.
        deviation: Standard deviation.
        generator: Of the noise.
    """
    # A product beyond the range of doubles is infinite: training says that its loss is not finite.
    noise = (deviation * torch.from_numpy(generator.standard_normal(one.count))).to(one.data)
    data = torch.cat([one.data, noise.unsqueeze(0)])
    return replace(one, residual=Noisy(one.residual), data=data)

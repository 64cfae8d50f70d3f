"""From a residual to an estimate of the error: one constant, calibrated on adapters held out.

The relative L2 error is about ``factor`` times the relative residual. Each adapter in turn is
left out of the basis and predicted from the others: the difference between prediction and adapter over
the residual of the prediction is one sample of the factor. The samples' geometric mean is
raised by ``MARGIN``: a difference between two approximations of one base misses what both have in common.

An estimate, not a bound: the constant is that of the parameter values that were sampled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pinnkan.reduction.snapshots import Snapshots

MARGIN = 1.25
"""Puts the effectivity of the paper's families, 0.7 to 1.1 without it, on the safe side."""


@dataclass(frozen=True)
class Sample:
    """One adapter predicted without itself.

    Attributes:
        values: Its parameter values.
        residual: Relative residual of the prediction.
        difference: Relative L2 difference between prediction and adapter.
    """

    values: tuple[float, ...]
    residual: float
    difference: float

    @property
    def ratio(self) -> float:
        """Difference over residual."""
        return self.difference / self.residual


def predicted(snapshots: Snapshots, members: Sequence[int], index: int) -> Sample | None:
    """Predict snapshot ``index`` from others; None where Gauss-Newton does not end."""
    model = snapshots.model(members)
    row = snapshots.known[index][None]
    found = model.solve(row)
    if not found.converged[0]:
        return None
    difference = snapshots.difference(model, found.c[0], index)
    return Sample(tuple(row[0].tolist()), float(found.residual[0]), difference)


def leave_one_out(snapshots: Snapshots, members: Sequence[int]) -> list[Sample]:
    """Predict each of three or more snapshots from the others; fewer give no samples."""
    if len(members) < 3:
        return []
    samples = [predicted(snapshots, [m for m in members if m != index], index) for index in members]
    return [sample for sample in samples if sample is not None]


def factor_of(samples: Sequence[Sample]) -> float | None:
    """Return the factor from residual to error, None without a usable sample."""
    ratios = [sample.ratio for sample in samples if sample.residual > 0 and sample.difference > 0]
    return float(MARGIN * np.exp(np.mean(np.log(ratios)))) if ratios else None

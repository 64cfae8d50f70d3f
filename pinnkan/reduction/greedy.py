"""The greedy choice of a reduced basis: train an adapter where the estimate is worst, and again."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from torch import Tensor

from pinnkan.ground.arrays import FloatArray
from pinnkan.reduction import (
    Range,
    Reduced,
    ReducedModel,
    Sample,
    Snapshots,
    factor_of,
    leave_one_out,
    predicted,
    shares,
)

Train = Callable[[FloatArray], Sequence[Tensor]]
"""From parameter values (P,) to the coefficients of an adapter trained there."""
Reason = Literal["tolerance", "max_adapters", "stalled"]

_PATIENCE = 3
_DISTANCE = 0.4
_VISIBLE = 0.5
"""Share of the snapshots' own squared residual below which an excess says nothing."""
_PROGRESS = 0.8
ADVICE: dict[Reason, str] = {
    "tolerance": "the estimate meets the tolerance everywhere in the training set",
    "max_adapters": "the estimate is above the tolerance somewhere; allow more with --max-adapters",
    "stalled": "three more adapters lowered the worst estimate by less than a fifth: it is the adapters' own "
    "accuracy that is left; train them longer or on more points, as with --set finetuning.points=5000",
}


@dataclass(frozen=True)
class CurvePoint:
    """The state of the search with a number of adapters.

    Attributes:
        adapters: Their number.
        worst_estimate: Largest estimate of the relative L2 error over the training set; None before
            there is anything to calibrate it on, and where a value has no answer.
        worst_residual: Largest relative residual; None where a value has no answer.
        median_estimate: Middle estimate; None before that, and where half of the values have no answer.
        at: Parameter values (P,) of the next adapter.
        unsolved: Values of the training set without an answer: Gauss-Newton did not end there.
    """

    adapters: int
    worst_estimate: float | None
    worst_residual: float | None
    median_estimate: float | None
    at: tuple[float, ...]
    unsolved: int = 0


@dataclass
class Search:
    """A greedy search under way.

    Attributes:
        snapshots: The base first, then the adapters.
        ranges: The box of parameter values.
        training: Training set in it, shape (L, P).
        curve: One point for every number of adapters.
        samples: What the estimate is calibrated on.
    """

    snapshots: Snapshots
    ranges: Sequence[Range]
    training: FloatArray
    curve: list[CurvePoint] = field(default_factory=list)
    samples: Sequence[Sample] = ()

    @property
    def adapters(self) -> int:
        """Number of adapters."""
        return len(self.snapshots) - 1

    @property
    def members(self) -> list[int]:
        """Snapshots of the basis: the adapters; with fewer than two of them, the base as well.

        The base is trained at other accuracy than its adapters, and a fit of residuals
        has to spend part of each coefficient on suppressing its error.
        """
        return list(range(1, len(self.snapshots))) if self.adapters >= 2 else list(range(len(self.snapshots)))

    @property
    def factor(self) -> float | None:
        """Constant from residual to estimate."""
        return factor_of(self.samples)

    def model(self) -> ReducedModel:
        """Return the model over the present basis."""
        return self.snapshots.model(self.members)

    def look(self) -> CurvePoint:
        """Calibrate, solve on the training set and put down the worst value."""
        found = leave_one_out(self.snapshots, self.members)
        self.samples = found or self.samples
        reduced = self.model().solve(self.training)
        point = self._point(reduced)
        self.curve.append(point)
        return point

    def _point(self, reduced: Reduced) -> CurvePoint:
        residual = np.where(reduced.converged, reduced.residual, np.inf)
        factor = math.inf if self.factor is None else self.factor
        size, middle = float(residual.max()), float(np.median(residual))
        return CurvePoint(
            self.adapters,
            _finite(factor * size),
            _finite(size),
            _finite(factor * middle),
            tuple(self.training[self._next(residual)].tolist()),
            int((~np.isfinite(residual)).sum()),
        )

    def _next(self, residual: FloatArray) -> int:
        """Return where the next adapter gains most: the largest residual above that of the nearest snapshot.

        Each snapshot has a residual of its own, its training error, which no neighbour can lower. And two
        neighbours say nothing of the error when one is predicted from the other: adapters keep the distance
        that an even share of the range gives them, nearly half of it, and where no residual stands out the
        next one goes into the widest gap. Of a single parameter the first two are the ends of the range, for
        no value shall be extrapolated.
        """
        moving = sum(span.moves for span in self.ranges)
        if moving == 1 and self.adapters < 2:
            ends = np.array([end for end in (0, len(residual) - 1) if self._is_free(end)])
            return int(ends[np.argmax(residual[ends])])
        if not self.adapters:
            return int(np.argmax(residual))
        known = np.stack(self.snapshots.known[1:])
        own = self.model().solve(known).residual
        own[~np.isfinite(own)] = 0.0
        places = shares(self.ranges, self.training)[:, None] - shares(self.ranges, known)
        gaps = np.linalg.norm(places, axis=2)
        floor = np.square(own[gaps.argmin(axis=1)])
        excess, gap = np.square(residual) - floor, gaps.min(axis=1)
        if (excess <= _VISIBLE * floor).all():
            return int(np.argmax(gap))
        apart = _DISTANCE * (self.adapters + 1) ** (-1.0 / moving)
        return int(np.argmax(np.where(gap >= apart, excess, -np.inf)))

    def _is_free(self, at: int) -> bool:
        return not any(np.array_equal(self.training[at], values) for values in self.snapshots.known[1:])

    def take(self, values: FloatArray, coefficients: Sequence[Tensor]) -> bool:
        """Add an adapter; what the basis before it predicted there is a sample.

        Returns:
            Whether it was of use: one that is a combination of the others is left out again.
        """
        before = self.members
        self.snapshots.add(values, coefficients)
        try:
            self.model()
        except np.linalg.LinAlgError:
            self.snapshots.drop()
            return False
        sample = predicted(self.snapshots, before, len(self.snapshots) - 1)
        self.samples = [*self.samples, *([] if sample is None else [sample])]
        return True


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def search(
    state: Search,
    train: Train,
    *,
    tolerance: float,
    most: int,
    report: Callable[[CurvePoint], Any],
) -> Reason:
    """Add adapters until the estimate meets the tolerance everywhere, or there is a reason to stop.

    The first adapters are trained where the residual of what is there is largest: of a single
    parameter these are, as a rule, the ends of its range.

    Args:
        state: With the base as its only snapshot; filled here.
        train: Trains an adapter, or finds a finished one.
        tolerance: Bound of the estimate of the relative L2 error.
        most: Most adapters.
        report: Told of every point of the curve.
    """
    while True:
        point = state.look()
        report(point)
        if point.worst_estimate is not None and state.adapters >= 2 and point.worst_estimate <= tolerance:
            return "tolerance"
        if state.adapters >= most:
            return "max_adapters"
        if stalled(state.curve):
            return "stalled"
        values = np.array(point.at)
        if not state.take(values, train(values)):
            return "stalled"


def stalled(curve: Sequence[CurvePoint]) -> bool:
    """Tell whether the last adapters brought less than a fifth."""
    worst = [math.inf if p.worst_residual is None else p.worst_residual for p in curve if p.adapters >= 2]
    if len(worst) <= _PATIENCE:
        return False
    return min(worst[-_PATIENCE:]) > _PROGRESS * min(worst[:-_PATIENCE])

"""A tolerance of the error as the goal of a training: when its estimate is made, and when it is met.

An estimate (`correction_of`) costs as much as a few steps of a small network, so it is made only where it may
say something new: at the first check, after the held-out residual fell tenfold, and where it fell so far that
an error in proportion to it would meet the goal. From a residual of 1 to 1e-8 that is about ten times,
whatever the number of steps. No clock is read: the same seed stops at the same step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from pinnkan.networks import Network
from pinnkan.physics.instance import Instance
from pinnkan.solutions.evaluation.correction import correction_of
from pinnkan.solutions.solution import Solution

_FALL = 0.1
"""Share of the held-out residual at the last estimate from which another one is made."""
_NEAR = 0.7
"""The same where the last estimate was all but below the tolerance."""


@dataclass(frozen=True)
class Look:
    """The last look at the error.

    Attributes:
        held_out: The held-out residual of the state looked at; infinite before the first.
        estimate: Of its relative error; None before the first, or where nothing could be told.
    """

    held_out: float = math.inf
    estimate: float | None = None


NOT_YET = Look()
"""Nobody has looked."""


@dataclass(frozen=True)
class Goal:
    """A tolerance, and what estimates the error.

    Attributes:
        tolerance: Bound of the relative error of every unknown.
        estimate: From a theta to the estimate of its error, or None where nothing can be told.
        tell: Is told of every estimate.
    """

    tolerance: float
    estimate: Callable[[Tensor], float | None]
    tell: Callable[[str], None]

    def is_due(self, last: Look, held_out: float) -> bool:
        """Tell whether a state with this held-out residual deserves an estimate."""
        share = _FALL
        if last.estimate is not None:
            share = min(_NEAR, max(_FALL, self.tolerance / last.estimate))
        return held_out <= share * last.held_out

    def look(self, theta: Tensor, held_out: float) -> Look:
        """Estimate the error at theta and say what came of it."""
        found = Look(held_out, self.estimate(theta))
        self.tell(f"{said(found.estimate)} (tolerance {self.tolerance:g})")
        return found

    def is_met(self, look: Look) -> bool:
        """Tell whether an estimate is within the tolerance."""
        return look.estimate is not None and look.estimate <= self.tolerance


def said(estimate: float | None) -> str:
    """Return an estimate in words, for progress."""
    return "no estimate of the error" if estimate is None else f"error estimate {estimate:.2g}"


def estimated_error(instance: Instance, network: Network, coefficients: Sequence[Tensor]) -> float | None:
    """Return the estimate of the relative L2 error, the largest over the unknowns; None where there is none.

    Args:
        instance: The problem at its parameter value.
        network: Layers and input map.
        coefficients: Of every layer.
    """
    correction = correction_of(Solution(instance, network, [c.cpu() for c in coefficients]))
    return None if correction is None else correction.error_estimate

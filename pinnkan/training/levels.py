"""The levels of a refinement: how large each network was, on how many points, and what came of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class ResidualRms:
    """How large the residual of a trained network is (root mean square), pointwise whatever phases smoothed.

    Attributes:
        training: On the first points of the last phase.
        held_out: On points that were never trained on.
    """

    training: float
    held_out: float


@dataclass(frozen=True)
class Size:
    """How large a level is.

    Attributes:
        hidden: Widths of the hidden layers.
        functions: On an edge; None of a network without edges.
        points: In the interior.
        numbers: That move.
        compression: Of an adapter whose ranks a level has raised; None as the settings say.
    """

    hidden: tuple[int, ...]
    functions: int | None
    points: int
    numbers: int
    compression: float | None = None


@dataclass(frozen=True)
class Level:
    """One level: what was refined, and what came of it.

    Attributes:
        kind: ``recipe``, ``more steps``, or the refinement: ``points``, ``functions``, ``width``, ``ranks``.
        size: Of what was trained.
        estimate: Of the relative error at its end; None where nothing could be told.
        rms: Its residual.
        steps: Taken.
        seconds: Wall time of the training at its end.
        kept: Whether it paid; else the result before it stands.
    """

    kind: str
    size: Size
    estimate: float | None
    rms: ResidualRms
    steps: int
    seconds: float
    kept: bool

    @property
    def overfits(self) -> bool:
        """Whether the points and no longer the equation are fitted."""
        return self.rms.held_out > OVERFITTED * self.rms.training

    def gain_over(self, before: Level) -> float:
        """Return the logarithm of how many times smaller the error is than a level before it left it.

        By the estimates; where there are none by the held-out residuals, whose fall says less.
        """
        if self.estimate is not None and before.estimate is not None:
            return _log_ratio(before.estimate, self.estimate)
        if self.estimate is not None:
            return _CERTAIN
        return 0.5 * _log_ratio(before.rms.held_out, self.rms.held_out)


OVERFITTED = 1.5
"""Held-out over training residual, from which the points and no longer the equation are fitted."""
_CERTAIN = math.log(10.0)
"""Gain of a level that leaves an estimate where there was none: its solution is resolved."""
_LEAST = 1e-300


def _log_ratio(before: float, after: float) -> float:
    return math.log(max(before, _LEAST) / max(after, _LEAST)) if math.isfinite(after) else -math.inf


@dataclass(frozen=True)
class Levels:
    """Where a refinement stands.

    Attributes:
        done: The levels so far.
        kept: What the last of them that paid left: every layer's coefficients, or an adapter's theta.
        goes_on: Whether the first of them went on from a finished result.
    """

    done: tuple[Level, ...] = ()
    kept: Sequence[Tensor] = ()
    goes_on: bool = False

    @property
    def best(self) -> Level:
        """The last level that paid."""
        return next(level for level in reversed(self.done) if level.kept)

    @property
    def in_vain(self) -> list[Level]:
        """The levels since then."""
        return list(self.done[1 + self.done.index(self.best) :]) if self.done else []

    @property
    def steps(self) -> int:
        """Steps of all levels so far."""
        return sum(level.steps for level in self.done)

    def last_gain(self, kind: str) -> float | None:
        """Return what the last refinement of a kind gained; None before the first."""
        before: Level | None = None
        gain = None
        for level in self.done:
            if level.kind == kind and before is not None:
                gain = level.gain_over(before)
            before = level if level.kept else before
        return gain

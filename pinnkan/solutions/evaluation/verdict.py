"""The verdict on a result: solved, doubtful or unsolved, with reasons in words.

Pure functions of numbers without a unit, so that the rule can be judged again on stored numbers
(`tests/benchmarks/verdicts.py` chose the limits and holds the confusion table).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Word = Literal["solved", "doubtful", "unsolved"]
WORDS: tuple[Word, ...] = ("solved", "doubtful", "unsolved")
"""From good to bad."""


@dataclass(frozen=True)
class Limits:
    """Where one word ends and the next begins.

    Attributes:
        doubtful: Above it, a value is doubtful.
        unsolved: Above it, unsolved.
    """

    doubtful: float
    unsolved: float

    def word(self, value: float) -> Word:
        """Return the word for a value; what is not finite is unsolved."""
        if not value <= self.unsolved:
            return "unsolved"
        return "doubtful" if value > self.doubtful else "solved"


RESIDUAL = Limits(1e-2, 1e-1)
"""Of relative residuals; doubtful is only what exceeds the first limit in the mean, too."""
POINTWISE = Limits(2e-2, 1e-1)
"""Of residuals over their terms point by point, in the mean."""
VIOLATION = Limits(1.5e-1, 3e-1)
"""Of the largest violation of a condition relative to its data."""
JUMP = Limits(1e-3, 3e-2)
"""Of what jumps, over its range."""
BEYOND = Limits(3e-2, math.inf)
"""Of how far a solution goes beyond constants that enclose another one, over its range."""
ESTIMATE = Limits(1e-2, 1e-1)
"""Of the estimated relative L2 error."""
SLACK = Limits(3e-3, math.inf)
"""Of what residuals leave open in one direction, over the solution."""
OVERFITTED = 3.0
"""Held-out over training residual."""

_MOVED = 0.9


@dataclass(frozen=True)
class StatementEvidence:
    """What is measured of every equation and condition, by its name.

    Attributes:
        relative: Relative residual of every equation and condition.
        means: The same in the mean; what is not there counts as its relative residual.
        pointwise: Residuals over their terms point by point, in the mean, of every equation.
        violations: Largest violation of every condition relative to its data.
        shares: The part of a block's squares in the 5 % of points where its residual is largest.
        places: Where a block's residual is largest, in words.
    """

    relative: Mapping[str, float] = field(default_factory=dict)
    means: Mapping[str, float] = field(default_factory=dict)
    pointwise: Mapping[str, float] = field(default_factory=dict)
    violations: Mapping[str, float] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainingEvidence:
    """How the training went.

    Attributes:
        overfitting: Held-out over training residual; None where it is not known.
        held_out: Held-out residuals in the order of training, over the first; None between checks.
    """

    overfitting: float | None = None
    held_out: Sequence[float | None] = ()


@dataclass(frozen=True)
class Unseen:
    """Something that no residual sees.

    Attributes:
        size: How large it is, over the solution's range.
        words: What is where.
    """

    size: float = 0.0
    words: str = ""


@dataclass(frozen=True)
class Behind:
    """The verdicts on what a result is made from.

    Attributes:
        base: On the base that an adapter belongs to; None for a base.
        snapshots: The worst on what a reduced basis is made from; None for anything else.
    """

    base: str | None = None
    snapshots: str | None = None


@dataclass(frozen=True)
class Evidence:
    """What a verdict is made from; every number is a ratio.

    Attributes:
        statements: What is measured of every equation and condition.
        training: How the training went.
        jump: The largest jump.
        beyond: How far it goes beyond constants that enclose another solution, and these constants.
        is_zero: Whether the solution is zero everywhere.
        estimate: Of the relative L2 error; None where there is none.
        slack: By how much one other function may differ that meets all statements as well, over the solution.
        behind: The verdicts on what the result is made from.
    """

    statements: StatementEvidence
    training: TrainingEvidence = field(default_factory=TrainingEvidence)
    jump: Unseen = field(default_factory=Unseen)
    beyond: Unseen = field(default_factory=Unseen)
    is_zero: bool = False
    estimate: float | None = None
    slack: float = 0.0
    behind: Behind = field(default_factory=Behind)


@dataclass(frozen=True)
class Verdict:
    """What became of a training.

    Attributes:
        word: ``solved``, ``doubtful`` or ``unsolved``.
        reasons: Why it is not solved, one text each; empty where it is.
    """

    word: Word
    reasons: tuple[str, ...]


def judge(evidence: Evidence) -> Verdict:
    """Return the verdict: the worst word that any piece of the evidence asks for, with all reasons for it."""
    complaints = [
        *_residuals(evidence.statements, evidence.training),
        *_pointwise(evidence.statements.pointwise),
        *_violations(evidence.statements.violations),
        *_jump(evidence.jump),
        *_second_solution(evidence.beyond),
        *_estimate(evidence.estimate),
        *_slack(evidence.slack),
        *_zero(evidence.is_zero),
        *_behind(evidence.behind),
    ]
    worst = max((WORDS.index(word) for word, _ in complaints), default=0)
    return Verdict(WORDS[worst], tuple(text for _, text in complaints))


def worst(verdicts: Iterable[str | None]) -> Word | None:
    """Return the worst of several verdicts; None where none is one."""
    given = set(verdicts)
    return next((word for word in reversed(WORDS) if word in given), None)


def largest(values: Mapping[str, float]) -> tuple[str, float] | None:
    """Return name and value of the largest number; None of none."""
    return max(values.items(), key=lambda item: math.inf if math.isnan(item[1]) else item[1], default=None)


def _residuals(statements: StatementEvidence, training: TrainingEvidence) -> Sequence[tuple[Word, str]]:
    relative, means = statements.relative, statements.means
    judged = {name: _judged(value, means.get(name, value)) for name, value in relative.items()}
    worst = largest(judged)
    if worst is None or RESIDUAL.word(worst[1]) == "solved":
        return []
    name, value = worst
    text = f"the relative residual of {name} is {relative[name]:.1e} between the training points"
    complaints: list[tuple[Word, str]] = [(RESIDUAL.word(value), text)]
    if training.overfitting is not None and training.overfitting > OVERFITTED:
        times = f"{training.overfitting:.2g} times" if training.overfitting < 1e6 else "far more than"
        complaints.append(
            ("doubtful", f"overfitted: the held-out residual is {times} that at the training points")
        )
    if never_moved(training.held_out):
        complaints.append(("doubtful", "no step lowered the held-out residual by a tenth"))
    return complaints


def _judged(relative: float, mean: float) -> float:
    """Return the number that limits are set to: below ``unsolved``, the smaller of both.

    A residual that jumps with a source, or at a corner where data do not meet, is large in a thin layer: its
    root mean square is, its mean and the error that it adds up to are not.
    """
    return relative if RESIDUAL.word(relative) == "unsolved" else min(relative, mean)


def never_moved(held_out: Sequence[float | None]) -> bool:
    """Tell whether no check of the held-out residual, over the first, is a tenth below it."""
    course = [value for value in held_out if value is not None]
    return len(course) > 1 and min(course) > _MOVED


def _pointwise(shares: Mapping[str, float]) -> Sequence[tuple[Word, str]]:
    worst = largest(shares)
    if worst is None or POINTWISE.word(worst[1]) == "solved":
        return []
    name, value = worst
    share = f"{value:.0%} of its terms"
    text = f"point by point the residual of {name} is {share}: a part of the domain is not solved"
    return [(POINTWISE.word(value), text)]


def _violations(violations: Mapping[str, float]) -> Sequence[tuple[Word, str]]:
    worst = largest(violations)
    if worst is None or VIOLATION.word(worst[1]) == "solved":
        return []
    name, value = worst
    return [(VIOLATION.word(value), f"{name} is violated by {value:.1e} of its data at one point")]


def _jump(jump: Unseen) -> Sequence[tuple[Word, str]]:
    word = JUMP.word(jump.size)
    return [] if word == "solved" else [(word, f"{jump.words}, which no residual sees")]


def _second_solution(beyond: Unseen) -> Sequence[tuple[Word, str]]:
    word = BEYOND.word(beyond.size)
    return [] if word == "solved" else [(word, beyond.words)]


def _estimate(estimate: float | None) -> Sequence[tuple[Word, str]]:
    if estimate is None or ESTIMATE.word(estimate) == "solved":
        return []
    text = f"the error is estimated at {estimate:.1e}" if math.isfinite(estimate) else "no answer was found"
    return [(ESTIMATE.word(estimate), text)]


def _slack(slack: float) -> Sequence[tuple[Word, str]]:
    word = SLACK.word(slack)
    text = f"a function that differs by {slack:.1e} of its size meets the equations and conditions as well"
    return [] if word == "solved" else [(word, text)]


def _zero(is_zero: bool) -> Sequence[tuple[Word, str]]:
    return [("doubtful", "the solution is zero everywhere")] if is_zero else []


def _behind(behind: Behind) -> Sequence[tuple[Word, str]]:
    if behind.base == "unsolved":
        return [("doubtful", "its base is unsolved")]
    if behind.snapshots in ("doubtful", "unsolved"):
        return [("doubtful", f"the solutions that it is made from are {behind.snapshots}")]
    return []

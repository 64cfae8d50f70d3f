"""SOLVE - ESTIMATE - MARK - REFINE: levels of training until the estimate of the error meets a tolerance.

The loop of adaptive finite elements for networks. A level trains until more steps do not pay; where its
estimate is above the tolerance, the refinement that is expected to lower the error most a second is made
(`marking`), the function represented unchanged, and trained. A level that does not pay is taken back. What a
base and what an adapter can refine is in `refinable`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from torch import Tensor

from pinnkan.ground.progress import Outcome, StepReport
from pinnkan.training.goal import estimated_error, said
from pinnkan.training.levels import Level, Levels, Size
from pinnkan.training.marking import Candidate, marked, pays
from pinnkan.training.task import Effort, Trained, TrainingTask

_EXHAUSTED = "No refinement lowers the estimate of the error enough to pay; the best level is kept."

_FAR = 10.0
"""Times the tolerance, from which the time is split and no network refined, where it may be."""


class Refinable(Protocol):
    """What is refined: the coefficients of a base, or the theta of an adapter."""

    @property
    def goes_on(self) -> bool:
        """Whether the first level goes on from a finished result."""

    def first(self, run: TrainingTask) -> Trained:
        """Train the first level."""

    def size_of(self, trained: Trained) -> Size:
        """Return the size of the first level."""

    def candidates(self, best: Level) -> Sequence[Candidate]:
        """Return what can be refined."""

    def refined(self, run: TrainingTask, levels: Levels, size: Size) -> Trained:
        """Train what the best level kept, refined to a size."""

    def kept(self, trained: Trained) -> Sequence[Tensor]:
        """Return what a later level starts from."""

    def restored(self, levels: Levels, outcome: Outcome, history: tuple[StepReport, ...]) -> Trained:
        """Return what the best level left, as a result."""

    def written(self, size: Size) -> str:
        """Write a size for a line of progress."""


def refine(
    run: TrainingTask, subject: Refinable, tolerance: float, started: float, *, may_split: bool = False
) -> Trained:
    """Train level after level until the estimate is within the tolerance, or no refinement pays.

    Args:
        run: Its state says at which level it stands.
        subject: What is refined.
        tolerance: Of the relative error.
        started: Reading of the clock at which the training began, had it run in one go.
        may_split: Whether the time is split where the tolerance is missed by far, so that nothing is refined.

    Raises:
        ValueError: If the state is that of another training.
    """
    return _Loop(run, subject, tolerance, started, may_split)()


def best_estimate(levels: Sequence[Level]) -> float | None:
    """Return the estimate of the last level that was kept."""
    return next((level.estimate for level in reversed(levels) if level.kept), None)


def is_far(levels: Sequence[Level], tolerance: float) -> bool:
    """Tell whether the error is above the tolerance by far, or nobody knows it."""
    estimate = best_estimate(levels)
    return estimate is None or estimate > _FAR * tolerance


class _Loop:
    """The loop between two levels; arguments as in `refine`.

    The result is put together from the best `Level` and from what it kept, and not handed through: so a
    training that goes on from a state ends with the same bits.
    """

    def __init__(
        self, run: TrainingTask, subject: Refinable, tolerance: float, started: float, may_split: bool
    ) -> None:
        self._run, self._subject, self._tolerance, self._started = run, subject, tolerance, started
        self._may_split = may_split
        self._state = run.state
        begun = None if run.state is None else run.state.levels
        self._levels = begun or Levels(goes_on=subject.goes_on)
        if self._levels.goes_on != subject.goes_on:
            raise ValueError("a state of a training that began otherwise")
        self._history = [] if run.state is None else list(run.state.earlier[: self._levels.steps])
        self._outcome = Outcome("max_steps", "", 0)

    def __call__(self) -> Trained:
        subject = self._subject
        if not self._levels.done:
            self._solve("more steps" if subject.goes_on else "recipe", subject.first, None)
        while not self._is_met() and self._outcome.reason != "time_limit":
            candidate = None if self._is_far else marked(self._levels, subject.candidates(self._levels.best))
            if candidate is None:
                self._outcome = Outcome("exhausted", _EXHAUSTED, self._levels.steps)
                break
            self._refine(candidate)
        trained = subject.restored(self._levels, self._outcome, tuple(self._history))
        seconds = time.perf_counter() - self._started
        return replace(trained, effort=Effort(seconds, trained.trainable, self._levels.done))

    def _is_met(self) -> bool:
        estimate = self._levels.best.estimate
        return estimate is not None and estimate <= self._tolerance

    @property
    def _is_far(self) -> bool:
        """Whether two halves of the time are worth more than a refinement over all of it."""
        return self._may_split and is_far(self._levels.done, self._tolerance)

    def _refine(self, candidate: Candidate) -> None:
        levels, size = self._levels, candidate.size
        self._solve(candidate.kind, lambda run: self._subject.refined(run, levels, size), size)

    def _solve(self, kind: str, train: Callable[[TrainingTask], Trained], size: Size | None) -> None:
        """Train a level, estimate its error, and keep it or take it back."""
        trained = train(self._task())
        level = Level(
            kind,
            size or self._subject.size_of(trained),
            estimated_error(self._run.instance, trained.network, trained.coefficients()),
            trained.rms,
            steps=trained.steps,
            seconds=time.perf_counter() - self._started,
            kept=True,
        )
        self._outcome = trained.outcome
        self._history += trained.history
        levels = self._levels
        if levels.done and not self._stands(level):
            level = replace(level, kept=False)
        kept = self._subject.kept(trained) if level.kept else levels.kept
        self._levels = replace(levels, done=(*levels.done, level), kept=kept)
        self._tell(level)

    def _stands(self, level: Level) -> bool:
        """Tell whether a level is kept: it pays, meets the goal, or is the better one when time is over."""
        before = self._levels.best
        met = level.estimate is not None and level.estimate <= self._tolerance
        return (
            met
            or pays(level, before)
            or (self._outcome.reason == "time_limit" and level.gain_over(before) > 0.0)
        )

    def _task(self) -> TrainingTask:
        """Return the circumstances of the next level, whose states are told with the levels before it."""
        run, levels, earlier = self._run, self._levels, tuple(self._history)
        state, self._state = self._state, None
        if state is not None:
            state = replace(state, earlier=state.earlier[levels.steps :], levels=None)
        return replace(
            run,
            state=state,
            keep=lambda inner: run.keep(replace(inner, earlier=[*earlier, *inner.earlier], levels=levels)),
        )

    def _tell(self, level: Level) -> None:
        audience, number = self._run.audience, len(self._levels.done)
        audience.observer.note(
            f"{audience.title}: level {number} ({level.kind}): {self._subject.written(level.size)}: "
            f"{said(level.estimate)} (tolerance {self._tolerance:g})"
            + ("" if level.kept else "; does not pay, taken back")
        )

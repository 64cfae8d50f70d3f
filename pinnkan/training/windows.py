"""Training in time windows: one after the other, each from the state in which the one before ends.

A window is a problem of its own (`pinnkan.physics.windows`), trained by the same recipes as any other. Its
share of the error that a solution may have is that of its length in the whole time. Where windows are found
by halving, one that misses its share is halved and both halves start anew from the last good state, at most
`MOST_HALVINGS` times; a stated one is trained further from where it stands, at most `MOST_ROUNDS` rounds,
for an error that it leaves stays in all windows after it. What is missed then is said, and in the verdict.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from pinnkan.language.methods import method_named
from pinnkan.language.network_kinds import NETWORK_KINDS
from pinnkan.language.problem.windows import can_be_cut, window_ends
from pinnkan.language.settings.blocks import (
    FinetuningPhase,
    PhaseSettings,
    Settings,
    TrainingSettings,
)
from pinnkan.networks.adapters import AdaptedLayer, Full, Parametrisation
from pinnkan.physics.instance import Instance
from pinnkan.physics.residuals.least_squares import NetworkLeastSquares
from pinnkan.physics.residuals.training_sets import training_sets
from pinnkan.physics.windows.window import window_of
from pinnkan.solutions.evaluation.verdict import ESTIMATE
from pinnkan.training.adaptive import best_estimate, is_far
from pinnkan.training.goal import said
from pinnkan.training.judgement import judgement
from pinnkan.training.network import network_for
from pinnkan.training.phases import HELD_OUT
from pinnkan.training.recipe import finetune, pretrain
from pinnkan.training.task import (
    Trained,
    TrainedWindow,
    TrainingState,
    TrainingTask,
    WindowRecord,
    WindowsState,
)
from pinnkan.training.trained_windows import AnyTrained, TrainedWindows

MOST_HALVINGS = 6
"""Of one window: 64 of them at most."""
MOST_ROUNDS = 3
"""Of one stated window."""
_PAYS = 0.5
"""A round must bring the error below so much of what it was, or it is the last."""
_LONGER = 2.5
"""A window is halved before it is tried if it is so many times as long as the one before."""
_LIMIT = ESTIMATE.doubtful
"""Error estimate of the whole time that the windows share, without a tolerance: the verdict's limit."""


@dataclass(frozen=True)
class Place:
    """Where a window stands among the others.

    Attributes:
        number: From 0.
        before: Coefficients of every layer of the round or the window before; None of the first.
        may_split: Whether it is halved where it misses its share.
    """

    number: int = 0
    before: Sequence[Tensor] | None = None
    may_split: bool = False


Recipe = Callable[[TrainingTask, Place], Trained]
"""Trains one window."""


@dataclass(frozen=True)
class Cut:
    """How the time is cut into windows.

    Attributes:
        ends: The ends of all windows, the first time first.
        halves: Whether a window that misses its share is halved.
    """

    ends: tuple[float, ...]
    halves: bool = False


@dataclass(frozen=True)
class Finished:
    """A finished base, or result from scratch, to go on from.

    Attributes:
        parts: Coefficients of every layer, of the one network or of every time window.
        ends: Of the windows, the first time first; none without windows.
    """

    parts: Sequence[Sequence[Tensor]]
    ends: tuple[float, ...] = ()


def pretrain_window(run: TrainingTask, place: Place) -> Trained:
    """Train a window of a base, or from scratch: from the window or the round before, if there is one.

    Then it goes through those phases of ``training:`` that move every coefficient, and through those of
    ``finetuning:`` where there are none; with a tolerance, it is refined until it meets its share.
    """
    if place.before is None or run.settings.training.tolerance is not None:
        return pretrain(run, place.before, may_split=place.may_split)
    return finetune(replace(run, settings=_in_full(run.settings)), place.before, method="full")


def nearer(run: TrainingTask, first: Sequence[Tensor], second: Sequence[Tensor] | None) -> Sequence[Tensor]:
    """Return the coefficients from which a window starts: those whose held-out residual is the lower one."""
    if second is None or [c.shape for c in first] != [c.shape for c in second]:
        return first
    return min((first, second), key=lambda coefficients: _held_out_residual(run, coefficients))


def _held_out_residual(run: TrainingTask, coefficients: Sequence[Tensor]) -> float:
    points, device = run.settings.points, run.arithmetic.device
    sets = training_sets(
        run.instance, points, seed=run.seed, variant=HELD_OUT, interior=points.held_out, device=device
    )
    whole = Parametrisation([Full(c.to(device)) for c in coefficients])
    network = network_for(run.instance, run.settings.network, coefficients)
    return float(NetworkLeastSquares(network, whole, sets).residuals(whole.start().to(device)).norm())


def train_windows(
    run: TrainingTask, cut: Cut, recipe: Recipe, *, method: str, base: str | None = None
) -> TrainedWindows:
    """Train all windows, one after the other.

    Args:
        run: Over the whole time.
        cut: How the time is cut.
        recipe: Trains one window.
        method: ``base``, ``lotra``, ``full`` or ``scratch``.
        base: The verdict on the base that the result belongs to; None for a base and from scratch.

    Raises:
        UsageError: As the recipe does.
        DivergedError: If the loss of a window is not finite.
    """
    return _Windows(run, cut, recipe, method, base)()


class _Windows:
    """A training in windows between two of them; arguments as in `train_windows`."""

    def __init__(self, run: TrainingTask, cut: Cut, recipe: Recipe, method: str, base: str | None) -> None:
        self._run, self._cut, self._recipe, self._method, self._base = run, cut, recipe, method, base
        state = None if run.state is None else run.state.windows
        fresh = WindowsState((), cut.ends[1:], (0,) * (len(cut.ends) - 1))
        self._inner = None if run.state is None else replace(run.state, windows=None)
        self._state = state or fresh

    def __call__(self) -> TrainedWindows:
        while self._state.pending:
            self._train_next()
        return self._reached

    @property
    def _reached(self) -> TrainedWindows:
        state = self._state
        return TrainedWindows(self._cut.ends[0], state.finished, self._run.settings.network, state.spent)

    def _train_next(self) -> None:
        """Train the first of the pending windows, and halve it where that is due."""
        while self._is_long:
            self._state = _halved(self._state, self._reached.ends[-1])
        state, run = self._state, self._run
        number, reached = len(state.finished), self._reached
        before = reached.solution(run.instance).windows[-1] if number else None
        start, end = reached.ends[-1], state.pending[0]
        instance = window_of(run.instance, start, end, before)
        task = self._task(instance, self._title(start, end))
        may_split = self._cut.halves and state.halvings[0] < MOST_HALVINGS
        trained = self._recipe(task, Place(number, self._reached_before, may_split))
        self._inner = None
        window = _better(self._kept(instance, trained, end), state.tried)
        missed = self._missed(window, start)
        late, say = trained.outcome.reason == "time_limit", run.audience.observer.note
        if missed and self._cut.halves and state.halvings[0] < MOST_HALVINGS and not late:
            say(f"{task.audience.title}: {missed}; it is halved")
            self._state = replace(_halved(state, start), spent=state.spent + trained.seconds)
        elif missed and self._goes_on(window) and not late:
            say(f"{task.audience.title}: {missed}; it is trained further")
            self._state = replace(state, tried=(*state.tried, window))
        else:
            if missed:
                say(f"{task.audience.title}: {missed}")
            finished = (*state.finished, _together(window, state.tried))
            self._state = replace(
                state, finished=finished, pending=state.pending[1:], halvings=state.halvings[1:], tried=()
            )

    @property
    def _is_long(self) -> bool:
        """Whether the present window is more than twice as long as the one before, which had to be halved."""
        ends, state = self._reached.ends, self._state
        if not (self._cut.halves and state.finished) or state.halvings[0] >= MOST_HALVINGS:
            return False
        return state.pending[0] - ends[-1] > _LONGER * (ends[-1] - ends[-2])

    @property
    def _reached_before(self) -> Sequence[Tensor] | None:
        """Coefficients from which the present window starts: of its round before, or of the window before."""
        before = (*self._state.finished, *self._state.tried)
        return before[-1].coefficients if before else None

    def _goes_on(self, window: TrainedWindow) -> bool:
        """Tell whether a stated window that misses its share is trained further, from where it stands.

        An adapter would begin again; and a round that does not halve the error is the last.
        """
        tried, low_rank = self._state.tried, method_named(self._method).low_rank
        if self._cut.halves or low_rank or self._tolerance is not None or len(tried) + 1 >= MOST_ROUNDS:
            return False
        return not tried or _size(window) < _PAYS * _size(tried[-1])

    def _task(self, instance: Instance, title: str) -> TrainingTask:
        """Return the task of the present window."""
        run, state = self._run, self._state
        limit = run.time_limit
        if limit is not None:
            spent = sum(window.record.seconds for window in (*state.finished, *state.tried))
            limit = max(0.0, limit - spent - state.spent) / len(state.pending)
        audience = replace(run.audience, title=title, error=run.audience.error_in(instance))

        def keep(inner: TrainingState) -> None:
            run.keep(replace(inner, windows=state))

        settings = run.settings
        if self._tolerance is not None:
            share = self._share(self._reached.ends[-1], state.pending[0])
            settings = settings.with_tolerance(method_named(self._method).block, share)
        return replace(
            run,
            instance=instance,
            settings=settings,
            audience=audience,
            time_limit=limit,
            keep=keep,
            state=self._inner,
        )

    def _title(self, start: float, end: float) -> str:
        number, time = len(self._state.finished) + 1, self._run.instance.problem.time
        count = f"/{number - 1 + len(self._state.pending)}"
        where = f" ({time} = {start:g} to {end:g})" if self._cut.halves else ""
        again = f", round {len(self._state.tried) + 1}" if self._state.tried else ""
        return f"{self._run.audience.title}, window {number}{count}{where}{again}"

    def _kept(self, instance: Instance, trained: Trained, end: float) -> TrainedWindow:
        """Return what is kept of a window, rounded as it will be stored: the next one starts from that."""
        coefficients, changes = _rounded(
            trained, self._run.arithmetic.dtype, method_named(self._method).low_rank
        )
        record = WindowRecord(
            history=trained.history,
            outcome=trained.outcome,
            seconds=trained.seconds,
            rms=trained.rms,
            trainable=trained.trainable,
            ranks=trained.ranks,
            levels=trained.effort.levels,
            judged=judgement(instance, trained, self._method, self._base),
        )
        return TrainedWindow(end, coefficients, changes, record)

    def _missed(self, window: TrainedWindow, start: float) -> str:
        """Say how a window misses its share; empty if it does not."""
        share = self._share(start, window.end)
        estimate, verdict = window.record.judged["error_estimate"], window.record.judged["verdict"]
        if estimate is not None and estimate > share:
            return f"its error is estimated at {estimate:.1e}, its share is {share:.1e}"
        if estimate is None and self._tolerance is not None:
            return "there is no estimate of its error"
        return "" if verdict == "solved" else "; ".join(window.record.judged["reasons"])

    @property
    def _tolerance(self) -> float | None:
        """Of the whole time, if one is stated."""
        return self._run.settings.tolerance(method_named(self._method).block)

    def _share(self, start: float, end: float) -> float:
        """Return the error that a window may have: its length's share of the whole one's square.

        Errors of different windows are taken to be independent, so that their squares add up.
        """
        whole = self._cut.ends[-1] - self._cut.ends[0]
        limit = _LIMIT if self._tolerance is None else self._tolerance
        return limit * math.sqrt((end - start) / whole)


def _size(window: TrainedWindow) -> float:
    """Return what a further round has to lower: the error estimate, the residual where there is none."""
    estimate = window.record.judged["error_estimate"]
    return float(window.record.rms.held_out if estimate is None else estimate)


def _better(window: TrainedWindow, tried: Sequence[TrainedWindow]) -> TrainedWindow:
    """Return a window as its last round left it, or as the round before did where that was better."""
    if not tried or _size(window) <= _size(tried[-1]):
        return window
    last, best = window.record, tried[-1]
    return replace(best, record=replace(best.record, history=last.history, seconds=last.seconds))


def _together(window: TrainedWindow, tried: Sequence[TrainedWindow]) -> TrainedWindow:
    """Return a window with the reports and the time of all its rounds."""
    records = [*(before.record for before in tried), window.record]
    history = tuple(report for record in records for report in record.history)
    seconds = sum(record.seconds for record in records)
    return replace(window, record=replace(window.record, history=history, seconds=seconds))


def _halved(state: WindowsState, start: float) -> WindowsState:
    """Return the state in which the present window is halved."""
    end, times = state.pending[0], state.halvings[0] + 1
    pending = ((start + end) / 2, end, *state.pending[1:])
    return replace(state, pending=pending, halvings=(times, times, *state.halvings[1:]))


def _rounded(
    trained: Trained, dtype: torch.dtype, low_rank: bool
) -> tuple[list[Tensor], list[dict[str, Tensor]] | None]:
    """Return coefficients and an adapter's changes on the CPU, in the precision in which they are stored."""
    if not low_rank:
        return [c.detach().cpu().to(dtype).to(torch.float64) for c in trained.coefficients()], None
    coefficients, changes = [], []
    parts = trained.parameters.split(trained.theta)
    for layer, part in zip(trained.parameters.layers, parts, strict=True):
        assert isinstance(layer, AdaptedLayer), "what a file holds of an adapter"
        own = {name: a.detach().cpu().to(dtype).to(torch.float64) for name, a in layer.arrays(part).items()}
        coefficients.append(layer.changed(layer.base.cpu(), own))
        changes.append(own)
    return coefficients, changes


def _in_full(settings: Settings) -> Settings:
    """Return settings whose phases of fine-tuning are those of pre-training that move every coefficient."""
    if NETWORK_KINDS[settings.network.kind].slim:
        return settings
    common = [entry.name for entry in fields(PhaseSettings)]
    phases = tuple(
        FinetuningPhase(**{name: getattr(phase, name) for name in common})
        for phase in settings.training.in_turn
        if phase.shaping.form == "full"
    )
    if not phases:
        return settings
    tuning = TrainingSettings(
        phases[0], phases, settings.training.precision, balance=settings.training.balance
    )
    return replace(settings, finetuning=tuning)


def cut_of(instance: Instance) -> Cut | None:
    """Return how a problem states that its time is cut; None where it does not."""
    stated = instance.problem.domain.windows
    ends = window_ends(instance.problem, instance.values)
    return None if stated is None or stated.is_one else Cut(ends, stated.automatic)


def cut_like(stated: Cut, base: Sequence[float]) -> Cut:
    """Return the windows of an adapter: as many as its base has, found by halving at the same shares of time.

    Args:
        stated: How the problem states that the time is cut at the adapter's value.
        base: The ends of the base's windows.
    """
    if not stated.halves:
        return stated
    start, end = stated.ends
    shares = [(inner - base[0]) / (base[-1] - base[0]) for inner in base[1:-1]]
    return Cut((start, *(start + (end - start) * share for share in shares), end))


def pretrain_in_windows(run: TrainingTask, *, method: str, finished: Finished | None = None) -> AnyTrained:
    """Train a base or from scratch, in time windows where the problem states some.

    Args:
        run: Over the whole time.
        method: ``base`` or ``scratch``.
        finished: A result to go on from, in its windows.

    Raises:
        UsageError: See `pretrain`.
        DivergedError: If the loss is not finite.
    """
    cut = cut_of(run.instance)
    if finished is None and cut is not None:
        return train_windows(run, cut, pretrain_window, method=method)
    if finished is None:
        return _split_where_missed(run, method=method)
    if not finished.ends:
        return pretrain(run, finished.parts[0])

    def further(task: TrainingTask, place: Place) -> Trained:
        return pretrain(task, finished.parts[place.number])

    return train_windows(run, Cut(finished.ends), further, method=method)


def _split_where_missed(run: TrainingTask, *, method: str) -> AnyTrained:
    """Train over the whole time, and in halves of it where that misses a tolerance by far."""
    tolerance, time = run.settings.training.tolerance, run.instance.domain.time
    problem = run.instance.problem
    if tolerance is None or time is None or problem.domain.windows or not can_be_cut(problem):
        return pretrain(run)
    if run.state is None or run.state.windows is None:
        trained = pretrain(run, may_split=True)
        if trained.outcome.reason == "time_limit" or not is_far(trained.effort.levels, tolerance):
            return trained
        estimate = said(best_estimate(trained.effort.levels))
        run.audience.observer.note(
            f"{run.audience.title}: {estimate}, tolerance {tolerance:g}: the time is split"
        )
        limit = None if run.time_limit is None else max(0.0, run.time_limit - trained.seconds)
        run = replace(run, state=None, time_limit=limit)
    start, end = time
    return train_windows(
        run, Cut((start, (start + end) / 2, end), halves=True), pretrain_window, method=method
    )

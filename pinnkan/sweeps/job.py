"""One training, from its identity to its stored file: what pretrain and every value of finetune share.

It goes on from the state that an earlier run left, says while it runs where it stands, and leaves
on the way out either its result or the state to go on from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pinnkan.ground.errors import (
    FileAccessError,
    PinnkanError,
    StoppedError,
    Terminated,
    UnsavedError,
    UsageError,
)
from pinnkan.ground.files import require_writable
from pinnkan.ground.progress import Observer, Outcome, StepReport, SweepReport
from pinnkan.ground.runtime import dtype_for, provenance
from pinnkan.language.methods import BASE, method_named
from pinnkan.language.settings.blocks import Settings
from pinnkan.language.settings.idle_keys import idle_keys
from pinnkan.physics.family import Family
from pinnkan.physics.instance import Instance
from pinnkan.physics.lost import refuse_lost_derivatives
from pinnkan.physics.steepness import unseen_data
from pinnkan.physics.wellposed import require_well_posed
from pinnkan.storage.runs.adapter_files import adapter_file
from pinnkan.storage.runs.checkpoints import Keeper
from pinnkan.storage.runs.facts import history_facts, training_facts
from pinnkan.storage.runs.identity import Identity
from pinnkan.storage.runs.paths import WorkFile, base_path, stem_of, work_path
from pinnkan.storage.runs.results import is_lost, stored_report, taken_together
from pinnkan.storage.runs.state_files import StateFile, running
from pinnkan.storage.runs.windows import KEY as WINDOWS
from pinnkan.storage.runs.windows import window_arrays
from pinnkan.storage.store import write_store
from pinnkan.sweeps.shown_error import error_of, shown_error
from pinnkan.training import Trained, TrainingState, TrainingTask
from pinnkan.training.goal import said
from pinnkan.training.judgement import judgement
from pinnkan.training.task import Arithmetic, Audience
from pinnkan.training.trained_windows import AnyTrained, TrainedWindows
from pinnkan.training.window_verdicts import judgement_of_windows


@dataclass(frozen=True)
class ResultFile:
    """A result and where its files lie.

    Attributes:
        directory: The run directory.
        identity: What makes the result the one asked for.
        tag: Tag of the file's name.
    """

    directory: Path
    identity: Identity
    tag: str | None = None

    @property
    def path(self) -> Path:
        """The result's file."""
        if self.is_base:
            return base_path(self.directory)
        return adapter_file(self.directory, self.identity.values, self.identity.method, self.tag)

    @property
    def is_base(self) -> bool:
        """Whether it is the base and no adapter."""
        return self.identity.method == BASE.name

    def beside(self, kind: WorkFile) -> Path:
        """Return a file that the training leaves beside it."""
        stem = stem_of(self.identity.values, self.identity.method, self.tag)
        return work_path(self.directory, stem, kind)


@dataclass(frozen=True)
class Means:
    """What a training may use.

    Attributes:
        device: Where tensors live.
        threads: CPU threads in force.
        time_limit: Seconds, or None.
        tolerance: Bound of the relative error, instead of what the file says; None leaves it to the file.
    """

    device: torch.device
    threads: int
    time_limit: float | None
    tolerance: float | None = None


@dataclass(frozen=True)
class TrainingJob:
    """A training and where its files go.

    Attributes:
        result: The result and its files.
        family: The family of problems, with all overrides.
        title: What is trained, for reports.
        means: What the training may use.
        afresh: Whether the state of an earlier run is thrown away.
        observer: Who is told.
        remark: Is told what is the same for many values.
        base_verdict: The verdict on the base that the result belongs to; None for a base and from scratch.
    """

    result: ResultFile
    family: Family
    title: str
    means: Means
    afresh: bool
    observer: Observer
    remark: Callable[[str], None]
    base_verdict: str | None = None

    @property
    def _identity(self) -> Identity:
        return self.result.identity

    @property
    def _block(self) -> str:
        return method_named(self._identity.method).block

    @property
    def _settings(self) -> Settings:
        return self.family.problem.settings.with_tolerance(self._block, self.means.tolerance)

    def __call__(
        self,
        train: Callable[[TrainingTask], AnyTrained],
        arrays: Callable[[Trained, torch.dtype], dict[str, np.ndarray]],
        present: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Train, store the result and return what is known of it.

        Args:
            train: The recipe.
            arrays: What of its result is stored, in the result's precision; of time windows it is known.
            present: What the file says of a finished result that the recipe goes on from; None begins anew.

        Raises:
            StoppedError: If a signal arrived after the first step; the state is saved.
            DivergedError: If training does not end finite.
            ProblemError: If the problem has no solution that depends on its data with continuity.
            FileAccessError: If a file cannot be written.
        """
        require_writable(self.result.path)
        keeper = Keeper(self.result.beside("checkpoint.h5"), self._identity.hash, self.observer)
        if self.afresh:
            keeper.discard()
        with running(self.result.beside("running.json"), title=self.title) as state_file:
            trained, relative_l2 = self._train(train, keeper, state_file)
            instance = self.family.at(self._identity.values)
            verdict, dtype = self._judged(instance, trained), dtype_for(self._identity.dtype)
            asked = {"relative_l2": relative_l2, "tolerance": self._settings.tolerance(self._block)}
            training = training_facts(trained) | asked | verdict
            if present is not None:
                if is_lost(present["training"], training):
                    keeper.discard()
                    return self._left_as_it_was(present["training"], training)
                training |= taken_together(present["training"], training)
            if isinstance(trained, TrainedWindows):
                self._write(
                    trained, training, window_arrays(trained.windows, dtype), {WINDOWS: list(trained.ends)}
                )
            else:
                self._write(trained, training, arrays(trained, dtype), {})
        keeper.discard()
        self.observer.note(f"wrote {self.result.path}")
        if verdict["verdict"] not in (None, "solved"):
            # The reasons stand under the table that the command ends with.
            self.observer.note(f"{self.title}: {verdict['verdict']}. {training['advice']}")
        return stored_report({"training": training})

    def _left_as_it_was(self, present: Mapping[str, Any], training: Mapping[str, Any]) -> dict[str, Any]:
        """Say that the finished result is better than what a further training made of it, and report it."""
        self.observer.note(
            f"{self.title}: {said(training['error_estimate'])} after further training, "
            f"{said(present['error_estimate'])} before it: {self.result.path} stays as it was"
        )
        stopped = {key: training[key] for key in ("tolerance", "stop_reason")}
        return stored_report({"training": {**present, **stopped}})

    def _judged(self, instance: Instance, trained: AnyTrained) -> dict[str, Any]:
        """Return estimate and verdict."""
        if isinstance(trained, TrainedWindows):
            judged = [window.record.judged for window in trained.windows]
            return judgement_of_windows(trained.solution(instance), judged)
        return judgement(instance, trained, self._identity.method, self.base_verdict)

    def _write(
        self,
        trained: AnyTrained,
        training: Mapping[str, Any],
        arrays: dict[str, np.ndarray],
        windows: Mapping[str, Any],
    ) -> None:
        """Store the result."""
        facts = {
            **windows,
            "tag": self.result.tag,
            "training": training,
            "history": history_facts(trained.history),
            "provenance": provenance(self.means.device, self.means.threads),
        }
        kind = "base" if self.result.is_base else "adapter"
        write_store(self.result.path, kind, arrays=arrays, meta=self._identity.facts() | facts)

    def _train(
        self, train: Callable[[TrainingTask], AnyTrained], keeper: Keeper, state_file: StateFile
    ) -> tuple[AnyTrained, float | None]:
        """Return what was trained and its relative L2 error, if that is known."""
        identity = self._identity
        instance = self.family.at(identity.values)
        require_well_posed(instance)
        refuse_lost_derivatives(instance)
        block, settings = self._block, self._settings
        if settings.tolerance(block) is not None and not instance.equations:
            raise UsageError(
                "tolerance bounds the error of an equation's solution, and samples come with no equation; "
                "bound the residual instead (--set training.residual_below=X)"
            )
        for message in (*idle_keys(settings, block), *unseen_data(instance, block)):
            self.observer.note(f"{self.title}: warning: {message}")
        network, error = settings.network, error_of(instance, self.remark)
        run = TrainingTask(
            instance,
            settings,
            identity.seed,
            Arithmetic(self.means.device, dtype_for(identity.dtype)),
            Audience(
                _Recorded(self.observer, state_file),
                self.title,
                shown_error(error, instance, network),
                error_in=lambda window: shown_error(error_of(window, _unsaid), window, network),
            ),
            time_limit=self.means.time_limit,
            keep=keeper,
            state=keeper.restore(self.means.device),
        )
        if run.state is not None:
            self.observer.note(f"{self.title}: going on after step {run.state.steps}")
        try:
            trained = self._gone_on(train, run, keeper)
        except (KeyboardInterrupt, Terminated):
            state = self._saved(keeper)
            if state is None:
                raise
            raise StoppedError(
                f"{self.title}: stopped by a signal after step {state.steps}; "
                "the same command goes on from there"
            ) from None
        return trained, None if error is None else error(trained.solution(instance))

    def _gone_on(
        self, train: Callable[[TrainingTask], AnyTrained], run: TrainingTask, keeper: Keeper
    ) -> AnyTrained:
        """Train from the state of an earlier run; from the beginning if that is none of this training's."""
        try:
            return train(run)
        except (PinnkanError, OSError):
            raise
        except Exception as error:
            # A checkpoint with a right checksum may be anybody's: what its arrays make of the optimizer is
            # its own fault first. A bug of ours shows itself again from the beginning.
            if run.state is None:
                raise
            cause = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            self.observer.note(f"starting afresh: {keeper.path}: not a state of this training ({cause})")
        return train(replace(run, state=None))

    def _saved(self, keeper: Keeper) -> TrainingState | None:
        """Save the latest state on the way out.

        Raises:
            UnsavedError: If the system refuses. No fault of one value, after which a sweep would go on.
        """
        try:
            return keeper.save()
        except FileAccessError as fault:
            raise UnsavedError(f"{self.title}: stopped by a signal, its state is lost: {fault}") from fault


def _unsaid(_text: str) -> None:
    """Keep to oneself what was said of the whole time already."""


class _Recorded:
    """An observer that puts down in the state file what it passes on."""

    def __init__(self, observer: Observer, state_file: StateFile) -> None:
        self._observer, self._state_file = observer, state_file

    def begin(self, title: str, phase: str, total_steps: int) -> None:
        """See `Observer.begin`."""
        self._state_file.update(phase, 0, total_steps)
        self._observer.begin(title, phase, total_steps)

    def step(self, report: StepReport) -> None:
        """See `Observer.step`."""
        self._state_file.update(report.phase, report.step, report.total)
        self._observer.step(report)

    def end(self, outcome: Outcome) -> None:
        """See `Observer.end`."""
        self._observer.end(outcome)

    def sweep(self, report: SweepReport) -> None:
        """See `Observer.sweep`."""
        self._observer.sweep(report)

    def note(self, text: str) -> None:
        """See `Observer.note`."""
        self._observer.note(text)

"""One training, from its identity to its stored file: what pretrain and every value of finetune share.

It goes on from the state that an earlier run left, says while it runs where it stands, and leaves
on the way out either its result or the state to go on from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pinnkan.ground.errors import FileAccessError, PinnkanError, StoppedError, Terminated, UnsavedError
from pinnkan.ground.files import require_writable
from pinnkan.ground.progress import Observer, Outcome, StepReport, SweepReport
from pinnkan.ground.runtime import dtype_for, provenance
from pinnkan.language.methods import BASE, method_named
from pinnkan.physics.family import Family
from pinnkan.physics.lost import refuse_lost_derivatives
from pinnkan.physics.steepness import unseen_data
from pinnkan.physics.wellposed import require_well_posed
from pinnkan.storage.runs.adapter_files import adapter_file
from pinnkan.storage.runs.checkpoints import Keeper
from pinnkan.storage.runs.facts import history_facts, training_facts
from pinnkan.storage.runs.identity import Identity
from pinnkan.storage.runs.paths import base_path, stem_of, work_path
from pinnkan.storage.runs.results import shown_error, stored_report
from pinnkan.storage.runs.state_files import StateFile, running
from pinnkan.storage.store import write_store
from pinnkan.training import Trained, TrainingState, TrainingTask
from pinnkan.training.judgement import judgement


@dataclass(frozen=True)
class TrainingJob:
    """A training and where its files go.

    Attributes:
        directory: The run directory.
        identity: Of the result.
        tag: Of the file's name.
        family: The family of problems, with all overrides.
        title: What is trained, for reports.
        device: Where tensors live.
        threads: In force.
        time_limit: Seconds, or None.
        afresh: Whether the state of an earlier run is thrown away.
        observer: Who is told.
        remark: Is told what is the same for many values.
        base_verdict: On the base that the result belongs to; None for a base and from scratch.
    """

    directory: Path
    identity: Identity
    tag: str | None
    family: Family
    title: str
    device: torch.device
    threads: int
    time_limit: float | None
    afresh: bool
    observer: Observer
    remark: Callable[[str], None]
    base_verdict: str | None = None

    @property
    def path(self) -> Path:
        """The result's file."""
        if self.identity.method == BASE.name:
            return base_path(self.directory)
        return adapter_file(self.directory, self.identity.values, self.identity.method, self.tag)

    def __call__(
        self,
        train: Callable[[TrainingTask], Trained],
        arrays: Callable[[Trained, torch.dtype], dict[str, np.ndarray]],
    ) -> dict[str, Any]:
        """Train, store the result and return what is known of it.

        Args:
            train: The recipe.
            arrays: What of its result is stored, in the result's precision.

        Raises:
            StoppedError: If a signal arrived after the first step; the state is saved.
            DivergedError: If training does not end finite.
            ProblemError: If the problem has no solution that depends on its data with continuity.
            FileAccessError: If a file cannot be written.
        """
        require_writable(self.path)
        stem = stem_of(self.identity.values, self.identity.method, self.tag)
        keeper = Keeper(work_path(self.directory, stem, "checkpoint.h5"), self.identity.hash, self.observer)
        if self.afresh:
            keeper.discard()
        with running(work_path(self.directory, stem, "running.json"), title=self.title) as state_file:
            trained, relative_l2 = self._train(train, keeper, state_file)
            instance = self.family.at(self.identity.values)
            verdict = judgement(instance, trained, self.identity.method, self.base_verdict)
            training = training_facts(trained) | {"relative_l2": relative_l2} | verdict
            facts = {
                "tag": self.tag,
                "training": training,
                "history": history_facts(trained.history),
                "provenance": provenance(self.device, self.threads),
            }
            kind = "base" if self.identity.method == BASE.name else "adapter"
            contents = arrays(trained, dtype_for(self.identity.dtype))
            write_store(self.path, kind, arrays=contents, meta=self.identity.facts() | facts)
        keeper.discard()
        self.observer.note(f"wrote {self.path}")
        if verdict["verdict"] not in (None, "solved"):
            # The reasons stand under the table that the command ends with.
            self.observer.note(f"{self.title}: {verdict['verdict']}. {training['advice']}")
        return stored_report({"training": training})

    def _train(
        self, train: Callable[[TrainingTask], Trained], keeper: Keeper, state_file: StateFile
    ) -> tuple[Trained, float | None]:
        """Return what was trained and its relative L2 error, if that is known."""
        instance = self.family.at(self.identity.values)
        require_well_posed(instance)
        refuse_lost_derivatives(instance)
        for message in unseen_data(instance, method_named(self.identity.method).block):
            self.observer.note(f"{self.title}: warning: {message}")
        error = shown_error(instance, self.family.problem.settings.network, self.remark)
        run = TrainingTask(
            instance,
            self.family.problem.settings,
            self.identity.seed,
            self.device,
            dtype_for(self.identity.dtype),
            _Recorded(self.observer, state_file),
            self.title,
            error,
            self.time_limit,
            keeper,
            keeper.restore(self.device),
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
        return trained, None if error is None else error(trained.coefficients())

    def _gone_on(
        self, train: Callable[[TrainingTask], Trained], run: TrainingTask, keeper: Keeper
    ) -> Trained:
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

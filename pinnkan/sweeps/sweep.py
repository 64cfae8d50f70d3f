"""``pinnkan finetune``: what is missing among the parameter values is trained, what is finished is left.

This file imports no torch: a sweep that is finished already is answered from its files.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from pinnkan.ground.errors import (
    OtherSettingsError,
    PinnkanError,
    RemoteError,
    WrongBaseError,
)
from pinnkan.ground.progress import Observer, SweepReport
from pinnkan.language.parameters import file_stem
from pinnkan.storage.runs.identity import Identity, weights_hash
from pinnkan.storage.runs.inventory import value_status
from pinnkan.storage.runs.paths import base_path, stem_of, work_path
from pinnkan.storage.runs.predecessors import followers_of, predecessors_of, started_from
from pinnkan.storage.runs.results import TrainingResult, answers, stored_report
from pinnkan.storage.runs.state_files import (
    clear_failure,
    clear_finished,
    read_running,
    record_failure,
)
from pinnkan.storage.store import read_store
from pinnkan.sweeps.options import SweepOptions

_LOOK_EVERY_S = 1.0


class Engine(Protocol):
    """What trains the values of a sweep: this process, worker processes, a cluster."""

    @property
    def free(self) -> int:
        """Values that may be submitted now."""

    def submit(self, key: int, identity: Identity) -> None:
        """Give a value to be trained."""

    def next(self, timeout: float) -> tuple[int, Any] | None:
        """Return key and result of a value that ended, None if none did within so many seconds.

        The result is a `TrainingResult`, or something that says as text what became of the value.
        """

    def close(self) -> list[str]:
        """End, the states of running trainings saved; return why any could not be."""


class Sweep:
    """The values of one call on their way to results.

    Args:
        options: What is asked for beside the values.
        asked: Identities of the results, one a value.
        observer: Who is told.
    """

    def __init__(self, options: SweepOptions, asked: Sequence[Identity], observer: Observer) -> None:
        self._options, self._asked, self._observer = options, asked, observer
        self._predecessors = predecessors_of(asked) if options.nearest else [None] * len(asked)
        self._followers = followers_of(self._predecessors)
        self._ready = deque(self._followers.get(None, []))
        self._results: dict[int, TrainingResult] = {}
        self._busy: dict[int, Identity] = {}
        self._engine: Engine | None = None
        self._started = time.monotonic()
        self._base_stamp = _stamp(options.directory)

    @property
    def began(self) -> bool:
        """Whether anything was given to be trained."""
        return self._engine is not None

    def run(self) -> list[TrainingResult]:
        """Bring every value to its result, in the order asked for."""
        while len(self._results) < len(self._asked):
            while self._ready and (self._engine is None or self._engine.free > 0):
                self._begin(self._ready.popleft())
            if self._busy:
                self._collect()
        return [self._results[key] for key in range(len(self._asked))]

    def close(self) -> list[str]:
        """End the engine, if there is one; return what it could not save."""
        engine, self._engine = self._engine, None
        return [] if engine is None else engine.close()

    def _begin(self, key: int) -> None:
        """Answer a value from its file, or give it to be trained."""
        identity = self._identity(key)
        if identity is None:
            return
        options = self._options
        present = None if options.training.force else value_status(options.directory, identity, options.tag)
        tolerance = identity.tolerance if options.training.tolerance is None else options.training.tolerance
        done = None if present is None or present.status != "done" else present.meta
        if present is not None and done is not None and answers(done, tolerance):
            report = stored_report(done) | {"tolerance": tolerance}
            clear_finished(options.directory, stem_of(identity.values, identity.method, options.tag))
            unasked = identity.unasked(done)
            self._end(key, self._result(key, "present", path=present.path, report=report, unasked=unasked))
            return
        if present is not None and present.kept:
            fault = OtherSettingsError(present.path, str(present.fault))
            self._end(key, self._result(key, "failed", fault=fault))
            return
        if present is not None and present.fault is not None:
            self._observer.note(f"{present.path} does not count and is replaced: {present.fault}")
        if self._engine is None:
            self._engine = self._make_engine()
            self._report()
        self._busy[key] = identity
        self._engine.submit(key, identity)

    def _identity(self, key: int) -> Identity | None:
        """Return a value's identity with what it starts from; None where that, and so the value, failed."""
        predecessor = self._predecessors[key]
        if predecessor is None:
            return self._asked[key]
        start = self._results[predecessor]
        if start.path is None:
            message = f"not trained: it starts from {file_stem(start.values)}, which failed"
            self._end(key, self._result(key, "failed", fault=PinnkanError(message)))
            return None
        return started_from(self._asked[key], start.values, start.path)

    def _collect(self) -> None:
        """Wait a moment for a value to end, and say where the sweep stands."""
        assert self._engine is not None
        ended = self._engine.next(_LOOK_EVERY_S)
        if ended is not None:
            key, answer = ended
            identity = self._busy.pop(key)
            result = answer if isinstance(answer, TrainingResult) else self._lost(key, answer)
            if not isinstance(self._engine, _ThisProcess):  # which does so itself
                self._tell(identity, result)
            self._end(key, result)
            self._require_the_base()
        self._report()

    def _require_the_base(self) -> None:
        """Look whether the base is that of the values asked for still.

        Raises:
            WrongBaseError: If it is not: what is left would be trained in vain.
        """
        directory, wanted = self._options.directory, self._asked[0].base_hash
        if wanted is None or _stamp(directory) == self._base_stamp:
            return
        path = base_path(directory)
        if weights_hash(read_store(path, kind="base")) != wanted:
            raise WrongBaseError(
                f"{path}: was replaced while this command trained on the old one; what it trained is stale, "
                "and the same command trains it again"
            )
        self._base_stamp = _stamp(directory)

    def _lost(self, key: int, answer: object) -> TrainingResult:
        """Return the result of a value whose process died."""
        kind = type(answer).__name__
        return self._result(key, "failed", fault=RemoteError(kind, str(answer) or kind, 1))

    def _tell(self, identity: Identity, result: TrainingResult) -> None:
        """Record and say what came of a value in another process, whose folder may be none of ours."""
        directory, stem = (
            self._options.directory,
            stem_of(identity.values, identity.method, self._options.tag),
        )
        if result.fault is None:
            clear_failure(directory, stem)
            self._observer.note(f"wrote {result.path}")
        else:
            record_failure(directory, stem, identity, result.fault)
            self._observer.note(f"{stem}: {result.fault}")

    def _end(self, key: int, result: TrainingResult) -> None:
        self._results[key] = result
        self._ready.extend(self._followers.get(key, []))

    def _result(self, key: int, status: Any, **more: Any) -> TrainingResult:
        return TrainingResult(
            self._asked[key].values,
            self._options.method,
            self._options.tag,
            status,
            **({"path": None} | more),
        )

    def _report(self) -> None:
        """Tell the observer where the sweep stands; values that were finished before do not count."""
        ended = [result for result in self._results.values() if result.status != "present"]
        failed = sum(result.status == "failed" for result in ended)
        total = len(ended) + len(self._asked) - len(self._results)
        seconds = time.monotonic() - self._started
        self._observer.sweep(SweepReport(len(ended), failed, total, seconds, tuple(self._running())))

    def _running(self) -> list[str]:
        """Say what worker processes are at, as their state files tell."""
        if self._options.jobs is None:
            return []
        stems = [stem_of(busy.values, busy.method, self._options.tag) for busy in self._busy.values()]
        paths = [(stem, work_path(self._options.directory, stem, "running.json")) for stem in stems]
        states = [(stem, read_running(path)) for stem, path in paths]
        return [
            f"{stem}: {f'{state.phase}, step {state.step}/{state.total}' if state.total else 'begins'}"
            for stem, state in states
            if state is not None
        ]

    def _make_engine(self) -> Engine:
        options = self._options
        if options.dask is not None:
            from pinnkan.sweeps.dask import DaskCluster

            return DaskCluster(options.dask, options)
        from pinnkan.sweeps.trainer import Trainer, WorkerTrainer

        # Made for worker processes, too: what is wrong with the options is said once, here.
        trainer = Trainer(options, self._observer)
        if options.jobs is None:
            return _ThisProcess(trainer)
        from pinnkan.sweeps.processes import Pool

        compute = options.training.compute
        shared = replace(compute, threads=compute.threads or max(1, (os.cpu_count() or 1) // options.jobs))
        training = replace(options.training, compute=shared)
        return Pool(options.jobs, partial(WorkerTrainer, replace(options, training=training)))


def _stamp(directory: Path) -> tuple[int, int] | None:
    """Return what is another number as soon as another base is there."""
    try:
        status = base_path(directory).stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


class _ThisProcess:
    """Trains one value after the other, here."""

    def __init__(self, train: Any) -> None:
        self._train = train
        self._given: tuple[int, Identity] | None = None

    @property
    def free(self) -> int:
        return int(self._given is None)

    def submit(self, key: int, identity: Identity) -> None:
        self._given = key, identity

    def next(self, timeout: float) -> tuple[int, TrainingResult] | None:
        assert self._given is not None
        (key, identity), self._given = self._given, None
        return key, self._train(identity)

    def close(self) -> list[str]:
        """Nothing runs between two calls."""
        return []

"""Training the values of a sweep one after the other in one process, the base read once."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pinnkan.ground.errors import BUG, PinnkanError, RemoteError, StoppedError, environmental
from pinnkan.ground.progress import Observer, Silent
from pinnkan.ground.runtime import device_for, limited_threads
from pinnkan.language.methods import METHODS
from pinnkan.language.parameters import file_stem
from pinnkan.networks.adapters import AdaptedLayer, Parametrisation
from pinnkan.storage.runs.adapter_files import adapter_file
from pinnkan.storage.runs.directory import (
    RunDirectory,
    arrays_of_layer,
    change_arrays,
    whole_arrays,
    whole_coefficients,
)
from pinnkan.storage.runs.facts import parsed
from pinnkan.storage.runs.identity import Identity, ProblemRecord
from pinnkan.storage.runs.inventory import value_status
from pinnkan.storage.runs.paths import stem_of
from pinnkan.storage.runs.results import TrainingResult, stored_report, stored_verdict
from pinnkan.storage.runs.state_files import clear_failure, record_failure
from pinnkan.storage.runs.windows import KEY as WINDOWS
from pinnkan.storage.runs.windows import arrays_in_windows
from pinnkan.storage.store import Stored, read_store
from pinnkan.sweeps.job import Means, ResultFile, TrainingJob
from pinnkan.sweeps.options import SweepOptions
from pinnkan.training import Trained, TrainingTask
from pinnkan.training import finetune as train_adapter
from pinnkan.training.goal import said
from pinnkan.training.refinable_adapter import FinishedAdapter
from pinnkan.training.trained_windows import AnyTrained
from pinnkan.training.windows import (
    Cut,
    Finished,
    Place,
    cut_like,
    cut_of,
    nearer,
    pretrain_in_windows,
    train_windows,
)


class Trainer:
    """Trains and stores values on the base of a run directory.

    Args:
        options: What is the same for all of them.
        observer: Who is told.

    Raises:
        DamagedFileError: If the base is damaged or foreign.
        UsageError: If there is no such device.
    """

    def __init__(self, options: SweepOptions, observer: Observer) -> None:
        self.options, self.observer = options, observer
        # The cache lets every text through once: what is said of one value holds for most others too.
        self._remark = cache(observer.note)
        self._base = RunDirectory(options.directory).base()
        record = ProblemRecord.read(self._base.path, self._base.meta).overridden(
            options.overrides, options.method
        )
        widths = self._base.problem.settings.network.hidden
        self._family = parsed(record, widths) if options.overrides else self._base.family
        self._device = device_for(options.training.compute.device)

    def __call__(self, identity: Identity) -> TrainingResult:
        """Train one value; what goes wrong with it is kept in its result and in a small record.

        Raises:
            StoppedError: If a signal arrived after the first step; the state is saved.
        """
        options, stem = self.options, stem_of(identity.values, identity.method, self.options.tag)
        with limited_threads(options.training.compute.threads) as count:
            try:
                stored = self._finished(identity)
                job, present = self._job(identity, count), None if stored is None else stored.meta
                report = job(lambda run: self._train(run, identity, stored), self._arrays, present)
            except StoppedError:
                raise
            except PinnkanError as fault:
                record_failure(options.directory, stem, identity, fault)
                self.observer.note(f"{stem}: {fault}")
                return TrainingResult(
                    identity.values, options.method, options.tag, status="failed", path=None, fault=fault
                )
        clear_failure(options.directory, stem)
        return TrainingResult(
            identity.values,
            options.method,
            options.tag,
            status="trained",
            path=job.result.path,
            report=report,
        )

    def _job(self, identity: Identity, threads: int) -> TrainingJob:
        options = self.options
        on_base = METHODS[options.method].on_base
        return TrainingJob(
            ResultFile(options.directory, identity, options.tag),
            self._family,
            title=file_stem(identity.values) or self._family.problem.name,
            means=Means(self._device, threads, options.training.time_limit, options.training.tolerance),
            afresh=options.training.force,
            observer=self.observer,
            remark=self._remark,
            base_verdict=stored_verdict(self._base.meta)["verdict"] if on_base else None,
        )

    def _train(self, run: TrainingTask, identity: Identity, stored: Stored | None) -> AnyTrained:
        method = METHODS[identity.method]
        if not method.on_base:
            finished = None if stored is None else self._whole(identity, stored)
            return pretrain_in_windows(run, method=method.name, finished=finished)
        begun = None if stored is None else arrays_in_windows(stored.arrays, stored.meta)
        neighbour = self._neighbour(identity) if begun is None else None

        def adapt(task: TrainingTask, place: Place) -> Trained:
            """Train the adapter of one window, or of the whole time."""
            coefficients = self._base.parts[place.number]
            if begun is not None:
                theta, ranks = (
                    partial(stored_theta, arrays=begun[place.number]),
                    stored_ranks(begun[place.number]),
                )
                finished = FinishedAdapter(theta, ranks)
                return train_adapter(task, coefficients, method=method.name, finished=finished)
            if neighbour is not None:
                start = partial(stored_theta, arrays=neighbour[place.number])
                return train_adapter(task, coefficients, method=method.name, start=start)
            if not method.low_rank:
                coefficients = nearer(task, coefficients, place.before)
            return train_adapter(task, coefficients, method=method.name)

        stated, time = cut_of(run.instance), run.instance.domain.time
        if stated is None and self._base.ends and time is not None:
            stated = Cut(time, halves=True)
        if stated is None:
            return adapt(run, Place())
        cut = cut_like(stated, self._base.ends)
        base = stored_verdict(self._base.meta)["verdict"]
        return train_windows(run, cut, adapt, method=method.name, base=base)

    def _whole(self, identity: Identity, stored: Stored) -> Finished:
        """Return a finished result from scratch, to go on from."""
        path, parts = self._path(identity), arrays_in_windows(stored.arrays, stored.meta)
        return Finished([whole_coefficients(path, own) for own in parts], tuple(stored.meta.get(WINDOWS, ())))

    def _neighbour(self, identity: Identity) -> list[dict[str, np.ndarray]] | None:
        """Return the arrays, window by window, of the adapter that a value starts from; None for the base."""
        if identity.start is None:
            return None
        values = identity.start["values"]
        assert isinstance(values, dict)
        path = adapter_file(self.options.directory, values, identity.method, self.options.tag)
        stored = read_store(path, kind="adapter")
        return arrays_in_windows(stored.arrays, stored.meta)

    def _path(self, identity: Identity) -> Path:
        return adapter_file(self.options.directory, identity.values, identity.method, self.options.tag)

    def _finished(self, identity: Identity) -> Stored | None:
        """Return a finished result to go on from, for its error is above the tolerance."""
        options = self.options
        if options.training.force:
            return None
        present = value_status(options.directory, identity, options.tag)
        if present.status != "done":
            return None
        estimate = stored_report(present.meta or {})["error_estimate"]
        self.observer.note(f"{present.path}: {said(estimate)}, above the tolerance: going on from it")
        return read_store(present.path, kind="adapter")

    def _arrays(self, trained: Trained, dtype: torch.dtype) -> dict[str, np.ndarray]:
        if METHODS[self.options.method].low_rank:
            return change_arrays(trained.parameters, trained.theta, dtype)
        return whole_arrays(trained.coefficients(), dtype)


def stored_theta(parameters: Parametrisation, arrays: Mapping[str, np.ndarray]) -> Tensor:
    """Return the theta, (P,), that an adapter's or a fully trained network's stored arrays stand for."""
    tensors = {name: torch.from_numpy(array.astype(np.float64)) for name, array in arrays.items()}
    parts: list[Tensor] = []
    for depth, layer in enumerate(parameters.layers):
        assert isinstance(layer, AdaptedLayer), "what a file holds of an adapter"
        parts.append(layer.theta_of(arrays_of_layer(tensors, depth)))
    return torch.cat(parts)


def stored_ranks(arrays: Mapping[str, np.ndarray]) -> list[tuple[int, ...]]:
    """Return (R1, R2, R3) of every layer in Tucker form, from the stored arrays of an adapter."""
    cores = {int(name.partition(".")[0]): array for name, array in arrays.items() if name.endswith(".core")}
    return [tuple(cores[layer].shape) for layer in sorted(cores)]


class WorkerTrainer:
    """A `Trainer` in a worker process: no fault of one value ends it, and all it returns can be sent.

    Args:
        options: See `Trainer`.
    """

    def __init__(self, options: SweepOptions) -> None:
        self._trainer = Trainer(options, Silent())

    def __call__(self, identity: Identity) -> TrainingResult:
        """Train one value.

        Raises:
            StoppedError: If the parent asked to stop after the first step; the state is saved.
            UnsavedError: If it asked to stop, and the state could not be saved.
        """
        options = self._trainer.options
        try:
            result = self._trainer(identity)
        except StoppedError:
            raise
        except Exception as error:  # the others go on; of a bug the traceback is shown
            fault = _sendable(error)
            return TrainingResult(
                identity.values, options.method, options.tag, status="failed", path=None, fault=fault
            )
        if result.fault is None:
            return result
        return replace(result, fault=_sendable(result.fault))


def _sendable(error: Exception) -> RemoteError:
    """Return an exception as text; the first line of a bug says what it is."""
    kind, fault = type(error).__name__, environmental(error)
    if fault is not None:
        return RemoteError(kind, str(fault), fault.exit_code)
    what = " ".join(str(error).split())
    trace = "".join(traceback.format_exception(error))
    return RemoteError(kind, f"a bug in pinnkan: {what}\n{trace}", BUG)

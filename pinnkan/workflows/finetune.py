"""``pinnkan finetune``: an adapter, a fully fine-tuned or a fresh network for every parameter value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from pinnkan.errors import InterruptedRunError, PinnkanError
from pinnkan.files import clean_leftovers, require_writable
from pinnkan.parameters import complete_values, file_stem
from pinnkan.problem import Problem
from pinnkan.progress import Observer
from pinnkan.store import write_store
from pinnkan.training import Run, Trained
from pinnkan.training import finetune as train_adapter
from pinnkan.training import pretrain as train_from_scratch
from pinnkan.workflows.environment import device_for, dtype_for, limited_threads, provenance
from pinnkan.workflows.identity import Identity, ProblemRecord, weights_hash
from pinnkan.workflows.inventory import finding
from pinnkan.workflows.paths import ADAPTERS, check_tag
from pinnkan.workflows.pretrain import interrupted
from pinnkan.workflows.records import history_facts, parsed, training_facts
from pinnkan.workflows.results import TrainingResult, shown_error, stored_report
from pinnkan.workflows.runs import Result, RunDirectory, change_arrays, whole_arrays


@dataclass(frozen=True)
class _Order:
    """What is the same for every value of one call."""

    run_directory: RunDirectory
    base: Result
    record: ProblemRecord
    problem: Problem
    method: str
    tag: str | None
    seed: int
    device: torch.device
    dtype: str
    threads: int
    time_limit: float | None
    observer: Observer

    def identity(self, values: Mapping[str, float]) -> Identity:
        base_hash = None if self.method == "scratch" else weights_hash(self.base.stored)
        return Identity(self.record, values, self.method, self.seed, self.dtype, base_hash)

    def path(self, values: Mapping[str, float]) -> Path:
        return self.run_directory.adapter_path(values, self.method, self.tag)


def finetune(
    directory: Path,
    values: Sequence[Mapping[str, float]],
    *,
    method: str,
    tag: str | None,
    overrides: Sequence[str],
    seed: int,
    device: str,
    dtype: str | None,
    threads: int | None,
    force: bool,
    time_limit: float | None,
    observer: Observer,
) -> list[TrainingResult]:
    """Train what is missing among the values and store each result as soon as it is there.

    A value is finished if its file verifies and names the same problem,
    settings, seed, precision and base. A fault of one value is kept in its
    result; the others go on.

    Raises:
        UsageError: If the tag or an override cannot be served.
        InterruptedRunError: If a signal asked to stop; finished values are kept.
        FileAccessError: If a file cannot be written.
    """
    check_tag(tag)
    run_directory = RunDirectory(directory)
    base = run_directory.base()
    record = ProblemRecord.read(base.path, base.meta).overridden(overrides, method)
    problem = parsed(record) if overrides else base.problem
    clean_leftovers(directory / ADAPTERS)
    with limited_threads(threads) as count:
        order = _Order(
            run_directory,
            base,
            record,
            problem,
            method,
            tag,
            seed,
            device_for(device),
            dtype or str(base.meta["dtype"]),
            count,
            time_limit,
            observer,
        )
        complete = [complete_values(problem.parameters, one) for one in values]
        return [_one(order, one, force=force) for one in complete]


def _one(order: _Order, values: Mapping[str, float], *, force: bool) -> TrainingResult:
    identity, path = order.identity(values), order.path(values)
    if not force:
        found = finding(order.run_directory.path, identity, order.tag)
        if found.meta is not None:
            report = stored_report(found.meta)
            order.observer.note(f"{path} is finished; --force trains it again")
            return TrainingResult(values, order.method, order.tag, "present", path, report)
    try:
        report = _train_and_store(order, identity, path)
    except InterruptedRunError:
        raise
    except PinnkanError as fault:
        order.observer.note(f"{file_stem(values)}: {fault}")
        return TrainingResult(values, order.method, order.tag, "failed", None, fault=fault)
    order.observer.note(f"wrote {path}")
    return TrainingResult(values, order.method, order.tag, "trained", path, report)


def _train_and_store(order: _Order, identity: Identity, path: Path) -> dict[str, object]:
    require_writable(path)
    problem = order.problem
    instance = problem.at(identity.values)
    error = shown_error(instance, problem.settings.network)
    dtype = dtype_for(order.dtype)
    title = file_stem(identity.values) or problem.name
    run = Run(
        instance,
        problem.settings,
        order.seed,
        order.device,
        dtype,
        order.observer,
        title,
        error,
        order.time_limit,
    )
    trained = _train(run, order)
    if trained.outcome.reason == "interrupted":
        raise interrupted(order.observer)
    training = training_facts(trained) | {"relative_l2": error(trained.coefficients()) if error else None}
    if order.method == "lotra":
        arrays = change_arrays(trained.parameters, trained.theta, dtype)
    else:
        arrays = whole_arrays(trained.coefficients(), dtype)
    facts = {
        "tag": order.tag,
        "training": training,
        "history": history_facts(trained.history),
        "provenance": provenance(order.device, order.threads),
    }
    write_store(path, "adapter", arrays=arrays, meta=identity.facts() | facts)
    return stored_report({"training": training})


def _train(run: Run, order: _Order) -> Trained:
    if order.method == "scratch":
        return train_from_scratch(run)
    return train_adapter(run, order.base.coefficients, method=order.method)

"""``pinnkan pretrain``: train the base of a family and store it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pinnkan.ground.errors import DamagedFileError, PinnkanError, StoppedError, UsageError
from pinnkan.ground.files import clean_leftovers
from pinnkan.ground.progress import Observer
from pinnkan.ground.runtime import device_for, limited_threads
from pinnkan.language.methods import stands_alone
from pinnkan.physics.family import Family
from pinnkan.storage.runs.directory import RunDirectory, whole_arrays
from pinnkan.storage.runs.identity import Identity, ProblemRecord, fits, weights_hash
from pinnkan.storage.runs.paths import BASE_STEM, WORK, adapter_paths, base_path
from pinnkan.storage.runs.results import TrainingResult, answers, stored_report
from pinnkan.storage.runs.state_files import at_work, clear_failure, clear_finished, record_failure
from pinnkan.storage.store import read_store
from pinnkan.sweeps.job import Means, ResultFile, TrainingJob
from pinnkan.sweeps.options import TrainingOptions
from pinnkan.training.goal import said
from pinnkan.training.windows import Finished, pretrain_in_windows

_NAMED = 3


def pretrain(family: Family, directory: Path, options: TrainingOptions, observer: Observer) -> TrainingResult:
    """Train the base at the family's base value and write ``base.h5``.

    Seed and precision that are None are left open: a finished base answers whatever its own are, a new one
    is trained with seed 0 in double precision.

    Raises:
        UsageError: If another base stands there and ``force`` is not given.
        DamagedFileError: If a damaged or foreign one does.
        DivergedError: If training does not end finite.
        StoppedError: If a signal arrived after the first step; the state is saved.
        FileAccessError: If the file cannot be written.
    """
    identity = _identity(family, options)
    tolerance = family.problem.settings.with_tolerance("training", options.tolerance).training.tolerance
    meta = None if options.force else _finished(directory, identity)
    if meta is not None and answers(meta, tolerance):
        clear_finished(directory, BASE_STEM)
        report, unasked = stored_report(meta) | {"tolerance": tolerance}, identity.unasked(meta)
        return _result(identity, "present", path=base_path(directory), report=report, unasked=unasked)
    for folder in (directory, directory / WORK):
        clean_leftovers(folder)
    _tell_of_others(directory, observer)
    finished = None if meta is None else _finished_base(directory, tolerance, observer)
    device = device_for(options.compute.device)
    with limited_threads(options.compute.threads) as count:
        job = TrainingJob(
            ResultFile(directory, identity),
            family,
            title=f"{family.problem.name} base",
            means=Means(device, count, options.time_limit, options.tolerance),
            afresh=options.force,
            observer=observer,
            remark=observer.note,
        )
        try:
            report = job(
                lambda run: pretrain_in_windows(run, method=BASE_STEM, finished=finished),
                lambda trained, kind: whole_arrays(trained.coefficients(), kind),
                meta,
            )
        except StoppedError:
            raise
        except PinnkanError as fault:
            record_failure(directory, BASE_STEM, identity, fault)
            raise
    clear_failure(directory, BASE_STEM)
    return _result(identity, "trained", path=job.result.path, report=report)


def _identity(family: Family, options: TrainingOptions) -> Identity:
    """Return who the base is that is asked for."""
    seed, dtype = options.seed, options.compute.dtype
    return Identity(
        ProblemRecord.of(family),
        family.problem.base_values,
        method=BASE_STEM,
        seed=seed or 0,
        dtype=dtype or "float64",
        base_hash=None,
        left_open=frozenset(name for name, value in {"seed": seed, "dtype": dtype}.items() if value is None),
    )


def _tell_of_others(directory: Path, observer: Observer) -> None:
    """Say what is trained on the base that a new one will replace: it is told when that happens."""
    others = {stem: state for stem, state in at_work(directory).items() if stem != BASE_STEM}
    if others:
        named = [f"{stem} (pid {state.pid} on {state.host})" for stem, state in others.items()][:_NAMED]
        observer.note(
            f"{directory} is at work: {'; '.join(named)}{' ...' if len(others) > _NAMED else ''}; "
            "what is trained there now will not fit the new base"
        )


def _finished_base(directory: Path, tolerance: float | None, observer: Observer) -> Finished:
    """Return a finished base whose error is above the tolerance, to go on from.

    What that does to its adapters is said before it begins.
    """
    base = RunDirectory(directory).base()
    stored = [read_store(path).meta for path in adapter_paths(directory)]
    count = sum(fits(meta, weights_hash(base.stored)) and not stands_alone(meta["method"]) for meta in stored)
    stale = f"; its {count} adapter{'s become' if count > 1 else ' becomes'} stale" if count else ""
    estimate = said(base.meta["training"].get("error_estimate"))
    observer.note(f"{base.path}: {estimate}, tolerance {tolerance:g}: going on from it{stale}")
    return Finished(base.parts, base.ends)


def _finished(directory: Path, identity: Identity) -> Mapping[str, Any] | None:
    """Return what the finished base says if it is the one asked for, None if there is none.

    Raises:
        UsageError: If a different base stands there.
        DamagedFileError: If a damaged or foreign one does.
    """
    path = base_path(directory)
    if not path.is_file():
        return None
    try:
        meta = read_store(path, kind="base").meta
    except DamagedFileError as error:
        raise DamagedFileError(f"{error}; --force trains a new base over it") from None
    if not identity.answered_by(meta):
        raise UsageError(
            f"{path} is the base of another problem, settings, seed or precision; "
            "choose another directory with -o, or --force to replace it (its adapters become stale)"
        )
    return meta


def _result(identity: Identity, status: Literal["trained", "present"], **more: Any) -> TrainingResult:
    return TrainingResult(identity.values, BASE_STEM, None, status=status, **more)

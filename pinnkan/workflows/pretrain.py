"""``pinnkan pretrain``: train the base of a family and store it."""

from __future__ import annotations

from pathlib import Path

from pinnkan.errors import DamagedFileError, InterruptedRunError, UsageError
from pinnkan.files import clean_leftovers, require_writable
from pinnkan.problem import Problem
from pinnkan.progress import Observer
from pinnkan.store import read_store, write_store
from pinnkan.training import Run
from pinnkan.training import pretrain as train_base
from pinnkan.workflows.environment import device_for, dtype_for, limited_threads, provenance
from pinnkan.workflows.identity import Identity, ProblemRecord
from pinnkan.workflows.records import history_facts, training_facts
from pinnkan.workflows.results import TrainingResult, shown_error, stored_report
from pinnkan.workflows.runs import RunDirectory, whole_arrays


def pretrain(
    problem: Problem,
    *,
    directory: Path,
    seed: int,
    device: str,
    dtype: str,
    threads: int | None,
    force: bool,
    time_limit: float | None,
    observer: Observer,
) -> TrainingResult:
    """Train the base at the family's base value and write ``base.h5``.

    Raises:
        UsageError: If another base stands there and ``force`` is not given.
        DivergedError: If training does not end finite.
        InterruptedRunError: If a signal asked to stop.
        FileAccessError: If the file cannot be written.
    """
    run_directory = RunDirectory(directory)
    identity = Identity(ProblemRecord.of(problem), problem.base_values, "base", seed, dtype, None)
    present = None if force else _present(run_directory, identity)
    if present is not None:
        return present
    clean_leftovers(directory)
    require_writable(run_directory.base_path)
    place = device_for(device)
    with limited_threads(threads) as count:
        instance = problem.at(identity.values)
        error = shown_error(instance, problem.settings.network)
        title = f"{problem.name} base"
        run = Run(
            instance, problem.settings, seed, place, dtype_for(dtype), observer, title, error, time_limit
        )
        trained = train_base(run)
        facts = provenance(place, count)
    if trained.outcome.reason == "interrupted":
        raise interrupted(observer)
    training = training_facts(trained) | {"relative_l2": error(trained.coefficients()) if error else None}
    write_store(
        run_directory.base_path,
        "base",
        arrays=whole_arrays(trained.coefficients(), run.dtype),
        meta=identity.facts()
        | {"training": training, "history": history_facts(trained.history), "provenance": facts},
    )
    path = run_directory.base_path
    observer.note(f"wrote {path}")
    return TrainingResult(
        identity.values, "base", None, "trained", path, stored_report({"training": training})
    )


def interrupted(observer: Observer) -> InterruptedRunError:
    """Return the fault of a training that a signal ended with nothing to save."""
    number = observer.stop_signal or 2
    return InterruptedRunError("stopped by a signal; nothing of this training was kept", 128 + number)


def _present(run_directory: RunDirectory, identity: Identity) -> TrainingResult | None:
    """Return the finished base if it is the one asked for, None if there is none.

    Raises:
        UsageError: If a different or damaged base stands there.
    """
    path = run_directory.base_path
    if not path.is_file():
        return None
    try:
        meta = read_store(path, kind="base").meta
    except DamagedFileError as error:
        raise DamagedFileError(f"{error}; --force trains a new base over it") from None
    if meta.get("settings_hash") != identity.hash:
        raise UsageError(
            f"{path} is the base of another problem, settings, seed or precision; "
            "choose another directory with -o, or --force to replace it (its adapters become stale)"
        )
    return TrainingResult(identity.values, "base", None, "present", path, stored_report(meta))

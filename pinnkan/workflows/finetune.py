"""``pinnkan finetune``: what is missing among the parameter values is trained, what is finished is left.

This file imports no torch: a sweep that is finished already is answered from its files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pinnkan.ground.errors import (
    Terminated,
    stopped,
)
from pinnkan.ground.files import clean_leftovers
from pinnkan.ground.progress import Observer
from pinnkan.storage.runs.identity import identities
from pinnkan.storage.runs.paths import ADAPTERS, BASE_STEM, WORK, check_tag
from pinnkan.storage.runs.predecessors import predecessors_of
from pinnkan.storage.runs.results import TrainingResult
from pinnkan.storage.runs.state_files import (
    at_work,
)
from pinnkan.sweeps.options import SweepOptions
from pinnkan.sweeps.sweep import Sweep


def finetune(
    directory: Path,
    values: Sequence[Mapping[str, float]],
    *,
    method: str,
    tag: str | None,
    overrides: Sequence[str],
    seed: int | None,
    device: str,
    dtype: str | None,
    threads: int | None,
    force: bool,
    time_limit: float | None,
    observer: Observer,
    nearest: bool | None = None,
    jobs: int | None = None,
    dask: str | None = None,
) -> list[TrainingResult]:
    """Train what is missing among the values and store each result as soon as it is there.

    A value is finished if its file verifies and names the same problem, settings and base and, as far as they
    are stated, the same seed, precision and start. One that is finished with other settings is a fault:
    without ``force`` nothing replaces it. A fault of one value is kept in its result; the others go on.

    Args:
        directory: The run directory.
        values: Parameter values; a name left out keeps its base value.
        method: ``lotra``, ``full`` or ``scratch``.
        tag: Of the files' names.
        overrides: ``--set`` texts.
        seed: Of points, coefficients and factors; None leaves it open (`Identity.left_open`).
        device: ``cpu``, ``cuda``, ``auto``, ...
        dtype: Of the stored arrays; None leaves it open, with the base's for what is new.
        threads: CPU threads of one training; with ``jobs`` the machine's cores are shared if None.
        force: Whether finished values are trained again.
        time_limit: Seconds for each value.
        observer: Who is told.
        nearest: Whether values start from their neighbours (`predecessors.chain`) and not from the base;
            None leaves it open, with the base for what is new.
        jobs: Worker processes; None trains in this one.
        dask: Address of a Dask scheduler that gets the values.

    Raises:
        UsageError: If the tag or an override cannot be served.
        StoppedError: If a signal arrived; finished values and the states of running ones are kept.
        UnsavedError: If a signal arrived and the state of a running one could not be written.
        WrongBaseError: If another command replaced the base meanwhile.
        FileAccessError: If a file cannot be written.
    """
    check_tag(tag)
    asked = identities(
        directory, values, method=method, overrides=overrides, seed=seed, dtype=dtype, nearest=nearest
    )
    predecessors = predecessors_of(asked) if nearest else [None] * len(asked)
    for folder in (ADAPTERS, WORK):
        clean_leftovers(directory / folder)
    renewed = at_work(directory).get(BASE_STEM)
    if renewed is not None:
        observer.note(
            f"a new base is trained in {directory} (pid {renewed.pid} on {renewed.host}); "
            "what is trained now will not fit it"
        )
    options = SweepOptions(directory, method, tag, tuple(overrides), device, threads, time_limit, force)
    sweep = Sweep(options, asked, predecessors, observer, jobs, dask)
    try:
        return sweep.run()
    except (KeyboardInterrupt, Terminated):
        if not sweep.began:
            raise
        raise stopped(
            sweep.close(),
            "stopped by a signal; finished values are kept, and the same command goes on with the others",
        ) from None
    finally:
        sweep.close()

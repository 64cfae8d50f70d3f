"""``pinnkan finetune``: what is missing among the parameter values is trained, what is finished is left.

This file imports no torch: a sweep that is finished already is answered from its files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pinnkan.ground.errors import Terminated, stopped
from pinnkan.ground.files import clean_leftovers
from pinnkan.ground.progress import Observer
from pinnkan.storage.runs.identity import identities
from pinnkan.storage.runs.paths import ADAPTERS, BASE_STEM, WORK, check_tag
from pinnkan.storage.runs.results import TrainingResult
from pinnkan.storage.runs.state_files import at_work
from pinnkan.sweeps.options import SweepOptions
from pinnkan.sweeps.sweep import Sweep


def finetune(
    options: SweepOptions, values: Sequence[Mapping[str, float]], observer: Observer
) -> list[TrainingResult]:
    """Train what is missing among the values and store each result as soon as it is there.

    A value is finished if its file verifies and names the same problem, settings and base and, as far as they
    are stated, the same seed, precision and start. One that is finished with other settings is a fault:
    without ``force`` nothing replaces it. A fault of one value is kept in its result; the others go on.

    Args:
        options: What is asked for beside the values.
        values: Parameter values; a name left out keeps its base value.
        observer: Who is told.

    Raises:
        UsageError: If the tag or an override cannot be served.
        StoppedError: If a signal arrived; finished values and the states of running ones are kept.
        UnsavedError: If a signal arrived and the state of a running one could not be written.
        WrongBaseError: If another command replaced the base meanwhile.
        FileAccessError: If a file cannot be written.
    """
    check_tag(options.tag)
    asked = identities(
        options.directory,
        values,
        method=options.method,
        overrides=options.overrides,
        seed=options.training.seed,
        dtype=options.training.compute.dtype,
        nearest=options.nearest,
    )
    for folder in (ADAPTERS, WORK):
        clean_leftovers(options.directory / folder)
    _tell_of_a_new_base(options.directory, observer)
    sweep = Sweep(options, asked, observer)
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


def _tell_of_a_new_base(directory: Path, observer: Observer) -> None:
    """Say that another command trains a new base, if one does."""
    renewed = at_work(directory).get(BASE_STEM)
    if renewed is not None:
        observer.note(
            f"a new base is trained in {directory} (pid {renewed.pid} on {renewed.host}); "
            "what is trained now will not fit it"
        )

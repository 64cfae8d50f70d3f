"""How results are trained: plain data, which travels to other processes as it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pinnkan.ground.machine import Compute
from pinnkan.language.methods import LOTRA


@dataclass(frozen=True)
class TrainingOptions:
    """What is asked of any training beside its problem.

    Attributes:
        seed: Seed of points, coefficients and factors; None leaves it open (`Identity.left_open`).
        force: Whether finished results are trained again, and stopped trainings begin afresh.
        time_limit: Seconds for each training, or None.
        compute: Where it is trained, and the precision of the stored arrays; None leaves that open, with the
            base's for new adapters.
        tolerance: Bound of the relative error, instead of what the file says; None leaves it to the file.
    """

    seed: int | None = None
    force: bool = False
    time_limit: float | None = None
    compute: Compute = field(default_factory=Compute)
    tolerance: float | None = None


@dataclass(frozen=True)
class SweepOptions:
    """What `finetune` is asked for beside the values.

    Attributes:
        directory: The run directory.
        method: ``lotra``, ``full`` or ``scratch``.
        tag: Tag of the files' names.
        overrides: ``--set`` texts, behind the base's own.
        training: What is asked of every training; with ``jobs`` the machine's cores are shared if it states
            no threads.
        nearest: Whether values start from their neighbours (`predecessors.chain`) and not from the base;
            None leaves it open, with the base for what is new.
        jobs: Worker processes; None trains in this one.
        dask: Address of a Dask scheduler that gets the values.
    """

    directory: Path
    method: str = LOTRA.name
    tag: str | None = None
    overrides: tuple[str, ...] = ()
    training: TrainingOptions = field(default_factory=TrainingOptions)
    nearest: bool | None = None
    jobs: int | None = None
    dask: str | None = None

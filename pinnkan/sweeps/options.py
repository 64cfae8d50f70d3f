"""What is the same for every value of one sweep: plain data, which travels to other processes as it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SweepOptions:
    """What `finetune` is asked for beside the values.

    Attributes:
        directory: The run directory.
        method: ``lotra``, ``full`` or ``scratch``.
        tag: Of the files' names.
        overrides: ``--set`` texts, behind the base's own.
        device: As ``--device`` names it.
        threads: CPU threads of one training; torch's own choice if None.
        time_limit: Seconds for each value, or None.
        force: Whether finished values are trained again, and stopped trainings begin afresh.
    """

    directory: Path
    method: str
    tag: str | None
    overrides: tuple[str, ...]
    device: str
    threads: int | None
    time_limit: float | None
    force: bool

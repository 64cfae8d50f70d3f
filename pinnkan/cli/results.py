"""What training left behind, as rows of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from pinnkan.cli import render
from pinnkan.errors import PinnkanError

COLUMNS = (
    "parameters",
    "method",
    "status",
    "relative_l2",
    "residual_rms",
    "trainable_parameters",
    "train_seconds",
    "steps",
    "stop_reason",
)


class TrainingResult(Protocol):
    """What the workflows ``pretrain`` and ``finetune`` return for one parameter value."""

    @property
    def values(self) -> Mapping[str, float]:
        """Parameter values by name, in problem order."""
        ...

    @property
    def method(self) -> str:
        """``base``, ``lotra``, ``full`` or ``scratch``."""
        ...

    @property
    def tag(self) -> str | None:
        """Tag of the file name."""
        ...

    @property
    def status(self) -> str:
        """``trained``, ``present`` (finished before, nothing done) or ``failed``."""
        ...

    @property
    def path(self) -> Path | None:
        """The file; None if training failed."""
        ...

    @property
    def report(self) -> Mapping[str, Any]:
        """What is known, under the keys of ``evaluate --json`` (``train_seconds``, ``steps``, ...)."""
        ...

    @property
    def fault(self) -> PinnkanError | None:
        """Why training failed."""
        ...


def row(result: TrainingResult) -> dict[str, Any]:
    """Flatten one result for JSON and table."""
    return {
        "parameters": dict(result.values),
        "method": result.method,
        "tag": result.tag,
        "status": result.status,
        "file": None if result.path is None else str(result.path),
        "error": None if result.fault is None else str(result.fault),
        **result.report,
    }


def write_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the table of trained values; the tag's column only where there is one."""
    tagged = any(entry["tag"] for entry in rows)
    columns = [*COLUMNS[:2], "tag", *COLUMNS[2:]] if tagged else COLUMNS
    render.write(render.table(rows, columns))

"""What training left behind, as rows of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pinnkan.cli.terminal import render, verdicts

if TYPE_CHECKING:
    from pinnkan.storage.runs.results import TrainingResult

COLUMNS = (
    "parameters",
    "method",
    "status",
    "relative_l2",
    "error_estimate",
    "relative_residual",
    "verdict",
    "trainable_parameters",
    "train_seconds",
    "steps",
    "stop_reason",
)


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


def said_unasked(*present: TrainingResult) -> str:
    """Say what finished results were trained with that nobody asked for: `` (trained with --seed 1)``."""
    counts = Counter(result.unasked for result in present if result.unasked)
    said = [text if count == len(present) else f"{text}: {count}" for text, count in counts.items()]
    return f" (trained with {', '.join(said)})" if said else ""


def write_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the table of trained values, the tag's column only where there is one, and what is not solved."""
    tagged = any(entry["tag"] for entry in rows)
    columns = [*COLUMNS[:2], "tag", *COLUMNS[2:]] if tagged else COLUMNS
    render.write(render.table(verdicts.shown(rows), columns) + verdicts.remarks(rows))

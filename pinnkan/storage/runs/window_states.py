"""The finished windows of a stopped training, as entries and arrays of its checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from torch import Tensor

from pinnkan.ground.progress import Outcome, StepReport
from pinnkan.storage.runs.level_facts import level_facts, levels_from
from pinnkan.training.levels import ResidualRms
from pinnkan.training.task import TrainedWindow, WindowRecord, WindowsState


def windows_entry(state: WindowsState) -> dict[str, Any]:
    """Return what a checkpoint says of the windows beside arrays and reports, as JSON."""
    return {
        "pending": list(state.pending),
        "halvings": list(state.halvings),
        "trained": [_entry(window) for window in _trained(state)],
        "tried": len(state.tried),
        "spent": state.spent,
    }


def windows_tensors(state: WindowsState) -> dict[str, Tensor]:
    """Return the numbers of all trained windows by name."""
    tensors: dict[str, Tensor] = {}
    for number, window in enumerate(_trained(state)):
        tensors |= {f"window{number}.whole.{layer}": c for layer, c in enumerate(window.coefficients)}
        for layer, own in enumerate(window.changes or ()):
            tensors |= {f"window{number}.{layer}.{name}": tensor for name, tensor in own.items()}
    return tensors


def windows_reports(state: WindowsState) -> list[StepReport]:
    """Return the reports of all trained windows."""
    return [report for window in _trained(state) for report in window.record.history]


def windows_state(
    entry: Mapping[str, Any], tensors: Mapping[str, Tensor], reports: Sequence[StepReport]
) -> WindowsState:
    """Undo `windows_entry`, `windows_tensors` and `windows_reports`.

    Raises:
        KeyError, TypeError, ValueError: If they are not of one state.
    """
    trained, first = [], 0
    for number, facts in enumerate(entry["trained"]):
        own = reports[first : first + facts["steps"]]
        first += facts["steps"]
        trained.append(_window(facts, number, tensors, own))
    count = len(trained) - entry["tried"]
    pending, halvings = tuple(entry["pending"]), tuple(entry["halvings"])
    return WindowsState(tuple(trained[:count]), pending, halvings, tuple(trained[count:]), entry["spent"])


def _trained(state: WindowsState) -> tuple[TrainedWindow, ...]:
    """Return the finished windows and, behind them, the rounds of the present one."""
    return (*state.finished, *state.tried)


def _entry(window: TrainedWindow) -> dict[str, Any]:
    record = window.record
    return {
        "end": window.end,
        "layers": len(window.coefficients),
        "changes": None if window.changes is None else [sorted(own) for own in window.changes],
        "steps": len(record.history),
        "outcome": asdict(record.outcome),
        "seconds": record.seconds,
        "rms": asdict(record.rms),
        "trainable": record.trainable,
        "ranks": [list(ranks) for ranks in record.ranks],
        "judged": dict(record.judged),
        "levels": level_facts(record.levels),
    }


def _window(
    facts: Mapping[str, Any], number: int, tensors: Mapping[str, Tensor], reports: Sequence[StepReport]
) -> TrainedWindow:
    changes = None
    if facts["changes"] is not None:
        changes = [
            {name: tensors[f"window{number}.{layer}.{name}"].cpu() for name in names}
            for layer, names in enumerate(facts["changes"])
        ]
    record = WindowRecord(
        history=tuple(reports),
        outcome=Outcome(**facts["outcome"]),
        seconds=facts["seconds"],
        rms=ResidualRms(**facts["rms"]),
        trainable=facts["trainable"],
        ranks=[tuple(ranks) for ranks in facts["ranks"]],
        judged=facts["judged"],
        levels=levels_from(facts["levels"]),
    )
    coefficients = [tensors[f"window{number}.whole.{layer}"].cpu() for layer in range(facts["layers"])]
    return TrainedWindow(facts["end"], coefficients, changes, record)

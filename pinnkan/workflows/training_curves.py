"""The training history that a result's file carries, as curves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pinnkan.ground.errors import DamagedFileError, UsageError
from pinnkan.optim.kinds import OPTIMIZERS
from pinnkan.output.pictures.history import TrainingCurves
from pinnkan.storage.runs.directory import Result


def training_curves(result: Result) -> TrainingCurves:
    """Return the history that a file carries as curves.

    Raises:
        UsageError: If it is empty.
        DamagedFileError: If it is not laid out as a history.
    """
    try:
        facts = result.meta["history"]
        curves = TrainingCurves(
            steps=_column(facts["step"]),
            terms={str(name): _column(values) for name, values in facts["terms"].items()},
            held_out=_column(facts["held_out"]),
            error=_measured(_column(facts["error"])),
            phases=[(_phase(str(word)), float(facts["step"][row])) for word, row in facts["phase"]],
        )
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise DamagedFileError(f"{result.path}: its training history cannot be read ({error!r})") from None
    if not curves.steps.size:
        raise UsageError(f"{result.path} took no training steps: there is no history to draw")
    return curves


def _phase(name: str) -> str:
    optimizer, *rest = name.split(" ", 1)
    label = OPTIMIZERS[optimizer].label if optimizer in OPTIMIZERS else optimizer
    return " ".join([label, *rest])


def _column(values: Sequence[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else float(value) for value in values])


def _measured(column: np.ndarray) -> np.ndarray | None:
    return column if np.isfinite(column).any() else None

"""The picture of a study: one line a combination of levels, over steps and seconds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pinnkan.errors import UsageError
from pinnkan.output.trajectories import Trajectory, plot_trajectories
from pinnkan.parameters import file_stem
from pinnkan.workflows.study import Study

_MOST_LINES = 24


def draw_trajectories(study: Study, rows: Sequence[Mapping[str, Any]], directory: Path, target: Path) -> None:
    """Draw the losses of a study's cells, those of other seeds as one line and its band.

    Raises:
        UsageError: If no cell left a trajectory here, or there are too many lines to tell apart.
        FileAccessError: If the picture cannot be written.
    """
    path = directory / "trajectories.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    groups: dict[str, list[Trajectory]] = {}
    for row in rows:
        if row["key"] in known:
            values = file_stem({name: float(row[name]) for name in study.values})
            names = [*(str(row[axis]) for axis in study.axes), values]
            groups.setdefault(", ".join(names), []).append(_trajectory(known[row["key"]]))
    if not groups:
        raise UsageError(f"{path} has no trajectories of these cells: they were run elsewhere")
    if len(groups) > _MOST_LINES:
        raise UsageError(
            f"{len(groups)} lines in one picture, at most {_MOST_LINES}: compare fewer levels or values"
        )
    plot_trajectories(target, groups, title=study.title)


def _trajectory(facts: Mapping[str, Any]) -> Trajectory:
    arrays = [np.array(facts[name], dtype=np.float64) for name in ("step", "seconds", "loss")]
    return Trajectory(*arrays)

"""The pictures of a study: a line for a combination of levels, over steps and seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pinnkan.ground.errors import UsageError
from pinnkan.output.pictures.labels import number, symbol
from pinnkan.output.pictures.trajectories import Panel, Trajectory, plot_trajectories
from pinnkan.studies.curves import curves_file, read_curves
from pinnkan.studies.study import FigureLayout, Study

_MOST_LINES, _MOST_PANELS = 24, 8

Row = Mapping[str, Any]


def draw_figures(study: Study, rows: Sequence[Row], table: Path, target: Path) -> list[Path]:
    """Draw the losses of a study's cells, those of other seeds as one line and its band.

    A study with ``figures`` gets a file for each whose cells have curves beside the table: ``target`` with
    its name appended.

    Returns:
        The files written.

    Raises:
        UsageError: If no cell has curves, or there are too many lines or panels to tell apart.
        FileAccessError: If a picture cannot be written.
    """
    known = read_curves(table)
    written = []
    for layout in study.presentation.figures or (FigureLayout(""),):
        shown = [row for row in rows if row["key"] in known and _is_in(layout, row)]
        if not shown:
            continue
        file = target.with_stem(f"{target.stem}-{layout.name}") if layout.name else target
        plot_trajectories(file, _panels(study, layout, shown, known), title=_title(study, layout, shown))
        written.append(file)
    if not written:
        raise UsageError(f"{curves_file(table)} has no curves of these cells: their rows came without it")
    return written


def _is_in(layout: FigureLayout, row: Row) -> bool:
    return all(str(row[axis]) in names for axis, names in layout.where.items())


def _title(study: Study, layout: FigureLayout, shown: Sequence[Row]) -> str:
    """Return the study's title and the one level that each axis of the figure is cut down to."""
    cut = [axis for axis in layout.where if len({row[axis] for row in shown}) == 1]
    return ": ".join([study.title, *([_label(study, cut, shown[0])] if cut else [])])


def _panels(
    study: Study, layout: FigureLayout, shown: Sequence[Row], known: Mapping[str, Mapping[str, Any]]
) -> list[Panel]:
    """Return the panels of one figure, every line's label made of what differs between lines."""
    rest = [name for name in (*study.axes, *study.values) if name not in layout.panels]
    differ = [name for name in rest if len({row[name] for row in shown}) > 1]
    found: dict[str, dict[str, list[Trajectory]]] = {}
    for row in shown:
        lines = found.setdefault(_label(study, layout.panels, row), {})
        lines.setdefault(_label(study, differ, row), []).append(_trajectory(known[row["key"]]))
    most = max((len(lines) for lines in found.values()), default=0)
    if most > _MOST_LINES or len(found) > _MOST_PANELS:
        raise UsageError(
            f"{len(found)} panels of up to {most} lines in one picture, at most {_MOST_PANELS} of "
            f"{_MOST_LINES}: say in the study's figures: what is drawn, or compare fewer levels or values"
        )
    return [Panel(title, lines) for title, lines in found.items()]


def _label(study: Study, names: Sequence[str], row: Row) -> str:
    """Write some of a cell's levels and values: ``chebyshev, 1/8, lambda = 0.1``."""
    return ", ".join(
        f"{symbol(name)} = {number(float(row[name]), 6)}" if name in study.values else str(row[name])
        for name in names
    )


def _trajectory(facts: Mapping[str, Any]) -> Trajectory:
    arrays = [np.array(facts[name], dtype=np.float64) for name in ("step", "seconds", "loss")]
    return Trajectory(*arrays)

"""What a base or an adapter file says of its training and its problem beside its identity.

The problem's text is inside, so that a file is usable without its YAML; how a
training went, versions, threads and times are recorded, not hashed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from pinnkan.ground.errors import DamagedFileError, ProblemError
from pinnkan.ground.progress import StepReport
from pinnkan.language.adapted_layers import LAYER_KINDS
from pinnkan.language.problem.schema import read_problem
from pinnkan.physics.family import Family
from pinnkan.storage.runs.identity import ProblemRecord
from pinnkan.storage.runs.level_facts import level_facts
from pinnkan.training.trained_windows import AnyTrained

_ROWS = 50
"""Most steps of a history that are stored; first and last are always among them."""


def training_facts(trained: AnyTrained) -> dict[str, Any]:
    """Return how a training went, under the keys of ``evaluate --json`` where there is one."""
    return {
        "trainable_parameters": trained.trainable,
        "ranks": trained.ranks or None,
        "train_seconds": trained.seconds,
        "steps": trained.steps,
        "stop_reason": trained.outcome.reason,
        "advice": trained.outcome.advice,
        "training_rms": trained.rms.training,
        "held_out": trained.rms.held_out,
        "levels": level_facts(trained.effort.levels),
    }


def history_facts(reports: Sequence[StepReport]) -> dict[str, Any]:
    """Return the history as columns, thinned to `_ROWS` rows and four digits."""
    rows = _thinned([report for report in reports if report.terms] or list(reports))
    names = list(dict.fromkeys(name for row in rows for name in row.terms))
    firsts = {id(report): index + 1 for index, report in enumerate(reports)}
    elapsed = dict(zip(map(id, reports), _elapsed(reports), strict=True))
    return {
        "step": [firsts[id(row)] for row in rows],
        "seconds": [round(elapsed[id(row)], 2) for row in rows],
        "phase": _runs([row.phase for row in rows]),
        "loss": [_short(row.loss) for row in rows],
        "held_out": [_short(row.held_out) for row in rows],
        "error": [_short(row.error) for row in rows],
        "terms": {name: [_short(row.terms.get(name)) for row in rows] for name in names},
    }


def _elapsed(reports: Sequence[StepReport]) -> list[float]:
    """Return the seconds since the first phase began; a report counts from the beginning of its own."""
    found: list[float] = []
    before = 0.0
    for row, report in enumerate(reports):
        if row and report.step <= reports[row - 1].step:
            before = found[-1]
        found.append(before + report.seconds)
    return found


def family_from(path: Path, meta: Mapping[str, Any], hidden: tuple[int, ...] | None) -> Family:
    """Read the family of problems that a file carries.

    Args:
        path: The file.
        meta: What it says beside its arrays.
        hidden: See `parsed`.

    Raises:
        DamagedFileError: If the file says nothing of a problem, or this version refuses what it says.
    """
    try:
        return parsed(ProblemRecord.read(path, meta), hidden)
    except ProblemError as fault:
        first = fault.faults[0].splitlines()[0]
        raise DamagedFileError(f"{path}: its problem is refused: {first}") from None


@lru_cache(maxsize=64)
def parsed(record: ProblemRecord, hidden: tuple[int, ...] | None) -> Family:
    """Return the family behind a record, parsed once a process: a family keeps its symbolic work.

    Args:
        record: Its text and overrides.
        hidden: Widths of the hidden layers of the network stored with it (`hidden_widths`): a text that
            does not state them once meant others than it does today.

    Raises:
        ProblemError: If this version refuses the text.
    """
    folder = Path(record.directory) if record.directory else None
    file, overrides = f"{record.name}.yaml", record.overrides
    problem = read_problem(
        record.text,
        file=file,
        name=record.name,
        overrides=overrides,
        directory=folder,
        stored=True,
        hidden=hidden,
        former=not record.reading.narrows,
        bounds_residual=not record.reading.bounds_error,
    )
    # The stored scale, not one found again: what a network's output is multiplied by belongs to it. Results
    # of before there was one were trained in their own units, on lifts that nobody had looked at.
    stored = record.scales.scale if isinstance(record.scales.scale, tuple) else (record.scales.scale or 1.0,)
    if len(stored) != len(problem.unknowns):
        raise ProblemError([f"{file}: {len(stored)} scales for {len(problem.unknowns)} unknowns"])
    unknowns = dict(zip(problem.unknowns, stored, strict=True))
    scales = replace(problem.scales, unknowns=unknowns, time=record.scales.time_scale or math.inf)
    return Family(replace(problem, scales=scales), rough_lifts=record.scales.scale is None)


def hidden_widths(arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> tuple[int, ...] | None:
    """Return the widths of the hidden layers of the network that stored arrays belong to.

    Args:
        arrays: Of a base or of an adapter; of a layer ``N.coefficients``, whose second axis are its outputs,
            or what the table of `LAYER_KINDS` says.
        meta: What the file says beside its arrays.

    Returns:
        The widths, of each network where several stand side by side; None if the arrays do not say: an
        adapter may leave layers as they are.
    """
    outputs: list[int] = []
    while (layer := _outputs(arrays, len(outputs))) is not None:
        outputs.append(layer)
    if 0 in outputs:
        return None
    for depth in range(len(outputs), 1, -1):
        chains = [tuple(outputs[first : first + depth]) for first in range(0, len(outputs), depth)]
        alike = {chain[:-1] for chain in chains}
        # Widths are positive: no other cut into networks has outputs of the same sum.
        if len(alike) == 1 and len(outputs) % depth == 0 and sum(c[-1] for c in chains) == _unknowns(meta):
            return alike.pop()
    return None


def _unknowns(meta: Mapping[str, Any]) -> int:
    """Return the number of unknowns, of which a file has one scale each; one in files without scales."""
    problem = meta.get("problem")
    scale = problem.get("scale") if isinstance(problem, dict) else None
    return len(scale) if isinstance(scale, list) else 1


def _outputs(arrays: Mapping[str, np.ndarray], layer: int) -> int | None:
    """Return the outputs of one layer, None where no array says them."""
    stored = [kind.outputs for kind in LAYER_KINDS.values() if kind.outputs is not None]
    for name, axis in (("coefficients", 1), *stored):
        array = arrays.get(f"{layer}.{name}")
        if array is not None and array.ndim > axis:
            return int(array.shape[axis])
    return None


def _thinned(rows: list[StepReport]) -> list[StepReport]:
    if len(rows) <= _ROWS:
        return rows
    return [rows[round(step * (len(rows) - 1) / (_ROWS - 1))] for step in range(_ROWS)]


def _runs(words: Sequence[str]) -> list[list[Any]]:
    """Return [word, first row] for every stretch of equal words."""
    return [[word, row] for row, word in enumerate(words) if row == 0 or words[row - 1] != word]


def _short(value: float | None) -> float | None:
    if value is None or value != value or value in (float("inf"), float("-inf")):
        return None
    return float(f"{value:.4g}")

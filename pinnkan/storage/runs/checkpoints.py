"""The state of a stopped training, as a file: the next run goes on to the same coefficients, bit by bit.

Beside the results, ``DIR/work/lambda=0.1.checkpoint.h5``: written when a signal stops the training and
every minute, removed with its result stored. One of other settings, or of another version, is not used.
"""

from __future__ import annotations

import json
import math
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pinnkan.ground.errors import DamagedFileError, FileAccessError
from pinnkan.ground.progress import Observer, StepReport
from pinnkan.optim.optimizer import OptimizerState
from pinnkan.storage.runs.level_facts import level_facts, levels_from
from pinnkan.storage.runs.window_states import (
    windows_entry,
    windows_reports,
    windows_state,
    windows_tensors,
)
from pinnkan.storage.store import read_store, write_store
from pinnkan.training import TrainingState
from pinnkan.training.goal import Look
from pinnkan.training.levels import Levels
from pinnkan.training.loop import Best, PhaseState, PointsState
from pinnkan.training.task import StageStart

SAVE_EVERY_S = 60.0
"""Least time between two writings: what a power cut costs at most."""

_MOST_REPORT_BYTES = 1 << 27
"""Of the text of all step reports, inflated: half a million steps. More is a bomb."""


class Keeper:
    """Keeps the latest state of a training in memory, and on disk every minute.

    Args:
        path: The checkpoint's file.
        settings_hash: Of the result that is being trained.
        observer: Told once if the file cannot be written: the training itself goes on.
    """

    def __init__(self, path: Path, settings_hash: str, observer: Observer) -> None:
        self.path = path
        self._settings_hash = settings_hash
        self._observer = observer
        self._latest: TrainingState | None = None
        self._written = time.monotonic()

    def __call__(self, state: TrainingState) -> None:
        """Take a state; write it if that is due."""
        self._latest = state
        if time.monotonic() - self._written >= SAVE_EVERY_S:
            self._written = time.monotonic()
            try:
                self.save()
            except FileAccessError as fault:
                self._written = math.inf
                self._observer.note(f"no checkpoints from now on: {fault}")

    def save(self) -> TrainingState | None:
        """Write the latest state and return it; None if there is none yet.

        Raises:
            FileAccessError: If the file cannot be written.
        """
        if self._latest is not None:
            write_checkpoint(self.path, self._settings_hash, self._latest)
        return self._latest

    def restore(self, device: torch.device) -> TrainingState | None:
        """Return the state that an earlier run left for the same result, on a device; None without one."""
        try:
            self._latest = read_checkpoint(self.path, self._settings_hash, device)
        except DamagedFileError as fault:
            self._observer.note(f"starting afresh: {fault}")
            return None
        if self._latest is None and self.path.is_file():
            other = f"{self.path} is of a training with another seed, other settings or another version"
            self._observer.note(f"starting afresh: {other}")
        return self._latest

    def discard(self) -> None:
        """Remove the file, its result being stored or not wanted any more.

        Raises:
            FileAccessError: If the system refuses.
        """
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise FileAccessError.of("remove", self.path, error) from error


def write_checkpoint(path: Path, settings_hash: str, state: TrainingState) -> None:
    """Write a state.

    Raises:
        FileAccessError: If the file cannot be written.
    """
    inner, points = state.inner, state.inner.points
    numbers, tensors = _split(inner.optimizer)
    tensors |= {f"origin.{layer}": tensor for layer, tensor in enumerate(state.origin.coefficients)}
    tensors["best"] = inner.best.theta
    if points.drawn_at is not None:
        tensors["drawn_at"] = points.drawn_at
    if state.origin.theta is not None:
        tensors["before"] = state.origin.theta
    if state.levels is not None:
        tensors |= {f"kept.{place}": tensor for place, tensor in enumerate(state.levels.kept)}
    windows = state.windows
    tensors |= {} if windows is None else windows_tensors(windows)
    finished = [] if windows is None else windows_reports(windows)
    reports = [*finished, *state.earlier, *inner.reports[: inner.steps]]
    text = zlib.compress(json.dumps([asdict(report) for report in reports]).encode(), level=1)
    arrays = {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}
    meta = {
        "settings_hash": settings_hash,
        "pinnkan": version("pinnkan"),
        "phase": state.phase,
        "origin": state.origin.phase,
        "trainable": state.trainable,
        "seconds": state.seconds,
        "optimizer": numbers,
        "best": [*map(_plain, (inner.best.held_out, inner.best.lowest, inner.best.mark)), inner.best.waiting],
        "levels": None if state.levels is None else level_facts(state.levels.done),
        "goes_on": state.levels is not None and state.levels.goes_on,
        "look": [_plain(inner.look.held_out), inner.look.estimate],
        "loop": [_plain(points.lowest), points.age, points.epoch, points.stuck, inner.seconds, inner.steps],
        "windows": None if windows is None else windows_entry(windows),
    }
    write_store(
        path, "checkpoint", arrays=arrays | {"reports": np.frombuffer(text, dtype=np.uint8)}, meta=meta
    )


def read_checkpoint(path: Path, settings_hash: str, device: torch.device) -> TrainingState | None:
    """Read a state, or None if there is none for these settings by this version.

    Raises:
        DamagedFileError: If the file is damaged or foreign.
    """
    if not path.is_file():
        return None
    stored = read_store(path, kind="checkpoint")
    meta = stored.meta
    if (meta.get("settings_hash"), meta.get("pinnkan")) != (settings_hash, version("pinnkan")):
        return None
    try:
        arrays = {name: a for name, a in stored.arrays.items() if name != "reports"}
        tensors = {name: torch.from_numpy(array).to(device) for name, array in arrays.items()}
        reports = [StepReport(**row) for row in json.loads(_inflated(stored.arrays["reports"].tobytes()))]
        return _state(meta, tensors, reports)
    except (KeyError, TypeError, ValueError, RecursionError, zlib.error) as error:
        cause = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise DamagedFileError(f"{path}: not a checkpoint of this version ({cause})") from None


def _inflated(text: bytes) -> bytes:
    """Return a text of step reports.

    Raises:
        ValueError: If it is longer than any training's.
    """
    inflate = zlib.decompressobj()
    found = inflate.decompress(text, _MOST_REPORT_BYTES)
    if not inflate.eof:
        raise ValueError(f"its reports do not inflate to at most {_MOST_REPORT_BYTES} bytes")
    return found


def _state(
    meta: Mapping[str, Any], tensors: Mapping[str, Tensor], reports: list[StepReport]
) -> TrainingState:
    held_out, lowest_held_out, mark, waiting = meta["best"]
    lowest, age, epoch, stuck, seconds, steps = meta["loop"]
    windows = None if meta["windows"] is None else windows_state(meta["windows"], tensors, reports)
    if windows is not None:
        reports = reports[len(windows_reports(windows)) :]
    best = Best(tensors["best"], _number(held_out), _number(lowest_held_out), _number(mark), waiting)
    split = len(reports) - steps
    optimizer = _joined(meta["optimizer"], tensors)
    points = PointsState(_number(lowest), age, epoch, stuck, tensors.get("drawn_at"))
    held_out, estimate = meta["look"]
    look = Look(_number(held_out), estimate)
    inner = PhaseState(
        optimizer, best, points, seconds=seconds, steps=steps, reports=reports[split:], look=look
    )
    coefficients = [
        tensors[f"origin.{layer}"] for layer in range(sum(n.startswith("origin.") for n in tensors))
    ]
    origin = StageStart(meta["origin"], coefficients, tensors.get("before"))
    return TrainingState(
        meta["phase"],
        inner,
        origin,
        earlier=reports[:split],
        trainable=meta["trainable"],
        seconds=meta["seconds"],
        levels=None if meta["levels"] is None else _levels(meta, tensors),
        windows=windows,
    )


def _levels(meta: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Levels:
    kept = [tensors[f"kept.{place}"] for place in range(sum(n.startswith("kept.") for n in tensors))]
    return Levels(levels_from(meta["levels"]), kept, goes_on=meta["goes_on"] is True)


def _split(state: OptimizerState) -> tuple[dict[str, float | int | None], dict[str, Tensor]]:
    """Return an optimizer's numbers, the lengths of its lists among them, and its tensors."""
    numbers: dict[str, float | int | None] = {}
    tensors: dict[str, Tensor] = {}
    for name, value in state.items():
        if isinstance(value, Tensor):
            tensors[f"optimizer.{name}"] = value
        elif isinstance(value, Sequence):
            numbers[f"{name}[]"] = len(value)
            tensors |= {f"optimizer.{name}.{index}": tensor for index, tensor in enumerate(value)}
        else:
            numbers[name] = value
    return numbers, tensors


def _joined(numbers: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> OptimizerState:
    """Undo `_split`."""
    state: dict[str, Tensor | Sequence[Tensor] | float | None] = {}
    for name, value in numbers.items():
        if name.endswith("[]"):
            plain = name.removesuffix("[]")
            state[plain] = [tensors[f"optimizer.{plain}.{index}"] for index in range(value)]
        else:
            state[name] = value
    lists = tuple(f"optimizer.{name}." for name, value in state.items() if isinstance(value, list))
    single = (name for name in tensors if name.startswith("optimizer.") and not name.startswith(lists or "?"))
    return state | {name.removeprefix("optimizer."): tensors[name] for name in single}


def _plain(value: float) -> float | None:
    """Return a number as JSON holds it: infinity, which only says that there is none yet, as null."""
    return value if math.isfinite(value) else None


def _number(value: float | None) -> float:
    return math.inf if value is None else value

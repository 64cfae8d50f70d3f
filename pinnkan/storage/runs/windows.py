"""Solutions in time windows in files: the ends in ``windows``, arrays ``window3.0.coefficients``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pinnkan.ground.errors import DamagedFileError
from pinnkan.language.problem import Problem
from pinnkan.language.problem.windows import MOST_WINDOWS, interval_at, window_ends
from pinnkan.storage.store import Stored
from pinnkan.training.task import TrainedWindow

KEY = "windows"
_PREFIX = "window"


def window_arrays(windows: Sequence[TrainedWindow], dtype: torch.dtype) -> dict[str, np.ndarray]:
    """Return what is stored of all windows, as named arrays.

    Of a network trained in full its coefficients, of an adapter its numbers.
    """
    arrays: dict[str, np.ndarray] = {}
    for number, window in enumerate(windows, start=1):
        layers: Sequence[Mapping[str, torch.Tensor]] = [{"coefficients": c} for c in window.coefficients]
        for layer, own in enumerate(layers if window.changes is None else window.changes):
            for name, array in own.items():
                arrays[f"{_PREFIX}{number}.{layer}.{name}"] = array.to(dtype).contiguous().numpy()
    return arrays


def arrays_in_windows(
    arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]
) -> list[dict[str, np.ndarray]]:
    """Return the arrays of every window under the names that those of a single network have.

    Of a file without windows all arrays are those of its network. What lies under other names is left out.
    """
    ends = meta.get(KEY)
    if not isinstance(ends, list):
        return [dict(arrays)]
    parts: list[dict[str, np.ndarray]] = []
    for number in range(1, len(ends)):
        prefix = f"{_PREFIX}{number}."
        own = {name: array for name, array in arrays.items() if name.startswith(prefix)}
        parts.append({name.removeprefix(prefix): array for name, array in own.items()})
    return parts or [{}]


def stored_ends(
    path: Path, stored: Stored, problem: Problem, values: Mapping[str, float]
) -> tuple[float, ...]:
    """Return the ends of a file's windows, the first time first; none of a file without windows.

    Raises:
        DamagedFileError: If they are not those of its problem, or arrays are left over.
    """
    stated, found = window_ends(problem, values), stored.meta.get(KEY)
    if found is None and not stated:
        return ()
    ends = _numbers(found)
    windows = problem.domain.windows
    if windows is None or windows.automatic:
        stated, expected = interval_at(problem, values), ends[:1] + ends[-1:]
    else:
        expected = ends
    if not ends or expected != stated or not all(low < high for low, high in pairwise(ends)):
        written = f"{found!r:.80}"
        raise DamagedFileError(f"{path}: its windows end at {written}, its problem says {list(stated)!r:.80}")
    parts = arrays_in_windows(stored.arrays, stored.meta)
    if sum(map(len, parts)) != len(stored.arrays) or not all(parts):
        raise DamagedFileError(f"{path}: its arrays are not those of {len(ends) - 1} windows")
    return ends


def _numbers(found: object) -> tuple[float, ...]:
    """Return a list of finite numbers; nothing of anything else."""
    if not isinstance(found, list) or not 2 <= len(found) <= MOST_WINDOWS + 1:
        return ()
    if not all(isinstance(end, (int, float)) and math.isfinite(end) for end in found):
        return ()
    return tuple(float(end) for end in found)

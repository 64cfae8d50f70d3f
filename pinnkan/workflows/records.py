"""What a base or an adapter file says beside its arrays: one JSON object, made and read here.

The problem's text is inside, so that a file is usable without its YAML; what
decides whether a result is the one asked for is hashed (`Identity`); versions,
threads and times are recorded, not hashed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pinnkan.errors import DamagedFileError
from pinnkan.problem import Problem, load_problem
from pinnkan.progress import StepReport
from pinnkan.training import Trained

_ROWS = 50
"""Most steps of a history that are stored; first and last are always among them."""


@dataclass(frozen=True)
class Identity:
    """What makes a result the one asked for.

    Attributes:
        problem: With the overrides applied to its text.
        values: Parameter values.
        method: ``base``, ``lotra``, ``full`` or ``scratch``.
        seed: Of points, coefficients and factors.
        dtype: Of the stored arrays.
        base_hash: Hash of the base's coefficients; None where there is no base behind it.
    """

    problem: Problem
    values: Mapping[str, float]
    method: str
    seed: int
    dtype: str
    base_hash: str | None

    @property
    def hash(self) -> str:
        """Return the sha256 of all of it."""
        facts = {
            "text": self.problem.text,
            "overrides": list(self.problem.overrides),
            "values": dict(self.values),
            "method": self.method,
            "seed": self.seed,
            "dtype": self.dtype,
            "base_hash": self.base_hash,
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    @property
    def _reference_folder(self) -> str | None:
        """Where reference data are found from any working directory; nobody's folders go into other files."""
        if self.problem.reference is None or self.problem.directory is None:
            return None
        return str(self.problem.directory.resolve())

    def facts(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return {
            "problem": {
                "name": self.problem.name,
                "text": self.problem.text,
                "overrides": list(self.problem.overrides),
                "directory": self._reference_folder,
            },
            "values": dict(self.values),
            "method": self.method,
            "seed": self.seed,
            "dtype": self.dtype,
            "base_hash": self.base_hash,
            "settings_hash": self.hash,
        }


def training_facts(trained: Trained) -> dict[str, Any]:
    """Return how a training went, under the keys of ``evaluate --json`` where there is one."""
    return {
        "trainable_parameters": trained.trainable,
        "train_seconds": trained.seconds,
        "steps": trained.steps,
        "stop_reason": trained.outcome.reason,
        "advice": trained.outcome.advice,
        "held_out": trained.held_out,
    }


def history_facts(reports: Sequence[StepReport]) -> dict[str, Any]:
    """Return the history as columns, thinned to `_ROWS` rows and four digits."""
    rows = _thinned([report for report in reports if report.terms] or list(reports))
    names = list(dict.fromkeys(name for row in rows for name in row.terms))
    firsts = {id(report): at + 1 for at, report in enumerate(reports)}
    return {
        "step": [firsts[id(row)] for row in rows],
        "seconds": [round(row.seconds, 2) for row in rows],
        "phase": _runs([row.phase for row in rows]),
        "loss": [_short(row.loss) for row in rows],
        "held_out": [_short(row.held_out) for row in rows],
        "error": [_short(row.error) for row in rows],
        "terms": {name: [_short(row.terms.get(name)) for row in rows] for name in names},
    }


def problem_from(path: Path, meta: Mapping[str, Any]) -> Problem:
    """Read the problem that a file carries.

    Raises:
        DamagedFileError: If the file says nothing of a problem.
        ProblemError: If this version refuses the text.
    """
    try:
        facts = meta["problem"]
        text, overrides, name = facts["text"], facts["overrides"], facts["name"]
        folder = facts.get("directory")
    except (KeyError, TypeError, AttributeError):
        raise DamagedFileError(f"{path}: no problem text inside; not written by pinnkan") from None
    # The line break makes sure that the text is not taken for a path.
    whole = text if "\n" in text else text + "\n"
    return load_problem(whole, overrides=overrides, name=name, directory=Path(folder) if folder else None)


def _thinned(rows: list[StepReport]) -> list[StepReport]:
    if len(rows) <= _ROWS:
        return rows
    return [rows[round(at * (len(rows) - 1) / (_ROWS - 1))] for at in range(_ROWS)]


def _runs(words: Sequence[str]) -> list[list[Any]]:
    """Return [word, first row] for every stretch of equal words."""
    return [[word, at] for at, word in enumerate(words) if at == 0 or words[at - 1] != word]


def _short(value: float | None) -> float | None:
    if value is None or value != value or value in (float("inf"), float("-inf")):
        return None
    return float(f"{value:.4g}")

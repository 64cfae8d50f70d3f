"""Evidence as one row of numbers and words: what ``verdicts.json`` keeps, and what cases of tests state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from pinnkan.solutions.evaluation.verdict import (
    Behind,
    Evidence,
    StatementEvidence,
    TrainingEvidence,
    Unseen,
)

_UNSEEN = {"jump": "jump_place", "beyond": "bracket"}
"""What no residual sees, and the column with its words."""


def evidence_of_row(row: Mapping[str, Any]) -> Evidence:
    """Return the evidence that a row states; what it leaves out is as good as it can be."""
    left = dict(row)

    def taken(kind: Any) -> Any:
        return kind(**{part.name: left.pop(part.name) for part in fields(kind) if part.name in left})

    grouped = {"statements": taken(StatementEvidence), "training": taken(TrainingEvidence)}
    grouped["behind"] = taken(Behind)
    for name, words in _UNSEEN.items():
        grouped[name] = Unseen(left.pop(name, 0.0), left.pop(words, ""))
    return Evidence(**grouped, **left)


def row_of_evidence(evidence: Evidence) -> dict[str, Any]:
    """Undo `evidence_of_row` for the result of a training, which no other verdict stands behind."""
    row = {**vars(evidence.statements), **vars(evidence.training)}
    for name, words in _UNSEEN.items():
        unseen = getattr(evidence, name)
        row |= {name: unseen.size, words: unseen.words}
    return row | {name: getattr(evidence, name) for name in ("is_zero", "estimate", "slack")}

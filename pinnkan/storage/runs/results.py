"""What pretrain and finetune return for one parameter value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pinnkan.ground.errors import PinnkanError


@dataclass(frozen=True)
class TrainingResult:
    """One parameter value: trained, present already, or failed.

    Attributes:
        values: Parameter values by name.
        method: ``base``, ``lotra``, ``full`` or ``scratch``.
        tag: Of the file name.
        status: What was done.
        path: The file; None if training failed.
        report: What is known, under the keys of ``evaluate --json``.
        fault: Why training failed.
        unasked: Options that a present result was trained with and that nobody asked for: ``--seed 1``.
    """

    values: Mapping[str, float]
    method: str
    tag: str | None
    status: Literal["trained", "present", "failed"]
    path: Path | None
    report: Mapping[str, Any] = field(default_factory=dict)
    fault: PinnkanError | None = None
    unasked: str = ""


REPORTED = (
    "relative_l2",
    "error_estimate",
    "training_rms",
    "residual_rms",
    "trainable_parameters",
    "ranks",
    "train_seconds",
    "steps",
    "stop_reason",
    "relative_residual",
    "tolerance",
)


def stored_report(meta: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a file knows of its own training; the levels of one with a tolerance are a list."""
    training = meta.get("training", {})
    found = {key: training.get(key) for key in REPORTED}
    found["residual_rms"] = training.get("held_out")
    if training.get("levels"):
        found["levels"] = training["levels"]
    return found | stored_verdict(meta)


def stored_verdict(meta: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``verdict`` and ``reasons`` as a file has them; None where it is from before there were any."""
    training = meta.get("training", {})
    return {"verdict": training.get("verdict"), "reasons": training.get("reasons")}


def is_within(report: Mapping[str, Any]) -> bool:
    """Tell whether a result's estimate of its error is within the tolerance it was asked for, if it was."""
    tolerance, estimate = report.get("tolerance"), report.get("error_estimate")
    return tolerance is None or (estimate is not None and estimate <= tolerance)


def answers(meta: Mapping[str, Any], tolerance: float | None) -> bool:
    """Tell whether a finished result needs no more training for a tolerance, be it met or out of reach.

    Args:
        meta: What its file says.
        tolerance: Asked for; None asks for no accuracy.
    """
    training = meta.get("training", {})
    if is_within({"tolerance": tolerance, "error_estimate": training.get("error_estimate")}):
        return True
    sought = training.get("tolerance")
    assert tolerance is not None, "every result is within no tolerance"
    return training.get("stop_reason") == "exhausted" and sought is not None and sought <= tolerance


def is_lost(present: Mapping[str, Any], training: Mapping[str, Any]) -> bool:
    """Tell whether a training that went on from a finished result made it worse, by the estimates.

    Args:
        present: What the file says of the training of the finished result.
        training: The same of the further one.
    """
    before, after = present.get("error_estimate"), training.get("error_estimate")
    return before is not None and (after is None or after > before)


def taken_together(present: Mapping[str, Any], training: Mapping[str, Any]) -> dict[str, Any]:
    """Return the steps and seconds of a finished result together with those of its further training."""
    return {key: (present.get(key) or 0) + training[key] for key in ("steps", "train_seconds")}


def verdict_text(meta: Mapping[str, Any]) -> str:
    """Return ``unsolved: `` or ``doubtful: `` with the reasons; nothing for what is solved or not judged."""
    stored = stored_verdict(meta)
    if stored["verdict"] in (None, "solved"):
        return ""
    return f"{stored['verdict']}: {'; '.join(stored['reasons'] or [])}"

"""The verdict on what a training left, from what is measured of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pinnkan.evaluation.relative import ResidualReport, residual_report
from pinnkan.evaluation.verdict import Evidence, judge
from pinnkan.problem.instance import Instance
from pinnkan.solution import Solution
from pinnkan.training import Trained

_NOTHING = 1e-9
"""A solution of a problem that zero solves is zero below this, in the unit in which networks begin (1)."""


def judgement(instance: Instance, trained: Trained, base: str | None) -> dict[str, Any]:
    """Return ``relative_residual``, ``verdict`` and ``reasons`` of a result; None without an equation.

    Args:
        instance: The problem at the result's parameter value.
        trained: What training left.
        base: The verdict on the base that it belongs to, if that is known.
    """
    if not instance.equations:
        return {"relative_residual": None, "verdict": None, "reasons": None}
    coefficients = [c.cpu() for c in trained.coefficients()]
    report = residual_report(Solution(instance, trained.network, coefficients))
    losses = [step.loss for step in trained.history]
    held_out = [step.held_out for step in trained.history]
    evidence = evidence_of(report, trained.training, trained.held_out, losses, held_out, base)
    verdict = judge(evidence)
    return {
        "relative_residual": finite(report.relative),
        "verdict": verdict.word,
        "reasons": list(verdict.reasons),
    }


def evidence_of(
    report: ResidualReport,
    training: float,
    held_out: float,
    losses: Sequence[float | None],
    course: Sequence[float | None],
    base: str | None,
) -> Evidence:
    """Return the evidence that a report and the history of a training are.

    Args:
        report: Relative residuals.
        training: Residual at the training points (root mean square).
        held_out: The same at the held-out points.
        losses: After every step.
        course: Held-out residuals after every step, None between checks.
        base: See `judgement`.
    """
    return Evidence(
        relative=report.relative,
        averaged={block.name: block.averaged for block in report.blocks if not block.is_condition},
        violations={block.name: block.largest for block in report.blocks if block.is_condition},
        overfitting=held_out / training if training > 0.0 else None,
        held_out=_over_first(course, 1.0),
        losses=_over_first(losses, 0.5),
        shares={block.name: block.share for block in report.blocks},
        places={block.name: _where(report.coordinates, block.place) for block in report.blocks},
        is_zero=is_zero(report),
        base=base,
    )


def _over_first(values: Sequence[float | None], power: float) -> list[float | None]:
    """Return (value / first value)^power; None where there is none."""
    first = next((value for value in values if value), None)
    if first is None:
        return []
    return [None if value is None else round((value / first) ** power, 12) for value in values]


def _where(names: Sequence[str], place: Sequence[float]) -> str:
    """Write a point: ``x = 0.5, y = 0.25``."""
    return ", ".join(f"{name} = {value:.3g}" for name, value in zip(names, place, strict=True))


def is_zero(report: ResidualReport) -> bool:
    """Tell whether a solution is zero everywhere; of one whose problem zero does not solve, exactly."""
    return report.amplitude <= (_NOTHING if report.is_homogeneous else 0.0)


def finite(values: Mapping[str, float]) -> dict[str, float | None]:
    """Return numbers by name, None in place of what is not finite: files and JSON have no infinity."""
    return {name: value if math.isfinite(value) else None for name, value in values.items()}

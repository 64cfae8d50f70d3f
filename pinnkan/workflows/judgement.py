"""The verdict on what a training left, from what is measured of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
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
    verdict = judge(evidence_of(report, trained.training, trained.held_out, base))
    return {
        "relative_residual": finite(report.relative),
        "verdict": verdict.word,
        "reasons": list(verdict.reasons),
    }


def evidence_of(report: ResidualReport, training: float, held_out: float, base: str | None) -> Evidence:
    """Return the evidence that a report and the residuals of a training are.

    Args:
        report: Relative residuals.
        training: Residual at the training points (root mean square).
        held_out: The same at the held-out points.
        base: See `judgement`.
    """
    return Evidence(
        relative=report.relative,
        violations={block.name: block.largest for block in report.blocks if block.is_condition},
        overfitting=held_out / training if training > 0.0 else None,
        is_zero=is_zero(report),
        base=base,
    )


def is_zero(report: ResidualReport) -> bool:
    """Tell whether a solution is zero everywhere; of one whose problem zero does not solve, exactly."""
    return report.amplitude <= (_NOTHING if report.is_homogeneous else 0.0)


def finite(values: Mapping[str, float]) -> dict[str, float | None]:
    """Return numbers by name, None in place of what is not finite: files and JSON have no infinity."""
    return {name: value if math.isfinite(value) else None for name, value in values.items()}

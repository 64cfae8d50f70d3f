"""The verdict on what a training left, from what is measured of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pinnkan.language.methods import method_named
from pinnkan.language.settings.blocks import PhaseSettings, TrainingSettings
from pinnkan.physics.instance import Instance
from pinnkan.solutions.evaluation.advice import Circumstances, StatedCount, advice
from pinnkan.solutions.evaluation.correction import Correction, correction_of
from pinnkan.solutions.evaluation.relative import ResidualReport, residual_report
from pinnkan.solutions.evaluation.verdict import (
    Behind,
    Evidence,
    StatementEvidence,
    TrainingEvidence,
    Unseen,
    judge,
)
from pinnkan.solutions.solution import Solution
from pinnkan.training import Trained
from pinnkan.training.loop import still_falling
from pinnkan.training.refinement import fitted


def judgement(instance: Instance, trained: Trained, method: str, base: str | None) -> dict[str, Any]:
    """Return ``error_estimate``, ``relative_residual``, ``verdict``, ``reasons``; None without an equation.

    Of a system with ``error_estimates`` of its unknowns by name. With ``advice`` that fits the reasons where
    it is not solved.

    Args:
        instance: The problem at the result's parameter value.
        trained: What training left.
        method: ``base``, ``lotra``, ``full`` or ``scratch``.
        base: The verdict on the base that it belongs to, if that is known.
    """
    if not instance.equations:
        return {"error_estimate": None, "relative_residual": None, "verdict": None, "reasons": None}
    coefficients = [c.cpu() for c in trained.coefficients()]
    solution = Solution(instance, trained.network, coefficients)
    report, correction = residual_report(solution), correction_of(solution)
    held_out = [step.held_out for step in trained.history]
    evidence = evidence_of(
        report,
        instance.scales,
        training=trained.rms.training,
        held_out=trained.rms.held_out,
        course=held_out,
        base=base,
        correction=correction,
    )
    verdict = judge(evidence)
    facts = {
        **_estimates(instance, correction),
        "error_estimate": evidence.estimate,
        "relative_residual": finite(report.relative),
        "verdict": verdict.word,
        "reasons": list(verdict.reasons),
    }
    if verdict.word == "solved":
        return facts
    return facts | {"advice": advice(evidence, circumstances(instance, trained, method))}


def _estimates(instance: Instance, correction: Correction | None) -> dict[str, Any]:
    """Return the estimates of a system's unknowns by name; nothing of one unknown or where there are none."""
    estimates = None if correction is None else correction.error_estimates
    if not instance.problem.is_system or estimates is None:
        return {}
    return {"error_estimates": finite(dict(zip(instance.problem.unknowns, estimates, strict=True)))}


def circumstances(instance: Instance, trained: Trained, method: str) -> Circumstances:
    """Return what a training was trained with, and the ``--set`` keys that state it."""
    settings = instance.problem.settings
    how = method_named(method)
    block = how.block
    recipe: TrainingSettings[PhaseSettings] = settings.finetuning if how.on_base else settings.training
    last = recipe.in_turn[-1]
    prefix = f"{block}.phases.{len(recipe.phases) - 1}" if recipe.phases else block
    steps = trained.history[-last.steps :] if last.steps else ()
    return Circumstances(
        points=StatedCount(
            last.points or settings.points.interior,
            "points.interior" if last.points is None else f"{prefix}.points",
        ),
        steps=StatedCount(last.steps, f"{prefix}.steps"),
        trainable=trained.trainable,
        hidden=() if how.on_base else fitted(settings.network, trained.coefficients()).hidden,
        still_falling=trained.outcome.reason == "max_steps"
        and still_falling([report.held_out for report in steps]),
        out_of_time=trained.outcome.reason == "time_limit",
        unknowns=instance.problem.unknowns,
    )


def evidence_of(
    report: ResidualReport,
    scales: Sequence[float],
    *,
    training: float = 0.0,
    held_out: float = 0.0,
    course: Sequence[float | None] = (),
    base: str | None = None,
    correction: Correction | None = None,
) -> Evidence:
    """Return the evidence that a report is, and the history of a training where there was one.

    Args:
        report: Relative residuals.
        scales: Of the unknowns.
        training: Residual at the training points (root mean square).
        held_out: The same at the held-out points.
        course: Held-out residuals after every step, None between checks.
        base: See `judgement`.
        correction: What a step of Newton's method would add, if that was asked and is known.
    """
    return Evidence(
        _statements(report),
        TrainingEvidence(held_out / training if training > 0.0 else None, _over_first(course)),
        jump=Unseen() if report.jump is None else Unseen(report.jump.relative, _jump_words(report)),
        beyond=Unseen(report.beyond, "" if report.bracket is None else _bracket_words(report)),
        is_zero=report.is_zero(scales),
        estimate=None if correction is None else correction.error_estimate,
        slack=0.0 if correction is None else correction.slack,
        behind=Behind(base),
    )


def _statements(report: ResidualReport) -> StatementEvidence:
    return StatementEvidence(
        relative=report.relative,
        means=report.means,
        pointwise=report.pointwise,
        violations=report.violations,
        shares={block.name: block.share for block in report.blocks},
        places={block.name: _where(report.coordinates, block.place) for block in report.blocks},
    )


def _over_first(values: Sequence[float | None]) -> list[float | None]:
    """Return values over the first of them; None where there is none."""
    first = next((value for value in values if value), None)
    if first is None:
        return []
    return [None if value is None else value / first for value in values]


def _where(names: Sequence[str], place: Sequence[float]) -> str:
    """Write a point: ``x = 0.5, y = 0.25``."""
    return ", ".join(f"{name} = {value:.3g}" for name, value in zip(names, place, strict=True))


def _jump_words(report: ResidualReport) -> str:
    assert report.jump is not None
    return f"{report.jump.derivative} jumps near {_where(report.coordinates, report.jump.place)}"


def _bracket_words(report: ResidualReport) -> str:
    """Say between which constants another solution lies, and which values the one found takes."""
    assert report.bracket is not None
    ((lowest, highest),) = report.ranges
    return (
        f"it takes values from {lowest:.4g} to {highest:.4g}, but a solution lies between "
        f"{report.bracket.low:.4g} and {report.bracket.high:.4g}: the problem has more than one"
    )


def finite(values: Mapping[str, float]) -> dict[str, float | None]:
    """Return numbers by name, None in place of what is not finite: files and JSON have no infinity."""
    return {name: value if math.isfinite(value) else None for name, value in values.items()}

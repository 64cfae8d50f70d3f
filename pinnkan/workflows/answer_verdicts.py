"""Verdicts on the answers of a reduced basis: their relative residuals, measured as for a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pinnkan.channels import Channel
from pinnkan.evaluation.relative import residual_report
from pinnkan.evaluation.verdict import Evidence, judge
from pinnkan.problem.blocks import ResidualBlock
from pinnkan.problem.instance import Instance
from pinnkan.reduction import network_jets
from pinnkan.workflows.judgement import finite
from pinnkan.workflows.solve import Answers

FloatArray = NDArray[np.float64]

MEASURED = 100
"""Answers whose residuals are measured; beyond them, of thousands at once, the estimate alone decides."""


def answer_verdicts(answers: Answers) -> list[dict[str, Any]]:
    """Return ``relative_residual``, ``verdict`` and ``reasons`` of every answer, in their order."""
    jets = _Jets(answers)
    return [_verdict(answers, at, jets) for at in range(len(answers.values))]


def _verdict(answers: Answers, at: int, jets: _Jets) -> dict[str, Any]:
    estimate = float(answers.estimates[at])
    if at >= MEASURED:
        verdict = judge(Evidence({}, estimate=estimate))
        return {"relative_residual": None, "verdict": verdict.word, "reasons": list(verdict.reasons)}
    instance = answers.family.problem.at(answers.values[at])
    report = residual_report(_Answer(instance, answers, at, jets), with_jumps=False)
    verdict = judge(
        Evidence(
            report.relative,
            violations=report.violations,
            is_zero=report.is_zero(instance.problem.scale),
            estimate=estimate,
        )
    )
    return {
        "relative_residual": finite(report.relative),
        "verdict": verdict.word,
        "reasons": list(verdict.reasons),
    }


@dataclass
class _Jets:
    """Derivatives of snapshots, base and lift at points, kept for all answers: the points are the same."""

    answers: Answers
    kept: dict[Any, tuple[FloatArray, Any]] = field(default_factory=dict)

    def at(self, points: FloatArray, requested: Sequence[Channel]) -> tuple[FloatArray, Any]:
        """Return derivatives (C, k + 1, N) of the basis and, last, of the base's network, and the lift's."""
        key = points.tobytes(), tuple(requested)
        if key not in self.kept:
            family = self.answers.family
            networks = [*family.coefficients, family.base]
            ansatz = family.model.ansatz
            jets = network_jets(ansatz.reference.ansatz, family.network, networks, points, requested)
            mixed = np.einsum("sk,csn->ckn", family.model.basis.mixing, jets[:, :-1])
            lift = None if ansatz.lift_is_zero else ansatz.lift(points, requested)
            self.kept[key] = np.concatenate([mixed, jets[:, -1:]], axis=1), lift
        return self.kept[key]


@dataclass(frozen=True)
class _Answer:
    """One answer as `residual_report` takes it; arguments as their names say."""

    instance: Instance
    answers: Answers
    at: int
    jets: _Jets

    def __call__(self, points: FloatArray) -> FloatArray:
        value: FloatArray = self.derivatives(points, [(0,) * points.shape[1]])[0]
        return value

    def derivatives(self, points: FloatArray, requested: Sequence[Channel]) -> FloatArray:
        """Return derivatives at points, (C, N)."""
        if not requested:
            return np.zeros((0, len(points)))
        basis, lift = self.jets.at(points, requested)
        by_base = bool(self.answers.by_base[self.at])
        u: FloatArray = (
            basis[:, -1]
            if by_base
            else np.einsum("k,ckn->cn", self.answers.coefficients[self.at], basis[:, :-1])
        )
        return u if lift is None else u + lift(self.answers.rows[self.at : self.at + 1])[:, 0]

    def residual(
        self, block: ResidualBlock, points: FloatArray, normals: FloatArray | None = None
    ) -> FloatArray:
        """Return the residual (N,): the sum of its terms, whose derivatives no parameter value combines."""
        terms = block.terms(points, normals, self.derivatives(points, block.summands.indices))
        total: FloatArray = terms.sum(axis=0)
        return total

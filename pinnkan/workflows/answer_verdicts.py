"""Verdicts on the answers of a reduced basis: their relative residuals, measured as for a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.derivatives import Derivative, derivatives_of
from pinnkan.physics.blocks import ResidualBlock
from pinnkan.physics.instance import Instance
from pinnkan.reduction import network_jets, values_of
from pinnkan.solutions.evaluation.jumps import Jump, largest_jump
from pinnkan.solutions.evaluation.relative import residual_report
from pinnkan.solutions.evaluation.verdict import Behind, Evidence, StatementEvidence, judge
from pinnkan.training.judgement import evidence_of, finite
from pinnkan.workflows.answers import Answers

MEASURED = 300
"""Answers whose residuals are measured, some 30 ms each; of more values those with the largest estimates."""
_SMOOTH = 1e-6
"""Share of its range by which nothing but a jump changes between two points that are as close."""


@dataclass(frozen=True)
class AnswerVerdicts:
    """Verdicts on L answers.

    Attributes:
        rows: ``relative_residual``, ``verdict`` and ``reasons`` of every answer, in their order.
        measured: Of how many answers the residuals were measured; the verdict on the others follows from
            their estimates, which are smaller.
    """

    rows: list[dict[str, Any]]
    measured: int

    @property
    def remark(self) -> str:
        """Say of how many answers the residuals were measured; empty where of all."""
        if self.measured == len(self.rows):
            return ""
        return (
            f"residuals were measured of {self.measured} of {len(self.rows)} values, those with the largest "
            "estimates; the others are judged by their estimates"
        )


def answer_verdicts(answers: Answers) -> AnswerVerdicts:
    """Return the verdicts on answers: on all by their residuals, if they are not more than `MEASURED`."""
    worst = np.argsort(-answers.estimates, kind="stable")[:MEASURED].tolist()
    jets = _Jets(answers)
    ends = [worst[0], 0, len(answers.values) - 1]
    with_jumps = any(
        _jump(answers.stored.family.at(answers.values[position])) is not None for position in set(ends)
    )
    measured = {position: _measured(answers, position, jets, with_jumps=with_jumps) for position in worst}
    rows = [
        measured.get(position) or _estimated(answers, position) for position in range(len(answers.values))
    ]
    return AnswerVerdicts(rows, len(measured))


def _estimated(answers: Answers, at: int) -> dict[str, Any]:
    """Return the verdict on an answer by its estimate alone."""
    behind = Behind(snapshots=answers.stored.meta.get("verdict"))
    verdict = judge(Evidence(StatementEvidence(), estimate=float(answers.estimates[at]), behind=behind))
    return {"relative_residual": None, "verdict": verdict.word, "reasons": list(verdict.reasons)}


def _measured(answers: Answers, at: int, jets: _Jets, *, with_jumps: bool) -> dict[str, Any]:
    """Return the verdict on an answer by its residuals, as on a network's."""
    instance = answers.stored.family.at(answers.values[at])
    report = residual_report(_Answer(instance, answers, at, jets), with_jumps=False)
    report = replace(report, jump=_jump(instance) if with_jumps else None)
    evidence = replace(
        evidence_of(report, instance.scales),
        estimate=float(answers.estimates[at]),
        behind=Behind(snapshots=answers.stored.meta.get("verdict")),
    )
    verdict = judge(evidence)
    return {
        "relative_residual": finite(report.relative),
        "verdict": verdict.word,
        "reasons": list(verdict.reasons),
    }


def _jump(instance: Instance) -> Jump | None:
    """Return the largest jump of lift or factor of an ansatz; None if there is none.

    What stands between them, networks, is smooth. They are formulas, and looked at much sooner.
    """
    jump = largest_jump(_Constant(instance))
    return jump if jump is not None and jump.relative > _SMOOTH else None


@dataclass(frozen=True)
class _Constant:
    """The ansatz with 1 in place of the network, as `largest_jump` takes it."""

    instance: Instance

    def derivatives(self, points: FloatArray, requested: Sequence[Derivative]) -> FloatArray:
        """Return derivatives at points, (C, N)."""
        ansatzes = [(self.instance.ansatzes[unknown], [channel]) for unknown, channel in requested]
        rows = [a.lift.derivatives(points, own) + a.factor(points, own) for a, own in ansatzes]
        return np.concatenate(rows)


@dataclass
class _Jets:
    """Derivatives of snapshots, base and lift at points, kept for all answers: the points are the same."""

    answers: Answers
    kept: dict[Any, tuple[FloatArray, Any]] = field(default_factory=dict)

    def at(self, points: FloatArray, requested: Sequence[Derivative]) -> tuple[FloatArray, Any]:
        """Return derivatives (C, k + 1, N) of the basis and, last, of the base's network, and the lift's."""
        key = points.tobytes(), tuple(requested)
        if key not in self.kept:
            stored = self.answers.stored
            snapshots = stored.snapshots
            networks = [*snapshots.coefficients, snapshots.base]
            ansatz = stored.model.ansatz
            jets = network_jets(
                ansatz.reference.ansatzes,
                snapshots.network,
                networks,
                points,
                requested,
                constants=snapshots.constants,
            )
            mixed = np.einsum("sk,csn->ckn", stored.model.basis.mixing, jets[:, :-1])
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
        return self.derivatives(points, values_of(len(self.instance.ansatzes), points.shape[1]))

    def derivatives(self, points: FloatArray, requested: Sequence[Derivative]) -> FloatArray:
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
        terms = block.terms(
            points, normals, self.derivatives(points, derivatives_of(block.summands.partials))
        )
        total: FloatArray = terms.sum(axis=0)
        return total

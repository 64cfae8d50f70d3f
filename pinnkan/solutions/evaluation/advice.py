"""What to try where a result is not solved: one sentence that fits the reason, with lines to paste."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pinnkan.solutions.evaluation.verdict import (
    BEYOND,
    JUMP,
    OVERFITTED,
    POINTWISE,
    RESIDUAL,
    SLACK,
    VIOLATION,
    Evidence,
    largest,
    never_moved,
)

_RESIDUALS_PER_NUMBER = 2.0
"""Residuals for every number that is trained, as advised; below 1.5 the fit is to the points."""
_CONCENTRATED = 0.8
"""Share of the squares in 5 % of the points from which a residual is that of a layer."""


@dataclass(frozen=True)
class StatedCount:
    """A number of things, and the ``--set`` key that states it."""

    count: int
    key: str

    def raised_to(self, count: int) -> str:
        """Return the option that sets it to another number."""
        return f"--set {self.key}={count}"


@dataclass(frozen=True)
class Circumstances:
    """What was trained with what.

    Attributes:
        points: Interior points of the last phase.
        steps: Steps of the last phase.
        trainable: Numbers that were trained.
        hidden: Widths of the hidden layers; empty where the network is settled (adapters).
        still_falling: Whether the held-out residual was still falling when all steps were taken.
        out_of_time: Whether a time limit ended the training.
        unknowns: Names of the unknowns.
    """

    points: StatedCount
    steps: StatedCount
    trainable: int
    hidden: Sequence[int]
    still_falling: bool
    out_of_time: bool
    unknowns: Sequence[str]


def advice(evidence: Evidence, where: Circumstances) -> str:
    """Return what to try, the most likely cause first."""
    statements = evidence.statements
    name, relative = largest(statements.relative) or ("", 0.0)
    violated = largest(statements.violations)
    if JUMP.word(evidence.jump.size) != "solved":
        return "Write 'hard: false' beside a condition with a jump or kink there, so that it is trained."
    if BEYOND.word(evidence.beyond.size) != "solved":
        u = where.unknowns[0] if len(where.unknowns) == 1 else "u"
        power = f"{u}^3*abs({u}) in place of {u}^4"
        return (
            "Start elsewhere (--seed 1 --force), or write the equation for values beyond, too, so that it "
            f"pulls the unknown back from them as it does from within: {power}."
        )
    if evidence.is_zero:
        return "Prescribe something that zero does not meet: a value, a flux or a source."
    if (evidence.training.overfitting or 0.0) > OVERFITTED:
        return _against_overfitting(where)
    if never_moved(evidence.training.held_out):
        sizes = ", ".join(f"{unknown}: VALUE" for unknown in where.unknowns)
        return (
            f"Training stalled from the first step: state the size of {_each(where.unknowns)} "
            f"(scales: {{{sizes}}}) and look at the equation that 'pinnkan check' prints."
        )
    if violated is not None and VIOLATION.word(violated[1]) != "solved":
        place = statements.places.get(violated[0], "")
        return f"Look at the data of {violated[0]} near {place}: do they contradict another condition there?"
    apart = largest(statements.pointwise)
    if apart is not None and POINTWISE.word(apart[1]) != "solved" and RESIDUAL.word(relative) == "solved":
        return f"Divide {apart[0]} by the factor that varies across the domain, so that all of it counts."
    if SLACK.word(evidence.slack) != "solved":
        change = f"what changes by less ({_logarithm(where.unknowns)} of what grows)"
        return (
            "The problem magnifies every residual: ask for less time or a smaller domain, or write it for "
            f"{change}; take the answer for a sketch."
        )
    if where.out_of_time:
        return "The time limit ended the training: begin again with a longer --time-limit, and --force."
    if where.still_falling:
        return f"More steps may lower the error further: {where.steps.raised_to(2 * where.steps.count)}"
    if statements.shares.get(name, 0.0) > _CONCENTRATED:
        return (
            f"The residual of {name} is largest near {statements.places[name]}, in a layer that the points "
            f"hardly see: {where.points.raised_to(4 * where.points.count)}"
        )
    return _larger(where)


def _each(unknowns: Sequence[str]) -> str:
    return "the unknown" if len(unknowns) == 1 else "each unknown"


def _logarithm(unknowns: Sequence[str]) -> str:
    """Return how a logarithm is written: of a system nothing tells here which of the unknowns grows."""
    return f"log({unknowns[0]})" if len(unknowns) == 1 else "the logarithm"


def _against_overfitting(where: Circumstances) -> str:
    enough = _round_up(max(_RESIDUALS_PER_NUMBER * where.trainable, 2.0 * where.points.count))
    more = where.points.raised_to(enough)
    share = where.points.count / (_RESIDUALS_PER_NUMBER * where.trainable)
    if not where.hidden or share >= 1.0:
        return f"Use more points: {more}"
    # Numbers grow with the square of the widths.
    narrow = [max(2, math.floor(width * math.sqrt(share))) for width in where.hidden]
    return f'Use more points: {more}; or a smaller network: --set "network.hidden={narrow}"'


def _larger(where: Circumstances) -> str:
    if not where.hidden:
        more = where.points.raised_to(2 * where.points.count)
        return f"The residual no longer falls: more points and higher ranks: {more} --compression auto"
    wide = [math.ceil(1.5 * width) for width in where.hidden]
    points = _round_up(max(2.25 * _RESIDUALS_PER_NUMBER * where.trainable, where.points.count))
    return (
        "The residual no longer falls: widen the network and add points: "
        f'--set "network.hidden={wide}" {where.points.raised_to(points)}'
    )


def _round_up(count: float) -> int:
    """Round up to two digits."""
    unit = float(10 ** max(0, math.floor(math.log10(max(count, 1.0))) - 1))
    return int(math.ceil(count / unit) * unit)

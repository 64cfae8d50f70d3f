"""One judgement on a solution in time windows, from those on its windows: the worst, and where."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from pinnkan.physics.instance import Instance
from pinnkan.solutions.evaluation.verdict import worst
from pinnkan.training.task import TrainedWindow


def judgement_of_windows(whole: Instance, start: float, windows: Sequence[TrainedWindow]) -> dict[str, Any]:
    """Return the entries of `pinnkan.training.judgement.judgement` for a solution in time windows.

    The verdict is the worst on a window, its reasons and its advice are those of the first window that has
    it. Relative residuals are the largest over the windows. What a window adds to the error stays: estimates
    add up from window to window, and that of the whole time is the root of their mean square over it.

    Args:
        whole: The problem over the whole time.
        start: The first time.
        windows: In the order of time.
    """
    judged = [window.record.judged for window in windows]
    word = worst(facts["verdict"] for facts in judged)
    place = next(number for number, facts in enumerate(judged) if facts["verdict"] == word)
    chosen, count = judged[place], len(windows)
    alike = sum(facts["verdict"] == word for facts in judged) - 1
    reasons = [f"window {place + 1}/{count}: {reason}" for reason in chosen["reasons"]]
    if reasons and alike:
        reasons.append(f"{alike} more window{'s are' if alike > 1 else ' is'} {word}")
    lengths = _lengths(start, windows)
    facts: dict[str, Any] = {
        "error_estimate": _accumulated([own["error_estimate"] for own in judged], lengths),
        "relative_residual": _largest(whole, [own["relative_residual"] for own in judged]),
        "verdict": word,
        "reasons": reasons,
    }
    if whole.problem.is_system and all("error_estimates" in own for own in judged):
        facts["error_estimates"] = {
            name: _accumulated([own["error_estimates"][name] for own in judged], lengths)
            for name in whole.problem.unknowns
        }
    return facts | ({"advice": chosen["advice"]} if "advice" in chosen else {})


def _lengths(start: float, windows: Sequence[TrainedWindow]) -> list[float]:
    ends = [start, *(window.end for window in windows)]
    return [end - begin for begin, end in pairwise(ends)]


def _accumulated(estimates: Sequence[float | None], lengths: Sequence[float]) -> float | None:
    """Return the root mean square over time of the sums of estimates; None where one is missing."""
    total, squares = 0.0, 0.0
    for estimate, length in zip(estimates, lengths, strict=True):
        if estimate is None:
            return None
        total += estimate
        squares += length * total**2
    return math.sqrt(squares / sum(lengths))


def _largest(whole: Instance, reports: Sequence[Mapping[str, float | None]]) -> dict[str, float | None]:
    """Return the largest relative residual of every statement of the file; None where one is infinite."""
    result: dict[str, float | None] = {}
    for block in (*whole.equations, *whole.conditions):
        values = [report[block.name] for report in reports if block.name in report]
        result[block.name] = (
            None if None in values else max((v for v in values if v is not None), default=0.0)
        )
    return result

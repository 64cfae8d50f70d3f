"""One judgement on a solution in time windows, from those on its windows: the worst, and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pinnkan.physics.instance import Instance
from pinnkan.solutions.evaluation.propagation import propagated_error
from pinnkan.solutions.evaluation.verdict import ESTIMATE, WORDS, worst
from pinnkan.solutions.windows import WindowedSolution
from pinnkan.training.judgement import finite


def judgement_of_windows(solution: WindowedSolution, judged: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the entries of `pinnkan.training.judgement.judgement` for a solution in time windows.

    The verdict is the worst on a window, its reasons and its advice are those of the first window that has
    it. Errors are estimated with what the windows before leave
    (`pinnkan.solutions.evaluation.propagation`). Relative residuals are the largest over the windows.

    Args:
        solution: Over the whole time.
        judged: Those entries for every window by itself.
    """
    whole, count = solution.instance, len(judged)
    error = propagated_error(solution)
    words = [str(own["verdict"]) for own in judged]
    reasons = [list(own["reasons"]) for own in judged]
    for place, estimate in enumerate(() if error is None else error.windows):
        # By itself the window was judged on its own error.
        late = ESTIMATE.word(estimate)
        if late != "solved" and WORDS.index(late) > WORDS.index(words[place]):
            words[place] = late
            reasons[place] = [f"with that of the windows before its error is estimated at {estimate:.1e}"]
    word = worst(words)
    place = next(number for number, own in enumerate(words) if own == word)
    said = [f"window {place + 1}/{count}: {reason}" for reason in reasons[place]]
    alike = sum(own == word for own in words) - 1
    if said and alike:
        said.append(f"{alike} more window{'s are' if alike > 1 else ' is'} {word}")
    facts: dict[str, Any] = {
        "error_estimate": None if error is None else max(error.unknowns),
        "relative_residual": _largest(whole, [own["relative_residual"] for own in judged]),
        "verdict": word,
        "reasons": said,
    }
    if whole.problem.is_system and error is not None:
        facts["error_estimates"] = finite(dict(zip(whole.problem.unknowns, error.unknowns, strict=True)))
    if word == "solved":
        return facts
    return facts | {"advice": judged[place].get("advice", _ADVICE)}


_ADVICE = "Errors grow from window to window: train every window further (training.steps), on more points."


def _largest(whole: Instance, reports: Sequence[Mapping[str, float | None]]) -> dict[str, float | None]:
    """Return the largest relative residual of every statement of the file; None where one is infinite."""
    result: dict[str, float | None] = {}
    for block in (*whole.equations, *whole.conditions):
        values = [report[block.name] for report in reports if block.name in report]
        result[block.name] = (
            None if None in values else max((v for v in values if v is not None), default=0.0)
        )
    return result

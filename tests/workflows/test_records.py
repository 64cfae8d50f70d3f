"""What a stored result says of its training."""

from __future__ import annotations

from pinnkan.ground.progress import StepReport
from pinnkan.storage.runs.facts import history_facts


def report(step: int, seconds: float) -> StepReport:
    return StepReport(step, 9, seconds, "lm", 1.0 / step, {"equation": 1.0}, None, None, "")


def test_steps_and_seconds_of_a_history_go_on_from_phase_to_phase():
    """A report counts both from the beginning of its phase."""
    phases = [(1, 0.5), (2, 1.5)], [(1, 0.25)], [(1, 1.0), (2, 3.0)]
    facts = history_facts([report(*one) for phase in phases for one in phase])
    assert facts["step"] == [1, 2, 3, 4, 5]
    assert facts["seconds"] == [0.5, 1.5, 1.75, 2.75, 4.75]


def test_a_long_history_is_thinned_after_its_seconds_are_added_up():
    facts = history_facts([report(step % 100 + 1, 0.1 * (step % 100 + 1)) for step in range(200)])
    assert (len(facts["step"]), facts["step"][-1], facts["seconds"][-1]) == (50, 200, 20.0)
    assert sorted(facts["seconds"]) == facts["seconds"]

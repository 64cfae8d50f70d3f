"""``steps`` beside phases: how long to train, whether a file has phases or not."""

from __future__ import annotations

import pytest

from pinnkan.language.problem import load_problem


@pytest.mark.parametrize(
    ("total", "expected"), [(3, [3]), (10, [10]), (12, [10, 2]), (16, [10, 6]), (20, [10, 10])]
)
def test_steps_beside_phases_are_their_sum(total, expected):
    phases = "training.phases=[{steps: 10}, {steps: 6}]"
    problem = load_problem("elliptic", overrides=[phases, f"training.steps={total}"])
    assert [phase.steps for phase in problem.settings.training.phases] == expected


def test_a_phase_without_steps_takes_those_of_the_block():
    overrides = ["training.phases=[{steps: 10}, {points: 50}]", "training.steps=7"]
    problem = load_problem("elliptic", overrides=overrides)
    assert [phase.steps for phase in problem.settings.training.phases] == [10, 7]

"""A tolerance of the error: when its estimate is made, that it ends a training and changes no bit."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from small_problems import run_of
from test_resuming import assert_same, with_states

from pinnkan.training import finetune, pretrain
from pinnkan.training.goal import Goal, Look, estimated_error

POISSON = ["points.interior=60", "network.hidden=[5, 5]", "training.steps=14"]


def goal(tolerance: float, estimate: float | None = 1.0) -> Goal:
    return Goal(tolerance, lambda theta: estimate, lambda text: None)


@pytest.mark.parametrize(
    ("last", "held_out", "due"),
    [
        (Look(1.0), 0.11, False),
        (Look(1.0), 0.1, True),
        (Look(1.0, 0.5), 0.11, False),
        (Look(1.0, 0.5), 0.1, True),
        (Look(1.0, 2e-3), 0.51, False),
        (Look(1.0, 2e-3), 0.5, True),
        (Look(1.0, 1.01e-3), 0.71, False),
        (Look(1.0, 1.01e-3), 0.7, True),
        (Look(), 1.0, True),
        (Look(1.0), math.inf, False),
    ],
)
def test_an_estimate_is_due_where_it_may_say_something_new(last, held_out, due):
    assert goal(1e-3).is_due(last, held_out) is due


@pytest.mark.parametrize("estimate", [1e-3, 0.0, 2e-3, None])
def test_a_goal_is_met_by_an_estimate_alone(estimate):
    aim = goal(1e-3, estimate)
    assert aim.is_met(aim.look(torch.zeros(1), 0.0)) is (estimate in (1e-3, 0.0))


def test_estimates_are_few_whatever_the_number_of_steps():
    aim, look, count = goal(1e-9), Look(1.0), 0
    for step in range(1000):
        held_out = 10 ** (-step / 100)
        if aim.is_due(look, held_out):
            look, count = Look(held_out, held_out), count + 1
    assert 9 <= count <= 16


def test_training_ends_below_the_tolerance_and_with_the_steps_of_one_without():
    whole = pretrain(run_of("poisson", *POISSON))
    loose = pretrain(run_of("poisson", *POISSON, "training.tolerance=0.05"))
    assert loose.outcome.reason == "tolerance"
    assert loose.steps < whole.steps
    taken = [report.loss for report in whole.history[: loose.steps]]
    assert [report.loss for report in loose.history] == taken
    instance = run_of("poisson").instance
    assert 0.0 < estimated_error(instance, loose.network, loose.coefficients()) <= 0.05


def test_a_tolerance_that_the_last_step_meets_is_met():
    """Between two estimates nothing is known: at the end there is one more."""
    run = run_of("poisson", *POISSON)
    error = estimated_error(run.instance, (whole := pretrain(run)).network, whole.coefficients())
    met = pretrain(run_of("poisson", *POISSON, f"training.tolerance={1.0001 * error!r}"))
    assert met.outcome.reason == "tolerance"


def test_a_training_with_a_tolerance_goes_on_from_every_state():
    run, states = with_states(run_of("poisson", *POISSON, "training.tolerance=0.01"))
    whole = pretrain(run)
    assert whole.outcome.reason == "tolerance"
    assert len({state.inner.look for state in states}) >= 2
    for state in (states[0], states[-1]):
        assert_same(whole, pretrain(replace(run, state=state)))


def test_an_adapter_ends_below_the_tolerance():
    small = ["points.interior=60", "network.hidden=[5, 5]", "adapter.compression=1"]
    base = pretrain(run_of("disk", *small, "training.steps=20")).coefficients()
    tuned = {
        tolerance: finetune(
            run_of(
                "disk", *small, "finetuning.steps=20", f"finetuning.tolerance={tolerance}", at={"lambda": 0.2}
            ),
            base,
            method="lotra",
        )
        for tolerance in ("0.1", "~")
    }
    assert tuned["0.1"].outcome.reason == "tolerance"
    assert tuned["0.1"].steps < tuned["~"].steps

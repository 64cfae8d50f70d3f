"""A training that goes on from any state it passed ends where one in a single go ends, bit by bit."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from small_problems import run_of

from pinnkan.language.problem import load_problem
from pinnkan.storage.runs.checkpoints import read_checkpoint, write_checkpoint
from pinnkan.training import Trained, TrainingState, TrainingTask, finetune, pretrain

DISK = ["points.interior=40", "network.hidden=[5, 5]"]
LM = "{optimizer: lm, steps: 3, refresh: 2}"
LOTRA = "{optimizer: lm, steps: 2, form: lotra}"
PHASES = {
    "lm": f"[{LM}]",
    "adam": "[{optimizer: adam, steps: 6, schedule: cosine}]",
    "lbfgs": "[{optimizer: lbfgs, steps: 6}]",
    "adam, lbfgs": "[{optimizer: adam, steps: 3}, {optimizer: lbfgs, steps: 3, refresh: 2}]",
    "full, lotra twice": f"[{LM}, {LOTRA}, {LOTRA}]",
    "slim, full": "[{optimizer: lm, steps: 2, form: slim}, {optimizer: lm, steps: 2}]",
    "refined": "[{steps: 2}, {optimizer: adam, steps: 1, functions: 6}, {steps: 1}, {steps: 1, form: lotra}]",
    "slim, refined": "[{steps: 2, form: slim}, {steps: 2, form: slim, functions: 7}, "
    "{steps: 1, functions: 9}]",
    "pruned": "[{optimizer: adam, steps: 2, sparsity: 0.01}, {steps: 2, prune: 0.3}, "
    "{optimizer: adam, steps: 1, functions: 5}]",
    "balanced": "[{optimizer: lm, steps: 4, refresh: 2}, {steps: 2}], balance: rows",
    "smoothed": "[{optimizer: lm, steps: 3, smoothing: 4}]",
    "last layer": "[{optimizer: gauss_newton, form: last_layer, steps: 2}, {optimizer: lm, steps: 2}, "
    "{optimizer: gauss_newton, form: last_layer, steps: 3}]",
    "alternating": "[{optimizer: lm, steps: 1}, {optimizer: gauss_newton, alternating: true, steps: 5}]",
}


TAYLOR = ["network.basis=taylor", "network.functions=6"]


def with_states(run: TrainingTask) -> tuple[TrainingTask, list[TrainingState]]:
    states: list[TrainingState] = []
    return replace(run, keep=states.append), states


def assert_same(one: Trained, other: Trained) -> None:
    assert torch.equal(one.theta, other.theta)
    assert (one.rms, one.trainable, one.outcome) == (other.rms, other.trainable, other.outcome)
    losses = [[(report.step, report.loss, report.held_out) for report in t.history] for t in (one, other)]
    assert losses[0] == losses[1]


@pytest.mark.parametrize("phases", PHASES)
def test_a_base_goes_on_from_every_state(phases):
    run, states = with_states(run_of("disk", *DISK, f"training={{phases: {PHASES[phases]}}}"))
    whole = pretrain(run)
    # A linear problem is known by its first solve: no state is offered after a step that ends a phase.
    assert len(states) == whole.steps - PHASES[phases].count("last_layer")
    for state in tuple(states):  # which goes on filling
        assert_same(whole, pretrain(replace(run, state=state)))


@pytest.mark.parametrize(
    "phases", ["lm", "adam, lbfgs", "full, lotra twice", "slim, refined", "smoothed", "balanced"]
)
@pytest.mark.parametrize("basis", [[], TAYLOR])
def test_points_drawn_by_the_residual_are_the_same_ones_after_a_restart(phases, basis, tmp_path):
    points = ["points={interior: 40, held_out: 30, rule: residual}"]
    # Between two exchanges a state goes on with points that an earlier theta drew.
    phases = PHASES[phases].replace("steps: 3, refresh: 2", "steps: 5, refresh: 2")
    run, states = with_states(
        run_of("disk", *DISK, *basis, *points, f"training={{refresh: 2, phases: {phases}}}")
    )
    whole = pretrain(run)
    assert states
    for number, state in enumerate(tuple(states)):  # which goes on filling
        write_checkpoint(tmp_path / f"{number}.h5", "0" * 64, state)
        stored = read_checkpoint(tmp_path / f"{number}.h5", "0" * 64, torch.device("cpu"))
        assert_same(whole, pretrain(replace(run, state=stored)))


@pytest.mark.parametrize("method", ["lotra", "full"])
def test_an_adapter_goes_on_from_every_state(method):
    phases = "finetuning.phases=[{optimizer: adam, steps: 2}, {optimizer: lm, steps: 3, patience: 2}]"
    base = pretrain(run_of("disk", *DISK, "training.steps=2")).coefficients()
    run, states = with_states(run_of("disk", *DISK, phases, at={"lambda": 0.5}))
    whole = finetune(run, base, method=method)
    assert states
    for state in tuple(states):  # which goes on filling
        assert_same(whole, finetune(replace(run, state=state), base, method=method))


@pytest.mark.parametrize("phases", ["adam, lbfgs", "full, lotra twice", "pruned"])
def test_powers_which_train_in_another_basis_go_on_too(phases):
    later = PHASES[phases].replace("functions: 5", "functions: 7")
    run, states = with_states(run_of("disk", *DISK, *TAYLOR, f"training.phases={later}"))
    whole = pretrain(run)
    assert states
    for state in tuple(states):  # which goes on filling
        assert_same(whole, pretrain(replace(run, state=state)))


def test_networks_side_by_side_go_on_from_every_state():
    small = ["points={interior: 60, held_out: 40}", "network.hidden=[5, 4]", "network.separate=[[u, v], p]"]
    phases = f"training.phases=[{LM}, {LOTRA}, {{optimizer: adam, steps: 2}}]"
    run, states = with_states(run_of(load_problem("kovasznay", overrides=[*small, phases])))
    whole = pretrain(run)
    assert len(whole.coefficients()) == 6
    assert len(states) == whole.steps
    for state in tuple(states)[::3]:  # which goes on filling
        assert_same(whole, pretrain(replace(run, state=state)))
    tuning = "finetuning={steps: 3}"
    run, states = with_states(run_of(load_problem("kovasznay", overrides=[*small, tuning]), at={"Re": 45}))
    base = whole.coefficients()
    whole = finetune(run, base, method="lotra")
    assert states
    for state in (states[0], states[-1]):
        assert_same(whole, finetune(replace(run, state=state), base, method="lotra"))


def test_an_adapter_whose_ranks_grow_goes_on_from_every_state():
    sizes = ["network.hidden=[10, 10]", "points.interior=60"]
    phases = "finetuning.phases=[{optimizer: adam, steps: 1}, {optimizer: lm, steps: 2}]"
    base = pretrain(run_of("disk", *sizes, "training.steps=3")).coefficients()
    run, states = with_states(run_of("disk", *sizes, "adapter.compression=auto", phases, at={"lambda": 0.5}))
    whole = finetune(run, base, method="lotra")
    assert max(state.phase for state in states) >= 2
    for state in tuple(states):  # which goes on filling
        assert_same(whole, finetune(replace(run, state=state), base, method="lotra"))


def test_no_state_is_offered_after_the_step_that_ends_a_phase():
    """Whoever went on from there would take a step more than a training in one go."""
    run, states = with_states(run_of("poisson", "training.residual_below=0.1"))
    whole = pretrain(run)
    assert whole.outcome.reason == "converged"
    assert len(states) == whole.steps - 1
    assert_same(whole, pretrain(replace(run, state=states[-1])))


def test_seconds_go_on_and_the_time_limit_counts_all_of_them():
    run, states = with_states(run_of("poisson", "training.steps=3"))
    pretrain(run)
    late = replace(states[0], seconds=1000.0)
    assert 1000.0 < pretrain(replace(run, state=late)).seconds < 1010.0
    stopped = pretrain(replace(run, state=late, time_limit=999.0))
    assert (stopped.outcome.reason, stopped.steps) == ("time_limit", 2)


def test_an_adapter_may_start_from_another_theta():
    base = pretrain(run_of("disk", *DISK, "training.steps=2")).coefficients()
    run = run_of("disk", *DISK, "finetuning.steps=4", at={"lambda": 0.5})
    first = finetune(run, base, method="lotra")
    second = finetune(run, base, method="lotra", start=lambda parameters: first.theta)
    assert second.history[0].loss < first.history[-1].loss

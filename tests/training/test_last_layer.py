"""Phases in which the last layer alone moves: what stays, what one solve reaches, where they are refused."""

from __future__ import annotations

import pytest
import torch
from small_problems import problem, run_of, start_of

from pinnkan.ground.errors import UsageError
from pinnkan.networks.adapters import Frozen, Full, Sparse, last_layer
from pinnkan.physics.residuals.least_squares import NetworkLeastSquares
from pinnkan.training import finetune, pretrain

SOLVE = "{form: last_layer, optimizer: gauss_newton, steps: 3}"
LINEAR = {"equations": "equations: [-u_xx + u = source]"}


def phases(*texts: str) -> str:
    return f"training.phases=[{', '.join(texts)}]"


def test_one_solve_is_the_least_squares_solution_of_a_linear_equation():
    run = run_of(problem("poisson", phases(SOLVE), **LINEAR))
    network, coefficients, sets = start_of(run)
    least_squares = NetworkLeastSquares(network, last_layer(coefficients), sets)
    size, theta = least_squares.size, torch.zeros(least_squares.size, dtype=torch.float64)
    start = least_squares.residuals(theta)
    columns = [least_squares.residuals(unit) - start for unit in torch.eye(size, dtype=torch.float64)]
    solution = torch.linalg.lstsq(torch.stack(columns, dim=1), -start[:, None], driver="gelsd")
    best = float((torch.stack(columns, dim=1) @ solution.solution[:, 0] + start).square().sum())

    trained = pretrain(run)
    assert trained.history[0].loss == pytest.approx(best, rel=1e-6, abs=1e-18)
    # The first solve led where its model said: a second would find nothing to add.
    assert (trained.outcome.reason, trained.steps) == ("stalled", 1)
    assert torch.equal(trained.coefficients()[0], coefficients[0])
    assert not torch.equal(trained.coefficients()[1], coefficients[1])
    assert trained.trainable == size == 64
    assert trained.history[0].phase == "gauss_newton (last_layer)"


@pytest.mark.parametrize(
    ("name", "settings", "moves"),
    [
        ("heat", [], [2]),
        ("system", ["network.separate=[[u], [v]]"], [2, 5]),
        ("heat", ["network.kind=mlp"], [2]),
        ("heat", ["network.kind=slim"], [2]),
    ],
)
def test_nothing_but_the_last_layer_of_every_chain_moves(name, settings, moves):
    phase = "{form: last_layer, steps: 2}" if "network.kind=slim" not in settings else SOLVE
    trained = pretrain(run_of(name, phases(phase), *settings))
    kinds = [type(layer) for layer in trained.parameters.layers]
    assert kinds == [Full if depth in moves else Frozen for depth in range(len(kinds))]


def test_what_was_pruned_stays_pruned():
    first, second = "{steps: 3}", "{steps: 1, prune: 0.5}"
    trained = pretrain(run_of("heat", phases(first, second, SOLVE)))
    assert isinstance(trained.parameters.layers[-1], Sparse)
    last = trained.coefficients()[-1]
    assert bool((last == 0).all(dim=2).any())


def test_a_polish_on_more_points_lowers_the_held_out_residual():
    polish = "{form: last_layer, optimizer: gauss_newton, steps: 1, points: 1000}"
    history = pretrain(run_of("heat", phases("{steps: 6}", polish))).history
    assert [report.phase for report in history[5:7]] == ["lm", "gauss_newton (last_layer)"]
    assert history[6].held_out < 0.9 * history[5].held_out


def test_a_slim_phase_after_a_last_layer_is_refused():
    text = phases("{form: last_layer, steps: 1}", "{form: slim, steps: 1}")
    with pytest.raises(UsageError, match="found a slim phase after a last_layer one"):
        pretrain(run_of("heat", text))


def test_an_adapter_has_no_form_of_its_own():
    run = run_of("heat", "finetuning.phases=[{form: last_layer, steps: 1}]")
    with pytest.raises(UsageError, match="finetuning: last_layer is for pre-training alone"):
        finetune(run, [], method="lotra")


def test_the_factors_of_an_adapter_are_solved_for_in_turn():
    """From the output to the input: the last layer in full, the four factors of the hidden one, the first."""
    settings = ["training.steps=20", "points.interior=150", "adapter.compression=0.5"]
    base = pretrain(run_of("heat", *settings)).coefficients()
    polish = "{optimizer: gauss_newton, alternating: true, steps: 6, points: 600}"
    tuned = f"finetuning.phases=[{{steps: 4}}, {polish}]"
    trained = finetune(run_of("heat", *settings, tuned, at={"kappa": 0.3}), base, method="lotra")
    widths = [int(report.note.split(" of ")[1].split(",")[0]) for report in trained.history[4:]]
    tucker = [part.numel() for part in reversed(trained.parameters.layers[1].initial)]
    assert widths == [50, *tucker, 100]
    before, after = trained.history[3], trained.history[-1]
    assert after.held_out < 0.8 * before.held_out, (before, after)

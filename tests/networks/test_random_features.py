"""Random features: how they are drawn, that they stay, what is solved for, and what is refused by name."""

from __future__ import annotations

import pytest
import torch
from small_problems import TEXTS, run_of

from pinnkan.ground.errors import ProblemError, UsageError
from pinnkan.language.problem import load_problem
from pinnkan.language.settings.idle_keys import idle_keys
from pinnkan.networks.adapters import Frozen, Full
from pinnkan.networks.random_features import RandomLayer
from pinnkan.training import finetune, pretrain

RANDOM = "network={kind: random, hidden: [60]}"
HEAT = TEXTS["heat"].replace("network: {hidden: [10, 10], functions: 5}", "network: {kind: random}")


def relative_l2(run, trained) -> float:
    from pinnkan.solutions.solution import Solution

    points = run.instance.domain.uniform(500, 1)
    values = torch.from_numpy(Solution(run.instance, trained.network, trained.coefficients())(points)[0])
    exact = torch.from_numpy(run.instance.exact(points)["u"])
    return float((values - exact).norm() / exact.norm())


def test_slopes_centres_and_directions_are_spread_evenly():
    layer = RandomLayer(2, 4000, squash=False, bandwidth=6.0)
    drawn = layer.initial(torch.Generator().manual_seed(0))
    weights, bias = drawn[:2], drawn[2]
    slopes = weights.norm(dim=0)
    assert float(slopes.max()) <= 6.0
    shares = [float((slopes < level).double().mean()) for level in (1.5, 3.0, 4.5)]
    assert shares == pytest.approx([0.25, 0.5, 0.75], abs=0.03)
    angles = torch.atan2(weights[1], weights[0])
    assert float(torch.exp(1j * angles).mean().abs()) < 0.05
    # A neuron changes sign where its argument is 0: at a distance of bias / slope from the middle.
    away = bias / slopes
    assert float(away.abs().max()) < 2**0.5
    assert float(away.mean()) == pytest.approx(0.0, abs=0.05)
    # Variance of d . c for a unit d and c uniform in [-1, 1]^2.
    assert float(away.square().mean()) == pytest.approx(1 / 3, rel=0.1)


def test_a_linear_and_a_nonlinear_problem_are_solved_by_the_last_layer():
    for name, limit in (("poisson", 1e-8), ("heat", 2e-4)):
        run = run_of(name, RANDOM, "training={precision: full}", "points.interior=400")
        trained = pretrain(run)
        assert relative_l2(run, trained) < limit
        assert [type(layer) for layer in trained.parameters.layers] == [Frozen, Full]
        assert trained.trainable == 61
        assert {report.phase for report in trained.history} == {"gauss_newton"}


@pytest.mark.parametrize("method", ["lotra", "full"])
def test_an_adapter_is_the_last_layer(method):
    settings = (RANDOM, "training={precision: full}", "finetuning={precision: full}", "points.interior=200")
    base = pretrain(run_of("poisson", *settings)).coefficients()
    run = run_of("poisson", *settings, at={"lambda": 1.0})
    trained = finetune(run, base, method=method)
    assert relative_l2(run, trained) < 1e-8
    assert torch.equal(trained.coefficients()[0], base[0])
    assert trained.parameters.size == 61


def test_what_is_left_out_is_chosen_to_match():
    """Neurons by the number of coordinates, four residuals a neuron; stated points have neurons to match."""
    settings = load_problem(HEAT).settings
    assert (settings.network.hidden, settings.network.of_kind.bandwidth) == ((25,), 4.0)
    text = HEAT.replace("points: {interior: 100, boundary: 12, initial: 12, held_out: 60}\n", "")
    settings = load_problem(text).settings
    assert (settings.network.hidden, settings.points.interior) == ((800,), 3204)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("network.hidden=[30, 20]", r"network.hidden: a network of random features has one hidden layer.*"),
        ("network.bandwidth=-1", "network.bandwidth: expected at least 0, got"),
    ],
)
def test_the_file_is_refused_where_it_cannot_be(text, message):
    with pytest.raises(ProblemError, match=message):
        load_problem(HEAT, overrides=[text])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "training.form=slim",
            "training.form: a network of random features keeps its hidden .*; found slim;",
        ),
        ("training.form=lotra", "found lotra; leave the key out or use a KAN"),
        ("training.prune=0.1", "training.prune: the first phase has nothing to prune yet"),
        ("training.functions=9", "functions: a network of random features has no basis functions to refine"),
        ("training.sparsity=1", "sparsity: this network has no functions on its edges; use a KAN"),
        ("adapter.layers=all", "adapter.layers: an adapter of a network of random features changes its last"),
    ],
)
def test_what_needs_functions_on_edges_is_refused_by_name(text, message):
    run = run_of("heat", RANDOM, "points.interior=80", text)
    with pytest.raises(UsageError, match=message):
        finetune(run, pretrain(run).coefficients(), method="lotra")


def test_a_bandwidth_of_another_kind_changes_nothing_and_says_so():
    settings = load_problem(TEXTS["heat"], overrides=["network.bandwidth=2"]).settings
    assert "network.bandwidth changes nothing: the network is not of kind random" in idle_keys(
        settings, "training"
    )

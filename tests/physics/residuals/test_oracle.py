"""Jets against nested autograd: residuals, gradients, Jacobians, and what training makes of them."""

from __future__ import annotations

import pytest
import torch
from small_problems import TEXTS, run_of, start_of

from pinnkan.networks.adapters import Full, Parametrisation
from pinnkan.physics.residuals.least_squares import NetworkLeastSquares
from pinnkan.physics.residuals.oracle import AutogradLeastSquares
from pinnkan.training import finetune, pretrain
from pinnkan.training.adapters import Plan, attach

PLANS = {"full": None, "paper": Plan(compression=0.5), "all": Plan("all", compression=0.4)}


def pair(name: str, plan: str) -> tuple[NetworkLeastSquares, AutogradLeastSquares, torch.Tensor]:
    """Return both ways to the same residuals, and a theta away from birth."""
    network, coefficients, sets = start_of(run_of(name))
    whole = Parametrisation([Full(c) for c in coefficients])
    fast = NetworkLeastSquares(network, whole, sets, chunk=17)
    generator = torch.Generator().manual_seed(1)
    parameters = whole
    if PLANS[plan] is not None:
        adjoints = fast.adjoints(whole.start())
        parameters = attach(coefficients, PLANS[plan], adjoints=adjoints, generator=generator)
        fast = NetworkLeastSquares(network, parameters, sets, chunk=17)
    theta = parameters.start()
    theta += 0.05 * torch.randn(len(theta), generator=generator, dtype=torch.float64)
    return fast, AutogradLeastSquares(network, parameters, sets, chunk=13), theta


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("name", TEXTS)
def test_jets_agree_with_nested_autograd(name, plan):
    fast, slow, theta = pair(name, plan)
    residuals = slow.residuals(theta)
    assert fast.residuals(theta) == pytest.approx(residuals, rel=1e-9, abs=1e-12)
    terms = fast.terms(fast.residuals(theta))
    assert terms == pytest.approx(slow.terms(residuals), rel=1e-9, abs=1e-12)
    (loss, gradient), (slow_loss, slow_gradient) = fast.gradient(theta), slow.gradient(theta)
    assert loss == pytest.approx(slow_loss, rel=1e-12)
    scale = float(slow_gradient.abs().max())
    torch.testing.assert_close(gradient, slow_gradient, rtol=0, atol=1e-9 * scale)
    jacobian = slow.linearise(theta)
    (rows,) = jacobian.blocks
    explicit, scale = rows.matrix, float(rows.matrix.abs().max())
    linearised = fast.linearise(theta)
    steps = torch.randn(5, fast.size, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    for step in steps:
        torch.testing.assert_close(linearised.push(step), explicit @ step, rtol=0, atol=1e-9 * scale)
    gram = fast.count >= fast.size
    square = explicit.T @ explicit if gram else explicit @ explicit.T
    product = linearised.gram() if gram else linearised.kernel()
    torch.testing.assert_close(product, square, rtol=0, atol=1e-9 * float(square.abs().max()))
    torch.testing.assert_close(2 * jacobian.pull(residuals), slow_gradient, rtol=1e-9, atol=1e-12)
    for columns in (slice(0, fast.size), slice(fast.size // 3, fast.size), slice(fast.size - 2, fast.size)):
        for way in (fast, slow):
            count = 0
            for place, rows, part in way.row_blocks(theta, columns):
                torch.testing.assert_close(rows, explicit[place, columns], rtol=0, atol=1e-9 * scale)
                torch.testing.assert_close(part, residuals[place], rtol=1e-9, atol=1e-12)
                count += len(part)
            assert count == fast.count


@pytest.mark.parametrize(("name", "more_points"), [("system", True), ("large system", False)])
def test_points_that_sets_share_are_pushed_forward_once(name, more_points, monkeypatch):
    """Both forms of the Jacobian of two unknowns; the equations of a system hold on the same points."""
    fast, _, theta = pair(name, "full")
    assert (fast.count >= fast.size) == more_points
    points, push = [], fast.network.push

    def counted(at, *arguments, **options):
        points.append(len(at))
        return push(at, *arguments, **options)

    monkeypatch.setattr(type(fast.network), "push", lambda _, *given, **named: counted(*given, **named))
    for work in (fast.residuals, fast.gradient, fast.linearise):
        points.clear()
        work(theta)
        assert sum(points) == sum({one.group: one.count for one in fast.sets}.values()) < fast.count
        assert max(points) <= 17


@pytest.mark.parametrize("optimizer", ["lm", "lbfgs", "adam"])
def test_both_train_the_same_base(optimizer):
    settings = ["training.steps=4", f"training.optimizer={optimizer}", "points.interior=15"]
    fast = pretrain(run_of("poisson", *settings))
    slow = pretrain(run_of("poisson", *settings, "network.derivatives=autograd"))
    torch.testing.assert_close(fast.theta, slow.theta, rtol=1e-6, atol=1e-8)
    assert fast.rms.held_out == pytest.approx(slow.rms.held_out, rel=1e-6)
    assert fast.history[-1].terms == pytest.approx(slow.history[-1].terms, rel=1e-6)


def test_both_train_the_same_adapter():
    settings = ["finetuning.steps=3", "network.hidden=[5, 5]", "network.functions=4", "points.interior=15"]
    base = pretrain(run_of("poisson", *settings, "training.steps=5")).coefficients()
    fast = finetune(run_of("poisson", *settings, at={"lambda": 1.0}), base, method="lotra")
    oracle = run_of("poisson", *settings, "network.derivatives=autograd", at={"lambda": 1.0})
    slow = finetune(oracle, base, method="lotra")
    torch.testing.assert_close(fast.theta, slow.theta, rtol=1e-6, atol=1e-8)


def test_a_derivative_that_vanishes_is_zero():
    """Two Taylor functions and one layer make a linear network: u_xx = 0 by no graph at all."""
    run = run_of("poisson", "network.hidden=[1]", "network.functions=2", "network.basis=taylor")
    network, coefficients, sets = start_of(run)
    network = type(network)(network.layers[:1], network.input_map)
    parameters = Parametrisation([Full(coefficients[0])])
    fast, slow = (
        NetworkLeastSquares(network, parameters, sets),
        AutogradLeastSquares(network, parameters, sets),
    )
    theta = parameters.start() + 1.0
    torch.testing.assert_close(fast.residuals(theta), slow.residuals(theta), rtol=1e-12, atol=1e-12)

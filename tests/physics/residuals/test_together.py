"""Residuals of several points each: integrals against nested autograd and against sums written out."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from small_problems import run_of, start_of

from pinnkan.language.problem import load_problem
from pinnkan.networks.adapters import Full, Parametrisation
from pinnkan.physics.residuals.least_squares import NetworkLeastSquares
from pinnkan.physics.residuals.oracle import AutogradLeastSquares
from pinnkan.physics.residuals.smoothing import SmoothedLeastSquares
from pinnkan.physics.residuals.sparsity import SparseLeastSquares
from pinnkan.physics.residuals.training_set import TrainingSet
from pinnkan.training.adapters import Plan, attach

TEXTS = {
    # One unknown, integrals that are not linear, one of a derivative.
    "eigenvalue": """
coordinates: [x]
domain: {shape: interval, x: [0, 1]}
unknowns: u
equations: ["u_xx = -pi^2*u"]
boundary: [u = 0]
constraints: ["integral(u^2) = 1/2", {equation: "mean(u_x*u + x) = 1/2", weight: 7, name: slope}]
network: {hidden: [4, 4], functions: 4}
points: {interior: 20, held_out: 15}
training: {steps: 5}
""",
    # Two unknowns in time, an integral and a value at every time.
    "in time": """
coordinates: [x]
time: {t: [0, 1]}
domain: {shape: interval, x: [0, 1]}
unknowns: [u, p]
equations: ["u_t + p_x = u_xx", "u_x = 0"]
boundary: [{on: left, equation: u = t}]
initial: [u = 0]
constraints: ["integral(p*u + p) = t", "p_x(1/4) = 2*t"]
network: {hidden: [4], functions: 4}
points: {interior: 30, boundary: 6, initial: 6, held_out: 20}
training: {steps: 5}
""",
}
# As large as that layers keep outer products where every residual is one point's.
TEXTS["wide"] = TEXTS["eigenvalue"].replace("[4, 4], functions: 4", "[24, 24], functions: 6")


def sets_of(name: str, keep: int | None = 10):
    """Return network, coefficients and sets; of an integral ``keep`` points a time, for nested autograd."""
    network, coefficients, sets = start_of(run_of(load_problem(TEXTS[name])))
    return network, coefficients, [thinned(own, keep) if keep and own.together > 1 else own for own in sets]


def thinned(own: TrainingSet, keep: int) -> TrainingSet:
    """Keep some points of every residual, their shares as they are: another weighted sum."""
    rows = torch.arange(own.count).view(-1, own.together)[:, :keep].flatten()
    return replace(own.chunk(rows), together=keep)


def theta_of(parameters: Parametrisation) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    start = parameters.start()
    return start + 0.05 * torch.randn(len(start), generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("adapter", [False, True], ids=["full", "lotra"])
@pytest.mark.parametrize("chunk", [4, 17, 512])
@pytest.mark.parametrize("name", TEXTS)
def test_integrals_agree_with_nested_autograd(name, chunk, adapter):
    network, coefficients, sets = sets_of(name)
    parameters = Parametrisation([Full(c) for c in coefficients])
    if adapter:
        adjoints = NetworkLeastSquares(network, parameters, sets).adjoints(parameters.start())
        plan, generator = Plan("all", compression=0.4), torch.Generator().manual_seed(3)
        parameters = attach(coefficients, plan, adjoints=adjoints, generator=generator)
    fast = NetworkLeastSquares(network, parameters, sets, chunk=chunk)
    slow = AutogradLeastSquares(network, parameters, sets, chunk=13)
    assert fast.count == slow.count == sum(own.residual_count for own in sets)
    theta = theta_of(parameters)
    residuals = slow.residuals(theta)
    torch.testing.assert_close(fast.residuals(theta), residuals, rtol=1e-10, atol=1e-12)
    (loss, gradient), (slow_loss, slow_gradient) = fast.gradient(theta), slow.gradient(theta)
    assert loss == pytest.approx(slow_loss, rel=1e-12)
    scale = float(slow_gradient.abs().max())
    torch.testing.assert_close(gradient, slow_gradient, rtol=0, atol=1e-10 * scale)
    explicit = slow.linearise(theta).blocks[0].matrix
    check_linearisation(fast, fast.linearise(theta), explicit)
    stacked = torch.cat([rows.sum(dim=0, keepdim=True) for rows in fast.output_gradients(theta)[-1:]])
    assert stacked.isfinite().all()


def check_linearisation(problem, linearised, explicit: torch.Tensor) -> None:
    scale = float(explicit.abs().max())
    step = torch.randn(problem.size, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(linearised.push(step), explicit @ step, rtol=0, atol=1e-9 * scale)
    y = torch.randn(problem.count, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    torch.testing.assert_close(linearised.pull(y), explicit.T @ y, rtol=0, atol=1e-9 * scale)
    square = explicit.T @ explicit if problem.count >= problem.size else explicit @ explicit.T
    product = linearised.gram() if problem.count >= problem.size else linearised.kernel()
    torch.testing.assert_close(product, square, rtol=0, atol=1e-9 * float(square.abs().max()))


@pytest.mark.parametrize("name", TEXTS)
def test_the_weight_of_an_integral_is_that_of_any_block(name):
    """The mean over the times of the square of (mean - right) / size, times the weight."""
    run = run_of(load_problem(TEXTS[name]))
    network, coefficients, sets = start_of(run)
    parameters = Parametrisation([Full(c) for c in coefficients])
    problem, theta = NetworkLeastSquares(network, parameters, sets), parameters.start()
    parts = torch.split(problem.residuals(theta), [own.residual_count for own in sets])
    blocks = {block.name: block for block in run.instance.blocks}
    weights = network.matrices(coefficients)
    for own, part in zip(sets, parts, strict=True):
        if own.together == 1:
            continue
        jet = network.push(own.points, weights, own.channels).output
        pointwise = own.residual.residual(own.data, own.unknowns(jet)).view(-1, own.together)
        shares = own.root_weights.view(-1, own.together)
        shares = shares / shares.sum(dim=1, keepdim=True)
        means = (pointwise * shares).sum(dim=1) / own.size
        block = blocks[own.name]
        drawn = run.instance.domain.collocate(block.where, 1)
        times = torch.from_numpy(drawn.residual_weights)
        assert float(part.square().sum()) == pytest.approx(
            block.weight * float((times * means.square()).sum())
        )
        assert problem.terms(problem.residuals(theta))[own.name] == pytest.approx(
            float((times * means.square()).sum()) ** 0.5
        )


@pytest.mark.parametrize("name", TEXTS)
def test_averaged_and_sparse_problems_keep_integrals_whole(name):
    network, coefficients, sets = sets_of(name)
    parameters = Parametrisation([Full(c) for c in coefficients])
    inner = NetworkLeastSquares(network, parameters, sets)
    theta = theta_of(parameters)
    smoothed = SmoothedLeastSquares(inner, network, 5)
    last = sum(own.residual_count for own in sets if own.together > 1)
    assert last
    plain = dict(zip([own.name for own in sets], inner.terms(inner.residuals(theta)).values(), strict=True))
    averaged = smoothed.terms(smoothed.residuals(theta))
    for own in sets:
        if own.together > 1:
            assert averaged[own.name] == pytest.approx(plain[own.name], rel=1e-12)
    linearised = smoothed.linearise(theta)
    # Of a wide network every 35th column is enough: no two of one row of a layer's weights.
    for column in range(0, len(theta), 7 if len(theta) < 1000 else 35):
        torch.testing.assert_close(
            linearised.push(unit(theta, column)), numerical(smoothed, theta, column), rtol=1e-5, atol=1e-6
        )
    sparse = SparseLeastSquares(inner, network, parameters, 0.1)
    own, whole = inner.gradient(theta), sparse.gradient(theta)
    penalty = sparse.penalty(theta)
    assert whole[0] == pytest.approx(own[0] + float(penalty.square().sum()))
    assert len(sparse.residuals(theta)) == sparse.count == inner.count + len(penalty)


def unit(theta: torch.Tensor, column: int) -> torch.Tensor:
    vector = torch.zeros_like(theta)
    vector[column] = 1.0
    return vector


def numerical(problem, theta: torch.Tensor, column: int) -> torch.Tensor:
    """Return a column of the Jacobian by central differences."""
    step = 1e-6 * unit(theta, column)
    return (problem.residuals(theta + step) - problem.residuals(theta - step)) / 2e-6

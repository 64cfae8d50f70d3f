"""Residuals tested against local averages: the operator S and every product with it."""

from __future__ import annotations

import pytest
import torch
from small_problems import run_of, start_of
from torch import Tensor

from pinnkan.networks.adapters import Full, Parametrisation
from pinnkan.physics.residuals.least_squares import NetworkLeastSquares
from pinnkan.physics.residuals.smoothing import SmoothedLeastSquares
from pinnkan.training import pretrain


def smoothed(name: str, neighbours: int, *overrides: str) -> tuple[SmoothedLeastSquares, Tensor]:
    network, coefficients, sets = start_of(run_of(name, *overrides))
    parameters = Parametrisation([Full(c) for c in coefficients])
    pointwise = NetworkLeastSquares(network, parameters, sets)
    step = torch.randn(parameters.size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return SmoothedLeastSquares(pointwise, network, neighbours), parameters.start() + 0.02 * step


def operator_of(problem: SmoothedLeastSquares) -> Tensor:
    """Return S as a dense matrix, (M', M)."""
    return problem._averages.matrix.to_dense()


@pytest.mark.parametrize("name", ["heat", "disk"])
def test_averages_keep_constants_and_leave_conditions_alone(name):
    """S maps sqrt(w) c to itself: each row of the average has weights that sum to 1."""
    problem, _ = smoothed(name, 9)
    roots = torch.cat([one.root_weights for one in problem.sets])
    matrix = operator_of(problem)
    torch.testing.assert_close(matrix @ roots, roots, rtol=1e-12, atol=0)
    start = problem.sets[0].count
    torch.testing.assert_close(matrix[start:, start:], torch.eye(problem.count - start, dtype=torch.float64))
    assert not matrix[:start, start:].any()
    assert not matrix[start:, :start].any()
    assert int((matrix[:start] != 0).sum(dim=1).max()) <= 9


def test_large_averages_are_fewer_than_points():
    """Every second point has one of 96 neighbours; a constant keeps its norm, each row is the formula's."""
    problem, _ = smoothed("heat", 96, "points.interior=220")
    interior, *conditions = problem.sets
    count, least = interior.count, sum(one.count for one in conditions)
    assert count >= 200
    averages = -(-count // 2)
    assert problem.count == averages + least < problem.inner.count == count + least
    matrix = operator_of(problem)[:averages, :count]
    root = interior.root_weights
    constant = matrix @ root
    assert float(constant.norm()) == pytest.approx(float(root.norm()), rel=1e-12)
    scale = float(root.norm() / root[::2].norm())
    torch.testing.assert_close(constant, scale * root[::2], rtol=1e-12, atol=0)

    row = 31
    at = 2 * row
    # Of x in [0, 1] and t in [0, 1] the network's input map makes [-1, 1].
    away = ((interior.points - interior.points[at]) / 0.5).norm(dim=1)
    near = away.argsort()[:96]
    g = torch.exp(-(away[near] ** 2) / (2 * (0.4 * away[near[-1]]) ** 2))
    w = root[near] ** 2
    expected = torch.zeros(count, dtype=torch.float64)
    expected[near] = 0.95 * root[at] * g * w / (g * w).sum() / root[near]
    expected[at] += 0.05
    torch.testing.assert_close(matrix[row], scale * expected, rtol=1e-10, atol=1e-14)


def test_averages_damp_what_oscillates():
    """A residual that changes sign from point to point shrinks to about the pointwise share of 5 %."""
    problem, _ = smoothed("poisson", 9)
    (one,) = problem.sets
    order = one.points[:, 0].argsort()
    signs = torch.empty(one.count, dtype=torch.float64)
    signs[order] = torch.tensor([1.0, -1.0], dtype=torch.float64).repeat(one.count)[: one.count]
    after = (operator_of(problem) @ (signs * one.root_weights)) / one.root_weights
    inner = order[8:-8]
    assert float(after[inner].abs().max()) < 0.1, after


def test_one_neighbour_is_pointwise():
    problem, theta = smoothed("disk", 1)
    torch.testing.assert_close(problem.residuals(theta), problem.inner.residuals(theta), rtol=1e-14, atol=0)


@pytest.mark.parametrize(("name", "hidden"), [("heat", "[1]"), ("heat", "[10, 10]"), ("disk", "[28, 28]")])
def test_products_with_the_jacobian(name, hidden):
    problem, theta = smoothed(name, 7, f"network.hidden={hidden}")
    matrix, inner = operator_of(problem), problem.inner.linearise(theta)
    identity = torch.eye(problem.count, dtype=torch.float64)
    jacobian = matrix @ torch.stack([inner.pull(row) for row in identity])
    linearised = problem.linearise(theta)
    generator = torch.Generator().manual_seed(1)
    step = torch.randn(problem.size, generator=generator, dtype=torch.float64)
    y = torch.randn(problem.count, generator=generator, dtype=torch.float64)

    def close(found: Tensor, expected: Tensor) -> None:
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-12 * float(expected.abs().max()))

    close(linearised.push(step), jacobian @ step)
    close(linearised.pull(y), jacobian.T @ y)
    if problem.count >= problem.size:
        close(linearised.gram(), jacobian.T @ jacobian)
    else:
        close(linearised.kernel(), jacobian @ jacobian.T)
    residuals = matrix @ problem.inner.residuals(theta)
    close(problem.residuals(theta), residuals)
    ((_, rows, beside),) = problem.row_blocks(theta, slice(1, problem.size))
    close(rows, jacobian[:, 1:])
    close(beside, residuals)
    loss, gradient = problem.gradient(theta)
    assert loss == pytest.approx(float(residuals @ residuals), rel=1e-12)
    close(gradient, 2 * jacobian.T @ residuals)
    assert list(problem.terms(residuals)) == [one.name for one in problem.sets]


def test_training_against_averages_learns():
    settings = ["training.steps=20", "training.smoothing=8", "points.interior=60"]
    trained = pretrain(run_of("poisson", *settings))
    assert trained.history[-1].loss < 1e-6 * trained.history[0].loss

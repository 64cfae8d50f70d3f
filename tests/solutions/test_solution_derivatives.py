"""A solution and its derivatives: ansatz included, anywhere, in chunks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from combinations import squares
from small_problems import TEXTS, run_of, start_of

from pinnkan.geometry import BoundaryPart
from pinnkan.ground.derivatives import Derivative
from pinnkan.solutions.solution import Solution


def solution_of(name: str, **at: float) -> Solution:
    run = run_of(name, at=at)
    network, coefficients, _ = start_of(run)
    return Solution(run.instance, network, coefficients)


@pytest.mark.parametrize("name", TEXTS)
def test_derivatives_are_difference_quotients(name):
    solution = solution_of(name)
    points = solution.instance.domain.uniform(20, 0)
    dimension = points.shape[1]
    for axis in range(dimension):
        unit = tuple(int(axis == other) for other in range(dimension))
        twice = tuple(2 * entry for entry in unit)
        step = 1e-4 * np.eye(dimension)[axis]
        right, here, left = (solution(points + k * step) for k in (1, 0, -1))
        unknowns = range(len(solution.instance.problem.unknowns))
        first, second = (
            solution.derivatives(points, [Derivative(unknown, index) for unknown in unknowns])
            for index in (unit, twice)
        )
        assert right.shape == first.shape == (len(unknowns), len(points))
        assert (right - left) / 2e-4 == pytest.approx(first, rel=1e-5, abs=1e-5)
        assert (right - 2 * here + left) / 1e-8 == pytest.approx(second, rel=1e-4, abs=1e-4)


def test_a_collapsed_channel_is_its_sum():
    solution = solution_of("disk", **{"lambda": 1.0})
    points = solution.instance.domain.uniform(20, 0)
    keys = [(2, 0), (0, 2), squares((1.0, -3.0))]
    xx, yy, collapsed = solution.derivatives(points, [Derivative(0, key) for key in keys])
    assert collapsed == pytest.approx(xx - 3 * yy, rel=1e-12, abs=1e-12)


def test_hard_conditions_hold_whatever_the_network():
    solution = solution_of("disk", **{"lambda": 0.7})
    circle = solution.instance.domain.collocate(BoundaryPart("all"), 50).points
    exact = solution.instance.exact(circle)
    assert list(exact) == ["u"]
    assert solution(circle) == pytest.approx(exact["u"][None], abs=1e-12)


@pytest.mark.parametrize("name", TEXTS)
def test_its_residual_is_the_one_that_is_trained(name):
    run = run_of(name)
    network, coefficients, sets = start_of(run)
    solution = Solution(run.instance, network, coefficients)
    weights = network.matrices(coefficients)
    for block, one in zip(run.instance.blocks, sets, strict=True):
        jet = network.push(one.points, weights, one.channels).output
        trained = (one.weighted(jet) / one.root_weights * one.size).numpy()
        normals = None
        if isinstance(block.where, BoundaryPart):
            drawn = run.instance.domain.collocate(block.where, one.count, rule="quadrature", seed=0)
            normals = drawn.normals
        found = solution.residual(block, one.points.numpy(), normals)
        assert found == pytest.approx(trained, rel=1e-10, abs=1e-10)


def test_chunks_and_no_points(monkeypatch):
    solution = solution_of("heat")
    points = solution.instance.domain.uniform(50, 0)
    whole = solution(points)
    monkeypatch.setattr("pinnkan.solutions.solution._CHUNK", 7)
    assert solution(points) == pytest.approx(whole, rel=1e-14)
    assert solution(points[:0]).shape == (1, 0)


def test_every_unknown_is_its_own_ansatz_of_its_own_output():
    """u_k = lift_k + factor_k N_k, by the network's values alone."""
    solution = solution_of("system", a=0.7)
    instance, points = solution.instance, solution.instance.domain.uniform(30, 0)
    weights = solution.network.matrices(solution.coefficients)
    outputs = solution.network.values(torch.from_numpy(points), weights).numpy()
    assert outputs.shape == (30, 2)
    parts = [
        ansatz.lift.derivatives(points, [(0, 0)])[0] + ansatz.factor(points, [(0, 0)])[0] * outputs[:, k]
        for k, ansatz in enumerate(instance.ansatzes)
    ]
    assert solution(points) == pytest.approx(np.stack(parts), rel=1e-13, abs=1e-13)
    named = solution.named(points)
    assert list(named) == ["u", "v"]
    assert np.array_equal(np.stack(list(named.values())), solution(points))
    # Only v starts hard; at the start the network has nothing to say of it.
    start = np.column_stack([np.zeros(5), np.linspace(-1, 2, 5)])
    assert solution(start)[1] == pytest.approx(0.7 * start[:, 1] + 1, rel=1e-13)
    assert solution(start)[0] != pytest.approx(np.sin(start[:, 1]), rel=1e-3)


def test_derivatives_of_unknowns_come_in_the_order_that_is_asked():
    solution = solution_of("system")
    points = solution.instance.domain.uniform(10, 0)
    asked = [Derivative(1, (0, 2)), Derivative(0, (0, 0)), Derivative(1, (0, 0)), Derivative(0, (0, 2))]
    together = solution.derivatives(points, asked)
    alone = np.concatenate([solution.derivatives(points, [one]) for one in asked])
    assert together == pytest.approx(alone, rel=1e-13, abs=1e-13)
    assert len({tuple(row) for row in together.round(9).tolist()}) == 4


def test_no_ansatz_means_no_blend():
    run = run_of("mixed", "scales=none")
    _, _, sets = start_of(run)
    assert run.instance.ansatzes[0].blended(np.zeros((1, 2)), sets[0].channels) == (None, None)
    assert sets[0].blends == (None,)
    jet = torch.randn(len(sets[0].channels), 3, 1, dtype=torch.float64)
    positions = [channel for _, channel in sets[0].reads]
    assert torch.equal(sets[0].unknowns(jet), jet[positions, :, 0])

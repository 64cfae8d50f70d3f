"""Points drawn from a pool by the residual: sums keep their expected value, and weights are bounded."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small_problems import run_of, start_of

from pinnkan.networks.adapters import Full, Parametrisation
from pinnkan.physics.residuals.least_squares import NetworkLeastSquares
from pinnkan.physics.residuals.residual_points import POOL, inclusion, selections_by_residual, systematic
from pinnkan.physics.residuals.training_sets import training_sets

SIZES = {
    "even": lambda x: np.ones_like(x),
    "layer": lambda x: np.exp(-((x - 0.7) ** 2) / 1e-4) + 1e-9,
    "spike": lambda x: np.where(np.arange(len(x)) == 7, 1e12, 1.0),
    "zero": np.zeros_like,
    "half zero": lambda x: np.where(x < 0.5, 0.0, x),
    "infinite": lambda x: np.where(np.arange(len(x)) == 3, np.inf, 1.0),
    "nan": lambda x: np.full_like(x, np.nan),
}
COUNTS = {"one": (50, 1), "a tenth": (1000, 100), "most": (40, 39), "all": (40, 40), "more": (5, 9)}


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("count", COUNTS)
def test_inclusions_are_probabilities_with_bounded_weights(sizes, count):
    pool, wanted = COUNTS[count]
    x, weights = np.linspace(0, 1, pool), np.random.default_rng(1).uniform(0.5, 1.5, pool)
    weights /= weights.sum()
    shares = inclusion(weights, SIZES[sizes](x), wanted)
    assert shares.sum() == pytest.approx(min(wanted, pool))
    assert (shares > 0.0).all()
    assert shares.max() <= 1.0 + 1e-12
    # A kept point weighs at most twice what it would among as many even ones.
    assert (weights / shares).max() <= max(2.0 / wanted, weights.max()) * (1 + 1e-9)


def test_systematic_draws_have_the_count_and_the_frequencies_that_were_asked_for():
    shares = np.random.default_rng(0).uniform(0.0, 1.0, 60)
    shares *= 20 / shares.sum()
    shares = np.minimum(shares, 1.0)
    rng, drawn = np.random.default_rng(5), np.zeros(60)
    for _ in range(4000):
        places = systematic(shares, rng)
        assert abs(len(places) - shares.sum()) < 1
        assert len(set(places)) == len(places)
        drawn[places] += 1
    assert np.abs(drawn / 4000 - shares).max() < 0.035  # four standard deviations of a share of 1/2


def kept_by_residual(pool, residuals, rng):
    selections = selections_by_residual(pool, residuals, rng)
    return [selection.of(own) for selection, own in zip(selections, pool, strict=True)]


@pytest.mark.parametrize("name", ["heat", "system", "disk"])
def test_sums_of_squares_keep_their_expected_value_whatever_the_residual_is_of(name):
    """Drawn by one theta's residual, the mean square at another theta is estimated without a bias."""
    run = run_of(name, "points.rule=sobol", "points.interior=400", "points.boundary=60", "points.initial=60")
    network, coefficients, _ = start_of(run)
    whole = Parametrisation([Full(c) for c in coefficients])
    pool = training_sets(run.instance, run.settings.points, seed=0, variant=0)
    theta = whole.start()
    other = theta + 0.3 * torch.randn(len(theta), generator=torch.Generator().manual_seed(1)).to(theta)
    residuals = NetworkLeastSquares(network, whole, pool).residuals(theta)
    expected = NetworkLeastSquares(network, whole, pool).terms(
        NetworkLeastSquares(network, whole, pool).residuals(other)
    )
    rng, squares = np.random.default_rng(2), []
    for _ in range(100):
        kept = kept_by_residual(pool, residuals, rng)
        problem = NetworkLeastSquares(network, whole, kept)
        parts = torch.split_with_sizes(problem.residuals(other), [own.residual_count for own in kept])
        squares.append([float(part.square().sum()) for part in parts])
        assert [own.count for own in kept] == [own.count // POOL for own in pool]
    found, spread = np.mean(squares, axis=0), np.std(squares, axis=0) / 10
    wanted = [expected[own.name] ** 2 * own.total_weight for own in pool]
    assert (np.abs(found - wanted) < 4.5 * spread + 1e-12).all(), (found, wanted, spread)


def test_points_lie_where_the_residual_is_and_share_them():
    run = run_of("system", "points.rule=sobol", "points.interior=2000")
    _, _, _ = start_of(run)
    pool = training_sets(run.instance, run.settings.points, seed=0, variant=0)
    interior = [own for own in pool if own.interior]
    residuals = torch.cat(
        [own.root_weights * torch.exp(-(((own.points[:, 1] - 1.0) / 0.1) ** 2)) for own in interior]
    )
    first, second = kept_by_residual(interior, residuals, np.random.default_rng(0))
    assert torch.equal(first.points, second.points)
    near = float(((first.points[:, 1] - 1.0).abs() < 0.2).double().mean())
    assert 0.45 < near < 0.65  # half of the points are spread evenly, and 0.13 of them lie there

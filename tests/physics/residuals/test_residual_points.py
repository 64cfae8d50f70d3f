"""Points drawn by the residual beside even ones: sums keep their expected value, and weights are bounded."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_problems import run_of, start_of

from pinnkan.networks.adapters import Full, Parametrisation
from pinnkan.physics.residuals.least_squares import NetworkLeastSquares
from pinnkan.physics.residuals.residual_points import (
    Candidates,
    drawn,
    inclusion,
    selections_by_residual,
    systematic,
)
from pinnkan.physics.residuals.training_sets import training_sets

SIZES = {
    "even": lambda x: np.ones_like(x),
    "layer": lambda x: np.exp(-((x - 0.7) ** 2) / 1e-4) + 1e-9,
    "spike": lambda x: np.where(np.arange(len(x)) % 50 == 7, 1e12, 1.0),
    "zero": np.zeros_like,
    "few": lambda x: np.where(np.abs(x - 0.5) < 0.01, 1.0, 0.0),
    "half zero": lambda x: np.where(x < 0.5, 0.0, x),
    "infinite": lambda x: np.where(np.arange(len(x)) == 3, np.inf, 1.0),
    "nan": lambda x: np.full_like(x, np.nan),
}


@pytest.mark.parametrize("even", [1, 50])
@pytest.mark.parametrize("sizes", SIZES)
def test_every_point_once_and_none_heavier_than_among_the_even_ones(sizes, even):
    rng = np.random.default_rng(1)
    parts = [rng.uniform(0.9, 1.1, count) for count in (even, 20 * even)]
    weights = np.concatenate([part / part.sum() for part in parts])
    x = np.concatenate([(np.arange(len(part)) + 0.5) / len(part) for part in parts])
    places, raised = drawn(weights, SIZES[sizes](x), even, rng)
    assert list(places[:even]) == list(range(even))
    assert len(set(places)) == len(places)
    assert even <= len(places) <= 2 * even + 1
    if sizes != "few":
        assert len(places) >= 2 * even - 1
    assert (raised > 0.0).all()
    assert raised.max() <= 1.25 / even
    assert raised.sum() == pytest.approx(1.0, abs=0.35 if even > 1 else 1.1)


def test_inclusions_are_probabilities_whose_sum_is_the_count():
    masses = np.random.default_rng(0).uniform(0, 1, 200) ** 8
    shares, slope = inclusion(masses, 60)
    assert shares.sum() == pytest.approx(60)
    assert shares == pytest.approx(np.minimum(1.0, slope * masses))
    assert 0 < (shares == 1.0).sum() < 60
    few = np.where(np.arange(50) < 3, 1.0, 0.0)
    assert inclusion(few, 10)[0].tolist() == few.tolist()


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


def candidates_of(run, seed: int) -> Candidates:
    points = run.settings.points
    pool = replace(
        points, interior=10 * points.interior, boundary=10 * points.boundary, initial=10 * points.initial
    )
    return Candidates.of(
        *(training_sets(run.instance, own, seed=seed, variant=v) for own, v in ((points, 0), (pool, 2)))
    )


@pytest.mark.parametrize("name", ["heat", "system", "disk"])
def test_sums_of_squares_keep_their_expected_value_whatever_the_residual_is_of(name):
    """Drawn by one theta's residual, the mean square at another theta is estimated without a bias."""
    run = run_of(name, "points.rule=sobol", "points.interior=60", "points.boundary=8", "points.initial=8")
    network, coefficients, _ = start_of(run)
    whole = Parametrisation([Full(c) for c in coefficients])
    theta = whole.start()
    other = theta + 0.3 * torch.randn(len(theta), generator=torch.Generator().manual_seed(1)).to(theta)
    squares, exact = [], []
    for seed in range(60):
        candidates = candidates_of(run, seed)
        pool = NetworkLeastSquares(network, whole, candidates.sets)
        selections = selections_by_residual(candidates, pool.residuals(theta), np.random.default_rng(seed))
        kept = [own.of(every) for own, every in zip(selections, candidates.sets, strict=True)]
        for sets, sums in ((kept, squares), (candidates.sets, exact)):
            problem = NetworkLeastSquares(network, whole, sets)
            parts = torch.split_with_sizes(problem.residuals(other), [own.residual_count for own in sets])
            sums.append([float(part.square().sum()) for part in parts])
    # Even points and pool together have the sum twice, where there is a pool.
    times = np.array([1.0 if every.count == even else 2.0 for every, even in _counted(candidates)])
    found, wanted = np.mean(squares, axis=0), np.mean(exact, axis=0) / times
    spread = np.std(squares, axis=0) / np.sqrt(60)
    assert (np.abs(found - wanted) < 4 * spread + 1e-9).all(), (found, wanted, spread)
    assert (spread < 0.1 * wanted).all()


def _counted(candidates: Candidates):
    return zip(candidates.sets, candidates.even, strict=True)


def test_points_lie_where_the_residual_is_and_equations_share_them():
    run = run_of("system", "points.rule=sobol", "points.interior=200")
    candidates = candidates_of(run, 0)
    residuals = torch.cat(
        [own.root_weights * torch.exp(-(((own.points[:, 1] - 1.0) / 0.1) ** 2)) for own in candidates.sets]
    )
    selections = selections_by_residual(candidates, residuals, np.random.default_rng(0))
    pairs = zip(selections, candidates.sets, strict=True)
    first, second = (own.of(every) for own, every in pairs if every.interior)
    assert torch.equal(first.points, second.points)
    assert first.count == 400
    near = float(((first.points[:, 1] - 1.0).abs() < 0.2).double().mean())
    assert 0.5 < near < 0.6  # half of the points are even, and 0.13 of them lie there; almost all others do

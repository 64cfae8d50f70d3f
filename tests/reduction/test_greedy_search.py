"""The greedy search with networks that are given instead of trained."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_reduced_model import CURVED, additive, bent, exactly, snapshots_of

from pinnkan.reduction import Range, ReducedModel, factor_of, leave_one_out
from pinnkan.reduction.calibration import MARGIN, Sample, predicted
from pinnkan.reduction.greedy import Search, search

TRAINING = np.linspace(0.5, 2.0, 64)[:, None]


def run(train, **options):
    _, snapshots = snapshots_of(CURVED, [exactly], [1.0])
    state, told = Search(snapshots, [Range("a", 0.5, 2.0)], TRAINING), []
    reason = search(state, lambda values: train(float(values[0])), report=told.append, **options)
    return reason, state, told


def test_a_family_of_two_dimensions_needs_the_two_ends():
    reason, state, told = run(exactly, tolerance=1e-8, most=5)
    assert reason == "tolerance"
    assert [float(v[0]) for v in state.snapshots.known] == [1.0, 2.0, 0.5]
    assert [point.adapters for point in told] == [0, 1, 2]
    assert told[0].worst_estimate is None
    assert told[-1].worst_residual < 1e-9 < told[0].worst_residual


def test_an_adapter_that_adds_nothing_ends_the_search():
    reason, state, _ = run(exactly, tolerance=0.0, most=5)
    assert (reason, state.adapters) == ("stalled", 2)


@pytest.fixture
def unsolvable(monkeypatch):
    """Make Gauss-Newton not end at parameter values between two bounds."""
    solve = ReducedModel.solve

    def between(low, high):
        def solved_elsewhere(model, values):
            found = solve(model, values)
            return replace(found, converged=found.converged & ~((low < values[:, 0]) & (values[:, 0] < high)))

        monkeypatch.setattr(ReducedModel, "solve", solved_elsewhere)

    return between


@pytest.mark.parametrize(("high", "unsolved"), [(1.0, 18), (1.9, 56)], ids=["a third", "most"])
def test_a_value_without_an_answer_is_not_within_the_tolerance(unsolvable, high, unsolved):
    unsolvable(0.55, high)
    reason, state, told = run(exactly, tolerance=1e-8, most=5)
    assert (reason, state.adapters) == ("stalled", 2)
    last = told[-1]
    assert (last.worst_estimate, last.worst_residual, last.unsolved) == (None, None, unsolved)
    assert 0.55 < last.at[0] < high
    assert (last.median_estimate is None) == (high == 1.9)


def test_a_prediction_that_did_not_end_calibrates_nothing(unsolvable):
    unsolvable(0.9, 1.1)
    _, snapshots = snapshots_of(CURVED, [bent, bent, bent], (0.5, 1.0, 2.0))
    assert predicted(snapshots, [0, 2], 1) is None
    assert [sample.values for sample in leave_one_out(snapshots, [0, 1, 2])] == [(0.5,), (2.0,)]


def test_the_search_ends_at_the_most_adapters_and_never_repeats_a_value():
    def slightly_wrong(value):
        (weights,) = additive(1.0, value**2)
        weights[1, 0, 1] = 1e-3 * np.sin(7 * value)
        weights[1, 0, 2] = 1e-3 * np.cos(5 * value)
        return [weights]

    reason, state, _ = run(slightly_wrong, tolerance=1e-9, most=3)
    assert (reason, state.adapters) == ("max_adapters", 3)
    known = [float(v[0]) for v in state.snapshots.known[1:]]
    assert sorted(known[:2]) == [0.5, 2.0]
    assert 0.5 + 0.4 * 1.5 / 3 <= known[2] <= 2.0 - 0.4 * 1.5 / 3


def test_the_factor_is_a_geometric_mean_with_a_margin():
    samples = [Sample((0.0,), 0.1, 0.4), Sample((1.0,), 0.1, 0.1), Sample((2.0,), 0.0, 0.0)]
    assert factor_of(samples) == pytest.approx(MARGIN * 2.0)
    assert factor_of(samples[2:]) is None


def test_leaving_one_out_needs_three():
    def other(value):
        (weights,) = exactly(value)
        weights[1, 0, 2] = 0.01 * value**3
        return [weights]

    _, snapshots = snapshots_of(CURVED, [other, other, other], (0.5, 1.2, 2.0))
    assert leave_one_out(snapshots, [0, 1]) == []
    samples = leave_one_out(snapshots, [0, 1, 2])
    assert [sample.values for sample in samples] == [(0.5,), (1.2,), (2.0,)]
    assert all(sample.difference > 0 and sample.residual > 0 for sample in samples)

"""A thinned model answers like the whole one; where it would not, the whole one stays."""

from __future__ import annotations

import numpy as np
import pytest
from test_reduced_model import CURVED, SOFT, bent, exactly, snapshots_of

from pinnkan.reduction import thinned

TRAINING = np.linspace(0.5, 2.0, 64)[:, None]


@pytest.mark.parametrize(
    ("text", "known"), [(CURVED, (0.5, 2.0)), (SOFT, (0.5, 1.1, 2.0))], ids=["hard", "soft"]
)
def test_few_rows_answer_like_all_of_them(text, known):
    _, snapshots = snapshots_of(text, [bent] * len(known), known)
    whole = snapshots.model(range(len(known)))
    small = thinned(whole, TRAINING, 1.0)
    assert sum(block.count for block in small.blocks) < 0.25 * whole.count
    assert small.count == whole.count
    values = np.linspace(0.51, 1.97, 23)[:, None]
    wanted, found = whole.solve(values), small.solve(values)
    assert found.residual == pytest.approx(wanted.residual, rel=0.02)
    assert found.norm == pytest.approx(wanted.norm, rel=0.02)
    gaps = np.linalg.norm(found.c - wanted.c, axis=1) / wanted.norm
    assert (gaps < 0.02 * wanted.residual).all(), gaps / wanted.residual


def test_weights_keep_the_measure_of_the_domain():
    _, snapshots = snapshots_of(CURVED, [bent, bent])
    small = thinned(snapshots.model([0, 1]), TRAINING, 1.0)
    assert small.blocks[0].place.weights.sum() == pytest.approx(1.0, rel=0.2)
    assert (small.blocks[0].place.weights >= 0).all()


def test_a_model_that_cannot_be_thinned_well_enough_stays_whole():
    _, snapshots = snapshots_of(CURVED, [bent, bent])
    whole = snapshots.model([0, 1])
    assert thinned(whole, TRAINING, 1e-12) is whole


def test_a_family_without_residuals_stays_whole_or_solves_alike():
    family, snapshots = snapshots_of(CURVED, [exactly, exactly])
    whole = snapshots.model([0, 1])
    small = thinned(whole, TRAINING, 1.0)
    c = small.solve(np.array([[1.3]])).c
    place = snapshots.places[0]
    exact = family.at(1.3).exact(place.points)["u"] * np.sqrt(place.weights)
    assert whole.weighted(np.array([[1.3]]), c)[0] == pytest.approx(exact, abs=1e-10)

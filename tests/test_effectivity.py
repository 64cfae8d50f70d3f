"""Estimates of errors against the errors: the kept rows of both halves."""

from __future__ import annotations

import statistics

import pytest
from effectivity import BAD, BLIND, CHOSEN, HELD_BACK, effectivity, names, read_rows

ROWS = read_rows()


def test_half_of_the_problems_are_held_back():
    chosen, held_back = set(names(CHOSEN)), set(names(HELD_BACK))
    assert not chosen & held_back
    assert len(chosen | held_back) >= 30
    assert len(held_back) >= 0.45 * len(chosen | held_back)
    assert {row.problem for row in ROWS if row.is_chosen} == chosen
    assert {row.problem for row in ROWS if not row.is_chosen} == held_back


@pytest.mark.parametrize("is_chosen", [True, False])
def test_estimates_are_the_errors_within_a_factor(is_chosen):
    """But for second solutions, which no residual tells from the first."""
    rows = [row for row in ROWS if row.is_chosen == is_chosen]
    ratios = {(row.problem, row.unknown, row.steps): row.estimate / row.error for row in rows if row.estimate}
    assert len(ratios) > 0.9 * len(rows)
    assert 0.5 < statistics.median(ratios.values()) < 3
    assert sum(0.2 <= ratio <= 10 for ratio in ratios.values()) >= 0.9 * len(ratios)
    blind = {row.problem for row in rows if row.error > BAD and row.estimate and row.estimate < BLIND}
    assert blind == ({"verdict radiating_fin"} if is_chosen else {"tried fin_square"})


def test_the_summary_counts():
    said = effectivity([(1e-3, 1e-3), (None, 1.0), (1e-3, 0.5), (3.0, 0.1)])
    assert said == (
        "estimates: 3 of 4; over the error 1.00 in the median, 33% within 0.2 to 10;"
        " errors above 0.1 estimated below 0.01: 1"
    )
    assert effectivity([(None, 1.0)]) == "estimates: 0 of 1"

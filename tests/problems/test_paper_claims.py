"""What the page of the studies says about the paper's claims: every count and ratio is that of the rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from statistics import median

import pytest
from paper_rows import PLACE, STUDIES, medians, rows_of

from pinnkan.studies.tables import number_text

FAMILIES, VALUES = ("elliptic", "Allen-Cahn", "hyperbolic"), (0.1, 1)
BASES = ("chebyshev", "legendre", "taylor", "fourier")
TUNED, WHOLE = ("1/2", "1/4", "1/8", "full"), ("full", "scratch")
RATES, RATIOS = ("LR-1", "LR-2", "LR-3", "LR-4"), ("1/2", "1/4", "1/8")
TRAINED = [(f, b) for f, b in product(FAMILIES, BASES) if (f, b) != ("hyperbolic", "chebyshev")]
"""In the paper's setting: the one left out does not train."""


def ends(values: Sequence[float]) -> str:
    low, high = (number_text(float(f"{value:.2g}")) for value in (min(values), max(values)))
    return f"{low} to {high}"


def in_the_paper_s_setting() -> list[str]:
    """LoTRA against full fine-tuning and training from scratch, KANs against the MLP."""
    error = medians("paper/paper", *PLACE)
    small = [(*place, m, v) for place, m, v in product(TRAINED, ("1/4", "1/8"), VALUES)]
    against = [error(*place) / error(*place[:2], "full", place[3]) for place in small]
    lower, higher = sum(one < 0.5 for one in against), sum(one > 2 for one in against)
    near = len(against) - lower - higher
    half = [error(f, b, "1/2", v) / error(f, b, "full", v) for (f, b), v in product(TRAINED, VALUES)]
    scratch = [error(*place[:2], "scratch", place[3]) / error(*place) for place in small]
    places = list(product(FAMILIES, WHOLE, VALUES))
    best = [error(f, "mlp", m, v) / min(error(f, b, m, v) for b in BASES) for f, m, v in places]
    beaten = sum(error(f, b, m, v) > error(f, "mlp", m, v) for f, m, v in places for b in BASES)
    untrained = [error("hyperbolic", "chebyshev", m, v) for m, v in product((*TUNED, "scratch"), VALUES)]
    mlp = [error("hyperbolic", "mlp", m, v) for m, v in product(WHOLE, VALUES)]
    rows = rows_of("paper/paper")
    lost = sum(row["status"] == "diverged" for row in rows)
    return [
        f"of {len(against)} errors {near} are within a factor of two of that of full fine-tuning, "
        f"{lower} are less than half of it and {higher} more than twice",
        f"{sum(one > 2 for one in half)} of {len(half)} are more than twice that of full fine-tuning",
        f"scratch has the larger error in {sum(one > 1 for one in scratch)} of {len(scratch)} comparisons "
        f"with 1/4 and 1/8, by a factor of {median(scratch):.2g} (median)",
        f"The best KAN beats it everywhere, by {ends(best)} times",
        f"in {beaten} of {len(places) * len(BASES)} comparisons it beats a KAN",
        f"Chebyshev does not train on the hyperbolic family, errors of {ends(untrained)}, "
        f"where the MLP comes to {ends(mlp)}",
        f"{lost} of {len(rows)} cells diverged",
    ]


def of_the_learning_rates() -> list[str]:
    """How often each strategy, and each ratio, ends at the lowest loss of all."""
    loss = medians("paper/rates", "family", "rates", "compression", "lambda", number="loss")
    places = list(product(FAMILIES, RATIOS, VALUES))
    by_rate = [min(RATES, key=lambda rate: loss(f, rate, c, v)) for f, c, v in places]
    hard = list(product(FAMILIES[1:], RATES, VALUES))
    by_ratio = [min(RATIOS, key=lambda c: loss(f, rate, c, v)) for f, rate, v in hard]
    return [
        ", ".join(f"{rate} in {by_rate.count(rate)}" for rate in RATES) + f" of {len(places)} comparisons",
        ", ".join(f"{c} in {by_ratio.count(c)}" for c in RATIOS) + f" of {len(hard)} comparisons",
    ]


def in_our_setting() -> list[str]:
    """Methods and networks, and how many errors are below 1e-4."""
    error = medians("paper/ours", *PLACE)
    tuned = [[error(f, b, m, v) for m in TUNED] for f, b, v in product(FAMILIES, BASES, VALUES)]
    spread = [max(one) / min(one) for one in tuned]
    places = list(product(FAMILIES, (*TUNED, "scratch"), VALUES))
    best = [min(BASES, key=lambda b: error(f, b, m, v)) for f, m, v in places]
    whole = list(product(FAMILIES, WHOLE, VALUES))
    mlp = [error(f, "mlp", m, v) / min(error(f, b, m, v) for b in BASES) for f, m, v in whole]
    beaten = sum(error(f, b, m, v) > error(f, "mlp", m, v) for f, m, v in whole for b in BASES)
    errors = [error(f, b, m, v) for f, m, v in places for b in BASES]
    errors += [error(f, "mlp", m, v) for f, m, v in whole]
    return [
        f"LoTRA at all ratios and full fine-tuning lie within a factor of {median(spread):.2g} of each other "
        f"(median over families, bases and λ; at most {max(spread):.2g})",
        f"Chebyshev is the best basis in {best.count('chebyshev')} of {len(best)} comparisons",
        f"an MLP has {ends(mlp)} times the error of the best KAN, "
        f"and in {beaten} of {len(whole) * len(BASES)} comparisons it beats a KAN",
        f"{sum(one < 1e-4 for one in errors)} of {len(errors)} medians are below 1e-4",
    ]


@pytest.mark.parametrize("said", [in_the_paper_s_setting, of_the_learning_rates, in_our_setting])
def test_the_page_says_what_the_rows_give(said: Callable[[], list[str]]):
    text = (STUDIES["paper/paper"].parent / "README.md").read_text(encoding="utf-8")
    page = " ".join(text.partition("<!-- study:")[0].split())
    for sentence in said():
        assert sentence in page, sentence

"""Theorem 2 of the LoTRA paper under plain gradient descent, and its birth of U2 on a batch."""

from __future__ import annotations

import pytest
import torch
from descent import EXPONENTS, OUTPUTS, RANKS, TERMS, Case, components, descend, sweep

from pinnkan.networks.adapters import TuckerChange, initial_factors
from pinnkan.networks.tucker import Tucker, unfold

BASES = ("chebyshev", "fourier")


def normal(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_four_terms_are_the_first_order_change_of_the_output():
    """Their sum is the derivative of the output along minus the gradient of each group, times its rate."""
    case, rates = Case("chebyshev", 7, 5), (0.3, 0.2, 0.5, 0.7)
    x = case.features(torch.Generator().manual_seed(0))
    shape = (7, OUTPUTS, 5)
    form = Tucker(
        *(normal(*size, seed=at) for at, size in enumerate((RANKS, *zip(shape, RANKS, strict=True))))
    )
    layer = TuckerChange(normal(*shape, seed=9), form)
    theta, v = layer.start(), normal(OUTPUTS, seed=8)

    def output(at: torch.Tensor) -> torch.Tensor:
        return torch.einsum("ijk,ik->j", layer.coefficients(at), x)

    gradient = torch.autograd.functional.vjp(output, theta, v)[1]
    weights = torch.einsum("ik,j->kij", x, v).flatten(0, 1)
    torch.testing.assert_close(layer.gradient(weights, theta), gradient, rtol=1e-12, atol=1e-12)
    parts = torch.split_with_sizes(gradient, list(layer.groups.values()))
    step = torch.cat([-rate * part for rate, part in zip(rates, parts, strict=True)])
    change = torch.autograd.functional.jvp(output, theta, step)[1]
    terms = components(x, layer, theta, v)
    found = sum(rate * term.sum(dim=0) for rate, term in zip(rates, terms, strict=True))
    torch.testing.assert_close(found, change, rtol=1e-12, atol=1e-12)
    assert [len(term) for term in terms] == [8, 2, 2, 2]


@pytest.mark.parametrize("basis", BASES)
def test_features_have_squared_norm_n_k(basis):
    case = Case(basis, 4000, 16)
    share = float(case.features(torch.Generator().manual_seed(0)).square().sum()) / (4000 * 16)
    assert share == pytest.approx(0.5, abs=0.05)  # the mean of cos^2, a little more for the constant


def test_at_the_first_step_only_the_core_moves():
    first, second = descend(Case("chebyshev", 16, 8), "theorem 2", seed=0, steps=2)
    assert [float(term.abs().max()) > 0 for term in first] == [True, False, False, False]
    assert all(float(term.min()) > 0 for term in second)


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize(("over", "sizes", "fixed"), [("n", (16, 64, 256), 8), ("K", (4, 12, 32), 64)])
@pytest.mark.parametrize(
    ("strategy", "steps"), [("theorem 2", (3, 4)), ("equal", (2,)), ("equal 1/n", (2, 4))]
)
def test_exponents(strategy, steps, basis, over, sizes, fixed):
    """Medians of 40 seeds; of the theorem's own rates from the third step on, when all of U has moved."""
    found = sweep(basis, strategy, over, sizes, fixed, seeds=40, steps=max(steps))
    for step in steps:
        slopes = {name: found.slope(step, term) for term, name in enumerate(TERMS)}
        derived = {name: EXPONENTS[strategy][term]["nK".index(over)] for term, name in enumerate(TERMS)}
        assert slopes == pytest.approx(derived, abs=0.4), (step, slopes)


def test_equal_rates_are_unstable_from_the_third_step_on():
    """z moves by Theta(n) where it should by Theta(1): its square, in delta0, goes over to n^2."""
    found = sweep("chebyshev", "equal", "n", (1024, 4096), 8, seeds=10, steps=3)
    assert abs(found.slope(2, 0)) < 0.4
    assert found.slope(3, 0) > 1.5


@pytest.mark.parametrize(("initialisation", "rank"), [("paper", 1), ("batch", 3)])
def test_equal_columns_stay_equal_for_ever(initialisation, rank):
    """On a batch of 30 points one mean adjoint makes all columns of U2 equal: output rank 1."""
    inputs, outputs, functions = 6, 5, 4
    x, target = normal(30, functions * inputs, seed=1), normal(30, outputs, seed=2)
    form = initial_factors(
        (inputs, outputs, functions),
        (3, 3, 2),
        initialisation=initialisation,
        adjoints=-target,
        generator=torch.Generator().manual_seed(0),
    )
    layer = TuckerChange(torch.zeros(inputs, outputs, functions, dtype=torch.float64), form)
    theta = layer.start()
    for _ in range(400):
        weights = layer.coefficients(theta).permute(2, 0, 1).flatten(0, 1)
        error = x @ weights - target
        theta = theta - 0.02 * layer.gradient(x.T @ error / len(x), theta)
    u2 = layer.factors(theta).u2
    assert float((u2 - u2[:, :1]).abs().max() == 0.0) == (rank == 1)
    values = torch.linalg.svdvals(unfold(layer.coefficients(theta), 1))
    assert int((values > 1e-9 * values[0]).sum()) == rank
    loss = float(error.square().mean() / target.square().mean())
    # Rank 1 leaves what lies in other output directions: it ends above the best that rank 3 finds.
    assert (loss > 0.7) == (rank == 1), loss

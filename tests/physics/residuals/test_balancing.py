"""Rows over the sizes of their terms: what an equation is multiplied by, point by point, says nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
import torch
from small_problems import problem, run_of, start_of

from pinnkan.ground.errors import UsageError
from pinnkan.networks.adapters import Full, Parametrisation
from pinnkan.physics.residuals import balancing
from pinnkan.physics.residuals.balancing import OwnSizes, balanced, row_scales
from pinnkan.physics.residuals.least_squares import NetworkLeastSquares
from pinnkan.physics.residuals.training_sets import training_sets
from pinnkan.training import pretrain


@dataclass
class Posed:
    """Residuals of a small problem, the sizes of their terms, and a network to look at them."""

    residuals: NetworkLeastSquares
    terms: NetworkLeastSquares
    theta: torch.Tensor

    def balanced(self) -> NetworkLeastSquares:
        sets = balanced(self.residuals.sets, self.terms.sets, self.terms.residuals(self.theta))
        return NetworkLeastSquares(self.residuals.network, self.residuals.parameters, sets)


def posed(name, *overrides, **replaced) -> Posed:
    run = run_of(problem(name, *overrides, **replaced))
    network, coefficients, sets = start_of(run)
    whole = Parametrisation([Full(c) for c in coefficients])
    terms = training_sets(run.instance, run.settings.points, seed=run.seed, variant=0, terms=True)
    theta = whole.start()
    noise = torch.randn(len(theta), generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    both = [NetworkLeastSquares(network, whole, own) for own in (sets, terms)]
    return Posed(*both, theta + 0.2 * noise)


def rows_of(case: Posed) -> torch.Tensor:
    return OwnSizes(case.residuals, case.terms).residuals(case.theta)


FACTORS = ["1000", "(1 + 9*x)", "exp(-20*x)", "(1e-6 + x^2)"]
EQUATIONS = {
    "heat": "equations: ['(FACTOR)*u_t = (FACTOR)*kappa*u_xx']",
    "disk": "equations: ['-(FACTOR)*laplace(u) + (FACTOR)*u_y^2 = 3*(FACTOR)']",
    "poisson": "equations: ['-(FACTOR)*u_xx + (FACTOR)*u*u_x = (FACTOR)*sin(3*x)']",
}


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("name", EQUATIONS)
def test_a_factor_of_an_equation_says_nothing(name, factor, monkeypatch):
    """Whether the derivatives travel each by itself or in one combination, in which terms cancel."""
    monkeypatch.setattr(balancing, "_FLOOR", 0.0)
    plain, scaled = (
        posed(name, "scales={u: 1}", source="", equations=EQUATIONS[name].replace("FACTOR", own))
        for own in ("1", factor)
    )
    assert rows_of(scaled).abs().numpy() == pytest.approx(rows_of(plain).abs().numpy(), rel=1e-9)


@pytest.mark.parametrize("name", ["poisson", "heat", "disk", "mixed", "system"])
def test_rows_are_shares_of_their_terms(name):
    case = posed(name)
    scales = row_scales(case.terms.sets, case.terms.residuals(case.theta))
    residuals, sizes = case.residuals.residuals(case.theta), case.terms.residuals(case.theta)
    assert (residuals.abs() <= sizes * (1 + 1e-12)).all()  # a residual is at most the sum of its terms
    assert float((sizes / residuals.abs()).mean()) > 1.02
    weights = torch.cat([own.root_weights for own in case.residuals.sets])
    assert (rows_of(case).abs() <= weights).all()
    assert torch.allclose(rows_of(case), scales * residuals)
    assert torch.allclose(case.balanced().residuals(case.theta), rows_of(case), rtol=1e-12)


def test_scales_stay_while_an_optimizer_minimises_and_follow_it_where_checks_judge():
    case = posed("heat")
    fixed = case.balanced()
    scales = row_scales(case.terms.sets, case.terms.residuals(case.theta))
    other = 1.5 * case.theta
    assert torch.allclose(fixed.residuals(other), scales * case.residuals.residuals(other), rtol=1e-12)
    assert not torch.allclose(rows_of(replace(case, theta=other)), fixed.residuals(other), rtol=1e-3)


@pytest.mark.parametrize("beside", ["smoothing: 4", "sparsity: 0.1"])
def test_rows_are_single_points(beside):
    word = beside.partition(":")[0]
    with pytest.raises(UsageError, match=f"training.balance: rows .* do not go with {word}"):
        pretrain(run_of("disk", f"training={{steps: 1, balance: rows, {beside}}}"))

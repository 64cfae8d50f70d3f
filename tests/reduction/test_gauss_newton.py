"""Batched Gauss-Newton against SciPy's dense least squares, problem by problem."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import least_squares

from pinnkan.reduction.gauss_newton import gauss_newton_step, minimise

M, K = 40, 3


class Curved:
    """r = exp(A c) - b + s (B c)^2, L of them."""

    is_linear = False

    def __init__(self, count, seed=0):
        rng = np.random.default_rng(seed)
        self.a, self.b = torch.from_numpy(rng.normal(size=(count, M, K))), rng.normal(size=(count, M, K))
        self.b = torch.from_numpy(self.b)
        c = torch.from_numpy(0.3 * rng.normal(size=(count, K, 1)))
        noise = torch.from_numpy(1e-3 * rng.normal(size=(count, M)))
        self.right = (torch.exp(self.a @ c) + (self.b @ c) ** 2).squeeze(2) + noise

    def linearise(self, c, rows):
        z, y = (self.a[rows] @ c.unsqueeze(2)), (self.b[rows] @ c.unsqueeze(2))
        residual = (torch.exp(z) + y**2).squeeze(2) - self.right[rows]
        jacobian = torch.exp(z) * self.a[rows] + 2 * y * self.b[rows]
        return residual, jacobian.mT


class Straight(Curved):
    """r = A c - b."""

    is_linear = True

    def linearise(self, c, rows):
        return (self.a[rows] @ c.unsqueeze(2)).squeeze(2) - self.right[rows], self.a[rows].mT


@pytest.mark.parametrize("kind", [Curved, Straight])
def test_every_problem_ends_where_a_dense_solver_does(kind):
    problems = kind(7)
    fit = minimise(problems, torch.zeros(7, K, dtype=torch.float64))
    assert fit.converged.all()
    for at in range(7):
        row = torch.tensor([at])

        def residual(c, row=row):
            return problems.linearise(torch.from_numpy(c)[None], row)[0][0].numpy()

        wanted = least_squares(residual, np.zeros(K), xtol=1e-15, ftol=1e-15, gtol=1e-15)
        assert fit.c[at].numpy() == pytest.approx(wanted.x, rel=1e-7, abs=1e-8)
        assert float(fit.squares[at]) == pytest.approx(2 * wanted.cost, rel=1e-9)


def test_affine_problems_take_one_step():
    fit = minimise(Straight(4), torch.zeros(4, K, dtype=torch.float64))
    assert fit.steps.tolist() == [1, 1, 1, 1]


def test_a_step_that_grows_is_halved_and_a_problem_without_an_end_is_named():
    class Away(Curved):
        def linearise(self, c, rows):
            residual, jacobian = super().linearise(c, rows)
            residual[rows == 1] = torch.nan
            return residual, jacobian

    fit = minimise(Away(3), torch.full((3, K), 1.5, dtype=torch.float64))
    assert fit.converged.tolist() == [True, False, True]


def test_the_step_solves_badly_scaled_columns():
    rng = np.random.default_rng(1)
    scales = torch.tensor([1.0, 1e6, 1e-6], dtype=torch.float64)
    jacobian = torch.from_numpy(rng.normal(size=(1, K, M))) * scales[:, None]
    residual = torch.from_numpy(rng.normal(size=(1, M)))
    wanted, *_ = np.linalg.lstsq(jacobian[0].T.numpy(), -residual[0].numpy(), rcond=None)
    assert gauss_newton_step(jacobian, residual)[0].numpy() == pytest.approx(wanted, rel=1e-9)

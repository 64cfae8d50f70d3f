"""The triangle of rows that are read a few at a time: all of the least-squares problem, to its digits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from pinnkan.optim import triangle
from pinnkan.optim.triangle import triangle_of


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def blocks(matrix: Tensor, residuals: Tensor, size: int) -> Iterator[tuple[slice, Tensor, Tensor]]:
    for start in range(0, len(matrix), size):
        place = slice(start, start + size)
        yield place, matrix[place], residuals[place]


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(("count", "columns"), [(90, 12), (12, 12), (5, 12), (1, 1)])
def test_it_holds_the_least_squares_problem_however_it_is_cut(count, columns, size, monkeypatch):
    monkeypatch.setattr(triangle, "_ROWS", 10)
    matrix, residuals = normal(count, columns), normal(count, seed=1)
    made = triangle_of(blocks(matrix, residuals, size), columns)
    torch.testing.assert_close(made.matrix.T @ made.matrix, matrix.T @ matrix, rtol=0, atol=1e-12)
    torch.testing.assert_close(made.matrix.T @ made.right, matrix.T @ residuals, rtol=0, atol=1e-12)
    assert made.loss == pytest.approx(float(residuals @ residuals), rel=1e-12)
    step = normal(columns, seed=2)
    assert made.predicted(step) == pytest.approx(float((matrix @ step + residuals).square().sum()), rel=1e-12)
    best, rank = made.solve(1e-12)
    assert rank == min(count, columns)
    assert float((matrix.T @ (matrix @ best + residuals)).norm()) < 1e-11


def test_no_rows_are_no_problem():
    made = triangle_of(iter(()), 3)
    assert (made.matrix.shape, made.loss) == ((3, 3), 0.0)


def test_all_digits_are_kept_where_normal_equations_lose_half():
    """Monomials on [0, 1], condition 1e9: the function that was sampled is found again to 1e-8, not to 1."""
    places = torch.linspace(0, 1, 400, dtype=torch.float64)
    matrix = torch.stack([places**k for k in range(13)], dim=1)
    right = normal(13, seed=3)
    found, rank = triangle_of(blocks(matrix, -(matrix @ right), 64), 13).solve(1e-15)
    assert rank == 13
    by_gram = torch.linalg.solve(matrix.T @ matrix, matrix.T @ (matrix @ right))
    ours, theirs = (float((x - right).norm() / right.norm()) for x in (found, by_gram))
    assert ours < 1e-7, ours
    assert theirs > 1e4 * ours, (ours, theirs)


def test_what_is_dependent_is_left_out_whatever_its_units():
    """Two equal columns share the coefficient; a column of zeros gets none; a small unit is no small rank."""
    matrix = normal(40, 3)
    matrix = torch.cat([matrix, matrix[:, :1], torch.zeros(40, 1, dtype=torch.float64)], dim=1)
    units = torch.tensor([1.0, 1e-14, 1e9, 1.0, 1.0], dtype=torch.float64)
    right = matrix @ torch.tensor([2.0, -1.0, 0.5, 0.0, 0.0], dtype=torch.float64)
    step, rank = triangle_of(blocks(matrix * units, -right, 8), 5).solve(1e-12)
    assert rank == 3
    expected = torch.tensor([1.0, -1e14, 0.5e-9, 1.0, 0.0], dtype=torch.float64)
    torch.testing.assert_close(step, expected, rtol=1e-9, atol=1e-12)

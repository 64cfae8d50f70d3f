"""Every basis: values against SciPy, derivatives against nested autograd, layout, refusals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import interpolate, special

from pinnkan.ground.errors import UsageError
from pinnkan.language.bases import BASES, make_basis
from pinnkan.networks.bases import Basis

Array = NDArray[np.float64]


def chebyshev_oracle(x: Array, k: int) -> Array:
    return np.cos(k * np.arccos(x))


def fourier_oracle(x: Array, k: int) -> Array:
    frequency = (k + 1) // 2
    return np.cos(frequency * x) if k % 2 or k == 0 else np.sin(frequency * x)


def bspline_oracle(x: Array, k: int) -> Array:
    """Row k of nine cubic splines on six cells, or SiLU."""
    if k == 9:
        return x * special.expit(x)
    knots = -1 + (np.arange(13) - 3) / 3
    return interpolate.BSpline(knots, np.eye(9)[k], 3)(x)


ORACLES: dict[str, Callable[[Array, int], Array]] = {
    "chebyshev": chebyshev_oracle,
    "legendre": lambda x, k: special.eval_legendre(k, x),
    "taylor": lambda x, k: x**k,
    "fourier": fourier_oracle,
    "bspline": bspline_oracle,
}


def points(dtype: torch.dtype = torch.float64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return 2 * torch.rand(5, 7, generator=generator, dtype=torch.float64).to(dtype) - 1


def nested(basis: Basis, x: torch.Tensor, order: int) -> torch.Tensor:
    """Derivatives of ``values`` by nested autograd, function by function."""
    x = x.clone().requires_grad_()
    columns = []
    for k in range(basis.size):
        row = basis.values(x)[..., k, :]
        planes = [row]
        for _ in range(order):
            # a constant leaves the graph: its derivative is 0, which autograd does not say
            slope = None
            if row.requires_grad:
                (slope,) = torch.autograd.grad(row.sum(), x, create_graph=True, allow_unused=True)
            row = torch.zeros_like(x) if slope is None else slope
            planes.append(row)
        columns.append(torch.stack(planes).detach())
    return torch.stack(columns, dim=-2)


def test_table_is_complete() -> None:
    assert set(ORACLES) == set(BASES)


@pytest.mark.parametrize("name", BASES)
def test_values_against_oracle(name: str) -> None:
    x = points()
    basis = make_basis(name, 9)
    expected = np.stack([ORACLES[name](x.numpy(), k) for k in range(basis.size)], axis=-2)
    np.testing.assert_allclose(basis.values(x).numpy(), expected, atol=1e-13)
    np.testing.assert_allclose(basis.derivatives(x, 0)[0].numpy(), expected, atol=1e-13)


@pytest.mark.parametrize("functions", [4, 5, 8, 11])
@pytest.mark.parametrize("name", BASES)
def test_derivatives_against_nested_autograd(name: str, functions: int) -> None:
    x = points()
    basis = make_basis(name, functions)
    expected = nested(basis, x, 4)
    result = basis.derivatives(x, 4)
    assert result.shape == (5, 5, basis.size, 7)
    for order in range(5):
        scale = float(expected[order].abs().max()) + 1
        assert float((result[order] - expected[order]).abs().max()) < 1e-10 * scale, order


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", BASES)
def test_layout_and_dtype(name: str, dtype: torch.dtype) -> None:
    basis, x = make_basis(name, 8), points(dtype)
    fresh = basis.derivatives(x, 2)
    assert fresh.dtype == basis.values(x).dtype == dtype
    assert fresh.device == x.device
    assert fresh.is_contiguous()
    assert torch.equal(basis.derivatives(x[0], 2), fresh[:, 0])
    reference = basis.derivatives(x.double(), 2)
    assert float((fresh - reference).abs().max() / reference.abs().max()) < 1e-5


@pytest.mark.parametrize("name", BASES)
def test_equal_bases_are_equal(name: str) -> None:
    assert make_basis(name, 8) == make_basis(name, 8) != make_basis(name, 9)


def test_refusals() -> None:
    basis = make_basis("chebyshev")
    with pytest.raises(ValueError, match="expected 0 or more, got -1"):
        basis.derivatives(points(), -1)
    with pytest.raises(UsageError, match=r"network.basis: expected one of .*; did you mean 'chebyshev'"):
        make_basis("chebychev")
    with pytest.raises(UsageError, match=r"network.functions: chebyshev needs at least 1, found 0"):
        make_basis("chebyshev", 0)

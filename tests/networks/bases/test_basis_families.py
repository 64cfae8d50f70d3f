"""What holds for one family: identities, ends of the domain, smallest sizes, conditioning."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy
import torch

from pinnkan.ground.errors import UsageError
from pinnkan.language.bases import BASES, make_basis
from pinnkan.networks.bases import BSpline, Chebyshev, Fourier, Legendre, Taylor

ENDS = torch.tensor([[-1.0, 1.0]], dtype=torch.float64)


def grid(count: int = 201) -> torch.Tensor:
    return torch.linspace(-1, 1, count, dtype=torch.float64).unsqueeze(-1)


@pytest.mark.parametrize(("functions", "degree"), [(4, 3), (8, 3), (7, 2), (12, 5), (3, 1)])
def test_splines_sum_to_one_and_their_derivatives_to_zero(functions: int, degree: int) -> None:
    result = BSpline(functions, degree).derivatives(grid(), degree + 1)[..., :-1, :]
    sums = result.sum(dim=-2)
    assert float((sums[0] - 1).abs().max()) < 1e-14
    for order in range(1, degree + 2):
        scale = float(result[order].abs().max()) + 1
        assert float(sums[order].abs().max()) < 1e-13 * scale
    assert float(result[0].min()) >= 0
    assert torch.count_nonzero(result[degree + 1]) == 0


def test_splines_reproduce_polynomials_of_their_degree() -> None:
    x = grid()
    features = BSpline(8, 3).values(x)[:, :-1, 0]
    target = torch.cat([x**power for power in range(4)], dim=1)
    fitted = features @ torch.linalg.lstsq(features, target).solution
    assert float((fitted - target).abs().max()) < 1e-13


def test_ends_of_the_domain() -> None:
    """T_k(1) = P_k(1) = 1, T_k'(1) = k^2, P_k'(1) = k (k + 1) / 2; parity at -1."""
    k = torch.arange(8.0, dtype=torch.float64)
    signs = (-1.0) ** k
    for basis, slope in ((Chebyshev(8), k**2), (Legendre(8), k * (k + 1) / 2)):
        result = basis.derivatives(ENDS, 1)[:, 0]
        torch.testing.assert_close(result[0, :, 1], torch.ones_like(k))
        torch.testing.assert_close(result[0, :, 0], signs)
        torch.testing.assert_close(result[1, :, 1], slope)
        torch.testing.assert_close(result[1, :, 0], -signs * slope)


def test_legendre_is_orthogonal() -> None:
    x, w = (torch.from_numpy(array) for array in np.polynomial.legendre.leggauss(10))
    values = Legendre(9).values(x.unsqueeze(-1))[:, :, 0]
    gram = values.T @ (w.unsqueeze(-1) * values)
    torch.testing.assert_close(gram, torch.diag(2 / (2 * torch.arange(9.0, dtype=torch.float64) + 1)))


def test_chebyshev_is_orthogonal_at_its_nodes() -> None:
    nodes = torch.cos(math.pi * (torch.arange(9.0, dtype=torch.float64) + 0.5) / 9).unsqueeze(-1)
    values = Chebyshev(9).values(nodes)[:, :, 0]
    expected = torch.full((9,), 4.5, dtype=torch.float64)
    expected[0] = 9
    torch.testing.assert_close(values.T @ values, torch.diag(expected), atol=1e-12, rtol=0)


def test_fourier_is_orthogonal_over_a_period() -> None:
    x = 2 * math.pi * torch.arange(32, dtype=torch.float64).unsqueeze(-1) / 32
    values = Fourier(8).derivatives(x, 0)[0, :, :, 0]
    expected = torch.full((8,), 16.0, dtype=torch.float64)
    expected[0] = 32
    torch.testing.assert_close(values.T @ values, torch.diag(expected), atol=1e-12, rtol=0)


def test_taylor_derivatives_at_zero_are_factorials() -> None:
    result = Taylor(7).derivatives(torch.zeros(1, 1, dtype=torch.float64), 6)[:, 0, :, 0]
    expected = torch.diag(torch.tensor([math.factorial(k) for k in range(7)], dtype=torch.float64))
    assert torch.equal(result, expected)


@pytest.mark.parametrize("functions", [1, 2, 3])
@pytest.mark.parametrize("name", sorted(set(BASES) - {"bspline"}))
def test_smallest_sizes(name: str, functions: int) -> None:
    small, large = make_basis(name, functions), make_basis(name, 6)
    torch.testing.assert_close(
        small.derivatives(grid(), 3), large.derivatives(grid(), 3)[..., :functions, :], rtol=0, atol=1e-14
    )


@pytest.mark.parametrize("basis", [Chebyshev(64), Legendre(64)])
def test_many_functions_stay_accurate(basis: Chebyshev | Legendre) -> None:
    """Against 30-digit arithmetic through the coefficients of the polynomials."""
    t = sympy.Symbol("t")
    family = sympy.chebyshevt_poly if isinstance(basis, Chebyshev) else sympy.legendre_poly
    for point in (0.3, 0.97, -1.0):
        result = basis.derivatives(torch.tensor([[point]], dtype=torch.float64), 4)[:, 0, :, 0]
        polynomial = family(63, t)
        for order in range(5):
            exact = float(sympy.diff(polynomial, t, order).subs(t, sympy.Rational(point)).evalf(30))
            size = float(result[order].abs().max())
            assert float(result[order, 63]) == pytest.approx(exact, abs=1e-11 * size), (point, order)


@pytest.mark.parametrize("name", BASES)
def test_float32_is_as_good_as_its_input(name: str) -> None:
    """No digits lost but those that the conditioning of the K = 8 functions takes."""
    basis, x = make_basis(name, 8), grid().float()
    exact = basis.derivatives(x.double(), 2)
    for order in range(3):
        error = (basis.derivatives(x, 2)[order] - exact[order]).abs().max() / exact[order].abs().max()
        assert float(error) < 3e-6


def test_refusals() -> None:
    with pytest.raises(UsageError, match=r"network.functions: bspline of degree 3 needs at least 4, found 3"):
        make_basis("bspline", 3, 3)
    with pytest.raises(UsageError, match=r"network.degree: expected 1 or more, found 0"):
        make_basis("bspline", 3, 0)

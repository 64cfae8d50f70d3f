"""Edges to symbols: every function of the library is found again, expansions are exact, forms compose."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
import torch

from pinnkan.ground.errors import UsageError
from pinnkan.language.bases import make_basis
from pinnkan.networks import InputMap, make_kan, make_mlp
from pinnkan.solutions.formulas import LIBRARY, closed_form, snap
from pinnkan.solutions.formulas.compose import ClosedForm, Kept
from pinnkan.solutions.formulas.expansions import expansion
from pinnkan.solutions.formulas.library import Snap

X = np.linspace(-0.7, 1.9, 160)
EDGES = {
    "1": lambda x: 0 * x + 2.5,
    "x": lambda x: 3 * x - 1,
    "x^2": lambda x: 2 * (x - 0.3) ** 2 + 1,
    "exp": lambda x: 0.4 * np.exp(1.3 * x) - 2,
    "sin": lambda x: 1.5 * np.sin(3 * x + 0.4) + 0.2,
    "x^3": lambda x: (x + 0.2) ** 3,
    "sqrt": lambda x: 2 * np.sqrt(2 * x + 1.5) - 1,
    "log": lambda x: -np.log(0.9 * x + 0.8),
    "abs": lambda x: np.abs(x - 0.5) + 3,
    "1/x": lambda x: 1 / (x + 1.5),
    "x^4": lambda x: 0.5 * (x - 0.6) ** 4,
    "tanh": lambda x: np.tanh(2.5 * x - 1),
    "gaussian": lambda x: np.exp(-((2 * x - 1.2) ** 2)) - 1,
}


@pytest.mark.parametrize("name", EDGES)
def test_every_function_is_found_again(name):
    y = EDGES[name](X)
    found = snap(X, y, least_r2=1 - 1e-7)
    assert found is not None
    # A cosine is a shifted sine: the first of the two that fits is taken.
    assert found.template.name == name
    assert np.abs(found(X) - y).max() < 1e-4
    symbol = sympy.Symbol("x", real=True)
    composed = sympy.lambdify(symbol, found.symbolic(symbol), "numpy")
    assert np.allclose(composed(X), found(X), atol=1e-10)


@pytest.mark.parametrize("slope", [-6.0, -2.0, -0.3, 0.3, 6.0])
@pytest.mark.parametrize(("low", "high"), [(-1.0, 1.0), (0.0, 5.0), (1000.0, 1004.0)])
def test_exponentials_grow_and_decay(low, high, slope):
    """As exp alone, whose factor is of the size of y: not as a tanh far out, nor with a shift."""
    x = np.linspace(low, high, 160)
    middle = 0.5 * (low + high)
    y = 2.5 * np.exp(slope * (x - middle)) - 3.0
    found = snap(x, y, least_r2=0.999999)
    assert found is not None
    assert found.template.name == "exp"
    assert found.numbers == pytest.approx((slope, -slope * middle, 2.5, -3.0), rel=1e-8)


def test_the_library_is_that_of_the_help():
    assert set(LIBRARY) == {*EDGES, "cos"}
    assert [one.complexity for one in LIBRARY.values()] == sorted(one.complexity for one in LIBRARY.values())


def test_noise_follows_no_function():
    assert snap(X, np.random.default_rng(0).normal(size=X.size), least_r2=0.9) is None


@pytest.mark.parametrize("name", ["chebyshev", "legendre", "taylor", "fourier"])
def test_expansions_are_exact(name):
    basis = make_basis(name, 6)
    coefficients = np.random.default_rng(1).normal(size=6)
    x = np.linspace(-1, 1, 40)
    symbol = sympy.Symbol("x")
    values = sympy.lambdify(symbol, expansion(basis, coefficients.tolist(), symbol), "numpy")(x)
    expected = basis.values(torch.from_numpy(x).unsqueeze(1))[:, :, 0].numpy() @ coefficients
    assert np.abs(values - expected).max() < 1e-13


@pytest.mark.parametrize("name", ["chebyshev", "fourier"])
def test_a_random_network_keeps_its_polynomials(name):
    """With a library that nothing of it follows, the form is the network itself."""
    network = make_kan([2, 2, 1], make_basis(name, 6), InputMap.over([0.0, -1.0], [2.0, 1.0]))
    coefficients = network.initial(torch.Generator().manual_seed(3))
    points = np.random.default_rng(0).uniform([0, -1], [2, 1], (200, 2))
    form = closed_form(network, coefficients, points, least_r2=1.0)
    expected = network.values(torch.from_numpy(points), network.matrices(coefficients))[:, 0].numpy()
    assert np.abs(form(points) - expected).max() < 1e-12
    x, y = sympy.symbols("x y")
    values = sympy.lambdify((x, y), form.symbolic((x, y)), "numpy")(*points.T)
    assert np.abs(values - expected).max() < 1e-10


def test_the_inputs_of_a_narrow_box_far_out_are_mapped_in_float64():
    """One layer of 1, z, z^2 is a parabola, on [1000, 1000.3] too: the mapped inputs are not rounded."""
    network = make_kan([1, 1], make_basis("taylor", 3), InputMap.over([1000.0], [1000.3]))
    coefficients = [torch.tensor([[[0.3, -1.0, 0.7]]], dtype=torch.float64)]
    points = np.linspace(1000.0, 1000.3, 200)[:, None]
    form = closed_form(network, coefficients, points, least_r2=0.999)
    expected = network.values(torch.from_numpy(points), network.matrices(coefficients))[:, 0].numpy()
    assert [edge.template.name for edge in form.edges] == ["x^2"]
    assert np.abs(form(points) - expected).max() < 1e-14


def test_what_has_no_formula():
    points = np.zeros((3, 2))
    mlp = make_mlp([2, 3, 1], InputMap.over([0.0, 0.0], [1.0, 1.0]))
    with pytest.raises(UsageError, match="this network has no functions on its edges"):
        closed_form(mlp, mlp.initial(torch.Generator()), points, least_r2=0.99)
    kan = make_kan([2, 40, 1], make_basis("taylor", 3), InputMap.over([0.0, 0.0], [1.0, 1.0]))
    with pytest.raises(UsageError, match=r"120 edges make no formula that anyone reads \(most: 100\)"):
        closed_form(kan, kan.initial(torch.Generator()), points, least_r2=0.99)


def small_network(basis):
    """Return a network of two layers, its coefficients and points in its domain."""
    network = make_kan([2, 3, 1], make_basis(basis, 5), InputMap.over([-1.0, -1.5], [2.0, 2.5]))
    coefficients = network.initial(torch.Generator().manual_seed(3))
    points = np.random.default_rng(0).uniform([-0.9, -1.4], [1.9, 2.4], (150, 2))
    return network, coefficients, points


@pytest.mark.parametrize("name", LIBRARY)
def test_the_slope_of_every_function_is_its_derivative(name):
    x = np.linspace(0.2, 1.7, 31)
    template, step = LIBRARY[name], 1e-6
    centred = (template.values(x + step) - template.values(x - step)) / (2 * step)
    np.testing.assert_allclose(template.slopes(x), centred, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("basis", ["chebyshev", "bspline", "fourier"])
def test_the_derivative_by_all_numbers_is_that_of_differences(basis):
    """Two layers in which every function of the library occurs, and edges that keep their expansion."""
    network, coefficients, points = small_network(basis)
    kept = Kept(network.layers[0], coefficients[0][0, 0])
    snaps = [Snap(template, (0.4, 1.1, 0.7, -0.2), 1.0) for template in LIBRARY.values()]
    first = ((*snaps, kept), (kept, *reversed(snaps)))
    second = tuple((edge,) for edge in [*snaps, Kept(network.layers[1], coefficients[1][0, 0])])
    form = ClosedForm(InputMap((0.5, 0.5), (1.5, 2.0), (0.0, 0.0), (False, False)), (first, second))
    numbers, step = form.numbers(), 1e-6
    jacobian = form.jacobian(points)
    assert jacobian.shape == (len(points), len(numbers))
    for at in range(len(numbers)):
        change = step * np.eye(len(numbers))[at]
        ends = [form.with_numbers(numbers + sign * change)(points) for sign in (1, -1)]
        np.testing.assert_allclose(jacobian[:, at], (ends[0] - ends[1]) / (2 * step), rtol=1e-6, atol=1e-7)


def test_fitting_together_looks_at_the_network_as_often_as_it_steps(monkeypatch):
    """Not once for every number and step: a hundred edges took a quarter of an hour."""
    network, coefficients, points = small_network("chebyshev")
    calls, nodes = [], ClosedForm._nodes
    monkeypatch.setattr(ClosedForm, "_nodes", lambda form, x: calls.append(len(x)) or nodes(form, x))
    form = closed_form(network, coefficients, points, least_r2=0.9)
    assert len(form.numbers()) > 10
    assert len(calls) <= 2 * 80 + 2

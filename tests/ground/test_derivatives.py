"""Channels: closure, Faa di Bruno's and Leibniz' formulas against SymPy, partition counts."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
import sympy
from combinations import squares

from pinnkan.ground.channels import Channels
from pinnkan.ground.derivatives import Channel, Collapsed, lowered, pure_index, raised, terms_of, value_index

# (dimension, requested): every kind of multi-index up to order 4, and collapsed combinations.
BIHARMONIC = Collapsed((((4, 0), 1.0), ((2, 2), 2.0), ((0, 4), 1.0)))
THIRD = Collapsed((((3, 0), 1.0), ((1, 2), 1.0)))
LAPLACIAN_SQUARED_IN_SPACE = Collapsed(
    tuple((index, 1.0 if 4 in index else 2.0) for index in product((0, 2, 4), repeat=3) if sum(index) == 4)
)

REQUESTS: list[tuple[int, list[Channel]]] = [
    (2, [BIHARMONIC]),
    (2, [BIHARMONIC, squares((1.0, 1.0)), (0, 1)]),
    (2, [BIHARMONIC, THIRD, (1, 3)]),
    (2, [THIRD, (2, 0), squares((1.0, 0.25))]),
    (2, [Collapsed((((2, 0), 1.0), ((1, 1), -0.5), ((0, 2), 4.0))), squares((1.0, -1.0))]),
    (3, [LAPLACIAN_SQUARED_IN_SPACE]),
    (3, [Collapsed((((2, 1, 1), 1.0), ((0, 4, 0), 0.5))), (1, 0, 1)]),
    (1, [(4,)]),
    (1, [(1,), (3,)]),
    (2, [(2, 2)]),
    (2, [(1, 3), (0, 1)]),
    (2, [(1, 1), squares((1.0, 1.0))]),
    (2, [squares((1.0, -2.5)), squares((0.0, 3.0))]),
    (3, [(1, 2, 1)]),
    (3, [(0, 0, 4), (2, 1, 0)]),
    (3, [squares((-1.0, 1.0, 1.0)), (1, 0, 0), (0, 1, 2)]),
]


def random_requests(count: int) -> list[tuple[int, list[Channel]]]:
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(count):
        dimension = int(rng.integers(1, 4))
        indices = [i for i in product(range(5), repeat=dimension) if 0 < sum(i) <= 4]
        chosen = rng.choice(len(indices), size=min(3, len(indices)), replace=False)
        drawn.append((dimension, [indices[place] for place in chosen]))
    return drawn


def random_combinations(count: int) -> list[tuple[int, list[Channel]]]:
    """Return requests of a combination of two to four derivatives of an order, and a derivative beside it.

    The factors are powers of two: fractions of their quotients may round, those of theirs do not.
    """
    rng = np.random.default_rng(1)
    drawn = []
    for _ in range(count):
        dimension, order = int(rng.integers(2, 4)), int(rng.integers(2, 5))
        indices = [index for index in product(range(order + 1), repeat=dimension) if sum(index) == order]
        chosen = rng.choice(len(indices), size=min(int(rng.integers(2, 5)), len(indices)), replace=False)
        terms = tuple((indices[place], float(2.0 ** rng.integers(-2, 3))) for place in sorted(chosen))
        lower = tuple(int(power) for power in rng.integers(0, 2, size=dimension))
        drawn.append((dimension, [Collapsed(terms), lower]))
    return drawn


ALL = REQUESTS + random_requests(8)
COMBINED = random_combinations(24)
"""Requests whose basis has fractions for factors, which round."""


def derivative(polynomial: sympy.Poly, key: Channel) -> sympy.Poly:
    total = polynomial * 0
    for index, factor in terms_of(key):
        total += polynomial.diff(*zip(polynomial.gens, index, strict=True)) * sympy.Rational(factor)
    return total


def random_polynomial(dimension: int, rng: np.random.Generator) -> sympy.Poly:
    """Return a polynomial of degree 4 with eight random terms and small whole coefficients."""
    powers = [p for p in product(range(5), repeat=dimension) if sum(p) <= 4]
    chosen = rng.choice(len(powers), size=min(8, len(powers)), replace=False)
    terms = {powers[at]: int(rng.integers(1, 4)) for at in chosen}
    return sympy.Poly(terms, *sympy.symbols(f"x0:{dimension}"), domain="QQ")


def jet_at(
    polynomial: sympy.Poly, channels: Channels, point: tuple[sympy.Rational, ...]
) -> list[sympy.Rational]:
    return [
        derivative(polynomial, key).eval(dict(zip(polynomial.gens, point, strict=True)))
        for key in channels.keys
    ]


POINT = (sympy.Rational(1, 3), sympy.Rational(-2, 5), sympy.Rational(3, 7))


@pytest.mark.parametrize(("dimension", "requested"), ALL + COMBINED)
def test_faa_di_bruno_is_exact(dimension, requested):
    """(g o y)_alpha of polynomials g and y in rational arithmetic: equality, not closeness."""
    channels, point = Channels(requested, dimension), POINT[:dimension]
    y = random_polynomial(dimension, np.random.default_rng(dimension))
    outer = sympy.Poly([1, -2, 1, 3, -1], sympy.Symbol("z"), domain="QQ")
    jet = jet_at(y, channels, point)
    slopes = [derivative(outer, (m,)).eval(jet[0]) for m in range(channels.order + 1)]
    found = [slopes[0]] + [sympy.Integer(0)] * (len(channels) - 1)
    for term in channels.bell:
        for monomial in term.monomials:
            factors = math.prod(jet[factor] for factor in monomial.factors)
            found[term.channel] += slopes[term.order] * sympy.Rational(monomial.coefficient) * factors
    composed = y**4 - 2 * y**3 + y**2 + 3 * y - 1
    expected = jet_at(composed, channels, point)
    assert all(abs(a - b) <= 1e-14 * _size(expected) for a, b in zip(found, expected, strict=True))
    assert found == expected or (dimension, requested) in COMBINED


@pytest.mark.parametrize(("dimension", "requested"), ALL + COMBINED)
def test_leibniz_is_exact(dimension, requested):
    channels, point = Channels(requested, dimension), POINT[:dimension]
    rng = np.random.default_rng(10 + dimension)
    f, h = random_polynomial(dimension, rng), random_polynomial(dimension, rng)
    left, right = jet_at(f, channels, point), jet_at(h, channels, point)
    found = [sympy.Integer(0)] * len(channels)
    for term in channels.leibniz:
        found[term.channel] += sympy.Rational(term.coefficient) * left[term.left] * right[term.right]
    expected = jet_at(f * h, channels, point)
    assert all(abs(a - b) <= 1e-14 * _size(expected) for a, b in zip(found, expected, strict=True))
    assert found == expected or (dimension, requested) in COMBINED


def _size(jet: list[sympy.Rational]) -> sympy.Rational:
    return max(abs(value) for value in jet)


@pytest.mark.parametrize(("dimension", "requested"), ALL + COMBINED)
def test_channels_are_closed_downwards(dimension, requested):
    channels = Channels(requested, dimension)
    assert channels.keys[0] == (0,) * dimension
    assert len(set(channels.keys)) == len(channels.keys) == len(channels)
    assert set(requested) <= set(channels.keys)
    plain = [key for key in channels.keys if not isinstance(key, Collapsed)]
    for key in plain:
        assert set(product(*(range(power + 1) for power in key))) <= set(plain)
    assert [channels.position(key) for key in channels.keys] == list(range(len(channels)))


def test_closure_is_the_least_one():
    assert Channels([(1, 1)], 2).keys == ((0, 0), (1, 0), (0, 1), (1, 1))
    laplacian = squares((1.0, 1.0))
    assert Channels([laplacian, laplacian], 2).keys == ((0, 0), (1, 0), (0, 1), laplacian)
    # A coordinate without a second derivative needs no first one either.
    assert Channels([squares((0.0, 3.0))], 2).keys == ((0, 0), (0, 1), squares((0.0, 3.0)))


@pytest.mark.parametrize(
    ("dimension", "requested", "counts"),
    [
        (2, [BIHARMONIC], (1, 2, 3, 2, 1)),
        (2, [BIHARMONIC, (4, 0), (2, 2), (0, 4)], (1, 2, 3, 4, 4)),
        (2, [(4, 0), (2, 2), (0, 4)], (1, 2, 3, 4, 3)),
        (3, [LAPLACIAN_SQUARED_IN_SPACE], (1, 3, 6, 3, 1)),
        (2, [THIRD], (1, 2, 2, 1)),
        (2, [Collapsed((((3, 0), 1.0), ((2, 1), 3.0), ((1, 2), 3.0), ((0, 3), 1.0)))], (1, 1, 1, 1)),
        (3, [squares((1.0, 1.0, 1.0)), (0, 0, 1)], (1, 3, 1)),
        (2, [BIHARMONIC, squares((1.0, 1.0))], (1, 2, 3, 2, 1)),
    ],
)
def test_a_combination_needs_the_span_of_its_symbol_s_slopes(dimension, requested, counts):
    """Nine channels for the biharmonic operator; one of each order for the third power of d/dx + d/dy."""
    orders = [sum(terms_of(key)[0][0]) for key in Channels(requested, dimension).keys]
    assert tuple(orders.count(order) for order in range(len(counts))) == counts
    assert len(orders) == sum(counts)


def test_a_small_factor_enlarges_none():
    """Of a combination that is nearly one derivative, what stands for the others is as small as they are."""
    channels = Channels([Collapsed((((3, 0), 1e-8), ((1, 2), 1.0)))], 2)
    coefficients = [monomial.coefficient for term in channels.bell for monomial in term.monomials]
    products = [term.coefficient for term in channels.leibniz]
    assert max(map(abs, [*coefficients, *products])) < 10.0


@pytest.mark.parametrize(("dimension", "requested"), ALL + COMBINED)
def test_a_product_of_channels_is_one_monomial(dimension, requested):
    for term in Channels(requested, dimension).bell:
        factors = [tuple(sorted(monomial.factors)) for monomial in term.monomials]
        assert len(set(factors)) == len(factors)


def test_order_of_the_request_does_not_matter():
    keys: list[Channel] = [(2, 0), (0, 1), squares((1.0, 2.0)), squares((-1.0, 2.0))]
    assert Channels(keys, 2).keys == Channels(keys[::-1], 2).keys


def test_the_value_alone_needs_no_derivative():
    channels = Channels([], 3)
    assert (channels.keys, channels.order, channels.bell) == (((0, 0, 0),), 0, ())


@pytest.mark.parametrize(("order", "bell_number"), [(1, 1), (2, 2), (3, 5), (4, 15), (5, 52)])
def test_partitions_are_counted_by_bell_numbers(order, bell_number):
    """The coefficients of Faa di Bruno's formula for one channel sum to the Bell number of its order."""
    for key in [(order,), (order - 1, 1)][: 1 + (order > 0)]:
        channels = Channels([key], len(key))
        here = channels.position(key)
        terms = [term for term in channels.bell if term.channel == here]
        assert sum(m.coefficient for term in terms for m in term.monomials) == bell_number
        assert [term.order for term in terms] == list(range(1, order + 1))


def test_leibniz_coefficients_sum_to_powers_of_two():
    channels = Channels([(2, 1, 1)], 3)
    for at, key in enumerate(channels.keys):
        total = sum(term.coefficient for term in channels.leibniz if term.channel == at)
        assert total == 2 ** sum(key) == math.prod(2**power for power in key)


@pytest.mark.parametrize("key", [(1, 0), squares((1.0, 1.0))])
def test_a_channel_of_other_coordinates_is_refused(key):
    with pytest.raises(ValueError, match=r"does not belong to 3 coordinates"):
        Channels([key], 3)


def test_multi_indices():
    assert value_index(3) == (0, 0, 0)
    assert (pure_index(1, 3), pure_index(2, 3, 4)) == ((0, 1, 0), (0, 0, 4))
    assert (raised((1, 0, 2), 2), raised((1, 0, 2), 0, by=3)) == ((1, 0, 3), (4, 0, 2))
    assert lowered((0, 2, 1)) == (1, (0, 1, 1))
    for index in product(range(3), repeat=3):
        if any(index):
            axis, lower = lowered(index)
            assert raised(lower, axis) == index


def test_a_channel_as_partial_derivatives():
    assert terms_of((1, 2)) == (((1, 2), 1.0),)
    assert terms_of(squares((3.0, 0.0, -0.5))) == (((2, 0, 0), 3.0), ((0, 0, 2), -0.5))

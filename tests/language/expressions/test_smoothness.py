"""How many derivatives of a formula are continuous inside a domain, and where that ends."""

from __future__ import annotations

import random

import pytest

from pinnkan.geometry import Domain, make_shape
from pinnkan.language.expressions import Names, parse_expression, symbol, to_symbolic
from pinnkan.language.expressions.questions.smoothness import Break, breaks
from pinnkan.language.expressions.questions.switches import switches
from pinnkan.physics.region import DomainRegion

LINE = Domain(make_shape("interval", ("x",), {"x": [0.0, 3.0]}), ("x",))
SQUARE = Domain(make_shape("box", ("x", "y"), {"x": [0.0, 1.0], "y": [0.0, 1.0]}), ("x", "y"))
DISK = Domain(make_shape("disk", ("x", "y"), {"center": [0.0, 0.0], "radius": [1.0]}), ("x", "y"))
IN_TIME = Domain(make_shape("interval", ("x",), {"x": [0.0, 1.0]}), ("t", "x"), (0.0, 2.0))
S = "sin(pi/2*max(1 - sqrt(x^2 + y^2), 0)^2.5)"


def found(text: str, domain: Domain, orders: tuple[int, ...], **values: float) -> list[Break]:
    names = Names(
        space=domain.coordinates[domain.time is not None :],
        time="t" if domain.time else None,
        parameters=tuple(values),
    )
    formula = to_symbolic(parse_expression(text), names)
    return breaks(formula, domain.coordinates, DomainRegion(domain), orders, values)


ROUGH = [
    ("abs(x - 1.5)", "a kink (abs) at x = 1.5"),
    ("sqrt((x - 1.5)^2)", "a kink (abs) at x = 1.5"),
    ("sqrt(x^2 - 3*x + 2.25)", "a kink (sqrt) at x = 1.5"),
    ("(x - 1.5)/abs(x - 1.5)", "a jump (abs) at x = 1.5"),
    ("min(2*x, 2*(3 - x))", "a kink (min) at x = 1.5"),
    ("max(x - 1, 0)*sin(x)", "a kink (max) at x = 1"),
    ("(x - 1.5)*abs(x - 1.5)", "a jump of its second derivative in x (abs) at x = 1.5"),
    ("where(x < 0.5, x^2, x - 0.25)", "a jump of its second derivative in x (where) at x = 0.5"),
    ("where(x < 1 or x > 2, 0, 1)", "a jump (where) at x = 1"),
    ("where(abs(x - 1) < 1e-5, 1, 0)", "a jump (where) at x = 1"),
    ("where(x < 1, sin(x), 0.8414709848078965)", "a kink (where) at x = 1"),
    ("exp(-abs(x - 1))", "a kink (abs) at x = 1"),
    ("abs(x - 1.5)^1.5", "an infinite second derivative in x (abs) at x = 1.5"),
    ("((x - 1.5)^2)^0.3", "an infinite first derivative in x (abs) at x = 1.5"),
    ("sqrt(x)", "an infinite first derivative in x (sqrt) at x = 0"),
    ("x^1.5", "an infinite second derivative in x (a power) at x = 0"),
    ("x*log(x)", "an infinite first derivative in x (log) at x = 0"),
    ("1/(x - 1)", "an infinite value (a quotient) at x = 1"),
    ("tan(x)", "an infinite value (tan) at x = 1.571"),
]
SMOOTH = [
    "sin(x)",
    "abs(x)",
    "max(x, 4)",
    "max(x - 1, 0)^3",
    "x^2.5",
    "abs(x - 1.5)^2.5",
    "where(x < 1, x^3, 1 + 3*(x - 1) + 3*(x - 1)^2)",
    "sin(x)/x",
    "(1 - cos(x - 1))/(x - 1)^2",
    "sqrt(1e-10 + (x - 1)^2)",
    "1/(1 + (x - 2)^2)",
    "tanh((x - 1.5)/1e-4)",
]


@pytest.mark.parametrize(("text", "what"), ROUGH, ids=[text for text, _ in ROUGH])
def test_what_is_rough_and_where(text, what):
    assert found(text, LINE, (2,))[0].what == what


@pytest.mark.parametrize("text", SMOOTH)
def test_what_has_two_continuous_derivatives(text):
    assert found(text, LINE, (2,)) == []


@pytest.mark.parametrize("order", [-1, 0, 1, 2])
@pytest.mark.parametrize("piece", ["where(x < {c}, 0, x - {c})", "max(x - {c}, 0)", "abs(x - {c})"])
def test_pieces_of_random_places_and_orders_count_as_they_join(piece, order):
    """A (x - c)_+^(m+1) has m continuous derivatives wherever it is, whatever smooth is added."""
    if order < 0:
        piece, power = f"where({piece} > 0, 1, 0)" if "abs" not in piece else "(x - {c})/abs(x - {c})", 1
    else:
        power = order + 1
    # |x - c|^n is smooth for even n: an odd factor makes it (x - c)^n sign(x - c).
    odd = "(x - {c})*" if "abs" in piece and power % 2 == 0 and order > 0 else ""
    power -= bool(odd)
    rng = random.Random(f"{piece} {order}")
    for _ in range(6):
        place = round(rng.uniform(0.1, 2.9), rng.randint(1, 9))
        factor, other = 10 ** rng.uniform(-8, 8), round(rng.uniform(-2, 2), 3)
        text = f"{factor:.6g}*({odd}({piece})^{power} + sin({other}*x))".replace("{c}", repr(place))
        worst = found(text, LINE, (3,))[0]
        assert worst.order == order, text
        assert worst.place == f" at x = {place:.4g}", text


@pytest.mark.parametrize(
    ("text", "domain", "orders", "what"),
    [
        ("abs(x - y)", SQUARE, (2, 2), "a kink (abs), for example at x = 0."),
        ("x*abs(y - 0.3)", SQUARE, (2, 2), "a kink (abs) at y = 0.3"),
        ("x*abs(y - 0.3)", SQUARE, (2, 0), None),
        ("where((x - 0.37)^2 + (y - 0.41)^2 < 0.01^2, 1, 0)", SQUARE, (1, 1), "a jump (where), for example"),
        ("sqrt((x - 0.5)^2 + (y - 0.5)^2)", SQUARE, (2, 2), "a kink (sqrt) at x = 0.5, y = 0.5"),
        ("sqrt(x^2 + y^2)", DISK, (2, 2), "a kink (sqrt) at x = 0, y = 0"),
        ("cos(pi/2*sqrt(x^2 + y^2))", DISK, (4, 4), None),
        (S, DISK, (2, 2), None),
        (S, DISK, (3, 3), "an infinite third derivative in x (max), for example at x = -0.9"),
        ("where(t < 1, 0, 1)", IN_TIME, (1, 2), "a jump (where) at t = 1"),
        ("where(t < 1, 0, 1)", IN_TIME, (-1, 2), None),
        ("where(t < 1, 0, 1)", IN_TIME, (0, 2), "a jump (where) at t = 1"),
        ("abs(x - t/3)", IN_TIME, (1, 2), "a kink (abs), for example at t = "),
    ],
)  # fmt: skip
def test_several_coordinates(text, domain, orders, what):
    worst = found(text, domain, orders)
    if what is None:
        assert worst == []
    else:
        assert worst[0].what.startswith(what)


def test_the_parameter_decides_where_and_whether():
    assert found("where(x < c, 0, 1)", LINE, (2,), c=1.25)[0].place == " at x = 1.25"
    assert found("where(x < c, 0, 1)", LINE, (2,), c=3.5) == []
    assert found("where(x < 1, 1, K)", LINE, (2,), K=2.0)[0].order == -1
    assert found("where(x < 1, 1, K)", LINE, (2,), K=1.0) == []


def test_units_do_not_matter():
    for size in (1e-9, 1.0, 1e9):
        domain = Domain(make_shape("interval", ("x",), {"x": [0.0, size]}), ("x",))
        assert found(f"1e-12*abs(x - {0.25 * size!r})", domain, (2,))[0].order == 0
        assert found(f"1e12*x*abs(x - {0.25 * size!r})^2.5", domain, (2,)) == []


def test_switches_of_one_symbol_can_be_left_alone():
    names = Names(space=("x",), unknowns=("u",))
    formula = to_symbolic(parse_expression("where(u > x, 1, 0)*abs(x - 1)"), names)
    assert [switch.operation for switch in switches(formula)] == ["where", "abs"]
    result = breaks(formula, ("x",), DomainRegion(LINE), (0,), {"u": 2.0})
    assert result[0].place == " at x = 2"
    assert breaks(formula, ("x",), DomainRegion(LINE), (0,), {"u": 2.0}, free_of={symbol("u")}) == []

"""Hard conditions: the ansatz meets the data whatever the network is, and uses them where they are given."""

# ruff: noqa: E501  (tables of messages)

from __future__ import annotations

import numpy as np
import pytest
import sympy
from combinations import squares

from pinnkan.geometry import BoundaryPart, Disk, InitialTime
from pinnkan.ground.channels import Channels
from pinnkan.ground.errors import ProblemError
from pinnkan.language.problem import load_problem, shipped_problems
from pinnkan.physics.conditions import boundary_lifts
from pinnkan.physics.conditions.ansatz import Ansatz
from pinnkan.physics.conditions.point_functions import PointFunction
from pinnkan.physics.family import Family

DISK = """\
coordinates: [x, y]
domain: {shape: disk, center: [0.5, -1], radius: 2}
unknowns: u
equations: ["-laplace(u) = 1"]
boundary: ["u = BOUNDARY"]
"""
DISK_IN_TIME = """\
coordinates: [x, y]
time: {t: [1, 3]}
domain: {shape: disk, center: [0, 0], radius: 1}
unknowns: u
equations: ["u_t = laplace(u)"]
boundary: ["u = BOUNDARY"]
initial: ["u = INITIAL"]
"""
SQUARE = """\
coordinates: [x, y]
domain: {shape: box, x: [0, 2], y: [-1, 1]}
unknowns: u
equations: ["-laplace(u) = 1"]
boundary:
BOUNDARY
"""
ROD = """\
coordinates: [x]
time: {t: [0, 2]}
domain: {shape: interval, x: [-1, 1]}
unknowns: u
equations: ["EQUATION"]
boundary: ["u = BOUNDARY"]
initial: [INITIAL]
"""
ROBIN = """\
coordinates: [x]
time: {t: [0, 2]}
domain: {shape: interval, x: [0, 5]}
unknowns: u
equations: ["u_t = u_xx"]
boundary: ["dn(u) + 2*u = 25"]
initial: ["u = 25"]
"""
BALL = """\
coordinates: [x, y, z]
domain: {shape: ball, center: [0, 0, 0], radius: 1}
unknowns: u
equations: ["-laplace(u) = 1"]
boundary: ["u = BOUNDARY"]
"""


def filled(text: str, **words: str) -> str:
    for word, value in words.items():
        text = text.replace(word.upper(), value)
    return text


def violation(instance, name: str) -> float:
    """Largest violation of a hard condition by lift + factor * N, with random N and derivatives of N."""
    rng = np.random.default_rng(3)
    worst = 0.0
    for part in [b for b in instance.conditions if b.name == name or b.name.startswith(f"{name}.")]:
        found = instance.domain.collocate(part.where, 300, rule="random", seed=5)
        ((unknown, channel),) = part.reads
        value = (0,) * len(channel)
        ansatz = instance.ansatzes[unknown]
        lift = ansatz.lift.derivatives(found.points, [channel])[0]
        factor = ansatz.factor(found.points, [value, channel])
        network = rng.uniform(-1, 1, size=(2, len(found.points)))
        u = lift + factor[0] * network[0] + (factor[1] * network[1] if any(channel) else 0)
        data = part.data(found.points, found.normals)
        import torch

        residual = part.residual(torch.from_numpy(data), torch.from_numpy(u[None]))
        worst = max(worst, float(residual.abs().max()))
    return worst


SOFT = {
    "heat": 1,  # an insulated end has no lift
    "black_scholes": 1,  # a pay-off has a kink
    "beam": 1,  # nor have supports without moment
    "elasticity": 2,  # nor has a load
    "brusselator": 2,  # nor have closed ends
}
"""How many conditions of a shipped problem stay soft, beside those that the file itself makes soft."""


@pytest.mark.parametrize("name", sorted(shipped_problems()))
def test_shipped_problems_meet_their_data(name):
    family = Family(load_problem(name))
    wanted = [condition for condition in family.problem.conditions if condition.hard is not False]
    clamps = {"clamp"} if name == "plate" else set()
    parameter = family.problem.parameters[0]
    for values in ({}, {parameter.name: parameter.high}):
        instance = family.at(values)
        hard = {condition for ansatz in instance.ansatzes for condition in ansatz.hard}
        assert len(hard) == len(wanted) - SOFT.get(name, 0)
        assert clamps <= hard  # test_a_clamped_edge_is_built_in measures them
        for condition in hard - clamps:
            assert violation(instance, condition) <= 1e-12


@pytest.mark.parametrize(
    ("text", "hard"),
    [
        (filled(DISK, boundary="0"), 1),
        (filled(DISK, boundary="3*exp(1)"), 1),
        (filled(DISK, boundary="(x - 0.5)^2 + (y + 1)^2"), 1),
        (filled(DISK, boundary="x*y + sin(x)"), 1),
        (filled(DISK, boundary="exp(cos(3*x))*y"), 1),
        (filled(DISK_IN_TIME, boundary="0", initial="(1 - x^2 - y^2)*exp(x)"), 2),
        (filled(DISK_IN_TIME, boundary="sin(t)", initial="sin(1)*(x^2 + y^2)"), 2),
        (filled(DISK_IN_TIME, boundary="x", initial="x + 1 - x^2 - y^2"), 2),
        (filled(BALL, boundary="2"), 1),
        (filled(ROD, equation="u_t = u_xx", boundary="x*t", initial='"u = 1 - x^2"'), 2),
        (filled(ROD, equation="u_tt = u_xx", boundary="x*t", initial='"u = 1 - x^2", "u_t = x^3"'), 3),
        (filled(ROD, equation="u_tt = u_xx", boundary="cos(t)", initial='"u = x^2", "2*u_t - 2*x^2 + 2 = 0"'), 3),
        (filled(SQUARE, boundary='  - "u = sin(x*y) + x"'), 1),
        (filled(SQUARE, boundary="  - {on: left, equation: u = cos(y)}\n  - {on: [top, bottom], equation: u = cos(1)}"), 2),
        (filled(SQUARE, boundary="  - {on: left, equation: u = y}\n  - {on: right, equation: u = y^2}"), 2),
        (filled(SQUARE, boundary="  - {on: left, equation: u = y}\n  - {on: right, equation: dn(u) = 0}"), 1),
        (filled(SQUARE, boundary="  - {on: top, equation: u = x^2}\n  - {on: right, equation: 3*u - 12 = 0}"), 2),
    ],
    ids=range(17),
)  # fmt: skip
def test_lifts_meet_data_of_many_kinds(text, hard):
    instance = Family(load_problem(text)).at()
    assert len(instance.ansatzes[0].hard) == hard, instance.ansatzes[0].notes
    for condition in instance.ansatzes[0].hard:
        assert violation(instance, condition) <= 1e-12


def test_a_box_in_three_dimensions_and_time_with_three_hard_sides():
    text = """\
coordinates: [x, y, z]
time: {t: [0, 1]}
domain: {shape: box, x: [0, 1], y: [0, 2], z: [-1, 1]}
unknowns: u
equations: ["u_t = laplace(u)"]
boundary:
  - {on: [left, top, back], equation: u = sin(x*y*z + t) + x, name: walls}
  - {on: [right, bottom, front], equation: dn(u) = dn(sin(x*y*z + t) + x)}
initial: ["u = sin(x*y*z) + x"]
"""
    instance = Family(load_problem(text)).at()
    assert instance.ansatzes[0].hard == ("walls", "initial[0]")
    assert violation(instance, "walls") <= 1e-12
    assert violation(instance, "initial[0]") <= 1e-12


def test_a_rate_of_the_wrong_sign_would_be_seen():
    text = filled(ROD, equation="u_tt = u_xx", boundary="0", initial='"u = 1 - x^2", "u_t = sin(pi*x)"')
    instance = Family(load_problem(text)).at()
    points = instance.domain.collocate(InitialTime(), 50, rule="random", seed=1).points
    rate = instance.ansatzes[0].lift.derivatives(points, [(1, 0)])[0]
    assert rate == pytest.approx(np.sin(np.pi * points[:, 1]), abs=1e-14)


@pytest.mark.parametrize(
    ("text", "name", "reason"),
    [
        (filled(DISK, boundary="abs(x)^3"), "boundary[0]", "its values are too rough for a harmonic lift"),
        (filled(DISK_IN_TIME, boundary="x*t", initial="x"), "boundary[0]", "its values vary both along the boundary and in time"),
        (filled(BALL, boundary="x"), "boundary[0]", "its values vary along the boundary; a lift is known for intervals, boxes"),
        (filled(DISK_IN_TIME, boundary="0", initial="1"), "initial[0]", "initial and boundary data differ by 1 (100 % of their size) where they meet"),
        (
            filled(SQUARE, boundary="  - {on: left, equation: u = 0}\n  - {on: top, equation: u = 1}"),
            "boundary[0]",
            "its values and those of other sides differ by 1 (100 % of their size) where the sides meet",
        ),
        (
            filled(ROD, equation="u_tt = u_xx", boundary="0", initial='"u = 1 - x^2", "u_t = 1"'),
            "initial[1]",
            "the rates of initial and boundary data differ by 1 (200 % of their size) where they meet",
        ),
        (
            filled(ROD, equation="u_tt = u_xx", boundary="0", initial='{equation: "u = 1 - x^2", hard: false}, "u_t = 0"'),
            "initial[1]",
            "the rate can be built in only together with the initial values",
        ),
        (ROBIN, "initial[0]", "it misses boundary[0] by 0.33 of the size of its terms where they meet"),
        (ROBIN.replace("u_t =", "u_tt =").replace('["u = 25"]', '["u = 25/2", "u_t = x"]'), "initial[1]", "it misses boundary[0] by 0.52"),
    ],
    ids=range(9),
)  # fmt: skip
def test_what_cannot_be_hard_stays_soft_and_says_why(text, name, reason):
    instance = Family(load_problem(text)).at()
    assert name not in instance.ansatzes[0].hard
    assert instance.ansatzes[0].notes[name].startswith(reason)
    assert name in [block.name for block in instance.blocks]
    for condition in instance.ansatzes[0].hard:
        assert violation(instance, condition) <= 1e-12


def test_hard_true_that_cannot_be_met_is_refused_with_its_place():
    text = filled(DISK, boundary="x").replace('"u = x"', "{equation: u = abs(x), hard: true}")
    problem = load_problem(text, name="disk")
    with pytest.raises(
        ProblemError, match=r"disk.yaml:5:23: error: boundary\[0\]: hard: true cannot be met: its values are"
    ):
        Family(problem).at()


def test_data_without_a_value_are_refused_with_their_place():
    text = filled(ROD, equation="u_t = u_xx", boundary="log(x + 1)", initial='"u = 0"')
    with pytest.raises(
        ProblemError, match=r"rod.yaml:6:12: error: boundary\[0\]: no finite value or limit at"
    ):
        Family(load_problem(text, name="rod")).at()


def test_hard_false_is_obeyed():
    text = filled(DISK, boundary="x").replace('"u = x"', "{equation: u = x, hard: false, weight: 5}")
    instance = Family(load_problem(text)).at()
    assert (instance.ansatzes[0].lift.formula, instance.ansatzes[0].distance.formula) == (0, 1)
    assert instance.ansatzes[0].text() == "u = 2.5*N"
    assert [(b.name, b.where, b.weight) for b in instance.blocks[1:]] == [
        ("boundary[0]", BoundaryPart("circle"), 5.0)
    ]


def test_a_condition_whose_unknown_vanishes_at_this_value_stays_soft():
    text = filled(SQUARE, boundary='  - "p*u = 0"').replace("unknowns: u", "unknowns: u\nfamily: {p: 1}")
    family = Family(load_problem(text))
    assert family.at(1.0).ansatzes[0].hard == ("boundary[0]",)
    assert family.at(0.0).ansatzes[0].notes == {
        "boundary[0]": "the factor of the unknown vanishes at this parameter value"
    }


def test_vanishing_data_give_no_lift_at_all():
    """exact is not zero inside the disk, but all its boundary data are: nothing of it may leak into the lift."""
    for name in ("elliptic", "hyperbolic"):
        assert Family(load_problem(name)).at(0.7).ansatzes[0].lift_is_zero


def test_the_lift_is_made_of_boundary_values_alone():
    """Two formulas that agree on the boundary but not inside give the same lift."""
    inside = "exp(x*y)*(x*(2 - x)*(1 - y^2))"
    plain = Family(load_problem(filled(SQUARE, boundary='  - "u = sin(x) + y"'))).at()
    other = Family(load_problem(filled(SQUARE, boundary=f'  - "u = sin(x) + y + {inside}"'))).at()
    points = plain.domain.uniform(200, 0)
    channels = [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2)]
    assert plain.ansatzes[0].lift.derivatives(points, channels) == pytest.approx(
        other.ansatzes[0].lift.derivatives(points, channels), abs=1e-12
    )
    for shape, formula in ((DISK, "x + 2"), (DISK, "7"), (BALL, "7")):
        radius = "(x - 0.5)^2 + (y + 1)^2 - 4" if shape is DISK else "x^2 + y^2 + z^2 - 1"
        plain = Family(load_problem(filled(shape, boundary=formula))).at()
        other = Family(load_problem(filled(shape, boundary=f"{formula} + ({radius})*cos(x)"))).at()
        points = plain.domain.uniform(200, 0)
        value = [(0,) * points.shape[1]]
        assert plain.ansatzes[0].lift.derivatives(points, value) == pytest.approx(
            other.ansatzes[0].lift.derivatives(points, value), abs=1e-12
        )


def test_the_harmonic_lift_is_the_harmonic_polynomial():
    instance = Family(load_problem(filled(DISK, boundary="(x - 0.5)^2 - (y + 1)^2 + x*y"))).at()
    points = instance.domain.uniform(100, 0)
    x, y = points.T
    lift = instance.ansatzes[0].lift.derivatives(points, [(0, 0), (1, 0), (1, 1), squares((1.0, 1.0))])
    # x y = (x - 1/2)(y + 1) - x + y/2 + 1/2 is harmonic, and so is the rest.
    assert lift[0] == pytest.approx((x - 0.5) ** 2 - (y + 1) ** 2 + x * y, abs=1e-13)
    assert lift[1] == pytest.approx(2 * (x - 0.5) + y, abs=1e-13)
    assert lift[2] == pytest.approx(np.ones(100), abs=1e-13)
    assert lift[3] == pytest.approx(np.zeros(100), abs=1e-12)
    assert "harmonic extension of the boundary data, 3 modes" in instance.ansatzes[0].text()


def test_derivatives_of_lift_and_factor_against_differences():
    instance = Family(load_problem("helmholtz")).at(5.5)
    points = instance.domain.uniform(50, 0)
    h = 1e-5
    for function in (instance.ansatzes[0].lift.derivatives, instance.ansatzes[0].factor):
        value = [(0, 0)]
        shifted = {
            (i, j): function(points + h * np.array([i, j]), value)[0] for i in (-1, 0, 1) for j in (-1, 0, 1)
        }
        given = function(points, [(1, 0), (0, 1), (1, 1), squares((1.0, 2.0))])
        assert given[0] == pytest.approx((shifted[1, 0] - shifted[-1, 0]) / (2 * h), abs=1e-6)
        assert given[1] == pytest.approx((shifted[0, 1] - shifted[0, -1]) / (2 * h), abs=1e-6)
        mixed = (shifted[1, 1] - shifted[1, -1] - shifted[-1, 1] + shifted[-1, -1]) / (4 * h**2)
        assert given[2] == pytest.approx(mixed, abs=1e-4)
        second = [(shifted[i, j] - 2 * shifted[0, 0] + shifted[-i, -j]) / h**2 for i, j in ((1, 0), (0, 1))]
        assert given[3] == pytest.approx(second[0] + 2 * second[1], abs=1e-4)


def test_the_factor_follows_the_parts_that_are_hard():
    text = filled(ROD, equation="u_t = u_xx", boundary="0", initial='{equation: "u = 1", hard: false}')
    assert Family(load_problem(text)).at().ansatzes[0].text().count("t") == 0
    both = Family(
        load_problem(filled(ROD, equation="u_t = u_xx", boundary="0", initial='"u = 1 - x^2"'))
    ).at()
    points = np.array([[1.0, 0.0], [0.0, 0.3], [2.0, 1.0]])
    assert both.ansatzes[0].factor(points, [(0, 0)])[0] == pytest.approx([0.5, 0.0, 0.0])


def test_bounds_may_depend_on_the_parameters():
    text = filled(ROD, equation="u_t = u_xx", boundary="0", initial='"u = 0"')
    text = text.replace("x: [-1, 1]", "x: [0, 2*L]").replace("unknowns: u", "unknowns: u\nfamily: {L: 1}")
    family = Family(load_problem(text, name="rod"))
    assert family.at(3.0).domain.bounding_box[1][1] == 6.0
    assert family.at(3.0).ansatzes[0].factor(np.array([[2.0, 3.0]]), [(0, 0)])[0] == pytest.approx([1.0])
    with pytest.raises(
        ProblemError, match=r"rod.yaml:3:30: error: domain: x: expected lower < upper, .* at L = -1"
    ):
        family.at(-1.0)


def test_on_a_shape_that_no_lift_is_known_for_conditions_stay_soft(monkeypatch):
    monkeypatch.delitem(boundary_lifts._BY_SHAPE, Disk)
    instance = Family(load_problem(filled(DISK, boundary="x + 1"))).at()
    assert instance.ansatzes[0].hard == ()
    assert instance.ansatzes[0].notes == {
        "boundary[0]": "no lift is known for this shape of the domain, but of zero"
    }
    assert [block.name for block in instance.blocks] == ["equation[0]", "boundary[0]"]


class Wave(PointFunction):
    """cos(x), by no formula."""

    @property
    def formula(self) -> None:
        return None

    def text(self) -> str:
        return "(a wave)"

    def derivatives(self, points, channels):
        return np.stack([np.cos(points[:, 0] + order * np.pi / 2) for (order,) in channels])


def test_lift_and_distance_may_be_any_functions_with_derivatives():
    ansatz = Ansatz("u", {}, lift=Wave(), distance=Wave(), scale=3.0)
    assert ansatz.text() == "u = (a wave) + 3*((a wave))*N"
    assert not ansatz.is_identity
    x = np.linspace(0, 1, 5)
    channels = Channels([(2,)], 1)
    lift, blend = ansatz.blended(x[:, None], channels)
    # N = x^2: u = cos(x) + 3 cos(x) x^2 and two derivatives of it.
    jet = np.stack([{0: x**2, 1: 2 * x, 2: 2 + 0 * x}[order] for (order,) in channels.keys])
    u = lift + np.einsum("abn,bn->an", blend, jet)
    second = -np.cos(x) + 3 * (-np.cos(x) * x**2 - 4 * x * np.sin(x) + 2 * np.cos(x))
    assert u[channels.position((2,))] == pytest.approx(second, rel=1e-13)


CLAMPED = """\
coordinates: [x, y]
domain: {shape: box, x: [0, 2], y: [-1, 1]}
unknowns: w
equations: ["EQUATION"]
boundary:
  - w = DATA
  - {equation: CLAMP, name: clamp, on: [PARTS]}
"""
VIBRATING = """\
coordinates: [x]
time: {t: [0, 1]}
domain: {shape: interval, x: [0, 1]}
unknowns: w
equations: ["w_tt = -w_xxxx"]
boundary: ["w = 0", {equation: "dn(w) = 0", name: clamp}]
initial: ["w = START", "w_t = 0"]
"""


def clamped(equation="biharmonic(w) = 1", data="0", clamp="dn(w) = 0", parts="left, right, bottom, top"):
    text = CLAMPED.replace("EQUATION", equation).replace("DATA", data)
    return text.replace("CLAMP", clamp).replace("PARTS", parts)


HARD_CLAMPS = {
    "all around": clamped(),
    "on two sides": clamped(parts="left, top"),
    "by plain derivatives": clamped(clamp="w_x = 0", parts="left, right"),
    "values that have no slope": clamped(data="1"),
    "a slope that the lift has": clamped(data="x", clamp="w_x = 1", parts="left, right"),
    "a beam in time": VIBRATING.replace("START", "x^2*(1 - x)^2"),
    "a beam in time, a cosine": VIBRATING.replace("START", "1 - cos(2*pi*x)"),
}
SOFT_CLAMPS = {
    "a slope that the lift has not": clamped(data="x", parts="left, right"),
    "another slope": clamped(clamp="dn(w) = 1"),
    "a moment": clamped(clamp="laplace(w) = 0"),
    "an equation of second order": clamped(equation="laplace(w) = 1"),
    "an equation of third order": clamped(equation="w_xxx = 1"),
    "said to be soft": clamped().replace("name: clamp", "name: clamp, hard: false"),
}


def slopes(text: str, name: str) -> tuple[float, float]:
    """Return the largest residual of a condition for lift + factor * N, and of factor * N alone."""
    instance = Family(load_problem(text, name="clamped")).at()
    largest = [0.0, 0.0]
    for block in (b for b in instance.conditions if b.name.partition(".")[0] == name):
        side = instance.domain.collocate(block.where, 50, rule="random", seed=3)
        indices = [partial.orders for partial in block.summands.partials]
        for row, u in enumerate(
            (
                instance.ansatzes[0].lift.derivatives(side.points, indices)
                + instance.ansatzes[0].factor(side.points, indices),
                instance.ansatzes[0].factor(side.points, indices),
            )
        ):
            terms = block.terms(side.points, side.normals, u)
            largest[row] = max(largest[row], float(np.abs(terms.sum(axis=0)).max()))
    return largest[0], largest[1]


@pytest.mark.parametrize("name", HARD_CLAMPS)
def test_a_clamped_edge_is_built_in(name):
    """The factor's slope vanishes there, so that lift + factor * N has the lift's whatever N is."""
    instance = Family(load_problem(HARD_CLAMPS[name], name="clamped")).at()
    assert "clamp" in instance.ansatzes[0].hard
    assert not any(block.name.startswith("clamp") for block in instance.blocks)
    assert slopes(HARD_CLAMPS[name], "clamp")[0] < 1e-12
    inside = instance.domain.uniform(200, 1)
    assert (instance.ansatzes[0].factor(inside, [(0,) * len(instance.coordinates)]) > 0).all()


@pytest.mark.parametrize("name", SOFT_CLAMPS)
def test_what_a_double_zero_does_not_meet_stays_soft(name):
    instance = Family(load_problem(SOFT_CLAMPS[name], name="clamped")).at()
    assert instance.ansatzes[0].hard
    assert "clamp" not in instance.ansatzes[0].hard
    assert any(block.name.startswith("clamp") for block in instance.blocks)


FOURTH = [(0, 4, 0), (0, 2, 2), (2, 2, 0), (1, 1, 2), (0, 0, 3), (2, 0, 1)]


def test_lift_and_factor_are_differentiated_to_the_fourth_order():
    """Against SymPy, in a box with time and a clamped edge; rows of zeros would be no test."""
    text = """\
coordinates: [x, y]
time: {t: [0, 2]}
domain: {shape: box, x: [0, 2], y: [-1, 1]}
unknowns: w
equations: ["w_tt = -biharmonic(w)"]
boundary: ["w = 0", {equation: "dn(w) = 0", name: clamp}]
initial: ["w = (1 - cos(pi*x))*(1 + cos(pi*y))", "w_t = sin(pi*x/2)^2*(1 - y^2)^2"]
"""
    ansatz = Family(load_problem(text, name="plate")).at().ansatzes[0]
    assert ansatz.hard == ("boundary[0]", "initial[0]", "initial[1]", "clamp")
    points = np.random.default_rng(0).uniform([0.1, 0.1, -0.9], [1.9, 1.9, 0.9], (20, 3))
    t, x, y = sympy.symbols("t x y")
    lift = (1 - sympy.cos(sympy.pi * x)) * (1 + sympy.cos(sympy.pi * y))
    lift += t * sympy.sin(sympy.pi * x / 2) ** 2 * (1 - y**2) ** 2
    factor = (t / 2) ** 2 * (4 * x / 2 * (1 - x / 2) * 4 * (1 + y) / 2 * (1 - y) / 2) ** 2
    for formula, rows in (
        (lift, ansatz.lift.derivatives(points, FOURTH)),
        (ansatz.scale * factor, ansatz.factor(points, FOURTH)),
    ):
        for index, row in zip(FOURTH, rows, strict=True):
            derived = sympy.diff(formula, *[pair for pair in zip((t, x, y), index, strict=True) if pair[1]])
            expected = sympy.lambdify((t, x, y), derived)(*points.T) * np.ones(len(points))
            np.testing.assert_allclose(row, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())
    assert (ansatz.factor(points, FOURTH) != 0).all()


def test_a_harmonic_lift_is_differentiated_to_the_fourth_order():
    text = DISK.replace("center: [0.5, -1], radius: 2", "center: [0, 0], radius: 1")
    text = text.replace("u = BOUNDARY", "u = x^4 - 6*x^2*y^2 + y^4").replace(
        "laplace(u) = 1", "biharmonic(u) = 1"
    )
    ansatz = Family(load_problem(text, name="disk")).at().ansatzes[0]
    points = np.random.default_rng(0).uniform(-0.6, 0.6, (20, 2))
    rows = ansatz.lift.derivatives(points, [(4, 0), (2, 2), (3, 1), (2, 1)])
    expected = [np.full(20, 24.0), np.full(20, -24.0), np.zeros(20), -24 * points[:, 1]]
    np.testing.assert_allclose(rows, expected, atol=1e-9)

"""Residual blocks: residuals and their partial derivatives as torch functions of data and channels."""

from __future__ import annotations

import time
from itertools import product

import numpy as np
import pytest
import torch
from combinations import squares

from pinnkan.geometry import BoundaryPart, Interior
from pinnkan.ground.derivatives import Collapsed, terms_of
from pinnkan.language.problem import load_problem, shipped_problems
from pinnkan.physics.family import Family

ANISOTROPIC = """\
coordinates: [x, y]
domain: {shape: box, x: [0, 1], y: [0, 1]}
unknowns: u
family: {p: {base: 2, range: [0, 3]}}
equations: ["OPERATOR = 0"]
boundary: ["u = 0"]
"""


def operator(text: str):
    return load_problem(ANISOTROPIC.replace("OPERATOR", text))


@pytest.mark.parametrize("name", sorted(shipped_problems()))
def test_partials_against_autograd(name):
    soft = ["boundary.0.hard=false"] if load_problem(name).boundary else []
    instance = Family(load_problem(name, overrides=soft)).at()
    generator = torch.Generator().manual_seed(1)
    for block in (*instance.blocks, *instance.conditions):
        found = instance.domain.collocate(block.where, 40, rule="random", seed=2)
        data = torch.from_numpy(block.data(found.points, found.normals))
        u = torch.randn(len(block.reads), len(found.points), generator=generator, dtype=torch.float64)
        u.requires_grad_()
        residual = block.residual(data, u)
        assert residual.shape == (len(found.points),)
        (expected,) = torch.autograd.grad(residual.sum(), u, allow_unused=True)
        torch.testing.assert_close(block.partials(data, u.detach()), expected, rtol=1e-12, atol=1e-12)


def test_single_precision_stays_single():
    (block,) = Family(load_problem("elliptic")).at().blocks
    points = Family(load_problem("elliptic")).at().domain.uniform(10, 0)
    data = torch.from_numpy(block.data(points)).float()
    u = torch.ones(3, 10)
    assert block.residual(data, u).dtype == torch.float32
    assert block.partials(data, u).dtype == torch.float32


def test_an_equation_by_hand():
    problem = operator("u_xy + p*x*u_x^2 - sin(u)*y")
    (block,) = Family(problem).at(3.0).blocks
    assert block.reads == ((0, (0, 0)), (0, (1, 0)), (0, (1, 1)))
    points = np.array([[0.5, 0.25], [1.0, 0.0]])
    u = torch.tensor([[0.1, 0.2], [2.0, -1.0], [7.0, 8.0]], dtype=torch.float64)
    residual = block.residual(torch.from_numpy(block.data(points)), u)
    expected = [7 + 3 * 0.5 * 4 - np.sin(0.1) * 0.25, 8 + 3 * 1.0 * 1 - 0]
    assert residual.tolist() == pytest.approx(expected, abs=1e-14)


BIHARMONIC = Collapsed((((4, 0), 1.0), ((2, 2), 2.0), ((0, 4), 1.0)))


@pytest.mark.parametrize(
    ("text", "value", "combination"),
    [
        ("laplace(u) - 1", 2.0, (1.0, 1.0)),
        ("-(1 + x^2)*laplace(u)", 2.0, (1.0, 1.0)),
        ("(1 + u^2)*(u_xx + p*u_yy)", 2.0, (1.0, 2.0)),
        ("p*u_xx + u_yy", 0.0, (0.0, 1.0)),
        ("div((2 + sin(x*y))*grad(u))", 2.0, (1.0, 1.0)),
        ("laplace(u)^2 + u_xy", 2.0, (1.0, 1.0)),
        ("exp(u_xx + 3*u_yy) - 2", 2.0, (1.0, 3.0)),
        ("u_xx + p*u_xy + 3*u_yy + u", 2.0, Collapsed((((2, 0), 1.0), ((1, 1), 2.0), ((0, 2), 3.0)))),
        ("u_xx + u_yy + x*u_xy", 2.0, (1.0, 1.0)),
        ("biharmonic(u) - u*laplace(u)", 2.0, BIHARMONIC),
        ("exp(u)*(u_xxx + p*u_xyy) - u_xx", 2.0, Collapsed((((3, 0), 1.0), ((1, 2), 2.0)))),
        ("u_xxxx + x*u_yyyy + laplace(u)", 2.0, (1.0, 1.0)),
        ("u_xxxx + laplace(u)", 2.0, (1.0, 1.0)),
        ("u_xx + x*u_yy", 2.0, None),
        ("u_xx*u_yy - 1", 2.0, None),
        ("u_xx - u", 2.0, None),
    ],
)
def test_collapsing(text, value, combination):
    text = text if "p" in text.replace("exp", "").replace("laplace", "") else f"{text} + p*u"
    problem = operator(text)
    instance = Family(problem).at(value)
    (block,) = instance.blocks
    expected = squares(combination) if isinstance(combination, tuple) else combination
    assert [read.channel for read in block.reads if isinstance(read.channel, Collapsed)] == (
        [] if expected is None else [expected]
    )
    # The collapsed residual is the plain one, at random values of the derivatives.
    plain = operator(f"0*x + {text} + 0*y")
    rng = np.random.default_rng(0)
    values = {index: rng.normal(size=5) for index in product(range(5), repeat=2) if sum(index) <= 4}
    points = rng.random((5, 2))

    def of(channel):
        return sum(factor * values[index] for index, factor in terms_of(channel))

    u = torch.from_numpy(np.stack([of(read.channel) for read in block.reads]))
    found = block.residual(torch.from_numpy(block.data(points)), u).numpy()
    from pinnkan.language.expressions import evaluate

    names = ["x", "y", *("u" + "_" * any(index) + "x" * index[0] + "y" * index[1] for index in values)]
    columns = np.column_stack([points, *values.values()])
    expected = evaluate([plain.equations[0].residual], names, columns, {"p": value})[0]
    assert found == pytest.approx(expected, rel=1e-12)


def test_a_combination_with_a_factor_that_is_not_finite_does_not_collapse():
    family = Family(operator("u_xx/p + u_yy"))
    (block,), (whole,) = family.at(0.0).equations, family.at(2.0).equations
    assert [read.channel for read in block.reads] == [(2, 0), (0, 2)]
    assert [read.channel for read in whole.reads] == [squares((0.5, 1.0))]


def two_unknowns(first: str, second: str):
    text = ANISOTROPIC.replace("unknowns: u", "unknowns: [u, v]").replace('"u = 0"', '"u = 0", "v = 0"')
    return load_problem(text.replace('["OPERATOR = 0"]', f'["{first} = 0", "{second} = 0"]'))


@pytest.mark.parametrize(
    ("first", "second", "combination"),
    [
        ("laplace(u) + p*v", "laplace(v) - u", (1.0, 1.0)),
        ("u_xx + p*u_yy + v", "3*v_xx + 3*p*v_yy - u^2", (1.0, 2.0)),
        ("laplace(u) + laplace(v) + p", "laplace(v) - u", (1.0, 1.0)),
        ("laplace(u) + p*v", "v_x - u", (1.0, 1.0)),
        ("laplace(u) + p*v", "v_xx + 2*v_yy - u", None),
        ("laplace(u) + p*v", "v_xx - u", None),
        ("laplace(u) + p*v_xx + v_yy", "laplace(v) - u", None),
    ],
)
def test_unknowns_collapse_alike_or_not_at_all(first, second, combination):
    """One channel for all unknowns, with the ratios that all of them have."""
    blocks = Family(two_unknowns(first, second)).at(2.0).equations
    reads = {read for block in blocks for read in block.reads}
    collapsed = {read for read in reads if isinstance(read.channel, Collapsed)}
    second_order = {unknown for unknown in range(2) if f"laplace({'uv'[unknown]})" in f"{first} {second}"}
    second_order |= {unknown for unknown in range(2) if f"{'uv'[unknown]}_xx" in f"{first} {second}"}
    if combination is None:
        assert not collapsed
    else:
        assert collapsed == {(unknown, squares(combination)) for unknown in second_order}
        assert not any(2 in read.channel for read in reads - collapsed)


def test_the_same_derivative_of_two_unknowns_is_two_rows():
    block, _ = Family(two_unknowns("u_x*v - 3*v_x^2 + p*x*u", "u + v")).at(2.0).equations
    assert block.reads == ((0, (0, 0)), (0, (1, 0)), (1, (0, 0)), (1, (1, 0)))
    points = np.array([[0.5, 0.25], [1.0, 0.0]])
    u, u_x, v, v_x = np.array([[0.1, 0.2], [2.0, -1.0], [7.0, 8.0], [5.0, -3.0]])
    data, rows = torch.from_numpy(block.data(points)), torch.from_numpy(np.stack([u, u_x, v, v_x]))
    expected = u_x * v - 3 * v_x**2 + 2 * points[:, 0] * u
    assert block.residual(data, rows).numpy() == pytest.approx(expected, rel=1e-14)
    slopes = np.stack([2 * points[:, 0], v, u_x, -6 * v_x])
    assert block.partials(data, rows).numpy() == pytest.approx(slopes, rel=1e-14)


def test_conditions_on_some_sides_become_one_block_each():
    text = ANISOTROPIC.replace("OPERATOR", "laplace(u) + p").replace(
        '["u = 0"]',
        "[{on: [left, top], equation: u + 2*dn(u) = x, name: robin}, {on: bottom, equation: dn(u) = 1}]",
    )
    instance = Family(load_problem(text)).at()
    assert [(b.name, b.where) for b in instance.blocks] == [
        ("equation[0]", Interior()),
        ("robin.x-", BoundaryPart("x-")),
        ("robin.y+", BoundaryPart("y+")),
        ("boundary[1]", BoundaryPart("y-")),
    ]
    left = instance.blocks[1]
    assert left.reads == ((0, (0, 0)), (0, (1, 0)), (0, (0, 1)))
    found = instance.domain.collocate(BoundaryPart("x-"), 4, rule="quadrature", seed=0)
    u = torch.tensor([[1.0], [10.0], [100.0]], dtype=torch.float64).expand(3, len(found.points))
    residual = left.residual(torch.from_numpy(left.data(found.points, found.normals)), u)
    assert residual.tolist() == pytest.approx([1 + 2 * -10.0] * len(found.points))
    with pytest.raises(ValueError, match=r"robin.x- needs the normals of its points"):
        left.data(found.points)


def test_a_condition_may_mention_a_manufactured_source():
    """-u'' = source with u = sin(2 x): source = 4 sin(2 x), so that u = source / 4 on the boundary."""
    text = """\
coordinates: [x]
domain: {shape: interval, x: [0, 1]}
unknowns: u
exact: sin(2*x)
source: manufactured
equations: ["-u_xx = source"]
boundary: ["u = source/4"]
"""
    instance = Family(load_problem(text)).at()
    assert instance.ansatzes[0].hard == ("boundary[0]",)
    lift = instance.ansatzes[0].lift.derivatives(np.array([[0.0], [1.0], [0.5]]), [(0,)])[0]
    assert lift == pytest.approx([0, np.sin(2), np.sin(2) / 2])


@pytest.mark.parametrize("name", ["elliptic", "allen_cahn", "hyperbolic"])
def test_further_parameter_values_are_cheap(name):
    family = Family(load_problem(name))
    family.at(0.1)
    times = []
    for value in (0.2, 0.3, 0.4, 0.5, 0.6):
        start = time.process_time()
        family.at(value)
        times.append(time.process_time() - start)
    assert min(times) < 0.02, times


def test_editing_exact_changes_nothing_that_training_sees():
    text = """\
coordinates: [x, y]
time: {t: [0, 1]}
domain: {shape: disk, center: [0, 0], radius: 1}
unknowns: u
family: {p: 1}
exact: EXACT
source: cos(x)*t
equations: ["u_t = p*laplace(u) + source"]
boundary: ["u = x"]
initial: ["u = x + sin(1 - x^2 - y^2)"]
"""
    one = Family(load_problem(text.replace("EXACT", "x*t"))).at()
    two = Family(load_problem(text.replace("EXACT", "exp(y)"))).at()
    points = one.domain.uniform(100, 0)
    channels = [read.channel for read in one.blocks[0].reads]
    assert [b.reads for b in one.blocks] == [b.reads for b in two.blocks]
    for first, second in zip(one.blocks, two.blocks, strict=True):
        assert np.array_equal(first.data(points), second.data(points))
    lifts = [instance.ansatzes[0].lift.derivatives(points, channels) for instance in (one, two)]
    assert np.array_equal(*lifts)
    assert np.array_equal(one.ansatzes[0].factor(points, channels), two.ansatzes[0].factor(points, channels))
    assert not np.array_equal(one.exact(points)["u"], two.exact(points)["u"])

"""pinnkan.load(DIR).at(VALUE): what a script gets, and what it is told."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import numpy as np
import pytest

import pinnkan
from pinnkan.ground.errors import PinnkanError, UsageError

POINTS = np.array([[0.0, 0.0], [0.3, -0.4], [-0.6, 0.5], [1.0, 0.0]])
STEP = 1e-5


def test_importing_the_package_imports_nothing_heavy():
    code = "import sys, pinnkan; print([m for m in ('torch', 'numpy', 'sympy') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_the_package_says_its_version_and_no_more_than_it_has():
    assert pinnkan.__version__ == version("pinnkan")
    with pytest.raises(AttributeError, match="module 'pinnkan' has no attribute 'nothing'"):
        pinnkan.nothing


def test_two_lines_give_the_solution(run):
    u = pinnkan.load(str(run)).at(0.5)
    x, y = POINTS.T
    exact = (1 - x**2 - y**2) * (1 + 0.5 * x)
    assert u(POINTS) == pytest.approx(exact, abs=0.1)
    assert u(POINTS)[-1] == 0.0
    assert np.array_equal(u.exact(POINTS), exact)
    assert (u.values, u.method, u.coordinates) == ({"lambda": 0.5}, "lotra", ("x", "y"))
    assert u(POINTS).dtype == np.float64


def test_the_base_and_the_ways_to_name_a_value(run):
    family = pinnkan.load(run)
    assert family.parameters == {"lambda": 0.0}
    assert (family.at().method, family.at().values) == ("base", {"lambda": 0.0})
    one = family.at(0.5)(POINTS)
    assert np.array_equal(one, family.at({"lambda": 0.5})(POINTS))
    assert np.array_equal(one, family.at(np.float64(0.5))(POINTS))
    assert not np.array_equal(one, family.at()(POINTS))


def test_points_may_be_any_table(run):
    u = pinnkan.load(run).at()
    assert np.array_equal(u(POINTS.tolist()), u(POINTS))
    assert np.array_equal(u(np.asfortranarray(POINTS)[::-1]), u(POINTS)[::-1])
    assert u(np.zeros((0, 2))).shape == (0,)


@pytest.mark.parametrize(("name", "step"), [("u_x", [1, 0]), ("u_y", [0, 1])])
def test_first_derivatives_are_those_of_differences(run, name, step):
    u = pinnkan.load(run).at(0.5)
    inner, shift = 0.9 * POINTS, STEP * np.array(step)
    difference = (u(inner + shift) - u(inner - shift)) / (2 * STEP)
    assert u.jet(inner, name) == pytest.approx(difference, abs=1e-8)


def test_several_derivatives_come_as_rows(run):
    u = pinnkan.load(run).at(0.5)
    rows = u.jet(POINTS, "u", "u_xx", "u_xy", "u_yx", "u_yy")
    assert rows.shape == (5, 4)
    assert np.array_equal(rows[0], u(POINTS))
    assert np.array_equal(rows[2], rows[3])
    residual = -(rows[1] + rows[4]) - (4 + 8 * 0.5 * POINTS[:, 0])
    assert u.residual(POINTS) == pytest.approx(residual, abs=1e-12)


def test_third_derivatives_travel_too(run):
    u = pinnkan.load(run).at(0.5)
    inner = 0.9 * POINTS
    shift = np.array([STEP, 0.0])
    difference = (u.jet(inner + shift, "u_xx") - u.jet(inner - shift, "u_xx")) / (2 * STEP)
    assert u.jet(inner, "u_xxx") == pytest.approx(difference, rel=1e-6, abs=1e-6)


def test_time_comes_first(folder):
    v = pinnkan.load(folder / "heat").at()
    assert v.coordinates == ("t", "x")
    x = np.linspace(0, 2, 5)
    initial = np.column_stack([np.zeros(5), x])
    assert v(initial) == pytest.approx(x * (2 - x), abs=1e-12)
    assert v.jet(initial, "v_xx") == pytest.approx(np.full(5, -2.0), abs=1e-12)


REFUSED = [
    (lambda u: u([0.0, 0.0]), r"points must have shape \(N, 2\), one column each for x, y; got \(2,\)"),
    (lambda u: u([[0.0, 0.0, 0.0]]), r"got \(1, 3\)"),
    (lambda u: u([["a", "b"]]), "points are not numbers: could not convert"),
    (lambda u: u([[0, 0], [1, 1], [2, 0]]), "2 of 3 points are outside the domain, first x=1, y=1"),
    (lambda u: u([[np.nan, 0]]), "1 of 1 points are outside the domain, first x=nan, y=0"),
    (lambda u: u.jet(POINTS), "which derivatives"),
    (lambda u: u.jet(POINTS, "u_zz"), "unknown name 'u_zz'; coordinates are x, y; did you mean 'u_yy'"),
    (lambda u: u.jet(POINTS, "x"), "x"),
]


@pytest.mark.parametrize(("use", "message"), REFUSED)
def test_misuse_is_explained(run, use, message):
    with pytest.raises(UsageError, match=message):
        use(pinnkan.load(run).at(0.5))


def test_what_is_not_there_is_named(run, folder):
    with pytest.raises(PinnkanError, match=r"has no base\.h5; 'pinnkan pretrain PROBLEM -o"):
        pinnkan.load(folder / "nowhere")
    with pytest.raises(UsageError, match=r"no lotra adapter for lambda=0\.1; train it with"):
        pinnkan.load(run).at(0.1)
    with pytest.raises(UsageError, match="unknown parameter 'mu'"):
        pinnkan.load(run).at({"mu": 0.1})
    with pytest.raises(UsageError, match="one number is not enough: the parameters are kappa, c"):
        pinnkan.load(folder / "heat").at(0.1)
    with pytest.raises(UsageError, match="heat: no reference is known"):
        pinnkan.load(folder / "heat").at().exact([[0.0, 0.0]])
    with pytest.raises(
        UsageError, match=r"method full, tag a: belongs to .* with --lambda VALUE \(in Python"
    ):
        pinnkan.load(run).at(method="full", tag="a")
    with pytest.raises(UsageError, match=r"tag a: .* --param kappa=VALUE"):
        pinnkan.load(folder / "heat").at(tag="a")

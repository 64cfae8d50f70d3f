"""Data that change faster than the points see are a warning of ``check``, with width and spacing."""

from __future__ import annotations

import math
import random
import re

import pytest

from pinnkan.language.problem import load_problem
from pinnkan.physics.check import check_problem
from pinnkan.physics.family import Family
from pinnkan.physics.steepness import unseen_data

LINE = """\
coordinates: [x]
domain: {shape: interval, x: [0, 3]}
unknowns: u
family: {a: {base: 2, range: [1, 3]}}
equations: ["EQUATION"]
boundary: ["u = 0"]
points: {interior: 300}
"""
ROD = """\
coordinates: [x]
time: {t: [0, 1]}
domain: {shape: interval, x: [0, 1]}
unknowns: u
family: {a: 2}
equations: ["u_t = a*u_xx"]
boundary:
  - {on: left, equation: "u = LEFT", hard: false}
  - {on: right, equation: dn(u) = 0}
initial: ["u = START"]
"""
# From a formula in the distance s from the place and a width w: the width within which half of it happens.
FEATURES = {
    "tanh(s/w)": 1.1,
    "erf(s/w)": 0.95,
    "exp(-(s/w)^2)": 1.67,
    "1/(1 + (s/w)^2)": 2.0,
    "1/cosh(s/w)": 2.63,
    "s/sqrt(s^2 + w^2)": 1.15,
    "a*tanh(s/w)*(1 + x)": 1.1,
}


def features(width: float, place: float) -> list[str]:
    return [re.sub(r"\bs\b", f"(x - {place!r})", text).replace("w", repr(width)) for text in FEATURES]


@pytest.mark.parametrize(
    "equation", ["-u_xx = a*F", "-u_xx + (3*a + F)*u = 1", "-diff((3*a + F)*u_x, x) = 1"]
)
def test_what_is_narrower_than_the_points_see_is_said_with_width_and_spacing(equation):
    rng = random.Random(equation)
    for feature, half in zip(range(len(FEATURES)), FEATURES.values(), strict=True):
        width, place = 3 * 10 ** rng.uniform(-7, -4), round(rng.uniform(0.3, 2.7), 4)
        text = LINE.replace("EQUATION", equation.replace("F", features(width, place)[feature]))
        messages = unseen_data(Family(load_problem(text)).at())
        assert len(messages) == 1, text
        said = re.match(
            r"equation\[0\]: what is given changes \(.*\) by half within (\S+) at x = (\S+), "
            r"where points are about 0.01 apart and do not see it: make it wider, or raise points.interior",
            messages[0],
        )
        assert said is not None, messages
        assert float(said[2]) == pytest.approx(place, abs=2 * width + 1e-3)
        if equation.startswith("-u_xx = a"):
            assert 0.6 < float(said[1]) / (half * width) < 1.4, (text, said[1])


@pytest.mark.parametrize("feature", range(len(FEATURES)))
def test_what_the_points_see_is_silent(feature):
    for width in (0.02, 0.3, 30.0):
        formula = features(width, 1.234)[feature]
        assert unseen_data(Family(load_problem(LINE.replace("EQUATION", f"-u_xx = a*{formula}"))).at()) == []


@pytest.mark.parametrize(
    "source", ["abs(x - 1)", "sqrt(abs(x - 1))", "x^2", "sin(20*x)", "exp(-x)", "a", "max(x - 1, 0)^2"]
)
def test_kinks_roots_and_plain_functions_are_silent(source):
    assert unseen_data(Family(load_problem(LINE.replace("EQUATION", f"-u_xx = a*{source}"))).at()) == []


def test_conditions_count_their_own_points():
    text = ROD.replace("LEFT", "tanh((t - 0.5)/1e-5)").replace("START", "0")
    (message,) = unseen_data(Family(load_problem(text)).at())
    assert message.startswith("boundary[0]: what is given changes (tanh) by half within 1.1e-05 at t = 0.5")
    assert message.endswith("raise points.boundary (now 200)")
    text = ROD.replace("LEFT", "0").replace("START", "exp(-((x - 0.5)/1e-5)^2)")
    (message,) = unseen_data(Family(load_problem(text)).at())
    assert message.startswith("initial[0]: what is given changes (exp) by half within 1.7e-05 at x = 0.5")


def test_what_is_narrow_along_the_normal_of_a_side_is_not_given_there():
    text = ROD.replace("u = LEFT", "u = exp(-x/1e-6)").replace("START", "0")
    assert unseen_data(Family(load_problem(text)).at()) == []


def test_check_says_so_and_more_points_silence_it():
    text = LINE.replace("EQUATION", "-u_xx = a*tanh((x - 1.5)/1e-3)")
    report = check_problem(Family(load_problem(text)))
    (warning,) = (f.message for f in report.findings if f.severity == "warning")
    assert "at x = 1.5" in warning
    assert check_problem(Family(load_problem(text, overrides=["points.interior=3000"]))).findings == ()


def test_a_source_that_jumps_is_advised_to_be_averaged():
    text = LINE.replace("EQUATION", "-u_xx = where(x < 1, 0, a)")
    (message,) = unseen_data(Family(load_problem(text, overrides=["training.optimizer=lm"])).at())
    assert message == (
        "equation[0]: a source or coefficient has a jump (where) at x = 1; residuals averaged over "
        "neighbouring points see it better: --set training.smoothing=48"
    )
    for overrides in ([], ["training.optimizer=lm", "training.smoothing=48"]):
        assert unseen_data(Family(load_problem(text, overrides=overrides)).at()) == []


def test_units_do_not_matter():
    for size in (1e-9, 1e9):
        text = LINE.replace("[0, 3]", f"[0, {3 * size!r}]")
        text = text.replace("EQUATION", f"-u_xx = 1e-7*a*tanh((x - {1.5 * size!r})/{1e-4 * size!r})")
        (message,) = unseen_data(Family(load_problem(text)).at())
        width = float(re.search(r"within (\S+)", message)[1])
        assert math.isclose(width, 1.1e-4 * size, rel_tol=0.2)


MOVING = LINE.replace("range: [2, 20]", "range: [2, 20]").replace("EQUATION", "-u_xx = tanh((x - 1.5)*a)")


@pytest.mark.parametrize(("value", "is_seen"), [(3.0, True), (1e5, False)])
def test_a_parameter_value_is_looked_at_with_the_points_of_its_adapter(value, is_seen):
    family = Family(load_problem(MOVING))
    assert unseen_data(family.at()) == []
    messages = unseen_data(family.at(value), "finetuning")
    assert bool(messages) != is_seen
    if messages:
        (message,) = messages
        assert "at x = 1.5, where points are" in message
        assert "raise points.interior (now " in message
        many = load_problem(MOVING, overrides=["finetuning.points=1000000"])
        assert unseen_data(Family(many).at(value), "finetuning") == []
        few = load_problem(MOVING, overrides=["finetuning.points=50"])
        (message,) = unseen_data(Family(few).at(value), "finetuning")
        assert "raise finetuning.points (now 50)" in message


def test_check_says_so_for_the_values_that_it_is_given():
    report = check_problem(Family(load_problem(MOVING)), further=[{"a": 3.0}, {"a": 1e5}])
    (warning,) = (f.message for f in report.findings if f.severity == "warning")
    assert warning.startswith("at a=100000: equation[0]: what is given changes (tanh) by half within ")


COOLING = """\
coordinates: [x]
time: {t: [0, 100]}
domain: {shape: interval, x: [0, 1]}
unknowns: u
scales: {t: SCALE}
family: {a: 1}
equations: ["u_t = a*u_xx + (SOURCE)*sin(pi*x)"]
boundary:
  - {on: left, equation: "u = SIDE", hard: false}
  - {on: right, equation: u = 0}
initial: ["u = 0"]
points: {interior: 900, boundary: 100}
"""


def graded_spacing(time: float, levels: float, time_scale: float = 0.1) -> float:
    """Points at t(s) = T ((1 + g)^s - 1)/g, g = T/time_scale: dt/ds / levels, by a difference quotient."""
    growth = 100 / time_scale

    def position(share: float) -> float:
        return 100 * ((1 + growth) ** share - 1) / growth

    share = math.log1p(growth * time / 100) / math.log1p(growth)
    return (position(share + 1e-6) - position(share - 1e-6)) / 2e-6 / levels


@pytest.mark.parametrize(
    ("formula", "place", "is_seen", "is_seen_evenly"),
    [
        ("exp(-((t - 70)/2)^2)", 70, False, True),
        ("tanh((t - 60)/1.0)", 60, False, True),
        ("tanh((t - 80)/0.2)", 80, False, False),
        ("exp(-((t - 0.5)/0.001)^2)", 0.5, False, False),
        ("exp(-t/0.1)", 0, True, False),
        ("tanh(t/0.1)", 0, True, False),
        ("exp(-((t - 1)/0.3)^2)", 1, True, False),
        ("exp(-((t - 70)/20)^2)", 70, True, True),
    ],
)
def test_points_that_are_dense_at_the_start_see_early_changes_and_not_late_ones(
    formula, place, is_seen, is_seen_evenly
):
    """The interior has 30 levels of time, a side 100."""
    for source, side, levels, key in ((formula, "0", 30, "interior"), ("0", formula, 100, "boundary")):
        text = COOLING.replace("SOURCE", source).replace("SIDE", side)
        messages = unseen_data(Family(load_problem(text.replace("SCALE", "0.1"))).at())
        if levels == 30:
            assert bool(messages) != is_seen, messages
            evenly = unseen_data(Family(load_problem(text.replace("SCALE", "1000"))).at())
            assert bool(evenly) != is_seen_evenly, evenly
        elif is_seen:
            assert messages == []
        for message in messages:
            said = re.search(r"at t = (\S+), where points are about (\S+) apart", message)
            assert float(said[1]) == pytest.approx(place, rel=0.02)
            assert float(said[2]) == pytest.approx(graded_spacing(place, levels), rel=0.06)
            assert message.endswith(f"raise points.{key} (now {900 if levels == 30 else 100})")


OF_UNKNOWN = {
    # What is differentiated, over a width {w} about a value {c}: where it changes, and how fast.
    "diff((2 + tanh((u - {c})/{w}))*u_x, x)": ("u", "{c}", "tanh", 1.1),
    "div((2 + erf((u - {c})/{w}))*grad(u))": ("u", "{c}", "erf", 0.95),
    "dx(u_x/(1 + 9*exp(-((u - {c})/{w})^2)))": ("u", "{c}", "exp", 3.0),
    "dx((3 + (u - {c})/sqrt((u - {c})^2 + {w}^2))*u_x)": ("u", "{c}", "a power", 1.15),
    "u_xx + dx({U}*tanh((u - {c})/{w}))": ("u", "{c}", "tanh", 1.1),
    "u_xx + dx(dx({U}*tanh(u/{w})))": ("u", "0", "tanh", 1.1),
    "dx((3 + tanh((u_x - {c})/{w}))*u_x)": ("u_x", "{c}", "tanh", 1.1),
}


@pytest.mark.parametrize("formula", OF_UNKNOWN)
def test_a_ramp_of_the_unknown_that_is_differentiated_must_be_seen(formula):
    leaf, place, operation, half = OF_UNKNOWN[formula]
    rng = random.Random(formula)
    for unit in (1e-9, 1.0, 1e6):
        c, width = f"{unit * rng.uniform(0.2, 0.6):.3g}", 10 ** rng.uniform(-7, -4) * unit
        for is_seen, w in ((False, width), (True, 0.02 * unit)):
            equation = formula.replace("{c}", c).replace("{w}", repr(w)).replace("{U}", repr(unit))
            text = (
                "coordinates: [x]\ndomain: {shape: interval, x: [0, 1]}\nunknowns: u\n"
                f'equations: ["{equation} = 0"]\nboundary: ["u = {unit:g}*(1 - x)"]\n'
                "points: {interior: 400}\n"
            )
            messages = unseen_data(Family(load_problem(text)).at())
            assert len(messages) == (not is_seen), messages
            if is_seen:
                continue
            said = re.fullmatch(
                r"equation\[0\]: '.*' differentiates what changes \((.*)\) by half within (\S+) "
                r"at (\S+) = (\S+), where points are about (\S+) apart and do not see it: make it wider, "
                r"or raise points.interior \(now 400\)",
                messages[0],
            )
            assert said is not None, messages
            assert (said[1], said[3]) == (operation, leaf)
            assert float(said[2]) / (half * w) == pytest.approx(1, abs=0.4)
            assert float(said[4]) == pytest.approx(float(place.replace("{c}", c)), rel=0.01)
            assert float(said[5]) == pytest.approx(unit / 400, rel=0.05)


@pytest.mark.parametrize(
    "equation",
    [
        "diff(exp(3*u)*u_x, x) = 1",
        "diff(u_x/(1 + u^2), x) = 1",
        "diff(u_x/sqrt(1 + u_x^2), x) = 1",
        "diff(abs(u_x)*u_x, x) = 1",
        "diff(u^3*u_x, x) = 1",
        "diff(sqrt(u)*u_x, x) = 1",
        "u_xx = tanh((u - 0.5)/1e-6)",
    ],
)
def test_a_smooth_law_and_what_is_not_differentiated_are_silent(equation):
    text = LINE.replace("EQUATION", equation).replace('"u = 0"', '"u = a"')
    assert unseen_data(Family(load_problem(text)).at()) == []

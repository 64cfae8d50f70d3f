"""``windows`` in the block ``time``: what is read, and what is refused by one message at its place."""

from __future__ import annotations

import pytest

from pinnkan.ground.errors import ProblemError
from pinnkan.language.problem import load_problem
from pinnkan.language.problem.windows import window_ends

TEXT = """\
coordinates: [x]
time: {t: [0, T], windows: WINDOWS}
domain: {shape: interval, x: [-1, 1], periodic: x}
unknowns: u
family: {T: {base: 1, range: [0.5, 4]}}
equations: u_t + u_x = 0
initial: u = sin(pi*x)
"""


def problem_with(windows: str):
    return load_problem(TEXT.replace("WINDOWS", windows))


@pytest.mark.parametrize(
    ("windows", "at", "ends"),
    [
        ("4", 1.0, (0.0, 0.25, 0.5, 0.75, 1.0)),
        ("4", 2.0, (0.0, 0.5, 1.0, 1.5, 2.0)),
        ("[0.1, 0.3]", 1.0, (0.0, 0.1, 0.3, 1.0)),
        ("[0.1, 0.3, 1]", 1.0, (0.0, 0.1, 0.3, 1.0)),
        ("[T/4, T/2]", 2.0, (0.0, 0.5, 1.0, 2.0)),
        ("[T/4, T]", 2.0, (0.0, 0.5, 2.0)),
        ("auto", 3.0, (0.0, 3.0)),
        ("1", 1.0, ()),
    ],
)
def test_windows_are_cut_as_stated(windows, at, ends):
    problem = problem_with(windows)
    assert window_ends(problem, {"T": at}) == pytest.approx(ends, abs=1e-15)
    assert problem.domain.windows.is_one == (not ends)
    assert (windows == "auto") == (problem.domain.windows.automatic)


RISE = "expected ends that rise from t = 0 to t = 1, the last of which may be left out"


@pytest.mark.parametrize(
    ("windows", "message"),
    [
        ("0", "expected 1 to 100 windows, got 0"),
        ("101", "expected 1 to 100 windows, got 101"),
        ("9999999999999", "expected 1 to 100 windows, got 9999999999999"),
        ("2.5", "expected a number of windows, a list of their ends, or auto, got '2.5'"),
        ("-3", "expected a number of windows, a list of their ends, or auto, got '-3'"),
        ("four", "expected a number of windows, a list of their ends, or auto, got 'four'"),
        ("{count: 4}", "expected a number of windows, a list of their ends, or auto, got a block"),
        ("[]", "expected 1 to 100 ends, got 0"),
        ("[0.3, 0.1]", f"{RISE}, got [0.3, 0.1]"),
        ("[0.3, 0.3]", f"{RISE}, got [0.3, 0.3]"),
        ("[0, 0.5]", f"{RISE}, got [0, 0.5]"),
        ("[0.5, 2]", f"{RISE}, got [0.5, 2]"),
        ("[T, 2*T]", f"{RISE}, got [1, 2]"),
        ("[half]", "unknown name 'half'"),
    ],
)
def test_what_makes_no_windows_is_refused_where_it_stands(windows, message):
    with pytest.raises(ProblemError) as caught:
        problem_with(windows)
    (fault,) = caught.value.faults
    assert "time.windows: " in fault
    assert message in fault
    assert fault.startswith("problem.yaml:2:"), fault


def test_ends_that_rise_at_the_base_alone_are_refused_at_another_value():
    problem = problem_with("[0.6, 0.9]")
    with pytest.raises(ProblemError, match=r"rise from t = 0 to t = 0\.5.* got \[0\.6, 0\.9\] at T = 0\.5"):
        window_ends(problem, {"T": 0.5})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("u_t + u_x = 0", "u_xx + u = t"), "time.windows: no equation has a derivative along t"),
        (("u_t + u_x", "u_tt - u_xx"), "of second order in time and needs two initial conditions"),
        (
            ("unknowns: u", "unknowns: [u, v]"),
            "time.windows: a window hands on values of v, so the first one takes 1 initial condition of it",
        ),
    ],
)
def test_windows_without_anything_to_hand_on_are_refused(change, message):
    text = TEXT.replace("WINDOWS", "4").replace(*change)
    if "v]" in change[1]:
        text = text.replace("equations: u_t + u_x = 0", "equations: [u_t + u_x = 0, v_t + u_x = v]")
    with pytest.raises(ProblemError, match=message.replace("[", r"\[")):
        load_problem(text)


def test_a_time_may_itself_be_called_windows():
    text = TEXT.replace("{t: [0, T], windows: WINDOWS}", "{windows: [0, T]}").replace("u_t", "u_windows")
    problem = load_problem(text)
    assert problem.time == "windows"
    assert problem.domain.windows is None


def test_other_keys_beside_the_name_are_refused():
    with pytest.raises(
        ProblemError, match=r"time: expected one name, .* and 'windows' if there are any; got 't', 'steps'"
    ):
        load_problem(TEXT.replace("windows: WINDOWS", "steps: 4"))


def test_windows_can_be_set_from_outside():
    text = TEXT.replace(", windows: WINDOWS", "")
    assert window_ends(load_problem(text, overrides=["time.windows=2"]), {"T": 1.0}) == (0.0, 0.5, 1.0)

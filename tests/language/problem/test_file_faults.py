"""Every fault of a problem file: its place, its wording, and that all of them come in one run."""

# ruff: noqa: E501

from __future__ import annotations

import re

import pytest

from pinnkan.ground.errors import ProblemError
from pinnkan.language.problem import load_problem

HEAT = """\
title: Heat
coordinates: [x]
time: {t: [0, 1]}
domain: {shape: interval, x: [0, 1]}
unknowns: u
family: {nu: {base: 0.1, range: [0, 1]}}
exact: exp(-nu*pi^2*t) * sin(pi*x)
equations: ["u_t = nu*u_xx"]
boundary: ["u = 0"]
initial: ["u = exact"]
"""


def changed(changes: dict[str, str | None]) -> str:
    """HEAT with the lines of some keys replaced, left out (None) or, where it has no such key, appended."""
    lines = {line.split(":")[0]: line for line in HEAT.splitlines()}
    lines.update({key: line for key, line in changes.items() if line is not None})
    return "".join(f"{line}\n" for key, line in lines.items() if changes.get(key, "") is not None)


def faults_of(text: str, **options) -> list[str]:
    with pytest.raises(ProblemError) as caught:
        load_problem(text, name="heat", **options)
    message = str(caught.value)
    count = len(caught.value.faults)
    assert message.endswith(f"{count} error{'s' if count > 1 else ''}")
    found = re.findall(r"^(\S+:\d+:\d+: )error: (.*)$", message, re.M)
    assert len(found) == count
    return [place.removeprefix("heat.yaml:") + text for place, text in found]


CASES = [
    (
        {"study": "study: Heat compared"},
        [
            "1:1: this is a study, no problem; 'pinnkan compare heat.yaml' runs it",
        ],
    ),
    (
        {"equations": 'equations: ["u_t = nu*u_yy"]'},
        [
            "8:23: equation[0]: unknown name 'u_yy'; coordinates are t, x; did you mean 'u_xx'?",
        ],
    ),
    (
        {"equations": 'equations: ["u_t - nu*u_xx"]'},
        [
            "8:14: equation[0]: an equation needs '='; write 'left = right', say '... = 0'",
        ],
    ),
    (
        {"equations": 'equations: ["u_t = nu*u_xx = 0"]'},
        [
            "8:28: equation[0]: a second '='; write two equations",
        ],
    ),
    (
        {"equations": 'equations: ["u_t = 2x"]'},
        [
            "8:20: equation[0]: '2x': a product needs its sign; write 2*x",
        ],
    ),
    (
        {"equations": "equations: [\"u_t = __import__('os')\"]"},
        [
            "8:31: equation[0]: character ''' is not part of the language: text in quotes is not part of the language",
        ],
    ),
    (
        {"equations": 'equations: ["u_t = u_xxxxx + nu"]'},
        [
            "8:20: equation[0]: 'u_xxxxx': fifth order is not supported; the highest is fourth order",
        ],
    ),
    (
        {"equations": 'equations: ["dn(u) = u_t*nu"]'},
        [
            "8:14: equation[0]: dn is the normal derivative, which is known in boundary conditions only",
        ],
    ),
    (
        {"equations": 'equations: ["x = nu"]'},
        [
            "8:13: equation[0]: the unknown u does not occur",
        ],
    ),
    (
        {"equations": "equations: []"},
        [
            "8:12: equations: expected at least one, got an empty list",
        ],
    ),
    (
        {"equations": 'equations: ["u_t = nu*9^9^9*u_xx"]'},
        [
            "8:23: equation[0]: this constant is too large (largest: 1.8e308)",
        ],
    ),
    (
        {"equations": "equations:\n  - u_t =\n      nu*u_yy"},
        [
            "9:5: equation[0]: unknown name 'u_yy'; coordinates are t, x; did you mean 'u_xx'?",
        ],
    ),
    (
        {"equations": 'equation: ["u_t = nu*u_xx"]'},
        [
            "1:1: the problem lacks the key 'equations', for example equations: [\"-laplace(u) = source\"]",
            "8:1: unknown key 'equation'; did you mean 'equations'?",
        ],
    ),
    (
        {"equations": 'equations: {a: "u_t = nu*u_xx"}'},
        [
            '8:12: equations: expected a list such as ["u_t = u_xx"], got a block of keys',
        ],
    ),
    (
        {"coordinates": "coordinates: [x, sin]"},
        [
            "2:18: coordinate 'sin': the name is taken by the expression language; choose another",
        ],
    ),
    (
        {"coordinates": "coordinates: [x, x]"},
        [
            "2:18: coordinate 'x': the name is taken by the coordinate in line 2; choose another",
        ],
    ),
    (
        {"coordinates": "coordinates: [x, y]"},
        [
            "4:17: domain.shape: an interval needs 1 space coordinate, found 2: x, y",
        ],
    ),
    (
        {"coordinates": "coordinates: []"},
        [
            "2:14: coordinates: expected at least one name, got an empty list",
        ],
    ),
    (
        {"coordinates": None},
        [
            "1:1: the problem lacks the key 'coordinates', for example coordinates: [x, y]",
        ],
    ),
    (
        {"time": "time: {t: [1, 0]}"},
        [
            "3:11: time: t: expected start < end, got [1, 0] (empty); time runs forward: a condition at the last time is an initial one in the time left, tau = T - t, with u_t = -u_tau",
        ],
    ),
    (
        {"time": "time: [0, 1]"},
        [
            "3:7: time: expected a block of keys such as {t: [0, 1]}, got a list",
        ],
    ),
    (
        {"time": "time: {t: [0, 1, 2]}"},
        [
            "3:11: time.t: expected 2 numbers, got 3",
        ],
    ),
    (
        {"time": None},
        [
            "6:21: exact: unknown name 't'; known are x, nu",
            "7:14: equation[0]: unknown name 'u_t'; coordinates are x; did you mean 'u_x'?",
            "9:10: initial: the problem has no time; add time: {t: [0, 1]} or drop the condition",
        ],
    ),
    (
        {"domain": "domain: {shape: interval, x: [1, 0]}"},
        [
            "4:30: domain: x: expected lower < upper, found [1.0, 0.0] (empty)",
        ],
    ),
    (
        {"domain": "domain: {shape: interval, x: [0, nu2]}"},
        [
            "4:34: domain.x: unknown name 'nu2'; did you mean 'nu'?",
        ],
    ),
    (
        {"domain": "domain: {shape: interval}"},
        [
            "4:9: domain: an interval needs the key 'x', for example x: [0, 1]",
        ],
    ),
    (
        {"domain": "domain: {shape: interval, y: [0, 1]}"},
        [
            "4:9: domain: an interval needs the key 'x', for example x: [0, 1]",
            "4:27: unknown key 'y' in domain; known keys: shape, x, periodic",
        ],
    ),
    (
        {"domain": "domain: {shape: polygon}"},
        [
            "4:17: domain.shape: the shape 'polygon' is not supported yet; supported are interval, box, disk, ball",
        ],
    ),
    (
        {"domain": "domain: {shape: intervall, x: [0, 1]}"},
        [
            "4:17: domain.shape: unknown shape 'intervall'; expected one of interval, box, disk, ball; did you mean 'interval'?",
        ],
    ),
    (
        {
            "domain": "domain: {shape: disk, center: [0, 0], radius: -1}",
            "coordinates": "coordinates: [x, y]",
            "equations": 'equations: ["u_t = nu*laplace(u)"]',
        },
        [
            "4:47: domain: radius: expected a positive number, found -1.0",
        ],
    ),
    (
        {"domain": None},
        [
            "1:1: the problem lacks the key 'domain', for example domain: {shape: disk, center: [0, 0], radius: 1}",
        ],
    ),
    (
        {"unknowns": "unknowns: [u, v]"},
        [
            "7:8: exact: name the unknowns: exact: {u: ..., v: ...}",
            "10:16: initial[0]: the name 'exact' needs the key exact: the formula of the solution",
        ],
    ),
    (
        {"unknowns": "unknowns: [u, v]", "exact": "exact: {u: exp(-nu*pi^2*t)*sin(pi*x)}"},
        [
            "10:16: initial[0]: the name 'exact' needs the key exact: the formula of the solution",
        ],
    ),
    (
        {"unknowns": "unknowns: []"},
        [
            "5:11: unknowns: expected one name at least, for example u or [u, v]",
        ],
    ),
    (
        {"unknowns": "unknowns: [u, u]"},
        [
            "5:15: unknown 'u': the name is taken by the unknown in line 5; choose another",
        ],
    ),
    (
        {"unknowns": "unknowns: [u, u_1]"},
        [
            "5:15: unknown 'u_1': a name starts with a letter and holds letters and digits",
        ],
    ),
    (
        {"unknowns": "unknowns: u_1"},
        [
            "5:11: unknown 'u_1': a name starts with a letter and holds letters and digits",
        ],
    ),
    (
        {"unknowns": None},
        [
            "1:1: the problem lacks the key 'unknowns', for example unknowns: u, or [u, v]",
        ],
    ),
    (
        {"family": "family: {nu: {base: abc}}"},
        [
            "6:21: family.nu.base: expected a number, got 'abc'",
        ],
    ),
    (
        {"family": "family: {nu: {base: 2, range: [0, 1]}}"},
        [
            "6:21: family.nu.base: 2 is outside the range [0, 1]",
        ],
    ),
    (
        {"family": "family: {nu: {base: 0.5, range: [1, 0.01]}}"},
        [
            "6:33: family.nu.range: expected low < high, got [1, 0.01]",
        ],
    ),
    (
        {"family": "family: {nu: {}}"},
        [
            "6:14: family.nu lacks the key 'base', for example base: 0",
        ],
    ),
    (
        {"family": "family: {nu: 0.1, pi: 1}"},
        [
            "6:19: parameter 'pi': the name is taken by the expression language; choose another",
        ],
    ),
    (
        {"family": "family: {nu: 0.1, u_x: 1}"},
        [
            "6:19: parameter 'u_x': the name is taken by a derivative of the unknown u; choose another",
        ],
    ),
    (
        {"family": "family: {nu: 0.1, x: 1}"},
        [
            "6:19: parameter 'x': the name is taken by the coordinate in line 2; choose another",
        ],
    ),
    (
        {"family": "family: {nu: 0.1, beta: 1}"},
        [
            "6:19: the parameter 'beta' is never used",
        ],
    ),
    (
        {
            "family": "family: {nu: 0.1, lambda: 1, lamda: 1}",
            "equations": 'equations: ["u_t = lambda*nu*u_xx"]',
        },
        [
            "6:30: the parameter 'lamda' is never used; did you mean 'lambda'?",
        ],
    ),
    (
        {"family": "family: {nu: 0.1, exact: 1}"},
        [
            "6:19: parameter 'exact': the name is taken by the exact solution; choose another",
        ],
    ),
    (
        {"definitions": "definitions: {a: b + 1, b: a}"},
        [
            "11:15: definition 'a' depends on itself",
            "11:25: definition 'b' depends on itself",
        ],
    ),
    (
        {"definitions": "definitions: {a: sinn(x), b: a*2}", "equations": 'equations: ["u_t = nu*u_xx + b"]'},
        [
            "11:18: definitions.a: unknown function 'sinn'; did you mean 'sin'?",
        ],
    ),
    (
        {"definitions": "definitions: {a: 1}"},
        [
            "11:15: the definition 'a' is never used",
        ],
    ),
    (
        {"boundary": "boundary: [{on: lft, equation: u = 0}]"},
        [
            "9:17: boundary[0].on: unknown part 'lft'; expected one of x-, x+, left, right, all; did you mean 'left'?",
        ],
    ),
    (
        {"boundary": "boundary: [{on: left, equation: u = 0, wieght: 2}]"},
        [
            "9:40: unknown key 'wieght' in boundary[0]; did you mean 'weight'?",
        ],
    ),
    (
        {"boundary": "boundary: [{on: left, equation: u = 0, weight: -2}]"},
        [
            "9:48: boundary[0].weight: expected a positive number, got '-2'",
        ],
    ),
    (
        {"boundary": "boundary: [{on: left, equation: u = 0, hard: maybe}]"},
        [
            "9:46: boundary[0].hard: expected true, false or auto, got 'maybe'",
        ],
    ),
    (
        {"boundary": "boundary: [{on: left, equation: dn(u) = 0, hard: true}]"},
        [
            "9:33: boundary[0]: hard: true needs a condition 'u = ...'; use hard: false or auto",
        ],
    ),
    (
        {"boundary": "boundary: [{on: left}]"},
        [
            "9:12: boundary[0] lacks the key 'equation', for example equation: u = 0",
        ],
    ),
    (
        {"boundary": "boundary: [{periodic: x}]"},
        [
            "9:13: boundary[0]: periodic is a property of the domain: write periodic: x under domain",
        ],
    ),
    (
        {"boundary": 'boundary: ["periodic(x)"]'},
        [
            "9:12: boundary[0]: periodic is a property of the domain: write periodic: x under domain",
        ],
    ),
    (
        {"boundary": "boundary: [{on: left, equation: u = 0}, {on: left, equation: u = 1}]"},
        [
            "9:62: boundary[1]: u is prescribed twice on x-, here and in boundary[0]",
        ],
    ),
    (
        {"boundary": "boundary: [[u = 0]]"},
        [
            "9:12: boundary[0]: expected an equation or a block of keys, got a list",
        ],
    ),
    (
        {"boundary": 'boundary: ["0 = 1"]'},
        [
            "9:12: boundary[0]: the unknown u does not occur",
        ],
    ),
    (
        {
            "boundary": "boundary: [{on: left, equation: u = 0, name: a}, {on: right, equation: u = 0, name: a}]"
        },
        [
            "9:50: boundary[1]: the name 'a' is taken",
        ],
    ),
    (
        {
            "boundary": "boundary: [{equation: u = 0, name: a}]",
            "initial": "initial: [{equation: u = x, name: a}]",
        },
        [
            "10:11: initial[0]: the name 'a' is taken",
        ],
    ),
    (
        {"boundary": "boundary: [{on: left, equation: u = 0, name: a.x+}, {equation: u = 0, name: a}]"},
        [
            "9:53: boundary[1]: the name 'a.x+' is taken",
        ],
    ),
    (
        {"boundary": "boundary: [{equation: u = 0, name: 'equation[0]'}]"},
        [
            "9:12: boundary[0]: the name 'equation[0]' is taken",
        ],
    ),
    (
        {"boundary": "boundary: [{equation: u = 0, name: 'initial[0]'}]"},
        [
            "10:11: initial[0]: the name 'initial[0]' is taken",
        ],
    ),
    (
        {"boundary": "boundary: [{equation: u = 0, name: held_out}]"},
        [
            "9:12: boundary[0]: the name 'held_out' is taken",
        ],
    ),
    (
        {"initial": "initial: []"},
        [
            "10:10: initial: equation[0] is of first order in time and needs one initial condition (u); found 0",
        ],
    ),
    (
        {"initial": None},
        [
            "8:13: initial: equation[0] is of first order in time and needs one initial condition (u); found 0",
        ],
    ),
    (
        {"initial": None, "equations": 'equations: ["u_tt = nu*u_xx"]'},
        [
            "8:13: initial: equation[0] is of second order in time and needs two initial conditions (u and u_t); found 0",
        ],
    ),
    (
        {"equations": 'equations: ["u_tt = nu*u_xx"]'},
        [
            "10:10: initial: equation[0] is of second order in time and needs two initial conditions (u and u_t); found 1",
        ],
    ),
    (
        {"source": "source: manufactured"},
        [
            "11:9: source: no equation mentions the name 'source'",
        ],
    ),
    (
        {
            "source": "source: manufactured",
            "exact": None,
            "initial": 'initial: ["u = sin(pi*x)"]',
            "equations": 'equations: ["u_t = nu*u_xx + source"]',
        },
        [
            "10:9: source: manufactured needs the exact solution: add the key 'exact'",
        ],
    ),
    (
        {"source": "source: manufactured", "equations": 'equations: ["u_t = nu*u_xx + sin(source)"]'},
        [
            "8:13: equation[0]: a manufactured source stands as a plain term, say '... = source'",
        ],
    ),
    (
        {"source": "source: u*2", "equations": 'equations: ["u_t = nu*u_xx + source"]'},
        [
            "11:9: source: unknown name 'u'; did you mean 'nu'?",
        ],
    ),
    (
        {"equations": 'equations: ["u_t = nu*u_xx + source"]'},
        [
            "8:30: equation[0]: the name 'source' needs the key source: a formula, or manufactured from exact",
        ],
    ),
    (
        {"exact": "exact: exp(-nu*pi^2*t) * sin(pi*y)"},
        [
            "7:33: exact: unknown name 'y'; known are t, x, nu",
        ],
    ),
    (
        {"reference": "reference: data.csv"},
        [
            "11:12: reference: give either exact or reference, not both",
        ],
    ),
    (
        {"exact": None, "initial": 'initial: ["u = x"]', "reference": "reference: data.txt"},
        [
            "10:12: reference: expected a file ending in .csv or .npz, got 'data.txt'",
        ],
    ),
    (
        {"network": "network: {hidden: 64}"},
        [
            "11:19: network.hidden: expected a list such as [64, 64], got '64'",
        ],
    ),
    (
        {"network": "network: {hidden: [64, 0], functions: 1, basis: cheb}"},
        [
            "11:24: network.hidden[1]: expected at least 1, got '0'",
            "11:39: network.functions: expected between 2 and 64, got '1'",
            "11:49: network.basis: expected one of chebyshev, legendre, taylor, fourier, bspline; got 'cheb'; did you mean 'chebyshev'?",
        ],
    ),
    (
        {"network": "network: {hiden: [64]}"},
        [
            "11:11: unknown key 'hiden' in network; did you mean 'hidden'?",
        ],
    ),
    (
        {"points": "points: {interior: 1.5, rule: sobl}"},
        [
            "11:20: points.interior: expected a whole number, got '1.5'",
            "11:31: points.rule: expected one of quadrature, sobol, random, residual; got 'sobl'; did you mean 'sobol'?",
        ],
    ),
    (
        {"training": "training: {steps: 010, rates: [1, 2], form: maybe}"},
        [
            "11:19: training.steps: expected a whole number, got '010'; write 10 without leading zeros",
            "11:31: training.rates: expected 4 entries, got 2",
            "11:45: training.form: expected one of full, slim, lotra, last_layer; got 'maybe'",
        ],
    ),
    (
        {"training": "training: {steps: 1:30, phases: {optimizer: adam}}"},
        [
            "11:19: training.steps: expected a whole number, got '1:30'",
            "11:33: training.phases: expected a list such as [{optimizer: adam}, {optimizer: lm}], got a block of keys",
        ],
    ),
    (
        {"training": "training: {phases: [{optimizer: sgd, phases: []}]}"},
        [
            "11:33: training.phases[0].optimizer: expected one of lm, lbfgs, adam, gauss_newton; got 'sgd'",
            "11:38: unknown key 'phases' in training.phases[0]; known keys: optimizer, steps, points, refresh, cutoff, alternating, rates, rate, schedule, damping, patience, keep, residual_below, smoothing, form, functions, sparsity, prune, compression",
        ],
    ),
    (
        {"adapter": "adapter: {compression: 2, ranks: [1, 2], layers: [tuck, full], initialisation: no}"},
        [
            "11:24: adapter.compression: expected between 0 and 1, got '2'",
            "11:34: adapter.ranks: expected 3 entries, got 2",
            "11:51: adapter.layers[0]: expected one of tucker, full, frozen; got 'tuck'; did you mean 'tucker'?",
            "11:80: adapter.initialisation: expected one of paper, batch, orthonormal; got 'no'",
        ],
    ),
    (
        {"title": "title: [a]"},
        [
            "1:8: title: expected a text, got a list",
        ],
    ),
    (
        {"equations": 'equations: ["u_t = -nu*u_xxxx"]', "network": "network: {basis: bspline}"},
        [
            "11:18: network.degree: derivatives of fourth order need B-splines of degree 4 or more, found 3; functions are cells + degree",
        ],
    ),
    (
        {"network": "network: {basis: bspline, degree: 1}"},
        [
            "11:35: network.degree: derivatives of second order need B-splines of degree 2 or more, found 1; functions are cells + degree",
        ],
    ),
    (
        {
            "boundary": 'boundary: ["u_xxx = 0"]',
            "network": "network: {kind: slim, basis: bspline, degree: 2, functions: 6}",
        },
        [
            "11:47: network.degree: derivatives of third order need B-splines of degree 3 or more, found 2; functions are cells + degree",
        ],
    ),
    (
        {"foo": "foo: 1"},
        [
            "11:1: unknown key 'foo'; known keys: title, description, citation, coordinates, time, domain, unknowns, family, definitions, exact, reference, source, equations, samples, boundary, initial, constraints, scales, network, adapter, points, training, finetuning",
        ],
    ),
    (
        {"title": "title: 2024-13-45\ntitle: again"},
        [
            "2:1: duplicate key 'title'; first given in line 1",
        ],
    ),
]


@pytest.mark.parametrize(
    ("changes", "expected"), CASES, ids=[f"{n}-{next(iter(c))}" for n, (c, _) in enumerate(CASES)]
)
def test_broken_files_are_refused_at_the_right_place(changes, expected):
    assert faults_of(changed(changes)) == expected


@pytest.mark.parametrize(
    "network", ["{basis: bspline, degree: 4}", "{basis: chebyshev, degree: 1}", "{kind: mlp}"]
)
def test_networks_that_have_a_fourth_derivative_are_taken(network):
    changes = {
        "equations": 'equations: ["u_t = -nu*u_xxxx"]',
        "network": f"network: {network}",
        "exact": None,
    }
    changes["initial"] = 'initial: ["u = 0"]'
    assert load_problem(changed(changes), name="heat").settings.network


def test_the_unbroken_file_loads():
    problem = load_problem(HEAT, name="heat")
    assert problem.name == "heat"
    assert problem.coordinates == ("t", "x")
    assert problem.base_values == {"nu": 0.1}


def test_what_other_tools_call_a_key():
    faults = faults_of(changed({"family": None, "params": "Parameters: {nu: 1}"}))
    assert faults[-1] == "10:1: unknown key 'Parameters'; here it is called 'family'"


def test_a_hard_condition_has_no_weight():
    changes = {"boundary": "boundary: [{equation: u = 0, hard: true, weight: 2}]"}
    assert faults_of(changed(changes)) == [
        "9:50: boundary[0].weight: a hard condition has no weight; drop one of the two"
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"equations": "equations: [dot(v, grad(u)) = u_t*nu]"},
            "8:16: equation[0]: '(' is never closed; within YAML's [ ] and { } a formula with a comma needs quotes",
        ),
        (
            {"definitions": "definitions: {v: [nu, {a: 1}]}"},
            "11:18: definitions.v: expected a formula; got a list",
        ),
        ({"exact": "exact: {a: 1}"}, "7:9: unknown key 'a' in exact; known keys: u"),
        (
            {"exact": "exact: {u: {a: 1}}"},
            "7:12: exact.u: expected a formula; got a block of keys",
        ),
        ({"exact": "exact:"}, "7:7: exact: expected a formula, got nothing"),
    ],
)
def test_formulas_that_yaml_takes_apart(changes, expected):
    assert expected in faults_of(changed(changes))


def test_faults_of_all_kinds_come_in_one_run_with_their_lines():
    text = changed(
        {
            "equations": 'equations: ["u_t = nu*u_yy"]',
            "family": "family: {nu: {base: 0.1, range: [1.0, 0.01]}}",
            "training": "training: {stepz: 5}",
        }
    )
    with pytest.raises(ProblemError) as caught:
        load_problem(text, name="heat")
    assert (
        str(caught.value)
        == """\
heat.yaml:6:33: error: family.nu.range: expected low < high, got [1, 0.01]
     6 | family: {nu: {base: 0.1, range: [1.0, 0.01]}}
       |                                 ^
heat.yaml:8:23: error: equation[0]: unknown name 'u_yy'; coordinates are t, x; did you mean 'u_xx'?
     8 | equations: ["u_t = nu*u_yy"]
       |                       ^^^^
heat.yaml:11:12: error: unknown key 'stepz' in training; did you mean 'steps'?
    11 | training: {stepz: 5}
       |            ^^^^^
3 errors"""
    )
    assert caught.value.exit_code == 2


def test_a_place_in_a_quoted_value_and_after_a_byte_order_mark(tmp_path):
    path = tmp_path / "heat.yaml"
    path.write_text("\ufeff" + HEAT.replace('"u_t = nu*u_xx"', "'u_t = nu*u_zz'"), encoding="utf-8")
    with pytest.raises(ProblemError, match=r":8:23: error: equation\[0\]: unknown name 'u_zz'"):
        load_problem(path)


def test_a_fault_in_a_folded_equation_points_at_its_start():
    text = HEAT.replace('equations: ["u_t = nu*u_xx"]', "equations:\n  - >\n    u_t =\n    nu*u_zz")
    assert faults_of(text)[0].startswith("9:5: equation[0]: unknown name 'u_zz'")


def test_a_long_line_is_shown_around_the_fault():
    text = HEAT.replace("u_t = nu*u_xx", "u_t = " + "nu*u_xx + " * 60 + "wrong")
    with pytest.raises(ProblemError) as caught:
        load_problem(text, name="heat")
    _, shown, carets = caught.value.faults[0].splitlines()
    start = carets.index("^")
    assert shown[start : start + carets.count("^")] == "wrong"
    assert len(shown) < 130


def test_a_file_with_very_many_faults_is_refused_quickly():
    text = HEAT + "".join(f"key{n}: {n}\n" for n in range(5000))
    assert len(faults_of(text)) == 30

"""``--set``: any key, typed and reported by the schema of the file."""

# ruff: noqa: E501  (tables of messages)

from __future__ import annotations

import pytest

from pinnkan.ground.errors import ProblemError
from pinnkan.language.problem import load_problem

TEXT = """\
coordinates: [x, y]
domain: {shape: box, x: [0, 1], y: [0, 1]}
unknowns: u
family: {lambda: 0, beta: {base: 1, range: [0, 2]}}
equations: ["-laplace(u) = beta + lambda*x"]
boundary:
  - {on: [left, right], equation: u = 0, name: walls, hard: false}
  - {on: bottom, equation: u = 0}
  - on: top
    equation: dn(u) = 0
training: {steps: 40, phases: [{optimizer: adam}, {steps: 3}]}
"""


def load(*overrides: str):
    return load_problem(TEXT, name="square", overrides=overrides)


def test_settings_are_replaced_and_typed():
    settings = load(
        "training.steps=200", "points.interior=1e3", "network.basis=fourier", "adapter.compression=1/4"
    ).settings
    assert settings.training.phase.steps == 200
    assert settings.points.interior == 1000
    assert settings.network.basis == "fourier"
    assert settings.adapter.compression == 0.25
    assert load("adapter.compression=auto").settings.adapter.compression == "auto"


def test_phases_inherit_from_the_block_around_them():
    phases = load("training.steps=200", "training.phases.1.rate=1e-2").settings.training.phases
    assert [(phase.optimizer, phase.steps, phase.options) for phase in phases] == [
        ("adam", 200, {}),
        ("lm", 3, {"rate": 1e-2}),
    ]


def test_family_values_in_short_and_long_form():
    assert load("family.lambda.base=0.5", "family.beta.base=1/4").base_values == {"lambda": 0.5, "beta": 0.25}
    assert load("family.lambda=2").base_values == {"lambda": 2.0, "beta": 1.0}


def test_list_entries_by_number_and_by_name():
    conditions = load("boundary.2.weight=3", "boundary.walls.weight=1e2", "boundary.1.hard=no").boundary
    assert [(c.weight, c.hard) for c in conditions] == [(100.0, False), (1.0, False), (3.0, None)]


def test_equations_and_short_conditions_can_be_replaced():
    problem = load("equations.0=-u_xx - u_yy = lambda + beta")
    assert str(problem.equations[0].residual) == "-beta - lambda - u_xx - u_yy"
    text = TEXT[: TEXT.index("boundary:")] + 'boundary: ["u = 0"]\n'
    assert load_problem(text, overrides=["boundary.0.weight=2"]).boundary[0].weight == 2.0


def test_the_overrides_are_kept():
    assert load("training.steps=1").file.overrides == ("training.steps=1",)
    assert load("training.steps=1").file.text == TEXT


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "training.steps=many",
            "--set:1:16: error: training.steps: expected a whole number, got 'many'\n"
            "     1 | training.steps=many\n"
            "       |                ^^^^",
        ),
        ("training.stepz=1", "--set:1:10: error: unknown key 'stepz' in training; did you mean 'steps'?"),
        ("trainng.steps=1", "--set:1:1: error: unknown key 'trainng'; did you mean 'training'?"),
        ("training.steps", "--set:1:1: error: expected KEY=VALUE, for example training.steps=200"),
        ("training..steps=1", "--set:1:1: error: expected KEY=VALUE, for example training.steps=200"),
        ("training.steps=", "--set:1:16: error: training.steps: expected a whole number, got nothing"),
        ("unknowns.name=v", "--set:1:10: error: unknowns is a single value; it has no key 'name'"),
        ("boundary.7.weight=1", "--set:1:10: error: boundary has 3 entries, numbered from 0; none is '7'"),
        ("equations.0=-laplace(v) = beta + lambda*x", "--set:1:22: error: equation[0]: unknown name 'v'"),
        ("points.rule=*a", "--set:1:13: error: alias '*a' is not allowed"),
        ("network.hidden=[64, 0.5]", "--set:1:21: error: network.hidden[1]: expected a whole number, got '0.5'"),
    ],
)  # fmt: skip
def test_faults_of_an_override_point_into_it(override, message):
    with pytest.raises(ProblemError) as caught:
        load(override)
    assert message in str(caught.value)

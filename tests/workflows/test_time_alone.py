"""An ordinary differential equation in time alone, through every command."""

# ruff: noqa: E501  (tables of messages)

from __future__ import annotations

import csv
import math

import pytest

from pinnkan.geometry import InitialTime
from pinnkan.ground.errors import ProblemError
from pinnkan.language.problem import load_problem
from pinnkan.physics.family import Family

LOGISTIC = """\
time: {t: [0, 5]}
unknowns: X
family: {a: {base: 1, range: [0.5, 2]}}
exact: 1/(1 + 4*exp(-a*t))
equations: ["X_t = a*X*(1 - X)"]
initial: ["X = 0.2"]
network: {hidden: [6], functions: 6}
points: {interior: 60, held_out: 40}
training: {steps: 15}
finetuning: {steps: 8}
"""
PENDULUM = """\
time: {t: [0, 2]}
unknowns: q
equations: ["q_tt = -sin(q)"]
initial: ["q = 1", {equation: q_t = 0, hard: false}]
"""


def test_every_command_takes_a_problem_in_time_alone(done, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logistic.yaml").write_text(LOGISTIC)
    checked = done("check", "logistic.yaml", "--plot", "points.png", "--json").json
    assert checked["coordinates"] == ["t"]
    assert checked["ansatz"] == "X = 0.2 + 0.9729*(t/5)*N"
    assert checked["findings"] == []
    done("pretrain", "logistic.yaml", "-o", "run", "-q")
    done("finetune", "run", "--param", "a=1.5", "-q")
    rows = done("evaluate", "run", "--json").json["results"]
    errors = {row["parameters"]["a"]: row["relative_l2"] for row in rows}
    assert errors[1.0] < 1e-4
    assert errors[1.5] < 1e-3
    done("plot", "run", "-o", "solution.svg")
    for suffix in ("csv", "npz", "vtu", "h5"):
        done("export", "run", "--grid", "11", "-o", f"grid.{suffix}")
    table = list(csv.DictReader((tmp_path / "grid.csv").read_text().splitlines()))
    assert float(table[0]["X"]) == 0.2
    assert float(table[-1]["X"]) == pytest.approx(1 / (1 + 4 * math.exp(-5)), abs=1e-3)


@pytest.mark.parametrize("rule", ["quadrature", "sobol", "random"])
def test_an_initial_condition_may_be_soft(rule):
    instance = Family(load_problem(PENDULUM, overrides=[f"points.rule={rule}"])).at()
    assert instance.ansatzes[0].hard == ("initial[0]",)
    (soft,) = [block for block in instance.blocks if block.where == InitialTime()]
    assert len(instance.domain.collocate(soft.where, 200, rule=rule).points) == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('initial: ["X = 0.2"]', 'boundary: ["X = 0.2"]', "boundary: a problem in time alone has none; state under initial"),
        ('initial: ["X = 0.2"]', "", "equation[0] is of first order in time and needs one initial condition (X); found 0"),
        ("a*X*(1 - X)", "a*laplace(X)", "there are no space coordinates to differentiate along"),
        ("a*X*(1 - X)", "a*X_xx", "unknown name 'X_xx'; coordinates are t"),
        ("time:", "domain: {shape: interval, x: [0, 1]}\ntime:", "the problem lacks the key 'coordinates'"),
        ("time:", "domain: {shape: point}\ntime:", "the problem lacks the key 'coordinates'"),
        ("time:", "coordinates: [x]\ntime:", "the problem lacks the key 'domain'"),
        ("time: {t: [0, 5]}\n", "", "the problem lacks the key 'coordinates'"),
    ],
)  # fmt: skip
def test_what_has_no_meaning_in_time_alone_is_refused(old, new, message):
    assert old in LOGISTIC
    with pytest.raises(ProblemError) as caught:
        load_problem(LOGISTIC.replace(old, new))
    assert message in str(caught.value)

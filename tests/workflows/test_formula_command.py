"""``pinnkan formula`` on networks whose function has a closed form."""

from __future__ import annotations

import pytest

BUMP = ("exp(sin(pi*x)+y^2)", "--domain", "x=-1:1,y=-1:1", "--samples", "400")
ROD = """
coordinates: [x]
domain: {shape: interval, x: [0, 1]}
unknowns: u
family: {lambda: {base: 1, range: [0, 2]}}
exact: lambda*sin(pi*x)
source: manufactured
equations: [-u_xx = source]
boundary: [{equation: u = 0, hard: false}]
network: {hidden: [1], functions: 10}
points: {interior: 60}
training: {steps: 100}
adapter: {layers: [full, full]}
"""


@pytest.mark.parametrize(("basis", "digits"), [("chebyshev", 4), ("bspline", 3)])
def test_a_function_of_two_variables_is_written_as_it_is(done, tmp_path, basis, digits):
    out = tmp_path / "run"
    size = [f"network.basis={basis}", "network.functions=12", "network.hidden=[1]"]
    steps = ["training.steps=120"]
    done("fit", *BUMP, *(word for text in size + steps for word in ("--set", text)), "-o", out, "-q")
    report = done("formula", out, "--digits", digits, "--json").json
    assert report["formula"] == "exp(y**2 + sin(pi*x))"
    assert report["relative_l2"] < 1e-12
    assert report["relative_l2_network"] == pytest.approx(report["network_relative_l2"], rel=1e-3)
    assert report["relative_l2_network"] < 1e-3
    assert [edge["function"] for edge in report["edges"]] == ["sin", "x^2", "exp"]


def test_a_differential_equation_and_its_adapter(done, tmp_path):
    (tmp_path / "rod.yaml").write_text(ROD)
    done("pretrain", tmp_path / "rod.yaml", "-o", tmp_path / "rod", "-q")
    done("finetune", tmp_path / "rod", "--lambda", "0.5", "-q")
    answer = done("formula", tmp_path / "rod", "-v")
    assert answer.out.startswith("u = sin(pi*x)\n\nrelative_l2_network  ")
    assert "function" in answer.out
    report = done("formula", tmp_path / "rod", "--lambda", "0.5", "--json").json
    assert (report["formula"], report["parameters"]) == ("0.5*sin(pi*x)", {"lambda": 0.5})


def test_hard_conditions_enter_the_formula(done, run):
    report = done("formula", run, "--r2", "1", "--digits", "10", "--json").json
    assert report["formula"].startswith("(") or "*(" in report["formula"]
    assert report["relative_l2_network"] < 1e-3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--lambda", "0.1,0.2"], "takes one parameter value"), (["--lambda", "0.3"], "no lotra adapter")],
)
def test_what_formula_refuses(pinnkan, run, arguments, message):
    answer = pinnkan("formula", run, *arguments)
    assert (answer.code, message in answer.err) == (2, True), answer.err

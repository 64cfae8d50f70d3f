"""``pinnkan formula`` on networks whose function has a closed form."""

from __future__ import annotations

import math
import re

import pytest

from pinnkan.language.expressions import canonical_text
from pinnkan.workflows.formula import _written

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


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (math.pi / 2, 4, "pi/2"),
        (-3 * math.pi / 4, 3, "-3*pi/4"),
        (1.56587, 2, "1.6"),
        (39.8, 3, "39.8"),
        (2.0004, 4, "2"),
        (1e-5, 4, "0"),
    ],
)
def test_multiples_of_pi_are_no_coincidences(value, digits, text):
    """At two digits, or far from zero, any number is near a multiple of pi / 4."""
    assert canonical_text(_written(value, digits, 1e-4)) == text


def test_hard_conditions_enter_the_formula(done, run):
    report = done("formula", run, "--r2", "1", "--digits", "10", "--json").json
    assert report["formula"].startswith("(") or "*(" in report["formula"]
    assert report["relative_l2_network"] < 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 3])
def test_a_wide_network_is_pruned_to_its_formula(done, tmp_path, seed):
    """The README's recipe: most of 15 edges go, and what is left is the function."""
    phases = (
        "{steps: 100, sparsity: 3e-2}, {steps: 100, sparsity: 3e-2, prune: 0.1}, {steps: 60, prune: 0.15}"
    )
    size = ["network.hidden=[5]", "network.functions=10", f"training.phases=[{phases}]"]
    sets = [word for text in size for word in ("--set", text)]
    out = tmp_path / "run"
    answer = done("fit", *BUMP[:3], "--samples", 600, *sets, "--seed", seed, "-o", out)
    (count,) = re.findall(r"pruned (\d+) of 15 edges", answer.err)[:1]
    assert int(count) >= 9
    report = done("formula", out, "--json").json
    assert report["formula"] == "exp(y**2 + sin(pi*x))"
    assert report["network_relative_l2"] < 1e-4


def test_a_long_or_distant_formula_is_remarked_on(done, tmp_path):
    out = tmp_path / "run"
    size = ["network.functions=8", "network.hidden=[5]", "training.steps=30"]
    done("fit", *BUMP, *(word for text in size for word in ("--set", text)), "-o", out, "-q")
    answer = done("formula", out, "--r2", "0.5", "--digits", "2")
    assert "keep their polynomials; train fewer nodes, or prune" in done("formula", out, "--r2", "1").err
    assert "away from the network; a larger --r2 keeps more of the network" in answer.err
    assert done("formula", out, "--r2", "0.5", "--digits", "2", "-q").err == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--lambda", "0.1,0.2"], "takes one parameter value"), (["--lambda", "0.3"], "no lotra adapter")],
)
def test_what_formula_refuses(pinnkan, run, arguments, message):
    answer = pinnkan("formula", run, *arguments)
    assert (answer.code, message in answer.err) == (2, True), answer.err

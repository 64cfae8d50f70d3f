"""Problems on periodic coordinates, through every command."""

from __future__ import annotations

import csv

import numpy as np
import pytest

import pinnkan

TRANSPORT = """\
coordinates: [x]
time: {t: [0, 1]}
domain: {shape: interval, x: [-1, 1], periodic: x}
unknowns: u
family: {c: {base: 0.5, range: [0.3, 0.7]}}
exact: sin(pi*(x - c*t))
equations: ["u_t + c*u_x = 0"]
initial: ["u = sin(pi*x)"]
network: {hidden: [5], functions: 6}
points: {interior: 250, held_out: 150}
training: {steps: 25}
finetuning: {steps: 12}
"""
SMALL = """\
network: {hidden: [5], functions: 6}
points: {interior: 250, held_out: 150}
training: {steps: 20}
"""
LINE = f"""\
{SMALL}coordinates: [x]
domain: {{shape: interval, x: [1, 3], periodic: x}}
unknowns: u
exact: exp(sin(pi*x))
source: manufactured
equations: ["-u_xx + u = source"]
"""
CHANNEL = f"""\
{SMALL}coordinates: [x, y]
domain: {{shape: box, x: [0, 2], y: [0, 1], periodic: x}}
unknowns: u
exact: sin(pi*x)*y*(1 - y) + cos(pi*x)*y
source: manufactured
equations: ["-laplace(u) = source"]
boundary: [u = exact]
"""
TORUS = """\
coordinates: [x, y]
domain: {shape: box, x: [0, 2], y: [-1, 1], periodic: [x, y]}
unknowns: u
exact: sin(pi*x)*cos(pi*y) + 0.5*cos(pi*(x + y))
source: manufactured
equations: ["-laplace(u) + u = source"]
network: {hidden: [8], functions: 5}
points: {interior: 450, held_out: 200}
training: {steps: 25}
"""


@pytest.fixture(scope="module")
def transport(done, tmp_path_factory):
    folder = tmp_path_factory.mktemp("transport")
    (folder / "transport.yaml").write_text(TRANSPORT)
    done("pretrain", folder / "transport.yaml", "-o", folder / "run", "-q")
    done("finetune", folder / "run", "--param", "c=0.65", "-q")
    done(
        "finetune",
        folder / "run",
        "--param",
        "c=0.65",
        "--method",
        "full",
        "--set",
        "finetuning.steps=6",
        "-q",
    )
    return folder


def test_a_wave_goes_round(done, transport):
    rows = done("evaluate", transport / "run", "--json").json["results"]
    errors = {(row["method"], row["parameters"]["c"]): row["relative_l2"] for row in rows}
    estimates = {(row["method"], row["parameters"]["c"]): row["error_estimate"] for row in rows}
    assert errors["base", 0.5] < 3e-3
    assert errors["lotra", 0.65] < 1e-2
    assert errors["full", 0.65] < 1e-2
    assert errors["base", 0.5] / 3 < estimates["base", 0.5] < 3 * errors["base", 0.5]


def test_its_network_has_two_inputs_for_the_coordinate(done, transport):
    assert done("show", transport / "run", "--json").json["network"]["widths"] == "3-5-1"
    checked = done("check", transport / "transport.yaml", "--json").json
    assert checked["network"]["widths"] == "3-5-1"
    assert checked["findings"] == []
    assert checked["trainable_parameters"] == 6 * (3 * 5 + 5)


def test_both_ends_are_one_place_in_value_and_derivatives(transport):
    solution = pinnkan.load(transport / "run").at(0.5)
    t = np.linspace(0, 1, 7)
    low, high = (np.column_stack([t, np.full(7, x)]) for x in (-1.0, 1.0))
    for name in ("u", "u_x", "u_t", "u_xx", "u_tx"):
        first, last = (solution.jet(points, name) for points in (low, high))
        np.testing.assert_allclose(first, last, rtol=0, atol=1e-12 * max(1.0, float(np.abs(first).max())))


def test_pictures_and_exports_have_both_ends(done, transport):
    done("plot", transport / "run", "-o", transport / "u.svg")
    done("export", transport / "run", "--grid", "3x5", "-o", transport / "grid.csv")
    rows = list(csv.DictReader((transport / "grid.csv").read_text().splitlines()))
    ends = [[float(row["u"]) for row in rows if float(row["x"]) == x] for x in (-1.0, 1.0)]
    assert ends[0] == pytest.approx(ends[1], abs=1e-12)


def test_a_formula_is_written_in_cosine_and_sine(done, tmp_path):
    (tmp_path / "line.yaml").write_text(LINE)
    small = ("--set", "network.hidden=[1]", "--set", "training.steps=8")
    done("pretrain", tmp_path / "line.yaml", "-o", tmp_path / "run", *small, "-q")
    found = done("formula", tmp_path / "run", "--json").json
    assert "sin(pi*x)" in found["formula"]
    assert found["relative_l2_network"] < 0.1


@pytest.mark.parametrize(
    ("text", "limit"), [(LINE, 1e-4), (CHANNEL, 3e-3), (TORUS, 2e-3)], ids=["line", "channel", "torus"]
)
def test_a_manufactured_solution_is_found(done, tmp_path, text, limit):
    (tmp_path / "problem.yaml").write_text(text)
    assert done("check", tmp_path / "problem.yaml", "--json").json["findings"] == []
    done("pretrain", tmp_path / "problem.yaml", "-o", tmp_path / "run", "-q")
    (row,) = done("evaluate", tmp_path / "run", "--json").json["results"]
    assert row["relative_l2"] < limit
    assert row["verdict"] == "solved"


def test_averaged_residuals_wrap(done, tmp_path):
    (tmp_path / "problem.yaml").write_text(CHANNEL)
    done(
        "pretrain", tmp_path / "problem.yaml", "-o", tmp_path / "run", "--set", "training.smoothing=24", "-q"
    )
    (row,) = done("evaluate", tmp_path / "run", "--json").json["results"]
    assert row["relative_l2"] < 1e-2


def test_a_reduced_basis_over_it_answers(done, transport):
    done(
        "family",
        transport / "run",
        "--param",
        "c=0.45:0.65",
        "--tolerance",
        "0.5",
        "--max-adapters",
        "3",
        "-q",
    )
    (row,) = done(
        "solve", transport / "run" / "family.h5", "--param", "c=0.55", "--check", "--json", "-q"
    ).json["results"]
    assert row["relative_l2"] < 2e-2

"""A network of random features through every command: solved to its digits, or refused by name."""

from __future__ import annotations

import numpy as np
import pytest

from pinnkan.storage.store import read_store

FILE = """
coordinates: [x]
domain: {shape: interval, x: [0, 1]}
unknowns: u
family: {k: {base: 1, range: [0.5, 20]}}
exact: sin(pi*x)
equations: ["-u_xx + k*u^3 = pi^2*sin(pi*x) + k*sin(pi*x)^3"]
boundary: ["u = 0"]
network: {kind: random, hidden: [60]}
points: {interior: 200, held_out: 150}
"""


@pytest.fixture
def solved(tmp_path, done):
    (tmp_path / "cubic.yaml").write_text(FILE)
    done("pretrain", tmp_path / "cubic.yaml", "-o", tmp_path / "run", "-q")
    return tmp_path / "run"


def test_a_base_and_its_adapters_are_solved_to_their_digits(solved, done, arrays):
    for method in ("lotra", "full", "scratch"):
        done("finetune", solved, "--param", "k=10", "--method", method, "-q")
    results = done("evaluate", solved, "--json").json["results"]
    assert [result["method"] for result in results] == ["base", "full", "lotra", "scratch"]
    for result in results:
        assert result["relative_l2"] < 1e-11, result
        assert result["error_estimate"] < 1e-10, result
        assert (result["verdict"], result["trainable_parameters"]) == ("solved", 61)
    kept = [arrays(solved / name)["0.coefficients"] for name in ("base.h5", "adapters/k=10.full.h5")]
    assert np.array_equal(*kept)


def test_what_reads_a_solution_reads_it(solved, done, tmp_path):
    done("export", solved, "--grid", "5", "-o", tmp_path / "grid.csv")
    rows = np.loadtxt(tmp_path / "grid.csv", delimiter=",", skiprows=1)
    assert rows[:, 1] == pytest.approx(np.sin(np.pi * rows[:, 0]), abs=1e-11)
    assert done("show", solved / "base.h5", "--json").json["network"] == {
        "kind": "random",
        "widths": "1-60-1",
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["formula"], "formula: this network has no functions on its edges; use a KAN"),
        (
            ["spectrum"],
            "spectra are of the (I, J, K) coefficients of a KAN's hidden layers; this network has",
        ),
        (
            ["finetune", "--param", "k=3", "--set", "adapter.layers=all"],
            "adapter.layers: an adapter of a network of random features changes its last layer in full",
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_needs_functions_on_edges_is_refused(solved, pinnkan, arguments, message):
    command, *options = arguments
    answer = pinnkan(command, solved / "base.h5" if command == "spectrum" else solved, *options)
    assert answer.code in (1, 2)
    assert message in answer.err


def test_a_tolerance_draws_more_neurons_and_keeps_those_that_are_there(pinnkan, tmp_path):
    (tmp_path / "decay.yaml").write_text(
        "time: {t: [0, 2]}\nunknowns: u\nfamily: {k: 1}\nexact: exp(-k*t)\n"
        "equations: [u_t = -k*u]\ninitial: [u = 1]\nnetwork: {kind: random, hidden: [4]}\n"
        "points: {interior: 60, held_out: 60}\ntraining: {optimizer: gauss_newton, steps: 2}\n"
    )
    run = ("pretrain", tmp_path / "decay.yaml", "-o", tmp_path / "run", "--json")
    small = pinnkan(*run)
    first = read_store(tmp_path / "run" / "base.h5", kind="base").arrays["0.coefficients"]
    answer = pinnkan(*run, "--tolerance", "1e-7")
    assert answer.code == 0, answer.err
    assert small.json["error_estimate"] > 1e-3
    assert answer.json["relative_l2"] < 2e-7
    wide = read_store(tmp_path / "run" / "base.h5", kind="base").arrays["0.coefficients"]
    assert wide.shape[1] > first.shape[1]
    assert (wide[:, : first.shape[1]] == first).all()
    assert abs(wide[0, first.shape[1] :]).max() > 0.5, "slopes of new neurons are drawn up to the bandwidth"

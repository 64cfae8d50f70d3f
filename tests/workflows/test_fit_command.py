"""``pinnkan fit`` from a formula, a table and a file: its numbers, its file, what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

WAVES = ("sin(3*x)*y", "--domain", "x=-1:1,y=0:2", "--samples", "200")
QUICK = ("--set", "network.hidden=[6]", "--set", "training.steps=25", "-q")


@pytest.fixture
def table(tmp_path, monkeypatch):
    """The file data.csv in the working directory."""
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(1).uniform(-2, 1, (400, 2))
    rows = np.column_stack([x[:, 0], np.exp(x[:, 0]) * x[:, 1], x[:, 1]])
    np.savetxt("data.csv", rows, delimiter=",", header="a,f,b", comments="", fmt="%.17g")
    return tmp_path / "data.csv"


def test_a_formula_with_noise(done, tmp_path):
    out = tmp_path / "waves"
    row = done("fit", *WAVES, *QUICK, "--noise", "0.1", "-o", out, "--json").json
    assert row["status"] == "trained"
    assert 0.05 < row["training_rms"] < 0.13
    assert 0.08 < row["validation_rms"] < 0.3
    assert row["relative_l2"] < 0.2
    assert done("evaluate", out, "--json").json["results"][0]["relative_l2"] < 0.2
    stored = done("show", out, "--json").json
    assert stored["base"]["training"]["training_rms"] == row["training_rms"]
    assert "equations: [u = exact]\n" in stored["problem_text"]
    assert "{interior: 200, held_out: 50, rule: random, noise: 0.1}" in stored["problem_text"]
    again = done("fit", *WAVES, *QUICK[:-1], "--noise", "0.1", "-o", out)
    assert "is finished for these samples and settings" in again.err


@pytest.mark.parametrize("kind", ["kan", "mlp"])
def test_a_table(done, table, tmp_path, kind):
    options = ("--column", "f", "--set", f"network.kind={kind}", "-o", tmp_path / kind)
    answer = done("fit", table, *QUICK, *options)
    assert "training  validation  relative" in answer.out
    table.rename(table.with_name("gone.csv"))
    # The stored file is whole without its data.
    done("export", tmp_path / kind, "--grid", "5x4", "-o", tmp_path / "u.csv", "-q")
    found = np.loadtxt(tmp_path / "u.csv", delimiter=",", skiprows=1)
    assert (tmp_path / "u.csv").read_text().startswith("a,b,f")
    assert np.abs(found[:, 2] - np.exp(found[:, 0]) * found[:, 1]).max() < 0.5
    done("plot", tmp_path / kind, "-o", tmp_path / "u.png", "-q")
    done("plot", tmp_path / kind, "--field", "history", "-o", tmp_path / "h.png", "-q")
    (row,) = done("evaluate", tmp_path / kind, "--json").json["results"]
    assert (row["relative_l2"], row["residual_rms"], row["boundary_max"]) == (None, None, None)


def test_a_fit_to_a_table_is_judged_by_the_samples_it_has_not_seen(done, table, tmp_path):
    fitted = done("fit", table, *QUICK, "--column", "f", "--seed", 3, "-o", tmp_path / "run", "--json").json
    (row,) = done("evaluate", tmp_path / "run", "--json").json["results"]
    assert row["absolute_rms"] == pytest.approx(fitted["validation_rms"], rel=1e-6)
    values = np.loadtxt(table, delimiter=",", skiprows=1)[:, 1]
    assert row["relative_l2"] == pytest.approx(row["absolute_rms"] / np.sqrt(np.mean(values**2)), rel=0.3)
    # Of another table nobody knows which rows were held out.
    table.write_text(table.read_text() + "0,1,1\n")
    (row,) = done("evaluate", tmp_path / "run", "--json").json["results"]
    assert row["relative_l2"] is None


def test_other_values_are_another_fit(pinnkan, done, table, tmp_path):
    done("fit", table, *QUICK, "--column", "f", "-o", tmp_path / "run")
    table.write_text(table.read_text() + "0,1,1\n")
    answer = pinnkan("fit", table, *QUICK, "--column", "f", "-o", tmp_path / "run")
    assert answer.code == 2
    assert "is the base of another problem" in answer.err


def test_a_file_and_the_check_of_its_samples(done, table, tmp_path):
    text = (
        "coordinates: [a, b]\ndomain: {shape: box, a: [-2, 1], b: [-2, 1]}\nunknowns: f\n"
        "samples: {file: data.csv, validation: 1/4}\n"
    )
    (tmp_path / "task.yaml").write_text(text)
    assert done("check", "task.yaml", "--json").json["points"] == {"interior": 300, "held_out": 100}
    assert done("fit", "task.yaml", *QUICK, "--json").json["validation_rms"] < 0.3


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["x^2"], 2, "'x^2' is taken for a formula, which needs --domain x=-1:1,y=-1:1"),
        (["x^2", "--domain", "x=0"], 2, "--domain 'x=0': expected NAME=LOW:HIGH"),
        (["x^2", "--domain", "x=0:1,x=0:1"], 2, "expected NAME=LOW:HIGH"),
        (["x^2", "--domain", "x=1:0"], 2, "expected lower < upper"),
        (["x*y", "--domain", "x=0:1"], 2, "unknown name 'y'"),
        (["x", "--domain", "x=0:1", "--column", "u"], 2, "--column does not go with a formula"),
        (["data.csv", "--samples", "5"], 2, "--samples does not go with a table"),
        (["data.csv", "--column", "g"], 2, "--column g: data.csv has the columns a, f, b"),
        (
            ["units.csv"],
            2,
            "units.csv: column 'x [m]': a coordinate's or unknown's name is a letter followed",
        ),
        (["none.csv"], 74, "cannot read the samples none.csv"),
        (["pde.yaml"], 2, "is a differential equation; 'pinnkan pretrain' solves it"),
        (["pde.yaml", "--noise", "1"], 2, "--noise does not go with a problem file; it says so itself"),
    ],
)
def test_what_fit_refuses(pinnkan, table, tmp_path, arguments, code, message):
    (tmp_path / "pde.yaml").write_text(
        "coordinates: [x]\ndomain: {shape: interval, x: [0, 1]}\nunknowns: u\n"
        "equations: [-u_xx = 1]\nboundary: [u = 0]\n"
    )
    (tmp_path / "units.csv").write_text("x [m],u\n1,2\n3,4\n")
    answer = pinnkan("fit", *arguments, "-q")
    assert (answer.code, message in answer.err) == (code, True), answer.err


def test_samples_have_no_residual_between_them(pinnkan, done, table, tmp_path):
    done("fit", table, *QUICK, "-o", tmp_path / "run")
    answer = pinnkan("plot", tmp_path / "run", "--field", "residual", "-o", tmp_path / "r.png")
    assert answer.code == 2
    assert "samples have no residual between them" in answer.err


def test_a_refined_fit_is_stored_shown_and_used_with_its_functions(done, tmp_path):
    out = tmp_path / "run"
    phases = "training.phases=[{steps: 4}, {steps: 4, functions: 11}]"
    size = ("--set", "network.hidden=[6]", "--set", "network.functions=5", "--set", phases)
    counted = "--set", "network.basis=bspline", "--set", "network.degree=2"
    row = done("fit", *WAVES, *size, *counted, "-o", out, "-q", "--json").json
    assert row["trainable_parameters"] == 18 * 12
    shown = done("show", out, "--json").json
    assert shown["network"] == {"kind": "kan", "widths": "2-6-1", "basis": "bspline", "functions": 11}
    assert done("evaluate", out, "--json").json["results"][0]["relative_l2"] < 0.2


def test_check_counts_what_refinement_adds(done, tmp_path):
    (tmp_path / "task.yaml").write_text(
        "coordinates: [x]\ndomain: {shape: interval, x: [0, 1]}\nunknowns: u\nequations: [u = x]\n"
        "network: {hidden: [4, 4], functions: 5}\n"
        "training: {phases: [{steps: 1}, {steps: 1, functions: 7}]}\n"
    )
    assert done("check", tmp_path / "task.yaml", "--json").json["trainable_parameters"] == 24 * 7

"""A system whose unknowns have networks of their own, through every command."""

from __future__ import annotations

import numpy as np
import pytest

import pinnkan as python_way
from pinnkan.storage.store import read_store

TEXT = """\
title: Two reactions and a third
coordinates: [x]
domain: {shape: interval, x: [0, 1]}
unknowns: [u, v, w]
family: {k: {base: 1, range: [0.5, 2]}}
exact: {u: "sin(pi*x)*exp(k*x/2) + k", v: "cos(pi*x/2) + k*x^2", w: "x^2 + k"}
source: manufactured
equations:
  - -u_xx + u*v = source
  - -v_xx + k*v + w = source
  - -w_xx + u = source
boundary: ["u = exact.u", "v = exact.v", "w = exact.w"]
network: {hidden: [5, 4], functions: 5, separate: [[u, w], v]}
points: {interior: 150, held_out: 60}
training: {steps: 15}
finetuning: {steps: 10}
"""
SHAPES = [(1, 5, 5), (5, 4, 5), (4, 2, 5), (1, 5, 5), (5, 4, 5), (4, 1, 5)]
REFINING = "training.phases=[{steps: 8}, {steps: 6, functions: 6}]"


@pytest.fixture(scope="module")
def problem(tmp_path_factory):
    path = tmp_path_factory.mktemp("separate") / "trio.yaml"
    path.write_text(TEXT)
    return path


@pytest.fixture(scope="module")
def run(done, problem):
    """Return a run directory with a base and an adapter."""
    folder = problem.parent / "run"
    done("pretrain", problem, "-o", folder, "-q")
    done("finetune", folder, "--lambda", "2", "-q")
    return folder


def errors(done, folder, *options):
    return [row["relative_l2"] for row in done("evaluate", folder, *options, "--json").json["results"]]


def test_check_and_show_say_which_network_gives_what(done, problem, run):
    for command in (("check", problem), ("show", run)):
        network = done(*command, "--json").json["network"]
        assert network["separate"] == "[[u, w], v]"
        assert network["widths"] == "1-5-4-2, 1-5-4-1"
    numbers = sum(int(np.prod(shape)) for shape in SHAPES)
    assert done("check", problem, "--json").json["trainable_parameters"] == numbers == 310


def test_each_unknown_is_solved_and_found_where_the_file_names_it(done, run):
    assert max(errors(done, run)) < 1e-2
    stored = read_store(run / "base.h5").arrays
    assert [stored[f"{at}.coefficients"].shape for at in range(6)] == SHAPES
    points = np.linspace(0.1, 0.9, 5)[:, None]
    values = python_way.load(run).at(2.0)(points)
    x = points[:, 0]
    assert values["u"] == pytest.approx(np.sin(np.pi * x) * np.exp(x) + 2, rel=3e-2)
    assert values["v"] == pytest.approx(np.cos(np.pi * x / 2) + 2 * x**2, rel=3e-2)
    assert values["w"] == pytest.approx(x**2 + 2, rel=3e-2)


def test_an_adapter_has_ranks_in_each_network(run):
    arrays = read_store(run / "adapters" / "k=2.h5").arrays
    assert {name for name in arrays if name.endswith(".core")} == {"1.core", "4.core"}
    assert {name for name in arrays if name.endswith(".change")} == {f"{at}.change" for at in (0, 2, 3, 5)}


@pytest.mark.parametrize(
    "options",
    [
        ("--method", "full"),
        ("--method", "scratch"),
        ("--compression", "auto"),
        ("--set", "adapter.layers=all", "--tag", "all"),
    ],
    ids=["full", "scratch", "growth", "all"],
)
def test_every_method_fits_it(done, problem, run, tmp_path, options):
    done("pretrain", problem, "-o", tmp_path, "-q")
    done("finetune", tmp_path, "--lambda", "2", *options, "-q")
    named = [option for option in options if not option.startswith("adapter")]
    chosen = named[-2:] if "--compression" not in named else []
    assert errors(done, tmp_path, "--lambda", "2", *chosen)[0] < 0.1


@pytest.mark.parametrize(
    "override",
    [
        "network.kind=slim",
        "network.kind=mlp",
        "network.basis=bspline",
        REFINING,
        "training.phases=[{steps: 6}, {steps: 4, form: lotra}]",
        "training.phases=[{steps: 6, sparsity: 1e-4}, {steps: 4, prune: 0.01}]",
        "training={optimizer: adam, steps: 4}",
    ],
)
def test_every_form_of_training_and_what_reads_its_result(done, problem, tmp_path, override):
    done("pretrain", problem, "-o", tmp_path, "--set", override, "-q")
    (error,) = errors(done, tmp_path)
    assert error < 1.0
    if override == REFINING:
        assert read_store(tmp_path / "base.h5").arrays["4.coefficients"].shape == (5, 4, 6)
        assert done("show", tmp_path, "--json").json["network"]["functions"] == 6


def test_single_precision_is_stored_and_read(done, problem, tmp_path):
    done("pretrain", problem, "-o", tmp_path, "--dtype", "float32", "-q")
    assert read_store(tmp_path / "base.h5").arrays["5.coefficients"].dtype == np.float32
    assert errors(done, tmp_path)[0] < 0.1


def test_spectra_are_of_the_inner_layers_of_each_and_the_bound_holds(done, run):
    (found,) = done("spectrum", run / "base.h5", "--json").json["results"]
    assert {row["layer"] for row in found["spectra"]} == {1, 4}
    assert found["theorem1"]["layers"] == 3
    for row in found["theorem1"]["truncations"]:
        assert row["difference"] <= row["bound"]


def test_a_family_over_it_answers(done, run):
    done("family", run, "--lambda", "0.5:2", "--tolerance", "0.5", "--max-adapters", "3", "-q")
    (answer,) = done("solve", run, "--lambda", "1.3", "--check", "--json").json["results"]
    assert answer["relative_l2"] < 0.1


def test_exports_name_the_unknowns_in_their_order(done, run, tmp_path):
    done("export", run, "--grid", "5", "-o", tmp_path / "a.csv", "-q")
    assert (tmp_path / "a.csv").read_text().splitlines()[0] == "x,u,v,w"


def test_a_formula_is_refused_by_name(pinnkan, run):
    answer = pinnkan("formula", run)
    assert answer.code == 2
    assert "has 3 unknowns (u, v, w)" in answer.err


def test_the_key_is_part_of_what_makes_a_result_the_one_asked_for(pinnkan, problem, run):
    answer = pinnkan("pretrain", problem, "-o", run, "--set", "network.separate=[u, v, w]", "-q")
    assert answer.code == 2
    assert "--force" in answer.err

"""A member that only the tests have runs through every command: one class and one row are all it needs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from fake_members import COSINES, HALF_DISK, PIERCED, SCALED, SINES

from pinnkan.geometry import SHAPES
from pinnkan.language.adapted_layers import LAYER_KINDS
from pinnkan.language.bases import BASES
from pinnkan.language.network_kinds import NETWORK_KINDS
from pinnkan.language.problem import load_problem
from pinnkan.physics.family import Family
from pinnkan.storage.runs.directory import RunDirectory
from pinnkan.storage.runs.paths import ResultName
from pinnkan.storage.store import read_store

SMALL = """
network: {hidden: [4], functions: 4}
points: {interior: 60, boundary: 12, initial: 12, held_out: 40}
training: {steps: 3}
finetuning: {steps: 2}
"""

ON_A_HALF_DISK = f"""
coordinates: [x, y]
domain: {{shape: half_disk, radius: 1 + lambda}}
unknowns: u
family: {{lambda: 0}}
equations: [laplace(u) - u = lambda - 1]
boundary: [{{on: diameter, equation: u = 0}}, {{on: arc, equation: dn(u) = x}}]
{SMALL}"""

IN_TIME = f"""
coordinates: [x, y]
time: {{t: [0, 1]}}
domain: {{shape: half_disk, radius: 2}}
unknowns: u
family: {{lambda: 0}}
equations: [u_t = laplace(u) + lambda]
boundary: [{{on: left, equation: u = 0}}, {{on: right, equation: u = x}}, {{on: arc, equation: dn(u) = 0}}]
initial: u = x*y
constraints: [mean(u) = t]
{SMALL}"""


MADE_OF_TWO = f"""
coordinates: [x, y]
domain:
  shape: pierced
  plate: {{shape: box, x: [-1, 1], y: [-2, 1]}}
  hole: {{shape: disk, radius: 0.5 + lambda/10}}
unknowns: u
family: {{lambda: 0}}
equations: [laplace(u) = lambda - 1]
boundary:
  - {{on: hole, equation: u = 0}}
  - {{on: plate.y-, equation: u = 1}}
  - {{on: plate, equation: dn(u) = 0}}
{SMALL}"""


@pytest.mark.parametrize(
    ("text", "hard"),
    [(ON_A_HALF_DISK, ["boundary[0]"]), (IN_TIME, []), (MADE_OF_TWO, ["boundary[0]"])],
    ids=["still", "moving", "made of two"],
)
def test_a_shape_runs_through_every_command(text, hard, tmp_path, monkeypatch, done):
    monkeypatch.setitem(SHAPES, "half_disk", HALF_DISK)
    monkeypatch.setitem(SHAPES, "pierced", PIERCED)
    table = run_all(text, tmp_path, done)
    shape = Family(load_problem(tmp_path / "fake.yaml")).at(0.5).domain.shape
    assert shape.contains(np.column_stack([table["x"], table["y"]])).all()
    assert Family(load_problem(tmp_path / "fake.yaml")).at(0.5).hard == set(hard)


ON_COSINES = f"""
coordinates: [x]
domain: {{shape: interval, x: [0, 2]}}
unknowns: u
family: {{lambda: 0}}
equations: [u_xx - u = lambda]
boundary: [u = 1]
{SMALL}"""


def test_a_basis_runs_through_every_command(tmp_path, monkeypatch, done):
    monkeypatch.setitem(BASES, "cosines", COSINES)
    text = ON_COSINES.replace("{hidden: [4],", "{basis: cosines, hidden: [3, 3],")
    text = text.replace("training: {steps: 3}", "training: {phases: [{steps: 2}, {steps: 2, functions: 6}]}")
    table = run_all(text, tmp_path, done)
    assert table["u"][[0, -1]] == pytest.approx(1)
    shown = done("show", tmp_path / "run" / "base.h5").out
    assert "cosines" in shown


def test_an_unknown_basis_is_refused_with_those_of_the_table(tmp_path, monkeypatch, pinnkan):
    monkeypatch.setitem(BASES, "cosines", COSINES)
    (tmp_path / "fake.yaml").write_text(ON_COSINES.replace("{hidden: [4],", "{basis: cosine, hidden: [4],"))
    answer = pinnkan("check", tmp_path / "fake.yaml")
    assert answer.code == 2
    assert (
        "network.basis: expected one of chebyshev, legendre, taylor, fourier, bspline, cosines" in answer.err
    )
    assert "did you mean 'cosines'?" in answer.err


def test_a_layer_of_an_adapter_runs_through_every_command(tmp_path, monkeypatch, done):
    monkeypatch.setitem(LAYER_KINDS, "scaled", SCALED)
    adapter = "adapter: {layers: [scaled, frozen, full]}"
    text = ON_COSINES.replace("{hidden: [4],", "{hidden: [3, 4],") + adapter
    text = text.replace("u_xx - u = lambda", "u_xx - u = lambda*x")
    run_all(text, tmp_path, done)
    file = tmp_path / "run" / "adapters" / "lambda=0.5.h5"
    arrays = read_store(file).arrays
    assert {name: array.shape for name, array in arrays.items()} == {"0.scale": (3,), "2.change": (4, 1, 4)}
    run = RunDirectory(tmp_path / "run")
    base, adapted = run.base(), run.find(ResultName({"lambda": 0.5}))
    moved = torch.from_numpy(1 + arrays["0.scale"])[:, None]
    assert torch.equal(adapted.coefficients[0], base.coefficients[0] * moved)
    assert torch.equal(adapted.coefficients[1], base.coefficients[1])
    assert (arrays["0.scale"] != 0).all()
    done("finetune", run.path, "--lambda", "0.6", "--start", "nearest", "-q")


def test_a_network_runs_through_every_command(tmp_path, monkeypatch, done, pinnkan):
    monkeypatch.setitem(NETWORK_KINDS, "sines", SINES)
    text = ON_COSINES.replace("{hidden: [4],", "{kind: sines, hidden: [3, 4],")
    run_all(text, tmp_path, done, method="full")
    run = tmp_path / "run"
    assert "sines" in done("show", run / "base.h5").out
    (row, *_) = done("evaluate", run, "--json").json["results"]
    assert row["trainable_parameters"] == 2 * 3 + 4 * 4 + 5
    answer = pinnkan("pretrain", tmp_path / "fake.yaml", "-o", tmp_path / "b", "--set", "training.form=slim")
    assert answer.code == 2
    assert "found a network of sines" in answer.err


def run_all(text, folder, done, method="lotra"):
    """Check, train, adapt, measure, draw and hand on."""
    file, run = folder / "fake.yaml", folder / "run"
    file.write_text(text)
    grid = "x".join("9" * len(load_problem(file).coordinates))
    checked = done("check", file, "--json").json
    assert [row["name"] for row in checked["equations"]] == ["equation[0]"]
    done("pretrain", file, "-o", run, "-q")
    done("finetune", run, "--lambda", "0.5", "--method", method, "-q")
    rows = done("evaluate", run, "--json").json["results"]
    assert [row["method"] for row in rows] == ["base", method]
    assert all(np.isfinite(row["residual_rms"]) for row in rows)
    done("plot", run, "--lambda", "0.5", "--method", method, "-o", folder / "u.png")
    done(
        "export",
        run,
        "--lambda",
        "0.5",
        "--method",
        method,
        "--grid",
        grid,
        "-o",
        folder / "u.csv",
    )
    table = np.genfromtxt(folder / "u.csv", delimiter=",", names=True)
    assert np.isfinite(table["u"]).all()
    return table

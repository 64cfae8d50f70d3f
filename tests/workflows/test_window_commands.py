"""Time windows from the problem file to every command that shows a solution."""

from __future__ import annotations

import csv
import shutil

import numpy as np
import pytest

import pinnkan as package
from pinnkan.storage.store import read_store

TEXT = """\
coordinates: [x]
time: {t: [0, 1], windows: 3}
domain: {shape: interval, x: [-1, 1], periodic: x}
unknowns: u
family: {c: {base: 1, range: [0.5, 2]}}
equations: u_t + c*u_x = 0
initial: u = sin(pi*x)
exact: sin(pi*(x - c*t))
network: {hidden: [4, 4], functions: 5}
points: {interior: 250, held_out: 150}
training: {steps: 12}
finetuning: {steps: 4}
"""


@pytest.fixture(scope="module")
def _windows(done, tmp_path_factory):
    folder = tmp_path_factory.mktemp("windows")
    (folder / "ring.yaml").write_text(TEXT)
    answer = done("pretrain", folder / "ring.yaml", "-o", folder / "run", "--threads", 1)
    (folder / "said.txt").write_text(answer.err)
    return folder


@pytest.fixture
def windows(_windows, tmp_path):
    """A copy of a run with a base in three windows."""
    shutil.copytree(_windows, tmp_path, dirs_exist_ok=True)
    return tmp_path / "run"


def test_every_window_is_named_while_it_is_trained(windows):
    said = (windows.parent / "said.txt").read_text()
    for number in (1, 2, 3):
        assert f"ring base, window {number}/3: lm: up to 12 steps" in said
    assert "window 4" not in said


def test_the_file_has_a_network_a_window(windows):
    stored = read_store(windows / "base.h5")
    assert stored.meta["windows"] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    names = {f"window{window}.{layer}.coefficients" for window in (1, 2, 3) for layer in range(3)}
    assert set(stored.arrays) == names
    assert stored.meta["training"]["steps"] == 36


def test_evaluate_measures_one_solution(windows, done):
    (row,) = done("evaluate", windows, "--json").json["results"]
    assert row["relative_l2"] < 0.05
    assert row["boundary_max"] == 0.0
    assert row["relative_residual"].keys() == {"equation[0]", "initial[0]"}
    assert row["trainable_parameters"] == 3 * (3 * 4 * 5 + 4 * 4 * 5 + 4 * 5)
    assert 0.2 * row["relative_l2"] < row["error_estimate"] < 10 * row["relative_l2"]


def test_python_and_export_give_the_same_numbers_across_the_windows(windows, done):
    u = package.load(windows).at()
    times = np.linspace(0, 1, 13)
    points = np.column_stack([times, np.full(13, 0.3)])
    done("export", windows, "--grid", "13x2", "-o", windows / "u.csv")
    with (windows / "u.csv").open() as file:
        rows = [[float(row[name]) for name in ("t", "x", "u")] for row in csv.DictReader(file)]
    table = np.array(rows)
    assert u(table[:, :2]) == pytest.approx(table[:, 2], abs=1e-15)
    assert u(points) == pytest.approx(np.sin(np.pi * (0.3 - times)), abs=0.1)
    around = [[t, 0.3] for end in (1 / 3, 2 / 3) for t in (end - 1e-9, end, end + 1e-9)]
    values, slopes = u(around).reshape(2, 3), u.jet(around, "u_xx").reshape(2, 3)
    assert np.ptp(values, axis=1).max() < 1e-7
    assert np.ptp(slopes, axis=1).max() < 1e-5


def test_pictures_and_show_know_of_them(windows, done):
    done("plot", windows, "-o", windows / "u.png")
    assert (windows / "u.png").stat().st_size > 10_000
    assert done("show", windows, "--json").json["base"]["windows"] == pytest.approx([0, 1 / 3, 2 / 3, 1])


ONE_NETWORK = [("formula", ""), ("spectrum", "base.h5"), ("family", "", "--lambda", "0.5:2")]


@pytest.mark.parametrize("command", ONE_NETWORK)
def test_what_takes_one_network_refuses_windows_by_name(windows, pinnkan, command):
    name, file, *options = command
    answer = pinnkan(name, windows / file, *options)
    assert answer.code == 2
    said = f"{name}: {windows / 'base.h5'} is solved in 3 time windows, a network each"
    assert said in answer.err, answer.err


def test_a_finished_base_is_the_one_asked_for_unless_its_windows_are_others(windows, pinnkan):
    problem = windows.parent / "ring.yaml"
    assert "is finished" in pinnkan("pretrain", problem, "-o", windows).err
    answer = pinnkan("pretrain", problem, "-o", windows, "--set", "time.windows=2")
    assert answer.code == 2
    assert "is the base of another problem" in answer.err

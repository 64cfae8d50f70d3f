"""Time windows from the problem file to every command that shows a solution."""

from __future__ import annotations

import csv
import shutil

import numpy as np
import pytest

import pinnkan as package
from pinnkan.storage.runs.checkpoints import Keeper
from pinnkan.storage.store import read_store, write_store
from pinnkan.sweeps import trainer
from pinnkan.sweeps.trainer import stored_theta

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


def test_adapters_have_the_windows_of_their_base(windows, done, arrays):
    done("finetune", windows, "--param", "c=1.1", "--threads", 1)
    done("finetune", windows, "--param", "c=1.1", "--method", "full", "--threads", 1)
    path = windows / "adapters" / "c=1.1.h5"
    stored = read_store(path)
    assert stored.meta["windows"] == read_store(windows / "base.h5").meta["windows"]
    names = {name.partition(".")[2] for name in stored.arrays}
    assert {name.partition(".")[0] for name in stored.arrays} == {"window1", "window2", "window3"}
    assert names == {"0.change", "1.core", "1.u1", "1.u2", "1.u3", "2.change"}
    rows = done("evaluate", windows, "--param", "c=1.1", "--json").json["results"]
    assert [row["method"] for row in rows] == ["full", "lotra"]
    assert all(row["relative_l2"] < 0.1 for row in rows)
    u = package.load(windows).at(1.1)
    around = [[t, 0.3] for end in (1 / 3, 2 / 3) for t in (end - 1e-9, end + 1e-9)]
    values, slopes = u(around).reshape(2, 2), u.jet(around, "u_xx").reshape(2, 2)
    assert np.ptp(values, axis=1).max() < 1e-7
    assert np.ptp(slopes, axis=1).max() < 1e-5


def test_values_start_from_their_neighbours_window_by_window(windows, done, monkeypatch):
    starts = []

    def follow(parameters, arrays):
        theta = stored_theta(parameters, arrays)
        starts.append({name: array.copy() for name, array in arrays.items()})
        return theta

    monkeypatch.setattr(trainer, "stored_theta", follow)
    options = ("--start", "nearest", "--threads", 1, "--set", "finetuning.steps=1")
    done("finetune", windows, "--param", "c=1.05,1.1", *options)
    first, second = (read_store(windows / "adapters" / f"c={c}.h5") for c in ("1.05", "1.1"))
    assert second.meta["start"]["values"] == {"c": 1.05}
    assert len(starts) == 3
    for number, own in enumerate(starts, start=1):
        assert own.keys() == {"0.change", "1.core", "1.u1", "1.u2", "1.u3", "2.change"}
        for name, array in own.items():
            assert np.array_equal(first.arrays[f"window{number}.{name}"], array)


def test_a_file_whose_windows_are_not_its_problems_is_refused(windows, pinnkan):
    stored = read_store(windows / "base.h5")
    faults = {
        "ends": ({"windows": [0.0, 0.5, 0.7, 1.0]}, stored.arrays, "its windows end at [0.0, 0.5, 0.7, 1.0]"),
        "order": ({"windows": [0.0, 0.7, 0.5, 1.0]}, stored.arrays, "its windows end at"),
        "none": ({"windows": None}, stored.arrays, "expected arrays 0.coefficients"),
        "words": ({"windows": ["a", "b"]}, stored.arrays, "its problem says"),
        "arrays": (
            {},
            {name: array for name, array in stored.arrays.items() if not name.startswith("window3")},
            "expected arrays 0.coefficients",
        ),
        "more": (
            {},
            stored.arrays | {"window4.0.coefficients": stored.arrays["window1.0.coefficients"]},
            "of 3 windows",
        ),
    }
    for name, (meta, arrays, said) in faults.items():
        write_store(windows / "base.h5", "base", arrays=arrays, meta=stored.meta | meta)
        answer = pinnkan("evaluate", windows)
        assert answer.code == 3, (name, answer.err)
        assert said in answer.err, (name, answer.err)


def test_a_training_that_is_stopped_goes_on_in_its_window(windows, done, pinnkan, arrays, monkeypatch):
    """Stopped in every window in turn, it ends with the bits of one in a single go."""
    take, stops = Keeper.__call__, [5, 14, 30]

    def interrupted(keeper, state):
        take(keeper, state)
        if stops and state.steps == stops[0]:
            stops.pop(0)
            raise KeyboardInterrupt

    monkeypatch.setattr(Keeper, "__call__", interrupted)
    again, problem = windows.parent / "again", windows.parent / "ring.yaml"
    for steps in (5, 14, 30):
        answer = pinnkan("pretrain", problem, "-o", again, "--threads", 1)
        assert answer.code == 75
        assert f"ring base: stopped by a signal after step {steps}" in answer.err
    err = done("pretrain", problem, "-o", again, "--threads", 1).err
    assert "ring base: going on after step 30" in err
    assert "window 2/3" not in err
    whole, parts = arrays(windows / "base.h5"), arrays(again / "base.h5")
    assert whole.keys() == parts.keys()
    assert all(np.array_equal(whole[name], parts[name]) for name in whole)
    facts = [read_store(folder / "base.h5").meta["training"] for folder in (windows, again)]
    assert [facts[0][key] for key in ("steps", "verdict", "error_estimate", "held_out")] == [
        facts[1][key] for key in ("steps", "verdict", "error_estimate", "held_out")
    ]


def test_check_prints_the_windows(windows, done):
    problem = windows.parent / "ring.yaml"
    assert done("check", problem, "--json").json["windows"] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    ends = done("check", problem, "--json", "--set", "time.windows=[c/4, 0.5]").json["windows"]
    assert ends == [0.0, 0.25, 0.5, 1.0]
    halved = done("check", problem, "--set", "time.windows=auto").out
    assert "halved at most 6 times" in halved
    assert "windows" not in done("check", problem, "--json", "--set", "time.windows=1").json

"""export: what is read back is what the solution is."""

from __future__ import annotations

import errno
import os

import h5py
import meshio
import numpy as np
import pytest

import pinnkan as python_way
from pinnkan.output.exports.registry import EXPORTS, ExportFormat


def read_csv(path):
    """Return the columns by their names; Python's float is exact, whatever a pandas of some version does."""
    header, *lines = path.read_text().splitlines()
    rows = np.array([[float(word) for word in line.split(",")] for line in lines])
    return dict(zip(header.split(","), rows.T, strict=True))


@pytest.fixture
def solution(run):
    return python_way.load(run).at(0.5)


def test_csv_reads_back_bit_for_bit(done, run, folder, solution):
    done("export", run, "--lambda", 0.5, "--grid", "7x5", "-o", folder / "u.csv")
    table = read_csv(folder / "u.csv")
    assert list(table) == ["x", "y", "u"]
    points = np.column_stack([table["x"], table["y"]])
    assert np.array_equal(table["u"], solution(points))
    x, y = np.meshgrid(np.linspace(-1, 1, 7), np.linspace(-1, 1, 5), indexing="ij")
    grid = np.stack([x.ravel(), y.ravel()], axis=1)
    assert np.array_equal(points, grid[np.hypot(*grid.T) <= 1 + 1e-12])


def test_points_keep_their_order_and_their_columns(done, run, folder, solution):
    points = np.array([[0.5, 0.25], [-0.1, 0.0], [0.5, 0.25]])
    (folder / "p.csv").write_text("y,x\n" + "".join(f"{y!r},{x!r}\n" for x, y in points.tolist()))
    done("export", run, "--lambda", 0.5, "--points", folder / "p.csv", "-o", folder / "u.csv")
    table = read_csv(folder / "u.csv")
    expected = [*points.T, solution(points)]
    assert np.array_equal([table[name] for name in ("x", "y", "u")], expected)


def test_a_point_outside_is_named_by_its_row(pinnkan, run, folder):
    (folder / "p.csv").write_text("x,y\n0,0\n0.8,0.8\n")
    answer = pinnkan("export", run, "--points", folder / "p.csv", "-o", folder / "u.csv")
    assert answer.code == 2
    assert answer.err == (
        f"error: points {folder / 'p.csv'}:3: the point x=0.8, y=0.8 is outside the domain\n"
    )
    assert not (folder / "u.csv").exists()


def test_npz_has_the_shape_of_the_grid_and_nan_outside(done, run, folder, solution):
    done("export", run, "--lambda", 0.5, "--grid", "9x11", "-o", folder / "u.npz")
    with np.load(folder / "u.npz") as stored:
        assert sorted(stored.files) == ["u", "x", "y"]
        x, y, u = (stored[name] for name in ("x", "y", "u"))
    assert u.shape == (9, 11)
    inside = np.hypot(x, y) <= 1 + 1e-12
    assert np.array_equal(np.isfinite(u), inside)
    assert np.array_equal(u[inside], solution(np.stack([x[inside], y[inside]], axis=1)))


def test_vtu_holds_solution_exact_and_error(done, run, folder, solution):
    done("export", run, "--lambda", 0.5, "--grid", "9x9", "-o", folder / "u.vtu")
    mesh = meshio.read(folder / "u.vtu")
    assert set(mesh.point_data) == {"x", "y", "u", "exact", "error"}
    inside = np.isfinite(mesh.point_data["u"])
    points = mesh.points[inside, :2]
    assert np.array_equal(mesh.point_data["u"][inside], solution(points))
    assert np.array_equal(mesh.point_data["exact"][inside], solution.exact(points))
    error = mesh.point_data["u"] - mesh.point_data["exact"]
    assert np.array_equal(mesh.point_data["error"], error, equal_nan=True)
    assert mesh.cells_dict["quad"].shape == (64, 4)


@pytest.mark.parametrize(
    ("with_reference", "header"), [(False, "x,y,u"), (True, "x,y,u,exact,error")], ids=["table", "fields"]
)
def test_a_new_format_is_one_row(done, run, folder, monkeypatch, with_reference, header):
    def write_names(file, samples):
        file.write(",".join(samples.columns).encode())

    monkeypatch.setitem(EXPORTS, ".names", ExportFormat(write_names, with_reference=with_reference))
    done("export", run, "--lambda", 0.5, "--grid", "3x3", "-o", folder / "u.names")
    assert (folder / "u.names").read_text() == header


def test_hdf5_says_what_it_is(done, folder):
    done("export", folder / "heat", "--time", 0.5, "--grid", "6", "-o", folder / "v.h5")
    with h5py.File(folder / "v.h5") as stored:
        assert set(stored) == {"t", "x", "v"}
        assert stored["v"].shape == (6,)
        assert stored.attrs["coordinates"] == "t,x"
        assert (stored.attrs["problem"], stored.attrs["method"]) == ("heat", "base")
        assert (stored.attrs["parameter kappa"], stored.attrs["parameter c"]) == (0.1, 1.0)
        points = np.stack([stored["t"][:], stored["x"][:]], axis=1)
        assert np.array_equal(stored["v"][:], python_way.load(folder / "heat").at()(points))
    assert np.array_equal(points[:, 0], np.full(6, 0.5))


def test_time_runs_first_in_a_header(done, folder):
    done("export", folder / "heat", "--grid", "2x3", "-o", folder / "v.csv")
    lines = (folder / "v.csv").read_text().splitlines()
    assert lines[0] == "t,x,v"
    assert [line.rsplit(",", 1)[0] for line in lines[1:]] == ["0,0", "0,1", "0,2", "1,0", "1,1", "1,2"]


def test_methods_and_tags_are_found(done, run, folder):
    done("finetune", run, "--lambda", 1, "--method", "full", "--tag", "a", "-q")
    options = ("--lambda", 1, "--method", "full", "--tag", "a")
    done("export", run, *options, "--grid", "3x3", "-o", folder / "u.csv")
    table = read_csv(folder / "u.csv")
    expected = python_way.load(run).at(1, method="full", tag="a")(np.column_stack([table["x"], table["y"]]))
    assert np.array_equal(table["u"], expected)


REFUSED = [
    (["--grid", "7"], "grid '7': found 1 counts, expected 2 (x, y), as 101x101"),
    (["--grid", "7x5", "--time", "0.5"], "--time 0.5: tiny is a stationary problem"),
    (["--grid", "7x5", "--lambda", "0.7"], "has no lotra adapter for lambda=0.7; train it with"),
    (["--grid", "7x5", "--lambda", "0.5", "--tag", "z"], "--param lambda=0.5 --tag z'"),
    (["--grid", "7x5", "--method", "full"], "method full: belongs to the result of a parameter value, and"),
    (["--grid", "7x5", "--tag", "z"], "and none is given; name one with --lambda VALUE (in Python"),
    (["--grid", "7x5", "-o", "u.xyz"], "unknown suffix '.xyz'"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_what_cannot_be_served(pinnkan, run, folder, monkeypatch, options, message):
    monkeypatch.chdir(folder)
    answer = pinnkan("export", run, "-o", "u.csv", *options)
    assert answer.code == 2
    assert message in answer.err
    assert not (folder / "u.csv").exists()


@pytest.mark.parametrize("name", ["u.csv", "u.npz", "u.vtu", "u.h5", "u.png"])
def test_a_full_disk_leaves_the_old_file(pinnkan, run, folder, monkeypatch, name):
    (folder / name).write_text("old")

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    command = ["plot"] if name == "u.png" else ["export", "--grid", "5x5"]
    answer = pinnkan(command[0], run, *command[1:], "-o", folder / name, "-q")
    assert (answer.code, answer.err) == (
        74,
        f"error: cannot write {folder / name}: No space left on device\n",
    )
    assert (folder / name).read_text() == "old"
    assert [path.name for path in folder.iterdir() if "tmp" in path.name] == []


def test_a_folder_that_is_not_there(pinnkan, run, folder):
    answer = pinnkan("export", run, "--grid", "5x5", "-o", folder / "no" / "u.csv")
    assert (answer.code, answer.err) == (
        74,
        f"error: cannot write {folder / 'no' / 'u.csv'}: No such file or directory\n",
    )

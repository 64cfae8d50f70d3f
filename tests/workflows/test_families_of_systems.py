"""family and solve for problems with several unknowns, against their exact solutions."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

import pinnkan as package
from pinnkan.ground.errors import UsageError
from pinnkan.storage.store import read_store, write_store

TRIO = """\
title: Two reactions and a pressure
citation: none
coordinates: [x]
domain: {shape: interval, x: [0, 1]}
unknowns: [u, v, p]
family: {k: {base: 1, range: [0.5, 2]}}
exact:
  u: sin(pi*x)*exp(k*x/2) + k
  v: 100*(cos(pi*x/2)*(1 + k*x^2) + x)
  p: k*sin(2*x) + 3
source: manufactured
equations:
  - -u_xx + u*v/100 + p_x = source
  - -v_xx + k*v + 10*u^2 = source
  - p_x + u = source
boundary: ["u = k", "v = 100"]
constraints: ["integral(v) = 100*(2/pi + k*(2/pi - 16/pi^3) + 1/2)"]
network: {hidden: [5], functions: 6}
points: {interior: 60, held_out: 40}
training: {steps: 20}
finetuning: {steps: 12, points: 60}
"""


def exact(x: np.ndarray, k: float) -> dict[str, np.ndarray]:
    """The solution, its pressure with the mean zero: the integral of sin(2 x) is (1 - cos 2)/2."""
    return {
        "u": np.sin(np.pi * x) * np.exp(k * x / 2) + k,
        "v": 100 * (np.cos(np.pi * x / 2) * (1 + k * x**2) + x),
        "p": k * (np.sin(2 * x) - (1 - np.cos(2)) / 2),
    }


@pytest.fixture(scope="module")
def made(done, tmp_path_factory):
    folder = tmp_path_factory.mktemp("systems")
    (folder / "trio.yaml").write_text(TRIO)
    done("pretrain", folder / "trio.yaml", "-o", folder / "trio", "-q")
    limits = ("--tolerance", "0.1", "--max-adapters", "3")
    found = done("family", folder / "trio", "--lambda", "0.5:2", *limits, "-q", "--json").json
    return folder / "trio", found


@pytest.fixture
def alone(made, tmp_path):
    """The family's file in a folder of its own: no base, no adapters."""
    shutil.copy(made[0] / "family.h5", tmp_path)
    return tmp_path


def test_the_search_meets_its_tolerance_and_its_estimate_is_that_of_the_largest_error(made):
    _, found = made
    assert found["reason"] == "tolerance"
    assert found["curve"][-1]["worst_estimate"] <= 0.1
    effectivity = found["effectivity"]
    assert 0.3 < effectivity["low"] <= effectivity["high"] < 10
    assert effectivity["worst_error"] < 0.1


@pytest.mark.parametrize(("k", "method"), [(0.7, "reduced basis"), (1.0, "base"), (1.6, "reduced basis")])
def test_every_unknown_is_answered_with_its_error(done, alone, k, method):
    (row,) = done("solve", alone, "--lambda", k, "--check", "--json").json["results"]
    assert row["method"] == method
    assert set(row["fields"]) == {"u", "v", "p"}
    assert {name: field["centred"] for name, field in row["fields"].items()} == {
        "u": False,
        "v": False,
        "p": True,
    }
    errors = {name: field["relative_l2"] for name, field in row["fields"].items()}
    assert row["relative_l2"] == max(errors.values()) < 0.1
    assert row["effectivity"] == pytest.approx(row["estimate"] / row["relative_l2"])
    assert set(row["relative_residual"]) == {
        *("equation[0]", "equation[1]", "equation[2]", "boundary[0]", "boundary[1]", "constraint[0]")
    }
    x = np.linspace(0, 1, 2001)
    answers = package.ReducedBasis.load(alone).solve(k)(x[:, None])
    assert abs(np.trapezoid(answers["p"], x)) < 1e-5
    for name, wanted in exact(x, k).items():
        gap = np.linalg.norm(answers[name] - wanted) / np.linalg.norm(wanted)
        assert gap == pytest.approx(errors[name], rel=0.02, abs=1e-5), name


def test_python_answers_by_name_as_the_files_do(done, alone, tmp_path):
    points = np.linspace(0, 1, 5)[:, None]
    found = package.ReducedBasis.load(alone).solve({"k": 0.8})(points)
    assert [column.shape for column in found.values()] == [(5,)] * 3
    done("solve", alone, "--lambda", 0.8, "--grid", "5", "-o", tmp_path / "u.csv")
    table = np.genfromtxt(tmp_path / "u.csv", delimiter=",", names=True)
    assert table.dtype.names == ("x", "u", "v", "p")
    for name, column in found.items():
        assert table[name].tolist() == column.tolist()
    assert (found["u"][0], found["u"][-1], found["v"][0]) == (0.8, 0.8, 100.0)
    with pytest.raises(UsageError, match="1 of 1 points are outside the domain"):
        package.ReducedBasis.load(alone).solve(0.8)([[2.0]])


def test_many_values_make_one_npz_with_an_array_for_every_unknown(done, alone, tmp_path):
    done("solve", alone, "--lambda", "0.5:2:4", "--grid", "7", "-o", tmp_path / "u.npz", "-q")
    basis = package.ReducedBasis.load(alone)
    with np.load(tmp_path / "u.npz") as found:
        assert set(found) == {"k", "estimate", "x", "u", "v", "p"}
        answers = basis.solve_all([0.5, 1.0, 1.5, 2.0])
        together = answers.solutions(found["x"][:, None])
        assert together.shape == (4, 3, 7)
        for at, name in enumerate(("u", "v", "p")):
            assert found[name] == pytest.approx(together[:, at], rel=1e-12)
        alone_at_one = basis.solve(1.0)(found["x"][:, None])
        assert answers.by_base.tolist() == [False, True, False, False]
        assert found["p"][1] == pytest.approx(alone_at_one["p"], rel=1e-12)


def test_too_many_numbers_are_refused_with_their_count(pinnkan, alone, tmp_path):
    answer = pinnkan("solve", alone, "--lambda", "0.5:2:5000", "--grid", "40000", "-o", tmp_path / "u.npz")
    assert (answer.code, "5000 values of 3 unknowns at 40000 points are 600000000 numbers" in answer.err) == (
        2,
        True,
    ), answer.err


def test_vtu_has_every_unknown(done, alone, tmp_path):
    done("solve", alone, "--lambda", 0.8, "--grid", "5", "-o", tmp_path / "u.vtu", "-q")
    text = (tmp_path / "u.vtu").read_text(errors="replace")
    assert all(f'Name="{name}"' in text for name in ("u", "v", "p"))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("constants", lambda array: array[:-1]),
        ("constants", lambda array: array.astype(np.float32)),
        ("values", lambda array: array[:, : array.shape[1] // 3]),
    ],
    ids=["too few", "rounded", "of one unknown"],
)
def test_a_file_whose_parts_do_not_fit_is_refused(pinnkan, alone, name, change):
    path = alone / "family.h5"
    stored = read_store(path)
    write_store(path, "family", arrays={**stored.arrays, name: change(stored.arrays[name])}, meta=stored.meta)
    answer = pinnkan("solve", alone, "--lambda", "0.8")
    assert (answer.code, "do not fit together" in answer.err) == (3, True), answer.err

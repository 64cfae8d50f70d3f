"""family and solve: the greedy search, its file, answers from that file alone, and what is refused."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest

import pinnkan as package
from pinnkan.ground.errors import UsageError
from pinnkan.language.problem import load_problem
from pinnkan.physics.family import Family
from pinnkan.reduction import ReducedModel
from pinnkan.reduction.greedy import CurvePoint, stalled
from pinnkan.solutions.evaluation.verdict import worst
from pinnkan.storage.store import read_store, write_store
from pinnkan.workflows import answer_verdicts

LOOSE = ("--tolerance", "0.5", "--max-adapters", "3")


@pytest.fixture(scope="module")
def _made(done, tmp_path_factory):
    """The tiny family with its file, trained longer than elsewhere so that it means something."""
    from tiny_family import TINY

    folder = tmp_path_factory.mktemp("family")
    text = TINY.replace("{steps: 4, points: 80}", "{steps: 8, points: 150}")
    (folder / "tiny.yaml").write_text(text)
    done("pretrain", folder / "tiny.yaml", "-o", folder / "tiny", "-q")
    done("family", folder / "tiny", "--lambda", "0:1", *LOOSE, "-q")
    return folder / "tiny"


@pytest.fixture
def made(_made, tmp_path):
    shutil.copytree(_made, tmp_path / "tiny")
    shutil.copy(_made.parent / "tiny.yaml", tmp_path)
    return tmp_path / "tiny"


@pytest.fixture
def alone(made, tmp_path):
    """The family's file in a folder of its own: no base, no adapters."""
    (tmp_path / "alone").mkdir()
    shutil.copy(made / "family.h5", tmp_path / "alone")
    return tmp_path / "alone"


# --- family ----------------------------------------------------------------------------------


def test_the_search_is_reported_and_goes_on_where_it_was_killed(done, made):
    before = {path.name: path.stat().st_mtime_ns for path in (made / "adapters").iterdir()}
    stored = read_store(made / "family.h5")
    answer = done("family", made, "--lambda", "0:1", *LOOSE, "--json")
    found = answer.json
    assert (found["reason"], found["tolerance"]) == ("tolerance", 0.5)
    assert [point["adapters"] for point in found["curve"]] == [0, 1, 2]
    assert found["curve"][0]["worst_estimate"] is None
    assert found["adapters"] == [{"lambda": 1.0}, {"lambda": 0.0}]
    assert found["file_bytes"] == (made / "family.h5").stat().st_size
    assert 0.05 < found["effectivity"]["low"] <= found["effectivity"]["high"] < 50
    assert "2 adapters: worst estimate" in answer.err
    again = read_store(made / "family.h5")
    assert all(np.array_equal(again.arrays[name], array) for name, array in stored.arrays.items())
    assert {path.name: path.stat().st_mtime_ns for path in (made / "adapters").iterdir()} == before


def test_a_missed_tolerance_writes_the_file_and_exits_5(pinnkan, made):
    answer = pinnkan("family", made, "--lambda", "0:1", "--tolerance", "1e-12", "--max-adapters", 3)
    assert answer.code == 5
    assert "above the tolerance 1e-12: the estimate is above the tolerance somewhere" in answer.err
    lines = answer.out.splitlines()
    assert [line.split()[0] for line in lines[3:7]] == ["0", "1", "2", "3"]
    assert "reason  max_adapters" in answer.out
    meta = read_store(made / "family.h5", kind="family").meta
    assert (meta["reason"], len(meta["adapters"]), len(meta["samples"])) == ("max_adapters", 3, 3)


def test_values_without_an_answer_are_named_and_the_file_is_written(pinnkan, made, monkeypatch):
    solve = ReducedModel.solve

    def rarely(model, values):
        found = solve(model, values)
        return replace(found, converged=found.converged & ((values[:, 0] < 0.1) | (values[:, 0] > 0.9)))

    monkeypatch.setattr(ReducedModel, "solve", rarely)
    answer = pinnkan("family", made, "--lambda", "0:1", *LOOSE)
    assert answer.code == 5
    meta = read_store(made / "family.h5", kind="family").meta
    last = meta["curve"][-1]
    assert [last[key] for key in ("worst_estimate", "worst_residual", "median_estimate")] == [None] * 3
    assert f"Gauss-Newton did not end at {last['unsolved']} values of the training set" in answer.err
    assert f"3 adapters: no answer at {last['unsolved']} values; next lambda=" in answer.err
    assert answer.out.splitlines()[1].split() == [
        *("adapters", "residual", "estimate", "estimate", "unsolved", "at")
    ]
    assert 0 < meta["effectivity"]["values"] < 32
    assert "reduced basis" in pinnkan("show", made).out.replace("_", " ")


def test_adapters_that_change_nothing_calibrate_no_estimate(pinnkan, run):
    answer = pinnkan("family", run, "--lambda", "0:1", "--set", "finetuning.steps=0", "-q")
    assert (answer.code, (run / "family.h5").exists()) == (2, False)
    assert "nothing calibrates the estimate: of 1 adapter none differs from what the others" in answer.err


def test_what_family_cannot_serve_is_refused(pinnkan, made, tmp_path):
    assert "which range? Give --lambda LOW:HIGH" in pinnkan("family", made).err
    assert pinnkan("family", made, "--lambda", "1:0").code == 2
    answer = pinnkan("family", made, "--lambda", "0:1", "--set", "network.functions=5", "-q")
    assert (answer.code, "the base is trained already" in answer.err) == (2, True)
    assert "there is no directory" in pinnkan("family", tmp_path / "no", "--lambda", "0:1").err


def test_a_search_that_gains_nothing_has_stalled():
    def curve(*worst):
        return [CurvePoint(at, None, size, None, ()) for at, size in enumerate(worst)]

    assert not stalled(curve(9, 9, 4, 2, 1))
    assert not stalled(curve(9, 9, 1, 0.9, 0.9))
    assert stalled(curve(9, 9, 1, 0.9, 0.9, 0.85))
    assert not stalled(curve(9, 9, 1, 0.9, 0.9, 0.7))
    assert stalled(curve(9, 9, 1, None, None, None))
    assert not stalled(curve(9, 9, None, None, None, None))


# --- solve -----------------------------------------------------------------------------------


def test_solve_needs_the_file_alone(done, alone):
    row = done("solve", alone, "--lambda", "0.37", "--check", "--json").json["results"][0]
    assert row["parameters"] == {"lambda": 0.37}
    assert row["inside"] is True
    assert row["relative_l2"] < 0.1
    assert row["effectivity"] == pytest.approx(row["estimate"] / row["relative_l2"])
    assert 0.1 < row["effectivity"] < 30
    assert len(row["coefficients"]) == 2


def test_python_answers_as_the_command_does(done, alone, tmp_path):
    points = np.array([[0.0, 0.0], [0.3, -0.4], [1.0, 0.0]])
    basis = package.ReducedBasis.load(alone)
    u = basis.solve(0.37)
    (tmp_path / "points.csv").write_text("x,y\n" + "\n".join(f"{x},{y}" for x, y in points) + "\n")
    given = ("--points", tmp_path / "points.csv", "-o", tmp_path / "u.csv")
    done("solve", alone / "family.h5", "--lambda", 0.37, *given)
    table = np.genfromtxt(tmp_path / "u.csv", delimiter=",", names=True)
    assert table["u"].tolist() == u(points).tolist()
    assert u(points)[2] == 0.0
    assert u(points) == pytest.approx((1 - (points**2).sum(1)) * (1 + 0.37 * points[:, 0]), abs=0.1)
    assert (u.values, u.coordinates, u.is_trusted) == ({"lambda": 0.37}, ("x", "y"), True)
    assert basis.ranges == {"lambda": (0.0, 1.0)}
    assert basis.tolerance == 0.5
    assert np.array_equal(basis.solve({"lambda": 0.37}).coefficients, u.coefficients)
    with pytest.raises(UsageError, match="1 of 1 points are outside the domain, first x=2, y=0"):
        u([[2.0, 0.0]])
    with pytest.raises(UsageError, match="unknown parameter 'nu'"):
        basis.solve({"nu": 1.0})
    with pytest.raises(UsageError, match="Give at least one"):
        basis.solve_all([])


def test_a_snapshot_is_what_its_adapter_is(made):
    points = package.load(made).at(1.0)._solution.instance.domain.uniform(50, 1)
    adapter, reduced = package.load(made).at(1.0)(points), package.ReducedBasis.load(made).solve(1.0)
    gap = np.linalg.norm(adapter - reduced(points)) / np.linalg.norm(adapter)
    assert gap < 0.1


def test_many_values_make_one_npz(done, alone, tmp_path):
    out = tmp_path / "u.npz"
    done("solve", alone, "--lambda", "0:1:5", "--grid", "7x9", "-o", out, "-q")
    with np.load(out) as found:
        assert set(found) == {"lambda", "estimate", "x", "y", "u"}
        assert found["u"].shape == (5, 7, 9)
        assert found["x"].shape == (7, 9)
        assert np.isnan(found["u"][:, 0, 0]).all()
        assert found["lambda"].tolist() == [0, 0.25, 0.5, 0.75, 1]
        middle = package.ReducedBasis.load(alone).solve(0.5)([[0.0, 0.5]])[0]
        assert found["u"][2, 3, 6] == pytest.approx(middle, abs=1e-14)


def test_coefficients_of_many_values_without_points(done, alone, tmp_path, monkeypatch):
    monkeypatch.setattr(answer_verdicts, "MEASURED", 3)
    (tmp_path / "values.txt").write_text("\n".join(f"{v:.6f}" for v in np.linspace(0, 1, 200)))
    answer = done("solve", alone, "--lambda", f"@{tmp_path / 'values.txt'}", "-o", tmp_path / "c.npz")
    assert "... and 160 more" in answer.out
    with np.load(tmp_path / "c.npz") as found:
        assert (found["coefficients"].shape, found["estimate"].shape) == ((200, 2), (200,))


def test_all_values_are_measured_up_to_a_number_and_then_those_with_the_largest_estimates(
    done, alone, monkeypatch
):
    every = done("solve", alone, "--lambda", "0:1:9", "--json").json
    assert every["measured"] == 9
    assert all(set(row["relative_residual"]) == {"equation[0]", "boundary[0]"} for row in every["results"])
    monkeypatch.setattr(answer_verdicts, "MEASURED", 4)
    some = done("solve", alone, "--lambda", "0:1:9", "--json").json
    assert some["measured"] == 4
    estimates = np.array([row["estimate"] for row in every["results"]])
    chosen = set(np.argsort(-estimates)[:4].tolist())
    for at, (row, whole) in enumerate(zip(some["results"], every["results"], strict=True)):
        assert row["relative_residual"] == (whole["relative_residual"] if at in chosen else None)
        assert row["verdict"] == (
            whole["verdict"] if at in chosen else ("doubtful" if row["estimate"] > 1e-2 else "solved")
        )
    table = done("solve", alone, "--lambda", "0:1:9").out
    assert "residuals were measured of 4 of 9 values, those with the largest estimates" in table
    assert "residuals were measured" not in done("solve", alone, "--lambda", "0:1:4").out


def test_answers_carry_what_their_solutions_are(pinnkan, made, alone, monkeypatch):
    stored = read_store(made / "family.h5")
    files = [made / "base.h5", *sorted((made / "adapters").glob("*.h5"))]
    assert stored.meta["verdict"] == worst(read_store(path).meta["training"]["verdict"] for path in files)
    monkeypatch.setattr(answer_verdicts, "MEASURED", 1)  # of two: the other is judged by its estimate
    for word in ("solved", "unsolved"):
        meta = {**stored.meta, "verdict": word}
        write_store(alone / "family.h5", "family", arrays=stored.arrays, meta=meta)
        rows = pinnkan("solve", alone, "--lambda", "0.3,0.7", "--json").json["results"]
        told = ["the solutions that it is made from are unsolved" in row["reasons"] for row in rows]
        assert told == [word == "unsolved"] * 2
        assert word == "solved" or all(row["verdict"] != "solved" for row in rows)


@pytest.mark.parametrize("unit", ["1", "1e9", "1e-9"])
@pytest.mark.parametrize(("start", "jump"), [("min(2*x, 2*(1 - x))", "u_x"), ("sin(pi*x)", None)])
def test_an_answer_is_looked_at_where_what_is_built_in_jumps(start, jump, unit):
    """Results from before the lifts were looked at have such ones."""
    problem = load_problem(
        "coordinates: [x]\ntime: {t: [0, 1]}\ndomain: {shape: interval, x: [0, 1]}\nunknowns: u\n"
        f'equations: ["u_t = u_xx"]\nboundary: ["u = 0"]\ninitial: ["u = {unit}*{start}"]\n'
    )
    jumps = answer_verdicts._jump(Family(problem, rough_lifts=True).at())
    assert (None if jumps is None else jumps.derivative) == jump
    if jumps is not None:
        assert jumps.place[1] == pytest.approx(0.5, abs=1e-3)
        assert jumps.relative > 0.3


def test_a_value_outside_the_range_is_answered_and_named(pinnkan, alone):
    answer = pinnkan("solve", alone, "--lambda", "0.5,1.5", "--json")
    assert answer.code == 5
    assert [row["inside"] for row in answer.json["results"]] == [True, False]
    assert "lambda=1.5 is outside the trained range (lambda 0:1), estimate" in answer.err
    assert f"'pinnkan finetune {alone} --param lambda=1.5' trains an adapter there" in answer.err


def test_an_estimate_above_the_tolerance_is_answered_and_named(pinnkan, made, tmp_path):
    pinnkan("family", made, "--lambda", "0:1", "--tolerance", "1e-12", "--max-adapters", 2, "-q")
    answer = pinnkan("solve", made, "--lambda", "0.5", "--grid", "5x5", "-o", tmp_path / "u.csv")
    assert answer.code == 5
    assert "exceeds the tolerance 1e-12" in answer.err
    assert (tmp_path / "u.csv").read_text().startswith("x,y,u\n")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "which parameter values?"),
        (["--lambda", "0.5", "--grid", "5x5"], "values at points go into a file: give -o FILE"),
        (["--lambda", "0.5", "--time", "1", "-o", "u.csv"], "--time goes with --grid"),
        (["--lambda", "0.5", "--grid", "5x5", "--points", "p.csv", "-o", "u.csv"], "either --grid COUNTS"),
        (["--lambda", "0.5,1", "--grid", "5x5", "-o", "u.csv"], "2 values go into one .npz file"),
        (["--lambda", "0.5", "-o", "u.csv"], "coefficients and estimates without points go into one .npz"),
        (["--param", "nu=1"], "unknown parameter 'nu'"),
    ],
)
def test_what_solve_cannot_serve_is_refused(pinnkan, alone, options, message, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    answer = pinnkan("solve", alone, *options)
    assert (answer.code, message in answer.err) == (2, True), answer.err


def test_a_family_file_is_not_overwritten(pinnkan, alone):
    answer = pinnkan("solve", alone, "--lambda", "0.5", "--grid", "5x5", "-o", alone / "family.h5")
    assert (answer.code, "would overwrite the run's own family.h5" in answer.err) == (2, True)


def test_a_missing_file_names_the_command_that_makes_it(pinnkan, run):
    answer = pinnkan("solve", run, "--lambda", "0.5")
    assert (answer.code, f"'pinnkan family {run} --lambda LOW:HIGH' makes one" in answer.err) == (2, True)


def test_show_tells_what_a_family_file_is(done, made, alone):
    facts = done("show", alone / "family.h5", "--json").json
    assert (facts["kind"], facts["ranges"], facts["reason"]) == (
        "family",
        {"lambda": [0.0, 1.0]},
        "tolerance",
    )
    assert [point["adapters"] for point in facts["curve"]] == [0, 1, 2]
    beside = done("show", made, "--json").json["reduced_basis"]
    assert (beside["status"], beside["adapters"], beside["tolerance"]) == ("fits", 2, 0.5)
    done("pretrain", made.parent / "tiny.yaml", "-o", made, "--seed", 1, "--force", "-q")
    assert done("show", made, "--json").json["reduced_basis"]["status"] == "stale"
    (made / "family.h5").write_bytes(b"no")
    assert done("show", made, "--json").json["reduced_basis"]["status"] == "damaged"


# --- damage ----------------------------------------------------------------------------------


def test_a_damaged_or_foreign_file_is_refused(pinnkan, alone, made):
    path = alone / "family.h5"
    good = path.read_bytes()
    path.write_bytes(good[:-1])
    assert pinnkan("solve", alone, "--lambda", "0.5").code == 3
    path.write_bytes(good[:1000] + bytes([good[1000] ^ 1]) + good[1001:])
    assert pinnkan("solve", alone, "--lambda", "0.5").code == 3
    answer = pinnkan("solve", made / "base.h5", "--lambda", "0.5")
    assert (answer.code, "of kind 'base', expected 'family'" in answer.err) == (3, True)


@pytest.mark.parametrize(
    "change",
    [
        {"mixing": np.eye(3)},
        {"block[0].jets": np.zeros((1, 2, 7))},
        {"block[0].weights": np.zeros(3)},
        {"known": np.zeros((2, 2))},
        {"base.0.coefficients": np.zeros((1, 1))},
        {"values": None},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_file_whose_parts_do_not_fit_is_refused(pinnkan, alone, change):
    path = alone / "family.h5"
    stored = read_store(path)
    arrays = {k: v for k, v in (stored.arrays | change).items() if v is not None}
    write_store(path, "family", arrays=arrays, meta=stored.meta)
    answer = pinnkan("solve", alone, "--lambda", "0.5")
    assert (answer.code, str(path) in answer.err) == (3, True), answer.err


@pytest.mark.parametrize("key", ["ranges", "factor", "problem", "cells"])
def test_a_file_without_a_fact_is_refused(pinnkan, alone, key):
    path = alone / "family.h5"
    stored = read_store(path)
    meta = {k: v for k, v in stored.meta.items() if k != key}
    write_store(path, "family", arrays=stored.arrays, meta=meta)
    assert pinnkan("solve", alone, "--lambda", "0.5").code == 3


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("count", 0),
        ("factor", -1.0),
        ("tolerance", -1.0),
        ("levels", [[3]]),
        ("levels", [[4, 2]]),
        ("ranges", [["lambda", 1.0, 0.0]]),
        ("ranges", [["mu", 0.0, 1.0]]),
    ],
)
def test_a_fact_that_would_make_a_false_answer_is_refused(pinnkan, alone, key, value):
    path = alone / "family.h5"
    stored = read_store(path)
    write_store(path, "family", arrays=stored.arrays, meta={**stored.meta, key: value})
    answer = pinnkan("solve", alone, "--lambda", "0.5")
    assert (answer.code, str(path) in answer.err) == (3, True), answer.err


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("block[0].jets", lambda array: array.astype(np.float32)),
        ("block[0].weights", lambda array: -array),
    ],
)
def test_an_array_that_would_make_a_false_answer_is_refused(pinnkan, alone, name, change):
    path = alone / "family.h5"
    stored = read_store(path)
    write_store(path, "family", arrays={**stored.arrays, name: change(stored.arrays[name])}, meta=stored.meta)
    answer = pinnkan("solve", alone, "--lambda", "0.5")
    assert (answer.code, "do not fit together" in answer.err) == (3, True), answer.err

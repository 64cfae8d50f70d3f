"""evaluate: every number against its definition, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

import pinnkan as python_way
from pinnkan.storage.runs.facts import parsed


def exact(points, value):
    x, y = points.T
    return (1 - x**2 - y**2) * (1 + value * x)


def rows_of(answer):
    return {(row["parameters"]["lambda"], row["method"]): row for row in answer.json["results"]}


def test_errors_are_those_of_their_definitions(done, run):
    answer = done("evaluate", run, "--json")
    assert (answer.json["problem"], answer.json["parameters"]) == ("tiny", ["lambda"])
    rows = rows_of(answer)
    assert set(rows) == {(0.0, "base"), (0.5, "lotra")}
    solution = python_way.load(run).at(0.5)
    points = solution._solution.instance.domain.uniform(20_000, 0)
    u, psi = exact(points, 0.5), solution(points)
    error = psi - u
    row = rows[0.5, "lotra"]
    assert row["relative_l2"] == pytest.approx(np.linalg.norm(error) / np.linalg.norm(u), rel=1e-9)
    assert row["relative_l2_squared"] == pytest.approx(row["relative_l2"] ** 2, rel=1e-12)
    assert row["relative_max"] == pytest.approx(abs(error).max() / abs(u).max(), rel=1e-9)
    assert row["absolute_rms"] == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-9)
    laplacian = solution.jet(points, "u_xx") + solution.jet(points, "u_yy")
    residual = -laplacian - (4 + 8 * 0.5 * points[:, 0])
    assert row["residual_rms"] == pytest.approx(np.sqrt(np.mean(residual**2)), rel=1e-9)
    assert row["boundary_max"] < 1e-12
    assert row["zero_network_l2"] == pytest.approx(1.0, rel=1e-12)
    assert row["relative_l2"] < 0.1
    assert (row["steps"], row["stop_reason"]) == (4, "max_steps")
    assert row["file_bytes"] == (run / "adapters" / "lambda=0.5.h5").stat().st_size
    assert row["train_seconds"] > 0


def test_the_evaluation_seed_moves_the_points_and_nothing_else(done, run):
    first, again, other = (
        rows_of(done("evaluate", run, "--eval-seed", seed, "--json"))[0.0, "base"] for seed in (3, 3, 4)
    )
    assert first == again
    assert other["relative_l2"] != first["relative_l2"]
    assert other["relative_l2"] == pytest.approx(first["relative_l2"], rel=0.05)


def test_precision_rounds_the_coefficients(done, run):
    double, single = (
        rows_of(done("evaluate", run, "--dtype", name, "--json"))[0.5, "lotra"]["relative_l2"]
        for name in ("float64", "float32")
    )
    assert single != double
    assert single == pytest.approx(double, rel=1e-3)


def test_points_of_a_file(done, pinnkan, run, folder):
    points = np.array([[0.0, 0.0], [0.3, -0.4], [-0.6, 0.5]])
    (folder / "p.csv").write_text("x,y\n" + "".join(f"{x!r},{y!r}\n" for x, y in points.tolist()))
    row = rows_of(done("evaluate", run, "--lambda", 0.5, "--points", folder / "p.csv", "--json"))[
        0.5, "lotra"
    ]
    u, psi = exact(points, 0.5), python_way.load(run).at(0.5)(points)
    assert row["relative_l2"] == pytest.approx(np.linalg.norm(psi - u) / np.linalg.norm(u), rel=1e-12)
    (folder / "p.csv").write_text("x,y\n0,0\n1,1\n")
    answer = pinnkan("evaluate", run, "--points", folder / "p.csv")
    assert (answer.code, answer.err) == (
        2,
        f"error: points {folder / 'p.csv'}:3: the point x=1, y=1 is outside the domain\n",
    )


def test_only_results_of_a_method_or_a_tag(done, pinnkan, run):
    done("finetune", run, "--lambda", 0.5, "--method", "full", "--tag", "other", "-q")
    done("finetune", run, "--lambda", 0.7, "--tag", "other", "-q")

    def found(*options):
        rows = done("evaluate", run, "--json", *options).json["results"]
        return [(row["parameters"]["lambda"], row["method"], row["tag"]) for row in rows]

    full, other = (0.5, "full", "other"), (0.7, "lotra", "other")
    assert found() == [(0, "base", None), full, (0.5, "lotra", None), other]
    assert found("--method", "full") == [full]
    assert found("--tag", "other") == [full, other]
    assert found("--tag", "other", "--method", "lotra") == [other]
    assert found("--lambda", 0.5, "--method", "lotra") == [(0.5, "lotra", None)]
    answer = pinnkan("evaluate", run, "--method", "scratch", "--tag", "other")
    assert (
        answer.code,
        "there is no result of scratch, tag other; 'pinnkan status' lists all" in answer.err,
    ) == (
        2,
        True,
    )


def test_what_is_not_asked_for_may_be_missing_or_damaged_what_is_may_not(done, pinnkan, run):
    done("finetune", run, "--lambda", 0.7, "--method", "full", "-q")
    answer = pinnkan("evaluate", run, "--lambda", "0.5,0.7", "--method", "full", "--fail-above", 1e9)
    assert answer.code == 2
    assert (
        f"{run} has no full adapter for lambda=0.5 (there: lambda=0.5, lambda=0.7.full); train it with "
        in (answer.err)
    )
    assert f"'pinnkan finetune {run} --param lambda=0.5 --method full'" in answer.err
    (run / "adapters" / "lambda=0.5.h5").write_bytes(b"damaged")
    assert pinnkan("evaluate", run, "--method", "full").code == 0
    assert pinnkan("evaluate", run).code == 3


def test_values_in_the_file_of_points_are_the_reference_there(done, pinnkan, run, folder):
    points = np.array([[0.0, 0.0], [0.3, -0.4], [-0.6, 0.5]])
    measured = np.array([1.0, 0.5, -0.25])
    rows = np.column_stack([points, measured]).tolist()
    (folder / "p.csv").write_text("x,y,u\n" + "".join(f"{x!r},{y!r},{u!r}\n" for x, y, u in rows))
    answer = done("evaluate", run, "--lambda", 0.5, "--points", folder / "p.csv", "--json")
    row = rows_of(answer)[0.5, "lotra"]
    psi = python_way.load(run).at(0.5)(points)
    error = np.linalg.norm(psi - measured)
    assert row["relative_l2"] == pytest.approx(error / np.linalg.norm(measured), rel=1e-12)
    assert row["absolute_rms"] == pytest.approx(error / np.sqrt(3), rel=1e-12)
    (folder / "p.csv").write_text("x,y,v\n0,0,1\n")
    answer = pinnkan("evaluate", run, "--points", folder / "p.csv")
    assert answer.code == 2
    assert "unknown column 'v', expected the header x,y, with u or without" in answer.err


def test_without_a_reference_errors_are_null_and_the_residual_decides(done, pinnkan, folder):
    (row,) = done("evaluate", folder / "heat", "--json").json["results"]
    unknown = ("relative_l2", "relative_l2_squared", "relative_max", "absolute_rms", "zero_network_l2")
    assert {row[name] for name in unknown} == {None}
    assert row["residual_rms"] > 0
    answer = pinnkan("evaluate", folder / "heat", "--fail-above", row["residual_rms"] / 2)
    assert answer.code == 5
    assert "residual_rms" in answer.err


def test_reference_data_are_found_from_any_folder(done, folder, monkeypatch):
    text = (folder / "heat.yaml").read_text().replace("kappa: 0.1, c: 1", "kappa: 0.1")
    text = text.replace("c*x*(2 - x)", "x*(2 - x)") + "reference: data.csv\n"
    (folder / "known.yaml").write_text(text)
    t, x = (axis.ravel() for axis in np.meshgrid(np.linspace(0, 1, 5), np.linspace(0, 2, 5)))
    (folder / "data.csv").write_text(
        "t,x,v\n"
        + "".join(f"{a!r},{b!r},{b * (2 - b)!r}\n" for a, b in zip(t.tolist(), x.tolist(), strict=True))
    )
    monkeypatch.chdir(folder)
    done("pretrain", "known.yaml", "-q")
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    (row,) = done("evaluate", folder / "runs" / "known", "--json").json["results"]
    v = python_way.load(folder / "runs" / "known").at()
    points = v._solution.instance.domain.uniform(20_000, 0)
    reference = points[:, 1] * (2 - points[:, 1])
    expected = np.linalg.norm(v(points) - reference) / np.linalg.norm(reference)
    assert row["relative_l2"] == pytest.approx(expected, rel=1e-9)
    parsed.cache_clear()
    (folder / "data.csv").unlink()
    run = folder / "runs" / "known"
    (row,) = done("evaluate", run, "--json").json["results"]
    assert (row["relative_l2"], row["residual_rms"] > 0) == (None, True)
    done("export", run, "--grid", "3x3", "-o", "v.h5")
    done("plot", run, "--time", 0.5, "-o", "v.png")
    done("show", run)
    assert not python_way.load(run).at()._solution.instance.has_exact


def test_fail_above(done, pinnkan, run):
    error = rows_of(done("evaluate", run, "--json"))[0.5, "lotra"]["relative_l2"]
    done("evaluate", run, "--lambda", 0.5, "--fail-above", 1.01 * error)
    answer = pinnkan("evaluate", run, "--lambda", 0.5, "--fail-above", 0.99 * error)
    assert answer.code == 5
    assert "lambda=0.5 (lotra): relative_l2" in answer.err
    assert "is above" in answer.err


def test_a_value_without_an_adapter(pinnkan, run):
    answer = pinnkan("evaluate", run, "--lambda", 0.25)
    assert answer.code == 2
    assert f"{run} has no adapter for lambda=0.25 (there: lambda=0.5); train it with 'pinnkan" in answer.err
    assert f"finetune {run} --param lambda=0.25'" in answer.err


def test_a_value_takes_its_tagged_results_along_but_not_its_neighbours(done, run):
    done("finetune", run, "--lambda", "0.55,0.5", "--tag", "t", "-q")
    rows = done("evaluate", run, "--lambda", 0.5, "--json").json["results"]
    assert [(row["parameters"], row["tag"]) for row in rows] == [
        ({"lambda": 0.5}, None),
        ({"lambda": 0.5}, "t"),
    ]


@pytest.mark.parametrize("name", ["base.h5", "adapters/lambda=0.5.h5"])
@pytest.mark.parametrize("keep", [0, 100, 1000, -1])
def test_a_truncated_file_is_named(pinnkan, run, name, keep):
    path = run / name
    path.write_bytes(path.read_bytes()[:keep])
    answer = pinnkan("evaluate", run)
    assert answer.code == 3
    assert answer.err.startswith(f"error: {path}: ")
    assert answer.err.count("\n") == 1


def test_a_damaged_adapter_costs_its_own_row_alone(pinnkan, run):
    """Rows of all others come out first; then the file is named, and the exit code is 3."""
    (run / "adapters" / "lambda=9.h5").write_bytes(b"no HDF5")
    answer = pinnkan("evaluate", run, "--json")
    assert answer.code == 3
    rows = json.loads(answer.out)["results"]
    assert [row["parameters"]["lambda"] for row in rows] == [0.0, 0.5]
    assert answer.err.startswith(f"error: {run / 'adapters' / 'lambda=9.h5'}: ")


def test_an_adapter_of_another_base(pinnkan, done, run, folder):
    other = folder / "other"
    done("pretrain", folder / "tiny.yaml", "-o", other, "--seed", 5, "-q")
    (other / "adapters").mkdir()
    (run / "adapters" / "lambda=0.5.h5").rename(other / "adapters" / "lambda=0.5.h5")
    for command in ("evaluate", "plot", "export"):
        rest = {"plot": ["-o", folder / "a.png"], "export": ["-o", folder / "a.csv", "--grid", "3x3"]}
        answer = pinnkan(command, other, "--lambda", 0.5, *rest.get(command, []))
        assert answer.code == 3
        assert f"lambda=0.5.h5: was trained for another base than {other / 'base.h5'}" in answer.err

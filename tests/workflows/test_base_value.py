"""At the base's own value the base answers, whoever asks, unless an adapter was trained there."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

import pinnkan as package
from pinnkan.ground.errors import UsageError

POINTS = np.array([[0.0, 0.0], [0.3, -0.4], [-0.5, 0.5]])
ASKED = ("0", "-0.0", "0e5", "0/7")


def exported(done, run, folder, *options):
    out = folder / "u.csv"
    done("export", run, *options, "--grid", "9x9", "-o", out, "-q")
    return out.read_bytes()


@pytest.mark.parametrize("asked", ASKED)
def test_export_of_the_base_value_is_that_of_the_base(done, run, tmp_path, asked):
    assert exported(done, run, tmp_path, "--lambda", asked) == exported(done, run, tmp_path)


@pytest.mark.parametrize("field", ["solution", "history"])
def test_plot_draws_the_base(done, run, tmp_path, field):
    for name, options in (("value", ["--lambda", "0"]), ("base", [])):
        done("plot", run, *options, "--field", field, "--dpi", 20, "-o", tmp_path / f"{name}.png", "-q")
    assert (tmp_path / "value.png").read_bytes() == (tmp_path / "base.png").read_bytes()


def test_evaluate_measures_the_base(done, run):
    base = done("evaluate", run, "--json").json["results"][0]
    assert done("evaluate", run, "--lambda", "0", "--json").json["results"] == [base]
    rows = done("evaluate", run, "--lambda", "0.5,0", "--json").json["results"]
    assert [(row["parameters"], row["method"]) for row in rows] == [
        ({"lambda": 0.5}, "lotra"),
        ({"lambda": 0.0}, "base"),
    ]


def test_python_gives_the_base(run):
    family = package.load(run)
    assert family.at(0).method == family.at({}).method == "base"
    assert np.array_equal(family.at(0.0)(POINTS), family.at()(POINTS))


def test_of_several_parameters_all_must_be_those_of_the_base(pinnkan, done, folder):
    heat = folder / "heat"
    assert exported(done, heat, folder, "--param", "kappa=0.1") == exported(done, heat, folder)
    assert package.load(heat).at({"c": 1}).method == "base"
    answer = pinnkan("export", heat, "--param", "c=2", "--grid", "5x5", "-o", folder / "u.csv")
    assert (answer.code, "has no lotra adapter for kappa=0.1,c=2" in answer.err) == (2, True)


@pytest.mark.parametrize("options", [["--method", "full"], ["--tag", "long"]])
def test_another_method_or_a_tag_is_none_of_the_base(pinnkan, run, tmp_path, options):
    for command in (["export", run, "--grid", "5x5", "-o", tmp_path / "u.csv"], ["evaluate", run]):
        answer = pinnkan(*command, "--lambda", "0", *options)
        assert (answer.code, "train it with 'pinnkan finetune" in answer.err) == (2, True), answer.err
    with pytest.raises(UsageError, match="no full adapter for lambda=0"):
        package.load(run).at(0, method="full")


def test_an_adapter_that_was_trained_there_goes_first(done, run, tmp_path):
    of_base = exported(done, run, tmp_path)
    done("finetune", run, "--lambda", "0", "-q")
    assert exported(done, run, tmp_path, "--lambda", "0") != of_base
    assert exported(done, run, tmp_path) == of_base
    assert package.load(run).at(0).method == "lotra"
    assert [row["method"] for row in done("evaluate", run, "--lambda", "0", "--json").json["results"]] == [
        "lotra"
    ]


# --- the reduced basis -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reduced(done, tmp_path_factory):
    """A reduced basis over a range without the base's own value."""
    from tiny_family import TINY

    folder = tmp_path_factory.mktemp("reduced")
    text = TINY.replace("{steps: 4, points: 80}", "{steps: 8, points: 150}")
    (folder / "tiny.yaml").write_text(text)
    done("pretrain", folder / "tiny.yaml", "-o", folder / "tiny", "-q")
    done("family", folder / "tiny", "--lambda", "0.5:1", "--tolerance", "0.5", "--max-adapters", "2", "-q")
    return folder / "tiny"


def test_solve_answers_with_the_base(done, reduced, tmp_path):
    answer = done("solve", reduced, "--lambda", "0.75,0", "--check", "--json", "-q").json["results"]
    assert [row["method"] for row in answer] == ["reduced basis", "base"]
    assert (answer[0]["inside"], answer[1]["inside"], answer[1]["coefficients"]) == (True, False, None)
    base = done("evaluate", reduced, "--json").json["results"][0]
    assert answer[1]["relative_l2"] == pytest.approx(base["relative_l2"], rel=0.1)
    assert 0.05 < answer[1]["effectivity"] < 50
    done("solve", reduced, "--lambda", "0", "--grid", "9x9", "-o", tmp_path / "solved.csv", "-q")
    solved, stored = (
        np.genfromtxt(text.splitlines(), delimiter=",", skip_header=1)
        for text in ((tmp_path / "solved.csv").read_text(), exported(done, reduced, tmp_path).decode())
    )
    np.testing.assert_allclose(solved, stored, rtol=1e-12, atol=1e-14)


def test_among_many_values_the_base_answers_at_its_own(done, reduced, tmp_path):
    done("solve", reduced, "--lambda", "0,0.5,1", "--grid", "5x5", "-o", tmp_path / "u.npz", "-q")
    basis = package.ReducedBasis.load(reduced)
    with np.load(tmp_path / "u.npz") as found:
        for at, value in enumerate((0.0, 0.5, 1.0)):
            alone = basis.solve(value)([[0.0, 0.0], [0.5, 0.5]])
            assert found["u"][at][[2, 3], [2, 3]] == pytest.approx(alone, rel=1e-12)
    assert np.array_equal(basis.solve(0)(POINTS), package.load(reduced).at()(POINTS))
    assert basis.solve(0).is_trusted


def test_an_adapter_of_the_base_value_in_the_basis_goes_first(done, reduced, tmp_path):
    shutil.copytree(reduced, tmp_path / "tiny")
    done("family", tmp_path / "tiny", "--lambda", "0:1", "--tolerance", "0.5", "--max-adapters", "2", "-q")
    rows = done("solve", tmp_path / "tiny", "--lambda", "0", "--json").json["results"]
    assert [row["method"] for row in rows] == ["reduced basis"]

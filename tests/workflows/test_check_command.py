"""check: what is echoed, counted and found, without training."""

from __future__ import annotations

import pytest
import sympy
from tiny_family import TINY


def test_statements_points_and_sizes(done, folder):
    report = done("check", folder / "tiny.yaml", "--json").json
    (equation,), (condition,) = report["equations"], report["conditions"]
    names = ("u_xx", "u_yy", "lamda", "x")
    u_xx, u_yy, parameter, x = sympy.symbols(names, real=True)
    residual = sympy.sympify(
        equation["residual"], locals=dict(zip(names, (u_xx, u_yy, parameter, x), strict=True))
    )
    assert sympy.expand(residual - (-u_xx - u_yy - 4 - 8 * parameter * x)) == 0
    assert equation["exact_residual"] < 1e-12
    assert (condition["name"], condition["residual"], condition["hard"]) == ("boundary[0]", "u", True)
    assert report["trainable_parameters"] == 112
    assert report["adapter_parameters"] == 80
    assert report["points"]["interior"] == pytest.approx(60, rel=0.2)
    assert report["findings"] == []


@pytest.mark.parametrize(
    ("override", "base", "adapter"),
    [
        ("network.kind=slim", 48 + 1 + 4 + 4 + 4, 80),
        ("adapter.layers=all", 112, (1 * 2 * 2 + 2 + 8 + 8) + (8 + 24) + (2 * 1 * 2 + 8 + 1 + 8)),
        ("network.kind=mlp", 3 * 4 + 5 * 4 + 5, None),
    ],
)
def test_sizes_follow_the_settings(done, folder, override, base, adapter):
    answer = done("check", folder / "tiny.yaml", "--set", override, "--json")
    assert (answer.json["trainable_parameters"], answer.json["adapter_parameters"]) == (base, adapter)
    assert ("a Tucker form needs a KAN layer" in answer.err) == (adapter is None)


@pytest.mark.parametrize(
    "sets",
    [
        ["network.kind=kan"],
        ["network.kind=slim"],
        ["network.kind=mlp"],
        ["training.phases=[{form: slim, steps: 1}, {form: lotra, steps: 1}]"],
        ["training.phases=[{form: lotra, steps: 1}, {form: lotra, steps: 1}]"],
        ["training.phases=[{form: lotra, steps: 1}, {form: full, steps: 1}]"],
        ["training.phases=[{form: lotra, compression: 1, steps: 1}]"],
    ],
)
def test_the_counted_parameters_are_the_trained_ones(done, folder, sets):
    given = [word for text in [*sets, "training.steps=1"] for word in ("--set", text)]
    counted = done("check", folder / "tiny.yaml", *given, "--json").json["trainable_parameters"]
    row = done("pretrain", folder / "tiny.yaml", "-o", folder / "counted", *given, "--json", "-q").json
    assert row["trainable_parameters"] == counted


def test_a_file_that_contradicts_itself_is_exit_5(pinnkan, folder):
    (folder / "wrong.yaml").write_text(TINY.replace("4 + 8", "4 + 9"))
    answer = pinnkan("check", folder / "wrong.yaml")
    assert answer.code == 5
    assert "error: equation[0]: the exact solution leaves a residual of" in answer.err
    assert answer.err.strip().endswith("at lambda=1")


def test_the_points_are_drawn(done, pinnkan, folder):
    done("check", folder / "tiny.yaml", "--plot", folder / "points.png")
    assert (folder / "points.png").read_bytes().startswith(b"\x89PNG")
    answer = pinnkan("check", folder / "tiny.yaml", "--plot", folder / "points.txt")
    assert answer.code == 2
    assert "unknown suffix '.txt'" in answer.err


def test_nothing_is_written(done, folder):
    before = sorted(folder.rglob("*"))
    done("check", folder / "tiny.yaml")
    assert sorted(folder.rglob("*")) == before

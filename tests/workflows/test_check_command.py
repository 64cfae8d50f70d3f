"""check: what is echoed, counted and found, without training."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from tiny_family import HEAT, TINY

from pinnkan.language.problem import load_problem
from pinnkan.physics.family import Family
from pinnkan.physics.residuals.training_sets import training_sets
from pinnkan.training.phases import HELD_OUT, phase_variant


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


def test_what_the_file_leaves_out_is_printed_as_chosen(done, tmp_path):
    path = tmp_path / "short.yaml"
    path.write_text(
        "coordinates: [x, y]\ndomain: {shape: disk, radius: 1}\nunknowns: u\n"
        'equations: ["laplace(u) = 1"]\nboundary: ["u = 0"]\n'
    )
    report = done("check", path, "--json").json
    assert report["trainable_parameters"] == 1440
    assert report["chosen"] == {
        "network.hidden": [12, 12],
        "points.interior": 2520,
        "points.rule": "quadrature",
        "training": "lm, 150 steps at most",
        "adapter.compression": 0.75,
        "finetuning": "lm, 150 steps at most",
    }
    stated = ["--set", "network.hidden=[64, 64]", "--set", "finetuning.steps=9"]
    report = done("check", path, *stated, "--json").json
    assert report["chosen"] == {
        "points.interior": 4606,
        "points.rule": "quadrature",
        "training": "lm (slim), 150 steps at most; lm (lotra), 50 steps at most",
        "adapter.compression": 0.125,
    }
    assert "network.hidden       12, 12\n" in done("check", path).out


def test_a_scale_that_the_terms_miss_is_said_to_be_solved(done, tmp_path):
    path = tmp_path / "warm.yaml"
    path.write_text(
        "coordinates: [x, y]\ndomain: {shape: box, x: [0, 1], y: [0, 1]}\nunknowns: u\n"
        'equations: ["-laplace(u) = 1"]\nboundary: ["dn(u) + u/1e3 = 0"]\n'
    )
    report = done("check", path, "--json").json
    assert report["scales"] == {"u": 256}
    said = "size of a least-squares solution in polynomials; the terms balance at 0.12"
    assert report["solved_scales"] == {"u": said}
    stated = done("check", path, "--set", "scales={u: 250}", "--json").json
    assert stated["scales"] == {"u": 250}
    assert "solved_scales" not in stated


def test_nothing_is_chosen_in_a_file_that_states_all(done, folder):
    stated = ["--set", "points.rule=quadrature"]
    assert done("check", folder / "tiny.yaml", *stated, "--json").json["chosen"] == {}


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


NEUMANN = """\
coordinates: [x, y]
domain: {shape: box, x: [0, 1], y: [0, 1]}
unknowns: u
family: {a: {base: 0, range: [0, 2]}}
equations: ["-laplace(u) = a"]
boundary: ["dn(u) = 0"]
network: {hidden: [3], functions: 4}
points: {interior: 40, held_out: 20, boundary: 8}
training: {steps: 1}
finetuning: {steps: 1}
"""


def test_what_has_no_solution_is_refused_before_it_is_trained(pinnkan, folder):
    path = folder / "neumann.yaml"
    path.write_text(NEUMANN.replace("base: 0", "base: 1"))
    wanted = f"{path}:5:13: error: equation[0]: no solution: where only derivatives of u are prescribed"
    checked = pinnkan("check", path, "--json")
    trained = pinnkan("pretrain", path, "-o", folder / "run")
    for answer in (checked, trained):
        assert answer.code == 2
        assert wanted in answer.err
    severities = [(finding["severity"], finding["place"]) for finding in checked.json["findings"]]
    assert severities == [("refusal", f"{path}:5:13"), ("warning", None)]
    assert not (folder / "run" / "base.h5").exists()


def test_a_value_without_a_solution_is_refused_when_it_is_trained(done, pinnkan, folder):
    (folder / "neumann.yaml").write_text(NEUMANN)
    checked = pinnkan("check", folder / "neumann.yaml")
    assert checked.code == 5
    assert "error: at a=2: equation[0]: no solution" in checked.err
    assert "warning: nothing fixes the constant" in checked.err
    done("pretrain", folder / "neumann.yaml", "-o", folder / "run")
    answer = pinnkan("finetune", folder / "run", "--param", "a=1")
    assert answer.code == 2
    assert "equation[0]: no solution" in answer.err


def test_the_points_are_drawn(done, pinnkan, folder):
    done("check", folder / "tiny.yaml", "--plot", folder / "points.png")
    assert (folder / "points.png").read_bytes().startswith(b"\x89PNG")
    answer = pinnkan("check", folder / "tiny.yaml", "--plot", folder / "points.txt")
    assert answer.code == 2
    assert "unknown suffix '.txt'" in answer.err


@pytest.fixture
def drawn(monkeypatch):
    """The point sets that a picture was drawn of."""
    kept = {}
    monkeypatch.setattr(
        "pinnkan.output.pictures.collocation.plot_collocation", lambda path, sets, **_: kept.update(sets)
    )
    return kept


def test_the_points_are_those_of_the_phases(done, folder, drawn):
    text = "training.phases=[{points: 30, steps: 1}, {points: 90, steps: 1}, {steps: 1}]"
    options = ("--set", text, "--set", "points.rule=sobol", "--seed", 3, "--plot", "a.png")
    counted = done("check", folder / "tiny.yaml", *options, "--json").json["points"]
    phases = {"interior, phase 1": 30, "interior, phase 2": 90, "interior, phase 3": 60}
    assert counted == {**phases, "held_out": 40}
    instance = Family(load_problem(folder / "tiny.yaml", overrides=["points.rule=sobol"])).at()

    def trained(variant, count):
        (one,) = training_sets(
            instance, instance.problem.settings.points, seed=3, variant=variant, interior=count
        )
        return np.sort(one.points.numpy(), axis=0)

    for at, (name, count) in enumerate(phases.items()):
        assert np.array_equal(np.sort(drawn[name], axis=0), trained(phase_variant(at), count))
    assert np.array_equal(np.sort(drawn["held out"], axis=0), trained(HELD_OUT, 40))
    same = "training.phases=[{points: 60, steps: 1}, {steps: 1}]"
    assert list(done("check", folder / "tiny.yaml", "--set", same, "--json").json["points"]) == [
        "interior",
        "held_out",
    ]


def test_soft_conditions_have_points_of_their_own(done, folder):
    text = HEAT.replace('["v = 0"]', "[{equation: v = 0, hard: false, name: ends}]")
    (folder / "soft.yaml").write_text(text.replace("interior: 40", "interior: 40, boundary: 20"))
    report = done("check", folder / "soft.yaml", "--json").json
    assert report["points"] == {"interior": 40, "held_out": 30, "ends": 20}
    assert [one["hard"] for one in report["conditions"]] == [False, True]


def test_a_function_given_by_samples_has_its_rows_drawn(done, tmp_path, drawn):
    rows = np.random.default_rng(2).uniform(-1, 1, (20, 2))
    table = np.column_stack([rows, rows[:, 0]])
    np.savetxt(tmp_path / "data.csv", table, delimiter=",", header="a,b,f", comments="", fmt="%.17g")
    (tmp_path / "task.yaml").write_text(
        "coordinates: [a, b]\ndomain: {shape: box, a: [-1, 1], b: [-1, 1]}\nunknowns: f\n"
        "samples: {file: data.csv, validation: 1/4}\n"
    )
    answer = done("check", tmp_path / "task.yaml", "--plot", tmp_path / "a.png", "--json")
    assert answer.json["points"] == {"interior": 15, "held_out": 5}
    shown = np.concatenate([drawn["interior"], drawn["held out"]])
    assert np.array_equal(np.sort(shown, axis=0), np.sort(rows, axis=0))


def test_nothing_is_written(done, folder):
    before = sorted(folder.rglob("*"))
    done("check", folder / "tiny.yaml")
    assert sorted(folder.rglob("*")) == before


NARROW = """\
coordinates: [x]
domain: {shape: interval, x: [0, 3]}
unknowns: u
family: {a: {base: 2, range: [1, 3]}}
equations: ["-u_xx = tanh((x - 1.5)*a)"]
boundary: ["u = 0"]
network: {hidden: [3], functions: 4}
points: {interior: 60, held_out: 40}
training: {steps: 2}
finetuning: {steps: 2, points: 70}
"""


def test_data_narrower_than_the_points_are_said_at_the_value_that_has_them(pinnkan, done, tmp_path):
    (tmp_path / "narrow.yaml").write_text(NARROW)
    told = "equation[0]: what is given changes (tanh) by half within "
    assert "warning" not in done("check", tmp_path / "narrow.yaml").err
    at_values = done("check", tmp_path / "narrow.yaml", "--lambda", "2.5,100000")
    assert f"warning: at a=100000: {told}" in at_values.err
    assert "raise finetuning.points (now 70)" in at_values.err
    assert "a=2.5" not in at_values.err
    base = pinnkan("pretrain", tmp_path / "narrow.yaml", "-o", tmp_path / "run")
    assert "warning" not in base.err
    several = pinnkan("finetune", tmp_path / "run", "--lambda", "2.5,100000")
    assert f"a=100000: warning: {told}" in several.err
    assert several.err.count(told) == 1


def test_check_and_training_say_which_key_changes_nothing(done, tmp_path):
    words = "--set", "training.optimizer=adam", "--set", "training.damping=1e-2", "--set", "training.steps=1"
    found = done("check", "poisson_square", *words, "--json").json["findings"]
    assert [(entry["severity"], entry["message"].split(":")[0]) for entry in found] == [
        ("warning", "training.damping changes nothing")
    ]
    trained = done(
        "pretrain", "poisson_square", *words, "--set", "network.hidden=[4]", "-o", tmp_path / "run"
    )
    assert "warning: training.damping changes nothing: no phase of training is of lm" in trained.err

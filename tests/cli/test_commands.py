"""What the commands hand to the workflows, and what they make of the answers."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from pinnkan.ground.errors import DivergedError, PinnkanError
from pinnkan.ground.machine import Compute
from pinnkan.storage.runs.paths import ResultName
from pinnkan.sweeps.options import SweepOptions, TrainingOptions
from pinnkan.workflows.requests import Places, View

ROW = {
    "parameters": {"lambda": 0.1},
    "method": "lotra",
    "tag": None,
    "relative_l2": 2.5e-4,
    "relative_l2_squared": 6.25e-8,
    "relative_max": 1e-3,
    "absolute_rms": 1e-4,
    "boundary_max": 0.0,
    "residual_rms": 2e-3,
    "zero_network_l2": 1.0,
    "trainable_parameters": 2632,
    "file_bytes": 24001,
    "train_seconds": 3.14159,
    "steps": 12,
    "stop_reason": "converged",
    "error_estimate": 3e-4,
    "relative_residual": {"boundary[0]": 0.0, "equation[0]": 2e-2},
    "verdict": "doubtful",
    "reasons": ["too little", "too late"],
}


def table_of(*rows):
    report = {"problem": "heat", "parameters": ["lambda"], "results": list(rows)}
    return lambda *args, **options: SimpleNamespace(to_json=lambda: report, refused=())


def test_pretrain_hands_on_every_option(pinnkan_command, workflow, problem, result):
    calls = workflow("pretrain", lambda *args: result({"lambda": 0.0}, method="base"))
    answer = pinnkan_command(
        *("pretrain", "heat", "-o", "out", "--set", "training.steps=2", "--seed", 3, "--device", "cuda:1"),
        *("--dtype", "float32", "--threads", 2, "--time-limit", 1.5, "--force"),
    )
    assert answer.code == 0, answer.err
    (call,) = calls
    family, directory, options, _ = call.args
    assert family.problem.overrides == ("training.steps=2",)
    assert (directory, options) == (
        Path("out"),
        TrainingOptions(3, True, 1.5, Compute("cuda:1", "float32", 2)),
    )


def test_pretrain_defaults(pinnkan_command, workflow, problem, result):
    calls = workflow("pretrain", lambda *args: result({"lambda": 0.0}, method="base"))
    assert pinnkan_command("pretrain", "heat").code == 0
    (call,) = calls
    assert call.args[1:3] == (
        Path("runs/heat"),
        TrainingOptions(None, False, None, Compute("cpu", None, None)),
    )


def test_pretrain_that_finds_a_finished_base_says_so(pinnkan_command, workflow, problem, result):
    found = result({"lambda": 0.0}, method="base", status="present", path=Path("runs/heat/base.h5"))
    workflow("pretrain", lambda *args, **options: found)
    answer = pinnkan_command("pretrain", "heat")
    assert answer.code == 0
    assert answer.err == (
        "runs/heat/base.h5 is finished for this problem and these settings; --force trains it again\n"
    )


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["-1"], [-1.0]),
        (["-1,-0.5"], [-1.0, -0.5]),
        (["-1:1:3", "2"], [-1.0, 0.0, 1.0, 2.0]),
        (["0:1:11"], [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]),
    ],
)
def test_finetune_expands_and_echoes_values(
    pinnkan_command, workflow, problem, result, run_directory, texts, values
):
    calls = workflow("finetune", lambda options, points, _: [result(point) for point in points])
    answer = pinnkan_command(
        "finetune", run_directory, *(word for text in texts for word in ("--lambda", text))
    )
    assert answer.code == 0, answer.err
    options, points, _ = calls[0].args
    assert (options.directory, points) == (run_directory, [{"lambda": value} for value in values])
    plural = "" if len(values) == 1 else "s"
    echo = "  ".join(f"lambda={value:g}" for value in values)
    assert answer.err == f"{len(values)} value{plural}: {echo}\n"


def test_finetune_hands_on_method_tag_and_overrides(
    pinnkan_command, workflow, problem, result, run_directory
):
    calls = workflow("finetune", lambda options, points, _: [result(point) for point in points])
    pinnkan_command(
        *("finetune", run_directory, "--param", "lambda=1", "--method", "full", "--tag", "long"),
        *("--set", "finetuning.steps=9"),
    )
    (call,) = calls
    assert call.args[0] == SweepOptions(run_directory, "full", "long", ("finetuning.steps=9",))
    assert call.args[0].training.compute.dtype is None


def test_one_failed_value_of_several_is_exit_1(pinnkan_command, workflow, problem, result, run_directory):
    def some(options, points, observer):
        bad = result(points[1], status="failed", path=None, report={}, fault=DivergedError("loss is inf"))
        return [result(points[0]), bad]

    workflow("finetune", some)
    answer = pinnkan_command("finetune", run_directory, "--lambda", "0,1", "--json", "-q")
    assert answer.code == 1
    assert answer.err == "error: lambda=1: loss is inf\n"
    assert [(row["status"], row["error"]) for row in answer.json["results"]] == [
        ("trained", None),
        ("failed", "loss is inf"),
    ]


@pytest.mark.parametrize(("fault", "code"), [(DivergedError("loss is inf"), 4), (PinnkanError("no"), 2)])
def test_the_one_value_that_failed_decides_the_code(
    pinnkan_command, workflow, problem, result, run_directory, fault, code
):
    failed = result({"lambda": 1.0}, status="failed", path=None, report={}, fault=fault)
    workflow("finetune", lambda *args, **options: [failed])
    answer = pinnkan_command("finetune", run_directory, "--lambda", "1", "-q")
    assert (answer.code, answer.err) == (code, f"error: {fault}\n")
    assert "failed" in answer.out


def test_evaluate_prints_one_json_object_and_nothing_else(pinnkan_command, workflow, problem, run_directory):
    calls = workflow("evaluate", table_of(ROW, {**ROW, "relative_l2": float("nan")}))
    answer = pinnkan_command("evaluate", run_directory, "--json", "--eval-seed", 5, "--points", "p.csv")
    assert (answer.code, answer.err) == (0, "")
    assert answer.json["results"][0] == ROW
    assert answer.json["results"][1]["relative_l2"] is None
    (call,) = calls
    assert (call.values, call.points, call.eval_seed) == (None, Path("p.csv"), 5)


def test_evaluate_table(pinnkan_command, workflow, problem, run_directory):
    workflow("evaluate", table_of(ROW, {**ROW, "parameters": {"lambda": 1.0}, "steps": None}))
    assert pinnkan_command("evaluate", run_directory).out == (
        "                    relative  relative  boundary  residual  zero network\n"
        "parameters  method        l2       max       max       rms            l2\n"
        "----------  ------  --------  --------  --------  --------  ------------\n"
        "lambda=0.1  lotra   2.50e-04  1.00e-03  0.00e+00  2.00e-03      1.00e+00\n"
        "lambda=1    lotra   2.50e-04  1.00e-03  0.00e+00  2.00e-03      1.00e+00\n"
        "\n"
        "                     trainable   file    train         stop\n"
        "parameters  method  parameters  bytes  seconds  steps  reason\n"
        "----------  ------  ----------  -----  -------  -----  ---------\n"
        "lambda=0.1  lotra         2632  24001      3.1     12  converged\n"
        "lambda=1    lotra         2632  24001      3.1      -  converged\n"
        "\n"
        "                       error  relative\n"
        "parameters  method  estimate  residual              verdict\n"
        "----------  ------  --------  --------------------  --------\n"
        "lambda=0.1  lotra   3.00e-04  2.00e-02 equation[0]  doubtful\n"
        "lambda=1    lotra   3.00e-04  2.00e-02 equation[0]  doubtful\n"
        "\n"
        "lambda=0.1 (lotra): doubtful: too little; too late\n"
        "lambda=1 (lotra): doubtful: too little; too late\n"
    )


def test_a_zero_reference_shows_the_absolute_error(pinnkan_command, workflow, problem, run_directory):
    workflow("evaluate", table_of({**ROW, "relative_l2": None, "relative_max": None}))
    out = pinnkan_command("evaluate", run_directory).out
    assert "absolute" in out
    assert "lambda=0.1  lotra          -         -  1.00e-04" in out


@pytest.mark.parametrize(
    ("changes", "limit", "code", "message"),
    [
        ({}, "2.5e-4", 0, ""),
        ({}, "1e-4", 5, "error: lambda=0.1 (lotra): relative_l2 2.50e-04 is above 0.0001\n"),
        ({"relative_l2": None}, "2e-3", 0, ""),
        (
            {"relative_l2": None},
            "1e-3",
            5,
            "error: lambda=0.1 (lotra): residual_rms 2.00e-03 is above 0.001\n",
        ),
        (
            {"relative_l2": None, "residual_rms": None},
            "1",
            5,
            "error: lambda=0.1 (lotra): residual_rms is unknown, so not below 1\n",
        ),
    ],
)
def test_fail_above(pinnkan_command, workflow, problem, run_directory, changes, limit, code, message):
    workflow("evaluate", table_of({**ROW, **changes}))
    answer = pinnkan_command("evaluate", run_directory, "--fail-above", limit)
    assert (answer.code, answer.err) == (code, message)
    assert "lambda=0.1" in answer.out


def test_plot_hands_on_what_to_draw(pinnkan_command, workflow, problem, run_directory):
    calls = workflow("plot", lambda *args, **options: options["output"])
    answer = pinnkan_command(
        *("plot", run_directory, "--lambda", "-0.5", "--method", "scratch", "--tag", "t", "--field", "error"),
        *("--time", "0.5", "--slice", "x=0", "--slice", "y=-1", "--dpi", "90", "-o", "e.pdf"),
    )
    assert (answer.code, answer.out, answer.err) == (0, "", "wrote e.pdf\n")
    (call,) = calls
    directory, name, view = call.args
    assert (directory, name) == (run_directory, ResultName({"lambda": -0.5}, "scratch", "t"))
    assert view == View("error", 0.5, ["x=0", "y=-1"], {})
    assert (call.dpi, call.output) == (90, Path("e.pdf"))


def test_export_hands_on_the_points(pinnkan_command, workflow, problem, run_directory):
    calls = workflow("export", lambda *args, **options: options["output"])
    assert pinnkan_command("export", run_directory, "--grid", "5x7", "-o", "u.csv").err == "wrote u.csv\n"
    assert pinnkan_command("export", run_directory, "--points", "p.csv", "-q", "-o", "u.csv").err == ""
    assert [call.args[1:] for call in calls] == [
        (ResultName(), Places("5x7")),
        (ResultName(), Places(points=Path("p.csv"))),
    ]


CHECK = {
    "problem": "heat",
    "constraints": [],
    "boundary": {},
    "equations": [
        {"name": "equation[0]", "residual": "u_t - lambda*u_xx - 3*t", "shown": "u_t - lambda*u_xx - source"}
    ],
    "conditions": [
        {"name": "boundary[0]", "residual": "u", "where": ["x-", "x+"], "hard": True, "exact_residual": 0.0},
        {
            "name": "boundary[1]",
            "residual": "u_x",
            "where": ["x+"],
            "hard": False,
            "weight": 2.0,
            "note": "Neumann",
        },
    ],
    "points": {"interior": 1000, "boundary[1]": 200},
    "trainable_parameters": 34304,
    "findings": [{"severity": "warning", "message": "initial and boundary data do not meet", "place": None}],
}


def test_check_echoes_equations_first(pinnkan_command, workflow, problem):
    calls = workflow("check", lambda stated, **options: CHECK)
    answer = pinnkan_command("check", "heat", "--seed", 4, "--plot", "p.png")
    assert answer.code == 0
    assert answer.out == (
        "equation[0]: u_t - lambda*u_xx - source = 0\n"
        "boundary[0]: u = 0\n"
        "    on x-, x+; built into the ansatz; the exact solution leaves 0.0e+00\n"
        "boundary[1]: u_x = 0\n"
        "    on x+; soft, weight 2; Neumann\n"
        "\n"
        "problem               heat\n"
        "points:\n"
        "  interior     1000\n"
        "  boundary[1]  200\n"
        "trainable_parameters  34304\n"
    )
    assert answer.err == "warning: initial and boundary data do not meet\n"
    assert (calls[0].seed, calls[0].plot) == (4, Path("p.png"))


def test_check_writes_a_long_source_out_when_asked(pinnkan_command, workflow, problem):
    source = " + ".join(["x"] * 100)
    workflow("check", lambda stated, **options: {**CHECK, "source": source})
    assert "397 characters; -v or --json writes it out\n" in pinnkan_command("check", "heat").out
    assert source in pinnkan_command("check", "heat", "-v").out
    assert pinnkan_command("check", "heat", "--json").json["source"] == source


def test_check_of_a_problem_that_contradicts_itself_fails_with_5(pinnkan_command, workflow, problem):
    findings = [
        {"severity": "error", "message": text, "place": None}
        for text in ("equation[0] leaves 2", "x+ is bare")
    ]
    workflow("check", lambda stated, **options: {**CHECK, "findings": findings})
    answer = pinnkan_command("check", "heat", "--json")
    assert answer.code == 5
    assert answer.json == {**CHECK, "findings": findings}
    assert answer.err == "error: equation[0] leaves 2\nerror: x+ is bare\n"


def test_show_document(pinnkan_command, workflow, tmp_path):
    data = {
        "kind": "adapter",
        "parameters": {"lambda": 0.1},
        "history": [],
        "title": "a\x1b[2Jb",
        "problem_text": "title: Heat\n",
    }
    workflow("show", lambda target: data)
    short = "kind     adapter\nparameters:\n  lambda  0.1\nhistory  -\ntitle    a\\x1b[2Jb\n"
    assert pinnkan_command("show", tmp_path).out == short
    assert pinnkan_command("show", tmp_path, "-v").out == f"{short}\ntitle: Heat\n"
    assert pinnkan_command("show", tmp_path, "--json").json == data


def test_problems_are_listed_with_titles(pinnkan_command, problem):
    answer = pinnkan_command("problems")
    assert answer.out.splitlines()[-1].split(maxsplit=1) == ["heat", "Heat equation"]
    assert [row["name"] for row in pinnkan_command("problems", "--json").json["problems"]] == [
        "elliptic",
        "heat",
    ]


@pytest.mark.parametrize("terms", [1, 40, 4000])
def test_of_a_long_formula_a_terminal_gets_the_beginning_and_a_file_all(
    pinnkan_command, workflow, problem, run_directory, tmp_path, terms
):
    """A network of [6, 6] filled the terminal with 89 kB."""
    text = " + ".join(f"{power}.5*sin({power}*pi*x)" for power in range(1, terms + 1))
    figures = {"relative_l2_network": 1e-9, "relative_l2": 1e-6, "network_relative_l2": 1e-6}
    workflow("formula", lambda *args, **options: {"unknown": "u", "formula": text, "edges": [], **figures})
    answer = pinnkan_command("formula", run_directory, "-o", tmp_path / "u.txt")
    assert (answer.code, (tmp_path / "u.txt").read_text()) == (0, f"u = {text}\n")
    assert f"wrote {tmp_path / 'u.txt'}\n" in answer.err
    assert pinnkan_command("formula", run_directory, "--json").json["formula"] == text
    first, rest = answer.out.splitlines()[:2]
    if terms <= 40:
        assert (first, rest) == (f"u = {text}", "")
        return
    assert f"u = {text}".startswith(first.removesuffix(" ..."))
    assert 300 < len(first) <= 404
    assert rest == f"({len(text) + 4:,} characters in all: -o FILE writes them, --json prints them)"
    base = run_directory / "base.h5"
    assert pinnkan_command("formula", run_directory, "-o", base).code == 2

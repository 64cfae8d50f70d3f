"""``--tolerance``: a base that meets it, one that is gone on from, one that misses it; earlier files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pinnkan.storage.runs.results import answers, is_lost
from pinnkan.storage.store import read_store, write_store

SQUARE = """\
coordinates: [x, y]
domain: {shape: box, x: [0, 1], y: [0, 1]}
unknowns: u
family: {k: 1}
exact: k*sin(pi*x)*sin(pi*y)
source: manufactured
equations: ["-laplace(u) = source"]
boundary: ["u = 0"]
network: {hidden: [6, 6], functions: 6}
points: {interior: 700, held_out: 300}
training: {steps: 60}
finetuning: {steps: 20}
"""


@pytest.fixture(scope="module")
def met(pinnkan, tmp_path_factory):
    """A run directory whose base was trained to 1e-2."""
    folder = tmp_path_factory.mktemp("tolerance")
    (folder / "square.yaml").write_text(SQUARE)
    answer = pinnkan(
        "pretrain", folder / "square.yaml", "-o", folder / "run", "--tolerance", "1e-2", "--json"
    )
    assert answer.code == 0, answer.err
    assert answer.json["stop_reason"] == "tolerance"
    return folder


@pytest.fixture
def run(met, tmp_path):
    return Path(shutil.copytree(met, tmp_path / "copy"))


def pretrained(pinnkan, folder, *options):
    return pinnkan("pretrain", folder / "square.yaml", "-o", folder / "run", "--json", *options)


def test_the_error_is_below_the_tolerance_and_the_file_says_so(done, met):
    training = done("show", met / "run", "--json").json["base"]["training"]
    assert training["tolerance"] == 1e-2
    assert training["error_estimate"] <= 1e-2
    assert training["relative_l2"] <= 1e-2


@pytest.mark.parametrize("options", [("--tolerance", "0.02"), ("--set", "training.tolerance=0.02"), ()])
def test_a_larger_tolerance_or_none_is_answered_at_once(pinnkan, run, options):
    before = (run / "run" / "base.h5").read_bytes()
    answer = pretrained(pinnkan, run, *options)
    assert (answer.code, answer.json["status"]) == (0, "present"), answer.err
    assert "is finished for this problem and these settings" in answer.err
    assert (run / "run" / "base.h5").read_bytes() == before


def test_a_smaller_tolerance_goes_on_from_what_is_there(done, pinnkan, run):
    done("finetune", run / "run", "--param", "k=2", "--set", "finetuning.steps=1", "-q")
    former = pretrained(pinnkan, run).json
    text = SQUARE.replace("steps: 60", "steps: 60, tolerance: 1e-4")
    (run / "square.yaml").write_text(text)
    answer = pretrained(pinnkan, run)
    assert answer.code == 0, answer.err
    assert (answer.json["status"], answer.json["stop_reason"]) == ("trained", "tolerance")
    assert answer.json["error_estimate"] <= 1e-4
    assert answer.json["relative_l2"] <= 1e-4
    wanted = f"error estimate {former['error_estimate']:.2g}, tolerance 0.0001: going on from it"
    assert f"{wanted}; its 1 adapter becomes stale" in answer.err
    assert read_store(run / "run" / "base.h5", kind="base").meta["problem"]["text"] == text


def test_steps_and_seconds_of_a_result_are_those_of_all_its_trainings(pinnkan, run):
    former = pretrained(pinnkan, run).json
    answer = pretrained(pinnkan, run, "--tolerance", "1e-3").json
    assert answer["steps"] > former["steps"]
    assert answer["train_seconds"] > former["train_seconds"]


@pytest.mark.parametrize("method", ["base", "lotra", "full", "scratch"])
def test_a_finished_result_that_further_training_makes_worse_stays(pinnkan, run, method):
    path, command = run / "run" / "base.h5", ("pretrain", run / "square.yaml", "-o", run / "run")
    if method != "base":
        path = next_adapter(pinnkan, run, method)
        command = ("finetune", run / "run", "--param", "k=1.5", "--method", method)
    kind = "base" if method == "base" else "adapter"
    stored = read_store(path, kind=kind)
    training = {**stored.meta["training"], "error_estimate": 1e-8}
    write_store(path, kind, arrays=stored.arrays, meta={**stored.meta, "training": training})
    before = path.read_bytes()
    answer = pinnkan(*command, "--tolerance", "1e-9", "--time-limit", "0", "--json")
    assert answer.code == 5, answer.err
    assert f"error estimate 1e-08 before it: {path} stays as it was" in answer.err
    row = answer.json if method == "base" else answer.json["results"][0]
    assert (row["error_estimate"], row["tolerance"], row["stop_reason"]) == (1e-8, 1e-9, "time_limit")
    assert path.read_bytes() == before


def next_adapter(pinnkan, run, method):
    """Return the file of a result at k = 1.5."""
    options = ("--param", "k=1.5", "--method", method, "--tolerance", "5e-2", "--json")
    answer = pinnkan("finetune", run / "run", *options)
    assert answer.code == 0, answer.err
    return Path(answer.json["results"][0]["file"])


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [(1e-3, 2e-3, True), (1e-3, None, True), (1e-3, 1e-3, False), (None, 1.0, False), (None, None, False)],
)
def test_what_further_training_loses_is_told_by_the_estimates(before, after, lost):
    assert is_lost({"error_estimate": before}, {"error_estimate": after}) is lost


def test_a_missed_tolerance_is_exit_5_and_the_result_is_written(pinnkan, run):
    answer = pretrained(pinnkan, run, "--tolerance", "1e-9", "--time-limit", "0")
    assert answer.code == 5
    assert answer.json["stop_reason"] == "time_limit"
    assert (
        "is above the tolerance 1e-09; the same command with more time (--time-limit) goes on" in answer.err
    )
    assert answer.json["error_estimate"] > 1e-9
    assert Path(answer.json["file"]).is_file()


@pytest.fixture(scope="module")
def refined(pinnkan, tmp_path_factory):
    """A base that had to grow: two neurons a layer are too few for 1e-6."""
    folder = tmp_path_factory.mktemp("refined")
    (folder / "square.yaml").write_text(SQUARE.replace("[6, 6], functions: 6", "[2, 2], functions: 3"))
    answer = pretrained(pinnkan, folder, "--tolerance", "1e-6")
    assert answer.code == 0, answer.err
    return folder, answer


def test_a_network_grows_until_it_is_good_enough_and_every_level_is_said_and_stored(done, refined):
    folder, answer = refined
    levels = answer.json["levels"]
    assert len(levels) > 1
    assert "square base: level 1 (recipe): 2-2-2-1, 3 functions, 700 points: error estimate" in answer.err
    assert levels[0]["hidden"] == [2, 2]
    grown = next(entry for entry in reversed(levels) if entry["kept"])
    shown = done("show", folder / "run", "--json").json
    assert shown["network"]["widths"] == "-".join(map(str, [2, *grown["hidden"], 1]))
    assert shown["network"]["functions"] == grown["functions"]
    assert shown["base"]["training"]["levels"] == levels
    lines = done("show", folder / "run").out.splitlines()
    assert [line.split()[0] for line in lines if line.strip().startswith(("recipe", "functions", "width"))]


def test_a_refined_base_is_measured_adapted_and_answers_for_a_family(done, refined, tmp_path):
    folder, answer = refined
    run = Path(shutil.copytree(folder / "run", tmp_path / "run"))
    (row,) = done("evaluate", run, "--json").json["results"]
    assert row["relative_l2"] == pytest.approx(answer.json["relative_l2"], rel=0.1)
    adapted = done("finetune", run, "--param", "k=1.1", "--json").json["results"][0]
    assert adapted["verdict"] == "solved"
    done("family", run, "--param", "k=1:1.2", "--tolerance", "1", "--max-adapters", "2", "-q")
    (found,) = done("solve", run, "--param", "k=1.05", "--check", "--json").json["results"]
    assert found["relative_l2"] < 1e-2


def test_adapters_meet_a_tolerance_or_say_that_they_do_not(pinnkan, run):
    tune = ("finetune", run / "run", "--param", "k=1.5", "--json")
    first = pinnkan(*tune, "--tolerance", "5e-2")
    assert first.code == 0, first.err
    (row,) = first.json["results"]
    assert (row["stop_reason"], row["tolerance"]) == ("tolerance", 5e-2)
    assert row["error_estimate"] <= 5e-2
    assert pinnkan(*tune).json["results"][0]["status"] == "present"
    missed = pinnkan(*tune, "--tolerance", "1e-8", "--time-limit", "0")
    assert missed.code == 5
    assert "above the tolerance: going on from it" in missed.err
    assert "goes on from it" in missed.err
    (again,) = pinnkan(*tune, "--tolerance", "2e-2").json["results"]
    assert again["error_estimate"] <= 2e-2
    assert again["relative_l2"] <= 4e-2


def test_of_several_values_some_that_miss_are_exit_1_and_the_facts_say_which(pinnkan, run):
    tune = ("finetune", run / "run", "--param", "k=1.2,1.4", "--json", "--time-limit", "0")
    answer = pinnkan(*tune, "--set", "finetuning.tolerance=1e-8")
    assert answer.code == 1
    assert answer.err.count("is above the tolerance 1e-08; the same command with more time") == 2
    assert [row["tolerance"] for row in answer.json["results"]] == [1e-8, 1e-8]
    loose = pinnkan(*tune, "--set", "finetuning.tolerance=1")
    assert [row["status"] for row in loose.json["results"]] == ["present", "present"]
    assert loose.code == 0


def test_one_that_is_unsolved_too_is_exit_4(pinnkan, tmp_path):
    (tmp_path / "square.yaml").write_text(SQUARE)
    answer = pretrained(pinnkan, tmp_path, "--tolerance", "1e-3", "--time-limit", "0")
    assert (answer.code, answer.json["verdict"]) == (4, "unsolved")


def test_samples_have_no_tolerance(pinnkan, tmp_path):
    (tmp_path / "line.csv").write_text("x,u\n" + "".join(f"{n / 40},{n * n}\n" for n in range(41)))
    options = ("--set", "training.tolerance=1e-3", "-o", tmp_path / "run")
    answer = pinnkan("fit", tmp_path / "line.csv", *options)
    assert answer.code == 2
    assert "samples come with no equation; bound the residual instead" in answer.err


@pytest.fixture
def earlier(pinnkan, tmp_path):
    """A run as the version before wrote it, whose ``tolerance`` bounded the residual."""
    bounds = "{residual_below: 1e-1, phases: [{steps: 2}, {steps: 1, residual_below: 1e-3}]}"
    (tmp_path / "square.yaml").write_text(
        SQUARE.replace("{steps: 60}", bounds).replace("{steps: 20}", bounds)
    )
    pretrained(pinnkan, tmp_path)
    path = tmp_path / "run" / "base.h5"
    stored = read_store(path, kind="base")
    problem = dict(stored.meta["problem"])
    del problem["bounds_error"]
    problem["text"] = problem["text"].replace("residual_below", "tolerance")
    write_store(path, "base", arrays=stored.arrays, meta={**stored.meta, "problem": problem})
    return tmp_path


def test_a_file_of_before_is_read_as_it_was_meant(done, pinnkan, earlier):
    done("evaluate", earlier / "run", "-q")
    result = done("finetune", earlier / "run", "--param", "k=2", "--json").json["results"][0]
    assert (result["steps"], result["tolerance"]) == (3, None)
    done("evaluate", earlier / "run", "--param", "k=2")
    answer = pinnkan("finetune", earlier / "run", "--param", "k=3", "--set", "finetuning.tolerance=1e-3")
    assert answer.code == 2
    assert "the base is from before tolerance bounded the error; use --tolerance for that" in answer.err


def test_a_phase_with_the_former_key_is_refused(pinnkan, earlier):
    path = earlier / "square.yaml"
    path.write_text(path.read_text().replace("residual_below", "tolerance"))
    answer = pinnkan("pretrain", path, "-o", earlier / "run")
    assert answer.code == 2
    assert answer.err.count("the tolerance of a phase bounded its residual; write residual_below") == 2


@pytest.mark.parametrize(
    ("estimate", "reason", "sought", "asked", "answered"),
    [
        (1e-3, "settled", None, None, True),
        (None, "settled", None, None, True),
        (1e-3, "settled", None, 1e-3, True),
        (1e-3, "settled", None, 9e-4, False),
        (None, "settled", None, 1.0, False),
        (1e-3, "time_limit", 1e-4, 1e-4, False),
        (1e-3, "exhausted", 1e-4, 1e-4, True),
        (1e-3, "exhausted", 1e-4, 5e-4, True),
        (1e-3, "exhausted", 1e-4, 1e-5, False),
    ],
)
def test_a_finished_result_answers_where_more_training_has_nothing_to_offer(
    estimate, reason, sought, asked, answered
):
    meta = {"training": {"error_estimate": estimate, "stop_reason": reason, "tolerance": sought}}
    assert answers(meta, asked) is answered

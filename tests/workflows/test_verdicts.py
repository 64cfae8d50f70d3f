"""Verdicts on the command line: printed, stored, and the exit codes that follow from them."""

from __future__ import annotations

import numpy as np
import pytest

from pinnkan.solutions.evaluation.correction import Correction
from pinnkan.solutions.evaluation.relative import ResidualReport
from pinnkan.storage.store import read_store, write_store
from pinnkan.training.judgement import evidence_of

KEYS = ("error_estimate", "relative_residual", "verdict", "reasons")
MEASURED = ResidualReport(blocks=(), coordinates=("t",), ranges=((0.0, 1.0),), is_homogeneous=False)
LAME = ("--set", "training.steps=0")


@pytest.fixture
def lame(pinnkan, folder):
    """A base that took no step, and what pretrain answered."""
    answer = pinnkan("pretrain", folder / "tiny.yaml", "-o", folder / "lame", "--json", "-q", *LAME)
    return folder / "lame", answer


def test_a_correction_is_evidence():
    known = evidence_of(
        MEASURED, [1.0], correction=Correction(relatives=(0.5,), slack=0.2, left=0.1, chance=0.2)
    )
    assert (known.estimate, known.slack) == (0.5, 0.2)
    unresolved = evidence_of(
        MEASURED, [1.0], correction=Correction(relatives=(0.5,), slack=0.2, left=0.9, chance=0.2)
    )
    assert (unresolved.estimate, unresolved.slack) == (None, 0.2)
    none = evidence_of(MEASURED, [1.0])
    assert (none.estimate, none.slack) == (None, 0.0)


def test_a_good_base_is_solved(done, folder):
    row = done("pretrain", folder / "tiny.yaml", "-o", folder / "tiny", "--json", "-q").json
    assert (row["status"], row["verdict"], row["reasons"]) == ("present", "solved", [])
    assert set(row["relative_residual"]) == {"equation[0]", "boundary[0]"}
    assert row["relative_residual"]["equation[0]"] < 1e-3
    assert row["error_estimate"] == pytest.approx(row["relative_l2"], rel=0.5)


def test_an_unsolved_base_is_written_said_and_exit_4(pinnkan, lame, folder):
    run, answer = lame
    assert answer.code == 4
    assert answer.json["verdict"] == "unsolved"
    assert (run / "base.h5").is_file()
    assert answer.err.startswith("error: lambda=0 (base): unsolved: the relative residual of equation[0] is ")
    again = pinnkan("pretrain", folder / "tiny.yaml", "-o", run, *LAME)
    assert again.code == 4
    assert "is finished for this problem" in again.err
    assert "unsolved" in again.out


@pytest.mark.parametrize("as_json", [(), ("--json",)], ids=["table", "json"])
@pytest.mark.parametrize("quiet", [(), ("-q",)], ids=["log", "quiet"])
@pytest.mark.parametrize("command", ["pretrain", "finetune"])
def test_the_reason_is_read_once(pinnkan, run, folder, command, quiet, as_json):
    words = {
        "pretrain": ("pretrain", folder / "tiny.yaml", "-o", folder / "lame", *LAME),
        "finetune": ("finetune", run, "--lambda", 1, "--set", "finetuning.steps=0"),
    }[command]
    answer = pinnkan(*words, *quiet, *as_json)
    assert answer.code == 4
    read = answer.err if as_json else answer.out + answer.err
    assert read.count("the relative residual of equation[0] is ") == 1
    assert "unsolved" in answer.err.splitlines()[-1]
    who = "lambda=0 (base)" if command == "pretrain" else "lambda=1 (lotra)"
    if not as_json:
        assert answer.err.endswith(f"error: {who} is unsolved; why stands above\n")


def test_every_command_tells_the_stored_verdict(pinnkan, lame, folder):
    run, answer = lame
    stored = {key: answer.json[key] for key in KEYS}
    assert {key: read_store(run / "base.h5").meta["training"][key] for key in KEYS} == stored
    (status,) = pinnkan("status", run, "--json").json["results"]
    (row,) = pinnkan("evaluate", run, "--json").json["results"]
    shown = pinnkan("show", run, "--json").json["base"]["training"]
    for found in (status, row, shown):
        assert (found["verdict"], found["reasons"]) == (stored["verdict"], stored["reasons"])
    assert stored["error_estimate"] is not None
    assert row["error_estimate"] == shown["error_estimate"] == stored["error_estimate"]
    assert row["relative_residual"]["equation[0]"] == pytest.approx(
        stored["relative_residual"]["equation[0]"], rel=1e-6
    )
    for command in ("status", "evaluate"):
        told = pinnkan(command, run)
        assert told.code == 0
        assert f"lambda=0 (base): unsolved: {'; '.join(stored['reasons'])}\n" in told.out
    for command, more in {
        "export": ("--grid", "3x3", "-o", folder / "u.csv"),
        "plot": ("-o", folder / "u.png"),
    }.items():
        told = pinnkan(command, run, *more)
        assert told.code == 0
        assert f"base.h5: unsolved: {stored['reasons'][0]}" in told.err


def test_a_picture_says_it_in_its_title(pinnkan, lame, monkeypatch, folder):
    captions = []
    from pinnkan.workflows import plot

    monkeypatch.setattr(plot, "plot_fields", lambda *args, caption, **options: captions.append(caption))
    pinnkan("plot", lame[0], "-o", folder / "u.png")
    pinnkan("plot", folder / "tiny", "-o", folder / "u.png")
    assert "unsolved: the relative residual" in captions[0].text(90.0).replace("\n", " ")
    assert captions[1].note == ""


def test_adapters_of_an_unsolved_base_carry_that_reason_and_decide_the_code(pinnkan, lame):
    run, _ = lame
    one = pinnkan("finetune", run, "--lambda", 0.5, "--json", "-q", "--set", "finetuning.steps=0")
    assert one.code == 4
    (row,) = one.json["results"]
    assert row["verdict"] == "unsolved"
    assert row["reasons"][-1] == "its base is unsolved"
    assert one.err.startswith("error: lambda=0.5 (lotra): unsolved: ")
    for as_json in ((), ("--json",)):
        several = pinnkan("finetune", run, "--lambda", "0.5,1", "-q", "--set", "finetuning.steps=0", *as_json)
        assert several.code == 1
        assert "lambda=1 (lotra): unsolved: " in (several.err if as_json else several.out)
    scratch = pinnkan("finetune", run, "--lambda", 0.5, "--method", "scratch", "--json", "-q")
    assert "its base is unsolved" not in scratch.json["results"][0]["reasons"]


def test_results_from_before_have_null_and_are_read(pinnkan, done, run, folder):
    stored = read_store(run / "base.h5")
    meta = dict(stored.meta)
    meta["training"] = {key: value for key, value in meta["training"].items() if key not in KEYS}
    arrays = {name: np.asarray(array) for name, array in stored.arrays.items()}
    write_store(run / "base.h5", "base", arrays=arrays, meta=meta)
    row = done("pretrain", folder / "tiny.yaml", "-o", run, "--json", "-q").json
    assert [row[key] for key in KEYS] == [None] * len(KEYS)
    (row, _) = done("evaluate", run, "--json").json["results"]
    assert (row["verdict"], row["reasons"]) == (None, None)
    assert row["relative_residual"]["equation[0]"] < 1e-3
    for command in ("evaluate", "status", "show"):
        done(command, run)
    (row,) = done("finetune", run, "--lambda", 1, "--json", "-q").json["results"]
    assert "its base is unsolved" not in row["reasons"]


def test_a_fit_to_a_table_has_no_equation_to_be_judged_by(done, folder):
    x = np.linspace(0, 1, 30)
    np.savetxt(folder / "table.csv", np.stack([x, x**2], axis=1), delimiter=",", header="x,u", comments="")
    row = done("fit", folder / "table.csv", "-o", folder / "fit", "-q", "--json").json
    assert [row[key] for key in KEYS] == [None] * len(KEYS)

"""What decides whether a stored result is the one asked for, known without torch, SymPy or parsing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pinnkan.ground.errors import DamagedFileError, UsageError
from pinnkan.language.parameters import Parameter
from pinnkan.language.problem import load_problem
from pinnkan.physics.family import Family
from pinnkan.storage.runs.identity import Identity, ProblemRecord, identities, recorded_problem
from pinnkan.storage.store import read_store

RECORD = ProblemRecord("tiny", "text\n", ("training.steps=6",), None, (Parameter("lambda", 0.0, 0.0, 1.0),))
IDENTITY = Identity(RECORD, {"lambda": 0.5}, "lotra", 0, "float64", "3f" * 32)


@pytest.mark.parametrize("method", ["lotra", "full", "scratch"])
def test_the_identity_asked_for_is_the_one_stored(done, run, method):
    overrides = ["finetuning.steps=2", " points.rule = sobol"]
    words = [word for text in overrides for word in ("--set", text)]
    done("finetune", run, "--lambda", "1/3", "--method", method, "--seed", 3, *words, "-q", "--tag", "t")
    meta = read_store(next((run / "adapters").glob("lambda=0.333*"))).meta
    (asked,) = identities(run, [{"lambda": 1 / 3}], method=method, overrides=overrides, seed=3, dtype=None)
    assert asked.hash == meta["settings_hash"]
    assert asked.facts().items() <= meta.items()


def test_names_left_out_and_negative_zero_are_completed(done, folder):
    done("finetune", folder / "heat", "--param", "c=-0", "-q")
    meta = read_store(folder / "heat" / "adapters" / "kappa=0.1,c=0.h5").meta
    options = {"method": "lotra", "overrides": [], "seed": 0, "dtype": None}
    assert identities(folder / "heat", [{"c": -0.0}], **options)[0].hash == meta["settings_hash"]


def test_the_text_of_a_file_without_line_breaks_stays_verbatim(done, folder):
    text = (
        "{coordinates: [x], domain: {shape: interval, x: [0, 1]}, unknowns: u, family: {a: 1}, "
        "equations: ['u_xx = a'], boundary: ['u = 0'], network: {hidden: [4], functions: 4}, "
        "points: {interior: 20, held_out: 20}, training: {steps: 2}, finetuning: {steps: 1, points: 20}}"
    )
    (folder / "line.yaml").write_text(text)
    done("pretrain", folder / "line.yaml", "-o", folder / "line", "-q")
    done("finetune", folder / "line", "--lambda", 2, "--set", "finetuning.steps=2", "-q")
    for path in (folder / "line" / "base.h5", folder / "line" / "adapters" / "a=2.h5"):
        assert read_store(path).meta["problem"]["text"] == text
    rows = done("finetune", folder / "line", "--lambda", 2, "--set", "finetuning.steps=2", "--json").json
    assert [row["status"] for row in rows["results"]] == ["present"]


@pytest.mark.parametrize(
    "change",
    [
        {"problem": replace(RECORD, text="other\n")},
        {"problem": replace(RECORD, overrides=())},
        {"values": {"lambda": 0.25}},
        {"method": "full"},
        {"seed": 1},
        {"dtype": "float32"},
        {"base_hash": None},
        {"start": {"values": {"lambda": 0.4}, "weights_hash": "ab" * 32}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_decides_is_hashed(change):
    assert replace(IDENTITY, **change).hash != IDENTITY.hash


def test_name_folder_and_declared_ranges_do_not_decide():
    moved = replace(RECORD, name="moved", directory="/elsewhere", parameters=(Parameter("lambda", 0.0),))
    assert replace(IDENTITY, problem=moved).hash == IDENTITY.hash


def test_what_training_started_from_is_stored():
    start = {"values": {"lambda": 0.4}, "weights_hash": "ab" * 32}
    assert replace(IDENTITY, start=start).facts()["start"] == start
    assert IDENTITY.facts()["start"] is None


def test_a_record_returns_from_a_file(run, folder):
    problem = load_problem(folder / "tiny.yaml", overrides=["training.steps=7"])
    record = ProblemRecord.of(Family(problem))
    assert record.parameters == (Parameter("lambda", 0.0, 0.0, 1.0),)
    assert record.overrides == ("training.steps=7",)
    assert record.directory is None  # no reference data, so nobody's folder
    assert ProblemRecord.read(Path("x.h5"), {"problem": record.facts()}) == record
    assert recorded_problem(run) == replace(record, overrides=())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (None, "no problem inside"),
        ({"name": 1}, "no text problem.name inside"),
        ({"text": None}, "no text problem.text inside"),
        ({"overrides": "x"}, "no list problem.overrides inside"),
        ({"overrides": [1]}, "no text problem.overrides inside"),
        ({"directory": 5}, "no text problem.directory inside"),
        ({"parameters": None}, "no list problem.parameters inside"),
        ({"parameters": ["lambda"]}, "no object in problem.parameters inside"),
        ({"parameters": [{"name": "a"}]}, "no number in problem.parameters inside"),
        ({"parameters": [{"name": "a", "base": True}]}, "no number in problem.parameters inside"),
        ({"parameters": [{"name": "a", "base": 0, "low": "0"}]}, "no number in problem.parameters inside"),
        ({"parameters": [{"base": 0}]}, "no text problem.parameters.name inside"),
    ],
)
def test_a_malformed_record_is_refused(change, message):
    meta = {} if change is None else {"problem": RECORD.facts() | change}
    with pytest.raises(DamagedFileError) as fault:
        ProblemRecord.read(Path("x.h5"), meta)
    assert str(fault.value) == f"x.h5: {message}; not written by pinnkan"


def test_an_override_that_would_change_the_base_is_refused():
    with pytest.raises(UsageError, match=r"finetune can change finetuning\.\*, adapter\.\*, points\.\* only"):
        RECORD.overridden(["training.steps=1"], "lotra")
    assert RECORD.overridden(["training.steps=1"], "scratch").overrides == (
        "training.steps=6",
        "training.steps=1",
    )

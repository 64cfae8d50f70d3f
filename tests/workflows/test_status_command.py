"""pinnkan status: what is there of every value and why, seen without torch and SymPy."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from pinnkan.ground.errors import DivergedError
from pinnkan.ground.files import host_name
from pinnkan.storage.runs.identity import identities
from pinnkan.storage.runs.inventory import value_status
from pinnkan.storage.runs.paths import work_path
from pinnkan.storage.runs.state_files import record_failure, running
from pinnkan.storage.store import read_store, write_store

SLOW_IMPORTS = ("torch", "sympy", "scipy", "yaml")


def asked(run, value, **settings):
    options = {"method": "lotra", "overrides": [], "seed": 0, "dtype": None, "nearest": False} | settings
    return identities(run, [{"lambda": value}], **options)[0]


def rows(done, *arguments):
    """Return {parameters and method: (status, why)}."""
    found = done("status", *arguments, "--json").json["results"]
    return {
        (*row["parameters"].values(), row["method"], *([row["tag"]] if row["tag"] else [])): (
            row["status"],
            row["why"],
        )
        for row in found
    }


def test_everything_that_is_there(done, run):
    done("finetune", run, "--lambda", -1, "--method", "full", "--tag", "t", "-q")
    record_failure(run, "lambda=0.75", asked(run, 0.75), DivergedError("diverged at step 2:\nlower the rate"))
    record_failure(run, "lambda=0.5", asked(run, 0.5, seed=1), DivergedError("x"))  # there is a good one
    checkpoint = work_path(run, "lambda=2.full", "checkpoint.h5")
    checkpoint.touch()
    os.utime(checkpoint, (time.mktime((2026, 11, 22, 8, 30, 1, 0, 0, -1)),) * 2)
    work_path(run, "mu=2", "checkpoint.h5").touch()  # of another family
    (run / "adapters" / "lambda=3.h5").write_bytes(b"x")
    (run / "adapters" / "mine.h5").write_bytes(b"x")
    with (
        running(work_path(run, "lambda=1", "running.json"), title="x") as file,
        running(work_path(run, "base", "running.json"), title="x"),
    ):
        file.update("lm", 4, 12)
        file.write()
        found = rows(done, run)
    here = f"pid {os.getpid()} on {host_name()}"
    assert found[0.0, "base"][0] == "done"
    assert found[0.0, "base"][1].startswith("trained in 6 steps, ")
    assert found[0.0, "base"][1].endswith(f" s; {here}, trains it again")
    assert found[0.5, "lotra"][0] == found[-1.0, "full", "t"][0] == "done"
    assert found[0.75, "lotra"] == ("failed", "DivergedError: diverged at step 2: lower the rate")
    assert found[1.0, "lotra"] == ("running", f"{here}, step 4/12")
    assert found[2.0, "full"] == ("missing", "stopped at 2026-11-22 08:30:01, will continue")
    assert found[3.0, "lotra"][0] == found["lotra",][0] == "stale"
    assert found[3.0, "lotra"][1].startswith("damaged: not a pinnkan file: it begins with")
    assert found["lotra",][1].startswith("mine.h5: damaged: not a pinnkan file")
    assert [key[0] for key in found] == [0.0, "lotra", -1.0, 0.5, 0.75, 1.0, 2.0, 3.0]


def test_the_table_ends_with_counts(done, run):
    lines = done("status", run, "--lambda", "0.5,1,2").out.splitlines()
    assert lines[0].split() == ["parameters", "method", "status", "verdict", "age", "why"]
    assert [line.split()[:3] for line in lines[2:5]] == [
        ["lambda=0.5", "lotra", "done"],
        ["lambda=1", "lotra", "missing"],
        ["lambda=2", "lotra", "missing"],
    ]
    assert lines[5:] == ["", "1 done, 2 missing"]
    assert str(run / "adapters" / "lambda=2.h5") in done("status", run, "--lambda", 2, "-v").out
    assert done("status", run, "--json").json["counts"] == {
        "done": 2,
        "running": 0,
        "failed": 0,
        "missing": 0,
        "stale": 0,
    }


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--seed", 1], "other seed (0)"),
        (["--dtype", "float32"], "other precision (float64)"),
        (["--set", "finetuning.steps=3", "--seed", 1], "other settings, seed (0)"),
    ],
    ids=str,
)
def test_results_of_other_settings_are_stale_where_values_are_asked_for(done, run, options, why):
    assert rows(done, run, "--lambda", 0.5, *options) == {(0.5, "lotra"): ("stale", why)}
    assert rows(done, run)[0.5, "lotra"][0] == "done"


def test_settings_that_were_trained_are_done(done, run):
    options = ("--lambda", 1, "--set", "finetuning.steps=2", "--seed", 1, "--method", "full", "--tag", "t")
    done("finetune", run, *options, "-q")
    assert rows(done, run, *options)[1.0, "full", "t"][0] == "done"


def test_chained_values_are_found_as_they_were_trained(done, run):
    chained = ("--lambda", "0.25:1:4", "--start", "nearest", "--tag", "n", "--compression", "1/4")
    done("finetune", run, *chained, "-q")
    assert {status for status, _ in rows(done, run, *chained).values()} == {"done"}
    assert rows(done, run, *chained[:4], "--tag", "n")[0.25, "lotra", "n"] == ("stale", "other settings")
    (run / "adapters" / "lambda=0.5.n.h5").unlink()
    found = rows(done, run, *chained)
    assert found[0.25, "lotra", "n"][0] == "done"
    assert found[0.5, "lotra", "n"] == ("missing", "not trained yet")
    assert found[0.75, "lotra", "n"] == found[1.0, "lotra", "n"] == ("stale", "other start")


def test_a_record_of_other_settings_is_no_failure(done, run):
    record_failure(run, "lambda=1", asked(run, 1.0), DivergedError("x"))
    assert rows(done, run, "--lambda", 1) == {(1.0, "lotra"): ("failed", "DivergedError: x")}
    assert rows(done, run, "--lambda", 1, "--seed", 1) == {(1.0, "lotra"): ("missing", "not trained yet")}


def test_a_new_base_makes_adapters_stale_but_not_those_from_scratch(done, run, folder):
    done("finetune", run, "--lambda", 0.5, "--method", "scratch", "-q")
    done("pretrain", folder / "tiny.yaml", "-o", run, "--seed", 1, "--force", "-q")
    stale = ("stale", "the base changed since")
    assert rows(done, run)[0.5, "lotra"] == rows(done, run, "--lambda", 0.5)[0.5, "lotra"] == stale
    assert rows(done, run)[0.5, "scratch"][0] == "done"
    assert rows(done, run, "--lambda", 0.5, "--method", "scratch")[0.5, "scratch"][0] == "done"


def test_an_adapter_s_start_decides(run, arrays):
    path = run / "adapters" / "lambda=0.5.h5"
    identity = asked(run, 0.5)
    meta = read_store(path).meta | {"start": {"values": {"lambda": 0.4}}, "settings_hash": "0" * 64}
    write_store(path, "adapter", arrays=arrays(path), meta=meta)
    assert value_status(run, identity, None).why == "other start"


def test_a_damaged_base_is_said_once_and_judges_no_adapter(pinnkan, done, run):
    (run / "base.h5").write_bytes(b"x")
    found = rows(done, run)
    assert found["base",][0] == "stale"
    assert found[0.5, "lotra"] == ("stale", "there is no base that can be read")
    assert pinnkan("status", run, "--lambda", 0.5).code == 3


def test_a_first_base_in_training_is_seen(pinnkan, done, folder):
    new = folder / "new"
    with running(work_path(new, "base", "running.json"), title="x"):
        assert rows(done, new)["base",][0] == "running"
        assert pinnkan("status", new, "--lambda", 1).code == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "there is no directory nowhere; 'pinnkan pretrain PROBLEM -o nowhere' makes one"),
        (["RUN", "--seed", "1"], "are those of values: give --lambda or --param as well"),
        (["RUN", "--start", "nearest"], "--start, --compression and --set are those of values"),
        (["RUN", "--compression", "1/4"], "--start, --compression and --set are those of values"),
        (["RUN", "--param", "mu=1"], "--param: unknown parameter 'mu'; the parameters are lambda"),
        (["RUN", "--lambda", "1", "--set", "network.basis=taylor"], "the base is trained already"),
        (["HEAT", "--param", "kappa=1,2", "--param", "c=1", "--zip"], "kappa has 2, c has 1"),
    ],
)
def test_usage_faults(pinnkan, run, folder, arguments, message):
    places = {"RUN": run, "HEAT": folder / "heat"}
    answer = pinnkan("status", *(places.get(word, word) for word in arguments))
    assert answer.code == 2
    assert message in answer.err


@pytest.mark.parametrize("options", [[], ["--lambda", "0:1:3", "--set", "finetuning.steps=3"]], ids=len)
def test_neither_torch_nor_sympy_is_imported(run, options):
    program = (
        "import sys; from pinnkan.cli.app import main\n"
        "try: main()\n"
        f"finally: print([m for m in {SLOW_IMPORTS} if m in sys.modules], file=sys.stderr)"
    )
    words = [sys.executable, "-c", program, "status", str(run), *options]
    found = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    assert found.stderr.splitlines() == ["[]"]
    assert "lambda=0.5" in found.stdout


def test_a_hundred_thousand_values_are_looked_at_in_their_folders(done, run, monkeypatch):
    """One file is read, the adapter there is; the table shows a thousand, the counts tell all."""
    reads = []
    monkeypatch.setattr(
        "pinnkan.storage.runs.inventory.read_store",
        lambda path, **kind: reads.append(path) or read_store(path, **kind),
    )
    began = time.process_time()
    lines = done("status", run, "--lambda", "0:1:99999").out.splitlines()
    assert time.process_time() - began < 10  # a second or two on an idle machine; it took twenty
    assert reads == [run / "adapters" / "lambda=0.5.h5"]
    assert lines[-3:] == ["... and 98999 more (--json has all)", "", "1 done, 99998 missing"]
    assert len(lines) == 1 + 1 + 1000 + 3  # heading, rule, rows, ending


def test_what_works_in_the_folder_is_found_without_a_result(done, run):
    record_failure(run, "lambda=0.75", asked(run, 0.75), DivergedError("diverged"))
    work_path(run, "lambda=0.25", "checkpoint.h5").touch()
    with running(work_path(run, "lambda=1", "running.json"), title="x"):
        found = rows(done, run, "--lambda", "0:1:5")
    assert {key[0]: status for key, (status, _) in found.items()} == {
        0.0: "missing",
        0.25: "missing",
        0.5: "done",
        0.75: "failed",
        1.0: "running",
    }
    assert "will continue" in found[0.25, "lotra"][1]

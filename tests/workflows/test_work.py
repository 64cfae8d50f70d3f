"""State files of running trainings and records of failed ones: written, renewed, removed, distrusted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from pinnkan.ground.errors import DivergedError, FileAccessError
from pinnkan.ground.files import host_name
from pinnkan.language.parameters import Parameter
from pinnkan.storage.runs import state_files as work
from pinnkan.storage.runs.identity import Identity, ProblemRecord
from pinnkan.storage.runs.paths import read_stem, stem_of, work_path
from pinnkan.storage.runs.state_files import (
    clear_failure,
    read_failure,
    read_running,
    record_failure,
    running,
)

RECORD = ProblemRecord("tiny", "text\n", (), None, (Parameter("lambda", 0.0),))
IDENTITY = Identity(RECORD, {"lambda": 0.5}, "lotra", 0, "float64", "3f" * 32)


@pytest.fixture
def path(tmp_path):
    return work_path(tmp_path, "lambda=0.5", "running.json")


@pytest.fixture
def often(monkeypatch):
    """Renew and rewrite every few milliseconds."""
    monkeypatch.setattr(work, "_RENEW_S", 0.01)
    monkeypatch.setattr(work, "_REWRITE_S", 0.0)


def wait_until(condition):
    for _ in range(500):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("waited for 5 seconds in vain")


# --- running ------------------------------------------------------------------------------------


def test_a_running_training_says_where_it_stands(path, often):
    with running(path, title="lambda=0.5") as file:
        first = read_running(path)
        assert (first.pid, first.host, first.title) == (os.getpid(), host_name(), "lambda=0.5")
        file.update("lm", 4, 12)
        state = read_running(path)
        assert (state.phase, state.step, state.total) == ("lm", 4, 12)
        assert set(json.loads(path.read_bytes())) == {
            *("pid", "host", "started", "title", "phase", "step", "total")
        }
    assert read_running(path) is None
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("fault", [ValueError, KeyboardInterrupt])
def test_whatever_ends_a_training_removes_its_state(path, fault):
    with pytest.raises(fault), running(path, title="x"):
        raise fault
    assert list(path.parent.iterdir()) == []


def test_quick_steps_are_not_all_written(path):
    with running(path, title="x") as file:
        for step in range(100):
            file.update("lm", step, 100)
        assert read_running(path).step == 0


def test_the_renewal_keeps_the_file_young_and_writes_the_last_step(path, often, monkeypatch):
    monkeypatch.setattr(work, "_REWRITE_S", 60.0)
    with running(path, title="x") as file:
        os.utime(path, (0, 0))
        wait_until(lambda: path.stat().st_mtime > time.time() - 5)
        file.update("lm", 7, 9)
        wait_until(lambda: read_running(path).step == 7)
        path.unlink()
        wait_until(path.exists)


def test_a_file_that_another_training_took_over_is_left_to_it(path):
    with running(path, title="x"):
        taken = json.loads(path.read_bytes()) | {"host": "elsewhere"}
        path.write_text(json.dumps(taken))
    assert read_running(path).host == "elsewhere"


def test_a_directory_that_cannot_be_written_is_found_out_at_the_beginning(tmp_path):
    (tmp_path / "work").write_text("a file")
    with (
        pytest.raises(FileAccessError, match=r"work/x\.running\.json: .*is not a directory"),
        running(work_path(tmp_path, "x", "running.json"), title="x"),
    ):
        pytest.fail("the block ran")


def test_a_disk_that_fills_up_later_costs_no_training(path, often, monkeypatch):
    with running(path, title="x") as file:

        def refuse(*_):
            raise FileAccessError("disk full")

        monkeypatch.setattr(work, "replace_unsynced", refuse)
        file.update("lm", 1, 2)
        assert read_running(path).step == 0


def test_old_dead_and_foreign_state_files_are_not_running(path):
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True).stdout
    with running(path, title="x"):
        good = json.loads(path.read_bytes())
    path.write_text(json.dumps(good))
    assert read_running(path) is not None
    for wrong in (
        json.dumps(good | {"pid": int(dead)}),
        json.dumps(good | {"pid": "1"}),
        json.dumps(good | {"step": True}),
        json.dumps({"pid": os.getpid()}),
        "{",
        "[]",
    ):
        path.write_text(wrong)
        assert read_running(path) is None, wrong
    # Of another host only the age can tell.
    path.write_text(json.dumps(good | {"pid": int(dead), "host": "elsewhere"}))
    assert read_running(path) is not None
    os.utime(path, (time.time() - 31,) * 2)
    assert read_running(path) is None


# --- failed -------------------------------------------------------------------------------------


def test_a_failure_is_recorded_and_cleared(tmp_path):
    record_failure(tmp_path, "lambda=0.5", IDENTITY, DivergedError("diverged at step 3"))
    failure = read_failure(tmp_path, "lambda=0.5")
    assert failure.settings_hash == IDENTITY.hash
    assert (failure.error, failure.exit_code) == ("DivergedError", 4)
    assert failure.message == "diverged at step 3"
    clear_failure(tmp_path, "lambda=0.5")
    clear_failure(tmp_path, "lambda=0.5")
    assert read_failure(tmp_path, "lambda=0.5") is None


def test_what_a_killed_training_left_beside_its_finished_result_goes(done, run):
    """A kill between the result's rename and the removal of the rest; then the value is present."""
    for stem, words in {
        "lambda=0.5": ["finetune", run, "--lambda", "0.5"],
        "base": ["pretrain", run.parent / "tiny.yaml", "-o", run],
    }.items():
        left = [run / "work" / f"{stem}.{kind}" for kind in ("running.json", "failed.json", "checkpoint.h5")]
        left[0].parent.mkdir(exist_ok=True)
        for path in left:
            path.write_text("{")
        done(*words)
        assert not [path.name for path in left if path.exists()]
        with running(left[0], title="again, by --force"):
            left[2].write_text("{")
            done(*words)
            assert left[2].exists()
        left[2].unlink()


def test_a_disk_that_refuses_the_record_hides_no_fault(tmp_path):
    (tmp_path / "work").write_text("a file")
    record_failure(tmp_path, "x", IDENTITY, DivergedError("x"))
    clear_failure(tmp_path, "x")
    assert read_failure(tmp_path, "x") is None


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "method", "tag"),
    [
        ({"lambda": 0.1}, "lotra", None),
        ({"lambda": -1e-5}, "full", None),
        ({"lambda": 2.0}, "scratch", "long-1"),
        ({"nu": 0.01, "beta": 1e20}, "lotra", "t"),
    ],
)
def test_names_are_read_back(values, method, tag):
    assert read_stem(stem_of(values, method, tag), list(values)) == (values, method, tag)


@pytest.mark.parametrize("stem", ["mu=0.1", "lambda=x", "lambda=0.1.a.b", "lambda=0.1,nu=1", "base", ""])
def test_names_of_other_families_are_not(stem):
    assert read_stem(stem, ["lambda"]) is None
    assert read_stem(stem, []) is None

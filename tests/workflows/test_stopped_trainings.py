"""A training that is stopped or killed goes on, and ends with the coefficients of one that was not."""

from __future__ import annotations

import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_family import TINY

from pinnkan.errors import DamagedFileError, FileAccessError
from pinnkan.progress import Silent
from pinnkan.store import read_store
from pinnkan.workflows import checkpoints
from pinnkan.workflows.checkpoints import Keeper, read_checkpoint

Finish = Callable[..., str]
LONG = TINY.replace("{steps: 6}", "{steps: 120, patience: 0}").replace(
    "{steps: 4, points: 80}", "{steps: 120, points: 80, patience: 0}"
)


def start(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pinnkan", *map(str, arguments), "--threads", "1", "-v"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def stop_in_the_middle(number: int, *arguments: object, after: int = 20) -> tuple[int, str, float]:
    """Send a signal after some steps; return exit code, stderr and the work that the end took."""
    process = start(*arguments)
    assert process.stderr is not None
    while f"step {after}/" not in process.stderr.readline():
        assert process.poll() is None
    return end_by(number, process)


def end_by(number: int, process: subprocess.Popen[str]) -> tuple[int, str, float]:
    """Send a signal; return exit code, stderr and the CPU seconds that ending took, workers included.

    On an idle machine these are about the seconds that somebody waits; on a busy one those prove nothing.
    """
    tree = [
        process.pid,
        *map(int, Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()),
    ]
    before, spent = _waited_for(), sum(map(_cpu_s, tree))
    process.send_signal(number)
    _, err = process.communicate(timeout=300)
    return process.returncode, err, _waited_for() - before - spent


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _waited_for() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.fixture
def finish(done) -> Finish:
    """Run a command to its end, in this process, and return what it says on stderr."""
    return lambda *arguments: done(*arguments, "--threads", 1, "-v").err


def assert_same_arrays(one: Path, other: Path) -> None:
    left, right = read_store(one).arrays, read_store(other).arrays
    assert left.keys() == right.keys()
    assert all(np.array_equal(left[name], right[name]) for name in left)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_base_and_adapter_go_on_to_the_same_bits(finish, tmp_path, number):
    """Exit code 75 within two seconds; the next run takes the rest of the steps, not all of them."""
    problem = tmp_path / "long.yaml"
    problem.write_text(LONG)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    finish("pretrain", problem, "-o", whole)
    code, err, seconds = stop_in_the_middle(number, "pretrain", problem, "-o", parts)
    assert (code, seconds < 2) == (75, True), (seconds, err)
    assert "long base: stopped by a signal after step" in err
    assert (parts / "work" / "base.checkpoint.h5").is_file()
    assert not (parts / "base.h5").exists()
    err = finish("pretrain", problem, "-o", parts)
    went_on = re.search(r"long base: going on after step (\d+)", err)
    assert went_on is not None
    assert 19 <= int(went_on[1]) < 120
    assert f"step {went_on[1]}/" not in err
    assert_same_arrays(whole / "base.h5", parts / "base.h5")
    assert list((parts / "work").iterdir()) == []
    history = read_store(parts / "base.h5").meta["history"]
    assert (history["step"][0], history["step"][-1]) == (1, 120)
    if number == signal.SIGTERM:  # one way is enough for adapters
        return
    finish("finetune", whole, "--lambda", "0.5,1")
    code, err, seconds = stop_in_the_middle(number, "finetune", parts, "--lambda", "0.5,1")
    assert (code, seconds < 2) == (75, True), (seconds, err)
    assert [path.name for path in (parts / "work").iterdir()] == ["lambda=0.5.checkpoint.h5"]
    finish("finetune", parts, "--lambda", "0.5,1")
    for name in ("lambda=0.5.h5", "lambda=1.h5"):
        assert_same_arrays(whole / "adapters" / name, parts / "adapters" / name)


def test_workers_save_their_states_too(finish, tmp_path):
    problem = tmp_path / "long.yaml"
    problem.write_text(LONG.replace("{steps: 120, points: 80", "{steps: 600, points: 80"))
    run = tmp_path / "run"
    finish("pretrain", problem, "-o", run, "--set", "training.steps=5")
    process = start("finetune", run, "--lambda", "0.5,1", "--jobs", 2)
    states = [run / "work" / f"lambda={value}.running.json" for value in ("0.5", "1")]
    _wait_until(lambda: all(_step(path) > 0 for path in states), process)
    code, err, seconds = end_by(signal.SIGINT, process)
    assert code == 75, err
    assert seconds < 2.5  # of three processes
    names = sorted(path.name for path in (run / "work").iterdir())
    assert names == ["lambda=0.5.checkpoint.h5", "lambda=1.checkpoint.h5"]
    finish("finetune", run, "--lambda", "0.5", "--tag", "whole")
    finish("finetune", run, "--lambda", "0.5")
    assert_same_arrays(run / "adapters" / "lambda=0.5.h5", run / "adapters" / "lambda=0.5.whole.h5")


def _step(path: Path) -> int:
    try:
        return int(json.loads(path.read_text())["step"])
    except (OSError, ValueError):
        return 0


def _wait_until(condition, process, seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


# --- kill -9 ---------------------------------------------------------------------------------


def kill_at_random(finish: Finish, folder: Path, *, rounds: int, seed: int = 0) -> int:
    """Kill ``finetune`` at random moments until it ends; return how often it was killed.

    After every kill all files verify, and whatever was finished stays as it was.
    """
    problem, run, whole = folder / "long.yaml", folder / "run", folder / "whole"
    problem.write_text(LONG)
    values = ["--lambda", "0:1:5"]
    for place in (run, whole):
        finish("pretrain", problem, "-o", place, "--set", "training.steps=5")
    finish("finetune", whole, *values)
    draw, kills, finished = random.Random(seed), 0, {}
    while kills < rounds:
        process = start("finetune", run, *values, "--force" if kills % 7 == 6 else "-v")
        try:
            process.communicate(timeout=draw.uniform(0.3, 6.0))
            assert process.returncode == 0
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
        for path in run.rglob("[!.]*.h5"):
            read_store(path)
        for path, old in finished.items():
            assert path.is_file(), old
        finished = {path: path.read_bytes() for path in (run / "adapters").glob("[!.]*.h5")}
        if len(finished) == 5 and kills < rounds:
            for path in finished:
                path.unlink()
            finished = {}
    finish("finetune", run, *values)
    for path in (whole / "adapters").iterdir():
        assert_same_arrays(path, run / "adapters" / path.name)
    assert not [path for path in run.rglob(".*") if path.is_file()]
    assert list((run / "work").iterdir()) == []
    return kills


@pytest.mark.slow
def test_killed_at_random_moments_from_the_first_import_on(finish, tmp_path):
    """As the shell starts it; `test_faults` kills two hundred times in training and saving."""
    assert kill_at_random(finish, tmp_path, rounds=40) == 40


# --- the file --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def _stopped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stopped")
    (folder / "long.yaml").write_text(LONG)
    stop_in_the_middle(signal.SIGTERM, "pretrain", folder / "long.yaml", "-o", folder / "run", after=2)
    return folder


@pytest.fixture
def checkpoint(_stopped, tmp_path):
    """The checkpoint of a base that was stopped."""
    shutil.copytree(_stopped, tmp_path, dirs_exist_ok=True)
    return tmp_path / "run" / "work" / "base.checkpoint.h5"


def test_a_checkpoint_of_other_settings_or_of_another_version_is_not_used(checkpoint, monkeypatch):
    settings = read_store(checkpoint).meta["settings_hash"]
    state = read_checkpoint(checkpoint, settings, torch.device("cpu"))
    assert state is not None
    assert state.steps >= 1
    assert read_checkpoint(checkpoint, "0" * 64, torch.device("cpu")) is None
    assert read_checkpoint(checkpoint.with_name("none.h5"), settings, torch.device("cpu")) is None
    monkeypatch.setattr(checkpoints, "version", lambda _: "99")
    assert read_checkpoint(checkpoint, settings, torch.device("cpu")) is None
    notes = Notes()
    assert Keeper(checkpoint, "0" * 64, notes).restore(torch.device("cpu")) is None
    said = "is of a training with another seed, other settings or another version"
    assert notes.texts == [f"starting afresh: {checkpoint} {said}"]
    assert Keeper(checkpoint.with_name("none.h5"), settings, notes).restore(torch.device("cpu")) is None
    assert len(notes.texts) == 1


def test_a_checkpoint_keeps_where_the_parametrisation_before_stood(checkpoint):
    """Ranks that grew are made again from it."""
    settings = read_store(checkpoint).meta["settings_hash"]
    state = read_checkpoint(checkpoint, settings, torch.device("cpu"))
    assert state.origin.theta is None
    theta = torch.linspace(0, 1, 7, dtype=torch.float64)
    grown = replace(state, origin=replace(state.origin, theta=theta))
    checkpoints.write_checkpoint(checkpoint, settings, grown)
    again = read_checkpoint(checkpoint, settings, torch.device("cpu"))
    assert torch.equal(again.origin.theta, theta)


def test_a_damaged_checkpoint_is_named_and_training_starts_afresh(finish, checkpoint):
    settings = read_store(checkpoint).meta["settings_hash"]
    checkpoint.write_bytes(checkpoint.read_bytes()[:-1])
    with pytest.raises(DamagedFileError, match=r"base\.checkpoint\.h5"):
        read_checkpoint(checkpoint, settings, torch.device("cpu"))
    run = checkpoint.parent.parent
    err = finish("pretrain", run.parent / "long.yaml", "-o", run)
    assert "starting afresh: " in err
    assert (run / "base.h5").is_file()


def test_a_stop_whose_state_cannot_be_saved_says_so_and_ends_the_sweep(pinnkan, run, monkeypatch):
    """No fault of one value, after which the next would be trained."""

    def full(path, *_arguments, **_options):
        raise FileAccessError(f"cannot write {path}: No space left on device")

    take = Keeper.__call__

    def interrupted(keeper, state):
        take(keeper, state)
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints, "write_store", full)
    monkeypatch.setattr(Keeper, "__call__", interrupted)
    answer = pinnkan("finetune", run, "--lambda", "0.25,1")
    path = run / "work" / "lambda=0.25.checkpoint.h5"
    assert answer.code == 74
    assert f"lambda=0.25: stopped by a signal, its state is lost: cannot write {path}: No space" in answer.err
    assert "lambda=1: " not in answer.err
    assert not [one for one in (run / "adapters").iterdir() if "0.5" not in one.name]


def test_a_checkpoint_that_cannot_be_removed_is_named(checkpoint, monkeypatch):
    def refuse(_path, missing_ok=False):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(FileAccessError, match=r"cannot remove .*base\.checkpoint\.h5: Permission denied"):
        Keeper(checkpoint, "0" * 64, Silent()).discard()


class Notes(Silent):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)


def test_a_disk_that_takes_no_checkpoints_does_not_stop_the_training(checkpoint, monkeypatch):
    """It is said once; a stop by a signal then has nothing to save, which is an error."""
    settings = read_store(checkpoint).meta["settings_hash"]
    state = read_checkpoint(checkpoint, settings, torch.device("cpu"))
    monkeypatch.setattr(checkpoints, "SAVE_EVERY_S", 0.0)
    (checkpoint.parent / "file").write_text("no folder")
    notes = Notes()
    keeper = Keeper(checkpoint.parent / "file" / "base.checkpoint.h5", settings, notes)
    for _ in range(3):
        keeper(state)
    assert len(notes.texts) == 1
    assert notes.texts[0].startswith("no checkpoints from now on: cannot write ")
    with pytest.raises(FileAccessError, match="cannot write"):
        keeper.save()


def test_states_are_written_every_so_often(checkpoint, monkeypatch):
    """Without a signal: what a power cut costs is a minute."""
    settings = read_store(checkpoint).meta["settings_hash"]
    state = read_checkpoint(checkpoint, settings, torch.device("cpu"))
    path = checkpoint.with_name("other.checkpoint.h5")
    keeper = Keeper(path, settings, Silent())
    keeper(state)
    assert not path.exists()
    monkeypatch.setattr(checkpoints, "SAVE_EVERY_S", 0.0)
    keeper(state)
    again = read_checkpoint(path, settings, torch.device("cpu"))
    assert torch.equal(again.inner.best.theta, state.inner.best.theta)
    assert again.inner.reports == state.inner.reports[: state.inner.steps]
    assert (again.inner.lowest, again.seconds, again.trainable) == (
        state.inner.lowest,
        state.seconds,
        state.trainable,
    )


def test_force_begins_afresh(finish, checkpoint):
    run = checkpoint.parent.parent
    err = finish("pretrain", run.parent / "long.yaml", "-o", run, "--force")
    assert "going on" not in err
    assert "step 1/" in err

"""What a training that is stopped leaves behind: a state to go on from, whole, its own, or named as damaged.

That it goes on to the same bits, `test_faults` shows.
"""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_family import TINY

from pinnkan.ground.errors import DamagedFileError, FileAccessError
from pinnkan.ground.progress import Silent
from pinnkan.storage.runs import checkpoints
from pinnkan.storage.runs.checkpoints import Keeper, read_checkpoint
from pinnkan.storage.store import read_store

Finish = Callable[..., str]
LONG = TINY.replace("{steps: 6}", "{steps: 120, patience: 0}").replace(
    "{steps: 4, points: 80}", "{steps: 120, points: 80, patience: 0}"
)


def start(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pinnkan", *map(str, arguments), "--threads", "1", "-v"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def stop_in_the_middle(number: int, *arguments: object) -> tuple[int, str]:
    """Send a signal after two steps; return exit code and stderr."""
    process = start(*arguments)
    assert process.stderr is not None
    while "step 2/" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(number)
    _, err = process.communicate(timeout=300)
    return process.returncode, err


@pytest.fixture
def finish(done) -> Finish:
    """Run a command to its end, in this process, and return what it says on stderr."""
    return lambda *arguments: done(*arguments, "--threads", 1, "-v").err


def assert_same_arrays(one: Path, other: Path) -> None:
    left, right = read_store(one).arrays, read_store(other).arrays
    assert left.keys() == right.keys()
    assert all(np.array_equal(left[name], right[name]) for name in left)


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
    code, err = stop_in_the_middle(signal.SIGTERM, "pretrain", folder / "long.yaml", "-o", folder / "run")
    assert code == 75, err
    assert "long base: stopped by a signal after step" in err
    assert [path.name for path in (folder / "run").rglob("*.h5")] == ["base.checkpoint.h5"]
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
    assert torch.equal(again.inner.points.drawn_at, state.inner.points.drawn_at)
    points = [replace(own.inner.points, drawn_at=None) for own in (again, state)]
    assert (points[0], again.seconds, again.trainable) == (points[1], state.seconds, state.trainable)


def test_force_begins_afresh(finish, checkpoint):
    run = checkpoint.parent.parent
    err = finish("pretrain", run.parent / "long.yaml", "-o", run, "--force")
    assert "going on" not in err
    assert "step 1/" in err

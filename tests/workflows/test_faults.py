"""Whole commands against kills, refusals of the system, full disks and each other: nothing finished is lost.

Each test runs a script beside this file in a fork of one warm process; its commands are forks, too.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs fork, /proc and SIGKILL")

HERE = Path(__file__).parent
SLOW = pytest.mark.slow
OWN_MOUNTS = ["unshare", "--mount", *(["--map-root-user"] if os.geteuid() else [])]


Report = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def may_mount(tmp_path_factory) -> bool:
    """Whether this machine lets us mount something in a mount namespace of our own."""
    probe = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path_factory.mktemp("probe"))]
    try:
        return subprocess.run([*OWN_MOUNTS, *probe], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.fixture(scope="module")
def report(tmp_path_factory, may_mount) -> Iterator[Report]:
    """Run a script in a fork of one warm process and return what it reports."""
    words = [*OWN_MOUNTS * may_mount, sys.executable, str(HERE / "warm_server.py")]
    words.append(str(tmp_path_factory.mktemp("warm")))
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:

        def reported(script: str, *arguments: object) -> dict[str, Any]:
            assert server.stdin is not None
            assert server.stdout is not None
            server.stdin.write(json.dumps([script, *arguments], default=str) + "\n")
            server.stdin.flush()
            code, out, err = json.loads(server.stdout.readline())
            assert code == 0, err[-3000:]
            found: dict[str, Any] = json.loads(out.splitlines()[-1])
            return found

        yield reported


@pytest.mark.parametrize("kills", [6, pytest.param(200, marks=SLOW)])
def test_killed_at_random_moments_of_training_and_saving(report, tmp_path, kills):
    """SIGKILL, also to the workers of --jobs, then the same command again, and so on.

    After every kill all files verify, what was finished is there, and equals that of an unkilled run.
    """
    found = report("kill_commands", tmp_path, kills, kills)
    assert found["wrong"] == []
    stages = found["stages"]
    assert sum(stages.values()) == kills
    for stage in ("training", "saving a checkpoint", "saving an adapter"):
        assert stages.get(stage, 0) >= max(1, kills // 10), found
    assert found["went_on"] >= kills // 10, found
    # Of dead writers, gone at the end; six kills may leave none.
    assert found["leftovers"] >= kills // 20, found
    assert found["kept"] == [found["own"]]  # that of a live one


def test_stopped_trainings_go_on_to_the_same_bits(report, tmp_path):
    """Exit code 75 within two seconds; the next run takes the rest of the steps, not all of them."""
    found = report("stop_commands", tmp_path)
    assert (found["wrong"], found["compared"]) == ([], 3)
    checkpoints = {
        "pretrain, SIGINT": ["base"],
        "pretrain, SIGTERM": ["base"],
        "finetune, SIGTERM": ["lambda=0.5"],
        "finetune --jobs, SIGINT": ["lambda=0.5", "lambda=1"],
    }
    assert found["stops"].keys() == checkpoints.keys()
    for name, stems in checkpoints.items():
        told = found["stops"][name]
        assert (told["code"], told["seconds"] < 2) == (75, True), told
        assert "stopped by a signal" in told["err"]
        assert told["left"] == [f"{stem}.checkpoint.h5" for stem in stems]
        went_on = re.findall(r"^(.*): going on after step (\d+)$", told["then"], re.MULTILINE)
        assert len(went_on) == len(stems) or "--jobs" in name, told["then"]
        for title, step in went_on:
            assert 5 <= int(step) < 30
            assert f"{title}: lm: step {step}/30" not in told["then"]
            assert f"{title}: lm: step {int(step) + 1}/30" in told["then"]


@pytest.mark.parametrize("every", [25, pytest.param(1, marks=SLOW)])
def test_each_refused_call_is_named_and_costs_nothing_that_was_there(report, tmp_path, every):
    found = report("fail_commands", tmp_path, every)
    assert found["wrong"] == []
    calls = {name: sum(counts.values()) for name, counts in found["counts"].items()}
    assert found["failed"] >= sum(calls.values()) // every - len(calls), found
    for name, counts in found["counts"].items():
        assert counts["fsync"] >= 2, (name, counts)  # file and folder; news are not flushed
        assert min(counts["open"], counts["write"], counts["replace"], counts["unlink"]) >= 2, (name, counts)


@pytest.mark.parametrize("rounds", [2, pytest.param(50, marks=SLOW)])
def test_eight_processes_that_finish_one_value_at_once(report, tmp_path, rounds):
    """All succeed, and one whole file is there, with the numbers of a training that was alone."""
    assert report("crowd_commands", tmp_path, rounds) == {"rounds": rounds, "wrong": []}


def test_a_full_disk_and_a_read_only_one(report, tmp_path, may_mount):
    """A real file system of 1 MB in a mount namespace of its own, filled at every stage."""
    if not may_mount:
        pytest.skip("this machine lets us mount nothing")
    found = report("full_disk", tmp_path)
    assert found["wrong"] == []
    codes = {name: code for name, (code, _) in found["said"].items()}
    assert codes.pop("finetune, some fit") == 1
    assert set(codes.values()) == {74}
    assert len(codes) == 11

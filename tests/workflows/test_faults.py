"""Whole commands against kills, refusals of the system, full disks and each other: nothing finished is lost.

Each test runs a script beside this file, in which commands are forked from one warm process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs fork, /proc and SIGKILL")

HERE = Path(__file__).parent
SLOW = pytest.mark.slow
OWN_MOUNTS = ["unshare", "--mount", *(["--map-root-user"] if os.geteuid() else [])]


def report(script: str, *arguments: object, within: list[str] | None = None) -> dict[str, Any]:
    """Run a script and return what it reports."""
    words = [*(within or []), sys.executable, str(HERE / script), *map(str, arguments)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-3000:]
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("kills", [10, pytest.param(200, marks=SLOW)])
def test_killed_at_random_moments_of_training_and_saving(tmp_path, kills):
    """SIGKILL, also to the workers of --jobs, then the same command again, and so on.

    After every kill all files verify, what was finished is there, and equals that of an unkilled run.
    """
    found = report("kill_commands.py", tmp_path, kills, kills)
    assert found["wrong"] == []
    stages = found["stages"]
    assert sum(stages.values()) == kills
    for stage in ("training", "saving a checkpoint", "saving an adapter"):
        assert stages.get(stage, 0) >= max(1, kills // 10), found
    assert found["went_on"] >= kills // 10, found
    # Of dead writers, gone at the end; ten kills may leave none.
    assert found["leftovers"] >= kills // 20, found
    assert found["kept"] == [found["own"]]  # that of a live one


@pytest.mark.parametrize("every", [15, pytest.param(1, marks=SLOW)])
def test_each_refused_call_is_named_and_costs_nothing_that_was_there(tmp_path, every):
    found = report("fail_commands.py", tmp_path, every)
    assert found["wrong"] == []
    calls = {name: sum(counts.values()) for name, counts in found["counts"].items()}
    assert found["failed"] >= sum(calls.values()) // every - len(calls), found
    for name, counts in found["counts"].items():
        assert counts["fsync"] >= 2, (name, counts)  # file and folder; news are not flushed
        assert min(counts["open"], counts["write"], counts["replace"], counts["unlink"]) >= 2, (name, counts)


@pytest.mark.parametrize("rounds", [3, pytest.param(50, marks=SLOW)])
def test_eight_processes_that_finish_one_value_at_once(tmp_path, rounds):
    """All succeed, and one whole file is there, with the numbers of a training that was alone."""
    assert report("crowd_commands.py", tmp_path, rounds) == {"rounds": rounds, "wrong": []}


def test_a_full_disk_and_a_read_only_one(tmp_path):
    """A real file system of 1 MB in a mount namespace of its own, filled at every stage."""
    (tmp_path / "probe").mkdir()
    probe = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path / "probe")]
    try:
        allowed = subprocess.run([*OWN_MOUNTS, *probe], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        allowed = False
    if not allowed:
        pytest.skip("this machine lets us mount nothing")
    found = report("full_disk.py", tmp_path, within=OWN_MOUNTS)
    assert found["wrong"] == []
    codes = {name: code for name, (code, _) in found["said"].items()}
    assert codes.pop("finetune, some fit") == 1
    assert set(codes.values()) == {74}
    assert len(codes) == 11

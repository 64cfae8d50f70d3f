"""Every run of the tests gives a file to the same process, and both processes about the same work."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from halves import SECONDS, half_of

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_long_files_are_spread_evenly(processes):
    loads = [0.0] * processes
    for file, seconds in SECONDS.items():
        loads[half_of(file, processes)] += seconds
    assert max(loads) - min(loads) <= max(SECONDS.values())
    assert max(loads) <= 1.2 * sum(loads) / processes


def test_long_files_are_there():
    assert [file for file in SECONDS if not (ROOT / file).is_file()] == []


def test_two_processes_of_one_thread_run_each_file_whole(tmp_path):
    names = [f"test_{letter}.py" for letter in "abcdef"]
    test = "import os\ndef test_1(): assert os.environ['OMP_NUM_THREADS'] == '1'\ndef test_2(): test_1()\n"
    for name in names:
        (tmp_path / name).write_text(test)
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    (tmp_path / "pytest.ini").write_text(f"[pytest]\npythonpath = {ROOT / 'tests'}\nfilterwarnings = error\n")
    command = [sys.executable, "-m", "pytest", "-n", "2", "-v", "-p", "no:cacheprovider"]
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    run = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 0, run.stdout
    assert "12 passed in" in run.stdout.splitlines()[-1]
    ran = set(re.findall(r"\[(gw\d)\] .* PASSED (\w+\.py)", run.stdout))
    halves = [{file for worker, file in ran if worker == name} for name in ("gw0", "gw1")]
    expected = [{file for file in names if half_of(file, 2) == half} for half in (0, 1)]
    assert sorted(halves, key=sorted) == sorted(expected, key=sorted)
    assert all(expected)

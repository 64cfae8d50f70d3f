"""Processes that die while they save, and processes that save the same path at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from store_files import adapter_arrays, adapter_meta, saved_adapter

from pinnkan.ground.files import clean_leftovers
from pinnkan.storage.store import read_store, write_store

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")

HERE = Path(__file__).parent
WRITERS = 8
SLOW = pytest.mark.slow


@pytest.mark.parametrize("kills", [30, pytest.param(500, marks=SLOW)])
def test_a_killed_save_leaves_the_old_or_the_new_file_complete(tmp_path, kills):
    run = [sys.executable, str(HERE / "kill_saves.py"), str(tmp_path), str(kills), "0"]
    result = subprocess.run(run, capture_output=True, text=True, timeout=60 + kills, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    counts = json.loads(result.stdout)
    for name, count in (("calls", 40), ("moments", kills)):
        found = counts[name]
        assert found["old"] + found["new"] == count, counts
        assert found["broken"] == found["unknown_files"] == 0, counts
    # Killed at every call of a save: before the rename the old file, behind it the new one; both were met.
    calls = counts["calls"]
    assert calls["killed"] >= 8
    assert calls["old"] >= 6
    assert calls["new"] >= 2
    assert calls["leftovers"] >= 4
    assert counts["moments"]["killed"] >= kills // 10, counts


@pytest.mark.parametrize("rounds", [5, pytest.param(50, marks=SLOW)])
def test_processes_that_save_one_path_at_once_never_meet(tmp_path, rounds):
    folder, start = tmp_path / "adapters", tmp_path / "start"
    path = folder / "lambda=0.1.h5"
    expected = {saved_adapter(tmp_path / f"{seed}.h5", seed) for seed in range(WRITERS)}
    run = [sys.executable, str(HERE / "save_often.py"), str(path), str(rounds)]
    writers = [
        subprocess.Popen([*run, str(seed), str(start)], stderr=subprocess.PIPE, text=True)
        for seed in range(WRITERS)
    ]
    start.touch()
    faults = [writer.communicate(timeout=60 + rounds)[1] for writer in writers]
    assert faults == [""] * WRITERS
    assert [writer.returncode for writer in writers] == [0] * WRITERS
    assert path.read_bytes() in expected
    assert os.listdir(folder) == [path.name]
    assert clean_leftovers(folder) == ()


def test_threads_that_save_one_path_at_once_never_meet(tmp_path):
    path = tmp_path / "a.h5"
    expected = {saved_adapter(tmp_path / f"{seed}.h5", seed) for seed in range(4)}
    faults: list[Exception] = []

    def work(seed: int) -> None:
        try:
            for _ in range(5):
                write_store(path, "adapter", arrays=adapter_arrays(seed), meta=adapter_meta(seed))
                read_store(path)
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert path.read_bytes() in expected
    assert len(os.listdir(tmp_path)) == 5

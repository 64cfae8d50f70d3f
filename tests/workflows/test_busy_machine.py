"""Every way in lets OpenMP's threads wait asleep, and a command that trains says that a machine is busy."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import pinnkan
from pinnkan.ground.machine import WAITING, crowding

ROOT = Path(pinnkan.__file__).parents[1]


STOPS_AT_TORCH = """import ctypes, os, sys
ctypes.CDLL(LIBRARY)
sys.stderr.flush()
os._exit(0)
"""
"""A torch that loads its OpenMP library, which says how its threads will wait: the real one takes seconds."""


@pytest.fixture
def spins(tmp_path) -> Callable[..., list[str]]:
    """Run Python as far as its import of torch; return how long threads spin, as the library itself says."""
    spec = importlib.util.find_spec("torch")
    assert spec is not None
    (library,) = Path(spec.submodule_search_locations[0]).glob("lib/libgomp*.so*")
    (tmp_path / "torch.py").write_text(STOPS_AT_TORCH.replace("LIBRARY", repr(str(library))))

    def run(*arguments: object, **said: str) -> list[str]:
        inherited = {name: value for name, value in os.environ.items() if name not in WAITING}
        path = os.pathsep.join([str(tmp_path), str(ROOT)])
        done = subprocess.run(
            [sys.executable, *map(str, arguments)],
            env={**inherited, "PYTHONPATH": path, "OMP_DISPLAY_ENV": "verbose", **said},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        return re.findall(r"GOMP_SPINCOUNT = '(\d+)'", done.stderr)

    return run


WAYS_IN = {
    "module": ("-m", "pinnkan", "pretrain", "elliptic"),
    "script": (
        "-c",
        "import sys; sys.argv[1:] = ['check', 'elliptic']; from pinnkan.cli.app import main; main()",
    ),
    "load": ("-c", "import pinnkan; pinnkan.load"),
    "ReducedBasis": ("-c", "from pinnkan import ReducedBasis"),
    "Dask": ("-c", "from pinnkan.sweeps.dask import unpack_and_train as train; train(None)"),
}


@pytest.mark.parametrize("way", WAYS_IN)
def test_every_way_in_lets_threads_wait_asleep(spins, way):
    assert spins(*WAYS_IN[way]) == ["0"]


def test_threads_spin_where_nobody_prevents_it(spins):
    assert int(*spins("-c", "import torch")) > 0


def test_what_the_user_says_about_waiting_stands(spins):
    assert spins(*WAYS_IN["load"], GOMP_SPINCOUNT="1234") == ["1234"]


def test_importing_pinnkan_sets_nothing():
    code = "import os, pinnkan; print(os.environ.get('OMP_WAIT_POLICY'))"
    inherited = {name: value for name, value in os.environ.items() if name not in WAITING}
    run = subprocess.run(
        [sys.executable, "-c", code], env=inherited, capture_output=True, text=True, check=True
    )
    assert run.stdout == "None\n"


@pytest.mark.parametrize(
    "command",
    [
        ("pretrain", "FOLDER/tiny.yaml", "-o", "FOLDER/new"),
        ("finetune", "FOLDER/tiny", "--lambda", "0.25,0.75"),
        ("fit", "x^2", "--domain", "x=0:1", "--set", "training.steps=1", "-o", "FOLDER/fit"),
    ],
    ids=lambda command: " ".join(command[:1] + command[4:]),
)
def test_a_training_on_a_busy_machine_says_so_once(done, folder, monkeypatch, command):
    monkeypatch.setattr(os, "getloadavg", lambda: (50.0 * os.cpu_count(), 0.0, 0.0))
    monkeypatch.setattr("pinnkan.ground.machine._others_at_work", lambda load: load)
    answer = done(*(word.replace("FOLDER", str(folder)) for word in command))
    assert answer.err.count("oversubscribed") == 1
    assert f"{crowding(None)}\n" in answer.err
    assert answer.err.index("oversubscribed") < answer.err.index("wrote")


def test_nothing_is_said_where_nothing_is_trained(done, run, monkeypatch):
    monkeypatch.setattr(os, "getloadavg", lambda: (50.0 * os.cpu_count(), 0.0, 0.0))
    monkeypatch.setattr("pinnkan.ground.machine._others_at_work", lambda load: load)
    assert "oversubscribed" not in done("finetune", run, "--lambda", "0.5").err
    assert done("finetune", run, "--lambda", "0.6", "-q").err == ""

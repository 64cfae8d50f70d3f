"""Temporary files of dead writers go; those of live writers, of other hosts and of others' programs stay."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from store_files import adapter_arrays

from pinnkan.ground.files import clean_leftovers, leftovers
from pinnkan.storage.store import write_store

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="leftovers stay there")


@pytest.fixture(autouse=True)
def host(monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "node_17.cluster")
    return "node-17-cluster"


@pytest.fixture
def dead_pid():
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def put(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(b"half a file")
    return path


def test_files_of_dead_writers_are_removed(tmp_path, host, dead_pid):
    gone = [put(tmp_path, f".lambda=0.{i}.h5.tmp.{host}.{dead_pid}.{i}") for i in range(3)]
    kept = put(tmp_path, "lambda=0.1.h5")
    assert clean_leftovers(tmp_path) == tuple(gone)
    assert list(tmp_path.iterdir()) == [kept]
    assert clean_leftovers(tmp_path) == ()


@pytest.mark.parametrize(
    "name",
    [
        ".a.h5.tmp.other-host.{dead}.0",
        ".a.h5.tmp.{host}.1.0",
        ".a.h5.tmp.{host}.{parent}.0",
        "a.h5.tmp.{host}.{dead}.0",
        ".a.h5.tmp.{host}.{dead}.0.h5",
        ".a.h5.tmp.{host}.{dead}",
        ".tmp.{host}.{dead}.0",
        ".a.h5.tmp.{host}.x.0",
        "a.h5",
    ],
)
def test_files_that_nobody_abandoned_here_stay(tmp_path, host, dead_pid, name):
    put(tmp_path, name.format(host=host, dead=dead_pid, parent=os.getppid()))
    assert clean_leftovers(tmp_path) == ()
    assert len(os.listdir(tmp_path)) == 1


def test_a_locked_file_stays_though_its_pid_is_dead(tmp_path, host, dead_pid):
    path = put(tmp_path, f".a.h5.tmp.{host}.{dead_pid}.0")
    with open(path, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert clean_leftovers(tmp_path) == ()
    assert clean_leftovers(tmp_path) == (path,)


def test_folders_links_and_pipes_of_such_names_stay(tmp_path, host, dead_pid):
    target = put(tmp_path, "precious")
    (tmp_path / f".a.tmp.{host}.{dead_pid}.0").mkdir()
    (tmp_path / f".b.tmp.{host}.{dead_pid}.0").symlink_to(target)
    assert clean_leftovers(tmp_path) == ()
    assert target.exists()
    assert len(os.listdir(tmp_path)) == 3


def test_our_own_pid_of_an_earlier_life_is_dead(tmp_path, host):
    old, new = (put(tmp_path, f".a.h5.tmp.{host}.{os.getpid()}.{i}") for i in (1_000_000, 1_000_001))
    os.utime(old, (time.time() - 9e4, time.time() - 9e4))
    assert clean_leftovers(tmp_path) == (old,)
    assert new.exists()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc")
def test_a_killed_writer_that_nobody_waited_for_is_dead(tmp_path, host):
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    path = put(tmp_path, f".a.h5.tmp.{host}.{child.pid}.0")
    assert clean_leftovers(tmp_path) == ()
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert clean_leftovers(tmp_path) == (path,)
    child.communicate()


def test_a_stale_file_of_our_name_is_stepped_over(tmp_path, host, monkeypatch):
    monkeypatch.setattr(leftovers, "_COUNTER", iter([0, 1, 2]))
    stale = put(tmp_path, f".a.h5.tmp.{host}.{os.getpid()}.0")
    write_store(tmp_path / "a.h5", "adapter", arrays=adapter_arrays(), meta={})
    assert sorted(os.listdir(tmp_path)) == [stale.name, "a.h5"]


def test_a_live_writer_is_left_alone(tmp_path, monkeypatch):
    seen = []

    def fsync(descriptor: int, sync=os.fsync) -> None:
        if not seen:
            seen.append((os.listdir(tmp_path), in_another_process(tmp_path)))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    write_store(tmp_path / "a.h5", "adapter", arrays=adapter_arrays(), meta={})
    ((names, removed_by_other),) = seen
    assert len(names) == 1
    assert names[0].startswith(f".a.h5.tmp.node-17-cluster.{os.getpid()}.")
    assert removed_by_other == "()\n"
    assert os.listdir(tmp_path) == ["a.h5"]


def in_another_process(folder: Path) -> str:
    code = (
        "import socket, sys; socket.gethostname = lambda: 'node_17.cluster';"
        "from pinnkan.ground.files import clean_leftovers; print(clean_leftovers(sys.argv[1]))"
    )
    return subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.parametrize("name", ["open", "unlink", "lstat"])
def test_what_cannot_be_removed_stops_nobody(tmp_path, host, dead_pid, monkeypatch, name):
    path = put(tmp_path, f".a.h5.tmp.{host}.{dead_pid}.0")

    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, name, refuse)
    assert clean_leftovers(tmp_path) == ()
    monkeypatch.undo()
    assert path.exists()


def test_a_missing_folder_has_no_leftovers(tmp_path):
    assert clean_leftovers(tmp_path / "nowhere") == ()

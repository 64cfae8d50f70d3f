"""Hostile files with a right checksum: refused in one line, and nothing else on the disk is opened."""

from __future__ import annotations

import ctypes
import os
import re
import struct
import sys
import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pytest
from hostile_gallery import ENTRY, GALLERY, crafted, put_json
from store_files import adapter_arrays, adapter_meta, saved_adapter

from pinnkan.ground.errors import DamagedFileError
from pinnkan.storage.store import read_store, write_store
from pinnkan.storage.store.layout import user_block

AUDITED: list[str] = []
WATCHING = False


def audit(event: str, arguments: tuple[object, ...]) -> None:
    if WATCHING and event in {"open", "os.listdir", "os.scandir", "ctypes.dlopen", "subprocess.Popen"}:
        AUDITED.append(f"{event} {arguments[0]}")


class Watch:
    """What is opened during a block: by Python (audit hook), and by libhdf5 in one folder (inotify)."""

    hooked = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python: list[str] = []
        self.library: list[str] = []

    def __enter__(self) -> Watch:
        global WATCHING
        if not Watch.hooked:
            sys.addaudithook(audit)
            Watch.hooked = True
        libc = ctypes.CDLL(None, use_errno=True)
        self.descriptor = libc.inotify_init1(os.O_NONBLOCK)
        assert libc.inotify_add_watch(self.descriptor, os.fsencode(self.folder), 0x20) > 0  # IN_OPEN
        AUDITED.clear()
        WATCHING = True
        return self

    def __exit__(self, *unused: object) -> None:
        global WATCHING
        WATCHING = False
        self.python = list(AUDITED)
        try:
            events = os.read(self.descriptor, 1 << 16)
        except BlockingIOError:
            events = b""
        os.close(self.descriptor)
        while events:
            (length,) = struct.unpack_from("I", events, 12)
            self.library.append(events[16 : 16 + length].rstrip(b"\0").decode())
            events = events[16 + length :]


@pytest.fixture
def canary(tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    write_store(folder / "canary.h5", "adapter", arrays={"a": np.arange(3.0)}, meta={})
    return folder / "canary.h5"


@pytest.mark.skipif(sys.platform != "linux", reason="inotify")
def test_the_watch_sees_what_libhdf5_opens(tmp_path, canary):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["a"] = h5py.ExternalLink(str(canary), "/float64")
        with Watch(canary.parent) as watch:
            assert file["a"][0] == 0
    assert "canary.h5" in watch.library


def test_the_frame_of_the_gallery_is_accepted(tmp_path, canary):
    for kind in ("base", "adapter", "checkpoint"):
        path = crafted(tmp_path / "a.h5", lambda file, canary: None, canary, kind=kind)
        assert np.array_equal(read_store(path, kind=kind).arrays["a"], [0.0, 1.0, 2.0])


@pytest.mark.skipif(sys.platform != "linux", reason="inotify")
@pytest.mark.parametrize("kind", ["base", "adapter", "checkpoint"])
@pytest.mark.parametrize("name", GALLERY)
def test_hostile_file_is_refused_in_one_line_and_opens_nothing(tmp_path, canary, name, kind):
    edit, message = GALLERY[name]
    path = crafted(tmp_path / "hostile.h5", edit, canary, kind=kind)
    tracemalloc.start()
    with Watch(canary.parent) as watch, pytest.raises(DamagedFileError, match=message) as fault:
        read_store(path, kind=kind)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert re.fullmatch(r"[ -~]+hostile\.h5: [ -~]{10,300}", str(fault.value))
    assert set(watch.python) == {f"open {path}"}
    assert watch.library == []
    assert peak < 40 << 20


@pytest.mark.parametrize("libver", ["earliest", ("v108", "v108")])
def test_other_library_versions_of_the_same_layout_are_read(tmp_path, canary, libver):
    path = crafted(tmp_path / "a.h5", lambda file, canary: None, canary, libver=libver)
    assert np.array_equal(read_store(path).arrays["a"], [0.0, 1.0, 2.0])


def test_a_file_without_a_user_block_inside_is_refused(tmp_path):
    body = saved_adapter(tmp_path / "a.h5")[512:]
    path = tmp_path / "b.h5"
    path.write_bytes(user_block(b"\0" * 512 + body) + b"\0" * 512 + body)
    with pytest.raises(DamagedFileError, match=r"b\.h5: "):
        read_store(path)


def test_keys_of_a_newer_minor_version_are_ignored(tmp_path, canary):
    def newer(file: h5py.File, canary: Path) -> None:
        file.attrs["encoding-version"] = np.bytes_(b"1.7")
        put_json(file, {"arrays": {"a": {**ENTRY, "unit": "m"}}, "meta": {"new": 1}, "more": [1]})

    stored = read_store(crafted(tmp_path / "a.h5", newer, canary))
    assert (stored.version, stored.meta) == ("1.7", {"new": 1})


def test_reading_twice_in_a_row_gives_the_same(tmp_path):
    saved_adapter(tmp_path / "a.h5")
    first, second = read_store(tmp_path / "a.h5"), read_store(tmp_path / "a.h5")
    assert first.meta == second.meta == adapter_meta()
    assert all(np.array_equal(first.arrays[name], array) for name, array in adapter_arrays().items())

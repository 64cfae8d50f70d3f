"""Files appear whole or not at all."""

from __future__ import annotations

import errno
import os

import pytest

from pinnkan.ground.errors import FileAccessError
from pinnkan.ground.files import atomic_writer, replace_unsynced


def test_the_file_appears_at_the_end_only(tmp_path):
    path = tmp_path / "a.bin"
    with atomic_writer(path) as file:
        file.write(b"whole")
        assert not path.exists()
        assert [p.name for p in tmp_path.iterdir()] == [os.path.basename(file.name)]
        assert os.path.basename(file.name).startswith(".a.bin.tmp.")
    assert path.read_bytes() == b"whole"
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


@pytest.mark.parametrize("fault", [ValueError, KeyboardInterrupt])
def test_whatever_ends_the_block_leaves_the_old_file(tmp_path, fault):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def write_half():
        with atomic_writer(path) as file:
            file.write(b"half")
            raise fault

    with pytest.raises(fault):
        write_half()
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def test_full_disk(tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    with (
        pytest.raises(FileAccessError, match=r"cannot write .*a\.bin: No space left on device") as caught,
        atomic_writer(path) as file,
    ):
        file.write(b"new")
    assert caught.value.exit_code == 74
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def test_a_directory_that_cannot_be_synced_is_no_failure(tmp_path, monkeypatch):
    synced = []

    def only_files(descriptor):
        synced.append(descriptor)
        if len(synced) == 2:
            raise OSError(errno.EINVAL, "not for directories")

    monkeypatch.setattr(os, "fsync", only_files)
    with atomic_writer(tmp_path / "a.bin") as file:
        file.write(b"new")
    assert len(synced) == 2
    assert (tmp_path / "a.bin").read_bytes() == b"new"


def test_no_directory(tmp_path):
    with (
        pytest.raises(FileAccessError, match=r"cannot write .*none/a\.bin: No such file or directory"),
        atomic_writer(tmp_path / "none" / "a.bin"),
    ):
        pass


def test_a_directory_or_a_device_is_not_replaced(tmp_path):
    with pytest.raises(FileAccessError, match="Is a directory"), atomic_writer(tmp_path):
        pass
    with pytest.raises(FileAccessError, match="it is not a regular file"), atomic_writer("/dev/null"):
        pass


def test_a_link_keeps_its_place(tmp_path):
    real, link = tmp_path / "real.bin", tmp_path / "link.bin"
    real.write_bytes(b"old")
    link.symlink_to(real)
    with atomic_writer(link) as file:
        file.write(b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


def test_a_planted_link_under_the_temporary_name_is_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    with atomic_writer(tmp_path / "a.bin") as file:
        name = file.name
    os.symlink(victim, name)
    with atomic_writer(tmp_path / "a.bin") as file:
        file.write(b"new")
    assert victim.read_bytes() == b"precious"
    assert (tmp_path / "a.bin").read_bytes() == b"new"


def test_news_are_whole_and_not_flushed(tmp_path, monkeypatch):
    """How far a training is must not cost more than the step it tells of."""

    def refuse(_descriptor):
        raise AssertionError("flushed")

    monkeypatch.setattr(os, "fsync", refuse)
    replace_unsynced(tmp_path / "state.json", b"old")
    replace_unsynced(tmp_path / "state.json", b"new")
    assert (tmp_path / "state.json").read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]
    with pytest.raises(FileAccessError, match=r"cannot write .*/state\.json/x: "):
        replace_unsynced(tmp_path / "state.json" / "x", b"")

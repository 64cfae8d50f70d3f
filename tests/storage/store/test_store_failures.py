"""A system that refuses: each call of a save fails in turn; the old file stays and nothing else is left."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from store_files import adapter_arrays, adapter_meta, saved_adapter

from pinnkan.ground.errors import FileAccessError
from pinnkan.ground.files import require_writable
from pinnkan.storage.store import read_store, verify, write_store

CAUSES = (errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS, errno.EDQUOT)
IN_PLACE = "; the new file is in place, but a power cut may bring the old one back"


class FailingCall:
    """Stands in for a function of ``os``: counts its calls, and fails one of them."""

    def __init__(self, name: str, fail_at: int, code: int) -> None:
        self.call, self.fail_at, self.code, self.count = getattr(os, name), fail_at, code, 0

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        self.count += 1
        if self.count != self.fail_at:
            return self.call(*arguments, **options)
        if self.call.__name__ == "close":
            self.call(*arguments)  # Linux frees the descriptor even if close reports an error
        raise OSError(self.code, os.strerror(self.code))


def save(path: Path, name: str, fail_at: int, code: int = errno.EIO) -> int:
    """Save seed 1 while the n-th call of a function of ``os`` fails; returns how often it was called."""
    failing = FailingCall(name, fail_at, code)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, name, failing)
        write_store(path, "adapter", arrays=adapter_arrays(1), meta=adapter_meta(1))
    return failing.count


@pytest.mark.parametrize("code", CAUSES, ids=errno.errorcode.get)
@pytest.mark.parametrize(
    ("name", "calls"), {"open": 3, "write": 1, "fsync": 2, "close": 2, "replace": 1, "fstat": 1}.items()
)
def test_each_failing_call_is_reported_and_the_old_file_stays(tmp_path, name, calls, code):
    new = saved_adapter(tmp_path / "expected.h5", seed=1)
    path = tmp_path / "adapters" / "lambda=0.1.h5"
    old = saved_adapter(path)
    assert save(path, name, 0) == calls
    for fail_at in range(1, calls + 1):
        path.write_bytes(old)
        with pytest.raises(FileAccessError) as fault:
            save(path, name, fail_at, code)
        message = str(fault.value)
        assert message.startswith(f"cannot write {path}: ")
        assert os.strerror(code) in message
        assert "\n" not in message
        assert fault.value.exit_code == 74
        assert os.listdir(path.parent) == [path.name]
        # The second fsync and the second close are those of the folder, after the rename.
        renamed = name in {"fsync", "close"} and fail_at == 2
        assert message.endswith(IN_PLACE) == renamed
        assert path.read_bytes() == (new if renamed else old)


@pytest.mark.parametrize("code", CAUSES, ids=errno.errorcode.get)
@pytest.mark.parametrize("fail_at", [1, 2])
def test_a_folder_that_cannot_be_made_is_reported(tmp_path, code, fail_at):
    path = tmp_path / "runs" / "adapters" / "lambda=0.1.h5"
    assert save(tmp_path / "a" / "b" / "c.h5", "mkdir", 0) == 2
    with pytest.raises(FileAccessError, match=rf"cannot write .*lambda=0\.1\.h5: {os.strerror(code)}"):
        save(path, "mkdir", fail_at, code)
    assert not path.exists()


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOTSUP], ids=errno.errorcode.get)
def test_a_file_system_that_cannot_flush_folders_is_accepted(tmp_path, code):
    assert save(tmp_path / "a.h5", "fsync", 2, code) == 2
    verify(tmp_path / "a.h5")


@pytest.mark.parametrize("code", CAUSES, ids=errno.errorcode.get)
def test_a_file_that_cannot_be_read_is_reported(tmp_path, monkeypatch, code):
    saved_adapter(tmp_path / "a.h5")
    monkeypatch.setattr(os, "open", FailingCall("open", 1, code))
    with pytest.raises(FileAccessError, match=rf"cannot read .*a\.h5: {os.strerror(code)}") as fault:
        read_store(tmp_path / "a.h5", kind="adapter")
    assert fault.value.exit_code == 74


def test_short_writes_are_continued(tmp_path, monkeypatch):
    def short(descriptor: int, data: memoryview, write: Callable[..., int] = os.write) -> int:
        return write(descriptor, data[:1000])

    monkeypatch.setattr(os, "write", short)
    assert len(saved_adapter(tmp_path / "a.h5")) > 20_000
    assert read_store(tmp_path / "a.h5").meta == adapter_meta()


def test_what_the_disk_changes_is_noticed_before_the_rename(tmp_path, monkeypatch):
    path = tmp_path / "a.h5"
    old = saved_adapter(path)

    def lying(descriptor: int, data: memoryview, write: Callable[..., int] = os.write) -> int:
        return write(descriptor, bytes(data[:-1]) + b"?")

    monkeypatch.setattr(os, "write", lying)
    with pytest.raises(
        FileAccessError, match=r"cannot write .*a\.h5: the file reads back wrong \(.*damaged: its"
    ):
        write_store(path, "adapter", arrays=adapter_arrays(1), meta={})
    assert (path.read_bytes(), os.listdir(tmp_path)) == (old, ["a.h5"])


def test_another_complete_file_in_place_of_ours_is_noticed(tmp_path, monkeypatch):
    path = tmp_path / "a.h5"
    old = saved_adapter(path)
    # Pads the write to the length that write_all expects, but stores the old contents.
    monkeypatch.setattr(
        os, "write", lambda descriptor, data, write=os.write: len(data) * (write(descriptor, old) > 0)
    )
    with pytest.raises(
        FileAccessError, match=r"cannot write .*a\.h5: the file reads back with other contents"
    ):
        write_store(path, "adapter", arrays=adapter_arrays(1), meta={})
    assert path.read_bytes() == old


def test_an_interrupt_removes_the_temporary_file(tmp_path, monkeypatch):
    path = tmp_path / "a.h5"
    old = saved_adapter(path)

    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_store(path, "adapter", arrays=adapter_arrays(1), meta={})
    assert (path.read_bytes(), os.listdir(tmp_path)) == (old, ["a.h5"])


def test_a_folder_in_the_way_and_a_file_as_folder_are_reported(tmp_path):
    (tmp_path / "a.h5").mkdir()
    with pytest.raises(FileAccessError, match=r"cannot write .*a\.h5: Is a directory"):
        write_store(tmp_path / "a.h5", "base", arrays={}, meta={})
    (tmp_path / "plain").write_text("x")
    with pytest.raises(FileAccessError, match=r"cannot write .*base\.h5: .*plain is not a directory"):
        write_store(tmp_path / "plain" / "base.h5", "base", arrays={}, meta={})
    with pytest.raises(FileAccessError, match="File name too long"):
        write_store(tmp_path / ("x" * 250), "base", arrays={}, meta={})
    assert sorted(os.listdir(tmp_path)) == ["a.h5", "plain"]


@pytest.mark.skipif(sys.platform == "win32", reason="no limits on the size of files")
def test_a_real_limit_on_file_size_is_reported(tmp_path):
    code = (
        "import resource, sys; sys.path.insert(0, sys.argv[2]); from pathlib import Path;"
        "from store_files import saved_adapter; resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000));"
        "saved_adapter(Path(sys.argv[1]), seed=1)"
    )
    old = saved_adapter(tmp_path / "a.h5")
    run = [sys.executable, "-c", code, str(tmp_path / "a.h5"), str(Path(__file__).parent)]
    result = subprocess.run(run, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].endswith(
        f"FileAccessError: cannot write {tmp_path / 'a.h5'}: File too large"
    )
    assert ((tmp_path / "a.h5").read_bytes(), os.listdir(tmp_path)) == (old, ["a.h5"])


def test_a_place_that_can_be_written_is_left_as_it_was_but_for_its_folder(tmp_path):
    """Of two processes that begin at once, one took the other's folder away."""
    require_writable(tmp_path / "runs" / "heat" / "base.h5")
    assert list(tmp_path.rglob("*")) == [tmp_path / "runs", tmp_path / "runs" / "heat"]
    (tmp_path / "runs" / "heat").rmdir()
    (tmp_path / "runs").rmdir()
    old = saved_adapter(tmp_path / "a.h5")
    require_writable(tmp_path / "a.h5")
    assert (list(tmp_path.iterdir()), (tmp_path / "a.h5").read_bytes()) == ([tmp_path / "a.h5"], old)


@pytest.mark.parametrize("place", ["taken", "taken/runs"])
def test_a_file_in_the_way_is_named(tmp_path, place):
    (tmp_path / "taken").write_text("mine")
    for attempt in (require_writable, lambda path: write_store(path, "adapter", arrays={}, meta={})):
        with pytest.raises(FileAccessError, match=r"cannot write .*base.h5: .*taken is not a directory"):
            attempt(tmp_path / place / "base.h5")


@pytest.mark.parametrize(
    ("name", "code"), [("write", errno.ENOSPC), ("open", errno.EROFS), ("close", errno.EDQUOT)]
)
def test_a_refusal_is_found_before_the_work(tmp_path, monkeypatch, name, code):
    monkeypatch.setattr(os, name, FailingCall(name, 1, code))
    with pytest.raises(FileAccessError, match=os.strerror(code)):
        require_writable(tmp_path / "base.h5")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileAccessError, match=os.strerror(errno.EISDIR)):
        require_writable(tmp_path)

"""Accidents: every truncation and every flipped bit of a file is refused, before libhdf5 sees it."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import mutate_files
import pytest
from hdf5_checksums import OTHERS, lookup3, repair, structures
from store_files import saved, saved_adapter, sealed

from pinnkan.ground.errors import DamagedFileError
from pinnkan.storage.store import hashing, read_store, verify

KINDS = ("base", "adapter", "checkpoint")
SLOW = pytest.mark.slow
SLOW_MUTANTS = [pytest.param(kind, 6_700, marks=SLOW) for kind in KINDS]


def accepted(path: Path, kind: str) -> bool:
    """Read a file as everybody does."""
    with suppress(DamagedFileError):
        read_store(path, kind=kind)
        return True
    return False


@pytest.mark.parametrize("every", [9, pytest.param(1, marks=SLOW)])
@pytest.mark.parametrize("kind", KINDS)
def test_truncations_are_refused(tmp_path, kind, every):
    """At every length: the file gets shorter and shorter on the disk."""
    path = tmp_path / "a.h5"
    size = len(saved(kind, path))
    assert accepted(path, kind)
    wrong = []
    for length in range(size - 1, -1, -every):
        os.truncate(path, length)
        if accepted(path, kind):
            wrong.append(length)
    assert wrong == []


@pytest.mark.parametrize("flips", [2_000, pytest.param(100_000, marks=SLOW)])
@pytest.mark.parametrize("kind", KINDS)
def test_flipped_bits_are_refused(tmp_path, kind, flips):
    """Single bits spread evenly over the whole file, on the disk, each turned back afterwards."""
    path = tmp_path / "a.h5"
    data, wrong = saved(kind, path), []
    bits = random.Random(0).sample(range(8 * len(data)), min(flips, 8 * len(data)))
    assert flips < 100_000 or len(bits) == 100_000
    with open(path, "r+b", buffering=0) as file:
        for bit in bits:
            at, byte = divmod(bit, 8)
            os.pwrite(file.fileno(), bytes([data[at] ^ 1 << byte]), at)
            if accepted(path, kind):
                wrong.append(bit)
            os.pwrite(file.fileno(), data[at : at + 1], at)
    assert wrong == []
    assert path.read_bytes() == data
    assert accepted(path, kind)


def test_every_bit_of_the_user_block_counts(tmp_path):
    data = bytearray(saved_adapter(tmp_path / "a.h5"))
    for bit in range(8 * 512):
        data[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ValueError, match=r"pinnkan file|format|damaged"):
            hashing.check_bytes(bytes(data))
        data[bit // 8] ^= 1 << bit % 8
    hashing.check_bytes(bytes(data))
    with pytest.raises(ValueError, match="damaged"):
        hashing.check_bytes(bytes(data) + b"\0")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: b"", "not a pinnkan file: it begins with b'', expected b'pinnkan store '"),
        (lambda data: data[512:], r"not a pinnkan file: it begins with b'\x89HDF"),
        (lambda data: data[:9000], "damaged: it holds 8488 of "),
        (lambda data: data + b"\0", "bytes of contents; restore it from a copy or compute it again"),
        (lambda data: data[:-1] + b"?", "damaged: its contents do not match its checksum; restore it"),
        (lambda data: data[:511] + b"?" + data[512:], "damaged: its contents do not match its checksum"),
        (
            lambda data: data.replace(b"store 1", b"store 2"),
            "written in format 2, expected 1; update pinnkan",
        ),
        (lambda data: data.replace(b"store 1", b"store x"), "damaged: its contents do not match"),
    ],
)
def test_the_message_says_what_is_wrong(tmp_path, change, message):
    path = tmp_path / "lambda=0.1.h5"
    path.write_bytes(change(saved_adapter(path)))
    for read in (read_store, verify):
        with pytest.raises(DamagedFileError, match=rf"lambda=0\.1\.h5: .*{re.escape(message)}") as fault:
            read(path)
        assert "\n" not in str(fault.value)
        assert fault.value.exit_code == 3


def test_what_is_no_regular_file_or_too_large_is_refused_without_reading(tmp_path):
    os.mkfifo(tmp_path / "pipe.h5")
    with open(tmp_path / "huge.h5", "wb") as file:
        file.truncate(1 << 40)
    for read in (read_store, verify):
        with pytest.raises(DamagedFileError, match=r"pipe\.h5: not a regular file"):
            read(tmp_path / "pipe.h5")
        with pytest.raises(DamagedFileError, match=r"huge\.h5: larger than 1073741824 bytes"):
            read(tmp_path / "huge.h5")


def test_lookup3_is_that_of_its_author():
    """The value that Jenkins' lookup3.c prints for its text, and all lengths of a last block."""
    assert lookup3(b"Four score and seven years ago") == 0x17770551
    assert lookup3(b"") == 0xDEADBEEF
    assert len({lookup3(bytes(length)) for length in range(40)}) == 40


@pytest.mark.parametrize("kind", KINDS)
def test_every_checksum_of_hdf5_in_our_files_is_known(tmp_path, kind):
    body = saved(kind, tmp_path / "a.h5")[512:]
    extents = list(structures(body))
    assert all(
        lookup3(body[start:end]) == int.from_bytes(body[end : end + 4], "little") for start, end in extents
    )
    # The superblock, headers of the root and of each dataset: all that bears a signature is among them.
    begun = {body[start : start + 4] for start, _ in extents}
    assert begun == {b"\x89HDF", b"OHDR", b"OCHK"}
    assert len(extents) == 1 + body.count(b"OHDR") + body.count(b"OCHK")
    assert [signature for signature in OTHERS if signature in body] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_repaired_mutant_comes_past_the_checksums(tmp_path, kind):
    """A dataset's header: behind a wrong checksum libhdf5 says so, behind a right one it looks further."""
    body = bytearray(saved(kind, tmp_path / "a.h5")[512:])
    start, end = [extent for extent in structures(body) if body[extent[0] : extent[0] + 4] == b"OHDR"][1]
    body[(start + end) // 2] ^= 1
    with pytest.raises(DamagedFileError, match="checksum"):
        read_store(sealed(tmp_path / "b.h5", bytes(body)), kind=kind)
    repair(body)
    told = ""
    try:
        read_store(sealed(tmp_path / "c.h5", bytes(body)), kind=kind)
    except DamagedFileError as fault:
        told = str(fault)
    assert "checksum" not in told


@pytest.mark.parametrize(("kind", "mutations"), [*((kind, 60) for kind in KINDS), *SLOW_MUTANTS])
def test_mutants_with_right_checksums_are_refused_or_harmless(tmp_path, kind, mutations):
    """A hostile author: metadata changed at random, all checksums right, read by a child that may die."""
    saved(kind, tmp_path / "a.h5")
    script, seed = Path(__file__).with_name("mutate_files.py"), random.randrange(1 << 30)
    words = [str(script), str(tmp_path / "a.h5"), kind, str(mutations), str(seed)]
    result = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, timeout=300 + 0.5 * mutations, check=False
    )
    assert result.returncode == 0, (words, result.stdout, result.stderr[-2000:])
    found = re.fullmatch(rf"{mutations} mutations: (\d+) refused, (\d+) accepted, 0 escaped\n", result.stdout)
    assert found is not None, result.stdout
    assert int(found[1]) > mutations / 2


def test_a_child_that_dies_is_an_escape(tmp_path, monkeypatch, capfd):
    """The hunt itself: a mutant that kills its reader is counted and kept, and those behind it are read."""
    paths = [tmp_path / f"{at}.h5" for at in range(4)]
    for path in paths:
        saved("adapter", path)

    def fatal(path, kind):
        if path == paths[1]:
            os.kill(os.getpid(), signal.SIGSEGV)
        if path == paths[2]:
            raise ValueError("two\nlines")
        return "refused"

    monkeypatch.setattr(mutate_files, "read", fatal)
    assert mutate_files.results(paths, "adapter") == "rXXr"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.h5", "1.escape", "2.escape", "3.h5"]
    said = capfd.readouterr().err
    assert "1.h5: the child ended with status -11" in said
    assert "2.h5: the child ended with status 1" in said

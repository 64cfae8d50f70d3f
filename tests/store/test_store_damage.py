"""Accidents: every truncation and every flipped bit of a file is refused, before libhdf5 sees it."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from store_files import saved, saved_adapter

from pinnkan.errors import DamagedFileError
from pinnkan.store import hashing, read_store, verify

KINDS = ("base", "adapter", "checkpoint")
SLOW = pytest.mark.slow


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


@pytest.mark.parametrize("mutations", [500, pytest.param(20_000, marks=SLOW)])
def test_mutated_files_with_a_right_checksum_end_in_a_refusal(tmp_path, mutations):
    """A hostile author: bytes changed at random behind a recomputed checksum, in a child that may die."""
    saved_adapter(tmp_path / "a.h5")
    script = Path(__file__).with_name("mutate_files.py")
    run = [sys.executable, str(script), str(tmp_path / "a.h5"), str(mutations), "0"]
    result = subprocess.run(run, capture_output=True, text=True, timeout=60 + 0.1 * mutations, check=False)
    assert result.returncode == 0, (result.returncode, result.stderr[-2000:])
    assert re.fullmatch(rf"{mutations} mutations: [0-9]+ refused, [0-9]+ accepted\n", result.stdout)

"""Accidents: every truncation and every flipped bit of a file is refused, before libhdf5 sees it."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from store_files import THOROUGH, saved_adapter

from pinnkan.errors import DamagedFileError
from pinnkan.store import hashing, read_store, verify

BIT_FLIPS = 20_000 * THOROUGH
MUTATIONS = 500 * THOROUGH


def refused(data: bytes) -> bool:
    try:
        hashing.check_bytes(data)
    except ValueError:
        return True
    return False


def test_every_truncation_is_refused(tmp_path):
    data = saved_adapter(tmp_path / "a.h5")
    assert [length for length in range(len(data)) if not refused(data[:length])] == []
    assert refused(data + b"\0")
    assert not refused(data)


def test_flipped_bits_are_refused(tmp_path):
    data = bytearray(saved_adapter(tmp_path / "a.h5"))
    rng = random.Random(0)
    everywhere = (rng.randrange(8 * len(data)) for _ in range(BIT_FLIPS))
    accepted = []
    for bit in [*range(8 * 512), *everywhere]:
        data[bit // 8] ^= 1 << bit % 8
        if not refused(data):
            accepted.append(bit)
        data[bit // 8] ^= 1 << bit % 8
    assert accepted == []


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


def test_mutated_files_with_a_right_checksum_end_in_a_refusal(tmp_path):
    """A hostile author: bytes changed at random behind a recomputed checksum, in a child that may die."""
    saved_adapter(tmp_path / "a.h5")
    script = Path(__file__).with_name("mutate_files.py")
    run = [sys.executable, str(script), str(tmp_path / "a.h5"), str(MUTATIONS), "0"]
    result = subprocess.run(run, capture_output=True, text=True, timeout=60 + 0.1 * MUTATIONS, check=False)
    assert result.returncode == 0, (result.returncode, result.stderr[-2000:])
    assert re.fullmatch(rf"{MUTATIONS} mutations: [0-9]+ refused, [0-9]+ accepted\n", result.stdout)

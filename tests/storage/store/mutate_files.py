"""Mutate a stored file at random, make all its checksums right again, read it in a child; run as a script.

Usage: mutate_files.py FILE KIND COUNT SEED. Ends with 0 if each read gives finite arrays or a
one-line refusal. A child that dies, or takes too long, is an escape: its mutant is kept with the suffix
.escape.
"""

from __future__ import annotations

import faulthandler
import os
import random
import resource
import signal
import sys
import traceback
from pathlib import Path

import numpy as np
from hdf5_checksums import repair, structures
from store_files import sealed

from pinnkan.ground.errors import DamagedFileError
from pinnkan.storage.store import read_store

BATCH = 50
"""Mutants that one child reads; one that dies tells by a pipe which it was at."""
LONGEST_S = 5


def mutated(body: bytes, rng: random.Random) -> bytes:
    """Change 1 to 8 bytes, nine of ten times in metadata, and then every checksum of HDF5's own."""
    data, metadata = (
        bytearray(body),
        [place for start, end in structures(body) for place in range(start, end)],
    )
    for _ in range(rng.randint(1, 8)):
        place = rng.randrange(len(data)) if rng.random() < 0.1 else rng.choice(metadata)
        data[place] = rng.choice([0, 1, 255, data[place] ^ 1 << rng.randrange(8), rng.randrange(256)])
    repair(data)
    return bytes(data)


def read(path: Path, kind: str) -> str:
    """Read a file as everybody does; return ``refused`` or ``accepted``.

    Raises:
        ValueError: If a refusal has several lines, or an array a number that is not finite.
    """
    try:
        stored = read_store(path, kind=kind)
    except DamagedFileError as error:
        message = str(error)
        if len(message.splitlines()) != 1:
            raise ValueError(message) from None
        return "refused"
    if not all(np.isfinite(array).all() for array in stored.arrays.values()):
        raise ValueError("a number that is not finite")
    return "accepted"


def read_all(paths: list[Path], kind: str, told: int) -> None:
    """Read files in a child; a byte goes down the pipe after each: r(efused), a(ccepted)."""
    resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    faulthandler.disable()  # which pytest turns on: a death is counted, not described
    for path in paths:
        signal.setitimer(signal.ITIMER_PROF, LONGEST_S)  # of CPU time: a busy machine is no hang
        try:
            os.write(told, read(path, kind)[:1].encode())
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    os._exit(0)


def results(paths: list[Path], kind: str) -> str:
    """Return what came of each file, one letter each: r, a, or X where the child died."""
    letters = ""
    while len(letters) < len(paths):
        ours, theirs = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(ours)
            read_all(paths[len(letters) :], kind, theirs)
        os.close(theirs)
        with os.fdopen(ours, "rb") as pipe:
            letters += pipe.read().decode()
        _, status = os.waitpid(child, 0)
        if status:
            path = paths[len(letters)]
            print(
                f"{path.name}: the child ended with status {os.waitstatus_to_exitcode(status)}",
                file=sys.stderr,
            )
            os.replace(path, path.with_suffix(".escape"))
            letters += "X"
    return letters


def main(source: Path, kind: str, count: int, seed: int) -> int:
    """Return how many mutants escaped."""
    body, rng, letters = source.read_bytes()[512:], random.Random(seed), ""
    for start in range(0, count, BATCH):
        names = [source.with_name(f"{seed}-{at}.h5") for at in range(start, min(start + BATCH, count))]
        letters += results([sealed(name, mutated(body, rng)) for name in names], kind)
        for name in names:
            name.unlink(missing_ok=True)
    refused, accepted, escaped = (letters.count(letter) for letter in "raX")
    print(f"{count} mutations: {refused} refused, {accepted} accepted, {escaped} escaped")
    return escaped


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])) > 0)

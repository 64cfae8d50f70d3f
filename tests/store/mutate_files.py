"""Mutate a stored file at random, recompute its checksum, read it; run as a script, since libhdf5 may crash.

Usage: mutate_files.py FILE COUNT SEED. Ends with 0 if each read gives finite arrays or a one-line refusal.
"""

from __future__ import annotations

import random
import resource
import sys
from pathlib import Path

import numpy as np
from store_files import sealed

from pinnkan.errors import DamagedFileError
from pinnkan.store import read_store


def mutated(body: bytes, rng: random.Random) -> bytes:
    """Change 1 to 8 bytes, most of them outside the long run of coefficients."""
    data = bytearray(body)
    for _ in range(rng.randint(1, 8)):
        place = (
            rng.randrange(len(data)) if rng.random() < 0.3 else rng.choice([*range(1200), *range(-8000, 0)])
        )
        data[place] = rng.choice([0, 1, 255, data[place] ^ 1 << rng.randrange(8), rng.randrange(256)])
    return bytes(data)


def main(source: Path, count: int, seed: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
    body, rng, refused = source.read_bytes()[512:], random.Random(seed), 0
    for _ in range(count):
        path = sealed(source.with_name("mutated.h5"), mutated(body, rng))
        try:
            stored = read_store(path, kind="adapter")
        except DamagedFileError as error:
            refused += len(str(error).splitlines())
        else:
            assert all(np.isfinite(array).all() for array in stored.arrays.values())
    print(f"{count} mutations: {refused} refused, {count - refused} accepted")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))

"""Save one path again and again, reading it back each time; run as a script, several at once.

Usage: save_often.py FILE ROUNDS SEED START. Begins when the file START exists.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from store_files import adapter_arrays, adapter_meta

from pinnkan.ground.files import clean_leftovers
from pinnkan.storage.store import read_store, write_store


def main(path: Path, rounds: int, seed: int, start: Path) -> None:
    """Write our own contents, then read whatever contents won."""
    arrays, meta = adapter_arrays(seed), adapter_meta(seed)
    while not start.exists():
        time.sleep(0.01)
    for _ in range(rounds):
        write_store(path, "adapter", arrays=arrays, meta=meta)
        read_store(path, kind="adapter")
        clean_leftovers(path.parent)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))

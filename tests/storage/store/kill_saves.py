"""Kill processes that save, with SIGKILL; run as a script, so that a warm single-threaded parent forks.

Usage: kill_saves.py FOLDER COUNT SEED. Prints one JSON object of counts.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from store_files import adapter_arrays, adapter_meta, saved_adapter

from pinnkan.ground.files import clean_leftovers
from pinnkan.storage.store import read_store, write_store

CALLS = ("open", "write", "fsync", "close", "replace", "fstat", "unlink")


def save(path: Path, seed: int) -> None:
    """Write an adapter that its seed determines."""
    write_store(path, "adapter", arrays=adapter_arrays(seed), meta=adapter_meta(seed))


def in_child(work: Callable[[], None], kill_after_s: float | None = None) -> bool:
    """Fork, do the work, kill the child after a while; True if it ended by itself."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    if kill_after_s is not None:
        time.sleep(kill_after_s)
        os.kill(pid, signal.SIGKILL)
    return os.waitpid(pid, 0)[1] == 0


def killed_at(number: int, path: Path) -> None:
    """Save seed 1, dying by SIGKILL before the n-th call of the file system, or half way into a write."""
    calls = [0]

    def deadly(call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*arguments: Any, **options: Any) -> Any:
            calls[0] += 1
            if calls[0] == number:
                if call.__name__ == "write":
                    call(arguments[0], arguments[1][: len(arguments[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **options)

        return wrapper

    for name in CALLS:
        setattr(os, name, deadly(getattr(os, name)))
    save(path, 1)


def state(path: Path, old: bytes, new: bytes) -> str:
    """Say which file is there after a kill; 'broken' must never be said."""
    found = path.read_bytes()
    read_store(path, kind="adapter")
    return "old" if found == old else "new" if found == new else "broken"


def count_states(path: Path, kills: list[Callable[[], bool]]) -> dict[str, int]:
    """Kill one save after the other over the same old file, and count what each kill leaves."""
    new, old = saved_adapter(path.with_name("new.h5"), 1), saved_adapter(path, 0)
    counts = {"old": 0, "new": 0, "broken": 0, "killed": 0, "leftovers": 0, "unknown_files": 0}
    for kill in kills:
        path.write_bytes(old)
        counts["killed"] += not kill()
        counts[state(path, old, new)] += 1
        counts["leftovers"] += len(clean_leftovers(path.parent))
        counts["unknown_files"] += len(os.listdir(path.parent)) - 2
    return counts


def main(folder: Path, count: int, seed: int) -> None:
    """Kill at every call, then at random moments."""
    path, rng = folder / "lambda=0.1.h5", random.Random(seed)
    save(path, 1)  # warms the parent up
    start = time.perf_counter()
    in_child(lambda: save(path, 1))
    duration_s = time.perf_counter() - start

    def at_call(number: int) -> Callable[[], bool]:
        return lambda: in_child(lambda: killed_at(number, path))

    def at_moment(delay_s: float) -> Callable[[], bool]:
        return lambda: in_child(lambda: save(path, 1), delay_s)

    result = {
        "calls": count_states(path, [at_call(number) for number in range(1, 41)]),
        "moments": count_states(path, [at_moment(rng.uniform(0, duration_s)) for _ in range(count)]),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))

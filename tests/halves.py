"""Which process of ``pytest -n N`` runs which file: always the same one, and about as long as the others."""

from __future__ import annotations

import zlib

# Seconds of the longest files, alone on one core; the others are spread by their names.
SECONDS: dict[str, float] = {
    "tests/test_readme.py": 60,
    "tests/store/test_store_damage.py": 40,
    "tests/workflows/test_stopped_trainings.py": 40,
    "tests/workflows/test_sweeps.py": 40,
    "tests/workflows/test_compare_command.py": 30,
    "tests/expressions/test_random_trees.py": 30,
}


def half_of(file: str, processes: int) -> int:
    """Return the number of the process, below ``processes``, that runs a file of tests."""
    loads = [0.0] * processes
    for name, seconds in sorted(SECONDS.items(), key=lambda entry: (-entry[1], entry[0])):
        lightest = loads.index(min(loads))
        if name == file:
            return lightest
        loads[lightest] += seconds
    return zlib.crc32(file.encode()) % processes

"""Which process of ``pytest -n N`` runs which file: always the same one, and about as long as the others."""

from __future__ import annotations

import zlib

# About how many CPU seconds the longest files take, as told by --durations on a busy machine; the others are
# spread by their names. A wrong number costs balance, nothing else.
SECONDS: dict[str, float] = {
    "tests/workflows/test_base_value.py": 15,
    "tests/workflows/test_partial_reference.py": 25,
    "tests/workflows/test_extreme_numbers.py": 36,
    "tests/workflows/test_faults.py": 90,
    "tests/workflows/test_formula_command.py": 55,
    "tests/workflows/test_stopped_trainings.py": 75,
    "tests/test_readme.py": 110,
    "tests/workflows/test_sweeps.py": 90,
    "tests/output/test_other_pictures.py": 35,
    "tests/workflows/test_compare_command.py": 90,
    "tests/output/test_field_pictures.py": 25,
    "tests/store/test_store_damage.py": 22,
    "tests/adapters/test_theorem2.py": 12,
    "tests/expressions/test_random_trees.py": 12,
    "tests/workflows/test_family_command.py": 12,
    "tests/same_bits/test_same_bits.py": 20,
    "tests/problems/test_shipped_solutions.py": 10,
    "tests/expressions/test_hostile.py": 9,
    "tests/optim/test_optimizers.py": 8,
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

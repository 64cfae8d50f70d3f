"""Which process of ``pytest -n N`` runs which file: always the same one, and about as long as the others."""

from __future__ import annotations

import zlib

# About how many CPU seconds the longest files take, as told by --durations on a busy machine; the others are
# spread by their names. A wrong number costs balance, nothing else.
SECONDS: dict[str, float] = {
    "tests/workflows/test_faults.py": 105,
    "tests/workflows/test_sweeps.py": 90,
    "tests/workflows/test_compare_command.py": 85,
    "tests/workflows/test_stopped_trainings.py": 80,
    "tests/test_readme.py": 60,
    "tests/problems/test_shipped_solutions.py": 50,
    "tests/workflows/test_formula_command.py": 40,
    "tests/workflows/test_extreme_numbers.py": 36,
    "tests/output/test_other_pictures.py": 32,
    "tests/workflows/test_plot_command.py": 28,
    "tests/output/test_field_pictures.py": 26,
    "tests/store/test_store_damage.py": 22,
    "tests/same_bits/test_same_bits.py": 20,
    "tests/training/test_recipes.py": 20,
    "tests/workflows/test_hostile_runs.py": 20,
    "tests/workflows/test_spectrum_command.py": 20,
    "tests/workflows/test_training_commands.py": 20,
    "tests/training/test_resuming.py": 14,
    "tests/workflows/test_base_value.py": 14,
    "tests/adapters/test_theorem2.py": 12,
    "tests/expressions/test_random_trees.py": 12,
    "tests/workflows/test_evaluate_command.py": 12,
    "tests/workflows/test_family_command.py": 12,
    "tests/training/test_oracle.py": 11,
    "tests/workflows/test_status_command.py": 11,
    "tests/workflows/test_partial_reference.py": 10,
    "tests/expressions/test_hostile.py": 9,
    "tests/workflows/test_hostile_tables.py": 9,
    "tests/optim/test_optimizers.py": 8,
    "tests/workflows/test_replaced_base.py": 8,
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

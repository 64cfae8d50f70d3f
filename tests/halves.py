"""Which process of ``pytest -n N`` runs which file: always the same one, and about as long as the others."""

from __future__ import annotations

import zlib

# About how many CPU seconds the longest files take, as told by --durations on a busy machine; the others are
# spread by their names. A wrong number costs balance, nothing else.
SECONDS: dict[str, float] = {
    "tests/workflows/test_faults.py": 44,
    "tests/test_readme.py": 42,
    "tests/same_bits/test_same_bits.py": 60,
    "tests/workflows/test_compare_command.py": 32,
    "tests/problems/test_shipped_solutions.py": 30,
    "tests/problems/test_shipped_systems.py": 12,
    "tests/workflows/test_formula_command.py": 29,
    "tests/output/test_other_pictures.py": 28,
    "tests/workflows/test_sweeps.py": 25,
    "tests/reduction/test_systems.py": 25,
    "tests/workflows/test_system_commands.py": 20,
    "tests/workflows/test_families_of_systems.py": 12,
    "tests/output/test_field_pictures.py": 24,
    "tests/workflows/test_plot_command.py": 22,
    "tests/workflows/test_training_commands.py": 20,
    "tests/training/test_recipes.py": 18,
    "tests/workflows/test_extreme_numbers.py": 17,
    "tests/workflows/test_spectrum_command.py": 16,
    "tests/workflows/test_stopped_trainings.py": 15,
    "tests/cli/test_streams_and_signals.py": 14,
    "tests/language/problem/test_default_recipe.py": 13,
    "tests/training/test_resuming.py": 12,
    "tests/language/problem/test_shipped_problems.py": 11,
    "tests/workflows/test_base_value.py": 11,
    "tests/optim/test_optimizers.py": 11,
    "tests/networks/adapters/test_theorem2.py": 11,
    "tests/physics/test_well_posed.py": 11,
    "tests/physics/test_lost_derivatives.py": 10,
    "tests/physics/test_units.py": 10,
    "tests/physics/test_unseen_data.py": 10,
    "tests/workflows/test_hostile_runs.py": 10,
    "tests/solutions/formulas/test_snapping.py": 9,
    "tests/workflows/test_evaluate_command.py": 9,
    "tests/physics/residuals/test_oracle.py": 9,
    "tests/workflows/test_partial_reference.py": 9,
    "tests/physics/residuals/test_linearisation.py": 8,
    "tests/storage/store/test_store_hostile.py": 8,
    "tests/workflows/test_hostile_tables.py": 7,
    "tests/networks/test_network_jets.py": 7,
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

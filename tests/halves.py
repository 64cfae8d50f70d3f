"""Which process of ``pytest -n N`` runs which file: always the same one, and about as long as the others."""

from __future__ import annotations

import zlib

# About how many CPU seconds the longest files take, as told by --durations on a busy machine; the others are
# spread by their names. A wrong number costs balance, nothing else.
SECONDS: dict[str, float] = {
    "tests/same_bits/test_same_bits.py": 28,
    "tests/physics/test_well_posed_systems.py": 23,
    "tests/test_architecture.py": 22,
    "tests/workflows/test_fake_members.py": 17,
    "tests/physics/test_free_motions.py": 12,
    "tests/workflows/test_new_optimizer.py": 8,
    "tests/physics/test_portion_counts.py": 6,
    "tests/workflows/test_faults.py": 26,
    "tests/test_readme.py": 26,
    "tests/workflows/test_sweeps.py": 25,
    "tests/workflows/test_training_commands.py": 23,
    "tests/output/test_field_pictures.py": 21,
    "tests/workflows/test_compare_command.py": 20,
    "tests/workflows/test_plot_command.py": 18,
    "tests/output/test_other_pictures.py": 18,
    "tests/workflows/test_extreme_numbers.py": 14,
    "tests/output/test_flows.py": 13,
    "tests/problems/test_shipped_solutions.py": 13,
    "tests/workflows/test_formula_command.py": 11,
    "tests/workflows/test_spectrum_command.py": 10,
    "tests/workflows/test_hostile_runs.py": 10,
    "tests/optim/test_optimizers.py": 10,
    "tests/physics/residuals/test_oracle.py": 10,
    "tests/reduction/test_systems.py": 10,
    "tests/workflows/test_base_value.py": 10,
    "tests/training/test_recipes.py": 9,
    "tests/workflows/test_periodic_runs.py": 9,
    "tests/workflows/test_system_commands.py": 9,
    "tests/cli/test_streams_and_signals.py": 8,
    "tests/physics/test_well_posed.py": 8,
    "tests/workflows/test_stopped_trainings.py": 8,
    "tests/networks/adapters/test_theorem2.py": 7,
    "tests/workflows/test_hostile_tables.py": 7,
    "tests/physics/test_constraints.py": 7,
    "tests/workflows/test_evaluate_command.py": 7,
    "tests/problems/test_shipped_systems.py": 7,
    "tests/storage/store/test_store_hostile.py": 7,
    "tests/solutions/evaluation/test_correction.py": 7,
    "tests/test_reference_solutions.py": 7,
    "tests/language/problem/test_shipped_problems.py": 7,
    "tests/physics/test_units.py": 6,
    "tests/networks/test_network_jets.py": 6,
    "tests/physics/test_unseen_data.py": 6,
    "tests/physics/residuals/test_together.py": 6,
    "tests/workflows/test_partial_reference.py": 6,
    "tests/training/test_resuming.py": 6,
    "tests/workflows/test_verdicts.py": 5,
    "tests/physics/test_lost_derivatives.py": 5,
    "tests/physics/residuals/test_linearisation.py": 5,
    "tests/storage/store/test_store_kills.py": 5,
    "tests/language/expressions/test_hostile.py": 5,
    "tests/workflows/test_family_command.py": 5,
    "tests/language/settings/test_default_recipe.py": 4,
    "tests/geometry/test_collocation.py": 4,
    "tests/workflows/test_families_of_systems.py": 4,
    "tests/workflows/test_status_command.py": 4,
    "tests/solutions/formulas/test_snapping.py": 4,
    "tests/physics/test_ansatz.py": 4,
    "tests/workflows/test_busy_machine.py": 4,
    "tests/workflows/test_earlier_results.py": 4,
    "tests/language/expressions/test_random_trees.py": 4,
    "tests/workflows/test_fit_command.py": 4,
    "tests/workflows/test_check_command.py": 3,
    "tests/storage/store/test_store_damage.py": 3,
    "tests/workflows/test_export_command.py": 3,
    "tests/workflows/test_replaced_base.py": 3,
    "tests/physics/test_well_posed_random.py": 3,
    "tests/cli/test_progress.py": 3,
    "tests/storage/store/test_store_written_files.py": 3,
    "tests/reduction/test_batched_data.py": 3,
    "tests/cli/test_commands.py": 3,
    "tests/workflows/test_graded_time.py": 3,
    "tests/solutions/evaluation/test_relative_residuals.py": 3,
    "tests/problems/test_default_solutions.py": 3,
    "tests/physics/test_residual_blocks.py": 2,
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

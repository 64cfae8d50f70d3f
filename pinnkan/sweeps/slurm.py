"""A SLURM array script that trains a family: every task calls the command that a person would."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

MOST_TASKS = 1000
"""SLURM's default MaxArraySize is 1001; of more values every task takes several."""


def array_script(
    directory: Path, values: Sequence[Mapping[str, float]], options: Sequence[str], *, threads: int | None
) -> str:
    """Return the text of a script for ``sbatch``.

    Args:
        directory: The run directory, as the nodes see it from where the script is submitted.
        values: Parameter values.
        options: Further words for every ``pinnkan finetune``.
        threads: CPUs a task; SLURM's own default if not given.
    """
    tasks = min(len(values), MOST_TASKS)
    groups = [values[task::tasks] for task in range(tasks)]
    rows = "\n".join(f"  {shlex.quote(_words(group))}" for group in groups)
    cpus = "" if threads is None else f"#SBATCH --cpus-per-task={threads}\n"
    log = directory / "work" / "slurm-%A_%a.log"
    command = shlex.join(["pinnkan", "finetune", str(directory), *options])
    return f"""#!/bin/bash
#SBATCH --job-name=pinnkan
#SBATCH --array=0-{tasks - 1}
#SBATCH --output={shlex.quote(str(log))}
#SBATCH --signal=B:TERM@60
{cpus}#
# Submit it again after a time limit or a failure: finished values are skipped, stopped ones go on.
# Activate the environment that holds pinnkan before sbatch, or here.
values=(
{rows}
)
# Unquoted on purpose: one word of the list holds several options. exec, so that SLURM's signal arrives.
exec {command} --threads "${{SLURM_CPUS_PER_TASK:-1}}" ${{values[$SLURM_ARRAY_TASK_ID]}}
"""


def _words(values: Sequence[Mapping[str, float]]) -> str:
    """Return the options that name some values: pairs, so that any group of them is one command."""
    # All digits: a value that is read back as its neighbour would be another training.
    columns = [
        f"--param {name}=" + ",".join(repr(point[name]).removesuffix(".0") for point in values)
        for name in values[0]
    ]
    return " ".join(["--zip", *columns] if len(values) > 1 and len(columns) > 1 else columns)

"""Shipped problems trained for tests, with a seed that their files were not tuned on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pinnkan
from pinnkan.ground.machine import Compute
from pinnkan.ground.progress import Silent
from pinnkan.language.problem import Problem
from pinnkan.physics.family import Family
from pinnkan.sweeps.options import SweepOptions, TrainingOptions
from pinnkan.workflows.api import Run
from pinnkan.workflows.finetune import finetune
from pinnkan.workflows.pretrain import pretrain

SEED = 7


def train(
    problem: Problem, targets: Sequence[Mapping[str, float]], folder: Path, overrides: Sequence[str]
) -> Run:
    """Train a base and adapters at parameter values, quietly and on one thread.

    Args:
        problem: The problem, with the overrides of its base.
        targets: Parameter values; none trains the base alone.
        folder: Where the run goes.
        overrides: The ``--set`` texts of the adapters.
    """
    training = TrainingOptions(SEED, compute=Compute(dtype="float64", threads=1))
    pretrain(Family(problem), folder, training, Silent())
    if targets:
        sweep = SweepOptions(folder, overrides=tuple(overrides), training=training)
        finetune(sweep, list(targets), Silent())
    return pinnkan.load(folder)

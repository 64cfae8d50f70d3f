"""Shipped problems trained for tests, with a seed that their files were not tuned on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pinnkan
from pinnkan.ground.progress import Silent
from pinnkan.language.problem import Problem
from pinnkan.physics.family import Family
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
    settings: dict[str, Any] = {
        "seed": SEED,
        "device": "cpu",
        "dtype": "float64",
        "threads": 1,
        "force": False,
        "time_limit": None,
        "observer": Silent(),
    }
    pretrain(Family(problem), directory=folder, **settings)
    if targets:
        finetune(folder, list(targets), method="lotra", tag=None, overrides=overrides, **settings)
    return pinnkan.load(folder)

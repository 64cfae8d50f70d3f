"""The points of one epoch of a phase, drawn where the residual is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from torch import Tensor

from pinnkan.language.settings.blocks import PhaseSettings
from pinnkan.physics.residuals.residual_points import POOL, selections_by_residual
from pinnkan.physics.residuals.training_set import TrainingSet
from pinnkan.physics.residuals.training_sets import training_sets
from pinnkan.training.task import TrainingTask

_STREAM = 0x9E5
"""Of the random starts along a pool."""


def sets_by_residual(
    run: TrainingTask,
    phase: PhaseSettings,
    variant: int,
    residuals: Callable[[Sequence[TrainingSet]], Tensor],
    *,
    terms: bool,
) -> tuple[list[TrainingSet], list[TrainingSet]]:
    """Return sets whose points are drawn by the residual, those of soft conditions too, and of terms' sizes.

    The latter, on the same points, are none unless they are asked for.

    Args:
        run: Problem, settings and seed.
        phase: Says how many interior points.
        variant: Of the pool, a set of Sobol points of its own every time.
        residuals: Gives the weighted residuals on sets where the training stands.
        terms: Whether the sizes of the terms are asked for.
    """
    points = run.settings.points
    pool = replace(
        points,
        interior=POOL * (phase.points or points.interior),
        boundary=POOL * points.boundary,
        initial=POOL * points.initial,
        rule="sobol",
    )

    def drawn(**terms: bool) -> list[TrainingSet]:
        device = run.arithmetic.device
        return training_sets(run.instance, pool, seed=run.seed, variant=variant, device=device, **terms)

    sets, generator = drawn(), np.random.default_rng([run.seed, variant, _STREAM])
    selections = selections_by_residual(sets, residuals(sets), generator)
    kept, sizes = (
        [selection.of(own) for selection, own in zip(selections, every, strict=True)]
        for every in (sets, drawn(terms=True) if terms else sets)
    )
    return kept, sizes if terms else []

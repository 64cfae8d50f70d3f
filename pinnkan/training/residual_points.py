"""The points of one epoch of a phase, drawn where the residual is."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from torch import Tensor

from pinnkan.language.settings.blocks import PhaseSettings
from pinnkan.physics.residuals.residual_points import POOL, Candidates, selections_by_residual
from pinnkan.physics.residuals.training_set import TrainingSet
from pinnkan.physics.residuals.training_sets import training_sets
from pinnkan.training.task import TrainingTask

_STREAM = 0x9E5
"""Of the random starts along a pool."""
_POOLS = 1 << 24
"""Variants of pools lie so far beyond those of points."""


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
        variant: Of the even points; the pool's is another one.
        residuals: Gives the weighted residuals on sets where the training stands.
        terms: Whether the sizes of the terms are asked for.
    """
    points, device = run.settings.points, run.arithmetic.device

    def drawn(share: float, variant: int, *, of_terms: bool = False) -> list[TrainingSet]:
        """Return sets of so many times the points of the phase."""
        interior, boundary, initial = (
            math.ceil(share * count)
            for count in (phase.points or points.interior, points.boundary, points.initial)
        )
        counts = replace(points, interior=interior, boundary=boundary, initial=initial, rule="sobol")
        return training_sets(
            run.instance, counts, seed=run.seed, variant=variant, device=device, terms=of_terms
        )

    def candidates(*, of_terms: bool = False) -> Candidates:
        even, pool = drawn(0.5, variant, of_terms=of_terms), drawn(POOL, variant + _POOLS, of_terms=of_terms)
        return Candidates.of(even, pool)

    every, generator = candidates(), np.random.default_rng([run.seed, variant, _STREAM])
    selections = selections_by_residual(every, residuals(every.sets), generator)
    term_sets = candidates(of_terms=True).sets if terms else ()
    kept = [selection.of(own) for selection, own in zip(selections, every.sets, strict=True)]
    return kept, [selection.of(own) for selection, own in zip(selections, term_sets, strict=False)]

"""The default recipe: what a problem file leaves out, from its coordinates and from what it states.

A network with more coefficients than residuals fits the points and not the equation, so both come from one
place: residuals outnumber what is trained `RESIDUALS_A_NUMBER` times. A network small enough is trained in
full, by Levenberg-Marquardt, until that pays no longer; a large one starts slim, and adapters on many points
go on from there. `tests/benchmarks/default_recipe.py` measures it on twenty problems.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from pinnkan.problem.settings import (
    AdapterSettings,
    NetworkSettings,
    PhaseSettings,
    PointSettings,
    Settings,
    TrainingSettings,
)

RESIDUALS_A_NUMBER = 1.5
"""Least interior points over the numbers that the widest phase of a default recipe trains."""
LARGEST_IN_FULL = 5000
"""Most coefficients that are trained in full: J^T J of more takes seconds a step."""
_FEWEST, _MOST = 1000, 12000
"""Interior points; with more, a step takes minutes, and `check` says how many residuals there are."""
_WIDTHS = {1: 10, 2: 16}
"""Of both hidden layers, by the number of coordinates; beyond two as `_WIDTH_BEYOND`."""
_WIDTH_BEYOND = 16


@dataclass(frozen=True)
class Circumstances:
    """What the default recipe depends on beside the settings of the file.

    Attributes:
        dimension: Number of coordinates, time included.
        jumps: Whether an equation's data jump (``where``): its residual is then tested by averages.
        hidden: Widths of the hidden layers of a network that is stored already; None where one is to be
            trained. A base from before this recipe may be wider than its file would be now.
    """

    dimension: int
    jumps: bool = False
    hidden: tuple[int, ...] | None = None


def default_network(circumstances: Circumstances) -> NetworkSettings:
    """Return the network of a file that states none."""
    width = _WIDTHS.get(circumstances.dimension, _WIDTH_BEYOND)
    return NetworkSettings(hidden=circumstances.hidden or (width, width))


def default_settings(network: NetworkSettings, circumstances: Circumstances) -> Settings:
    """Return all settings of a file that states its network alone, or nothing.

    Args:
        network: As the file states it, the rest by `default_network`.
        circumstances: See there.
    """
    in_full = numbers_in_full(network, circumstances.dimension)
    slim = network.kind == "kan" and len(network.hidden) > 1 and in_full > LARGEST_IN_FULL
    trained = numbers_slim(network, circumstances.dimension) if slim or network.kind == "slim" else in_full
    points = min(max(_FEWEST, math.ceil(RESIDUALS_A_NUMBER * trained)), _MOST)
    phase = PhaseSettings(steps=_STEPS, patience=_PATIENCE, smoothing=_SMOOTHING * circumstances.jumps)
    single = TrainingSettings(**vars(phase))
    return Settings(
        network=network,
        adapter=AdapterSettings(compression=0.125 if slim else _COMPRESSION),
        points=PointSettings(interior=points),
        training=replace(single, phases=_from_slim(phase)) if slim else single,
        finetuning=single,
    )


_STEPS, _PATIENCE = 100, 10
_SMOOTHING = 96
_COMPRESSION = 0.5
"""Tucker ranks of an adapter: two of twelve neurons would be too few."""


def stated_training(defaults: TrainingSettings, stated: Collection[str]) -> TrainingSettings:
    """Return the defaults of a ``training:`` or ``finetuning:`` block that states some of its keys.

    Who states an optimizer or phases has a recipe of their own, and who states steps wants that many.
    """
    if {"optimizer", "phases", "form"} & set(stated):
        return TrainingSettings()
    if "steps" not in stated:
        return defaults
    phases = tuple(replace(phase, patience=0) for phase in defaults.phases)
    return replace(defaults, patience=0, phases=phases)


def _from_slim(phase: PhaseSettings) -> tuple[PhaseSettings, ...]:
    """Return the phases of a network that is too large to be trained in full."""
    return (replace(phase, form="slim"), replace(phase, form="lotra", steps=phase.steps // 3))


def numbers_in_full(network: NetworkSettings, dimension: int) -> int:
    """Return how many coefficients a network over so many coordinates has."""
    widths = (dimension, *network.hidden, 1)
    if network.kind == "mlp":
        return sum((inputs + 1) * outputs for inputs, outputs in pairwise(widths))
    return sum(math.prod(shape) for shape in _shapes(network, widths))


def numbers_slim(network: NetworkSettings, dimension: int) -> int:
    """Return how many numbers a KAN has with its hidden layers in Tucker form of ``network.rank``."""
    first, *hidden, last = _shapes(network, (dimension, *network.hidden, 1))
    count = math.prod(first) + math.prod(last)
    for shape in hidden:
        ranks = [max(1, math.ceil(network.rank * size)) for size in shape]
        count += math.prod(ranks) + sum(size * rank for size, rank in zip(shape, ranks, strict=True))
    return count


def _shapes(network: NetworkSettings, widths: Sequence[int]) -> list[tuple[int, int, int]]:
    """Return the shapes (I, J, K) of a KAN's layers; a B-spline edge has one coefficient more."""
    functions = network.functions + (network.basis == "bspline")
    return [(inputs, outputs, functions) for inputs, outputs in pairwise(widths)]

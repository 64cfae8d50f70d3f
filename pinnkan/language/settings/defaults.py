"""The default recipe: what a problem file leaves out, from its coordinates and from what it states.

A network with more coefficients than residuals fits the points and not the equation, so both come from one
place: residuals outnumber what is trained at least 1.5 times. A network small enough is trained in full, by
Levenberg-Marquardt in double precision, until that pays no longer. (Single rows leave an error of 1.4e-6 that
comes and goes on the smooth problem `helmholtz_gauss`; double ones 1e-7 in as many seconds.) A large one
starts slim, and adapters on many points go on from there. `tests/benchmarks/default_recipe.py` measures the
recipe on twenty problems.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from pinnkan.language.bases import BASES
from pinnkan.language.network_kinds import NETWORK_KINDS
from pinnkan.language.settings.blocks import (
    AdapterSettings,
    Ending,
    FinetuningPhase,
    NetworkSettings,
    PhaseT,
    PointSettings,
    PretrainingPhase,
    Settings,
    TrainingSettings,
)
from pinnkan.language.settings.keys import with_keys
from pinnkan.optim.kinds import GAUSS_NEWTON

LARGEST_IN_FULL = 5000
"""Most coefficients that are trained in full: J^T J of more takes seconds a step."""
_RATIO = {1: 1.75, 2: 1.75}
_RATIO_BEYOND = 2.5
"""Interior points over the numbers that the widest phase trains, by the number of coordinates: never below
1.5. A Poisson equation in a cube still has ten times the residual between 2.3 times as many points."""
_FEWEST, MOST_POINTS = 1000, 12000
"""Interior points; with more, a step takes minutes, and `check` says how many residuals there are."""
_WIDTH = {1: 10}
_WIDTH_BEYOND = 12
"""Of both hidden layers, by the number of coordinates. Burgers at 0.05 reaches 5e-6 in 50 steps at 12 (28 s
of one busy core) and 1.7e-6 at 16 (117 s)."""
_NARROWEST = 4
_NEURONS = {1: 200, 2: 800}
_NEURONS_BEYOND = 1500
"""Neurons of a network of random features, by the number of coordinates: in the plane a solve takes 2 s."""
_RATIO_OF_RANDOM = 4
"""Residuals over the numbers that are solved for there: a row costs little, for few steps are taken."""


@dataclass(frozen=True)
class Circumstances:
    """What the default recipe depends on beside the settings of the file.

    Attributes:
        dimension: Number of coordinates, time included.
        jumps: Whether an equation's data jump (``where``): its residual is then tested by averages.
        points: Interior points that the file states; None where it leaves them to the recipe.
        hidden: Widths of the hidden layers of a network that is stored already; None where one is to be
            trained. A base from before this recipe may be wider than its file would be now.
        periodic: How many of the coordinates are periodic: each of them gives the network two inputs.
        unknowns: How many there are: outputs of the network.
        equations: How many there are: each gives a residual at every interior point.
        separate: The unknowns that each of several networks gives; None where one gives all.
    """

    dimension: int
    jumps: bool = False
    points: int | None = None
    hidden: tuple[int, ...] | None = None
    periodic: int = 0
    unknowns: int = 1
    equations: int = 1
    separate: tuple[tuple[str, ...], ...] | None = None

    @property
    def inputs(self) -> int:
        """Number of the network's inputs."""
        return self.dimension + self.periodic


def default_network(circumstances: Circumstances, *, frozen: bool = False) -> NetworkSettings:
    """Return the network of a file that states none: narrower where few points are stated.

    Of several networks all are of the same width, the widest that is trained in full.

    Args:
        circumstances: What is known of the problem.
        frozen: Whether the file states a kind of network of which the last layer alone is trained.
    """
    separate = circumstances.separate
    if circumstances.hidden is not None:
        return NetworkSettings(hidden=circumstances.hidden, separate=separate)
    if frozen:
        neurons = _NEURONS.get(circumstances.dimension, _NEURONS_BEYOND)
        if circumstances.points is not None:
            rows = circumstances.points * circumstances.equations
            neurons = min(neurons, max(1, rows // (_RATIO_OF_RANDOM * circumstances.unknowns)))
        return NetworkSettings(hidden=(neurons,), separate=separate)
    widest = _WIDTH.get(circumstances.dimension, _WIDTH_BEYOND)
    ratio = _RATIO.get(circumstances.dimension, _RATIO_BEYOND)
    networks = [
        NetworkSettings(hidden=(width, width), separate=separate) for width in range(widest, _NARROWEST, -1)
    ]
    for network in networks:
        trained = numbers_in_full(network, circumstances.inputs, circumstances.unknowns)
        residuals = None if circumstances.points is None else circumstances.points * circumstances.equations
        if separate is not None and trained > LARGEST_IN_FULL:
            continue
        if residuals is None or residuals >= ratio * trained:
            return network
    return NetworkSettings(hidden=(_NARROWEST, _NARROWEST), separate=separate)


def default_settings(network: NetworkSettings, circumstances: Circumstances) -> Settings:
    """Return all settings of a file that states its network alone, or nothing.

    Args:
        network: As the file states it, the rest by `default_network`.
        circumstances: See there.
    """
    in_full = numbers_in_full(network, circumstances.inputs, circumstances.unknowns)
    kind = NETWORK_KINDS[network.kind]
    large = len(network.hidden) > 1 and in_full > LARGEST_IN_FULL
    slim = kind.on_edges and not kind.slim and large
    count = numbers_of_last_layer if kind.frozen else numbers_slim if slim or kind.slim else numbers_in_full
    trained = count(network, circumstances.inputs, circumstances.unknowns)
    if kind.frozen:
        points = _points_of(_RATIO_OF_RANDOM * trained / circumstances.equations)
    else:
        points = interior_points(trained, circumstances.dimension, circumstances.equations)
    if circumstances.jumps:
        points = 1 << (points - 1).bit_length()
    ending, smoothing = Ending(patience=_PATIENCE), _SMOOTHING * circumstances.jumps
    phase = PretrainingPhase(steps=_STEPS, ending=ending, smoothing=smoothing)
    tuning = FinetuningPhase(steps=_STEPS, ending=ending, smoothing=smoothing)
    if kind.frozen:
        phase = replace(phase, optimizer=GAUSS_NEWTON.name)
        tuning = replace(tuning, optimizer=GAUSS_NEWTON.name)
    precision = "mixed" if slim else "full"
    return Settings(
        network=network,
        adapter=AdapterSettings(compression=0.125 if slim else _COMPRESSION),
        points=PointSettings(interior=points, rule="sobol" if circumstances.jumps else "quadrature"),
        training=TrainingSettings(phase, _from_slim(phase) if slim else (), precision),
        finetuning=TrainingSettings(tuning, precision=precision),
    )


def interior_points(numbers: int, dimension: int, equations: int) -> int:
    """Return how many interior points the residuals take that outnumber what is trained.

    Args:
        numbers: That are trained.
        dimension: Number of coordinates, time included.
        equations: How many there are: each gives a residual at every point.
    """
    return _points_of(_RATIO.get(dimension, _RATIO_BEYOND) * numbers / equations)


def _points_of(wanted: float) -> int:
    return min(max(_FEWEST, math.ceil(wanted)), MOST_POINTS)


_STEPS, _PATIENCE = 150, 10
_SMOOTHING = 48
"""Neighbours in an average where the data jump. The points are Sobol's there, 2^m of them, which share every
part of the domain out evenly: Gauss nodes that lie on the jump itself make a source wrong by 6 %
(`cubic_piecewise`: 7.7e-2 on 55 by 55 of them, 4.5e-4 on 4,096 Sobol points)."""
_COMPRESSION = 0.75
"""Tucker ranks of an adapter on a small network. `reaction_robin` from k = 1, error 8.6e-7, to k = 20:
1.6e-5 at 1/4, 3.5e-6 at 1/2, 1.5e-6 at 3/4 (1,038 numbers), 1.2e-6 in full (1,440)."""


def stated_training(defaults: TrainingSettings[PhaseT], stated: Collection[str]) -> TrainingSettings[PhaseT]:
    """Return the defaults of a ``training:`` or ``finetuning:`` block that states some of its keys.

    Who states an optimizer or phases has a recipe of their own, and who states steps wants that many.
    """
    if {"optimizer", "phases", "form"} & set(stated):
        return TrainingSettings(type(defaults.phase)())
    if "steps" not in stated:
        return defaults
    phase, *phases = (with_keys(phase, {"patience": 0}) for phase in (defaults.phase, *defaults.phases))
    return replace(defaults, phase=phase, phases=tuple(phases))


def with_fresh_points(settings: Settings) -> Settings:
    """Return the default settings of points that are drawn by the residual, every so many steps anew."""
    values = {"refresh": _REFRESH}

    def fresh(training: TrainingSettings[PhaseT]) -> TrainingSettings[PhaseT]:
        phases = tuple(with_keys(phase, values) for phase in training.phases)
        return replace(training, phase=with_keys(training.phase, values), phases=phases)

    return replace(settings, training=fresh(settings.training), finetuning=fresh(settings.finetuning))


_REFRESH = 10


def _from_slim(phase: PretrainingPhase) -> tuple[PretrainingPhase, ...]:
    """Return the phases of a network that is too large to be trained in full."""
    slim, lotra = (with_keys(phase, {"form": form}) for form in ("slim", "lotra"))
    return (slim, replace(lotra, steps=phase.steps // 3))


def numbers_in_full(network: NetworkSettings, inputs: int, outputs: int = 1) -> int:
    """Return how many coefficients a network of so many inputs and outputs has, or several side by side."""
    chains = _widths(network, inputs, outputs)
    return sum(math.prod(shape) for widths in chains for shape in _shapes(network, widths))


def numbers_of_last_layer(network: NetworkSettings, inputs: int, outputs: int = 1) -> int:
    """Return how many coefficients the last layers of a network, or of several side by side, have."""
    return sum(math.prod(_shapes(network, widths)[-1]) for widths in _widths(network, inputs, outputs))


def numbers_slim(network: NetworkSettings, inputs: int, outputs: int = 1) -> int:
    """Return how many numbers a KAN has with its hidden layers in Tucker form of ``network.rank``."""
    count = 0
    for widths in _widths(network, inputs, outputs):
        first, *hidden, last = _shapes(network, widths)
        count += math.prod(first) + math.prod(last)
        for shape in hidden:
            ranks = [max(1, math.ceil(network.of_kind.rank * size)) for size in shape]
            count += math.prod(ranks) + sum(size * rank for size, rank in zip(shape, ranks, strict=True))
    return count


def _widths(network: NetworkSettings, inputs: int, outputs: int) -> list[tuple[int, ...]]:
    """Return inputs, hidden widths and outputs of every network that stands beside others, or of the one."""
    groups = [outputs] if network.separate is None else [len(group) for group in network.separate]
    return [(inputs, *network.hidden, own) for own in groups]


def _shapes(network: NetworkSettings, widths: Sequence[int]) -> list[tuple[int, ...]]:
    """Return the shapes of the layers' coefficients."""
    functions = network.functions + BASES[network.basis].extra
    kind = NETWORK_KINDS[network.kind]
    return [kind.shape(inputs, outputs, functions) for inputs, outputs in pairwise(widths)]

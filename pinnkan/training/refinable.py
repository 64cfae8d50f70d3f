"""What can be refined of a base: more points, more functions on an edge, more width."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pinnkan.ground.errors import UsageError
from pinnkan.ground.progress import Outcome, StepReport
from pinnkan.language.network_kinds import NETWORK_KINDS
from pinnkan.language.settings.blocks import (
    NetworkSettings,
    PhaseSettings,
    PhaseT,
    PretrainingPhase,
    Settings,
    Shaping,
    TrainingSettings,
)
from pinnkan.language.settings.defaults import (
    LARGEST_IN_FULL,
    MOST_POINTS,
    interior_points,
    numbers_in_full,
    with_fresh_points,
)
from pinnkan.language.settings.keys import with_keys
from pinnkan.networks.adapters import Full, Parametrisation
from pinnkan.training.levels import Level, Levels, Size
from pinnkan.training.marking import PAYS, Candidate
from pinnkan.training.network import network_for
from pinnkan.training.phases import Stages, train
from pinnkan.training.refinement import basis_for, fitted, refined, widened
from pinnkan.training.task import Effort, StageStart, Trained, TrainingTask

_FINER, _WIDER = 1.25, 1.3
"""Functions on an edge, and widths, of a refined network over those before."""
_MOST_FUNCTIONS = 64
_NARROWEST = 4
_RESIDUALS_A_NUMBER = 1.5
"""Fewer fit the points and not the equation."""
_MANY_A_NUMBER = 6.0
"""So many cannot be fitted one by one: between them the residual is larger where the solution is steeper."""


def more_points(run: TrainingTask, best: Level) -> list[Candidate]:
    """Return the refinement that doubles the points, if there may be more.

    It is due where the points are fitted and no longer the equation.
    """
    points = _rounded(run, min(2 * best.size.points, MOST_POINTS))
    if points <= best.size.points:
        return []
    ratio = best.size.points * len(run.instance.equations) / best.size.numbers
    short = ratio < _RESIDUALS_A_NUMBER or (best.overfits and ratio < _MANY_A_NUMBER)
    return [Candidate("points", replace(best.size, points=points), is_due=short, expected=PAYS)]


def enough_points(run: TrainingTask, size: Size) -> Size:
    """Return a size with as many points as its numbers take."""
    problem = run.instance.problem
    needed = interior_points(size.numbers, len(problem.coordinates), len(run.instance.equations))
    return replace(size, points=max(size.points, _rounded(run, needed)))


def _rounded(run: TrainingTask, points: int) -> int:
    """Return a number of points that suits averages over neighbours: 2^m of Sobol's where data jump."""
    averaged = any(phase.smoothing for phase in run.settings.training.in_turn)
    return 1 << (points - 1).bit_length() if averaged and run.settings.points.rule == "sobol" else points


def begun_small(run: TrainingTask) -> TrainingTask:
    """Return a training of half the widths where the file leaves them to the default recipe.

    A step costs the square of the numbers: `helmholtz_gauss` meets 1e-6 with 432 numbers in 7 CPU seconds,
    with the 1,440 of the recipe in 21, and what turns out too small is refined. In time it does not pay:
    Burgers at 0.01 stops at 8e-4, and meets 2e-4 in 46 steps with the widths of the recipe.
    """
    settings, problem = run.settings, run.instance.problem
    if "network.hidden" not in settings.chosen or problem.time is not None:
        return run
    hidden = tuple(max(_NARROWEST, width // 2) for width in settings.network.hidden)
    network = replace(settings.network, hidden=hidden)
    small = replace(settings, network=network)
    if "points.interior" in settings.chosen:
        numbers = numbers_in_full(network, problem.inputs, len(problem.unknowns))
        small = on_points(small, enough_points(run, Size(hidden, None, 1, numbers)).points)
    return replace(run, settings=small)


def drawn_by_residual(run: TrainingTask) -> TrainingTask:
    """Return a training on points where the residual is, where the file leaves their rule to the recipe.

    Burgers' equation at a viscosity of 0.01 comes to 1.1e-4 so, and to 4.2e-3 on points that stay even.
    Averages over neighbours keep points that are shared out evenly.
    """
    settings = run.settings
    phases = (*settings.training.in_turn, *settings.finetuning.in_turn)
    kept = "points.rule" not in settings.chosen or NETWORK_KINDS[settings.network.kind].frozen
    if kept or not run.instance.equations or any(phase.smoothing or phase.refresh for phase in phases):
        return run
    fresh = with_fresh_points(settings)
    return replace(run, settings=replace(fresh, points=replace(fresh.points, rule="residual")))


def on_points(settings: Settings, points: int) -> Settings:
    """Return the settings with so many interior points."""
    return replace(settings, points=replace(settings.points, interior=points))


def last_phase(recipe: TrainingSettings[PhaseT]) -> TrainingSettings[PhaseT]:
    """Return the last phase alone, on ``points.interior``; it does nothing to the network."""
    last = recipe.in_turn[-1]
    shaping = vars(Shaping()) if isinstance(last, PretrainingPhase) else {}
    last = with_keys(last, {**shaping, "points": None})
    return replace(recipe, phases=(last,))


def points_of(settings: Settings, recipe: TrainingSettings[PhaseSettings]) -> int:
    """Return the interior points of a recipe's last phase."""
    return recipe.in_turn[-1].points or settings.points.interior


@dataclass(frozen=True)
class RefinableBase:
    """The coefficients of a base, or of a network from scratch.

    Attributes:
        run: Circumstances of the training.
        recipe: Trains it by all phases.
        started: Reading of the clock at which the training began.
        moving: From coefficients and the number of a level: what moves of them.
        stream: From a purpose to a random stream.
        start: Coefficients of a finished result to go on from; None begins with the recipe.
    """

    run: TrainingTask
    recipe: Callable[[TrainingTask], Trained]
    started: float
    moving: Callable[[Sequence[Tensor], int], Parametrisation]
    stream: Callable[[str], torch.Generator]
    start: Sequence[Tensor] | None = None

    @property
    def goes_on(self) -> bool:
        """See `Refinable.goes_on`."""
        return self.start is not None

    def first(self, run: TrainingTask) -> Trained:
        """See `Refinable.first`."""
        if self.start is None:
            return self.recipe(run)
        size = enough_points(run, self._size(self.start, points_of(run.settings, run.settings.training)))
        return self._trained(run, self.start, size, number=1)

    def size_of(self, trained: Trained) -> Size:
        """See `Refinable.size_of`."""
        settings = self.run.settings
        size = self._size(trained.coefficients(), points_of(settings, settings.training))
        return (
            replace(size, numbers=trained.trainable) if self.start is None else enough_points(self.run, size)
        )

    def _size(self, coefficients: Sequence[Tensor], points: int) -> Size:
        network = fitted(self.run.settings.network, coefficients)
        functions = network.functions if NETWORK_KINDS[network.kind].on_edges else None
        return Size(network.hidden, functions, points, sum(c.numel() for c in coefficients))

    def candidates(self, best: Level) -> list[Candidate]:
        """See `Refinable.candidates`."""
        grown = [Candidate(kind, size) for kind, size in self._grown(best.size)]
        return [*grown, *more_points(self.run, best)]

    def _grown(self, size: Size) -> Iterator[tuple[str, Size]]:
        """Yield larger networks, as far as all of their coefficients may move."""
        settings, network = self.run.settings, self._network(size)
        problem = self.run.instance.problem
        if not moves_all(settings, numbers_in_full(network, problem.inputs, len(problem.unknowns))):
            return
        finer = _finer(network)
        wider = tuple(math.ceil(_WIDER * width) for width in size.hidden)
        for kind, larger in (
            ("functions", None if finer is None else replace(network, functions=finer)),
            ("width", replace(network, hidden=wider)),
        ):
            if larger is None:
                continue
            numbers = numbers_in_full(larger, problem.inputs, len(problem.unknowns))
            if numbers <= LARGEST_IN_FULL:
                functions = None if size.functions is None else larger.functions
                grown = Size(larger.hidden, functions, size.points, numbers)
                yield kind, enough_points(self.run, grown)

    def _network(self, size: Size) -> NetworkSettings:
        network = replace(self.run.settings.network, hidden=size.hidden)
        return network if size.functions is None else replace(network, functions=size.functions)

    def refined(self, run: TrainingTask, levels: Levels, size: Size) -> Trained:
        """See `Refinable.refined`."""
        number, before = len(levels.done) + 1, self._network(levels.best.size)
        finer = refined(levels.kept, before, size.functions)
        stream = self.stream(f"neurons of level {number}")
        return self._trained(run, widened(finer, before, size.hidden, stream), size, number=number)

    def _trained(
        self, run: TrainingTask, coefficients: Sequence[Tensor], size: Size, *, number: int
    ) -> Trained:
        """Train coefficients of a size by the last phase of the recipe."""
        settings = on_points(replace(run.settings, network=self._network(size)), size.points)

        def parametrise(_form: str, origin: StageStart) -> tuple[Parametrisation, Tensor]:
            made = self.moving(origin.coefficients, number)
            return made, made.start()

        start = [c.to(run.arithmetic.device) for c in coefficients]
        recipe = last_phase(run.settings.training)
        return train(
            replace(run, settings=settings), recipe, Stages(start, ["full"], parametrise), self.started
        )

    def kept(self, trained: Trained) -> list[Tensor]:
        """See `Refinable.kept`."""
        return trained.coefficients()

    def restored(self, levels: Levels, outcome: Outcome, history: tuple[StepReport, ...]) -> Trained:
        """See `Refinable.restored`."""
        parameters = Parametrisation([Full(c) for c in levels.kept])
        network = network_for(self.run.instance, self.run.settings.network, levels.kept)
        start, best = parameters.start().to(self.run.arithmetic.device), levels.best
        effort = Effort(best.seconds, best.size.numbers)
        return Trained(network, parameters, start, history, outcome, best.rms, effort)

    def written(self, size: Size) -> str:
        """See `Refinable.written`."""
        problem = self.run.instance.problem
        widths = "-".join(map(str, (problem.inputs, *size.hidden, len(problem.unknowns))))
        functions = "" if size.functions is None else f", {size.functions} functions"
        return f"{widths}{functions}, {size.points:,} points"


def moves_all(settings: Settings, numbers: int) -> bool:
    """Tell whether every coefficient of a network may move: it is neither slim nor pruned nor too large."""
    pruned = any(phase.shaping.prune for phase in settings.training.in_turn)
    return not (NETWORK_KINDS[settings.network.kind].slim or pruned or numbers > LARGEST_IN_FULL)


def _finer(network: NetworkSettings) -> int | None:
    """Return how many functions the next larger basis has that contains the present one; None without one."""
    if not NETWORK_KINDS[network.kind].on_edges:
        return None
    basis = basis_for(network)
    for functions in range(math.ceil(_FINER * network.functions), 2 * network.functions + 1):
        try:
            basis.embedding(basis_for(replace(network, functions=min(functions, _MOST_FUNCTIONS))))
        except UsageError:
            continue
        return functions if functions <= _MOST_FUNCTIONS else None
    return None

"""What can be refined of an adapter: its ranks and its points; the base does not move under it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from pinnkan.ground.progress import Outcome, StepReport
from pinnkan.language.network_kinds import NETWORK_KINDS
from pinnkan.language.settings.blocks import AdapterSettings
from pinnkan.networks.adapters import GROWTH, Parametrisation
from pinnkan.training.levels import Level, Levels, Size
from pinnkan.training.marking import Candidate
from pinnkan.training.network import network_for
from pinnkan.training.phases import Stages, train
from pinnkan.training.refinable import last_phase, more_points, on_points, points_of
from pinnkan.training.refinement import fitted
from pinnkan.training.task import Effort, StageStart, Trained, TrainingTask


@dataclass(frozen=True)
class FinishedAdapter:
    """A finished adapter to go on from.

    Attributes:
        theta: From a parametrisation to the theta that its numbers stand for.
        ranks: (R1, R2, R3) of every layer in Tucker form.
    """

    theta: Callable[[Parametrisation], Tensor]
    ranks: Sequence[Sequence[int]] = ()


@dataclass(frozen=True)
class AdapterForm:
    """How the adapters of a base come about.

    Attributes:
        at: From a compression, or None for that of the settings, to a parametrisation with such ranks.
        raised: From a parametrisation, its theta and a compression to one of higher ranks and its theta,
            the same network.
        numbers: From a compression to how many numbers move at it.
        ratio_of: From ranks to the compression that they come from; None for that of the settings.
        low_rank: Whether there are ranks to raise.
    """

    at: Callable[[float | None], Parametrisation]
    raised: Callable[[Parametrisation, Tensor, float], tuple[Parametrisation, Tensor]]
    numbers: Callable[[float], int]
    ratio_of: Callable[[Sequence[Sequence[int]]], float | None]
    low_rank: bool


@dataclass(frozen=True)
class RefinableAdapter:
    """The numbers of an adapter, or of a network that is fine-tuned in full.

    Attributes:
        run: Circumstances of the training.
        base: Coefficients of every layer.
        recipe: Trains it by all phases.
        form: How it comes about.
        started: Reading of the clock at which the training began.
        finished: To go on from; None begins with the recipe.
    """

    run: TrainingTask
    base: Sequence[Tensor]
    recipe: Callable[[TrainingTask], Trained]
    form: AdapterForm
    started: float
    finished: FinishedAdapter | None = None

    @property
    def goes_on(self) -> bool:
        """See `Refinable.goes_on`."""
        return self.finished is not None

    def first(self, run: TrainingTask) -> Trained:
        """See `Refinable.first`."""
        finished = self.finished
        if finished is None:
            return self.recipe(run)
        parameters = self.form.at(self.form.ratio_of(finished.ranks))
        return self._trained(run, parameters, finished.theta(parameters))

    def size_of(self, trained: Trained) -> Size:
        """See `Refinable.size_of`."""
        settings = self.run.settings
        network = fitted(settings.network, self.base)
        functions = network.functions if NETWORK_KINDS[network.kind].on_edges else None
        stated = points_of(settings, settings.finetuning)
        points = stated if self.finished is None else settings.points.interior
        ratio = self.form.ratio_of(trained.parameters.ranks)
        return Size(network.hidden, functions, points, trained.parameters.size, ratio)

    def candidates(self, best: Level) -> list[Candidate]:
        """See `Refinable.candidates`."""
        higher = self._higher(best.size.compression)
        ranks = [] if higher is None else [Candidate("ranks", self._at_ratio(best.size, higher))]
        return [*ranks, *more_points(self.run, best)]

    def _at_ratio(self, size: Size, compression: float) -> Size:
        return replace(size, compression=compression, numbers=self.form.numbers(compression))

    def _higher(self, compression: float | None) -> float | None:
        """Return the next compression, None where all ranks are full."""
        ratio = compression or first_ratio(self.run.settings.adapter)
        return min(1.0, 2.0 * ratio) if self.form.low_rank and ratio < 1.0 else None

    def refined(self, run: TrainingTask, levels: Levels, size: Size) -> Trained:
        """See `Refinable.refined`."""
        before, (theta,) = levels.best.size, levels.kept
        parameters = self.form.at(before.compression)
        if size.compression is not None and size.compression != before.compression:
            parameters, theta = self.form.raised(parameters, theta, size.compression)
        return self._trained(replace(run, settings=on_points(run.settings, size.points)), parameters, theta)

    def _trained(self, run: TrainingTask, parameters: Parametrisation, theta: Tensor) -> Trained:
        def parametrise(_form: str, _origin: StageStart) -> tuple[Parametrisation, Tensor]:
            return parameters, theta

        course = Stages(self.base, ["adapter"], parametrise)
        return train(run, last_phase(run.settings.finetuning), course, self.started)

    def kept(self, trained: Trained) -> list[Tensor]:
        """See `Refinable.kept`."""
        return [trained.theta]

    def restored(self, levels: Levels, outcome: Outcome, history: tuple[StepReport, ...]) -> Trained:
        """See `Refinable.restored`."""
        best, (theta,) = levels.best, levels.kept
        network = network_for(self.run.instance, self.run.settings.network, self.base)
        effort = Effort(best.seconds, best.size.numbers)
        parameters = self.form.at(best.size.compression)
        return Trained(network, parameters, theta, history, outcome, best.rms, effort)

    def written(self, size: Size) -> str:
        """See `Refinable.written`."""
        ratio = "" if size.compression is None else f", compression {size.compression:g}"
        return f"{size.numbers:,} numbers{ratio}, {size.points:,} points"


def first_ratio(adapter: AdapterSettings) -> float:
    """Return the compression that ranks are raised from: half of all where they are stated one by one."""
    if adapter.grows:
        return GROWTH[0]
    return adapter.compression if adapter.ranks is None and adapter.compression != "auto" else 0.5


def raised_ratios(adapter: AdapterSettings) -> list[float]:
    """Return all compressions that ranks may have been raised to, by growth or by refinement."""
    ratios = list(GROWTH) if adapter.grows else []
    ratio = first_ratio(adapter)
    while ratio < 1.0:
        ratio = min(1.0, 2.0 * ratio)
        ratios.append(ratio)
    return ratios

"""What one training gets, what it leaves, and where it stands in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from pinnkan.ground.progress import Observer, Outcome, StepReport
from pinnkan.language.settings.blocks import Settings
from pinnkan.networks import Network
from pinnkan.networks.adapters import Parametrisation
from pinnkan.physics.instance import Instance
from pinnkan.solutions.solution import Solution
from pinnkan.training.levels import Level, Levels, ResidualRms
from pinnkan.training.loop import PhaseState


@dataclass(frozen=True)
class StageStart:
    """Where the present parametrisation came from.

    Attributes:
        phase: The phase at whose beginning it was made.
        coefficients: Of every layer, from which it was made.
        theta: Where the parametrisation before it stood; None if it is the first.
    """

    phase: int
    coefficients: Sequence[Tensor]
    theta: Tensor | None = None


@dataclass(frozen=True)
class TrainingState:
    """Where a training stands between two steps: what the rest of it depends on beside its `TrainingTask`.

    Attributes:
        phase: Index of the present phase.
        inner: Its state.
        origin: Of its parametrisation.
        earlier: Reports of the phases before.
        trainable: Most numbers that moved in any one phase so far.
        levels: The levels before the present one; None without a tolerance.
        seconds: Wall time so far, in the present window where there are several.
        windows: Where a training in time windows stands beside that; None where there are none.
    """

    phase: int
    inner: PhaseState
    origin: StageStart
    earlier: Sequence[StepReport]
    trainable: int
    seconds: float
    levels: Levels | None = None
    windows: WindowsState | None = None

    @property
    def steps(self) -> int:
        """Steps of all phases, and windows, so far."""
        done = () if self.windows is None else (*self.windows.finished, *self.windows.tried)
        before = sum(len(window.record.history) for window in done)
        return before + len(self.earlier) + self.inner.steps


@dataclass(frozen=True)
class Arithmetic:
    """Where and in which precision a network is trained.

    Attributes:
        device: Where tensors live.
        dtype: ``float64`` or ``float32``: of the stored coefficients and, for ``float32``, of all products.
    """

    device: torch.device
    dtype: torch.dtype


ShownError = Callable[[Sequence[Tensor]], float | None]


@dataclass(frozen=True)
class Audience:
    """Who is told of a training, and what.

    Attributes:
        observer: Who is told.
        title: What is trained.
        error: Relative L2 error of given coefficients, to be shown; None where nothing is known.
        error_in: Gives the same for a time window, from the problem that it poses.
    """

    observer: Observer
    title: str
    error: ShownError | None = None
    error_in: Callable[[Instance], ShownError | None] = field(default=lambda _: None)


@dataclass(frozen=True)
class TrainingTask:
    """The circumstances of one training.

    Attributes:
        instance: The problem at one parameter value.
        settings: Of network, adapter, points and training.
        seed: Of points, starting coefficients and random factors.
        arithmetic: Where and in which precision.
        audience: Who is told.
        time_limit: Seconds, or None.
        keep: Given the state after every step.
        state: One of an earlier training with the same run: it goes on to the same coefficients, bit by bit.
    """

    instance: Instance
    settings: Settings
    seed: int
    arithmetic: Arithmetic
    audience: Audience
    time_limit: float | None = None
    keep: Callable[[TrainingState], None] = field(default=lambda _: None)
    state: TrainingState | None = None


@dataclass(frozen=True)
class Effort:
    """What a training took.

    Attributes:
        seconds: Wall time from point generation to the last step.
        trainable: Most numbers that moved in any one phase whose result was kept.
        levels: Of a training with a tolerance, in the order of their training.
    """

    seconds: float
    trainable: int
    levels: tuple[Level, ...] = ()


@dataclass(frozen=True)
class Trained:
    """A trained network.

    Attributes:
        network: Its layers and input map.
        parameters: How its coefficients depend on theta.
        theta: The best one, (P,), float64.
        history: Reports of all phases.
        outcome: Of the last phase.
        rms: Its residual, on points of the training and on others.
        effort: What it took.
    """

    network: Network
    parameters: Parametrisation
    theta: Tensor
    history: tuple[StepReport, ...]
    outcome: Outcome
    rms: ResidualRms
    effort: Effort

    @property
    def seconds(self) -> float:
        """Wall time from point generation to the last step."""
        return self.effort.seconds

    @property
    def trainable(self) -> int:
        """Most numbers that moved in any one phase whose result was kept."""
        return self.effort.trainable

    def coefficients(self) -> list[Tensor]:
        """Return every layer's coefficients in their stored shapes, float64."""
        return self.parameters.coefficients(self.theta)

    @property
    def steps(self) -> int:
        """Steps of all phases."""
        return len(self.history)

    @property
    def ranks(self) -> Sequence[Sequence[int]]:
        """Tucker ranks of every layer that has some."""
        return self.parameters.ranks

    def solution(self, instance: Instance) -> Solution:
        """Return what it solves, on the CPU; the instance is that of the training."""
        return Solution(instance, self.network, [c.cpu() for c in self.coefficients()])


@dataclass(frozen=True)
class WindowRecord:
    """How the training of one time window went.

    Attributes:
        history: Reports of all phases.
        outcome: Of the last phase.
        seconds: Wall time.
        rms: Its residual.
        trainable: Most numbers that moved in any one phase.
        ranks: Tucker ranks of every layer that has some.
        judged: Estimate, verdict, reasons and advice (`pinnkan.training.judgement.judgement`).
        levels: Of a training with a tolerance.
    """

    history: Sequence[StepReport]
    outcome: Outcome
    seconds: float
    rms: ResidualRms
    trainable: int
    ranks: Sequence[Sequence[int]]
    judged: Mapping[str, Any]
    levels: tuple[Level, ...] = ()


@dataclass(frozen=True)
class TrainedWindow:
    """What is kept of one time window.

    Attributes:
        end: Last time of the window.
        coefficients: Of every layer in their stored shapes, float64, on the CPU.
        changes: An adapter's numbers, by name for every layer; None where every coefficient moved.
        record: How its training went.
    """

    end: float
    coefficients: Sequence[Tensor]
    changes: Sequence[Mapping[str, Tensor]] | None
    record: WindowRecord


@dataclass(frozen=True)
class WindowsState:
    """Where a training in time windows stands.

    Attributes:
        finished: The windows that are done, in the order of time.
        pending: Ends of the present window and of those after it.
        halvings: How often each of these was halved.
        tried: What the rounds before left of the present window.
        spent: Seconds on windows that were halved.
    """

    finished: tuple[TrainedWindow, ...]
    pending: tuple[float, ...]
    halvings: tuple[int, ...]
    tried: tuple[TrainedWindow, ...] = ()
    spent: float = 0.0

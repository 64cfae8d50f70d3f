"""What one training gets, what it leaves, and where it stands in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from pinnkan.ground.progress import Observer, Outcome, StepReport
from pinnkan.language.settings.blocks import Settings
from pinnkan.networks import Network
from pinnkan.networks.adapters import Parametrisation
from pinnkan.physics.instance import Instance
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
        seconds: Wall time so far.
        levels: The levels before the present one; None without a tolerance.
    """

    phase: int
    inner: PhaseState
    origin: StageStart
    earlier: Sequence[StepReport]
    trainable: int
    seconds: float
    levels: Levels | None = None

    @property
    def steps(self) -> int:
        """Steps of all phases so far."""
        return len(self.earlier) + self.inner.steps


@dataclass(frozen=True)
class Arithmetic:
    """Where and in which precision a network is trained.

    Attributes:
        device: Where tensors live.
        dtype: ``float64`` or ``float32``: of the stored coefficients and, for ``float32``, of all products.
    """

    device: torch.device
    dtype: torch.dtype


@dataclass(frozen=True)
class Audience:
    """Who is told of a training, and what.

    Attributes:
        observer: Who is told.
        title: What is trained.
        error: Relative L2 error of given coefficients, to be shown; None where nothing is known.
    """

    observer: Observer
    title: str
    error: Callable[[Sequence[Tensor]], float | None] | None = None


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

"""A solution in time windows as training leaves it, and as it is put together again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from pinnkan.ground.progress import Outcome, StepReport
from pinnkan.language.settings.blocks import NetworkSettings
from pinnkan.physics.instance import Instance
from pinnkan.physics.windows.window import window_of
from pinnkan.solutions.solution import Solution
from pinnkan.solutions.windows import WindowedSolution
from pinnkan.training.levels import ResidualRms
from pinnkan.training.network import network_for
from pinnkan.training.task import Effort, Trained, TrainedWindow


@dataclass(frozen=True)
class TrainedWindows:
    """A solution in time windows, trained.

    Attributes:
        start: The first time.
        windows: In the order of time.
        settings: Of the network.
        spent: Seconds on windows that were halved.
    """

    start: float
    windows: tuple[TrainedWindow, ...]
    settings: NetworkSettings
    spent: float = 0.0

    @property
    def ends(self) -> tuple[float, ...]:
        """The ends of all windows, the first time first."""
        return (self.start, *(window.end for window in self.windows))

    @property
    def history(self) -> tuple[StepReport, ...]:
        """Reports of all windows."""
        return tuple(report for window in self.windows for report in window.record.history)

    @property
    def outcome(self) -> Outcome:
        """That of the first window that ran out of time, else of the last."""
        outcomes = [window.record.outcome for window in self.windows]
        return next((outcome for outcome in outcomes if outcome.reason == "time_limit"), outcomes[-1])

    @property
    def seconds(self) -> float:
        """Wall time of all windows, of those that were halved too."""
        return self.spent + sum(window.record.seconds for window in self.windows)

    @property
    def rms(self) -> ResidualRms:
        """The largest residuals of a window."""
        every = [window.record.rms for window in self.windows]
        return ResidualRms(max(rms.training for rms in every), max(rms.held_out for rms in every))

    @property
    def trainable(self) -> int:
        """How many numbers moved in all windows."""
        return sum(window.record.trainable for window in self.windows)

    @property
    def ranks(self) -> Sequence[Sequence[int]]:
        """Tucker ranks of every layer that has some, window by window."""
        return [ranks for window in self.windows for ranks in window.record.ranks]

    @property
    def effort(self) -> Effort:
        """What all windows took."""
        levels = tuple(level for window in self.windows for level in window.record.levels)
        return Effort(self.seconds, self.trainable, levels)

    @property
    def steps(self) -> int:
        """Steps of all windows."""
        return len(self.history)

    def solution(self, instance: Instance) -> WindowedSolution:
        """Return what it solves; the instance is that over the whole time."""
        return joined(instance, self.settings, self.ends, [window.coefficients for window in self.windows])


def joined(
    whole: Instance,
    settings: NetworkSettings,
    ends: Sequence[float],
    coefficients: Sequence[Sequence[Tensor]],
) -> WindowedSolution:
    """Return the solution over the whole time that the coefficients of all windows give.

    Args:
        whole: The problem over the whole time.
        settings: Of the network.
        ends: Of all windows, the first time first.
        coefficients: Of every layer of every window.
    """
    solutions: list[Solution] = []
    for number, own in enumerate(coefficients):
        before = solutions[-1] if solutions else None
        instance = window_of(whole, ends[number], ends[number + 1], before)
        solutions.append(Solution(instance, network_for(instance, settings, own), own))
    return WindowedSolution(whole, tuple(solutions))


AnyTrained = Trained | TrainedWindows

"""What training tells whoever watches it: one report a step, one outcome a phase.

Optimizers, the training loop, the workflows and the command line all speak
these words, so they stand on the lowest floor and import nothing of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

StopReason = Literal[
    "converged",
    "tolerance",
    "exhausted",
    "max_steps",
    "stalled",
    "overfitting",
    "settled",
    "non_finite",
    "time_limit",
]


@dataclass(frozen=True)
class StepReport:
    """Where training stands after one step; cheap, every number a Python float."""

    step: int
    """Steps done in this phase, counted from 1."""
    total: int
    """Most steps this phase may take."""
    seconds: float
    """Wall time since the phase began."""
    phase: str
    """Name of the phase, as given to ``Observer.begin``."""
    loss: float
    """Sum of the weighted mean squares of all residual blocks, and of the penalty with ``sparsity``."""
    terms: Mapping[str, float]
    """Root mean square of every residual block by its name (``equation[0]``, ``boundary[1]``, ...)."""
    held_out: float | None
    """Held-out residual (root mean square; with ``sparsity`` its penalty included); None between checks."""
    error: float | None
    """Relative L2 error against the exact solution; None where there is none. Shown, never acted on."""
    note: str = ""
    """What the optimizer wants said about itself (``damping 1e-4``, ``rate 3e-3``)."""


@dataclass(frozen=True)
class Outcome:
    """Why a phase ended."""

    reason: StopReason
    advice: str
    """One sentence: what the reason means and what to try."""
    steps: int


@dataclass(frozen=True)
class SweepReport:
    """Where a training of many parameter values, or of a study's cells, stands."""

    done: int
    """Those that ended in this sweep, failed ones included."""
    failed: int
    total: int
    """To be trained in this sweep; those that were finished before are not counted."""
    seconds: float
    """Wall time since the sweep began."""
    running: tuple[str, ...] = ()
    """What other processes are at (``lambda=0.3: lm, step 4/12``)."""
    what: str = "values"
    """What is counted."""

    @property
    def seconds_left(self) -> float | None:
        """Time that the remaining ones take at the rate so far; None before the first one."""
        return self.seconds / self.done * (self.total - self.done) if self.done else None


class Observer(Protocol):
    """Whoever watches: a progress bar, a plain log, nobody."""

    def begin(self, title: str, phase: str, total_steps: int) -> None:
        """Announce a phase; ``title`` says what is trained (``lambda=0.1``, ``base``)."""
        ...

    def step(self, report: StepReport) -> None:
        """Take the report of one step; called after every step."""
        ...

    def end(self, outcome: Outcome) -> None:
        """Close the phase; called once after ``begin`` unless an exception ends the training."""
        ...

    def sweep(self, report: SweepReport) -> None:
        """Take the state of a sweep over many values; called at its beginning, after every value, and
        every second or so while other processes train."""
        ...

    def note(self, text: str) -> None:
        """Say one line that belongs to no step (``wrote runs/heat/base.h5``)."""
        ...


class Silent:
    """The observer that says nothing: Python callers and tests."""

    def begin(self, title: str, phase: str, total_steps: int) -> None:
        """Say nothing."""

    def step(self, report: StepReport) -> None:
        """Say nothing."""

    def end(self, outcome: Outcome) -> None:
        """Say nothing."""

    def sweep(self, report: SweepReport) -> None:
        """Say nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""

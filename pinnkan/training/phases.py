"""The phases of one training in turn, each on its own points, and what changes between them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnkan.adapters import Parameters
from pinnkan.errors import DivergedError
from pinnkan.networks import Network
from pinnkan.optim import LBFGS, Adam, LevenbergMarquardt, Optimizer
from pinnkan.problem.settings import PhaseSettings, TrainingSettings
from pinnkan.progress import Outcome, StepReport
from pinnkan.training.assembly import training_sets
from pinnkan.training.least_squares import NetworkLeastSquares, TrainingLeastSquares, TrainingSet
from pinnkan.training.loop import PhaseResult, PhaseState, Watch, run_phase
from pinnkan.training.oracle import AutogradLeastSquares
from pinnkan.training.rates import rates_for
from pinnkan.training.run import Origin, Run, Trained, TrainingState
from pinnkan.training.smoothing import SmoothedLeastSquares


def phases_of(settings: TrainingSettings) -> tuple[PhaseSettings, ...]:
    """Return the phases of a recipe; without a list of them it is the only one itself."""
    return settings.phases or (settings,)


@dataclass(frozen=True)
class Course:
    """How the parametrisation of a training changes from phase to phase.

    Attributes:
        coefficients: To start from.
        forms: One word for each phase; a change of it makes a new parametrisation of what was reached.
        parametrise: From a form and an origin: the parametrisation and its first theta.
        before: The parametrisation that an origin's theta belongs to, for ranks that grow: the first that
            does not pay is the last, and the one before it is the result.
    """

    coefficients: Sequence[Tensor]
    forms: Sequence[str]
    parametrise: Callable[[str, Origin], tuple[Parameters, Tensor]]
    before: Callable[[Origin], Parameters] | None = None


def train(run: Run, network: Network, settings: TrainingSettings, course: Course, started: float) -> Trained:
    """Run the phases; a change of form re-parametrises what was reached.

    So does every pre-training phase in LoTRA form: its factors are fresh.
    """
    return _Training(run, network, settings, course, started)()


class _Training:
    """A training between two phases; arguments as in `train`."""

    def __init__(
        self, run: Run, network: Network, settings: TrainingSettings, course: Course, started: float
    ) -> None:
        self._run, self._network, self._course, self._started = run, network, course, started
        self._phases, self._precision = phases_of(settings), settings.precision
        self._held_out = _held_out_sets(run)
        self._history: list[StepReport] = [] if run.state is None else list(run.state.earlier)
        self._origin = Origin(0, course.coefficients) if run.state is None else run.state.origin
        self._trainable = 0 if run.state is None else run.state.trainable
        self._parametrise()

    def __call__(self) -> Trained:
        first = 0 if self._run.state is None else self._run.state.phase
        forms = self._course.forms
        for at, phase in enumerate(self._phases[first:], start=first):
            if at > first and (forms[at] != forms[at - 1] or phase.form == "lotra"):
                self._origin = Origin(at, self._parameters.coefficients(self._theta), self._theta)
                self._parametrise()
                if self._course.before is not None:
                    self._run.observer.note(f"{self._run.title}: ranks grow to {_written(self._parameters)}")
            outcome = self._run_phase(at, phase)
            late = outcome.reason == "time_limit"
            if (late or forms[at + 1 : at + 2] != forms[at : at + 1]) and self._went_back(phase):
                break
            if late:
                break
        seconds = time.perf_counter() - self._started
        parameters, theta, history = self._parameters, self._theta, tuple(self._history)
        rms = float(self._residuals(parameters, smoothing=0).residuals(theta).norm())
        return Trained(self._network, parameters, theta, history, outcome, seconds, rms, self._trainable)

    def _parametrise(self) -> None:
        """Make the parametrisation that follows from the origin."""
        form = self._course.forms[self._origin.phase]
        self._parameters, theta = self._course.parametrise(form, self._origin)
        self._theta = theta.to(self._run.device)
        self._trainable = max(self._trainable, self._parameters.size)

    def _run_phase(self, at: int, phase: PhaseSettings) -> Outcome:
        run, network, parameters = self._run, self._network, self._parameters
        watch = _watch(run, network, parameters, self._held_out, phase.smoothing, self._started)
        keep = _keeper(run, at, self._origin, tuple(self._history), self._trainable, self._started)
        result = _run_one(run, network, parameters, self._theta, phase, at, self._precision, watch, keep)
        self._theta = result.theta
        self._history += result.reports
        if result.outcome.reason == "non_finite":
            advice = result.outcome.advice
            raise DivergedError(f"{run.title}: diverged at step {len(self._history)}: {advice}")
        return result.outcome

    def _went_back(self, phase: PhaseSettings) -> bool:
        """Return to the ranks before where the present ones did not lower the held-out residual enough."""
        if self._course.before is None or self._origin.theta is None:
            return False
        former = self._course.before(self._origin)
        was = self._residuals(former, phase.smoothing).residuals(self._origin.theta).norm()
        now = self._residuals(self._parameters, phase.smoothing).residuals(self._theta).norm()
        if float(was) > WORTH * float(now):
            return False
        self._parameters, self._theta, self._trainable = former, self._origin.theta, former.size
        self._run.observer.note(f"{self._run.title}: higher ranks do not pay; back to {_written(former)}")
        return True

    def _residuals(self, parameters: Parameters, smoothing: int) -> TrainingLeastSquares:
        """Return the held-out residuals as a function of theta."""
        return _least_squares(self._run, self._network, parameters, self._held_out, smoothing=smoothing)


def _written(parameters: Parameters) -> str:
    """Write ranks: ``8 x 8 x 1``."""
    return ", ".join(" x ".join(map(str, ranks)) for ranks in parameters.ranks)


WORTH = 1.1
"""Higher ranks must divide the held-out residual by so much: less counts as equal, as in `loop.Best`."""


def _keeper(
    run: Run, at: int, origin: Origin, earlier: Sequence[StepReport], trainable: int, started: float
) -> Callable[[PhaseState], None]:
    """Return what a phase tells its states to: the run, which gets the training's state around it."""

    def keep(inner: PhaseState) -> None:
        run.keep(TrainingState(at, inner, origin, earlier, trainable, time.perf_counter() - started))

    return keep


def _run_one(
    run: Run,
    network: Network,
    parameters: Parameters,
    theta: Tensor,
    phase: PhaseSettings,
    at: int,
    precision: str,
    watch: Watch,
    keep: Callable[[PhaseState], None],
) -> PhaseResult:
    lean = run.dtype == torch.float32 or (precision == "mixed" and phase.optimizer == "lm")

    def draw(epoch: int) -> TrainingLeastSquares:
        sets = training_sets(
            run.instance,
            run.settings.points,
            seed=run.seed,
            variant=2 * (at * _EPOCHS + epoch),
            interior=phase.points,
            device=run.device,
        )
        return _least_squares(run, network, parameters, sets, lean=lean, smoothing=phase.smoothing)

    def start(problem: TrainingLeastSquares) -> Optimizer:
        if phase.optimizer == "lm":
            return LevenbergMarquardt(problem, theta, damping=phase.damping)
        if phase.optimizer == "lbfgs":
            return LBFGS(problem, theta)
        rates = rates_for(parameters, phase.rates, phase.rate)
        return Adam(problem, theta, rates=rates, steps=phase.steps, schedule=phase.schedule)

    name = f"{phase.optimizer}{f' ({phase.form})' if phase.form != 'full' else ''}"
    state = run.state.inner if run.state is not None and run.state.phase == at else None
    return run_phase(start, draw, phase, name=name, watch=watch, keep=keep, state=state)


def _least_squares(
    run: Run,
    network: Network,
    parameters: Parameters,
    sets: Sequence[TrainingSet],
    *,
    lean: bool = False,
    smoothing: int = 0,
) -> TrainingLeastSquares:
    """Return the residuals on some sets by ``network.derivatives``; the oracle is never lean."""
    pointwise: TrainingLeastSquares
    if run.settings.network.derivatives == "autograd":
        pointwise = AutogradLeastSquares(network, parameters, sets)
    else:
        dtype = torch.float32 if lean else torch.float64
        pointwise = NetworkLeastSquares(network, parameters, sets, product_dtype=dtype)
    return SmoothedLeastSquares(pointwise, network, smoothing) if smoothing else pointwise


_EPOCHS = 1000
"""Collocation variants set aside for the refreshed sets of one phase."""


def _held_out_sets(run: Run) -> list[TrainingSet]:
    points = run.settings.points
    return training_sets(
        run.instance, points, seed=run.seed, variant=1, interior=points.held_out, device=run.device
    )


def _watch(
    run: Run,
    network: Network,
    parameters: Parameters,
    held_out: Sequence[TrainingSet],
    smoothing: int,
    started: float,
) -> Watch:
    def error(theta: Tensor) -> float | None:
        return run.error(parameters.coefficients(theta)) if run.error is not None else None

    return Watch(
        _least_squares(run, network, parameters, held_out, smoothing=smoothing),
        error,
        run.observer,
        run.title,
        None if run.time_limit is None else started + run.time_limit,
    )

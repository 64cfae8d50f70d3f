"""The phases of one training in turn, each on its own points, and what changes between them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnkan.ground.errors import DivergedError
from pinnkan.ground.progress import Outcome, StepReport
from pinnkan.language.settings.blocks import PhaseSettings, Shaping, TrainingSettings
from pinnkan.networks import Network
from pinnkan.networks.adapters import Full, Parametrisation
from pinnkan.optim.optimizer import Optimizer, Start
from pinnkan.physics.residuals.balancing import OwnSizes, balanced
from pinnkan.physics.residuals.least_squares import NetworkLeastSquares, TrainingLeastSquares
from pinnkan.physics.residuals.oracle import AutogradLeastSquares
from pinnkan.physics.residuals.smoothing import PointwiseLeastSquares, SmoothedLeastSquares
from pinnkan.physics.residuals.sparsity import SparseLeastSquares, pruned
from pinnkan.physics.residuals.training_set import TrainingSet
from pinnkan.physics.residuals.training_sets import training_sets
from pinnkan.training.conditioning import Conditioned, conditioned
from pinnkan.training.goal import Goal, estimated_error
from pinnkan.training.levels import ResidualRms
from pinnkan.training.loop import HeldOut, PhaseState, Watch, run_phase
from pinnkan.training.network import network_for
from pinnkan.training.refinement import refined
from pinnkan.training.residual_points import sets_by_residual
from pinnkan.training.task import Effort, StageStart, Trained, TrainingState, TrainingTask


@dataclass(frozen=True)
class Stages:
    """How the parametrisation of a training changes from phase to phase.

    Attributes:
        coefficients: To start from.
        forms: One word for each phase; a change of it makes a new parametrisation of what was reached.
        parametrise: From a form and an origin: the parametrisation and its first theta.
        shapings: What each phase does to the network; none in fine-tuning.
        before: The parametrisation that an origin's theta belongs to, for ranks that grow: the first that
            does not pay is the last, and the one before it is the result.
    """

    coefficients: Sequence[Tensor]
    forms: Sequence[str]
    parametrise: Callable[[str, StageStart], tuple[Parametrisation, Tensor]]
    shapings: Sequence[Shaping] = ()
    before: Callable[[StageStart], Parametrisation] | None = None

    def shaping(self, number: int) -> Shaping:
        """Return what a phase does to the network."""
        return self.shapings[number] if self.shapings else Shaping()


def train(
    run: TrainingTask, settings: TrainingSettings[PhaseSettings], course: Stages, started: float
) -> Trained:
    """Run the phases; a change of form, or of the functions, re-parametrises the coefficients reached.

    So does every pre-training phase in LoTRA form, for its factors are fresh, and every one that prunes.
    """
    return _Training(run, settings, course, started)()


class _Training:
    """A training between two phases; arguments as in `train`."""

    def __init__(
        self, run: TrainingTask, settings: TrainingSettings[PhaseSettings], course: Stages, started: float
    ) -> None:
        self._run, self._course, self._started = run, course, started
        self._phases, self._precision, self._tolerance = (
            settings.in_turn,
            settings.precision,
            settings.tolerance,
        )
        self._balances = settings.balance == "rows"
        self._held_out = _held_out_sets(run)
        self._history: list[StepReport] = [] if run.state is None else list(run.state.earlier)
        self._origin = StageStart(0, course.coefficients) if run.state is None else run.state.origin
        self._trainable = 0 if run.state is None else run.state.trainable
        self._parametrise()

    def __call__(self) -> Trained:
        first = 0 if self._run.state is None else self._run.state.phase
        forms = self._course.forms
        for place, phase in enumerate(self._phases[first:], start=first):
            if place > first:
                self._turn(place)
            outcome = self._run_phase(place, phase)
            if outcome.reason == "tolerance":
                break
            late = outcome.reason == "time_limit"
            if (late or forms[place + 1 : place + 2] != forms[place : place + 1]) and self._went_back(place):
                break
            if late:
                break
        return self._trained(place, phase, outcome)

    def _trained(self, at: int, phase: PhaseSettings, outcome: Outcome) -> Trained:
        seconds = time.perf_counter() - self._started
        parameters, theta = self._parameters, self._theta
        training, held_out = (
            _rms(self._run, self._network, parameters, theta, chosen)
            for chosen in (_phase_sets(self._run, phase, at), self._held_out)
        )
        return Trained(
            network=self._network,
            parameters=parameters,
            theta=theta,
            history=tuple(self._history),
            outcome=outcome,
            rms=ResidualRms(training, held_out),
            effort=Effort(seconds, self._trainable),
        )

    def _turn(self, at: int) -> None:
        """Make what a phase needs of what the one before reached, if that is something else."""
        run, forms, reached = self._run, self._course.forms, self._parameters.coefficients(self._theta)
        shaping = self._course.shaping(at)
        start = refined(reached, run.settings.network, shaping.functions)
        if start is not reached:
            run.audience.observer.note(
                f"{run.audience.title}: {shaping.functions} functions on an edge from here on"
            )
        elif not (forms[at] != forms[at - 1] or shaping.form == "lotra" or shaping.prune):
            return
        if shaping.prune:
            start = _prune(run, start, shaping.prune, self._held_out)
        self._origin = StageStart(at, start, self._theta)
        self._parametrise()
        if self._course.before is not None:
            run.audience.observer.note(f"{run.audience.title}: ranks grow to {_written(self._parameters)}")

    def _parametrise(self) -> None:
        """Make the parametrisation that follows from the origin."""
        form, run = self._course.forms[self._origin.phase], self._run
        self._network = network_for(run.instance, run.settings.network, self._origin.coefficients)
        self._parameters, theta = self._course.parametrise(form, self._origin)
        self._theta = theta.to(run.arithmetic.device)
        self._trainable = max(self._trainable, self._parameters.size)

    def _run_phase(self, at: int, phase: PhaseSettings) -> Outcome:
        run, pose = self._run, self._posed(phase)
        lean = run.arithmetic.dtype == torch.float32 or (self._precision == "mixed" and phase.kind.linearises)

        def draw(epoch: int, theta: Tensor | None) -> TrainingLeastSquares:
            sets = self._drawn_sets(at, pose, epoch, pose.theta if theta is None else theta)
            return self._problem(at, pose.network, pose.parameters, sets, lean=lean)

        def start(problem: TrainingLeastSquares) -> Optimizer:
            begin = Start(problem, pose.theta, pose.parameters.groups(), phase.steps)
            return phase.kind.build(begin, phase.options)

        result = run_phase(
            start,
            draw,
            phase,
            name=phase.title,
            watch=self._watch(at, pose),
            keep=_keeper(run, at, self._origin, tuple(self._history), self._trainable, self._started),
            state=run.state.inner if run.state is not None and run.state.phase == at else None,
        )
        self._theta = pose.own_theta(result.theta)
        self._history += result.reports
        if result.outcome.reason == "non_finite":
            advice = result.outcome.advice
            raise DivergedError(f"{run.audience.title}: diverged at step {len(self._history)}: {advice}")
        return result.outcome

    def _drawn_sets(self, at: int, pose: Conditioned, epoch: int, theta: Tensor) -> list[TrainingSet]:
        """Return the points of a phase's epoch; a first network is not yet worth drawing them by."""
        run, phase, first = self._run, self._phases[at], at == epoch == 0

        def residuals(sets: Sequence[TrainingSet]) -> Tensor:
            return _least_squares(run, pose.network, pose.parameters, sets).residuals(theta)

        sizes: list[TrainingSet] = []
        if run.settings.points.rule == "residual" and not first:
            variant = phase_variant(at, epoch)
            sets, sizes = sets_by_residual(run, phase, variant, residuals, terms=self._balances)
        else:
            sets = _phase_sets(run, phase, at, epoch)
            if self._balances:
                sizes = _phase_sets(run, phase, at, epoch, terms=True)
        return balanced(sets, sizes, residuals(sizes)) if sizes else sets

    def _watch(self, at: int, pose: Conditioned) -> Watch:
        """Return what a phase looks at beside its loss."""
        audience, limit = self._run.audience, self._run.time_limit

        def error(theta: Tensor) -> float | None:
            return None if audience.error is None else audience.error(pose.own_coefficients(theta))

        return Watch(
            held_out=self._checked(at, pose),
            error=error,
            observer=audience.observer,
            title=audience.title,
            deadline=None if limit is None else self._started + limit,
            goal=None if self._tolerance is None else self._goal(pose, self._tolerance),
        )

    def _checked(self, at: int, pose: Conditioned) -> HeldOut:
        """Return the residuals that decide which state is kept."""
        if self._balances:
            sets = (self._held_out, _held_out_sets(self._run, terms=True))
            return OwnSizes(*(NetworkLeastSquares(pose.network, pose.parameters, own) for own in sets))
        return self._problem(at, pose.network, pose.parameters, self._held_out)

    def _goal(self, pose: Conditioned, tolerance: float) -> Goal:
        """Return a tolerance as a phase's goal."""
        run, network = self._run, self._network

        def estimate(theta: Tensor) -> float | None:
            return estimated_error(run.instance, network, pose.own_coefficients(theta))

        def tell(text: str) -> None:
            run.audience.observer.note(f"{run.audience.title}: {text}")

        return Goal(tolerance, estimate, tell)

    def _problem(
        self,
        at: int,
        network: Network,
        parameters: Parametrisation,
        sets: Sequence[TrainingSet],
        *,
        lean: bool = False,
    ) -> TrainingLeastSquares:
        """Return the residuals as a phase sees them: averaged over neighbours, beside a penalty."""
        smoothing, sparsity = self._phases[at].smoothing, self._course.shaping(at).sparsity
        return _least_squares(
            self._run, network, parameters, sets, smoothing=smoothing, sparsity=sparsity, lean=lean
        )

    def _posed(self, phase: PhaseSettings) -> Conditioned:
        """Return network, parametrisation and theta in the basis in which a phase's optimizer works."""
        change = conditioned if phase.kind.conditioned else Conditioned
        return change(self._network, self._parameters, self._theta)

    def _went_back(self, at: int) -> bool:
        """Return to the ranks before where the present ones did not lower the held-out residual enough."""
        if self._course.before is None or self._origin.theta is None:
            return False
        former = self._course.before(self._origin)
        was = self._problem(at, self._network, former, self._held_out).residuals(self._origin.theta).norm()
        now = self._problem(at, self._network, self._parameters, self._held_out)
        if float(was) > WORTH * float(now.residuals(self._theta).norm()):
            return False
        self._parameters, self._theta, self._trainable = former, self._origin.theta, former.size
        self._run.audience.observer.note(
            f"{self._run.audience.title}: higher ranks do not pay; back to {_written(former)}"
        )
        return True


def _written(parameters: Parametrisation) -> str:
    """Write ranks: ``8 x 8 x 1``."""
    return ", ".join(" x ".join(map(str, ranks)) for ranks in parameters.ranks)


WORTH = 1.1
"""Higher ranks must divide the held-out residual by so much: less counts as equal, as in `loop.Best`."""


def _keeper(
    run: TrainingTask,
    at: int,
    origin: StageStart,
    earlier: Sequence[StepReport],
    trainable: int,
    started: float,
) -> Callable[[PhaseState], None]:
    """Return what a phase tells its states to: the run, which gets the training's state around it."""

    def keep(inner: PhaseState) -> None:
        run.keep(TrainingState(at, inner, origin, earlier, trainable, time.perf_counter() - started))

    return keep


def _least_squares(
    run: TrainingTask,
    network: Network,
    parameters: Parametrisation,
    sets: Sequence[TrainingSet],
    *,
    smoothing: int = 0,
    sparsity: float = 0.0,
    lean: bool = False,
) -> TrainingLeastSquares:
    """Return the residuals on some sets by ``network.derivatives``; the oracle is never lean."""
    pointwise: PointwiseLeastSquares
    if run.settings.network.derivatives == "autograd":
        pointwise = AutogradLeastSquares(network, parameters, sets)
    else:
        dtype = torch.float32 if lean else torch.float64
        pointwise = NetworkLeastSquares(network, parameters, sets, product_dtype=dtype)
    problem: TrainingLeastSquares = pointwise
    if smoothing:
        problem = SmoothedLeastSquares(pointwise, network, smoothing)
    if sparsity:
        return SparseLeastSquares(problem, network, parameters, sparsity)
    return problem


def _rms(
    run: TrainingTask,
    network: Network,
    parameters: Parametrisation,
    theta: Tensor,
    sets: Sequence[TrainingSet],
) -> float:
    """Return the pointwise residual's root mean square."""
    return float(_least_squares(run, network, parameters, sets).residuals(theta).norm())


_EPOCHS = 1000
"""Collocation variants set aside for the refreshed sets of one phase."""
HELD_OUT = 1
"""Variant of the held-out points."""


def phase_variant(at: int, epoch: int = 0) -> int:
    """Return the variant of the points that a phase begins with or, in a later epoch, refreshes to.

    It is even: those of held-out points are odd.
    """
    return 2 * (at * _EPOCHS + epoch)


def _phase_sets(
    run: TrainingTask, phase: PhaseSettings, at: int, epoch: int = 0, **terms: bool
) -> list[TrainingSet]:
    return training_sets(
        run.instance,
        run.settings.points,
        seed=run.seed,
        variant=phase_variant(at, epoch),
        interior=phase.points,
        device=run.arithmetic.device,
        **terms,
    )


def _held_out_sets(run: TrainingTask, **terms: bool) -> list[TrainingSet]:
    points = run.settings.points
    return training_sets(
        run.instance,
        points,
        seed=run.seed,
        variant=HELD_OUT,
        interior=points.held_out,
        device=run.arithmetic.device,
        **terms,
    )


def _prune(
    run: TrainingTask, coefficients: Sequence[Tensor], share: float, held_out: Sequence[TrainingSet]
) -> Sequence[Tensor]:
    """Prune, and tell how many edges it cost and what."""
    network = network_for(run.instance, run.settings.network, coefficients)
    result, count = pruned(network, coefficients, share)
    rms = []
    for network_coefficients in (coefficients, result):
        whole = Parametrisation([Full(c) for c in network_coefficients])
        rms.append(_rms(run, network, whole, whole.start().to(run.arithmetic.device), held_out))
    edges = sum(c.shape[0] * c.shape[1] for c in coefficients)
    run.audience.observer.note(
        f"{run.audience.title}: pruned {count} of {edges} edges; "
        f"held-out residual {rms[0]:.2e} before, {rms[1]:.2e} after"
    )
    return result

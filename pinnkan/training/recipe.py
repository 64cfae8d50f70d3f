"""Training one network at one parameter value: phases in turn, then the best state.

`pretrain` (a base, or a network from scratch) and `finetune` (an adapter) are two
short recipes over the same phases.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from pinnkan.adapters import Parameters, Plan, attach, slim
from pinnkan.adapters.layerwise import Full
from pinnkan.bases import make_basis
from pinnkan.errors import DivergedError, UsageError
from pinnkan.networks import Network, make_kan, make_mlp
from pinnkan.optim import LBFGS, Adam, LevenbergMarquardt, Optimizer
from pinnkan.problem.instance import Instance
from pinnkan.problem.settings import (
    AdapterSettings,
    NetworkSettings,
    PhaseSettings,
    Settings,
    TrainingSettings,
)
from pinnkan.progress import Observer, Outcome, StepReport
from pinnkan.training.assembly import training_sets
from pinnkan.training.least_squares import NetworkLeastSquares, TrainingLeastSquares, TrainingSet
from pinnkan.training.loop import PhaseResult, Watch, run_phase
from pinnkan.training.oracle import AutogradLeastSquares
from pinnkan.training.rates import rates_for
from pinnkan.training.smoothing import SmoothedLeastSquares


@dataclass(frozen=True)
class Run:
    """The circumstances of one training.

    Attributes:
        instance: The problem at one parameter value.
        settings: Of network, adapter, points and training.
        seed: Of points, starting coefficients and random factors.
        device: Where tensors live.
        dtype: ``float64`` or ``float32``: of the stored coefficients and, for
            ``float32``, of all products.
        observer: Who is told.
        title: What is trained.
        error: Relative L2 error of given coefficients, to be shown; None where nothing is known.
        time_limit: Seconds, or None.
    """

    instance: Instance
    settings: Settings
    seed: int
    device: torch.device
    dtype: torch.dtype
    observer: Observer
    title: str
    error: Callable[[Sequence[Tensor]], float | None] | None = None
    time_limit: float | None = None


@dataclass(frozen=True)
class Trained:
    """A trained network.

    Attributes:
        network: Its layers and input map.
        parameters: How its coefficients depend on theta.
        theta: The best one, (P,), float64.
        history: Reports of all phases.
        outcome: Of the last phase.
        seconds: Wall time from point generation to the last step.
        held_out: Its held-out residual (root mean square), pointwise whatever the phases smoothed.
        trainable: Most numbers that moved in any one phase.
    """

    network: Network
    parameters: Parameters
    theta: Tensor
    history: tuple[StepReport, ...]
    outcome: Outcome
    seconds: float
    held_out: float
    trainable: int

    def coefficients(self) -> list[Tensor]:
        """Return every layer's coefficients in their stored shapes, float64."""
        return self.parameters.coefficients(self.theta)

    @property
    def steps(self) -> int:
        """Steps of all phases."""
        return len(self.history)


def network_for(instance: Instance, settings: NetworkSettings) -> Network:
    """Build the network that the settings describe over the instance's box."""
    lower, upper = instance.domain.bounding_box
    widths = (len(instance.coordinates), *settings.hidden, 1)
    if settings.kind == "mlp":
        return make_mlp(widths, lower.tolist(), upper.tolist())
    basis = make_basis(settings.basis, functions=settings.functions, degree=settings.degree)
    return make_kan(widths, basis, lower.tolist(), upper.tolist())


def generator_for(seed: int, purpose: str) -> torch.Generator:
    """Return a random stream that depends on the seed and on what it is for."""
    key = np.random.SeedSequence(seed, spawn_key=(zlib.crc32(purpose.encode()),))
    return torch.Generator().manual_seed(int(key.generate_state(1, np.uint64)[0] >> 1))


def plan_for(settings: AdapterSettings, compression: float | None = None) -> Plan:
    """Return the plan of an adapter; a pre-training phase's own compression overrides ranks, too."""
    if compression is not None:
        settings = replace(settings, compression=compression, ranks=None)
    return Plan(settings.layers, settings.compression, settings.ranks, settings.initialisation)


def pretrain(run: Run) -> Trained:
    """Train a network from random coefficients by the phases of ``training:``.

    A full phase on few points overfits, yet finds features; ``lotra`` phases on many
    points then move few numbers among those features and take the overfitting
    out (hyperbolic family: 2e-1 after the first, 4e-3 after one more, 2e-4 after three smoothed ones).

    Raises:
        UsageError: If a slim phase follows another form, or the network has no Tucker form.
        DivergedError: If the loss is not finite.
    """
    network = network_for(run.instance, run.settings.network)
    started = time.perf_counter()
    generator = generator_for(run.seed, "coefficients")
    start = [c.to(run.device) for c in network.initial(generator)]

    phases = _phases(run.settings.training)

    def parameters(at: int, form: str, coefficients: Sequence[Tensor]) -> Parameters:
        if form == "slim":
            return _moved(slim(coefficients, run.settings.network.rank, generator), run.device)
        if form == "lotra":
            plan = plan_for(run.settings.adapter, phases[at].compression)
            return _adapter(run, network, coefficients, plan, purpose=f"factors of phase {at}")
        return Parameters([Full(c) for c in coefficients])

    is_slim = run.settings.network.kind == "slim"
    forms = ["slim" if is_slim else phase.form for phase in phases]
    if "slim" in forms[forms.count("slim") :]:
        raise UsageError(
            "training.phases: found a slim phase after a full one; slim phases come first, "
            "for a full network is not of low rank and compressing it would undo its training"
        )
    return _train(run, network, run.settings.training, start, parameters, forms, started)


def finetune(run: Run, base: Sequence[Tensor], *, method: str) -> Trained:
    """Adapt a base to the instance's parameter value by the phases of ``finetuning:``.

    Args:
        run: Its settings say which layers change and at what rank.
        base: Coefficients of every layer, float64.
        method: ``lotra`` (the adapter of ``adapter:``) or ``full`` (every coefficient).

    Raises:
        UsageError: If the adapter does not fit the network, or a phase has a form of pre-training.
        DivergedError: If the loss is not finite.
    """
    phases = _phases(run.settings.finetuning)
    for phase in phases:
        if phase.form != "full":
            raise UsageError(
                f"finetuning: {phase.form} is for pre-training alone; the ranks of an adapter are in adapter:"
            )
    network = network_for(run.instance, run.settings.network)
    coefficients = [c.to(run.device) for c in base]
    started = time.perf_counter()

    def parameters(_at: int, _form: str, now: Sequence[Tensor]) -> Parameters:
        if method == "full":
            return Parameters([Full(c) for c in now])
        return _adapter(run, network, now, plan_for(run.settings.adapter), purpose="factors")

    forms = [method] * len(phases)
    return _train(run, network, run.settings.finetuning, coefficients, parameters, forms, started)


def _phases(settings: TrainingSettings) -> tuple[PhaseSettings, ...]:
    return settings.phases or (settings,)


def _train(
    run: Run,
    network: Network,
    settings: TrainingSettings,
    coefficients: Sequence[Tensor],
    parameters_for: Callable[[int, str, Sequence[Tensor]], Parameters],
    forms: Sequence[str],
    started: float,
) -> Trained:
    """Run the phases; a change of form re-parametrises the coefficients reached.

    So does every pre-training phase in LoTRA form: its factors are fresh.
    """
    held_out = _held_out_sets(run)
    parameters = parameters_for(0, forms[0], coefficients)
    theta, trainable = parameters.start().to(run.device), parameters.size
    history: list[StepReport] = []
    for at, phase in enumerate(_phases(settings)):
        if at and (forms[at] != forms[at - 1] or phase.form == "lotra"):
            parameters = parameters_for(at, forms[at], parameters.coefficients(theta))
            theta, trainable = parameters.start().to(run.device), max(trainable, parameters.size)
        watch = _watch(run, network, parameters, held_out, phase.smoothing, started)
        result = _run_one(run, network, parameters, theta, phase, at, settings.precision, watch)
        theta = result.theta
        history += result.reports
        if result.outcome.reason == "non_finite":
            raise DivergedError(f"{run.title}: diverged at step {len(history)}: {result.outcome.advice}")
        if result.outcome.reason in ("interrupted", "time_limit"):
            break
    seconds = time.perf_counter() - started
    rms = float(_least_squares(run, network, parameters, held_out).residuals(theta).norm())
    return Trained(network, parameters, theta, tuple(history), result.outcome, seconds, rms, trainable)


def _run_one(
    run: Run,
    network: Network,
    parameters: Parameters,
    theta: Tensor,
    phase: PhaseSettings,
    at: int,
    precision: str,
    watch: Watch,
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
    return run_phase(start, draw, phase, name=name, watch=watch)


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


def _adapter(run: Run, network: Network, base: Sequence[Tensor], plan: Plan, *, purpose: str) -> Parameters:
    whole = Parameters([Full(c) for c in base])
    sample = replace(run.settings.points, interior=_ADJOINT_SAMPLE, boundary=1, initial=1)
    sets = training_sets(run.instance, sample, seed=run.seed, variant=0, device=run.device)
    adjoints = NetworkLeastSquares(network, whole, sets).adjoints(whole.start().to(run.device))
    generator = generator_for(run.seed, purpose)
    return _moved(
        attach(base, plan, adjoints=[rows.cpu() for rows in adjoints], generator=generator), run.device
    )


_ADJOINT_SAMPLE = 256
"""Interior points whose adjoints span the birth of U2: four times the paper's hidden width."""


def _moved(parameters: Parameters, device: torch.device) -> Parameters:
    """Put what the layers keep on the device."""
    for layer in parameters.layers:
        layer.base = layer.base.to(device)
    return parameters

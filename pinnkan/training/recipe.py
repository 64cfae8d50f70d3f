"""Training one network at one parameter value: phases in turn, then the best state.

`pretrain` (a base, or a network from scratch) and `finetune` (an adapter) are two
short recipes over the same phases.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from pinnkan.adapters import Parameters, Plan, attach, slim, slim_form
from pinnkan.adapters.layerwise import Full, Sparse
from pinnkan.errors import DivergedError, UsageError
from pinnkan.networks import Network, make_kan, make_mlp
from pinnkan.optim import LBFGS, Adam, LevenbergMarquardt, Optimizer
from pinnkan.problem.instance import Instance
from pinnkan.problem.settings import (
    AdapterSettings,
    NetworkSettings,
    PhaseSettings,
    TrainingSettings,
)
from pinnkan.progress import StepReport
from pinnkan.training.assembly import training_sets
from pinnkan.training.least_squares import NetworkLeastSquares, TrainingLeastSquares, TrainingSet
from pinnkan.training.loop import PhaseResult, PhaseState, Watch, run_phase
from pinnkan.training.oracle import AutogradLeastSquares
from pinnkan.training.rates import rates_for
from pinnkan.training.refinement import basis_for, check_refinements, fitted, refined
from pinnkan.training.run import Origin, Run, Trained, TrainingState
from pinnkan.training.smoothing import SmoothedLeastSquares
from pinnkan.training.sparsity import SparseLeastSquares, pruned


def network_for(
    instance: Instance, settings: NetworkSettings, coefficients: Sequence[Tensor] | None = None
) -> Network:
    """Build the network that the settings describe over the instance's box.

    Args:
        instance: Gives the box.
        settings: Of the network.
        coefficients: Of a network that is trained already, which may have been refined.
    """
    lower, upper = instance.domain.bounding_box
    widths = (len(instance.coordinates), *settings.hidden, 1)
    if settings.kind == "mlp":
        return make_mlp(widths, lower.tolist(), upper.tolist())
    basis = basis_for(fitted(settings, coefficients))
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
        UsageError: If a slim phase follows another form, the network has no Tucker form, or its basis
            cannot be refined as a phase says.
        DivergedError: If the loss is not finite.
    """
    phases, settings = _phases(run.settings.training), run.settings.network
    check_refinements(phases, settings)
    started = _started(run)
    generator = generator_for(run.seed, "coefficients")
    drawn = network_for(run.instance, settings).initial(generator)
    start = [c.to(run.device) for c in refined(drawn, settings, phases[0].functions)]

    def parameters(at: int, form: str, coefficients: Sequence[Tensor]) -> Parameters:
        if form == "slim":
            form_of = slim(coefficients, settings.rank, generator) if at == 0 else None
            return _moved(form_of or slim_form(coefficients, settings.rank), run.device)
        if form == "lotra":
            plan = plan_for(run.settings.adapter, phases[at].compression)
            return _adapter(run, coefficients, plan, purpose=f"factors of phase {at}")
        # What one phase pruned stays pruned in all that follow.
        layer = Sparse if any(phase.prune for phase in phases[: at + 1]) else Full
        return Parameters([layer(c) for c in coefficients])

    is_slim = settings.kind == "slim"
    forms = ["slim" if is_slim else phase.form for phase in phases]
    _check_pruning(phases, forms, settings.kind)
    if "slim" in forms[forms.count("slim") :]:
        raise UsageError(
            "training.phases: found a slim phase after a full one; slim phases come first, "
            "for a full network is not of low rank and compressing it would undo its training"
        )
    return _train(run, run.settings.training, start, parameters, forms, started)


def finetune(
    run: Run,
    base: Sequence[Tensor],
    *,
    method: str,
    start: Callable[[Parameters], Tensor] = Parameters.start,
) -> Trained:
    """Adapt a base to the instance's parameter value by the phases of ``finetuning:``.

    Args:
        run: Its settings say which layers change and at what rank.
        base: Coefficients of every layer, float64.
        method: ``lotra`` (the adapter of ``adapter:``) or ``full`` (every coefficient).
        start: Gives the first theta; the one that changes nothing unless another adapter's is wanted.

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
        if phase.sparsity or phase.prune:
            raise UsageError("finetuning: sparsity and prune are for pre-training alone")
        if phase.functions is not None:
            raise UsageError(
                "finetuning.functions: an adapter has the functions of its base; pretrain refines"
            )
    coefficients = [c.to(run.device) for c in base]
    started = _started(run)

    def parameters(_at: int, _form: str, now: Sequence[Tensor]) -> Parameters:
        if method == "full":
            return Parameters([Full(c) for c in now])
        return _adapter(run, now, plan_for(run.settings.adapter), purpose="factors")

    forms = [method] * len(phases)
    return _train(run, run.settings.finetuning, coefficients, parameters, forms, started, start)


def _check_pruning(phases: Sequence[PhaseSettings], forms: Sequence[str], kind: str) -> None:
    """Refuse to prune what has no edges, or to hide pruned edges behind a form that fills them again."""
    first = next((at for at, phase in enumerate(phases) if phase.prune), None)
    if first == 0:
        raise UsageError("training.prune: the first phase has nothing to prune yet; say it in a later one")
    if first is not None and (kind == "mlp" or set(forms[first:]) != {"full"}):
        raise UsageError(
            "training.prune: from the phase that prunes, all are of form full and of a KAN; found "
            + ("an MLP" if kind == "mlp" else next(form for form in forms[first:] if form != "full"))
        )


def _started(run: Run) -> float:
    """Return the reading of the clock at which the training began, had it run in one go."""
    return time.perf_counter() - (0.0 if run.state is None else run.state.seconds)


def _phases(settings: TrainingSettings) -> tuple[PhaseSettings, ...]:
    return settings.phases or (settings,)


def _train(
    run: Run,
    settings: TrainingSettings,
    coefficients: Sequence[Tensor],
    parameters_for: Callable[[int, str, Sequence[Tensor]], Parameters],
    forms: Sequence[str],
    started: float,
    first_theta: Callable[[Parameters], Tensor] = Parameters.start,
) -> Trained:
    """Run the phases; a change of form, or of the functions, re-parametrises the coefficients reached.

    So does every pre-training phase in LoTRA form: its factors are fresh.
    """
    held_out, phases = _held_out_sets(run), _phases(settings)
    first = 0 if run.state is None else run.state.phase
    origin = Origin(0, coefficients) if run.state is None else run.state.origin
    history: list[StepReport] = [] if run.state is None else list(run.state.earlier)
    network = network_for(run.instance, run.settings.network, origin.coefficients)
    parameters = parameters_for(origin.phase, forms[origin.phase], origin.coefficients)
    theta = first_theta(parameters).to(run.device)
    trainable = parameters.size if run.state is None else run.state.trainable
    for at, phase in enumerate(phases[first:], start=first):
        reached = parameters.coefficients(theta)
        finer = refined(reached, run.settings.network, phase.functions if at > first else None)
        renewed = forms[at] != forms[at - 1] or phase.form == "lotra" or phase.prune or finer is not reached
        if at > first and renewed:
            if finer is not reached:
                run.observer.note(f"{run.title}: {phase.functions} functions on an edge from here on")
            if phase.prune:
                finer = _prune(run, finer, phase.prune, held_out)
            origin = Origin(at, finer)
            network = network_for(run.instance, run.settings.network, finer)
            parameters = parameters_for(at, forms[at], finer)
            theta, trainable = parameters.start().to(run.device), max(trainable, parameters.size)
        watch = _watch(run, network, parameters, held_out, phase, started)
        keep = _keeper(run, at, origin, tuple(history), trainable, started)
        result = _run_one(run, network, parameters, theta, phase, at, settings.precision, watch, keep)
        theta = result.theta
        history += result.reports
        if result.outcome.reason == "non_finite":
            raise DivergedError(f"{run.title}: diverged at step {len(history)}: {result.outcome.advice}")
        if result.outcome.reason == "time_limit":
            break
    seconds = time.perf_counter() - started
    sets = training_sets(
        run.instance,
        run.settings.points,
        seed=run.seed,
        variant=2 * at * _EPOCHS,
        interior=phase.points,
        device=run.device,
    )
    training_rms, rms = (
        float(_least_squares(run, network, parameters, chosen).residuals(theta).norm())
        for chosen in (sets, held_out)
    )
    return Trained(
        network, parameters, theta, tuple(history), result.outcome, seconds, training_rms, rms, trainable
    )


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
        return _least_squares(run, network, parameters, sets, phase, lean=lean)

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
    phase: PhaseSettings = PhaseSettings(),  # noqa: B008  (frozen; pointwise and without a penalty)
    *,
    lean: bool = False,
) -> TrainingLeastSquares:
    """Return the residuals on some sets by ``network.derivatives``; the oracle is never lean."""
    pointwise: TrainingLeastSquares
    if run.settings.network.derivatives == "autograd":
        pointwise = AutogradLeastSquares(network, parameters, sets)
    else:
        dtype = torch.float32 if lean else torch.float64
        pointwise = NetworkLeastSquares(network, parameters, sets, product_dtype=dtype)
    if phase.smoothing:
        pointwise = SmoothedLeastSquares(pointwise, network, phase.smoothing)
    if phase.sparsity:
        return SparseLeastSquares(pointwise, network, parameters, phase.sparsity)
    return pointwise


_EPOCHS = 1000
"""Collocation variants set aside for the refreshed sets of one phase."""


def _held_out_sets(run: Run) -> list[TrainingSet]:
    points = run.settings.points
    return training_sets(
        run.instance, points, seed=run.seed, variant=1, interior=points.held_out, device=run.device
    )


def _prune(
    run: Run, coefficients: Sequence[Tensor], share: float, held_out: Sequence[TrainingSet]
) -> Sequence[Tensor]:
    """Prune, and tell how many edges it cost and what."""
    network = network_for(run.instance, run.settings.network, coefficients)
    result, count = pruned(network, coefficients, share)
    rms = []
    for one in (coefficients, result):
        whole = Parameters([Full(c) for c in one])
        start = whole.start().to(run.device)
        rms.append(float(_least_squares(run, network, whole, held_out).residuals(start).norm()))
    edges = sum(c.shape[0] * c.shape[1] for c in coefficients)
    run.observer.note(
        f"{run.title}: pruned {count} of {edges} edges; "
        f"held-out residual {rms[0]:.2e} before, {rms[1]:.2e} after"
    )
    return result


def _watch(
    run: Run,
    network: Network,
    parameters: Parameters,
    held_out: Sequence[TrainingSet],
    phase: PhaseSettings,
    started: float,
) -> Watch:
    def error(theta: Tensor) -> float | None:
        return run.error(parameters.coefficients(theta)) if run.error is not None else None

    return Watch(
        _least_squares(run, network, parameters, held_out, phase),
        error,
        run.observer,
        run.title,
        None if run.time_limit is None else started + run.time_limit,
    )


def _adapter(run: Run, base: Sequence[Tensor], plan: Plan, *, purpose: str) -> Parameters:
    network = network_for(run.instance, run.settings.network, base)
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

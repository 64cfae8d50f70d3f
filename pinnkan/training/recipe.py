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

from pinnkan.ground.errors import DivergedError, UsageError
from pinnkan.language.methods import METHODS
from pinnkan.language.network_kinds import NETWORK_KINDS, NetworkKind
from pinnkan.language.problem import Problem
from pinnkan.language.settings.blocks import (
    NetworkSettings,
    PhaseT,
    PretrainingPhase,
    Settings,
    Shaping,
    TrainingSettings,
)
from pinnkan.language.settings.defaults import interior_points
from pinnkan.networks import InputMap
from pinnkan.networks.adapters import GROWTH, Parametrisation, grow, last_layer, slim, slim_from
from pinnkan.networks.adapters.layerwise import Full, Sparse
from pinnkan.physics.residuals.least_squares import NetworkLeastSquares
from pinnkan.physics.residuals.training_sets import training_sets
from pinnkan.training.adapters import Plan, attach, plan_for
from pinnkan.training.adaptive import refine
from pinnkan.training.network import network_for, network_over
from pinnkan.training.phases import Stages, train
from pinnkan.training.refinable import RefinableBase, begun_small, drawn_by_residual, moves_all, on_points
from pinnkan.training.refinable_adapter import AdapterForm, FinishedAdapter, RefinableAdapter, raised_ratios
from pinnkan.training.refinement import check_refinements, fitted, refined
from pinnkan.training.task import StageStart, Trained, TrainingTask


def coefficient_shapes(problem: Problem, found: Sequence[Tensor]) -> list[tuple[int, ...]]:
    """Return the shape that every layer's coefficients must have.

    Args:
        problem: Gives inputs and outputs, and the settings: a phase may refine the network.
        found: Coefficients of every layer; refining only adds functions and neurons.
    """
    stated, ends = problem.settings.network, ([0.0] * problem.inputs, [1.0] * problem.inputs)
    network = fitted(stated, found)
    if network.functions < stated.functions or any(
        now < before for now, before in zip(network.hidden, stated.hidden, strict=True)
    ):
        network = stated
    built = network_over(InputMap.over(*ends), network, problem.unknowns)
    return [layer.shape for layer in built.layers]


def generator_for(seed: int, purpose: str) -> torch.Generator:
    """Return a random stream that depends on the seed and on what it is for."""
    key = np.random.SeedSequence(seed, spawn_key=(zlib.crc32(purpose.encode()),))
    return torch.Generator().manual_seed(int(key.generate_state(1, np.uint64)[0] >> 1))


def pretrain(run: TrainingTask, start: Sequence[Tensor] | None = None, *, may_split: bool = False) -> Trained:
    """Train a network from random coefficients by the phases of ``training:``.

    A full phase on few points overfits, yet finds features; ``lotra`` phases on many
    points then move few numbers among those features and take the overfitting
    out (hyperbolic family: 2e-1 after the first, 4e-3 after one more, 2e-4 after three smoothed ones).

    With a tolerance, a network whose widths the file leaves to the default recipe begins at half of them, and
    what misses the tolerance is refined (`refine`).

    Args:
        run: Problem, settings and circumstances.
        start: Coefficients of a finished network to go on from, by the last phase alone; None begins afresh.
        may_split: See `pinnkan.training.adaptive.refine`.

    Raises:
        UsageError: If a slim phase follows another form, the network has no Tucker form, or its basis
            cannot be refined as a phase says.
        DivergedError: If the loss is not finite.
    """
    _check_phases(run.settings, *_shapings(run.settings))
    _check_balance(run, run.settings.training, "training")
    started = _started(run)
    tolerance = run.settings.training.tolerance
    if tolerance is not None:
        run = drawn_by_residual(begun_small(run) if start is None else run)
        return refine(run, _refinable(run, started, start), tolerance, started, may_split=may_split)
    _require_no_levels(run)
    return _by_recipe(run, started)


def _refinable(run: TrainingTask, started: float, start: Sequence[Tensor] | None) -> RefinableBase:
    """Return what of a base is refined where a tolerance is missed."""
    settings = run.settings

    def moving(coefficients: Sequence[Tensor], number: int) -> Parametrisation:
        if NETWORK_KINDS[settings.network.kind].frozen:
            return last_layer(coefficients, chains=settings.network.chains)
        if moves_all(settings, sum(c.numel() for c in coefficients)):
            return Parametrisation([Full(c) for c in coefficients])
        if NETWORK_KINDS[settings.network.kind].slim:
            form = slim_from(coefficients, settings.network.of_kind.rank, chains=settings.network.chains)
            return _moved(form, run.arithmetic.device)
        if any(phase.shaping.prune for phase in settings.training.in_turn):
            return Parametrisation([Sparse(c) for c in coefficients])
        plan = plan_for(settings)
        return _adapter(run, coefficients, plan, purpose=f"factors of level {number}")

    return RefinableBase(
        run,
        lambda task: _by_recipe(task, started),
        started,
        moving,
        lambda purpose: generator_for(run.seed, purpose),
        start,
    )


def _by_recipe(run: TrainingTask, started: float) -> Trained:
    """Train a network from random coefficients by all phases of ``training:``."""
    settings = run.settings.network
    shapings, forms = _shapings(run.settings)
    generator = generator_for(run.seed, "coefficients")
    drawn = network_for(run.instance, settings).initial(generator)
    first = [c.to(run.arithmetic.device) for c in refined(drawn, settings, shapings[0].functions)]

    def parametrise(form: str, origin: StageStart) -> tuple[Parametrisation, Tensor]:
        made = parameters(form, origin)
        return made, made.start()

    def parameters(form: str, origin: StageStart) -> Parametrisation:
        at, coefficients = origin.phase, origin.coefficients
        if form == "slim":
            chains = settings.chains
            form_of = slim(coefficients, settings.of_kind.rank, generator, chains=chains) if at == 0 else None
            return _moved(
                form_of or slim_from(coefficients, settings.of_kind.rank, chains=chains),
                run.arithmetic.device,
            )
        if form == "lotra":
            plan = plan_for(run.settings, shapings[at].compression)
            return _adapter(run, coefficients, plan, purpose=f"factors of phase {at}")
        # What one phase pruned stays pruned in all that follow.
        layer = Sparse if any(shaping.prune for shaping in shapings[: at + 1]) else Full
        if form == "last_layer":
            return last_layer(coefficients, chains=settings.chains, layer=layer)
        return Parametrisation([layer(c) for c in coefficients])

    return train(run, run.settings.training, Stages(first, forms, parametrise, shapings=shapings), started)


def _shapings(settings: Settings) -> tuple[list[Shaping], list[str]]:
    """Return what each phase of pre-training does to the network, and the form in which it moves."""
    shapings = [phase.shaping for phase in settings.training.in_turn]
    kind = NETWORK_KINDS[settings.network.kind]
    return shapings, [_form(kind, shaping) for shaping in shapings]


def _form(kind: NetworkKind, shaping: Shaping) -> str:
    """Return what moves in a phase of a kind of network.

    Raises:
        UsageError: If the phase would move what such a network keeps.
    """
    if kind.frozen and shaping.form in ("slim", "lotra"):
        raise UsageError(
            f"training.form: {kind.title} keeps its hidden layer and trains the last one alone; "
            f"found {shaping.form}; leave the key out or use a KAN (network.kind)"
        )
    if kind.frozen or shaping.form == "last_layer":
        return "last_layer"
    return "slim" if kind.slim else shaping.form


def _check_phases(settings: Settings, shapings: Sequence[Shaping], forms: Sequence[str]) -> None:
    """Refuse what some phase of pre-training could not do, before the first of them is trained."""
    check_refinements([shaping.functions for shaping in shapings], settings.network)
    _check_pruning(shapings, forms, NETWORK_KINDS[settings.network.kind])
    if "slim" in forms:
        _check_slim(settings.network)
    if "slim" in forms[forms.count("slim") :]:
        other = next(form for form in forms if form != "slim")
        raise UsageError(
            f"training.phases: found a slim phase after a {other} one; slim phases come first, "
            "for a full network is not of low rank and compressing it would undo its training"
        )
    if settings.adapter.grows and any(
        form == "lotra" and shaping.compression is None for form, shaping in zip(forms, shapings, strict=True)
    ):
        raise UsageError(
            "adapter.compression: auto is for finetune; a lotra phase of pre-training needs a compression "
            "of its own: {form: lotra, compression: 1/8}"
        )


def _check_slim(network: NetworkSettings) -> None:
    """Refuse a slim network of layers that are all trained in full."""
    kind = NETWORK_KINDS[network.kind]
    if not kind.on_edges or len(network.hidden) < 2:
        raise UsageError(
            "training: slim puts the layers between hidden ones in Tucker form (network.rank); found "
            + ("one hidden layer" if kind.on_edges else kind.title)
            + "; use a KAN with two hidden layers or more (network.hidden: [64, 64])"
        )


def _check_balance(run: TrainingTask, settings: TrainingSettings[PhaseT], block: str) -> None:
    """Refuse to divide rows by their own sizes where they are averages, or weighed against a penalty."""
    if settings.balance != "rows":
        return
    shapings = [phase.shaping for phase in settings.in_turn if isinstance(phase, PretrainingPhase)]
    faults = {
        "smoothing": any(phase.smoothing for phase in settings.in_turn),
        "sparsity": any(shaping.sparsity for shaping in shapings),
        "samples": run.instance.samples is not None,
    }
    for beside in (name for name, is_stated in faults.items() if is_stated):
        raise UsageError(
            f"{block}.balance: rows are an equation's residuals at single points, and do not go with "
            f"{beside}; leave one of them out"
        )


def _check_pruning(shapings: Sequence[Shaping], forms: Sequence[str], kind: NetworkKind) -> None:
    """Refuse to prune what has no edges, or to hide pruned edges behind a form that fills them again."""
    first = next((number for number, shaping in enumerate(shapings) if shaping.prune), None)
    if first == 0:
        raise UsageError("training.prune: the first phase has nothing to prune yet; say it in a later one")
    other = [] if first is None else [form for form in forms[first:] if form in ("slim", "lotra")]
    if first is not None and (other or not kind.on_edges):
        raise UsageError(
            "training.prune: from the phase that prunes, all are of form full or last_layer and of a KAN; "
            f"found {other[0] if kind.on_edges else kind.title}"
        )


def finetune(
    run: TrainingTask,
    base: Sequence[Tensor],
    *,
    method: str,
    start: Callable[[Parametrisation], Tensor] = Parametrisation.start,
    finished: FinishedAdapter | None = None,
) -> Trained:
    """Adapt a base to the instance's parameter value by the phases of ``finetuning:``.

    Args:
        run: Its settings say which layers change and at what rank.
        base: Coefficients of every layer, float64.
        method: ``lotra`` (the adapter of ``adapter:``) or ``full`` (every coefficient).
        start: Gives the first theta; the one that changes nothing unless another adapter's is wanted.
        finished: To go on from, by the last phase alone; None begins with the base.

    Raises:
        UsageError: If the adapter does not fit the network, or a phase has a form of pre-training.
        DivergedError: If the loss is not finite.
    """
    for phase in run.settings.finetuning.in_turn:
        _refuse_shaping(Shaping(**phase.misplaced))
    _check_balance(run, run.settings.finetuning, "finetuning")
    coefficients = [c.to(run.arithmetic.device) for c in base]
    started, tolerance = _started(run), run.settings.finetuning.tolerance
    if tolerance is not None:
        run = drawn_by_residual(run)
    run = _on_enough_points(run, coefficients, low_rank=METHODS[method].low_rank)

    def by_recipe(task: TrainingTask) -> Trained:
        return _by_finetuning(task, coefficients, method, start, started)

    if tolerance is not None:
        form = _adapter_form(run, coefficients, low_rank=METHODS[method].low_rank)
        subject = RefinableAdapter(run, coefficients, by_recipe, form, started, finished)
        return refine(run, subject, tolerance, started)
    _require_no_levels(run)
    return by_recipe(run)


def _on_enough_points(run: TrainingTask, base: Sequence[Tensor], *, low_rank: bool) -> TrainingTask:
    """Return a training on as many points as a base takes that was refined beyond what its file states."""
    settings = run.settings
    stated, network = settings.network, fitted(settings.network, base)
    counts = {stated.functions, *(phase.shaping.functions for phase in settings.training.in_turn)}
    if network.hidden == stated.hidden and network.functions in counts:
        return run
    numbers = plan_for(settings).numbers(base) if low_rank else sum(c.numel() for c in base)
    coordinates, equations = len(run.instance.problem.coordinates), len(run.instance.equations)
    points = max(settings.points.interior, interior_points(numbers, coordinates, max(1, equations)))
    return replace(run, settings=on_points(settings, points))


def _by_finetuning(
    run: TrainingTask,
    coefficients: Sequence[Tensor],
    method: str,
    start: Callable[[Parametrisation], Tensor],
    started: float,
) -> Trained:
    """Adapt a base by all phases of ``finetuning:``; arguments as in `finetune`."""
    phases, low_rank = run.settings.finetuning.in_turn, METHODS[method].low_rank
    network = run.settings.network

    def parametrise(_form: str, origin: StageStart) -> tuple[Parametrisation, Tensor]:
        if low_rank:
            plan = plan_for(run.settings)
            made = _adapter(run, origin.coefficients, plan, purpose="factors")
        elif NETWORK_KINDS[network.kind].frozen:
            made = last_layer(origin.coefficients, chains=network.chains)
        else:
            made = Parametrisation([Full(c) for c in origin.coefficients])
        return made, start(made)

    settings = run.settings.finetuning
    if not (low_rank and run.settings.adapter.grows):
        course = Stages(coefficients, [method] * len(phases), parametrise)
    elif start is not Parametrisation.start:
        raise UsageError(
            "an adapter whose ranks grow (compression auto) starts from the base, not from another"
        )
    else:
        course = _growing(run, coefficients, len(phases), parametrise)
        settings = replace(settings, phases=phases * (len(course.forms) // len(phases)))
    return train(run, settings, course, started)


def _adapter_form(run: TrainingTask, base: Sequence[Tensor], *, low_rank: bool) -> AdapterForm:
    """Return how adapters of a base come about, ranks that are raised included."""

    def at(compression: float | None) -> Parametrisation:
        if not low_rank:
            return Parametrisation([Full(c) for c in base])
        return _adapter(run, base, plan_for(run.settings, compression), purpose="factors")

    def raised(narrow: Parametrisation, theta: Tensor, compression: float) -> tuple[Parametrisation, Tensor]:
        wide, start = grow(
            narrow,
            theta,
            compression,
            adjoints=_adjoints(run, narrow.coefficients(theta), of_loss=False),
            generator=generator_for(run.seed, f"columns at {compression:g}"),
        )
        return _moved(wide, run.arithmetic.device), start

    def ratio_of(ranks: Sequence[Sequence[int]]) -> float | None:
        adapter, wanted = run.settings.adapter, tuple(map(tuple, ranks))
        ratios = [*([] if adapter.grows else [None]), *raised_ratios(adapter)]
        plans = ((ratio, plan_for(run.settings, ratio)) for ratio in ratios)
        for ratio, plan in plans if low_rank else ():
            if plan.ranks_in(base) == wanted:
                return ratio
        if low_rank:
            raise UsageError(
                f"an adapter of ranks {list(ranks)} is none of these settings; --force trains it"
            )
        return None

    def numbers(compression: float) -> int:
        return plan_for(run.settings, compression).numbers(base)

    has_ranks = low_rank and bool(plan_for(run.settings).ranks_in(base))
    return AdapterForm(at, raised, numbers, ratio_of, has_ranks)


def _require_no_levels(run: TrainingTask) -> None:
    """Refuse the state of a training with a tolerance, which stands at a level.

    Raises:
        ValueError: If the state is one.
    """
    if run.state is not None and run.state.levels is not None and run.state.levels.done:
        raise ValueError("a state of a training with a tolerance")


def _refuse_shaping(shaping: Shaping) -> None:
    """Refuse what a file says under ``finetuning:`` and only pre-training can do."""
    if shaping.form != "full":
        raise UsageError(
            f"finetuning: {shaping.form} is for pre-training alone; the ranks of an adapter are in adapter:"
        )
    if shaping.sparsity or shaping.prune:
        raise UsageError("finetuning: sparsity and prune are for pre-training alone")
    if shaping.functions is not None:
        raise UsageError("finetuning.functions: an adapter has the functions of its base; pretrain refines")


def _growing(
    run: TrainingTask,
    base: Sequence[Tensor],
    length: int,
    first: Callable[[str, StageStart], tuple[Parametrisation, Tensor]],
) -> Stages:
    """Return the course of an adapter that goes through the recipe's phases at each ratio of `GROWTH`.

    In narrow layers several ratios come to the same ranks: they are one.
    """
    plans = [plan_for(run.settings, ratio) for ratio in GROWTH]
    distinct = list({plan.ranks_in(base): plan for plan in plans}.values())

    def before(origin: StageStart) -> Parametrisation:
        return _adapter(run, base, distinct[origin.phase // length - 1], purpose="factors")

    def parametrise(form: str, origin: StageStart) -> tuple[Parametrisation, Tensor]:
        if origin.theta is None:
            return first(form, origin)
        narrow, plan = before(origin), distinct[origin.phase // length]
        wide, theta = grow(
            narrow,
            origin.theta,
            plan.compression,
            adjoints=_adjoints(run, narrow.coefficients(origin.theta), of_loss=False),
            generator=generator_for(run.seed, f"columns of phase {origin.phase}"),
        )
        return _moved(wide, run.arithmetic.device), theta

    forms = [f"lotra {plan.compression:g}" for plan in distinct for _ in range(length)]
    return Stages(base, forms, parametrise, before=before)


def _started(run: TrainingTask) -> float:
    """Return the reading of the clock at which the training began, had it run in one go."""
    return time.perf_counter() - (0.0 if run.state is None else run.state.seconds)


def _adapter(run: TrainingTask, base: Sequence[Tensor], plan: Plan, *, purpose: str) -> Parametrisation:
    generator = generator_for(run.seed, purpose)
    adjoints = _adjoints(run, base, of_loss=plan.initialisation == "paper")
    return _moved(attach(base, plan, adjoints=adjoints, generator=generator), run.arithmetic.device)


def _adjoints(run: TrainingTask, coefficients: Sequence[Tensor], *, of_loss: bool) -> list[Tensor]:
    """Return derivatives with respect to every layer's output, on the CPU: see `birth`.

    Args:
        run: Problem, points and seed.
        coefficients: Of every layer.
        of_loss: Of the loss on all training points; else of residuals on some.
    """
    network = network_for(run.instance, run.settings.network, coefficients)
    whole = Parametrisation([Full(c) for c in coefficients])
    some = replace(run.settings.points, interior=_ADJOINT_SAMPLE, boundary=1, initial=1)
    points = run.settings.points if of_loss else some
    sets = training_sets(run.instance, points, seed=run.seed, variant=0, device=run.arithmetic.device)
    problem, theta = NetworkLeastSquares(network, whole, sets), whole.start().to(run.arithmetic.device)
    adjoints = problem.output_gradients(theta) if of_loss else problem.adjoints(theta)
    if not all(bool(rows.isfinite().all()) for rows in adjoints):
        raise DivergedError(
            f"{run.audience.title}: the base's derivatives are not finite; train another base"
        )
    return [rows.cpu() for rows in adjoints]


_ADJOINT_SAMPLE = 256
"""Interior points whose adjoints span the birth of U2: four times the paper's hidden width."""


def _moved(parameters: Parametrisation, device: torch.device) -> Parametrisation:
    """Put what the layers keep on the device."""
    for layer in parameters.layers:
        layer.base = layer.base.to(device)
    return parameters

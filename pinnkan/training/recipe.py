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

from pinnkan.adapters import GROWTH, Parameters, Plan, attach, grow, slim
from pinnkan.adapters.layerwise import Full
from pinnkan.bases import make_basis
from pinnkan.errors import DivergedError, UsageError
from pinnkan.networks import Network, make_kan, make_mlp
from pinnkan.problem.instance import Instance
from pinnkan.problem.settings import AdapterSettings, NetworkSettings
from pinnkan.training.assembly import training_sets
from pinnkan.training.least_squares import NetworkLeastSquares
from pinnkan.training.phases import Course, phases_of, train
from pinnkan.training.run import Origin, Run, Trained


def network_for(instance: Instance, settings: NetworkSettings) -> Network:
    """Build the network that the settings describe over the instance's box."""
    lower, upper = instance.domain.bounding_box
    return _network_over(lower.tolist(), upper.tolist(), settings)


def coefficient_shapes(inputs: int, settings: NetworkSettings) -> list[tuple[int, ...]]:
    """Return the shape of every layer's coefficients in the network over so many coordinates."""
    return [layer.shape for layer in _network_over([0.0] * inputs, [1.0] * inputs, settings).layers]


def _network_over(lower: Sequence[float], upper: Sequence[float], settings: NetworkSettings) -> Network:
    widths = (len(lower), *settings.hidden, 1)
    if settings.kind == "mlp":
        return make_mlp(widths, lower, upper)
    basis = make_basis(settings.basis, functions=settings.functions, degree=settings.degree)
    return make_kan(widths, basis, lower, upper)


def generator_for(seed: int, purpose: str) -> torch.Generator:
    """Return a random stream that depends on the seed and on what it is for."""
    key = np.random.SeedSequence(seed, spawn_key=(zlib.crc32(purpose.encode()),))
    return torch.Generator().manual_seed(int(key.generate_state(1, np.uint64)[0] >> 1))


def plan_for(settings: AdapterSettings, compression: float | None = None) -> Plan:
    """Return the plan of an adapter, of one whose ranks grow the first.

    Args:
        settings: ``adapter:``.
        compression: Instead of what the settings say, ranks included.
    """
    ratio, ranks = (settings.compression, settings.ranks) if compression is None else (compression, None)
    return Plan(settings.layers, GROWTH[0] if ratio == "auto" else ratio, ranks, settings.initialisation)


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
    started = _started(run)
    generator = generator_for(run.seed, "coefficients")
    start = [c.to(run.device) for c in network.initial(generator)]

    phases = phases_of(run.settings.training)

    def parametrise(form: str, origin: Origin) -> tuple[Parameters, Tensor]:
        made = parameters(form, origin)
        return made, made.start()

    def parameters(form: str, origin: Origin) -> Parameters:
        at, coefficients = origin.phase, origin.coefficients
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
    if run.settings.adapter.grows and any(
        form == "lotra" and phase.compression is None for form, phase in zip(forms, phases, strict=True)
    ):
        raise UsageError(
            "adapter.compression: auto is for finetune; a lotra phase of pre-training needs a compression "
            "of its own: {form: lotra, compression: 1/8}"
        )
    return train(run, network, run.settings.training, Course(start, forms, parametrise), started)


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
    phases = phases_of(run.settings.finetuning)
    for phase in phases:
        if phase.form != "full":
            raise UsageError(
                f"finetuning: {phase.form} is for pre-training alone; the ranks of an adapter are in adapter:"
            )
    network = network_for(run.instance, run.settings.network)
    coefficients = [c.to(run.device) for c in base]
    started = _started(run)

    def parametrise(_form: str, origin: Origin) -> tuple[Parameters, Tensor]:
        if method == "full":
            made = Parameters([Full(c) for c in origin.coefficients])
        else:
            plan = plan_for(run.settings.adapter)
            made = _adapter(run, network, origin.coefficients, plan, purpose="factors")
        return made, start(made)

    settings = run.settings.finetuning
    if method == "full" or not run.settings.adapter.grows:
        course = Course(coefficients, [method] * len(phases), parametrise)
    elif start is not Parameters.start:
        raise UsageError(
            "an adapter whose ranks grow (compression auto) starts from the base, not from another"
        )
    else:
        course = _growing(run, network, coefficients, len(phases), parametrise)
        settings = replace(settings, phases=phases * (len(course.forms) // len(phases)))
    return train(run, network, settings, course, started)


def _growing(
    run: Run,
    network: Network,
    base: Sequence[Tensor],
    length: int,
    first: Callable[[str, Origin], tuple[Parameters, Tensor]],
) -> Course:
    """Return the course of an adapter that goes through the recipe's phases at each ratio of `GROWTH`.

    In narrow layers several ratios come to the same ranks: they are one.
    """
    plans = [plan_for(run.settings.adapter, ratio) for ratio in GROWTH]
    distinct = list({plan.ranks_in(base): plan for plan in plans}.values())

    def before(origin: Origin) -> Parameters:
        return _adapter(run, network, base, distinct[origin.phase // length - 1], purpose="factors")

    def parametrise(form: str, origin: Origin) -> tuple[Parameters, Tensor]:
        if origin.theta is None:
            return first(form, origin)
        narrow, plan = before(origin), distinct[origin.phase // length]
        wide, theta = grow(
            narrow,
            origin.theta,
            plan.compression,
            adjoints=_adjoints(run, network, narrow.coefficients(origin.theta)),
            generator=generator_for(run.seed, f"columns of phase {origin.phase}"),
        )
        return _moved(wide, run.device), theta

    forms = [f"lotra {plan.compression:g}" for plan in distinct for _ in range(length)]
    return Course(base, forms, parametrise, before)


def _started(run: Run) -> float:
    """Return the reading of the clock at which the training began, had it run in one go."""
    return time.perf_counter() - (0.0 if run.state is None else run.state.seconds)


def _adapter(run: Run, network: Network, base: Sequence[Tensor], plan: Plan, *, purpose: str) -> Parameters:
    generator = generator_for(run.seed, purpose)
    adjoints = _adjoints(run, network, base)
    return _moved(attach(base, plan, adjoints=adjoints, generator=generator), run.device)


def _adjoints(run: Run, network: Network, coefficients: Sequence[Tensor]) -> list[Tensor]:
    """Return derivatives of residuals with respect to every layer's output, on some points, on the CPU."""
    whole = Parameters([Full(c) for c in coefficients])
    sample = replace(run.settings.points, interior=_ADJOINT_SAMPLE, boundary=1, initial=1)
    sets = training_sets(run.instance, sample, seed=run.seed, variant=0, device=run.device)
    adjoints = NetworkLeastSquares(network, whole, sets).adjoints(whole.start().to(run.device))
    if not all(bool(rows.isfinite().all()) for rows in adjoints):
        raise DivergedError(f"{run.title}: the base's derivatives are not finite; train another base")
    return [rows.cpu() for rows in adjoints]


_ADJOINT_SAMPLE = 256
"""Interior points whose adjoints span the birth of U2: four times the paper's hidden width."""


def _moved(parameters: Parameters, device: torch.device) -> Parameters:
    """Put what the layers keep on the device."""
    for layer in parameters.layers:
        layer.base = layer.base.to(device)
    return parameters

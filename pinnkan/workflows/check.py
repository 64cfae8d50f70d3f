"""``pinnkan check``: how a problem is understood, tested and counted; nothing is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pinnkan.adapters import attach, slim
from pinnkan.errors import UsageError
from pinnkan.output.canvas import PICTURES
from pinnkan.output.collocation import plot_collocation
from pinnkan.output.labels import Caption
from pinnkan.output.suffixes import require_suffix
from pinnkan.problem import Problem
from pinnkan.problem.check import CheckedStatement, check_problem
from pinnkan.problem.instance import Instance
from pinnkan.problem.settings import Settings
from pinnkan.training import network_for, plan_for, refined
from pinnkan.workflows.environment import device_for, dtype_for, limited_threads
from pinnkan.workflows.show import network_facts

_TRAINING, _HELD_OUT = 0, 1
"""Variants of the collocation sets, as training draws them."""


def check(
    problem: Problem, *, seed: int, device: str, dtype: str, threads: int | None, plot: Path | None
) -> dict[str, Any]:
    """Test a problem and count its points and parameters.

    Args:
        problem: As the file and its overrides state it.
        seed: Of collocation points that are drawn at random.
        device: Looked at, so that a line for ``pretrain`` can be tried first.
        dtype: Looked at for the same reason.
        threads: CPU threads.
        plot: Where to draw the collocation points; None draws nothing.

    Returns:
        What ``check --json`` prints: ``equations`` and ``conditions`` (``name``,
        ``residual``, ...), ``points``, ``trainable_parameters``, ``findings``.

    Raises:
        ProblemError: If the problem makes no sense at its base value.
        UsageError: If there is no such device or the picture's format is unknown.
        FileAccessError: If the picture cannot be written.
    """
    if plot is not None:
        require_suffix(plot, PICTURES)
    device_for(device)
    dtype_for(dtype)
    with limited_threads(threads):
        found = check_problem(problem)
        instance = problem.at(None)
        findings = [{"severity": one.severity, "message": one.message} for one in found.findings]
        counted = _parameters(instance, problem.settings, findings)
        if plot is not None:
            _draw_points(instance, seed, plot)
    return {
        "problem": found.name,
        "title": found.title,
        "parameters": dict(found.parameters),
        "coordinates": list(found.coordinates),
        "equations": [_equation(one) for one in found.equations],
        "conditions": [_condition(one) for one in found.conditions],
        "ansatz": found.ansatz,
        "exact": found.exact,
        "source": found.source,
        "zero_network_l2": found.zero_network_l2,
        "network": network_facts(problem.settings.network, len(found.coordinates)),
        **counted,
        "points": dict(found.points),
        "findings": findings,
    }


def _equation(statement: CheckedStatement) -> dict[str, Any]:
    return {
        "name": statement.name,
        "text": statement.text,
        "residual": statement.residual,
        "shown": statement.shown,
        "exact_residual": statement.exact_residual,
    }


def _condition(statement: CheckedStatement) -> dict[str, Any]:
    return _equation(statement) | {
        "where": list(statement.where),
        "hard": statement.hard,
        "weight": statement.weight,
        "note": statement.note,
    }


def _parameters(
    instance: Instance, settings: Settings, findings: list[dict[str, str]]
) -> dict[str, int | None]:
    """Count the trainable numbers of base and adapter; an adapter that cannot be is a finding."""
    generator = torch.Generator().manual_seed(0)
    coefficients: Sequence[torch.Tensor] = network_for(instance, settings.network).initial(generator)
    adjoints = [torch.zeros(1, c.shape[1]) for c in coefficients]

    def adapted(compression: float | None = None) -> int:
        plan = plan_for(settings.adapter, compression)
        return attach(coefficients, plan, adjoints=adjoints, generator=generator).size

    try:
        adapter: int | None = adapted()
    except UsageError as fault:
        adapter = None
        findings.append({"severity": "warning", "message": str(fault)})
    sizes = []
    for phase in settings.training.phases or (settings.training,):
        coefficients = refined(coefficients, settings.network, phase.functions)
        if settings.network.kind == "slim" or phase.form == "slim":
            sizes.append(slim(coefficients, settings.network.rank, generator).size)
        elif phase.form == "full":
            sizes.append(sum(c.numel() for c in coefficients))
        elif adapter is not None:
            sizes.append(adapted(phase.compression))
    # As training reports them: the most that move in any one phase.
    base = max(sizes, default=None)
    adapter = None if adapter is None else adapted()
    return {"trainable_parameters": base, "adapter_parameters": adapter}


def _draw_points(instance: Instance, seed: int, path: Path) -> None:
    problem = instance.problem
    caption = Caption(problem.title or problem.name, instance.values)
    sets = _collocation_sets(instance, seed)
    plot_collocation(path, sets, coordinates=problem.coordinates, time=problem.time, caption=caption)


def _collocation_sets(instance: Instance, seed: int) -> Mapping[str, np.ndarray]:
    """Return the points that training starts from and those that it is held to, by set."""
    settings = instance.problem.settings.points

    def draw(where: str, count: int, variant: int) -> np.ndarray:
        rule = settings.rule
        return instance.domain.collocate(where, count, rule=rule, seed=seed, variant=variant).points

    sets = {
        "held out": draw("interior", settings.held_out, _HELD_OUT),
        "interior": draw("interior", settings.interior, _TRAINING),
    }
    for block in instance.blocks:
        if block.where != "interior":
            count = settings.initial if block.where == "initial" else settings.boundary
            sets[block.name] = draw(block.where, count, _TRAINING)
    return sets

"""``pinnkan check``: how a problem is understood, tested and counted; nothing is trained."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pinnkan.geometry import Interior
from pinnkan.ground.errors import UsageError
from pinnkan.ground.machine import Compute
from pinnkan.ground.runtime import device_for, limited_threads
from pinnkan.language.expressions import hidden_builtins
from pinnkan.language.network_kinds import NETWORK_KINDS
from pinnkan.language.problem import Problem
from pinnkan.language.problem.windows import window_ends
from pinnkan.language.settings.blocks import Settings
from pinnkan.language.settings.idle_keys import idle_keys
from pinnkan.networks.adapters import last_layer, slim
from pinnkan.output.pictures.formats import PICTURES
from pinnkan.output.suffixes import require_suffix
from pinnkan.physics.check import CheckedFormulas, CheckedStatement, CheckReport, check_problem
from pinnkan.physics.family import Family
from pinnkan.physics.instance import Instance
from pinnkan.physics.wellposed import Finding
from pinnkan.physics.wellposed.findings import warning
from pinnkan.training import network_for, plan_for, refined
from pinnkan.training.adapters import attach
from pinnkan.training.phases import HELD_OUT, phase_variant
from pinnkan.training.windows import MOST_HALVINGS
from pinnkan.workflows.show import network_facts


def check(
    family: Family,
    *,
    further: Sequence[Mapping[str, float]] = (),
    seed: int,
    compute: Compute,
    plot: Path | None,
) -> dict[str, Any]:
    """Test a problem and count its points and parameters.

    Args:
        family: The problem as the file and its overrides state it.
        further: Parameter values at which it is tested, too.
        seed: Of collocation points that are drawn at random.
        compute: Looked at, so that a line for ``pretrain`` can be tried first.
        plot: Where to draw the collocation points; None draws nothing.

    Returns:
        What ``check --json`` prints: ``equations``, ``conditions`` and ``constraints``
        (``name``, ``residual``, ``size``, ...), ``boundary`` (by part and unknown), ``scales``,
        ``windows`` where there are any, ``points``, ``trainable_parameters``, ``chosen`` by the default
        recipe, ``findings``.

    Raises:
        ProblemError: If the problem makes no sense at its base value.
        UsageError: If there is no such device or the picture's format is unknown.
        FileAccessError: If the picture cannot be written or samples not read.
    """
    if plot is not None:
        require_suffix(plot, PICTURES)
    device_for(compute.device)
    with limited_threads(compute.threads):
        report = check_problem(family, further)
        problem, instance = family.problem, family.at(None)
        idle = [*idle_keys(problem.settings, "training"), *idle_keys(problem.settings, "finetuning")]
        findings = [_finding(finding) for finding in (*report.findings, *map(warning, idle))]
        counted = _parameters(instance, problem.settings, findings)
        sets = _point_sets(instance, seed)
        if plot is not None:
            _draw_points(instance, sets, plot)
    return {
        **_heading(problem),
        **_statements(report, instance),
        "scales": _scales(family),
        **_solved_scales(family),
        **_formulas(report.formulas, problem),
        "zero_network_l2": report.zero_network_l2,
        **_windows(problem),
        "network": network_facts(problem.settings.network, problem),
        **counted,
        "chosen": {path: _written(path, problem.settings) for path in problem.settings.chosen},
        "points": {name: len(points) for name, points in sets.items()},
        "findings": findings,
        **_own_words(problem),
    }


def _heading(problem: Problem) -> dict[str, Any]:
    return {
        "problem": problem.name,
        "title": problem.file.title,
        "parameters": problem.base_values,
        "coordinates": list(problem.coordinates),
    }


def _formulas(formulas: CheckedFormulas, problem: Problem) -> dict[str, Any]:
    """Return ansatz, exact solution and manufactured source, of a system by the names of the unknowns."""
    return {
        "ansatz": _alone(formulas.ansatz, problem),
        "exact": _alone(formulas.exact, problem),
        "source": _alone(formulas.sources, problem),
    }


def _statements(report: CheckReport, instance: Instance) -> dict[str, Any]:
    """Return equations, conditions and constraints, and what holds on every part of the boundary."""
    return {
        "equations": [_equation(checked, instance) for checked in report.equations],
        "conditions": [_condition(checked, instance) for checked in report.conditions],
        "constraints": [_condition(checked, instance) for checked in report.constraints],
        "boundary": {
            part: {name: [asdict(holding) for holding in own] for name, own in unknowns.items()}
            for part, unknowns in report.boundary.items()
        },
    }


_HIDDEN = {"e": "Euler's number", "I": "the identity", "n": "the outward normal"}


def _own_words(problem: Problem) -> dict[str, Any]:
    """Return which built-in words mean something of the problem's own; nothing where none does."""
    hidden = [word for word in hidden_builtins(problem.names) if word in _HIDDEN]
    meanings = {word: f"{problem.names.kind(word)}, not {_HIDDEN[word]}" for word in hidden}
    return {"own_words": meanings} if meanings else {}


def _alone(texts: Mapping[str, str], problem: Problem) -> str | dict[str, str] | None:
    """Return texts by name; of a problem with one unknown the only text; None if there are none."""
    if not texts:
        return None
    return dict(texts) if problem.is_system else next(iter(texts.values()))


def _scales(family: Family) -> dict[str, float]:
    """Return the scales of the unknowns, and of time where the solution changes at the start alone."""
    problem = family.problem
    scales = dict(zip(problem.unknowns, family.scales, strict=True))
    if problem.time is not None and math.isfinite(family.time_scale):
        scales[problem.time] = family.time_scale
    return scales


def _windows(problem: Problem) -> dict[str, Any]:
    """Return the ends of the time windows at the base values; nothing without windows."""
    stated = problem.domain.windows
    if stated is None or stated.is_one:
        return {}
    ends = list(window_ends(problem, problem.base_values))
    return {"windows": f"halved at most {MOST_HALVINGS} times" if stated.automatic else ends}


def _solved_scales(family: Family) -> dict[str, Any]:
    """Return where scales come from that the balance of terms misses; nothing where it misses none."""
    solved = {
        name: f"size of a least-squares solution in polynomials; the terms balance at {scale.balance:.2g}"
        for name, scale in family.found_scales.items()
        if scale.is_solved
    }
    return {"solved_scales": solved} if solved else {}


def _finding(finding: Finding) -> dict[str, Any]:
    place = finding.place
    where = None if place is None else f"{place.source.name}:{place.line}:{place.column}"
    return {"severity": finding.severity, "message": finding.message, "place": where}


def _written(path: str, settings: Settings) -> Any:
    """Write what the default recipe chose: a value, or how a training goes."""
    block, _, key = path.partition(".")
    stated = getattr(settings, block)
    if key:
        value = getattr(stated, key)
        return list(value) if isinstance(value, tuple) else value
    return "; ".join(f"{phase.title}, {phase.steps} steps at most" for phase in stated.in_turn)


def _equation(statement: CheckedStatement, instance: Instance) -> dict[str, Any]:
    return {
        "name": statement.name,
        "text": statement.texts.text,
        "residual": statement.texts.residual,
        "shown": statement.texts.shown,
        "exact_residual": statement.exact_residual,
        "size": instance.size_of(statement.name),
    }


def _condition(statement: CheckedStatement, instance: Instance) -> dict[str, Any]:
    return _equation(statement, instance) | {
        "where": list(statement.where),
        "hard": statement.hard,
        "weight": statement.weight,
        "note": statement.note,
    }


def _parameters(
    instance: Instance, settings: Settings, findings: list[dict[str, Any]]
) -> dict[str, int | None]:
    """Count the trainable numbers of base and adapter; an adapter that cannot be is a finding."""
    generator = torch.Generator().manual_seed(0)
    coefficients: Sequence[torch.Tensor] = network_for(instance, settings.network).initial(generator)
    adjoints = [torch.zeros(1, c.shape[1]) for c in coefficients]

    def adapted(compression: float | None = None) -> int:
        plan = plan_for(settings, compression)
        return attach(coefficients, plan, adjoints=adjoints, generator=generator).size

    try:
        adapter: int | None = adapted()
    except UsageError as fault:
        adapter = None
        findings.append(_finding(Finding("warning", str(fault))))
    sizes = []
    for shaping in (phase.shaping for phase in settings.training.in_turn):
        coefficients = refined(coefficients, settings.network, shaping.functions)
        if NETWORK_KINDS[settings.network.kind].frozen or shaping.form == "last_layer":
            sizes.append(last_layer(coefficients, chains=settings.network.chains).size)
        elif NETWORK_KINDS[settings.network.kind].slim or shaping.form == "slim":
            form = slim(
                coefficients, settings.network.of_kind.rank, generator, chains=settings.network.chains
            )
            sizes.append(form.size)
        elif shaping.form == "full":
            sizes.append(sum(c.numel() for c in coefficients))
        elif adapter is not None:
            sizes.append(adapted(shaping.compression))
    # As training reports them: the most that move in any one phase.
    base = max(sizes, default=None)
    adapter = None if adapter is None else adapted()
    return {"trainable_parameters": base, "adapter_parameters": adapter}


def _draw_points(instance: Instance, sets: Mapping[str, np.ndarray], path: Path) -> None:
    # matplotlib takes a second to load, which only those wait for who ask for a picture.
    from pinnkan.output.pictures.collocation import plot_collocation
    from pinnkan.output.pictures.labels import Caption

    problem = instance.problem
    caption = Caption(problem.file.title or problem.name, instance.values)
    # Held-out points come first: those that are trained on stand above them.
    shown = {"held out": sets["held_out"], **{name: sets[name] for name in sets if name != "held_out"}}
    plot_collocation(path, shown, coordinates=problem.coordinates, time=problem.time, caption=caption)


def _point_sets(instance: Instance, seed: int) -> dict[str, np.ndarray]:
    """Return the points that the phases of training begin with and those they are held to, by set."""
    points = instance.problem.settings.points
    phases = instance.problem.settings.training.in_turn
    drawn = [
        _interior(instance, phase.points, seed, phase_variant(index)) for index, phase in enumerate(phases)
    ]
    sets = {f"interior, phase {index + 1}": places for index, places in enumerate(drawn)}
    if len({len(places) for places in drawn}) == 1:
        sets = {"interior": drawn[0]}
    sets["held_out"] = _interior(instance, points.held_out, seed, HELD_OUT)
    for block, places in instance.drawn(points, seed=seed):
        if not isinstance(block.where, Interior):
            sets[block.name] = places.points
    return sets


def _interior(instance: Instance, count: int | None, seed: int, variant: int) -> np.ndarray:
    """Return a collocation set, or the rows of samples that stand for it, as `training_sets` takes them."""
    points = instance.problem.settings.points
    if instance.samples is None:
        wanted, rule = count or points.interior, points.uniform_rule
        return instance.domain.collocate(Interior(), wanted, rule=rule, seed=seed, variant=variant).points
    training, held_out = instance.samples.split(instance.domain, seed=seed)
    return held_out.points if variant == HELD_OUT else training.points[:count]

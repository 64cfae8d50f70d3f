"""What fixes the solution only up to something: constants of unknowns, and motions of several together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from pinnkan.physics.instance import Instance
from pinnkan.physics.wellposed.findings import Finding, warning
from pinnkan.physics.wellposed.free_motions import Motion, free_motions


def unfixed_motions(instance: Instance) -> Iterator[Finding]:
    """Warn of what solves with every solution: u + c, the pair u + c, v + c, or a body that may turn."""
    if not instance.problem.space:
        return
    motions = free_motions(instance)
    if all(_is_constant_of_one(motion) for motion in motions):
        for motion in motions:
            yield _constant(instance, motion)
        return
    problem, parts = instance.problem, instance.domain.shape.parts
    several = len(motions) > 1
    added = []
    for number, motion in enumerate(motions, start=1):
        c = f"c{number}" if several else "c"
        added.append(f"({_added(instance, motion, f'{c}({problem.time})' if motion.in_time else c)})")
    constraints = ", ".join(f'"integral({_weighted(instance, motion)}) = 0"' for motion in motions)
    remedies = ["prescribe more on a part of the boundary"] if parts else []
    yield warning(
        f"the solution is fixed only up to {', '.join(added)}: no equation or condition changes with "
        f"{'them' if several else 'that'}; {', '.join([*remedies, f'add constraints: [{constraints}]'])}, or "
        f"read it up to {'them' if several else 'that'}"
    )


def _is_constant_of_one(motion: Motion) -> bool:
    return not motion.slopes.any() and np.count_nonzero(motion.constants) == 1


def _constant(instance: Instance, motion: Motion) -> Finding:
    """Say that only derivatives of an unknown occur."""
    problem = instance.problem
    u = problem.unknowns[int(np.flatnonzero(motion.constants)[0])]
    remedies = [f'add constraints: ["integral({u}) = 0"]']
    if not problem.is_system:
        remedies.insert(
            0,
            f"prescribe the value of {u} on a part of the boundary"
            if instance.domain.shape.parts
            else f"add a term in {u}",
        )
    what = f"the constant of {u}" if problem.is_system else "the constant"
    c = f"c({problem.time})" if motion.in_time else "c"
    return warning(
        f"nothing fixes {what}: only derivatives of {u} occur, so {u} + {c} solves whatever "
        f"{u} solves; {', '.join(remedies)}, or read it up to a constant"
    )


def _added(instance: Instance, motion: Motion, c: str) -> str:
    """Write what the unknowns may become: ``u + c*y, v - c*x``."""
    written = []
    for u, constant, slopes in zip(instance.problem.unknowns, motion.constants, motion.slopes, strict=True):
        terms = [*((slope, f"{c}*{x}") for slope, x in _terms(instance, slopes)), (float(constant), c)]
        if any(factor for factor, _ in terms):
            written.append(u + _sum(terms, first=False))
    return ", ".join(written)


def _weighted(instance: Instance, motion: Motion) -> str:
    """Write what an integral must hold to fix it: ``u*y - v*x``; of constants one unknown is enough."""
    unknowns = instance.problem.unknowns
    if not motion.slopes.any():
        return unknowns[int(np.flatnonzero(motion.constants)[0])]
    moved = zip(unknowns, motion.constants, motion.slopes, strict=True)
    terms = [
        term
        for u, constant, slopes in moved
        for term in [*((slope, f"{u}*{x}") for slope, x in _terms(instance, slopes)), (float(constant), u)]
    ]
    return _sum(terms, first=True)


def _terms(instance: Instance, slopes: Sequence[float]) -> list[tuple[float, str]]:
    return [(float(slope), x) for slope, x in zip(slopes, instance.problem.space, strict=True)]


def _sum(terms: Sequence[tuple[float, str]], *, first: bool) -> str:
    """Write a sum of multiples, those of 0 left out; ``first`` where nothing stands before it."""
    text = ""
    for factor, name in terms:
        if factor:
            size = f"{abs(factor):.6g}"
            sign = "-" if factor < 0 else "+"
            lead = "" if first and not text and factor > 0 else sign if first and not text else f" {sign} "
            text += lead + (name if size == "1" else f"{size}*{name}")
    return text

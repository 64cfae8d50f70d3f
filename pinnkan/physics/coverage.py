"""What holds on the boundary, part by part and unknown by unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pinnkan.language.expressions import derivative_symbols
from pinnkan.language.problem.spec import Condition, Problem
from pinnkan.physics.instance import Instance


@dataclass(frozen=True)
class Holding:
    """A condition that holds an unknown on a part of the boundary.

    Attributes:
        condition: Its name.
        hard: Whether the ansatz of the unknown meets it by construction.
        where: Formula of the portion of the part where it holds; None for all of it.
    """

    condition: str
    hard: bool
    where: str | None


def holds_unknown(condition: Condition, unknown: int, problem: Problem) -> bool:
    """Tell whether an unknown or a derivative of it occurs in a condition."""
    partials = derivative_symbols(condition.residual, problem.names).values()
    return any(partial.unknown == unknown for partial in partials)


def coverage(instance: Instance) -> Mapping[str, Mapping[str, tuple[Holding, ...]]]:
    """Return the conditions on every part of the boundary, by the names of part and unknown."""
    problem = instance.problem
    return {
        part: {
            ansatz.unknown: tuple(
                Holding(
                    condition.name,
                    condition.name in ansatz.hard,
                    None if condition.portion is None else condition.portion.text,
                )
                for condition in problem.boundary
                if part in condition.parts and holds_unknown(condition, position, problem)
            )
            for position, ansatz in enumerate(instance.ansatzes)
        }
        for part in instance.domain.shape.parts
    }

"""What is given on a domain with periodic coordinates must be periodic itself."""

from __future__ import annotations

from collections.abc import Iterator

from pinnkan.physics.conditions.roughness import taken_orders
from pinnkan.physics.instance import Instance
from pinnkan.physics.seams import block_gap, formula_gap
from pinnkan.physics.wellposed.findings import Finding, refusal


def data_across_seams(instance: Instance) -> Iterator[Finding]:
    """Refuse coefficients, sources and prescribed values that differ where the ends of a coordinate meet."""
    problem = instance.problem
    for statement in (*problem.equations, *problem.conditions):
        for block in (*instance.equations, *instance.conditions):
            if block.name != statement.name and not block.name.startswith(f"{statement.name}."):
                continue
            gap = block_gap(block, instance.domain, instance.scales)
            if gap is not None:
                yield refusal(
                    f"{statement.name}: what is given differs where the ends of the periodic coordinate "
                    f"{gap.coordinate} meet, {gap.text(problem.coordinates)}; make it periodic, or drop "
                    f"periodic: {gap.coordinate}",
                    statement.place,
                )
                break


def exact_across_seams(instance: Instance) -> Iterator[Finding]:
    """Note an exact solution that is not periodic, or not as smooth across a seam as the equations ask."""
    problem = instance.problem
    orders = [max(1, order) for order in taken_orders(problem)]
    for unknown, exact in problem.exact.items():
        gap = formula_gap(exact, orders, instance.domain, problem.names, instance.values)
        if gap is not None:
            what = f"{unknown}_{gap.coordinate * gap.order}" if gap.order else unknown
            yield Finding(
                "error",
                f"exact: {what} differs where the ends of the periodic coordinate {gap.coordinate} meet, "
                f"{gap.text(problem.coordinates)}; it is no solution there",
            )

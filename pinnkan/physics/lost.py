"""Derivatives of what jumps: the Dirac at the jump is seen by no point, so it would be lost in silence."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pinnkan.ground.errors import ProblemError
from pinnkan.language.expressions import derivative_symbols, normal_symbols
from pinnkan.language.expressions.calculus import ORDINALS
from pinnkan.language.expressions.questions.smoothness import Break, breaks, shown_position
from pinnkan.language.problem.spec import Derived
from pinnkan.physics.instance import Instance
from pinnkan.physics.region import DomainRegion
from pinnkan.physics.states import States, unknown_sizes, values_at_a_point

_RAMP = 0.02
"""Width of the ramp that is proposed, as a share of the domain's extent or of the unknown's size."""
_FARTHEST = 8.0
"""Values of the unknown that are looked at, over its scale."""


def refuse_lost_derivatives(instance: Instance) -> None:
    """Refuse a problem that differentiates something that jumps inside the domain.

    Training makes residuals small at points. Where K jumps, ``div(K*grad(p))`` holds a Dirac that
    balances the fluxes of both sides; no point sees it, and what is found is the solution of another
    equation. So it is where the solution crosses a value at which a formula of it jumps. A jump that
    is not differentiated, in a source or a reaction, is harmless.

    Raises:
        ProblemError: With the place of each such derivative in the file, and what to write instead.
    """
    region = DomainRegion(instance.domain)
    messages: dict[tuple[int, int], str] = {}
    for derived in instance.problem.statements.derived:
        place = (derived.place.line, derived.place.column)
        if place in messages:
            continue
        jump = _jump(derived, instance, region)
        extents = dict(zip(instance.coordinates, (region.upper - region.lower).tolist(), strict=True))
        if jump is None:
            extents = unknown_sizes(derived.expr, instance, _FARTHEST)
            jump = _jump_of_unknown(derived, instance, extents)
        if jump is not None:
            text = _explained(derived, jump, extents[jump.coordinate])
            messages[place] = derived.place.render(f"{derived.path}: {text}")
    if messages:
        raise ProblemError(list(messages.values()))


def _jump(derived: Derived, instance: Instance, region: DomainRegion) -> Break | None:
    """Return where something that is differentiated jumps inside the domain, None if it does not.

    The unknown and its derivatives are continuous, so numbers stand for them here. What happens at a
    point or a curve alone, such as the tip of |x| in the plane, has no Dirac in its first derivative.
    """
    names = instance.problem.names
    unknowns = [*derivative_symbols(derived.expr, names), *normal_symbols(names)]
    values = {**instance.values, **{leaf.name: 0.7 + 0.1 * k for k, leaf in enumerate(unknowns)}}
    orders = [0 if name == derived.coordinate else -1 for name in names.coordinates]
    found = breaks(derived.expr, names.coordinates, region, orders, values, free_of=unknowns, enough=40)
    return next((item for item in found if not item.isolated and not item.at_end), None)


def _jump_of_unknown(derived: Derived, instance: Instance, sizes: Mapping[str, float]) -> Break | None:
    """Return at which value of the unknown something that is differentiated jumps, None if it does not.

    ``where(u > 0.5, 1, 2)*u_x`` does, as the first derivative of ``abs(u)``; ``max(u, 0.5)*u_x`` has a kink
    there, which is no harm to a single derivative.
    """
    if not sizes:
        return None
    region, values = States(list(sizes.values())), values_at_a_point(instance)
    found = breaks(derived.expr, list(sizes), region, [0] * len(sizes), values)
    return next((item for item in found if not (item.infinite or item.isolated or item.at_end)), None)


def _explained(derived: Derived, jump: Break, extent: float) -> str:
    width = _rounded(_RAMP * extent)
    switch = "s" if jump.position is None else _difference(jump.coordinate, jump.position, extent)
    if derived.step:
        what = f"a {ORDINALS[derived.step]} derivative with"
        instead = (
            "round the kink off over a width that the points resolve, for example "
            f"sqrt(({switch})^2 + {width}^2) for abs({switch})"
        )
    else:
        what = "something with"
        instead = (
            "write a ramp that the points resolve, for example "
            f"a + (b - a)*(1 + tanh(({switch})/{width}))/2 for a step from a to b"
        )
    return (
        f"'{derived.text}' differentiates {what} {jump.what}; no point sees the derivative there (a Dirac), "
        f"and what it stands for, a flux or a load, would be lost; {instead}"
    )


def _difference(coordinate: str, position: float, extent: float) -> str:
    """Return the distance from a plane as a formula; a position that is zero up to rounding is zero."""
    return f"{coordinate} {'-' if position >= 0 else '+'} {shown_position(abs(position), extent)}"


def _rounded(width: float) -> str:
    """Return a width to one digit."""
    return f"{round(width, -math.floor(math.log10(width))):g}"

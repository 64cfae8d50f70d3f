"""Derivatives of what jumps: the Dirac at the jump is seen by no point, so it would be lost in silence."""

from __future__ import annotations

import math

from pinnkan.errors import ProblemError
from pinnkan.expressions import derivative_symbols, normal_symbols
from pinnkan.expressions.smoothness import Break, breaks
from pinnkan.problem.instance import Instance
from pinnkan.problem.region import DomainRegion
from pinnkan.problem.spec import Derived

_RAMP = 0.02
"""Width of the ramp that is proposed, as a share of the domain's extent."""


def refuse_lost_derivatives(instance: Instance) -> None:
    """Refuse a problem that differentiates something that jumps inside the domain.

    Training makes residuals small at points. Where K jumps, ``div(K*grad(p))`` holds a Dirac that
    balances the fluxes of both sides; no point sees it, and what is found is the solution of another
    equation. A jump that is not differentiated, in a source or a reaction, is harmless.

    Raises:
        ProblemError: With the place of each such derivative in the file, and what to write instead.
    """
    region = DomainRegion(instance.domain)
    messages: dict[tuple[int, int], str] = {}
    for derived in instance.problem.derived:
        place = (derived.place.line, derived.place.column)
        jump = None if place in messages else _jump(derived, instance, region)
        if jump is not None:
            messages[place] = derived.place.render(f"{derived.path}: {_explained(derived, jump, region)}")
    if messages:
        raise ProblemError(list(messages.values()))


def _jump(derived: Derived, instance: Instance, region: DomainRegion) -> Break | None:
    """Return where something that is differentiated jumps inside the domain, None if it does not.

    The unknown and its derivatives are continuous, so numbers stand for them. What happens at a
    point or a curve alone, such as the tip of |x| in the plane, has no Dirac in its first derivative.
    """
    names = instance.problem.names
    unknowns = [*derivative_symbols(derived.expr, names), *normal_symbols(names)]
    values = {**instance.values, **{leaf.name: 0.7 + 0.1 * k for k, leaf in enumerate(unknowns)}}
    orders = [0 if name == derived.coordinate else -1 for name in names.coordinates]
    found = breaks(derived.expr, names.coordinates, region, orders, values, free_of=unknowns)
    return next((item for item in found if not item.isolated and not item.at_end), None)


def _explained(derived: Derived, jump: Break, region: DomainRegion) -> str:
    axis = region.domain.coordinates.index(jump.coordinate)
    width = _rounded(_RAMP * float(region.upper[axis] - region.lower[axis]))
    switch = "s" if jump.position is None else _difference(jump.coordinate, jump.position)
    if derived.step:
        what = "a first derivative with"
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


def _difference(coordinate: str, position: float) -> str:
    """Return the distance from a plane as a formula."""
    return f"{coordinate} {'-' if position >= 0 else '+'} {abs(position):.4g}"


def _rounded(width: float) -> str:
    """Return a width to one digit."""
    return f"{round(width, -math.floor(math.log10(width))):g}"

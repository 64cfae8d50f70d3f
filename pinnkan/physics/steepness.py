"""Data and coefficients that change faster than the collocation points see; and sources that jump."""

from __future__ import annotations

from pinnkan.geometry import BoundaryPart, InitialTime, Interior, PointInSpace, WholeDomain
from pinnkan.language.expressions import normal_symbols
from pinnkan.language.expressions.questions.ramps import Ramp, Spacing, unseen_ramps
from pinnkan.language.expressions.questions.smoothness import breaks, shown_position
from pinnkan.language.problem.spec import Derived
from pinnkan.language.settings.blocks import PhaseSettings, TrainingSettings
from pinnkan.physics.blocks import ResidualBlock
from pinnkan.physics.instance import Instance
from pinnkan.physics.region import DomainRegion
from pinnkan.physics.states import States, unknown_sizes, values_at_a_point

_SMOOTHING = 48
_FARTHEST = 2.0
"""Values of the unknown that are looked at, over its scale."""


def unseen_data(instance: Instance, block: str = "training") -> list[str]:
    """Return a sentence for every equation or condition whose data points cannot see, with the remedy.

    What is narrower than the points are apart, ``tanh((x - 1.5)/1e-4)``, is wrong in silence: no point
    is there. So is a narrow ramp of the unknown that is differentiated. What jumps in an equation is right
    at every point, but between two of them anything goes.

    Args:
        instance: The problem at a parameter value.
        block: The block of settings that says how many points there are, ``training`` or ``finetuning``.
    """
    recipe: TrainingSettings[PhaseSettings] = getattr(instance.problem.settings, block)
    region = DomainRegion(instance.domain)
    names = instance.coordinates
    values = {**instance.values, **{leaf.name: 1.0 for leaf in normal_symbols(instance.problem.names)}}
    messages: dict[str, str] = {}
    for statement in (*instance.equations, *instance.conditions):
        if isinstance(statement.where, WholeDomain | PointInSpace):
            continue  # an integral has points of its own, a place has none beside it
        key, count, inside = _points(instance, statement, recipe, block)
        share = _share(region, count, on_boundary=not inside)
        spacings = _spacings(region, statement, share)
        for ramp in (
            r for e in statement.program.data for r in unseen_ramps(e, names, region, spacings, values)
        ):
            extent = float((region.upper - region.lower)[names.index(ramp.coordinate)])
            text = f"{statement.name}: what is given {_described(ramp, extent, key, count)}"
            messages.setdefault(statement.name, text)
        for derived in instance.problem.statements.derived if inside else ():
            if derived.path != statement.name:
                continue
            lost = _lost_ramp(derived, instance, key, count, share)
            if lost is not None:
                messages.setdefault(f"{statement.name} differentiates", lost)
    for statement in instance.equations:
        for expr in statement.program.data:
            found = breaks(expr, names, region, [0] * len(names), values, enough=40)
            jumps = [b for b in found if not (b.at_end or b.isolated or b.infinite)]
            if jumps and not any(phase.smoothing for phase in recipe.in_turn):
                messages.setdefault(
                    f"{statement.name} jumps",
                    f"{statement.name}: a source or coefficient has {jumps[0].what}; residuals averaged over "
                    f"neighbouring points see it better: --set {block}.smoothing={_SMOOTHING}",
                )
    return list(messages.values())


def _lost_ramp(derived: Derived, instance: Instance, key: str, count: int, share: float) -> str | None:
    """Return a sentence if something that is differentiated changes too fast with the unknown.

    Where K(u) is a narrow ramp, ``diff(K*u_x, x)`` is all but a Dirac at the points where u crosses it.
    Points that are a share h of the extent apart see values of an unknown of scale U about h U apart.
    """
    sizes = unknown_sizes(derived.expr, instance)
    region = States([_FARTHEST * size for size in sizes.values()])
    spacings = [_even(share * size) for size in sizes.values()]
    ramps = unseen_ramps(derived.expr, list(sizes), region, spacings, values_at_a_point(instance))
    if not ramps:
        return None
    ramp = ramps[0]
    described = _described(ramp, sizes[ramp.coordinate], key, count)
    return f"{derived.path}: '{derived.text}' differentiates what {described}"


def _described(ramp: Ramp, extent: float, key: str, count: int) -> str:
    return (
        f"changes ({ramp.operation}) by half within {ramp.width:.2g} "
        f"at {ramp.coordinate} = {shown_position(ramp.position, extent)}, where points are about "
        f"{ramp.spacing:.2g} apart and do not see it: make it wider, or raise {key} (now {count})"
    )


def _points(
    instance: Instance, statement: ResidualBlock, recipe: TrainingSettings[PhaseSettings], block: str
) -> tuple[str, int, bool]:
    """Return the key that states which points see a statement, their number, and if they lie inside."""
    points = instance.problem.settings.points
    if statement in instance.blocks and not isinstance(statement.where, Interior):
        name = "initial" if isinstance(statement.where, InitialTime) else "boundary"
        return f"points.{name}", getattr(points, name), False
    # Data that are built in are seen inside.
    stated = [phase.points for phase in recipe.in_turn]
    count = max(own or points.interior for own in stated)
    return "points.interior" if None in stated else f"{block}.points", count, True


def _share(region: DomainRegion, count: int, *, on_boundary: bool) -> float:
    """Return how far neighbouring points are apart, as a share of the extent."""
    dimension = len(region.domain.coordinates) - on_boundary
    return float(count ** (-1 / max(1, dimension)))


def _spacings(region: DomainRegion, block: ResidualBlock, share: float) -> list[Spacing | None]:
    """Return the distance of neighbouring points along each axis; None along the one that is fixed."""
    domain = region.domain
    fixed = domain.coordinates[0] if isinstance(block.where, InitialTime) else ""
    if isinstance(block.where, BoundaryPart):
        fixed = block.where.part[:-1]
    extents = dict(zip(domain.coordinates, (region.upper - region.lower).tolist(), strict=True))
    spacings: list[Spacing | None] = [
        None if name == fixed else _even(share * extent) for name, extent in extents.items()
    ]
    if spacings[0] is not None and domain.grading:
        spacings[0] = lambda time: share * domain.time_per_share(time)
    return spacings


def _even(spacing: float) -> Spacing:
    return lambda position: spacing

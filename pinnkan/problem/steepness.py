"""Data and coefficients that change faster than the collocation points see; and sources that jump."""

from __future__ import annotations

from pinnkan.expressions import normal_symbols
from pinnkan.expressions.ramps import unseen_ramps
from pinnkan.expressions.smoothness import breaks
from pinnkan.problem.blocks import ResidualBlock
from pinnkan.problem.instance import Instance
from pinnkan.problem.region import DomainRegion

_SMOOTHING = 48
_INTERIOR = "points.interior"


def unseen_data(instance: Instance) -> list[str]:
    """Return a sentence for every equation or condition whose data points cannot see, with the remedy.

    What is narrower than the points are apart, ``tanh((x - 1.5)/1e-4)``, is wrong in silence: no point
    is there. What jumps in an equation is right at every point, but between two of them anything goes.
    """
    region = DomainRegion(instance.domain)
    names = instance.coordinates
    values = {**instance.values, **{leaf.name: 1.0 for leaf in normal_symbols(instance.problem.names)}}
    messages: dict[str, str] = {}
    for block in (*instance.equations, *instance.conditions):
        key, count = _points(instance, block)
        spacings = _spacings(region, block, count, on_boundary=key != _INTERIOR)
        for ramp in (r for e in block.program.data for r in unseen_ramps(e, names, region, spacings, values)):
            spacing = spacings[names.index(ramp.coordinate)]
            messages.setdefault(
                block.name,
                f"{block.name}: what is given changes ({ramp.operation}) by half within {ramp.width:.2g} "
                f"at {ramp.coordinate} = {ramp.position:.4g}, where points are about {spacing:.2g} apart "
                f"and do not see it: make it wider, or raise {key} (now {count})",
            )
    for block in instance.equations:
        for expr in block.program.data:
            found = breaks(expr, names, region, [0] * len(names), values, enough=40)
            jumps = [b for b in found if not (b.at_end or b.isolated or b.infinite)]
            if jumps and not _averaged(instance):
                messages.setdefault(
                    f"{block.name} jumps",
                    f"{block.name}: a source or coefficient has {jumps[0].what}; residuals averaged over "
                    f"neighbouring points see it better: --set training.smoothing={_SMOOTHING}",
                )
    return list(messages.values())


def _points(instance: Instance, block: ResidualBlock) -> tuple[str, int]:
    """Return the key that says how many points see a block's data, and how many they are."""
    points = instance.problem.settings.points
    if block not in instance.blocks or block.where == "interior":
        return _INTERIOR, _interior(instance)  # data that are built in are seen inside
    if block.where == "initial":
        return "points.initial", points.initial
    return "points.boundary", points.boundary


def _interior(instance: Instance) -> int:
    """Return the most interior points that a phase of training has."""
    settings = instance.problem.settings
    phases = settings.training.phases or (settings.training,)
    return max(phase.points or settings.points.interior for phase in phases)


def _averaged(instance: Instance) -> bool:
    training = instance.problem.settings.training
    return any(phase.smoothing for phase in training.phases or (training,))


def _spacings(region: DomainRegion, block: ResidualBlock, count: int, *, on_boundary: bool) -> list[float]:
    """Return the distance of neighbouring points along each axis; 0 along the one that a condition fixes."""
    names = region.domain.coordinates
    fixed = names[0] if block.where == "initial" else block.where[:-1]
    dimension = max(1, len(names) - on_boundary)
    lengths = zip(names, (region.upper - region.lower).tolist(), strict=True)
    return [0.0 if name == fixed else length / count ** (1 / dimension) for name, length in lengths]

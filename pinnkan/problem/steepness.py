"""Data and coefficients that change faster than the collocation points see; and sources that jump."""

from __future__ import annotations

from pinnkan.expressions import normal_symbols
from pinnkan.expressions.ramps import unseen_ramps
from pinnkan.expressions.smoothness import breaks
from pinnkan.problem.blocks import ResidualBlock
from pinnkan.problem.instance import Instance
from pinnkan.problem.region import DomainRegion
from pinnkan.problem.settings import PhaseSettings, TrainingSettings

_SMOOTHING = 48


def unseen_data(instance: Instance, block: str = "training") -> list[str]:
    """Return a sentence for every equation or condition whose data points cannot see, with the remedy.

    What is narrower than the points are apart, ``tanh((x - 1.5)/1e-4)``, is wrong in silence: no point
    is there. What jumps in an equation is right at every point, but between two of them anything goes.

    Args:
        instance: The problem at a parameter value.
        block: The block of settings that says how many points there are, ``training`` or ``finetuning``.
    """
    recipe: TrainingSettings = getattr(instance.problem.settings, block)
    region = DomainRegion(instance.domain)
    names = instance.coordinates
    values = {**instance.values, **{leaf.name: 1.0 for leaf in normal_symbols(instance.problem.names)}}
    messages: dict[str, str] = {}
    for statement in (*instance.equations, *instance.conditions):
        key, count, inside = _points(instance, statement, recipe, block)
        spacings = _spacings(region, statement, count, on_boundary=not inside)
        for ramp in (
            r for e in statement.program.data for r in unseen_ramps(e, names, region, spacings, values)
        ):
            spacing = spacings[names.index(ramp.coordinate)]
            messages.setdefault(
                statement.name,
                f"{statement.name}: what is given changes ({ramp.operation}) by half within {ramp.width:.2g} "
                f"at {ramp.coordinate} = {ramp.position:.4g}, where points are about {spacing:.2g} apart "
                f"and do not see it: make it wider, or raise {key} (now {count})",
            )
    for statement in instance.equations:
        for expr in statement.program.data:
            found = breaks(expr, names, region, [0] * len(names), values, enough=40)
            jumps = [b for b in found if not (b.at_end or b.isolated or b.infinite)]
            if jumps and not any(phase.smoothing for phase in _phases(recipe)):
                messages.setdefault(
                    f"{statement.name} jumps",
                    f"{statement.name}: a source or coefficient has {jumps[0].what}; residuals averaged over "
                    f"neighbouring points see it better: --set {block}.smoothing={_SMOOTHING}",
                )
    return list(messages.values())


def _points(
    instance: Instance, statement: ResidualBlock, recipe: TrainingSettings, block: str
) -> tuple[str, int, bool]:
    """Return the key that states which points see a statement, their number, and if they lie inside."""
    points = instance.problem.settings.points
    if statement in instance.blocks and statement.where != "interior":
        name = "initial" if statement.where == "initial" else "boundary"
        return f"points.{name}", getattr(points, name), False
    # Data that are built in are seen inside.
    stated = [phase.points for phase in _phases(recipe)]
    count = max(own or points.interior for own in stated)
    return "points.interior" if None in stated else f"{block}.points", count, True


def _phases(recipe: TrainingSettings) -> tuple[PhaseSettings, ...]:
    return recipe.phases or (recipe,)


def _spacings(region: DomainRegion, block: ResidualBlock, count: int, *, on_boundary: bool) -> list[float]:
    """Return the distance of neighbouring points along each axis; 0 along the one that a condition fixes."""
    names = region.domain.coordinates
    fixed = names[0] if block.where == "initial" else block.where[:-1]
    dimension = max(1, len(names) - on_boundary)
    lengths = zip(names, (region.upper - region.lower).tolist(), strict=True)
    return [0.0 if name == fixed else length / count ** (1 / dimension) for name, length in lengths]

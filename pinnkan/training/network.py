"""The network that the settings describe."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from pinnkan.language.network_kinds import NETWORK_KINDS
from pinnkan.language.settings.blocks import NetworkSettings
from pinnkan.networks import InputMap, Network, side_by_side
from pinnkan.physics.instance import Instance
from pinnkan.training.refinement import basis_for, fitted


def network_for(
    instance: Instance, settings: NetworkSettings, coefficients: Sequence[Tensor] | None = None
) -> Network:
    """Build the network that the settings describe over the instance's box.

    Args:
        instance: Gives the box, the grading of time and the periodic coordinates.
        settings: Of the network.
        coefficients: Of a network that is trained already, which may have been refined.
    """
    domain = instance.domain
    lower, upper = domain.bounding_box
    grading = [domain.grading * (name == instance.problem.time) for name in domain.coordinates]
    input_map = InputMap.over(lower.tolist(), upper.tolist(), grading, domain.periodic)
    return network_over(input_map, fitted(settings, coefficients), instance.problem.unknowns)


def network_over(input_map: InputMap, settings: NetworkSettings, unknowns: Sequence[str]) -> Network:
    """Build the network that the settings describe behind an input map, with an output an unknown."""
    if settings.separate is None:
        return _network_of(input_map, settings, len(unknowns))
    networks = [_network_of(input_map, settings, len(group)) for group in settings.separate]
    return side_by_side(networks, [[unknowns.index(name) for name in group] for group in settings.separate])


def _network_of(input_map: InputMap, settings: NetworkSettings, outputs: int) -> Network:
    widths = (input_map.size, *settings.hidden, outputs)
    kind = NETWORK_KINDS[settings.kind]
    keys = {name: getattr(settings.of_kind, name) for name in kind.keys}
    return kind.build(widths, basis_for(settings) if kind.on_edges else None, input_map, **keys)

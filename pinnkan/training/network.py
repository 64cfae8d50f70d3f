"""The network that the settings describe."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from pinnkan.networks import Network, make_kan, make_mlp
from pinnkan.problem.instance import Instance
from pinnkan.problem.settings import NetworkSettings
from pinnkan.training.refinement import basis_for, fitted


def network_for(
    instance: Instance, settings: NetworkSettings, coefficients: Sequence[Tensor] | None = None
) -> Network:
    """Build the network that the settings describe over the instance's box.

    Args:
        instance: Gives the box.
        settings: Of the network.
        coefficients: Of a network that is trained already, which may have been refined.
    """
    lower, upper = instance.domain.bounding_box
    return network_over(lower.tolist(), upper.tolist(), fitted(settings, coefficients))


def network_over(lower: Sequence[float], upper: Sequence[float], settings: NetworkSettings) -> Network:
    """Build the network that the settings describe over a box."""
    widths = (len(lower), *settings.hidden, 1)
    if settings.kind == "mlp":
        return make_mlp(widths, lower, upper)
    return make_kan(widths, basis_for(settings), lower, upper)

"""The last layer alone: its features are fixed functions, of which a linear equation wants a combination."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from pinnkan.networks.adapters.layerwise import Frozen, Full, LayerParametrisation
from pinnkan.networks.adapters.parameters import Parametrisation
from pinnkan.networks.network import chains_of


def last_layer(
    coefficients: Sequence[Tensor], *, chains: int = 1, layer: Callable[[Tensor], LayerParametrisation] = Full
) -> Parametrisation:
    """Return the parametrisation in which the last layer of every chain moves and the others keep theirs.

    Args:
        coefficients: Of every layer.
        chains: How many networks stand side by side.
        layer: What the last layers are.
    """
    last = {chain.stop - 1 for chain in chains_of(len(coefficients), chains)}
    return Parametrisation([(layer if depth in last else Frozen)(c) for depth, c in enumerate(coefficients)])

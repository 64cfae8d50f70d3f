"""Adapters: what changes for one parameter value, and how residuals depend on it."""

from pinnkan.networks.adapters.growth import GROWTH, grow, widened
from pinnkan.networks.adapters.layerwise import Frozen, Full, LayerParametrisation, Sparse, TuckerChange
from pinnkan.networks.adapters.lotra import (
    LAYER_WORDS,
    Plan,
    attach,
    initial_factors,
    outer_layers,
    slim,
    slim_from,
)
from pinnkan.networks.adapters.parameters import Parametrisation

__all__ = [
    "GROWTH",
    "LAYER_WORDS",
    "Frozen",
    "Full",
    "LayerParametrisation",
    "Parametrisation",
    "Plan",
    "Sparse",
    "TuckerChange",
    "attach",
    "grow",
    "initial_factors",
    "outer_layers",
    "slim",
    "slim_from",
    "widened",
]

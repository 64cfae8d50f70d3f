"""Adapters: what changes for one parameter value, and how residuals depend on it."""

from pinnkan.networks.adapters.growth import GROWTH, grow, widened
from pinnkan.networks.adapters.initial_factors import initial_factors, kan_shape
from pinnkan.networks.adapters.last_layer import last_layer
from pinnkan.networks.adapters.layerwise import (
    AdaptedLayer,
    Frozen,
    Full,
    LayerParametrisation,
    Sparse,
    TuckerChange,
)
from pinnkan.networks.adapters.parameters import Parametrisation
from pinnkan.networks.adapters.slim import outer_layers, slim, slim_from

__all__ = [
    "GROWTH",
    "AdaptedLayer",
    "Frozen",
    "Full",
    "LayerParametrisation",
    "Parametrisation",
    "Sparse",
    "TuckerChange",
    "grow",
    "initial_factors",
    "kan_shape",
    "last_layer",
    "outer_layers",
    "slim",
    "slim_from",
    "widened",
]

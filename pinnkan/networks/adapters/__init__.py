"""Adapters: what changes for one parameter value, and how residuals depend on it."""

from pinnkan.networks.adapters.growth import GROWTH, grow, widened
from pinnkan.networks.adapters.layerwise import Frozen, Full, LayerParameters, Sparse, TuckerChange
from pinnkan.networks.adapters.lotra import LAYER_WORDS, Plan, attach, birth, slim, slim_form
from pinnkan.networks.adapters.parameters import Parameters

__all__ = [
    "GROWTH",
    "LAYER_WORDS",
    "Frozen",
    "Full",
    "LayerParameters",
    "Parameters",
    "Plan",
    "Sparse",
    "TuckerChange",
    "attach",
    "birth",
    "grow",
    "slim",
    "slim_form",
    "widened",
]

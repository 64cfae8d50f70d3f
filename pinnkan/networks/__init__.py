"""Layers as linear maps on features, and jets through them."""

from pinnkan.networks.build import make_kan, make_mlp, side_by_side
from pinnkan.networks.input_map import InputMap
from pinnkan.networks.layers import DenseLayer, KanLayer, Layer
from pinnkan.networks.network import Network, Tape

__all__ = [
    "DenseLayer",
    "InputMap",
    "KanLayer",
    "Layer",
    "Network",
    "Tape",
    "make_kan",
    "make_mlp",
    "side_by_side",
]

"""Networks by name: KAN and multilayer perceptron of any depth and width, one or several side by side."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from pinnkan.networks.bases import Basis
from pinnkan.networks.input_map import InputMap
from pinnkan.networks.layers import DenseLayer, KanLayer, Layer
from pinnkan.networks.network import Network


def make_kan(widths: Sequence[int], basis: Basis, input_map: InputMap) -> Network:
    """Build a Kolmogorov-Arnold network without biases.

    A basis on [-1, 1] has a tanh before it in every layer but the first.

    Args:
        widths: Inputs, hidden widths, outputs.
        basis: The univariate functions of every edge.
        input_map: From the domain's box to [-1, 1].
    """
    layers = [
        KanLayer(inputs, outputs, basis, squash=position > 0 and basis.domain == "unit")
        for position, (inputs, outputs) in enumerate(pairwise(widths))
    ]
    return Network(tuple(layers), input_map)


def side_by_side(networks: Sequence[Network], groups: Sequence[Sequence[int]]) -> Network:
    """Put networks behind one input map side by side; each gives a group of the outputs.

    Args:
        networks: Of equal depth, each of one chain.
        groups: The outputs that each gives, every output once.
    """
    layers: list[Layer] = [layer for network in networks for layer in network.layers]
    return Network(tuple(layers), networks[0].input_map, tuple(tuple(group) for group in groups))


def make_mlp(widths: Sequence[int], input_map: InputMap) -> Network:
    """Build a multilayer perceptron with tanh and biases; arguments as in `make_kan`."""
    layers = [
        DenseLayer(inputs, outputs, squash=position > 0)
        for position, (inputs, outputs) in enumerate(pairwise(widths))
    ]
    return Network(tuple(layers), input_map)

"""Networks by name: KAN and multilayer perceptron of any depth and width."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from pinnkan.bases import Basis
from pinnkan.networks.layers import DenseLayer, KanLayer, Layer
from pinnkan.networks.network import Network


def make_kan(widths: Sequence[int], basis: Basis, lower: Sequence[float], upper: Sequence[float]) -> Network:
    """Build a Kolmogorov-Arnold network without biases.

    Inputs are mapped from the box to [-1, 1]; a basis on [-1, 1] has a tanh before
    it in every layer but the first.

    Args:
        widths: Inputs, hidden widths, outputs.
        basis: The univariate functions of every edge.
        lower: Lower corner of the domain's box, shape (D,).
        upper: Upper corner.
    """
    layers = [
        KanLayer(inputs, outputs, basis, squash=position > 0 and basis.domain == "unit")
        for position, (inputs, outputs) in enumerate(pairwise(widths))
    ]
    return _network(layers, lower, upper)


def make_mlp(widths: Sequence[int], lower: Sequence[float], upper: Sequence[float]) -> Network:
    """Build a multilayer perceptron with tanh and biases, inputs mapped to [-1, 1]."""
    layers = [
        DenseLayer(inputs, outputs, squash=position > 0)
        for position, (inputs, outputs) in enumerate(pairwise(widths))
    ]
    return _network(layers, lower, upper)


def _network(layers: Sequence[Layer], lower: Sequence[float], upper: Sequence[float]) -> Network:
    center = tuple(0.5 * (low + high) for low, high in zip(lower, upper, strict=True))
    half = tuple(0.5 * (high - low) for low, high in zip(lower, upper, strict=True))
    return Network(tuple(layers), center, half)

"""Jets through whole networks and their adjoints, against nested autograd and finite differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from combinations import squares
from torch import Tensor

from pinnkan.ground.channels import Channels
from pinnkan.language.bases import BASES, make_basis
from pinnkan.networks import DenseLayer, InputMap, KanLayer, Network, jets, make_kan, make_mlp
from pinnkan.physics.residuals.oracle import jet_by_autograd

LOWER, UPPER = {1: [0.5], 2: [-1.0, 0.0], 3: [0.0, -2.0, 1.0]}, {1: [2.0], 2: [1.0, 3.0], 3: [1.0, 2.0, 1.5]}
HIDDEN = {1: [], 2: [4], 3: [4, 3]}
KINDS = (*BASES, "mlp")
CHANNELS = {
    "second order": (2, [(2, 0), (1, 1), (0, 2)]),
    "collapsed": (2, [squares((1.0, 1.0)), (1, 0)]),
    "wave operator": (3, [squares((1.0, -0.5, -2.0)), squares((0.0, 1.0, 1.0))]),
    "third and fourth": (1, [(4,)]),
    "mixed fourth": (2, [(2, 2), (1, 2)]),
    "fourth in space and time": (3, [(2, 2, 0), (0, 1, 3), (1, 1, 2)]),
    "value": (3, []),
}


def network_of(kind: str, depth: int, dimension: int) -> Network:
    widths = (dimension, *HIDDEN[depth], 1)
    lower, upper = LOWER[dimension], UPPER[dimension]
    if kind == "mlp":
        return make_mlp(widths, InputMap.over(lower, upper))
    return make_kan(widths, make_basis(kind, functions=6), InputMap.over(lower, upper))


def weights_of(network: Network, seed: int = 0) -> list[Tensor]:
    """Return weights of the size of a trained network's, so that no derivative is negligible."""
    generator = torch.Generator().manual_seed(seed)
    shapes = [(layer.features, layer.outputs) for layer in network.layers]
    return [torch.randn(f, j, generator=generator, dtype=torch.float64) / math.sqrt(f) for f, j in shapes]


def points_of(dimension: int, count: int = 7) -> Tensor:
    rng = np.random.default_rng(dimension)
    return torch.from_numpy(rng.uniform(LOWER[dimension], UPPER[dimension], size=(count, dimension)))


def largest(jet: Tensor) -> Tensor:
    """Return the largest entry of every channel of every output, 1 at least, shape (C, 1, U)."""
    return jet.abs().amax(dim=1, keepdim=True).clamp_min(1.0)


@pytest.mark.parametrize("request_name", CHANNELS)
@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_jets_are_nested_autograd(kind, depth, request_name):
    dimension, requested = CHANNELS[request_name]
    network, channels = network_of(kind, depth, dimension), Channels(requested, dimension)
    weights, points = weights_of(network), points_of(dimension)
    expected = jet_by_autograd(network, points, weights, channels).detach()
    found = network.push(points, weights, channels).output
    torch.testing.assert_close(found / largest(expected), expected / largest(expected), rtol=0, atol=1e-10)
    kept = network.push(points, weights, channels, keep=True)
    assert torch.equal(kept.output, found)
    single = network.push(points.float(), [w.float() for w in weights], channels).output
    error = (single.double() - expected) / largest(expected)
    assert float(error.abs().max()) < 2e-4, error


@pytest.mark.parametrize("request_name", CHANNELS)
@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_the_reverse_pass_is_autograd_in_the_weights(kind, depth, request_name):
    """sum_c features^T adjoints is the gradient of any combination of the output's channels."""
    dimension, requested = CHANNELS[request_name]
    network, channels = network_of(kind, depth, dimension), Channels(requested, dimension)
    weights, points = weights_of(network), points_of(dimension, count=3)
    seed = torch.randn(len(channels), 3, 1, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    variables = [weight.clone().requires_grad_(True) for weight in weights]
    combination = (seed * jet_by_autograd(network, points, variables, channels)).sum()
    expected = torch.autograd.grad(combination, variables)
    tape = network.push(points, weights, channels, keep=True)
    adjoints = network.pull(tape, weights, channels, seed)
    for phi, delta, gradient in zip(tape.features, adjoints, expected, strict=True):
        found = phi.flatten(0, 1).T @ delta.flatten(0, 1)
        scale = float(gradient.abs().max())
        torch.testing.assert_close(found, gradient, rtol=0, atol=1e-10 * scale)


@pytest.mark.parametrize("kind", KINDS)
def test_the_reverse_pass_is_a_difference_quotient(kind):
    """A step in the weights of one layer changes the output's jet by what the adjoints say."""
    network, channels = network_of(kind, 3, 2), Channels([(1, 1), squares((1.0, 2.0))], 2)
    weights, points = weights_of(network), points_of(2)
    generator = torch.Generator().manual_seed(4)
    seed = torch.randn(len(channels), 7, 1, generator=generator, dtype=torch.float64)
    tape = network.push(points, weights, channels, keep=True)
    adjoints = network.pull(tape, weights, channels, seed)
    for at, weight in enumerate(weights):
        step = torch.randn(weight.shape, generator=generator, dtype=torch.float64)
        predicted = float(((tape.features[at] @ step) * adjoints[at]).sum())

        def combination(size: float, at: int = at, step: Tensor = step) -> float:
            moved = [*weights[:at], weights[at] + size * step, *weights[at + 1 :]]
            return float((seed * network.push(points, moved, channels).output).sum())

        quotient = (combination(1e-6) - combination(-1e-6)) / 2e-6
        assert quotient == pytest.approx(predicted, rel=1e-6), at


@pytest.mark.parametrize("request_name", CHANNELS)
@pytest.mark.parametrize("name", BASES)
def test_pull_back_is_the_transpose_of_the_derivative_of_compose(name, request_name):
    dimension, requested = CHANNELS[request_name]
    channels, basis = Channels(requested, dimension), make_basis(name, functions=5)
    generator = torch.Generator().manual_seed(5)
    jet = torch.randn(len(channels), 4, 3, generator=generator, dtype=torch.float64)
    jet[0] = 0.8 * torch.tanh(jet[0]) + 0.013
    direction = torch.randn(jet.shape, generator=generator, dtype=torch.float64)

    def composed(at: Tensor) -> Tensor:
        return jets.compose(channels, basis.derivatives(at[0], channels.order), at)

    adjoint = torch.randn(composed(jet).shape, generator=generator, dtype=torch.float64)
    pulled = jets.pull_back(channels, basis.derivatives(jet[0], channels.order + 1), jet, adjoint)
    quotient = ((composed(jet + 1e-6 * direction) - composed(jet - 1e-6 * direction)) / 2e-6 * adjoint).sum()
    assert float(quotient) == pytest.approx(float((pulled * direction).sum()), rel=2e-6)


def test_tanh_derivatives_are_those_of_autograd():
    z = torch.linspace(-2.5, 2.5, 11, dtype=torch.float64, requires_grad=True)
    expected = [torch.tanh(z)]
    for _ in range(5):
        expected.append(torch.autograd.grad(expected[-1].sum(), z, create_graph=True)[0])
    found = jets.tanh_derivatives(z.detach(), 5)
    torch.testing.assert_close(found, torch.stack(expected).detach(), rtol=0, atol=1e-12)


def test_a_known_function():
    """One Fourier layer with the coefficient of sin alone: u = sin s, s = (x - 1) / 2 on [-1, 3]."""
    network = make_kan([1, 1], make_basis("fourier", functions=3), InputMap.over([-1.0], [3.0]))
    weights = network.matrices([torch.tensor([[[0.0, 0.0, 1.0]]], dtype=torch.float64)])
    points, channels = torch.linspace(-1, 3, 9, dtype=torch.float64).unsqueeze(1), Channels([(3,)], 1)
    s = (points[:, 0] - 1) / 2
    expected = torch.stack([torch.sin(s), torch.cos(s) / 2, -torch.sin(s) / 4, -torch.cos(s) / 8])
    found = network.push(points, weights, channels).output.squeeze(2)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-15)


@pytest.mark.parametrize(
    "layer", [KanLayer(3, 2, make_basis("legendre", functions=4), True), DenseLayer(3, 2, True)]
)
def test_weight_matrices_and_values(layer):
    """features @ matrix(coefficients) is the layer's defining sum, written as loops over edges."""
    generator = torch.Generator().manual_seed(6)
    coefficients = torch.randn(layer.shape, generator=generator, dtype=torch.float64)
    z = torch.randn(5, 3, generator=generator, dtype=torch.float64)
    found = layer.values(z) @ layer.matrix(coefficients)
    if isinstance(layer, KanLayer):
        b = layer.basis.values(torch.tanh(z))
        expected = sum(b[:, k, p, None] * coefficients[p, :, k] for p in range(3) for k in range(4))
    else:
        expected = torch.tanh(z) @ coefficients[:3] + coefficients[3]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-14)
    assert layer.matrix(coefficients).shape == (layer.features, layer.outputs)


def test_where_a_tanh_stands():
    squashed = {name: [layer.squash for layer in network_of(name, 3, 2).layers] for name in KINDS}
    bounded = [False, True, True]
    assert squashed == dict.fromkeys(KINDS, bounded) | {"fourier": [False] * 3}


@pytest.mark.parametrize("kind", KINDS)
def test_starting_coefficients_have_the_stated_spread(kind):
    """Normal with deviation 1/(I K) for a KAN (5 % is six deviations at 7,680 draws), Glorot for an MLP."""
    if kind == "mlp":
        layer, scale = DenseLayer(60, 80, squash=True), math.sqrt(2 / 140)
    else:
        basis = make_basis(kind, functions=8)
        layer, scale = KanLayer(40, 24, basis, squash=True), 1 / (40 * basis.size)
    drawn = layer.initial(torch.Generator().manual_seed(7))
    assert (drawn.shape, drawn.dtype) == (torch.Size(layer.shape), torch.float64)
    entries = drawn[:-1] if kind == "mlp" else drawn
    assert float(entries.std()) == pytest.approx(scale, rel=0.05)
    assert abs(float(entries.mean())) < 4 * scale / math.sqrt(entries.numel())
    assert kind != "mlp" or torch.equal(drawn[-1], torch.zeros(80, dtype=torch.float64))
    assert torch.equal(drawn, layer.initial(torch.Generator().manual_seed(7)))

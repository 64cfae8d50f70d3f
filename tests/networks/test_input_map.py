"""The map to a network's inputs: its derivatives, its ends, its expression."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy
import torch
from combinations import squares

from pinnkan.ground.channels import Channels
from pinnkan.language.bases import make_basis
from pinnkan.networks import InputMap, make_kan
from pinnkan.physics.residuals.oracle import jet_by_autograd
from pinnkan.solutions.formulas.compose import symbolic_inputs

LOWER, UPPER = [10.0, -2.0], [14.0, 1.0]
GRADED = InputMap.over(LOWER, UPPER, [350.0, 0.0])
CHANNELS = {
    "orders": [(4, 0), (0, 2), (1, 1)],
    "wave operator": [squares((1.0, -0.5))],
}


def points_of(count: int = 9) -> torch.Tensor:
    """Points of the box, half of them in its first hundredth along the first coordinate."""
    rng = np.random.default_rng(0)
    points = rng.uniform(LOWER, UPPER, (count, 2))
    points[::2, 0] = LOWER[0] + (points[::2, 0] - LOWER[0]) / 100
    return torch.from_numpy(points)


def test_the_box_is_mapped_onto_the_square_with_even_steps_in_the_logarithm():
    corners = GRADED.values(torch.tensor([LOWER, UPPER], dtype=torch.float64))
    torch.testing.assert_close(corners, torch.tensor([[-1.0, -1.0], [1.0, 1.0]], dtype=torch.float64))
    tau = (math.sqrt(351.0) - 1) / 350
    middle = torch.tensor([[LOWER[0] + 4.0 * tau, -0.5]], dtype=torch.float64)
    assert GRADED.values(middle).tolist()[0] == pytest.approx([0.0, 0.0], abs=1e-14)


def test_without_a_grading_it_is_the_affine_map_bit_by_bit():
    points = points_of()
    affine = (points - torch.tensor([12.0, -0.5])) / torch.tensor([2.0, 1.5])
    assert torch.equal(InputMap.over(LOWER, UPPER).values(points), affine)


@pytest.mark.parametrize("name", CHANNELS)
def test_its_jet_is_autograd(name: str):
    """Through a network of one layer x, whose function is the identity along each coordinate in turn."""
    channels, points = Channels(CHANNELS[name], 2), points_of()
    jet = GRADED.jet(points, channels)
    network = make_kan((2, 1), make_basis("taylor", 2), GRADED)
    for axis in range(2):
        weights = [torch.tensor([[0.0], [0.0], [float(axis == 0)], [float(axis == 1)]], dtype=torch.float64)]
        expected = jet_by_autograd(network, points, weights, channels).detach()
        torch.testing.assert_close(jet[:, :, axis : axis + 1], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", ["chebyshev", "bspline"])
@pytest.mark.parametrize("name", CHANNELS)
def test_jets_through_a_network_behind_it_are_nested_autograd(name: str, kind: str):
    channels, points = Channels([(2, 0), (1, 1), *CHANNELS[name][-1:]], 2), points_of()
    network = make_kan((2, 4, 1), make_basis(kind, functions=6), GRADED)
    generator = torch.Generator().manual_seed(0)
    weights = network.matrices(network.initial(generator))
    expected = jet_by_autograd(network, points, weights, channels).detach()
    found = network.push(points, weights, channels).output
    size = expected.abs().amax(dim=1, keepdim=True)
    assert float((size > 0).double().mean()) > 0.8
    torch.testing.assert_close(found / size, expected / size, rtol=0, atol=1e-10)


def test_its_expression_has_its_values():
    t, x = sympy.symbols("t x")
    inputs = symbolic_inputs(GRADED, (t, x))
    points = points_of()
    found = [[float(entry.subs({t: a, x: b})) for entry in inputs] for a, b in points.tolist()]
    np.testing.assert_allclose(found, GRADED.values(points).numpy(), rtol=0, atol=1e-13)


PERIODIC = InputMap.over(LOWER, UPPER, [350.0, 0.0], [False, True])
AROUND = InputMap.over(LOWER, UPPER, None, [True, True])


@pytest.mark.parametrize("input_map", [PERIODIC, AROUND], ids=["one", "both"])
@pytest.mark.parametrize("kind", ["chebyshev", "fourier", "bspline"])
def test_a_network_and_its_derivatives_are_the_same_at_both_ends_of_a_periodic_coordinate(
    kind: str, input_map
):
    channels = Channels([(0, 4), (2, 2), (1, 3), squares((1.0, -0.5))], 2)
    network = make_kan((input_map.size, 5, 5, 1), make_basis(kind, functions=6), input_map)
    weights = network.matrices(network.initial(torch.Generator().manual_seed(1)))
    low, high = points_of(), points_of()
    for axis in (axis for axis, flag in enumerate(input_map.periodic) if flag):
        low[:, axis], high[:, axis] = LOWER[axis], UPPER[axis]
    first, last, inside = (
        network.push(points, weights, channels).output.squeeze(2) for points in (low, high, points_of())
    )
    size = inside.abs().amax(dim=1, keepdim=True)
    assert float(size.min()) > 0.0
    torch.testing.assert_close(first / size, last / size, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", CHANNELS)
def test_the_jet_of_periodic_inputs_is_autograd(name: str):
    """Through networks of one layer whose function is the identity along each of the three inputs in turn."""
    channels, points = Channels(CHANNELS[name], 2), points_of()
    jet = PERIODIC.jet(points, channels)
    network = make_kan((3, 1), make_basis("taylor", 2), PERIODIC)
    for column in range(3):
        weights = [torch.zeros(6, 1, dtype=torch.float64)]
        weights[0][3 + column] = 1.0
        expected = jet_by_autograd(network, points, weights, channels).detach()
        torch.testing.assert_close(jet[:, :, column : column + 1], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("order", range(6))
def test_derivatives_of_a_periodic_input_are_those_of_cosine_and_sine(order: int):
    """d^m/dx^m cos(kappa x) = kappa^m cos(kappa x + m pi/2), kappa = 2 pi / L."""
    points, kappa = points_of(), 2 * math.pi / 3.0
    jet = PERIODIC.jet(points, Channels([(0, order)], 2))[-1]
    phase = kappa * (points[:, 1] + 2.0) + order * math.pi / 2
    expected = kappa**order * torch.stack([torch.cos(phase), torch.sin(phase)], dim=1)
    torch.testing.assert_close(jet[:, 1:], expected, rtol=0, atol=1e-12 * kappa**order)


def test_periodic_inputs_have_an_expression():
    t, x = sympy.symbols("t x")
    inputs = symbolic_inputs(PERIODIC, (t, x))
    points = points_of()
    found = [[float(entry.subs({t: a, x: b})) for entry in inputs] for a, b in points.tolist()]
    np.testing.assert_allclose(found, PERIODIC.values(points).numpy(), rtol=0, atol=1e-13)


def test_neighbours_across_a_seam_are_as_near_as_elsewhere():
    """Places 0.02 apart in a box of width 3 are 2 * 0.02 / 3 apart in [-1, 1], round the seam too."""
    x = torch.tensor([[10.0, -1.99], [10.0, 0.99], [10.0, 0.3], [10.0, 0.32]], dtype=torch.float64)
    places = AROUND.places(x)
    across, beside = (places[0] - places[1]).norm(), (places[2] - places[3]).norm()
    assert float(across) == pytest.approx(2 * 0.02 / 3.0, rel=1e-3)
    assert float(beside) == pytest.approx(float(across), rel=1e-9)
    affine = InputMap.over(LOWER, UPPER)
    assert torch.equal(affine.places(x), affine.values(x))

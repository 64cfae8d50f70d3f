"""Networks side by side: each is what it would be alone, and no number of one is read by another."""

from __future__ import annotations

import pytest
import torch

from pinnkan.ground.channels import Channels
from pinnkan.language.bases import make_basis
from pinnkan.networks import InputMap, Network, make_kan, make_mlp, side_by_side
from pinnkan.networks.adapters import Full, Parametrisation, outer_layers, slim
from pinnkan.training.adapters import Plan

INPUTS = InputMap.over([0.0, -1.0], [2.0, 1.0])
GROUPS = ((2, 0), (1,))
CHANNELS = Channels([(0, 0), (2, 0), (1, 1)], 2)


def kan(outputs: int) -> Network:
    return make_kan((2, 5, 4, outputs), make_basis("chebyshev", functions=4), INPUTS)


def mlp(outputs: int) -> Network:
    return make_mlp((2, 5, 4, outputs), INPUTS)


@pytest.fixture(params=[kan, mlp], ids=["kan", "mlp"])
def parts(request):
    """Return two networks, their weights, and both side by side."""
    networks = [request.param(len(group)) for group in GROUPS]
    generator = torch.Generator().manual_seed(3)
    weights = [network.matrices(network.initial(generator)) for network in networks]
    return networks, weights, side_by_side(networks, GROUPS)


def points() -> torch.Tensor:
    return torch.rand(7, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_jets_and_values_are_those_of_each_alone_at_its_outputs(parts):
    networks, weights, both = parts
    together = [matrix for own in weights for matrix in own]
    jet = both.push(points(), together, CHANNELS).output
    values = both.values(points(), together)
    assert jet.shape[2] == 3
    for network, own, group in zip(networks, weights, GROUPS, strict=True):
        assert torch.equal(jet[..., list(group)], network.push(points(), own, CHANNELS).output)
        assert torch.equal(values[:, list(group)], network.values(points(), own))


def test_adjoints_are_those_of_each_alone(parts):
    networks, weights, both = parts
    together = [matrix for own in weights for matrix in own]
    tape = both.push(points(), together, CHANNELS, keep=True)
    seed = torch.randn(tape.output.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    adjoints = both.pull(tape, together, CHANNELS, seed)
    alone = []
    for network, own, group in zip(networks, weights, GROUPS, strict=True):
        kept = network.push(points(), own, CHANNELS, keep=True)
        alone += network.pull(kept, own, CHANNELS, seed[..., list(group)])
    assert len(adjoints) == len(alone) == 6
    assert all(torch.equal(one, other) for one, other in zip(adjoints, alone, strict=True))


def test_their_numbers_are_those_of_the_blocks():
    both = side_by_side([kan(len(group)) for group in GROUPS], GROUPS)
    coefficients = both.initial(torch.Generator().manual_seed(0))
    whole = Parametrisation([Full(c) for c in coefficients])
    assert whole.size == sum(4 * (2 * 5 + 5 * 4 + 4 * len(group)) for group in GROUPS)
    assert both.chains == [slice(0, 3), slice(3, 6)]


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ("paper", ("full", "tucker", "full") * 2),
        ("all", ("tucker",) * 6),
        (("frozen", "tucker", "full"), ("frozen", "tucker", "full") * 2),
    ],
)
def test_an_adapter_changes_each_as_it_would_one_alone(layers, words):
    assert Plan(layers, chains=2).words(6) == words


def test_a_slim_form_compresses_the_inner_layers_of_each():
    both = side_by_side([kan(len(group)) for group in GROUPS], GROUPS)
    generator = torch.Generator().manual_seed(0)
    form = slim(both.initial(generator), 0.5, generator, chains=2)
    assert outer_layers(6, 2) == {0, 2, 3, 5}
    assert form.ranks == [(3, 2, 2), (3, 2, 2)]

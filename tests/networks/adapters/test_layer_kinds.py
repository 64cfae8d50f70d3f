"""Every way to change a layer: nothing at birth, exact derivatives, and stored under names of its own."""

from __future__ import annotations

import pytest
import torch
from fake_members import SCALED
from torch import Tensor

from pinnkan.language.adapted_layers import LAYER_KINDS, kind_stored_as
from pinnkan.networks.adapters import AdaptedLayer
from pinnkan.training.adapters import Plan, attach

KINDS = {**LAYER_KINDS, "scaled": SCALED}
SHAPE = (3, 4, 5)


def layer_of(word: str, monkeypatch: pytest.MonkeyPatch) -> tuple[AdaptedLayer, Tensor]:
    """Return a layer and a theta at which it has changed."""
    monkeypatch.setitem(LAYER_KINDS, word, KINDS[word])
    generator = torch.Generator().manual_seed(2)
    base = torch.randn(SHAPE, generator=generator, dtype=torch.float64)
    adjoints = torch.randn(20, SHAPE[1], generator=generator, dtype=torch.float64)
    plan = Plan(layers=("full", word), compression=0.5)
    (_, layer) = attach([base, base], plan, adjoints=[adjoints] * 2, generator=generator).layers
    assert isinstance(layer, KINDS[word].layer)
    assert torch.equal(layer.coefficients(layer.start()), base)
    return layer, layer.start() + torch.randn(layer.size, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("word", KINDS)
def test_a_file_holds_what_the_row_says_and_gives_it_back(word, monkeypatch):
    layer, theta = layer_of(word, monkeypatch)
    arrays = layer.arrays(theta)
    kind = KINDS[word]
    assert tuple(arrays) == kind.arrays
    assert kind_stored_as(frozenset(arrays)) == kind
    torch.testing.assert_close(layer.theta_of(arrays), theta, rtol=1e-14, atol=1e-14)
    whole = kind.layer.changed(layer.base, arrays)
    torch.testing.assert_close(whole, layer.coefficients(theta), rtol=1e-14, atol=1e-14)
    if kind.outputs is not None:
        name, axis = kind.outputs
        assert arrays[name].shape[axis] == SHAPE[1]


@pytest.mark.parametrize("word", KINDS)
def test_derivatives_are_those_of_autograd(word, monkeypatch):
    layer, theta = layer_of(word, monkeypatch)
    generator = torch.Generator().manual_seed(3)
    phi, delta = (
        torch.randn(2, 6, size, generator=generator, dtype=torch.float64)
        for size in (SHAPE[0] * SHAPE[2], SHAPE[1])
    )

    def residuals(theta: Tensor) -> Tensor:
        matrix = layer.coefficients(theta).permute(2, 0, 1).flatten(0, 1)
        return ((phi @ matrix) * delta).sum(dim=(0, 2))

    exact = torch.autograd.functional.jacobian(residuals, theta)
    torch.testing.assert_close(layer.jacobian(phi, delta, theta), exact)
    weights = torch.einsum("cnf,cnj->fj", phi, delta)
    torch.testing.assert_close(layer.gradient(weights, theta), exact.sum(dim=0))


def test_no_two_kinds_are_stored_alike():
    assert len({frozenset(kind.arrays) for kind in KINDS.values()}) == len(KINDS)
    with pytest.raises(KeyError, match="core, u1"):
        kind_stored_as(frozenset({"core", "u1"}))

"""Spectra of mode unfoldings and Theorem 1's bound: identities, closed forms, random small networks."""

from __future__ import annotations

import math

import pytest
import torch

from pinnkan.ground.errors import DivergedError
from pinnkan.language.bases import make_basis
from pinnkan.networks import InputMap, make_kan
from pinnkan.networks.tucker import Tucker, hosvd, orthonormal
from pinnkan.solutions.evaluation.spectra import Spectrum, discarded_norm, mode_spectra
from pinnkan.solutions.evaluation.theorem1 import Constants, constants, output_bound


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_tensor(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=generator(seed), dtype=torch.float64)


def test_a_superdiagonal_core_between_orthonormal_factors_is_every_mode_s_spectrum():
    values = torch.tensor([3.0, 2.0, 0.5], dtype=torch.float64)
    core = torch.zeros(3, 3, 3, dtype=torch.float64)
    core[range(3), range(3), range(3)] = values
    draw = generator(1)
    tensor = Tucker(core, *(orthonormal(size, 3, draw) for size in (7, 6, 5))).dense()
    for one, size in zip(mode_spectra(tensor), (7, 6, 5), strict=True):
        expected = torch.cat([values, values.new_zeros(size - 3)])
        torch.testing.assert_close(one.values, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("shape", [(7, 6, 5), (2, 9, 3), (40, 3, 2)])
def test_every_mode_holds_the_whole_energy(shape):
    """sum sigma^2 = |A|_F^2 in every mode, whatever is longer: the mode or the others together."""
    tensor = random_tensor(*shape)
    for one, size in zip(mode_spectra(tensor), shape, strict=True):
        assert one.values.shape == (size,)
        assert float(one.values.square().sum()) == pytest.approx(float(tensor.square().sum()), rel=1e-13)
        assert one.discarded[0] == pytest.approx(1.0, rel=1e-13)
        assert one.discarded[-1] == 0.0


def test_energies_and_the_ranks_that_hold_them():
    one = Spectrum(torch.tensor([3.0, 1.0, 1e-9, 0.0], dtype=torch.float64))
    assert one.relative.tolist() == pytest.approx([1.0, 1 / 3, 1e-9 / 3, 0.0])
    assert one.discarded.tolist() == pytest.approx([1.0, 0.1, 1e-19, 0.0, 0.0], rel=1e-12)
    # Rank 1 holds nine tenths to the last digit: 1 - 0.9 in binary is a little less than 0.1.
    assert [one.rank_holding(share) for share in (0.0, 0.9, 0.99, 1.0)] == [0, 1, 2, 3]


def test_a_change_that_is_zero_has_rank_zero():
    first, _, _ = mode_spectra(torch.zeros(3, 4, 2))
    assert first.relative.tolist() == [0.0] * 3
    assert first.discarded.tolist() == [0.0] * 4
    assert first.rank_holding(0.999) == 0


def test_coefficients_that_are_not_finite_have_no_spectrum():
    with pytest.raises(DivergedError, match="coefficients are not finite: they have no singular values"):
        mode_spectra(torch.full((2, 2, 2), math.nan))


@pytest.mark.parametrize(
    ("basis", "functions", "largest", "steepest"),
    [
        # |T_k'(w)| (1 - w^2) = k |sin kt sin t|: k itself at t = pi/2 for odd k.
        ("chebyshev", 8, 1.0, 7.0),
        ("chebyshev", 2, 1.0, 1.0),
        # k w^(k-1) (1 - w^2) is 1 at w = 0 for k = 1 and less for all others.
        ("taylor", 6, 1.0, 1.0),
        ("legendre", 2, 1.0, 1.0),
        ("fourier", 8, 1.0, 4.0),
        ("fourier", 5, 1.0, 2.0),
    ],
)
def test_constants_of_a_basis(basis, functions, largest, steepest):
    target = [random_tensor(2, 3, functions), random_tensor(3, 1, functions)]
    found = constants(make_basis(basis, functions=functions), target, [torch.zeros(2, 3, functions)])
    norm = max(float(layer.norm()) for layer in target)
    assert found == Constants(
        pytest.approx(largest, rel=1e-4), pytest.approx(steepest, rel=1e-4), pytest.approx(norm)
    )


def test_the_bound_is_its_formula():
    """Layers 2-3-4-1 with K = 5, errors in the first two, with two layers and with one behind them."""
    known = Constants(bound=2.0, lipschitz=3.0, norm=0.5)
    found = output_bound(known, [(2, 3, 5), (3, 4, 5), (4, 1, 5)], {0: 0.1, 1: 0.01})
    growth = 0.5 * 3.0 * math.sqrt(5)
    assert found == pytest.approx(growth**2 * 2 * math.sqrt(10) * 0.1 + growth * 2 * math.sqrt(15) * 0.01)


@pytest.mark.parametrize("basis", ["chebyshev", "legendre", "taylor", "fourier", "bspline"])
@pytest.mark.parametrize("scale", [0.05, 1.0])
def test_the_bound_of_theorem_1_holds_on_random_networks(basis, scale):
    """Any layer truncated, from a base or from zero; and the truncation of nothing changes nothing."""
    family = make_basis(basis, functions=5)
    ratios = []
    for seed in range(10):
        draw = generator(seed)
        network = make_kan((2, 4, 3, 2), family, InputMap.over([-1.0, -1.0], [1.0, 1.0]))
        target = [scale * random_tensor(*layer.shape, seed=seed + 50) for layer in network.layers]
        base = [layer + 0.1 * scale * random_tensor(*layer.shape, seed=seed) for layer in target]
        points = 2 * torch.rand(400, 2, generator=draw, dtype=torch.float64) - 1
        outputs = network.values(points, network.matrices(target))
        known = constants(family, target, base)
        for ranks in ((1, 1, 1), (2, 2, 3)):
            changes = [whole - start for whole, start in zip(target, base, strict=True)]
            cut = [start + hosvd(change, ranks).dense() for start, change in zip(base, changes, strict=True)]
            errors = {at: discarded_norm(mode_spectra(one), ranks) for at, one in enumerate(changes)}
            for one, before, after in zip(errors, target, cut, strict=True):
                assert float((before - after).norm()) <= errors[one] * (1 + 1e-12)  # Lemma 1
            moved = network.values(points, network.matrices(cut)) - outputs
            largest = float(moved.norm(dim=1).max())
            ratios.append(largest / output_bound(known, [layer.shape for layer in network.layers], errors))
    assert min(ratios) > 0.0
    assert max(ratios) < 1.0, ratios


def test_one_layer_can_come_near_the_bound():
    """A single layer has C = B sqrt(I K) alone: T_k(1) = 1 for all k meets a rank-one tensor of ones."""
    target = [torch.ones(3, 1, 4, dtype=torch.float64)]
    network = make_kan((3, 1), make_basis("chebyshev", functions=4), InputMap.over([-1.0] * 3, [1.0] * 3))
    corner = torch.ones(1, 3, dtype=torch.float64)
    output = float(network.values(corner, network.matrices(target)))
    errors = {0: discarded_norm(mode_spectra(target[0]), (1, 1, 0))}
    known = constants(make_basis("chebyshev", functions=4), target, [])
    assert output == pytest.approx(output_bound(known, [(3, 1, 4)], errors)) == pytest.approx(12.0)

"""Ranks that grow: the function unchanged, new directions orthonormal to the old ones and of use at once."""

from __future__ import annotations

import pytest
import torch

from pinnkan.networks.adapters import Full, Parametrisation, TuckerChange, grow, widened
from pinnkan.networks.tucker import Tucker
from pinnkan.training.adapters import Plan, attach

SHAPE = (7, 6, 5)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=generator(seed), dtype=torch.float64)


def form(ranks: tuple[int, int, int]) -> Tucker:
    sizes = (ranks, *zip(SHAPE, ranks, strict=True))
    return Tucker(*(normal(*size, seed=at) for at, size in enumerate(sizes)))


@pytest.mark.parametrize(
    ("old", "asked", "found"),
    [
        ((2, 2, 1), (4, 3, 2), (4, 3, 2)),
        ((2, 2, 1), (7, 6, 5), (7, 6, 5)),
        ((3, 2, 2), (3, 2, 2), (3, 2, 2)),
        ((3, 1, 2), (2, 4, 2), (3, 4, 2)),  # none shrinks
    ],
)
def test_the_tensor_is_the_same_and_new_columns_are_orthonormal(old, asked, found):
    narrow = form(old)
    wide = widened(narrow, asked, adjoints=normal(40, 6), generator=generator(5))
    assert wide.core.shape == found
    torch.testing.assert_close(wide.dense(), narrow.dense(), rtol=0, atol=1e-14)
    for before, after in zip(narrow[1:], wide[1:], strict=True):
        columns = before.shape[1]
        assert torch.equal(after[:, :columns], before)
        new = after[:, columns:]
        identity = torch.eye(new.shape[1], dtype=torch.float64)
        torch.testing.assert_close(new.T @ new, identity, rtol=0, atol=1e-13)
        torch.testing.assert_close(
            before.T @ new, torch.zeros(columns, new.shape[1]).double(), rtol=0, atol=1e-13
        )
    block = wide.core.clone()
    block[: old[0], : old[1], : old[2]] = 0
    assert torch.equal(wide.core[: old[0], : old[1], : old[2]], narrow.core)
    assert not block.any()


def test_new_output_directions_are_the_adjoints_left_over_the_strongest_first():
    """Adjoints along e_0, e_3 and e_1 with falling weight; e_0 is there already."""
    eye = torch.eye(6, dtype=torch.float64)
    adjoints = torch.stack([9 * eye[0], 5 * eye[3], 2 * eye[1]])
    narrow = form((2, 1, 1))._replace(u2=eye[:, :1])
    new = widened(narrow, (2, 3, 1), adjoints=adjoints, generator=generator()).u2[:, 1:]
    torch.testing.assert_close(new.abs(), eye[:, [3, 1]], rtol=0, atol=1e-14)


def test_columns_that_are_equal_and_adjoints_that_are_zero_still_leave_full_rank():
    narrow = form((2, 2, 1))._replace(u2=torch.ones(6, 2, dtype=torch.float64))
    wide = widened(narrow, (2, 5, 1), adjoints=torch.zeros(9, 6), generator=generator())
    assert torch.linalg.matrix_rank(wide.u2) == 4
    assert torch.linalg.matrix_rank(wide.u2[:, 2:]) == 3


def test_a_whole_adapter_grows_and_the_new_core_moves_first():
    base = [normal(2, 7, 5), normal(7, 6, 5), normal(6, 1, 5)]
    adjoints = [normal(30, c.shape[1]) for c in base]
    narrow = attach(base, Plan(compression=0.2), adjoints=adjoints, generator=generator())
    theta = normal(narrow.size, seed=3)
    wide, there = grow(narrow, theta, 0.5, adjoints=adjoints, generator=generator(1))
    assert (narrow.ranks, wide.ranks) == ([(2, 2, 1)], [(4, 3, 3)])
    assert isinstance(wide, Parametrisation)
    for one, other in zip(narrow.coefficients(theta), wide.coefficients(there), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-13)
    # What is adapted in full goes on where it stood, not from its birth.
    assert isinstance(wide.layers[0], Full)
    assert torch.equal(wide.split(there)[0], narrow.split(theta)[0])
    hidden = wide.layers[1]
    assert isinstance(hidden, TuckerChange)
    gradient = hidden.gradient(normal(35, 6, seed=8), wide.split(there)[1])
    core, *factors = hidden.factors(gradient)
    assert bool((core[2:].abs() > 1e-3).any())
    assert all(
        not factor[:, old:].abs().max() > 1e-13 for factor, old in zip(factors, (2, 2, 1), strict=True)
    )

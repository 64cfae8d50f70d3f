"""The Tucker form: products, ranks, random factors, truncated HOSVD."""

from __future__ import annotations

import math

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from pinnkan.networks.adapters import slim_from
from pinnkan.networks.tucker import Tucker, hosvd, orthonormal, ranks_of, unfold


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_tucker(shape: tuple[int, int, int], ranks: tuple[int, int, int]) -> Tucker:
    draw = generator()
    sizes = (ranks, *zip(shape, ranks, strict=True))
    return Tucker(*(torch.randn(size, generator=draw, dtype=torch.float64) for size in sizes))


def test_dense_is_the_triple_product():
    form = random_tucker((5, 4, 3), (2, 3, 2))
    expected = torch.einsum("abc,ia,jb,kc->ijk", *form)
    torch.testing.assert_close(form.dense(), expected, rtol=0, atol=1e-13)


def test_unfolding_keeps_one_mode_as_rows():
    tensor = torch.arange(24).reshape(2, 3, 4)
    for mode in range(3):
        rows = [tensor.select(mode, at).flatten() for at in range(tensor.shape[mode])]
        assert torch.equal(unfold(tensor, mode), torch.stack(rows))


@pytest.mark.parametrize(
    ("compression", "shape", "ranks"),
    [
        (0.1, (30, 30, 30), (3, 3, 3)),  # 0.1 * 30 = 3.0000000000000004
        (0.125, (64, 64, 8), (8, 8, 1)),
        (0.5, (64, 64, 8), (32, 32, 4)),
        (0.25, (5, 9, 3), (2, 3, 1)),
        (1.0, (7, 5, 3), (7, 5, 3)),
        (0.0, (7, 5, 3), (1, 1, 1)),
        (0.7, (10, 10, 10), (7, 7, 7)),
    ],
)
def test_ranks(compression, shape, ranks):
    assert ranks_of(shape, compression) == ranks


def test_no_rank_suffers_from_rounding():
    """ceil(p/q * n) in whole numbers for every small fraction."""
    for q in range(1, 41):
        for p in range(1, q + 1):
            for n in (8, 30, 64, 100):
                assert ranks_of((n, n, n), p / q) == (-(-p * n // q),) * 3, (p, q, n)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (6, 6), (9, 4), (64, 8)])
def test_orthonormal_columns(rows, columns):
    q = orthonormal(rows, columns, generator(rows))
    assert q.shape == (rows, columns)
    torch.testing.assert_close(q.T @ q, torch.eye(columns, dtype=torch.float64), rtol=0, atol=1e-14)


def test_orthonormal_is_haar_distributed():
    """An entry has mean 0 and variance 1/n; with the raw signs of QR q[0, 0] is never positive."""
    draw = generator(1)
    corners = torch.stack([orthonormal(3, 3, draw)[0, 0] for _ in range(2000)])
    assert abs(float(corners.mean())) < 4 * math.sqrt(1 / 3 / 2000)
    assert float(corners.var()) == pytest.approx(1 / 3, rel=0.1)


def test_hosvd_recovers_a_tensor_of_its_rank():
    form = random_tucker((7, 6, 5), (3, 2, 2))
    found = hosvd(form.dense(), (3, 2, 2))
    torch.testing.assert_close(found.dense(), form.dense(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("ranks", [(1, 1, 1), (3, 2, 2), (6, 5, 3), (7, 6, 5)])
def test_hosvd_keeps_its_bound(ranks):
    """The squared error lies between the worst mode's discarded singular values squared and all modes'."""
    tensor = torch.randn(7, 6, 5, generator=generator(2), dtype=torch.float64)
    form = hosvd(tensor, ranks)
    for factor in form[1:]:
        identity = torch.eye(factor.shape[1], dtype=torch.float64)
        torch.testing.assert_close(factor.T @ factor, identity, rtol=0, atol=1e-13)
    error = float((form.dense() - tensor).square().sum())
    discarded = [
        float(torch.linalg.svdvals(unfold(tensor, mode))[rank:].square().sum())
        for mode, rank in enumerate(ranks)
    ]
    assert max(discarded) - 1e-12 <= error <= sum(discarded) + 1e-12


def test_a_slim_form_of_layers_on_a_gpu_starts_on_the_cpu():
    """Shapes and devices alone: what its layers keep stays on the device, theta is one CPU vector."""
    with FakeTensorMode():
        shapes = [(2, 6, 4), (6, 6, 4), (6, 1, 4)]
        on_gpu = [torch.empty(shape, dtype=torch.float64, device="cuda") for shape in shapes]
        slim = slim_from(on_gpu, 0.5)
        assert [layer.base.device.type for layer in slim.layers] == ["cuda"] * 3
        assert slim.start().device.type == "cpu"

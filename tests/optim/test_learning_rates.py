"""Learning rates of the paper, group by group."""

from __future__ import annotations

import pytest
import torch

from pinnkan.ground.errors import UsageError
from pinnkan.language.bases import make_basis
from pinnkan.networks import InputMap, make_kan
from pinnkan.networks.adapters import Full, Parametrisation
from pinnkan.optim.rates import rates_for
from pinnkan.training.adapters import Plan, attach


@pytest.fixture(scope="module")
def paper() -> Parametrisation:
    """The adapter of 2-64-64-1 with K = 8 at cr = 1/8: hidden layer in Tucker form, the others in full."""
    network = make_kan(
        (2, 64, 64, 1), make_basis("chebyshev", functions=8), InputMap.over([-1.0, -1.0], [1.0, 1.0])
    )
    generator = torch.Generator().manual_seed(0)
    coefficients = network.initial(generator)
    adjoints = [torch.ones(70, c.shape[1], dtype=torch.float64) for c in coefficients]
    return attach(coefficients, Plan(), adjoints=adjoints, generator=generator)


@pytest.mark.parametrize(
    ("strategy", "tucker"),
    [
        ("LR-1", (1e-2, 2e-4, 1e-2, 1e-3)),
        ("LR-2", (3e-3, 3e-3, 3e-3, 3e-3)),
        ("LR-3", (1e-3, 1e-3, 1e-3, 1e-3)),
        ("LR-4", (2e-4, 1e-2, 1e-3, 1e-2)),
        ("theorem2", (1e-2, 1e-2 / 64, 1e-2, 1e-2 / 8)),
        ((0.1, 0.2, 0.3, 0.4), (0.1, 0.2, 0.3, 0.4)),
    ],
)
def test_rates(paper, strategy, tucker):
    rates = rates_for(paper.groups(), strategy, 5e-4)
    assert [rate for _, rate in rates] == pytest.approx([5e-4, *tucker, 5e-4])
    sizes = [1024, 8 * 8 * 1, 64 * 8, 64 * 8, 8 * 1, 512]
    ends = [sum(sizes[: at + 1]) for at in range(6)]
    slices = [slice(end - size, end) for size, end in zip(sizes, ends, strict=True)]
    assert [where for where, _ in rates] == slices


def test_theorem_2_scales_with_the_layer():
    """Twice the width halves eta_1, twice the functions halves eta_3, the others stay."""
    found = {}
    for width, functions in [(32, 4), (64, 4), (32, 8)]:
        base = torch.zeros(width, width, functions, dtype=torch.float64)
        adjoints = [torch.ones(40, width, dtype=torch.float64)]
        plan = Plan(layers=("tucker",))
        parameters = attach([base], plan, adjoints=adjoints, generator=torch.Generator().manual_seed(0))
        found[width, functions] = [rate for _, rate in rates_for(parameters.groups(), "theorem2", 1.0)]
    small, wide, rich = found.values()
    assert [a / b for a, b in zip(small, wide, strict=True)] == pytest.approx([1, 2, 1, 1])
    assert [a / b for a, b in zip(small, rich, strict=True)] == pytest.approx([1, 1, 1, 2])


def test_a_full_network_knows_one_rate():
    parameters = Parametrisation([Full(torch.zeros(2, 3, 4)), Full(torch.zeros(3, 1, 4))])
    assert rates_for(parameters.groups(), "LR-1", 2e-3) == [(slice(0, 24), 2e-3), (slice(24, 36), 2e-3)]


def test_unknown_strategies(paper):
    known = r"known: theorem2, LR-1, LR-2, LR-3, LR-4; did you mean 'LR-1'\?"
    with pytest.raises(UsageError, match=rf"rates: unknown strategy 'LR1'; {known}"):
        rates_for(paper.groups(), "LR1", 1e-3)
    with pytest.raises(UsageError, match=r"rates: expected four \(eta_0, eta_1, eta_2, eta_3\), found 3"):
        rates_for(paper.groups(), (1.0, 2.0, 3.0), 1e-3)

"""What every adapter must do, in a table: zero at birth, merge equals attach, exact Jacobians, sizes."""

from __future__ import annotations

import math

import pytest
import torch
from combinations import squares
from torch import Tensor

from pinnkan.ground.channels import Channels
from pinnkan.ground.errors import UsageError
from pinnkan.language.bases import make_basis
from pinnkan.networks import InputMap, Network, make_kan, make_mlp
from pinnkan.networks.adapters import Full, Parametrisation, TuckerChange, slim
from pinnkan.training.adapters import Plan, attach

WORDS = ("full", "tucker", "frozen")
PLANS = {
    f"{initialisation}, {'/'.join(layers) if isinstance(layers, tuple) else layers}": Plan(
        layers=layers, compression=0.4, initialisation=initialisation
    )
    for initialisation in ("paper", "batch", "orthonormal")
    for layers in ("paper", "all", WORDS)
} | {"ranks": Plan(layers="all", ranks=(3, 2, 2)), "one word": Plan(layers=("full",) * 3)}
KINDS = (*PLANS, "every layer full", "mlp, full", "slim")


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def network_of(kind: str) -> Network:
    if kind == "mlp, full":
        return make_mlp((2, 6, 5, 1), InputMap.over([-1.0, -1.0], [1.0, 1.0]))
    return make_kan(
        (2, 6, 5, 1), make_basis("chebyshev", functions=4), InputMap.over([-1.0, -1.0], [1.0, 1.0])
    )


def parameters_of(kind: str, coefficients: list[Tensor]) -> Parametrisation:
    if kind in PLANS:
        adjoints = [
            torch.randn(40, c.shape[1], generator=generator(at), dtype=torch.float64)
            for at, c in enumerate(coefficients)
        ]
        return attach(coefficients, PLANS[kind], adjoints=adjoints, generator=generator(1))
    if kind == "slim":
        return slim(coefficients, 0.5, generator(1))
    return Parametrisation([Full(c) for c in coefficients])


@pytest.fixture(params=KINDS)
def case(request: pytest.FixtureRequest) -> tuple[str, Network, list[Tensor], Parametrisation]:
    network = network_of(request.param)
    coefficients = network.initial(generator(5))
    return request.param, network, coefficients, parameters_of(request.param, coefficients)


def trained(parameters: Parametrisation) -> Tensor:
    return parameters.start() + 0.3 * torch.randn(
        parameters.size, generator=generator(6), dtype=torch.float64
    )


def test_zero_at_birth_bit_for_bit(case):
    kind, _, coefficients, parameters = case
    born = parameters.coefficients(parameters.start())
    same = [torch.equal(now, base) for now, base in zip(born, coefficients, strict=True)]
    assert same == ([True, False, True] if kind == "slim" else [True] * 3)


def test_merge_equals_attach(case):
    """A layer's change acts on features as its merged tensor does, factor by factor."""
    _, network, _, parameters = case
    theta = trained(parameters)
    layer, change, part = network.layers[1], parameters.layers[1], parameters.split(theta)[1]
    merged = parameters.coefficients(theta)[1]
    phi = layer.values(torch.randn(9, 6, generator=generator(7), dtype=torch.float64))
    attached = phi @ layer.matrix(change.base)
    if isinstance(change, TuckerChange):
        core, u1, u2, u3 = change.factors(part)
        narrow = torch.einsum("nki,kz,ix->nxz", phi.unflatten(1, (u3.shape[0], u1.shape[0])), u3, u1)
        attached = attached + torch.einsum("nxz,xyz,jy->nj", narrow, core, u2)
    elif change.size:
        attached = attached + phi @ part.reshape(layer.features, layer.outputs)
    torch.testing.assert_close(phi @ layer.matrix(merged), attached, rtol=0, atol=1e-12)


def test_detaching_restores_the_base_bit_for_bit(case):
    kind, _, coefficients, parameters = case
    copies = [c.clone() for c in coefficients]
    parameters.coefficients(trained(parameters))
    if kind != "slim":
        assert all(torch.equal(layer.base, c) for layer, c in zip(parameters.layers, copies, strict=True))
    assert all(torch.equal(c, copy) for c, copy in zip(coefficients, copies, strict=True))


def test_jacobian_and_gradient_are_those_of_autograd(case):
    _, network, _, parameters = case
    channels = Channels([squares((1.0, 2.0)), (1, 1)], 2)
    points = torch.rand(6, 2, generator=generator(8), dtype=torch.float64) * 1.8 - 0.9
    seed = torch.randn(len(channels), 6, generator=generator(9), dtype=torch.float64)
    theta = trained(parameters)

    def scalars(at: Tensor) -> Tensor:
        weights = network.matrices(parameters.coefficients(at))
        return (seed * network.push(points, weights, channels).output.squeeze(2)).sum(dim=0)

    weights = network.matrices(parameters.coefficients(theta))
    tape = network.push(points, weights, channels, keep=True)
    adjoints = network.pull(tape, weights, channels, seed.unsqueeze(2))
    rows = parameters.jacobian(tape.features, adjoints, theta)
    assert rows.shape == (6, parameters.size)
    totals = [p.flatten(0, 1).T @ d.flatten(0, 1) for p, d in zip(tape.features, adjoints, strict=True)]
    gradient = parameters.gradient(totals, theta)
    torch.testing.assert_close(gradient, rows.sum(dim=0), rtol=0, atol=1e-11 * float(rows.abs().max()))
    for seed_of_step in range(3):
        step = torch.randn(len(theta), generator=generator(20 + seed_of_step), dtype=torch.float64)
        quotient = (scalars(theta + 1e-6 * step) - scalars(theta - 1e-6 * step)) / 2e-6
        torch.testing.assert_close(quotient, rows @ step, rtol=1e-6, atol=1e-7 * float(rows.abs().max()))


@pytest.mark.parametrize("kind", ["batch, all", "every layer full", "mlp, full", "slim"])
def test_gradient_of_a_layer_is_that_of_autograd(kind):
    """Exact in each layer: d<V, W(theta)>/dtheta for a random V."""
    network = network_of(kind)
    parameters = parameters_of(kind, network.initial(generator(5)))
    theta = trained(parameters)
    pairs = zip(network.layers, parameters.layers, parameters.split(theta), strict=True)
    for layer, change, part in pairs:
        v = torch.randn(layer.features, layer.outputs, generator=generator(10), dtype=torch.float64)
        variable = part.clone().requires_grad_(True)
        (expected,) = torch.autograd.grad((v * layer.matrix(change.coefficients(variable))).sum(), variable)
        torch.testing.assert_close(change.gradient(v, part), expected, rtol=0, atol=1e-12)


def test_groups_cover_theta(case):
    _, _, _, parameters = case
    covered = torch.zeros(parameters.size)
    groups = parameters.groups()
    for group in groups:
        covered[group.where] += 1
    sizes = [(group.name, group.where.stop - group.where.start, group.shape) for group in groups]
    assert sizes == [
        (name, size, tuple(layer.base.shape))
        for layer in parameters.layers
        for name, size in layer.groups.items()
    ]
    assert torch.equal(covered, torch.ones(parameters.size))
    assert (
        len(parameters.start())
        == parameters.size
        == sum(len(p) for p in parameters.split(parameters.start()))
    )


@pytest.mark.parametrize(("compression", "size"), [(1 / 2, 9760), (1 / 4, 4112), (1 / 8, 2632)])
def test_sizes_of_the_paper(compression, size):
    """2-64-64-1 with K = 8: the hidden layer in Tucker form beside 1,024 and 512 full numbers."""
    network = make_kan(
        (2, 64, 64, 1), make_basis("chebyshev", functions=8), InputMap.over([-1.0, -1.0], [1.0, 1.0])
    )
    coefficients = network.initial(generator())
    assert sum(c.numel() for c in coefficients) == 34304
    adjoints = [torch.randn(70, c.shape[1], generator=generator(), dtype=torch.float64) for c in coefficients]
    plan = Plan(compression=compression)
    assert attach(coefficients, plan, adjoints=adjoints, generator=generator()).size == size


def test_slim_start_has_the_spread_of_a_full_one():
    """The root mean square of the merged tensor is 1/(I K), exactly by the scaling of the core."""
    network = make_kan(
        (2, 64, 48, 1), make_basis("legendre", functions=8), InputMap.over([-1.0, -1.0], [1.0, 1.0])
    )
    coefficients = network.initial(generator())
    parameters = slim(coefficients, 0.125, generator(2))
    merged = parameters.coefficients(parameters.start())
    assert float(merged[1].square().mean().sqrt()) == pytest.approx(1 / (64 * 8), rel=1e-12)
    assert torch.equal(merged[0], coefficients[0])
    assert torch.equal(merged[2], coefficients[2])
    assert isinstance(parameters.layers[1], TuckerChange)
    for factor in parameters.layers[1].initial[1:]:
        identity = torch.eye(factor.shape[1], dtype=torch.float64)
        torch.testing.assert_close(factor.T @ factor, identity, rtol=0, atol=1e-13)


def tucker_layer(initialisation: str) -> tuple[TuckerChange, Tensor]:
    adjoints = torch.randn(50, 6, generator=generator(3), dtype=torch.float64)
    base = torch.randn(5, 6, 4, generator=generator(4), dtype=torch.float64)
    plan = Plan(layers=("tucker",), ranks=(3, 3, 2), initialisation=initialisation)
    (layer,) = attach([base], plan, adjoints=[adjoints], generator=generator(5)).layers
    assert isinstance(layer, TuckerChange)
    return layer, adjoints


def test_birth_by_the_paper_makes_equal_columns():
    """Eq. 8: every column of U2 is v/|v|, v the mean adjoint."""
    layer, adjoints = tucker_layer("paper")
    mean = adjoints.mean(dim=0)
    torch.testing.assert_close(
        layer.initial.u2, (mean / mean.norm()).unsqueeze(1).expand(6, 3), rtol=0, atol=1e-15
    )


def test_birth_by_the_batch_takes_its_leading_directions():
    layer, adjoints = tucker_layer("batch")
    values, vectors = torch.linalg.eigh(adjoints.T @ adjoints)
    leading = vectors[:, -3:]
    projector = layer.initial.u2 @ layer.initial.u2.T
    torch.testing.assert_close(projector, leading @ leading.T, rtol=0, atol=1e-12)
    assert float(values[-4]) < float(values[-3])


def test_batch_of_fewer_adjoints_than_outputs():
    base = torch.zeros(5, 6, 4, dtype=torch.float64)
    plan = Plan(layers=("tucker",), ranks=(3, 5, 2))
    adjoints = torch.randn(2, 6, generator=generator(3), dtype=torch.float64)
    (layer,) = attach([base], plan, adjoints=[adjoints], generator=generator(5)).layers
    u2 = layer.initial.u2
    torch.testing.assert_close(u2.T @ u2, torch.eye(5, dtype=torch.float64), rtol=0, atol=1e-13)


@pytest.mark.parametrize("initialisation", ["paper", "batch"])
def test_spread_of_the_random_factors(initialisation):
    base = torch.zeros(400, 30, 200, dtype=torch.float64)
    plan = Plan(layers=("tucker",), ranks=(20, 2, 20), initialisation=initialisation)
    adjoints = [torch.randn(40, 30, generator=generator(3), dtype=torch.float64)]
    birth = attach([base], plan, adjoints=adjoints, generator=generator(5)).layers[0].initial
    assert float(birth.u1.std()) == pytest.approx(1 / math.sqrt(400), rel=0.05)
    assert float(birth.u3.std()) == pytest.approx(1 / math.sqrt(200), rel=0.05)


@pytest.mark.parametrize(("initialisation", "stay_equal"), [("paper", True), ("batch", False)])
def test_equal_columns_stay_equal(initialisation, stay_equal):
    """By symmetry equal U2 columns and their core slices move alike: their rank is wasted."""
    layer, _ = tucker_layer(initialisation)
    phi = torch.randn(1, 30, 20, generator=generator(11), dtype=torch.float64)
    target = torch.randn(30, 6, generator=generator(12), dtype=torch.float64)
    theta = layer.start()
    for _ in range(5):
        weights = layer.coefficients(theta).permute(2, 0, 1).reshape(20, 6)
        theta = theta - 1e-3 * layer.gradient(2 * phi[0].T @ (phi[0] @ weights - target), theta)
    core, _, u2, _ = layer.factors(theta)
    assert float(core.abs().max()) > 1e-4
    spread = float((u2 - u2[:, :1]).abs().max())
    slices = float((core - core[:, :1]).abs().max())
    assert (spread < 1e-15 and slices < 1e-15) == stay_equal, (spread, slices)


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ("paper", ("full", "tucker", "tucker", "full")),
        ("all", ("tucker",) * 4),
        (("full", "frozen", "tucker", "full"), ("full", "frozen", "tucker", "full")),
    ],
)
def test_words_of_a_plan(layers, words):
    assert Plan(layers=layers).words(4) == words


@pytest.mark.parametrize(
    ("layers", "found"),
    [
        (("full", "tucker"), "full, tucker"),
        (("full", "tuker", "full"), "full, tuker, full"),
        ("some", "some"),
    ],
)
def test_words_that_do_not_fit(layers, found):
    expected = rf"adapter.layers: expected 'paper', 'all' or 3 words of tucker, full, frozen, found {found}$"
    with pytest.raises(UsageError, match=expected):
        Plan(layers=layers).words(3)


def test_something_must_be_trained():
    with pytest.raises(UsageError, match=r"adapter.layers: every layer is frozen, nothing is left to train"):
        Plan(layers=("frozen",) * 3).words(3)


def test_ranks_are_three_and_no_larger_than_the_layer():
    assert Plan(ranks=(9, 3, 4)).ranks_for((5, 6, 4)) == (5, 3, 4)
    with pytest.raises(
        UsageError, match=r"adapter.ranks: expected three ranks \(R1, R2, R3\), found \[2, 2\]"
    ):
        Plan(ranks=(2, 2)).ranks_for((5, 6, 4))


def test_an_mlp_has_no_tucker_form():
    coefficients = network_of("mlp, full").initial(generator())
    adjoints = [torch.ones(2, c.shape[1], dtype=torch.float64) for c in coefficients]
    with pytest.raises(UsageError, match=r"found the matrix of an MLP; use --method full or a KAN"):
        attach(coefficients, Plan(), adjoints=adjoints, generator=generator())

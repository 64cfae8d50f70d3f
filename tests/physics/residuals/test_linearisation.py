"""Every form of the Jacobian against the explicit one."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from small_problems import run_of, start_of
from torch import Tensor

from pinnkan.networks.adapters import Full, Parametrisation
from pinnkan.optim.least_squares import symmetric_product
from pinnkan.physics.residuals import linearisation
from pinnkan.physics.residuals.averages import Averages
from pinnkan.physics.residuals.least_squares import NetworkLeastSquares
from pinnkan.physics.residuals.linearisation import (
    AveragedProducts,
    Block,
    BlockLinearisation,
    OuterProducts,
    Rows,
    WideRows,
)
from pinnkan.physics.residuals.oracle import AutogradLeastSquares
from pinnkan.training.adapters import Plan, attach


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# Channels and points of the training sets.
SETS = {"one": [(3, 7)], "two": [(1, 5), (1, 4)], "different channels": [(4, 6), (1, 3), (2, 5)]}


def outer_products(sets: list[tuple[int, int]], features: int = 8, outputs: int = 3) -> OuterProducts:
    phi = [normal(c, n, features, seed=at) for at, (c, n) in enumerate(sets)]
    delta = [normal(c, n, outputs, seed=10 + at) for at, (c, n) in enumerate(sets)]
    return OuterProducts(phi, delta)


def explicit(block: OuterProducts) -> Tensor:
    """Row n: sum_c phi[c, n] (outer) delta[c, n]."""
    rows = [
        torch.einsum("cnf,cnj->nfj", phi, delta).flatten(1)
        for phi, delta in zip(block.phi, block.delta, strict=True)
    ]
    return torch.cat(rows)


def check(block: Block | BlockLinearisation, jacobian: Tensor) -> None:
    count, size = jacobian.shape
    kernel = jacobian @ jacobian.T
    torch.testing.assert_close(block.kernel(), kernel, rtol=0, atol=1e-14 * float(kernel.abs().max()))
    step, y = normal(size, seed=20), normal(count, seed=21)
    torch.testing.assert_close(block.push(step), jacobian @ step, rtol=0, atol=1e-12)
    torch.testing.assert_close(block.pull(y), jacobian.T @ y, rtol=0, atol=1e-12)


@pytest.mark.parametrize("sets", SETS.values(), ids=SETS)
def test_outer_products(sets):
    block = outer_products(sets)
    check(block, explicit(block))


def test_rows():
    matrix = normal(6, 11)
    check(Rows(matrix), matrix)
    torch.testing.assert_close(symmetric_product(matrix), matrix.T @ matrix, rtol=0, atol=1e-13)


@pytest.mark.parametrize("sets", SETS.values(), ids=SETS)
def test_blocks_side_by_side(sets):
    outer = outer_products(sets)
    left, right = explicit(outer), normal(sum(n for _, n in sets), 5, seed=30)
    whole = torch.cat([left, right, right[:, :0]], dim=1)
    blocks = BlockLinearisation([outer, Rows(right), Rows(right[:, :0])], [left.shape[1], 5, 0])
    check(blocks, whole)
    assert blocks.kernel().dtype == blocks.push(normal(whole.shape[1])).dtype == torch.float64


def averages(sets: list[tuple[int, int]], count: int, neighbours: int) -> Averages:
    """Averages of random points with random weights; a set has at most as many as points."""
    points = [n for _, n in sets]
    drawn = [normal(n, n, seed=40 + at).argsort(dim=1) for at, n in enumerate(points)]
    near = [order[:count, : min(neighbours, n)] for order, n in zip(drawn, points, strict=True)]
    weights = [normal(*each.shape, seed=50 + at) for at, each in enumerate(near)]
    return Averages(near, weights, points)


def test_averages_as_a_matrix():
    found = averages(SETS["two"], 2, 3)
    dense = torch.zeros(found.matrix.shape, dtype=torch.float64)
    for row in range(2):
        dense[row, found.near[0][row]] = found.weights[0][row]
        dense[2 + row, 5 + found.near[1][row]] = found.weights[1][row]
    assert torch.equal(found.matrix.to_dense(), dense)
    assert torch.equal(found.transposed.to_dense(), dense.T)
    assert (found.counts, found.entries) == ([2, 2], 12)


@pytest.mark.parametrize(("count", "form"), [(1, WideRows), (9, AveragedProducts)])
@pytest.mark.parametrize("sets", SETS.values(), ids=SETS)
def test_averaged_outer_products(sets, count, form):
    """Few averages become rows of their own, many stay products; both are S J."""
    outer, chosen = outer_products(sets, features=40, outputs=30), averages(sets, count, 2)
    block = outer.averaged(chosen)
    # With one channel products pay even for few averages.
    assert type(block) is (AveragedProducts if sets is SETS["two"] else form)
    check(block, chosen.matrix.to_dense() @ explicit(outer))


def test_averaged_blocks_side_by_side():
    sets = SETS["different channels"]
    outer, chosen, right = outer_products(sets), averages(sets, 3, 4), normal(14, 5, seed=30)
    whole = BlockLinearisation([outer, Rows(right)], [24, 5]).averaged(chosen)
    check(whole, chosen.matrix.to_dense() @ torch.cat([explicit(outer), right], dim=1))


def test_rows_in_single_precision_are_averaged_in_double(monkeypatch):
    monkeypatch.setattr(linearisation, "_CHUNK", 28)  # two of the five columns at a time
    chosen, rows = averages(SETS["different channels"], 3, 4), normal(14, 5, seed=30).to(torch.float32)
    found = Rows(rows).averaged(chosen).matrix
    expected = chosen.matrix.to_dense() @ rows.to(torch.float64)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-14)


def test_gram_of_a_single_matrix():
    matrix = normal(9, 4)
    found = BlockLinearisation([Rows(matrix)], [4]).gram()
    torch.testing.assert_close(found, matrix.T @ matrix, rtol=0, atol=1e-13)


@pytest.mark.parametrize(
    ("channels", "features", "outputs", "pays"),
    [(4, 512, 64, True), (4, 16, 64, False), (1, 8, 3, True), (2, 8, 3, False)],
)
def test_outer_products_are_taken_where_they_are_cheaper(channels, features, outputs, pays):
    assert OuterProducts.pays(channels, features, outputs) == pays


# (problem, hidden widths, plan): more residuals than parameters, fewer, fewer with outer products kept.
PROBLEMS = {
    "primal": ("heat", "[1]", None),
    "dual, rows": ("heat", "[10, 10]", None),
    "dual, outer products": ("heat", "[24, 24]", None),
    "dual, adapter": ("heat", "[24, 24]", Plan(compression=0.5)),
    "dual, frozen": ("heat", "[24, 24]", Plan(layers=("frozen", "full", "frozen"))),
    "hard, collapsed": ("disk", "[28, 28]", None),
    "mlp": ("heat", "[16, 16]", None),
}


def pair_of(name: str, dtype: torch.dtype) -> tuple[NetworkLeastSquares, AutogradLeastSquares, Tensor]:
    problem, hidden, plan = PROBLEMS[name]
    more = ["network.kind=mlp"] if name == "mlp" else ["network.functions=8"]
    points = ["points.interior=24", "points.boundary=6", "points.initial=5"]
    network, coefficients, sets = start_of(run_of(problem, f"network.hidden={hidden}", *points, *more))
    parameters = Parametrisation([Full(c) for c in coefficients])
    if plan is not None:
        adjoints = [normal(70, c.shape[1], seed=at) for at, c in enumerate(coefficients)]
        generator = torch.Generator().manual_seed(0)
        parameters = attach(coefficients, plan, adjoints=adjoints, generator=generator)
    theta = parameters.start() + 0.02 * normal(parameters.size, seed=5)
    # Chunks of 7 points cut every set in uneven pieces that must be joined again.
    fast = NetworkLeastSquares(network, parameters, sets, product_dtype=dtype, chunk=7)
    return fast, AutogradLeastSquares(network, parameters, sets), theta


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-11), (torch.float32, 2e-5)], ids=str)
@pytest.mark.parametrize("name", PROBLEMS)
def test_linearisation_of_a_network(name, dtype, tolerance):
    fast, slow, theta = pair_of(name, dtype)
    (rows,) = slow.linearise(theta).blocks
    jacobian = rows.matrix
    linearised = fast.linearise(theta)
    kept = [type(block).__name__ for block in linearised.blocks]
    assert (fast.count >= fast.size) == (name == "primal")
    assert ("OuterProducts" in kept) == (
        name in ("dual, outer products", "dual, frozen", "hard, collapsed")
    ), kept

    def close(found: Tensor, expected: Tensor) -> None:
        assert found.dtype == torch.float64
        scale = float(expected.abs().max())
        torch.testing.assert_close(found, expected, rtol=0, atol=tolerance * scale)

    step, y = normal(fast.size, seed=6), normal(fast.count, seed=7)
    close(linearised.push(step), jacobian @ step)
    close(linearised.pull(y), jacobian.T @ y)
    if name == "primal":
        close(linearised.gram(), jacobian.T @ jacobian)
    else:
        close(linearised.kernel(), jacobian @ jacobian.T)
    loss, gradient = fast.gradient(theta)
    residuals = slow.residuals(theta)
    assert loss == pytest.approx(float(residuals @ residuals), rel=tolerance)
    close(gradient, 2 * jacobian.T @ residuals)


def test_rows_stand_in_the_order_of_the_sets_whatever_their_names():
    fast, _, theta = pair_of("dual, outer products", torch.float64)
    # The two sets, with another one between them, read the same derivatives.
    sets = [replace(one, name="boundary[0]") if one.name == "initial[0]" else one for one in fast.sets]
    named_alike = NetworkLeastSquares(fast.network, fast.parameters, sets, chunk=7)
    assert torch.equal(named_alike.linearise(theta).kernel(), fast.linearise(theta).kernel())


def test_terms_are_root_mean_squares_of_the_plain_residual():
    """The weight 10 of the insulation multiplies the loss but not the reported term."""
    network, coefficients, sets = start_of(run_of("heat"))
    parameters = Parametrisation([Full(c) for c in coefficients])
    problem = NetworkLeastSquares(network, parameters, sets)
    residuals = problem.residuals(parameters.start())
    terms = problem.terms(residuals)
    assert list(terms) == ["equation[0]", "boundary[0]", "insulation", "initial[0]"]
    weights = {"equation[0]": 1, "boundary[0]": 1, "insulation": 10, "initial[0]": 1}
    loss = sum(weights[name] * term**2 for name, term in terms.items())
    assert float(residuals @ residuals) == pytest.approx(loss, rel=1e-12)


def test_adjoints_are_those_of_the_output_layer_and_stack_every_channel():
    """At the output the adjoint is the seed dr/d(jet); one row for every channel and point."""
    run = run_of("heat")
    network, coefficients, sets = start_of(run)
    parameters = Parametrisation([Full(c) for c in coefficients])
    problem = NetworkLeastSquares(network, parameters, sets, chunk=1000)
    adjoints = problem.adjoints(parameters.start())
    rows = sum(len(one.channels) * one.count for one in sets)
    assert [tuple(a.shape) for a in adjoints] == [(rows, 10), (rows, 10), (rows, 1)]
    weights = network.matrices(coefficients)
    seeds = [one.seed(network.push(one.points, weights, one.channels).output) for one in sets]
    torch.testing.assert_close(adjoints[2].squeeze(1), torch.cat([seed.flatten() for seed in seeds]))


def test_output_gradients_are_what_moves_the_loss_when_an_output_is_shifted():
    """T_0 = 1: its coefficients C[i, j, 0] shift output j everywhere, and leave its derivatives alone."""
    run = run_of("heat")
    network, coefficients, sets = start_of(run)
    parameters = Parametrisation([Full(c) for c in coefficients])
    problem = NetworkLeastSquares(network, parameters, sets, chunk=1000)
    theta = parameters.start()
    _, gradient = problem.gradient(theta)
    found = problem.output_gradients(theta)
    assert [tuple(one.shape) for one in found] == [(problem.count, width) for width in (10, 10, 1)]
    moved = parameters.coefficients(gradient / 2)
    for one, layer, base in zip(found, moved, coefficients, strict=True):
        shift = one.sum(dim=0).expand(layer.shape[:2])
        torch.testing.assert_close((layer - base)[:, :, 0], shift, rtol=1e-10, atol=1e-12)


def test_seed_is_the_derivative_of_the_weighted_residual():
    """With a lift and a factor, channel by channel, against autograd."""
    network, coefficients, (one,) = start_of(run_of("disk", at={"lambda": 1.5}))
    jet = network.push(one.points, network.matrices(coefficients), one.channels).output
    assert one.blends[0] is not None
    variable = jet.clone().requires_grad_(True)
    (expected,) = torch.autograd.grad(one.weighted(variable).sum(), variable)
    torch.testing.assert_close(one.seed(jet), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", ["system", "large system"])
def test_seed_of_two_outputs_is_the_derivative_by_each(name):
    network, coefficients, sets = start_of(run_of(name))
    generator = torch.Generator().manual_seed(3)
    read = set()
    for one in sets:
        jet = network.push(one.points, network.matrices(coefficients), one.channels).output
        jet = jet + torch.randn(jet.shape, generator=generator, dtype=torch.float64)
        assert jet.shape == (len(one.channels), one.count, 2)
        variable = jet.clone().requires_grad_(True)
        (expected,) = torch.autograd.grad(one.weighted(variable).sum(), variable)
        torch.testing.assert_close(one.seed(jet), expected, rtol=1e-12, atol=1e-13)
        read |= {unknown for unknown in range(2) if bool(expected[:, :, unknown].any())}
    assert read == {0, 1}

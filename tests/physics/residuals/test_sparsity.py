"""Sparsity: the penalty's size, derivative and effect; pruned edges are zero and stay zero."""

from __future__ import annotations

import math

import pytest
import torch
from small_problems import run_of, start_of

from pinnkan.ground.errors import UsageError
from pinnkan.ground.progress import Silent
from pinnkan.language.bases import make_basis
from pinnkan.language.problem import load_problem
from pinnkan.networks.adapters import Full, Parametrisation, Sparse
from pinnkan.physics.residuals.least_squares import NetworkLeastSquares
from pinnkan.physics.residuals.sparsity import SparseLeastSquares, edge_norms, gram, pruned
from pinnkan.training import finetune, pretrain

REDUNDANT = """
coordinates: [x, y]
domain: {shape: box, x: [-1, 1], y: [-1, 1]}
unknowns: u
exact: sin(3*x)
equations: [u = exact]
network: {hidden: [4], functions: 6}
points: {interior: 300, held_out: 200}
training: {precision: full, phases: [PHASES]}
"""


def test_the_gram_matrix_of_known_functions():
    assert torch.allclose(
        gram(make_basis("legendre", 4)).diagonal(), 1 / (2 * torch.arange(4.0).double() + 1)
    )


@pytest.mark.parametrize("functions", [5, 33, 48, 64])
def test_the_gram_matrix_of_waves(functions):
    """Orthogonal up to the largest number of functions that a network may have."""
    expected = torch.tensor([1.0] + [0.5] * (functions - 1), dtype=torch.float64).diag()
    assert torch.allclose(gram(make_basis("fourier", functions)), expected, rtol=0, atol=1e-12)


def sparse_problem(strength: float = 0.7):
    run = run_of("disk")
    network, coefficients, sets = start_of(run)
    parameters = Parametrisation([Full(c) for c in coefficients])
    inner = NetworkLeastSquares(network, parameters, sets)
    return network, inner, SparseLeastSquares(inner, network, parameters, strength), parameters


def test_the_penalty_is_the_mean_norm_of_large_edges():
    network, _, problem, parameters = sparse_problem()
    theta = 50 * torch.randn(parameters.size, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    norms = torch.cat([n.flatten() for n in edge_norms(network, parameters.coefficients(theta))])
    assert float(problem.penalty(theta).square().sum()) == pytest.approx(0.7 * float(norms.mean()), rel=1e-4)


def test_residuals_gradient_and_linearisation_agree():
    _, inner, problem, parameters = sparse_problem()
    generator = torch.Generator().manual_seed(2)
    theta = 0.1 * torch.randn(parameters.size, generator=generator, dtype=torch.float64)
    direction = torch.randn(parameters.size, generator=generator, dtype=torch.float64)
    residuals = problem.residuals(theta)
    loss, gradient = problem.gradient(theta)
    assert residuals.shape == (problem.count,)
    assert loss == pytest.approx(float(residuals @ residuals))
    h = 1e-6
    slope = (problem.residuals(theta + h * direction) - problem.residuals(theta - h * direction)) / (2 * h)
    assert float(gradient @ direction) == pytest.approx(float(2 * residuals @ slope), rel=1e-6)
    terms = problem.terms(residuals)
    assert terms["sparsity"] == pytest.approx(math.sqrt(loss - inner.gradient(theta)[0]))


def test_the_linearisation_is_that_of_both_parts():
    run = run_of("disk", "points.interior=200", "network.hidden=[4]")
    network, coefficients, sets = start_of(run)
    parameters = Parametrisation([Full(c) for c in coefficients])
    inner = NetworkLeastSquares(network, parameters, sets)
    problem = SparseLeastSquares(inner, network, parameters, 0.3)
    theta = parameters.start()
    linear = problem.linearise(theta)
    rows = torch.stack([linear.pull(one) for one in torch.eye(problem.count, dtype=torch.float64)])
    step = torch.randn(problem.size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.allclose(linear.gram(), rows.T @ rows)
    assert torch.allclose(linear.push(step), rows @ step)
    back = torch.cat([linear.push(step)])
    assert torch.allclose(linear.pull(back), rows.T @ back)
    h = 1e-6
    slope = (problem.residuals(theta + h * step) - problem.residuals(theta - h * step)) / (2 * h)
    assert torch.allclose(slope, linear.push(step), rtol=1e-5, atol=1e-7)
    for place, block, residuals in problem.row_blocks(theta, slice(2, problem.size)):
        assert torch.allclose(block, rows[place, 2:])
        assert torch.allclose(residuals, problem.residuals(theta)[place])
    assert place.stop == problem.count


def test_sparse_parameters_are_full_ones_with_columns_left_out():
    generator = torch.Generator().manual_seed(0)
    base = torch.randn(3, 2, 4, generator=generator, dtype=torch.float64)
    base[1, 0], base[2, 1] = 0.0, 0.0
    sparse, full = Sparse(base), Full(base)
    assert sparse.size == 16
    theta = torch.randn(16, generator=generator, dtype=torch.float64)
    changed = sparse.coefficients(theta)
    assert torch.equal(changed == 0, base == 0)
    assert torch.equal(sparse.coefficients(sparse.start()), base)
    phi = torch.randn(1, 5, 12, generator=generator, dtype=torch.float64)
    delta = torch.randn(1, 5, 2, generator=generator, dtype=torch.float64)
    weight_gradient = torch.einsum("cnf,cnj->fj", phi, delta)
    jacobian = sparse.jacobian(phi, delta, theta)
    assert torch.allclose(jacobian.sum(dim=0), sparse.gradient(weight_gradient, theta))
    rows = full.jacobian(phi, delta, full.theta(changed))
    assert torch.allclose(jacobian @ theta, rows @ full.theta(changed))


def test_pruning_finds_what_does_not_matter():
    """u does not depend on y: the edges from y and the spare nodes go, and the error stays small."""
    notes: list[str] = []

    class Listening(Silent):
        def note(self, text):
            notes.append(text)

    phases = "{steps: 15}, {steps: 60, sparsity: 1.0e-3}, {steps: 30, prune: 0.1}, {steps: 5}"
    trained = pretrain(run_of(load_problem(REDUNDANT.replace("PHASES", phases)), observer=Listening()))
    first, second = trained.coefficients()
    alive = [(c != 0).any(dim=2) for c in (first, second)]
    assert not alive[0][1].any()
    assert int(alive[0].sum() + alive[1].sum()) <= 6
    assert trained.rms.held_out < 1e-3
    assert isinstance(trained.parameters.layers[0], Sparse)
    assert len(notes) == 1
    assert "edges; held-out residual" in notes[0]
    assert "test: pruned " in notes[0]


def test_a_pruned_edge_was_small():
    network, _, _, parameters = sparse_problem()
    coefficients = parameters.coefficients(parameters.start())
    after, count = pruned(network, coefficients, 0.5)
    norms = edge_norms(network, coefficients)
    assert count == sum(int((n < 0.5 * n.max()).sum()) for n in norms) > 0
    zero = [(c == 0).all(dim=2) for c in after]
    assert all(torch.equal(z, n < 0.5 * n.max()) for z, n in zip(zero, norms, strict=True))
    assert pruned(network, after, 0.5)[1] == 0


@pytest.mark.parametrize(
    ("phases", "message"),
    [
        ("[{steps: 1, prune: 0.1}]", "the first phase has nothing to prune yet"),
        (
            "[{steps: 1}, {steps: 1, prune: 0.1}, {form: lotra, steps: 1}]",
            "all are of form full.*found lotra",
        ),
        ("[{steps: 1, sparsity: 1}]", "lm needs as many points as numbers, found 40 points for"),
    ],
)
def test_what_cannot_be(phases, message):
    with pytest.raises(UsageError, match=message):
        pretrain(run_of("disk", f"training.phases={phases}"))


def test_neither_for_an_mlp_nor_an_adapter():
    sparse = "training.phases=[{steps: 1, optimizer: adam, sparsity: 1}]"
    with pytest.raises(UsageError, match="this network has no functions on its edges"):
        pretrain(run_of("disk", "network.kind=mlp", sparse))
    prune = "training.phases=[{steps: 1}, {steps: 1, prune: 0.1}]"
    with pytest.raises(UsageError, match="found an MLP"):
        pretrain(run_of("disk", "network.kind=mlp", prune))
    with pytest.raises(UsageError, match="sparsity and prune are for pre-training alone"):
        finetune(run_of("disk", "finetuning.sparsity=1"), [], method="lotra")

"""Refining a network changes no value and no derivative, and training goes on from there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.interpolate import BSpline as ScipySpline
from scipy.interpolate import insert
from small_problems import problem, run_of, start_of

from pinnkan.ground.channels import Channels
from pinnkan.ground.errors import UsageError
from pinnkan.ground.progress import Silent
from pinnkan.language.bases import make_basis
from pinnkan.language.problem import load_problem
from pinnkan.language.settings.blocks import NetworkSettings
from pinnkan.networks.adapters import Full, TuckerChange
from pinnkan.networks.bases import BSpline
from pinnkan.training import finetune, network_for, pretrain
from pinnkan.training.refinement import check_refinements, fitted, refined

REFINED = [
    ("chebyshev", 5, 3, 9),
    ("legendre", 4, 3, 12),
    ("taylor", 5, 3, 8),
    ("fourier", 4, 3, 7),
    ("fourier", 5, 3, 6),
    ("bspline", 8, 3, 13),
    ("bspline", 8, 3, 18),
    ("bspline", 3, 1, 9),
    ("bspline", 7, 5, 9),
]


@pytest.mark.parametrize(("name", "functions", "degree", "finer"), REFINED)
def test_the_coarse_functions_are_combinations_of_the_fine_ones(name, functions, degree, finer):
    coarse, fine = make_basis(name, functions, degree), make_basis(name, finer, degree)
    x = torch.linspace(-1, 1, 301, dtype=torch.float64).unsqueeze(1)
    expected = coarse.derivatives(x, 2)
    found = torch.einsum("mnki,kl->mnli", fine.derivatives(x, 2), coarse.embedding(fine))
    # A derivative of order p of splines of degree p jumps at the knots: rounding chooses the side.
    orders = slice(0, min(3, degree) if name == "bspline" else 3)
    error = (found - expected)[orders].abs().amax(dim=(1, 2, 3))
    scale = expected[orders].abs().amax(dim=(1, 2, 3)).clamp_min(1.0)
    assert float((error / scale).max()) < 1e-13, error


@pytest.mark.parametrize(("functions", "degree", "finer"), [(6, 3, 9), (5, 2, 11)])
def test_knot_insertion_agrees_with_scipy(functions, degree, finer):
    coarse, fine = BSpline(functions, degree), BSpline(finer, degree)
    c = np.random.default_rng(0).normal(size=functions)
    h = 2 / coarse.cells
    knots = -1 + (np.arange(functions + degree + 1) - degree) * h
    spline = (knots, np.append(c, np.zeros(degree + 1)), degree)
    for new in sorted(
        set(np.round(-1 + np.arange(1, fine.cells) * 2 / fine.cells, 12)) - set(np.round(knots, 12))
    ):
        spline = insert(new, spline)
    x = np.linspace(-1, 1 - 1e-12, 101)
    embedded = coarse.embedding(fine)[:-1, :-1].numpy() @ c
    h = 2 / fine.cells
    ours = ScipySpline(-1 + (np.arange(finer + degree + 1) - degree) * h, embedded, degree)(x)
    theirs = ScipySpline(*spline)(x)
    assert np.abs(ours - theirs).max() < 1e-13
    # Coefficients whose knots lie inside are those of Boehm's algorithm. SciPy's array has as many numbers as
    # there are knots; the last ones are never written and may be NaN.
    inside, boehm = embedded[degree : finer - degree], spline[1][: -(degree + 1)]
    assert all(np.abs(boehm - value).min() < 1e-12 for value in inside)


@pytest.mark.parametrize(("name", "functions", "degree", "finer"), REFINED)
def test_a_network_keeps_its_jet(name, functions, degree, finer):
    settings = NetworkSettings(hidden=(4, 3), basis=name, functions=functions, degree=degree)
    run = run_of("disk")
    coarse = network_for(run.instance, settings)
    coefficients = coarse.initial(torch.Generator().manual_seed(0))
    after = refined(coefficients, settings, finer)
    fine = network_for(run.instance, settings, after)
    orders = [(0, 0), (1, 0), (1, 1), (0, 2)]
    channels = Channels([key for key in orders if sum(key) < degree or name != "bspline"], 2)
    points = torch.as_tensor(run.instance.domain.uniform(200, 1))
    jets = [
        network.push(points, network.matrices(c), channels).output
        for network, c in ((coarse, coefficients), (fine, after))
    ]
    scale = jets[0].abs().amax(dim=(1, 2)).clamp_min(1.0)
    assert float(((jets[1] - jets[0]).abs().amax(dim=(1, 2)) / scale).max()) < 1e-12
    assert fitted(settings, after).functions == finer
    assert refined(after, settings, finer) is after


def with_phases(name: str, phases: str, *overrides: str, **more):
    """Train a problem of the table with these phases instead of its own."""
    block = f"training: {{precision: full, phases: [{phases}]}}"
    return pretrain(run_of(problem(name, *overrides, training=block), **more))


def test_training_goes_on_where_it_was():
    """The first state after refinement is the last one before; more functions then lower the residual."""
    notes: list[str] = []

    class Listening(Silent):
        def note(self, text):
            notes.append(text)

    few, first = "network.functions=4", "{steps: 12}"
    before = with_phases("poisson", first, few)
    middle = with_phases("poisson", f"{first}, {{steps: 0, functions: 10}}", few)
    phases = f"{first}, {{steps: 0, functions: 10}}, {{steps: 20, functions: 14}}"
    after = with_phases("poisson", phases, few, observer=Listening())
    assert middle.rms.held_out == pytest.approx(before.rms.held_out, rel=1e-9)
    assert [c.shape[2] for c in after.coefficients()] == [14, 14]
    assert after.rms.held_out < 1e-2 * before.rms.held_out
    assert notes == [f"test: {count} functions on an edge from here on" for count in (10, 14)]
    assert after.trainable == 16 * 14


def test_a_slim_network_stays_slim_when_it_is_refined():
    text = ["network.kind=slim", "network.rank=0.5", "network.hidden=[6, 6]"]
    before = with_phases("heat", "{steps: 8}", *text)
    after = with_phases("heat", "{steps: 8}, {steps: 0, functions: 9}", *text)
    hidden = after.parameters.layers[1]
    assert isinstance(hidden, TuckerChange)
    assert tuple(hidden.initial.core.shape) == (3, 3, 5)
    assert after.rms.held_out == pytest.approx(before.rms.held_out, rel=1e-9)


def test_an_adapter_on_a_refined_base():
    base = pretrain(run_of("disk", "training.phases=[{steps: 3}, {steps: 2, functions: 6}]")).coefficients()
    trained = finetune(run_of("disk", at={"lambda": 0.5}), base, method="lotra")
    assert [c.shape[2] for c in trained.coefficients()] == [6, 6, 6]
    assert isinstance(trained.parameters.layers[0], Full)
    assert trained.history[-1].loss < trained.history[0].loss


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["training.functions=3"],
            r"Chebyshev with 4 cannot become Chebyshev with 3; .* same kind and larger",
        ),
        (
            ["network.basis=bspline", "network.functions=8", "training.functions=12"],
            r"B-spline basis of 8 with degree 3 has 5 cells, .*evenly: 13, 18, 23, ...; found 12",
        ),
        (["network.kind=mlp", "training.functions=6"], r"an MLP has no basis functions to refine"),
        (
            ["training.phases=[{steps: 1, functions: 8}, {steps: 1, functions: 6}]"],
            r"Chebyshev with 8 cannot become Chebyshev with 6",
        ),
    ],
)
def test_refinements_that_cannot_be(overrides, message):
    with pytest.raises(UsageError, match=message):
        pretrain(run_of("disk", *overrides))


def test_an_adapter_is_not_refined():
    base = start_of(run_of("disk"))[1]
    with pytest.raises(UsageError, match=r"finetuning.functions: an adapter has the functions of its base"):
        finetune(run_of("disk", "finetuning.functions=6"), base, method="lotra")


def test_the_degree_of_splines_stays():
    with pytest.raises(UsageError, match="must divide evenly"):
        BSpline(6, 3).embedding(BSpline(9, 2))
    with pytest.raises(UsageError, match="cannot become BSpline"):
        make_basis("taylor", 4).embedding(BSpline(9, 2))


def test_a_refinement_to_the_present_size_is_none():
    phases = load_problem(_SAME).settings.training.phases
    check_refinements([phase.shaping.functions for phase in phases], replace(NetworkSettings(), functions=8))


_SAME = """
coordinates: [x]
domain: {shape: interval, x: [0, 1]}
unknowns: u
equations: [u = x]
training: {functions: 8, phases: [{steps: 1}, {steps: 1}]}
"""

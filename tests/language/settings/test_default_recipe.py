"""The default recipe: what a file leaves out, and that residuals always outnumber what is trained."""

from __future__ import annotations

import pytest
import torch

from pinnkan.language.problem import load_problem
from pinnkan.language.settings.defaults import LARGEST_IN_FULL, numbers_in_full, numbers_slim
from pinnkan.networks.adapters import slim
from pinnkan.physics.family import Family
from pinnkan.physics.residuals.training_sets import training_sets
from pinnkan.training import network_for

HEADS = {
    "interval": "coordinates: [x]\ndomain: {shape: interval, x: [0, 1]}\n",
    "box": "coordinates: [x, y]\ndomain: {shape: box, x: [0, 2], y: [0, 1]}\n",
    "disk": "coordinates: [x, y]\ndomain: {shape: disk, center: [0, 0], radius: 1}\n",
    "cube": "coordinates: [x, y, z]\ndomain: {shape: box, x: [0, 1], y: [0, 1], z: [0, 1]}\n",
    "ball": "coordinates: [x, y, z]\ndomain: {shape: ball, center: [0, 0, 0], radius: 1}\n",
}
TIMES = {"stationary": "", "heat": "u_t - ", "wave": "u_tt - "}
STATED = {
    "nothing": (),
    "a small network": ("network.hidden=[5]",),
    "one more layer": ("network.hidden=[8, 8, 8]",),
    "more functions": ("network.functions=12",),
    "the paper's network": ("network.hidden=[64, 64]",),
    "a B-spline": ("network.basis=bspline",),
    "a slim network": ("network.kind=slim", "network.hidden=[32, 32]"),
    "an MLP": ("network.kind=mlp", "network.hidden=[40, 40]"),
}


def problem_of(shape: str, time: str = "stationary", *overrides: str, source: str = "1"):
    lines = [HEADS[shape] + "unknowns: u", f'equations: ["{TIMES[time]}laplace(u) = {source}"]']
    lines += ['boundary: ["u = 0"]']
    if time != "stationary":
        lines += ["time: {t: [0, 1]}", f"initial: [u = 0{', u_t = 0' * (time == 'wave')}]"]
    return load_problem("\n".join(lines) + "\n", overrides=overrides)


def numbers_trained(instance) -> int:
    """Count what the widest phase of pre-training moves, from the network itself."""
    settings = instance.problem.settings
    generator = torch.Generator().manual_seed(0)
    coefficients = network_for(instance, settings.network).initial(generator)
    forms = [phase.shaping.form for phase in settings.training.in_turn]
    if settings.network.kind == "slim" or "slim" in forms:
        return slim(coefficients, settings.network.of_kind.rank, generator).size
    return sum(c.numel() for c in coefficients)


@pytest.mark.parametrize("stated", STATED)
@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize("shape", HEADS)
def test_residuals_outnumber_what_is_trained(shape, time, stated):
    problem = problem_of(shape, time, *STATED[stated])
    instance = Family(problem).at()
    sets = training_sets(instance, problem.settings.points, seed=0, variant=0)
    (interior,) = [own for own in sets if own.interior]
    numbers = numbers_trained(instance)
    assert interior.count >= 1.5 * numbers, (interior.count, numbers)
    assert problem.settings.training.phase.ending.patience > 0
    assert problem.settings.network.kind != "kan" or numbers <= LARGEST_IN_FULL


@pytest.mark.parametrize("basis", ["chebyshev", "legendre", "taylor", "fourier", "bspline"])
@pytest.mark.parametrize("hidden", ["[3]", "[7, 9]", "[16, 12, 5]"])
def test_numbers_are_counted_as_the_network_has_them(basis, hidden):
    problem = problem_of("disk", "heat", f"network.basis={basis}", f"network.hidden={hidden}")
    network, generator = problem.settings.network, torch.Generator().manual_seed(0)
    coefficients = network_for(Family(problem).at(), network).initial(generator)
    assert numbers_in_full(network, 3) == sum(c.numel() for c in coefficients)
    if hidden != "[3]":
        assert numbers_slim(network, 3) == slim(coefficients, network.of_kind.rank, generator).size


def test_numbers_of_an_mlp():
    network = problem_of("disk", "heat", "network.kind=mlp", "network.hidden=[7, 9]").settings.network
    assert numbers_in_full(network, 3) == 4 * 7 + 8 * 9 + 10


def test_what_is_stated_is_kept():
    stated = [
        "network.functions=6",
        "points.interior=7777",
        "training.damping=0.5",
        "adapter.compression=1/4",
    ]
    settings = problem_of("box", "heat", *stated).settings
    plain = problem_of("box", "heat").settings
    assert (settings.network.functions, settings.network.hidden) == (6, plain.network.hidden)
    assert (settings.points.interior, settings.adapter.compression) == (7777, 0.25)
    assert (settings.training.phase.own.damping, settings.training.phase.steps) == (
        0.5,
        plain.training.phase.steps,
    )


def test_who_states_steps_gets_so_many():
    assert problem_of("box").settings.training.phase.ending.patience > 0
    training = problem_of("box", "stationary", "training.steps=300").settings.training
    assert (training.phase.steps, training.phase.ending.patience, training.phases) == (300, 0, ())
    large = problem_of("box", "stationary", "training.steps=300", "network.hidden=[64, 64]").settings.training
    assert sum(phase.steps for phase in large.phases) == 300
    assert {phase.ending.patience for phase in large.phases} == {0}


@pytest.mark.parametrize("stated", ["training.optimizer=adam", "training.phases=[{steps: 3}, {}]"])
def test_who_states_an_optimizer_or_phases_has_a_recipe_of_their_own(stated):
    training = problem_of("box", "stationary", stated, "network.hidden=[64, 64]").settings.training
    assert (training.phase.ending.patience, training.phase.steps) == (0, 40)
    assert {phase.shaping.form for phase in training.in_turn} == {"full"}


def test_what_a_block_states_goes_for_every_phase_of_a_large_network():
    stated = ["network.hidden=[64, 64]", "training.damping=0.25", "training.keep=last"]
    training = problem_of("box", "stationary", *stated).settings.training
    assert [phase.shaping.form for phase in training.phases] == ["slim", "lotra"]
    assert {(phase.own.damping, phase.ending.keep) for phase in training.phases} == {(0.25, "last")}


@pytest.mark.parametrize("points", [2600, 1500, 1000, 500, 400])
def test_few_stated_points_get_a_narrower_network(points):
    problem = problem_of("box", "heat", f"points.interior={points}")
    trained = numbers_trained(Family(problem).at())
    width = problem.settings.network.hidden[0]
    wider = problem_of("box", "heat", f"network.hidden=[{width + 1}, {width + 1}]")
    assert 1.5 * trained <= points
    assert 2.6 * numbers_trained(Family(wider).at()) > points


def test_a_handful_of_points_gets_the_narrowest_network():
    assert problem_of("interval", "stationary", "points.interior=10").settings.network.hidden == (4, 4)


@pytest.mark.parametrize(
    ("source", "averages"),
    [
        ("where(x < 0.5, 20, 0)", True),
        ("where(x < 0.5 and y < 0.5, 20, 0)", True),
        ("abs(x - 0.5)", False),
        ("max(x - y, 0)^2", False),
        ("min(2*x, 1)", False),
        ("x/abs(x - 0.3)", False),
        ("where(1 < 2, x, 3)", False),
        ("exp(-20*(x^2 + y^2))", False),
        ("diff(abs(x - 0.5), x)", True),
    ],
)
def test_a_source_that_jumps_is_tested_by_averages_over_sobol_points(source, averages):
    settings = problem_of("box", source=source).settings
    assert (settings.training.phase.smoothing > 0) is averages
    assert (settings.finetuning.phase.smoothing > 0) is averages
    assert settings.points.rule == ("sobol" if averages else "quadrature")
    assert not averages or settings.points.interior.bit_count() == 1

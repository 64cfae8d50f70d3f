"""The benchmark's problem files against its right answers: each answer solves what its file says."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pytest
import torch
import yaml
from reference_solutions import allen_cahn, korteweg_de_vries, kuramoto_chaos
from tolerance_problems import CASES, Answer, Case, in_time
from tolerances import Row, summary

from pinnkan.geometry import Interior
from pinnkan.ground.derivatives import terms_of
from pinnkan.language.problem import load_problem
from pinnkan.physics.family import Family

COARSE = {
    "allen_cahn_periodic": in_time(partial(allen_cahn, modes=512, steps=500)),
    "kdv_cosine": in_time(partial(korteweg_de_vries, modes=256, steps=1500)),
    "kuramoto_chaos": in_time(partial(kuramoto_chaos, modes=256, steps=1500)),
}
"""The same answers on less work."""
NEAR = {
    "layer": lambda points: 1 - 1e-3 * points,
    "burgers_001": lambda points: points * [1, 0.1],
    "burgers_0003": lambda points: points * [1, 0.03],
}
"""From points of the domain to points where something happens."""
WIDTHS = {"layer": 1e-5, "burgers_0003": 2e-4, "burgers_001": 5e-4, "kuramoto_chaos": 5e-4}
"""Step of differences as a share of the domain, where 1e-3 is too long."""
STENCILS = {
    0: [1.0],
    1: [1 / 12, -2 / 3, 0.0, 2 / 3, -1 / 12],
    2: [-1 / 12, 4 / 3, -5 / 2, 4 / 3, -1 / 12],
    3: [1 / 8, -1.0, 13 / 8, 0.0, -13 / 8, 1.0, -1 / 8],
    4: [-1 / 6, 2.0, -13 / 2, 28 / 3, -13 / 2, 2.0, -1 / 6],
}
"""Centred differences of fourth order by the order of the derivative."""


def stencil(index: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return shifts (S, D) and weights (S,) of a derivative by differences."""
    sides = [np.arange(len(STENCILS[order])) - len(STENCILS[order]) // 2 for order in index]
    shifts = np.array(list(itertools.product(*sides)), dtype=float)
    weights = np.array([math.prod(pair) for pair in itertools.product(*(STENCILS[order] for order in index))])
    return shifts[weights != 0.0], weights[weights != 0.0]


def derivatives(
    answer: Answer, points: np.ndarray, indices: Sequence[tuple[int, ...]], steps: np.ndarray
) -> dict[tuple[int, ...], np.ndarray]:
    """Return derivatives of an answer at points (N, D), which is asked once."""
    stencils = [stencil(index) for index in indices]
    places = [points + shift * steps for shifts, _ in stencils for shift in shifts]
    values = answer(np.concatenate(places)).reshape(len(places), len(points))
    ends = np.cumsum([len(weights) for _, weights in stencils])[:-1]
    parts = zip(indices, stencils, np.split(values, ends), strict=True)
    return {index: weights @ part / np.prod(steps ** np.array(index)) for index, (_, weights), part in parts}


def residuals(
    case: Case,
    answer: Answer,
    *,
    width: float = 1e-3,
    near: Callable[[np.ndarray], np.ndarray] = np.asarray,
    overrides: tuple[str, ...] = (),
) -> dict[str, float]:
    """Return the residual of every statement in an answer: of equations over the size of their terms."""
    instance = Family(load_problem(case.file, overrides=overrides)).at()
    low, high = instance.domain.bounding_box
    relative = {}
    for block in (*instance.equations, *instance.conditions):
        places = instance.domain.collocate(block.where, 40, rule="sobol", seed=3, variant=1)
        points, is_equation = places.points, isinstance(block.where, Interior)
        if is_equation:
            points = near(low + 0.01 * (high - low) + 0.98 * (points - low))
        parts = [terms_of(read.channel) for read in block.reads]
        alone = [partial.orders for partial in block.summands.partials]
        indices = list(dict.fromkeys([index for part in parts for index, _ in part] + alone))
        values = derivatives(answer, points, indices, width * (high - low))
        u = np.stack([sum(factor * values[index] for index, factor in part) for part in parts])
        data = torch.from_numpy(np.ascontiguousarray(block.data(points, places.normals)))
        residual = block.residual(data, torch.from_numpy(u)).numpy()
        terms = block.terms(points, places.normals, [values[index] for index in alone])
        size = np.linalg.norm(np.abs(terms).sum(axis=0)) if is_equation else 1.0
        relative[block.name] = float(np.linalg.norm(residual) / size)
    return relative


@pytest.mark.parametrize("name", CASES)
def test_the_answer_solves_the_file(name):
    case = CASES[name]
    options = {"width": WIDTHS.get(name, 1e-3), "near": NEAR.get(name, np.asarray)}
    found = residuals(case, COARSE.get(name, case.answer), overrides=case.overrides, **options)
    assert max(found.values()) < 1e-3, found


@pytest.mark.parametrize("value", CASES["wave_family"].adapters)
def test_the_answers_of_adapters_solve_the_file_at_their_values(value):
    case = CASES["wave_family"]
    found = residuals(case, case.adapters[value], overrides=(f"family.c.base={value}",))
    assert max(found.values()) < 1e-3, found


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("burgers_0003", "family.nu.base=0.0033"),
        ("allen_cahn_periodic", "family.d.base=3.0e-4"),
        ("kdv_cosine", "family.delta.base=0.0225"),
        ("wave_modes", "family.c.base=1.99"),
        ("transport_far", "family.c.base=0.99"),
        ("layer", "family.epsilon.base=1.01e-4"),
    ],
)
def test_a_wrong_number_would_be_seen(name, wrong):
    case = CASES[name]
    options = {"width": WIDTHS.get(name, 1e-3), "near": NEAR.get(name, np.asarray)}
    assert max(residuals(case, COARSE.get(name, case.answer), overrides=(wrong,), **options).values()) > 2e-3


def test_the_files_say_nothing_of_how():
    for case in CASES.values():
        said = set(yaml.safe_load(case.file.read_text(encoding="utf-8")))
        assert not said & {"network", "points", "training", "finetuning", "adapter", "reference"}, case.file


def test_the_summary_says_what_is_met():
    rows = [
        Row(
            problem="layer",
            seed=seed,
            tolerance=1e-3,
            error=error,
            error_estimate=2 * error,
            verdict="solved",
            exit_code=0,
            train_seconds=seconds,
            cpu_seconds=9.0,
            steps=10,
            trainable_parameters=100,
            levels=None,
            stop_reason="tolerance",
        )
        for seed, (error, seconds) in enumerate([(1e-4, 5.0), (2e-4, 25.0), (1.0, 40.0)])
    ]
    title, _, line = summary(rows).splitlines()
    assert title.split()[:3] == ["problem", "tolerance", "error"]
    assert "2.0e-04 (1.0e-04..1.0e+00)" in line
    assert line.endswith("must")
    assert summary(rows[2:]).endswith("missed")

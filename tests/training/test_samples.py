"""Function representation: samples split without overlap, noise of the stated size, and what is learnt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from small_problems import run_of

from pinnkan.ground.errors import FileAccessError, ProblemError, UsageError
from pinnkan.language.problem import Problem, load_problem
from pinnkan.physics.family import Family
from pinnkan.physics.residuals.training_sets import training_sets
from pinnkan.solutions.solution import Solution
from pinnkan.training import pretrain

FORMULA = """
coordinates: [x, y]
domain: {shape: box, x: [-1, 1], y: [-1, 1]}
unknowns: u
exact: sin(2*x) * y
equations: [u = exact]
network: {kind: slim, hidden: [8, 8], functions: 6, rank: 1/2}
points: {interior: 400, held_out: 200, rule: random}
training: {steps: 12, precision: full}
"""
TABLE = """
coordinates: [x, y]
domain: {shape: box, x: [-1, 1], y: [-1, 1]}
unknowns: u
samples: {file: data.csv, validation: 1/4}
network: {hidden: [6], functions: 6}
training: {steps: 12, precision: full}
"""


def from_table(folder: Path, *overrides: str, rows: int = 200, scale: float = 1.0) -> Problem:
    points = scale * np.random.default_rng(5).uniform(-1, 1, (rows, 2))
    values = np.sin(2 * points[:, 0]) * points[:, 1]
    table = np.column_stack([values, points])
    np.savetxt(folder / "data.csv", table, delimiter=",", header="u,x,y", comments="", fmt="%.17g")
    return load_problem(TABLE, overrides=overrides, directory=folder)


def values_of(one) -> dict[tuple[float, float], float]:
    return dict(zip(map(tuple, one.points.tolist()), one.data[0].tolist(), strict=True))


def test_samples_are_split_by_the_seed_and_kept_whole(tmp_path):
    problem = from_table(tmp_path)
    instance, points = Family(problem).at(None), problem.settings.points
    found = {}
    for seed in (0, 1):
        sets = [training_sets(instance, points, seed=seed, variant=v) for v in (0, 1, 2)]
        training, held_out, refreshed = (values_of(one) for (one,) in sets)
        assert (len(training), len(held_out)) == (150, 50)
        assert not training.keys() & held_out.keys()
        assert refreshed == training
        assert all(u == pytest.approx(np.sin(2 * x) * y) for (x, y), u in (training | held_out).items())
        assert float(sets[0][0].root_weights.square().sum()) == pytest.approx(1.0)
        found[seed] = training
    assert found[0] != found[1]


def test_a_network_learns_a_table(tmp_path):
    problem = from_table(tmp_path)
    trained = pretrain(run_of(problem))
    assert trained.rms.training < 1e-3
    assert trained.rms.held_out < 5e-3
    (fewer,) = training_sets(
        Family(problem).at(None), problem.settings.points, seed=0, variant=0, interior=20
    )
    assert fewer.count == 20


@pytest.mark.parametrize("source", ["formula", "table"])
def test_noise_has_the_stated_deviation_and_is_drawn_by_seed_and_set(tmp_path, source):
    problem = from_table(tmp_path) if source == "table" else load_problem(FORMULA)
    clean = problem.settings.points
    noisy = load_problem(FORMULA, overrides=["points.noise=0.3"]).settings.points

    def noise(seed: int, variant: int) -> torch.Tensor:
        sets = [
            training_sets(Family(problem).at(None), p, seed=seed, variant=variant)[0] for p in (clean, noisy)
        ]
        zero = torch.zeros(1, sets[0].count, dtype=torch.float64)
        plain, shaken = (one.residual.residual(one.data, zero) for one in sets)
        assert torch.equal(sets[1].residual.partials(sets[1].data, zero), torch.ones_like(zero))
        return plain - shaken

    drawn = noise(0, 0)
    assert float(drawn.std()) == pytest.approx(0.3, rel=0.15)
    assert abs(float(drawn.mean())) < 0.06
    assert torch.equal(drawn, noise(0, 0))
    assert not torch.equal(drawn[:50], noise(0, 1)[:50])
    assert not torch.equal(drawn, noise(1, 0))


def test_a_slim_network_of_a_noisy_formula_is_nearer_to_the_formula_than_the_noise():
    run = run_of(load_problem(FORMULA, overrides=["points.noise=0.05"]))
    trained = pretrain(run)
    assert 0.03 < trained.rms.training < 0.055
    assert 0.045 < trained.rms.held_out < 0.08
    points = run.instance.domain.uniform(2000, 3)
    found = Solution(run.instance, trained.network, trained.coefficients())(points)[0]
    error = found - np.sin(2 * points[:, 0]) * points[:, 1]
    assert np.sqrt(np.mean(error**2)) < 0.04


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("samples: {file: data.txt}", "samples.file: expected a file ending in .csv or .npz, got 'data.txt'"),
        ("samples: {file: d.csv, validation: 1}", "samples.validation: expected a share between 0 and 1"),
        ("samples: {rows: 3}", "unknown key 'rows' in samples"),
        ("equations: [u = x]\nsamples: {file: d.csv}", "samples: give either equations or samples, not both"),
        ("data: {file: d.csv}", "unknown key 'data'"),
    ],
)
def test_faults_of_the_block(line, message):
    text = TABLE.replace("samples: {file: data.csv, validation: 1/4}", line)
    with pytest.raises(ProblemError) as fault:
        load_problem(text)
    assert message in str(fault.value)


@pytest.mark.parametrize(
    ("rows", "scale", "message"),
    [
        (200, 2.0, r"data.csv: \d+ of 200 points are outside the domain, first \(.*\) in row \d+"),
        (1, 1.0, r"1 rows cannot be split with validation 0.25; each side needs one"),
    ],
)
def test_tables_that_do_not_fit(tmp_path, rows, scale, message):
    problem = from_table(tmp_path, rows=rows, scale=scale)
    with pytest.raises(UsageError, match=message):
        training_sets(Family(problem).at(None), problem.settings.points, seed=0, variant=0)


def test_a_table_without_the_unknown_or_without_a_file(tmp_path):
    problem = from_table(tmp_path)
    (tmp_path / "data.csv").write_text("x,y,v\n0,0,1\n")
    with pytest.raises(UsageError, match=r"samples .*data.csv:1: no column 'u'; found 'x', 'y', 'v'"):
        training_sets(Family(problem).at(None), problem.settings.points, seed=0, variant=0)
    (tmp_path / "data.csv").unlink()
    with pytest.raises(FileAccessError, match="cannot read the samples"):
        training_sets(Family(problem).at(None), problem.settings.points, seed=0, variant=0)

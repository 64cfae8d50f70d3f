"""Problems with two unknowns through the program: trained, stored, read back, evaluated."""

from __future__ import annotations

import numpy as np
import pytest

import pinnkan as python_way
from pinnkan.language.problem import load_problem
from pinnkan.physics.family import Family
from pinnkan.storage.runs.directory import read_base
from pinnkan.storage.store import read_store, write_store

COUPLED = """\
title: Two coupled equations
coordinates: [x]
domain: {shape: interval, x: [0, 1]}
unknowns: [u, v]
family: {k: {base: 1, range: [0, 2]}}
exact: {u: sin(pi*x), v: 30*x}
equations: ["-u_xx = pi^2*sin(pi*x) + k*(v - 30*x)", "v_xx = u - sin(pi*x)"]
boundary: [u = 0, v = 30*x]
network: {hidden: [5], functions: 5}
points: {interior: 30, held_out: 20}
training: {steps: 15}
finetuning: {steps: 5}
"""


@pytest.fixture(name="coupled", scope="module")
def _coupled(done, tmp_path_factory):
    folder = tmp_path_factory.mktemp("systems")
    (folder / "coupled.yaml").write_text(COUPLED)
    done("pretrain", folder / "coupled.yaml", "-o", folder / "run", "-q", "--threads", 1)
    return folder / "run"


def test_a_base_of_two_unknowns_keeps_a_scale_for_each(coupled):
    base = read_base(coupled / "base.h5")
    stored = read_store(coupled / "base.h5").meta["problem"]["scale"]
    assert list(base.family.scales) == stored == list(Family(load_problem(COUPLED)).scales)
    assert stored[1] == pytest.approx(30.0, rel=1e-6)
    assert stored[0] != stored[1]
    points = np.linspace(0, 1, 21)[:, None]
    assert base.solution()(points).shape == (2, 21)


def test_errors_are_those_of_every_unknown_and_the_largest(done, coupled):
    (row,) = done("evaluate", coupled, "--json").json["results"]
    solution = python_way.load(coupled).at()
    points = solution._solution.instance.domain.uniform(20_000, 0)
    exact = {"u": np.sin(np.pi * points[:, 0]), "v": 30 * points[:, 0]}
    found = solution(points)
    assert list(found) == list(row["fields"]) == ["u", "v"]
    errors = {}
    for name, values in exact.items():
        errors[name] = float(np.linalg.norm(found[name] - values) / np.linalg.norm(values))
        assert row["fields"][name]["relative_l2"] == pytest.approx(errors[name], rel=1e-6, abs=1e-12)
    assert row["relative_l2"] == pytest.approx(max(errors.values()), rel=1e-6)
    assert row["relative_l2"] < 0.05


@pytest.mark.parametrize("scale", [1.0, [1.0], [1.0, 30.0, 2.0]], ids=["number", "one", "three"])
def test_a_base_with_another_number_of_scales_is_refused(pinnkan, coupled, tmp_path, scale):
    base = read_store(coupled / "base.h5")
    meta = {**base.meta, "problem": {**base.meta["problem"], "scale": scale}}
    write_store(tmp_path / "base.h5", "base", arrays=base.arrays, meta=meta)
    answer = pinnkan("evaluate", tmp_path)
    count = len(scale) if isinstance(scale, list) else 1
    assert answer.code == 3
    assert f"base.h5: its problem is refused: coupled.yaml: {count} scales for 2 unknowns" in answer.err
    assert answer.out == ""

"""What a family derives from its problem once, however many parameter values are asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pinnkan.ground.datafiles import DataFile
from pinnkan.language.problem import load_problem
from pinnkan.physics import family as module
from pinnkan.physics.blocks import BlockProgram, TermProgram
from pinnkan.physics.family import Family

MEASURED = """
coordinates: [x]
domain: {shape: interval, x: [0, 1]}
unknowns: u
family: {a: {base: 1}}
reference: data.csv
equations: ["-u_xx + a*u = a*x"]
boundary: ["u = x"]
"""
GIVEN = """
coordinates: [x]
domain: {shape: interval, x: [0, 1]}
unknowns: u
samples: {file: data.csv, validation: 1/4}
"""


def counted(monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> list[str]:
    """Replace a function by itself with a tally of its calls."""
    calls, original = [], getattr(owner, name)

    def call(*arguments: object, **named: object) -> object:
        calls.append(name)
        return original(*arguments, **named)

    monkeypatch.setattr(owner, name, call)
    return calls


def write_table(folder: Path) -> None:
    x = np.linspace(0, 1, 9)
    np.savetxt(folder / "data.csv", np.column_stack([x, x]), delimiter=",", header="x,u", comments="")


def test_statements_are_compiled_and_scales_found_once(monkeypatch):
    family = Family(load_problem("heat"))
    programs = counted(monkeypatch, BlockProgram, "__init__")
    terms = counted(monkeypatch, TermProgram, "__init__")
    scales = counted(monkeypatch, module, "data_scales")
    times = counted(monkeypatch, module, "relaxation_time")
    family.at()
    first = len(programs), len(terms), len(scales), len(times)
    for value in (0.2, 0.3, 0.4):
        family.at(value)
    assert (len(programs), len(terms), len(scales), len(times)) == first
    assert first[2:] == (1, 1)


def test_a_reference_file_is_read_once(monkeypatch, tmp_path):
    write_table(tmp_path)
    family = Family(load_problem(MEASURED, directory=tmp_path))
    reads = counted(monkeypatch, DataFile, "columns")
    assert [family.at(value).has_exact for value in (1.0, 2.0, None, 1.0)] == [True, False, True, True]
    assert len(reads) == 1


def test_samples_are_read_when_they_are_asked_for_and_once(monkeypatch, tmp_path):
    write_table(tmp_path)
    family = Family(load_problem(GIVEN, directory=tmp_path))
    reads = counted(monkeypatch, DataFile, "columns")
    instances = [family.at(), family.at()]
    assert reads == []
    sets = [instance.samples.split(instance.domain, seed=seed) for instance in instances for seed in (0, 1)]
    assert len(reads) == 1
    assert [(len(kept.values), len(held.values)) for kept, held in sets] == [(7, 2)] * 4


def test_a_problem_is_only_what_its_file_says():
    problem = load_problem("heat")
    before = dict(vars(problem))
    Family(problem).at(0.3)
    assert vars(problem) == before

"""No change of the house changes a number: quick runs store what they stored before.

Bit for bit on the machine and with the libraries that made ``coefficients.npz``. Elsewhere the last bits of a
sum are others; there every file's largest deviation is below 1e-6 of its largest number.
"""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest
from runs import PROBLEMS, RUNS, STORED, machine, numbers

ELSEWHERE = 1e-6


@cache
def stored() -> dict[str, np.ndarray]:
    with np.load(STORED) as file:
        return dict(file)


@cache
def same_machine() -> bool:
    return json.loads(stored()["machine"].tobytes()) == machine()


def deviation(name: str, found: dict[str, np.ndarray]) -> dict[str, float]:
    """Return the largest deviation of every file that differs, relative to its largest number."""
    expected = {key.removeprefix(f"{name}/"): a for key, a in stored().items() if key.startswith(f"{name}/")}
    assert {key: array.shape for key, array in found.items()} == {k: a.shape for k, a in expected.items()}
    different = {key: array for key, array in found.items() if array.tobytes() != expected[key].tobytes()}
    return {
        key: float(abs(array - expected[key]).max() / abs(expected[key]).max())
        for key, array in different.items()
    }


@pytest.mark.parametrize("name", RUNS)
def test_runs_store_the_same_numbers(name, tmp_path):
    different = deviation(name, numbers(RUNS[name], tmp_path / "run"))
    assert {key: size for key, size in different.items() if same_machine() or not size < ELSEWHERE} == {}


def test_every_shipped_problem_is_run():
    assert {path.stem for path in PROBLEMS.glob("*.yaml")} <= set(RUNS)


def test_a_number_that_moved_is_seen():
    name = "heat"
    found = {
        key.removeprefix(f"{name}/"): a.copy() for key, a in stored().items() if key.startswith(f"{name}/")
    }
    assert deviation(name, found) == {}
    found["base.h5"][0] = np.nextafter(found["base.h5"][0], np.inf)
    ((key, size),) = deviation(name, found).items()
    assert key == "base.h5"
    assert 0 < size < 1e-15

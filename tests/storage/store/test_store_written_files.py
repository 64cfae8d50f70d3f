"""Files that an earlier version wrote are read by every later one, to the same numbers.

``written/`` holds a base and an adapter as the version of 28 November 2026 wrote them, made on one core by

    pinnkan pretrain tiny.yaml -o written
    pinnkan finetune written --lambda 0.5

from the problem of `TINY` below (two steps each, seed 0, float64). The numbers were printed by the same
version, as ``float.hex``. Neither files nor numbers are ever made again: a new layout gets files of its own.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import pinnkan
from pinnkan.storage.store import read_store

WRITTEN = Path(__file__).parent / "written"

TINY = """\
title: Tiny Poisson equation
coordinates: [x, y]
domain: {shape: disk, center: [0, 0], radius: 1}
unknowns: u
family:
  lambda: {base: 0, range: [0, 1]}
exact: (1 - x^2 - y^2)*(1 + lambda*x)
source: 4 + 8*lambda*x
equations:
  - -laplace(u) = source
boundary:
  - u = 0
network: {hidden: [4, 4], functions: 4}
adapter: {compression: 1/2}
points: {interior: 60, held_out: 40}
training: {steps: 2}
finetuning: {steps: 2, points: 80}
"""

POINTS = np.array([[0.0, 0.0], [0.5, 0.25], [-0.3, 0.7], [0.6, -0.6]])
VALUES = {
    0.0: ["0x1.fff23e5bf4e2ep-1", "0x1.5e5d6690b0023p-1", "0x1.b05db74be6c44p-2", "0x1.1df88861f7350p-2"],
    0.5: ["0x1.01b1faf54f10ap+0", "0x1.a2cc9321531cbp-1", "0x1.70ea760b49fc2p-2", "0x1.6448c790cb0e5p-2"],
}
SECOND_DERIVATIVES = {
    0.0: ["-0x1.f7555d0c1f566p+0", "-0x1.f4357ffeb47c8p+0", "-0x1.065dd2b786987p+1", "-0x1.fca37e529854cp+0"],
    0.5: ["-0x1.1df14d4d5a4adp+1", "-0x1.6e265c5e0f322p+1", "-0x1.1f6e2f42f4099p+0", "-0x1.c1a24dce324aap+1"],
}


def numbers(words: list[str]) -> list[float]:
    return [float.fromhex(word) for word in words]


@pytest.mark.parametrize("value", VALUES)
def test_the_solution_is_the_one_that_was_stored(value):
    solution = pinnkan.load(WRITTEN).at(value)
    assert solution(POINTS) == pytest.approx(numbers(VALUES[value]), rel=1e-13)
    assert solution.jet(POINTS, "u_xx") == pytest.approx(numbers(SECOND_DERIVATIVES[value]), rel=1e-11)


def test_what_the_files_say_of_themselves():
    base = read_store(WRITTEN / "base.h5", kind="base")
    adapter = read_store(WRITTEN / "adapters" / "lambda=0.5.h5", kind="adapter")
    assert base.meta["problem"]["text"] == TINY
    assert adapter.meta["values"] == {"lambda": 0.5}
    assert (base.meta["training"]["steps"], adapter.meta["training"]["steps"]) == (2, 2)
    assert sum(array.size for array in base.arrays.values()) == 112
    assert sum(array.size for array in adapter.arrays.values()) == 80


def test_the_files_are_small_and_whole():
    files = sorted(path for path in WRITTEN.rglob("*") if path.is_file())
    assert [path.name for path in files] == ["lambda=0.5.h5", "base.h5"]
    assert sum(path.stat().st_size for path in files) < 60_000


def test_one_changed_bit_is_seen(tmp_path):
    """The numbers above could not be reached from a file whose coefficients are others."""
    from pinnkan.ground.errors import DamagedFileError

    shutil.copytree(WRITTEN, tmp_path, dirs_exist_ok=True)
    content = bytearray((tmp_path / "base.h5").read_bytes())
    content[-100] ^= 1
    (tmp_path / "base.h5").write_bytes(content)
    with pytest.raises(DamagedFileError):
        pinnkan.load(tmp_path).at(0.0)


def test_a_result_on_a_rough_lift_is_read_as_it_was_trained():
    """``written_rough/`` is a heat equation from a tent, whose kink was built in until 28 November 2026.

    Today the same condition is soft; read with today's ansatz the file would give other values in silence.
    """
    points = np.array([[0.0, 0.25], [0.2, 0.5], [0.9, 0.7]])
    found = pinnkan.load(WRITTEN.with_name("written_rough")).at()(points)
    assert found.tolist() == numbers(["0x1.0000000000000p-1", "0x1.ff710b834fd6ap-1", "0x1.2f8317b06ac98p-1"])

"""A base that was refined has other shapes than its network's settings say: every command takes it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tiny_family import TINY

from pinnkan.storage.store import read_store, write_store

PHASES = "{points: 150, phases: [{steps: 8}, {steps: 4, functions: 6}]}"
TEXT = TINY.replace("training: {steps: 6}", f"training: {PHASES}")


@pytest.fixture(scope="module")
def refined(done, tmp_path_factory):
    """A run directory whose base ended with more functions than it began with."""
    folder = tmp_path_factory.mktemp("refined")
    (folder / "tiny.yaml").write_text(TEXT)
    done("pretrain", folder / "tiny.yaml", "-o", folder / "run", "-q")
    return folder / "run"


def test_its_size_is_shown_and_its_errors_are_measured(done, refined):
    assert done("show", refined, "--json").json["network"]["functions"] == 6
    (row,) = done("evaluate", refined, "--json").json["results"]
    assert row["relative_l2"] < 0.1
    (found,) = done("spectrum", refined / "base.h5", "--json").json["results"]
    assert [row["count"] for row in found["spectra"]] == [4, 4, 6]
    # The steepest of the six functions that it ended with is T_5(tanh z) at z = 0.
    assert found["theorem1"]["L"] == pytest.approx(5.0)


def test_ranks_grow_on_it_and_its_adapter_is_read(done, refined):
    done("finetune", refined, "--lambda", "0.5", "--compression", "auto", "-q")
    adapter = refined / "adapters" / "lambda=0.5.h5"
    assert done("show", adapter, "--json").json["network"]["functions"] == 6
    rows = done("evaluate", refined, "--lambda", "0.5", "--json").json["results"]
    assert [row["relative_l2"] < 0.1 for row in rows] == [True]
    assert done("spectrum", adapter, "--json").code == 0


def test_a_family_over_it_answers(done, refined):
    done("family", refined, "--lambda", "0:1", "--tolerance", "10", "--max-adapters", "3", "-q")
    assert done("show", refined / "family.h5", "--json").json["network"]["functions"] == 6
    answer = done("solve", refined, "--lambda", "0.3", "--check", "--json").json["results"][0]
    assert answer["relative_l2"] < 0.1


@pytest.mark.parametrize("functions", [(3, 3, 3), (7, 7, 6)], ids=["fewer than stated", "of several numbers"])
def test_functions_that_no_refinement_leaves_are_refused(pinnkan, refined, functions, tmp_path):
    stored = read_store(refined / "base.h5", kind="base")
    arrays = zip(stored.arrays.items(), functions, strict=True)
    shapes = {name: (*array.shape[:2], count) for (name, array), count in arrays}
    other = replace(stored, arrays={name: np.ones(shape) for name, shape in shapes.items()})
    write_store(tmp_path / "base.h5", "base", arrays=other.arrays, meta=other.meta)
    answer = pinnkan("evaluate", tmp_path)
    assert answer.code == 3
    assert f"its arrays have shapes [(2, 4, {functions[0]})" in answer.err

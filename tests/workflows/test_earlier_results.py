"""Results of earlier versions: a base whose file states no widths has those it was trained with.

``earlier/wide`` was written by the version before the default recipe (28 November 2026), whose networks were
64 wide where a file did not say, and evaluated by it: 5.37e-04 and 3.33e-02.

    pinnkan pretrain rod.yaml -o wide --dtype float32 --set training.steps=1 --set points.interior=20
    pinnkan finetune wide --lambda 1.5 --set finetuning.steps=1
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

EARLIER = Path(__file__).parent / "earlier" / "wide"


@pytest.fixture
def run(tmp_path):
    return Path(shutil.copytree(EARLIER, tmp_path / "wide"))


def test_errors_are_those_of_the_version_that_wrote_them(done, run):
    rows = done("evaluate", run, "--json").json["results"]
    assert [f"{row['relative_l2']:.2e}" for row in rows] == ["5.37e-04", "3.33e-02"]


def test_show_tells_the_stored_network(done, run):
    assert done("show", run, "--json").json["network"]["widths"] == "1-64-64-1"
    assert done("show", run / "adapters/k=1.5.h5", "--json").json["network"]["widths"] == "1-64-64-1"


def test_adapters_are_those_of_the_stored_network(done, run):
    """At cr = 1/8: core 8 x 8 x 1, factors 64 x 8, 64 x 8 and 2 x 1; the outer layers, 128 each, in full."""
    sets = ["--set", "finetuning.steps=1", "--set", "points.interior=20"]
    done("finetune", run, "--lambda", "2", *sets, "-q")
    rows = done("evaluate", run, "--json").json["results"]
    assert [row["trainable_parameters"] for row in rows] == [8448, 1346, 1346]

"""A family file of the version before several unknowns answers as it did there.

``earlier/rod`` was written on 29 November 2026, the answers by the same program:

    coordinates: [x]
    domain: {shape: interval, x: [0, 1]}
    unknowns: u
    family: {k: {base: 1, range: [0.5, 2]}}
    exact: sin(pi*x)*exp(k*x/2) + k
    source: manufactured
    equations: ["-u_xx + u^3 = source"]
    boundary: ["u = exact"]
    network: {hidden: [5], functions: 4}
    points: {interior: 60, held_out: 40}
    training: {steps: 20}
    finetuning: {steps: 10, points: 80}

    pinnkan pretrain rod.yaml -o rod
    pinnkan family rod --param k=0.5:2 --tolerance 1e-2 --max-adapters 4
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import pinnkan

EARLIER = Path(__file__).parent / "earlier" / "rod"
POINTS = np.array([[0.3], [0.8]])


@pytest.mark.parametrize(
    ("k", "estimate", "values"),
    [
        (0.7, "0x1.7bf4879eeabd5p-10", ["0x1.99dd586033272p+0", "0x1.7a6e19d9eed7cp+0"]),
        (1.0, "0x1.d604138fe880ep-21", ["0x1.f0a02595e2318p+0", "0x1.e07ab79298046p+0"]),
        (1.9, "0x1.4a2399fcc03ecp-11", ["0x1.7d177fd75ec3dp+1", "0x1.9423943f66894p+1"]),
    ],
    ids=["inside", "base", "near the end"],
)
def test_answers_are_those_of_the_version_that_wrote_the_file(k, estimate, values):
    answer = pinnkan.ReducedBasis.load(EARLIER).solve(k)
    wanted = [float.fromhex(text) for text in values]
    assert answer(POINTS) == pytest.approx(wanted, rel=1e-13)
    # Equal where they were written; another processor may round the products otherwise, and an estimate is
    # the root of a sum of squares that cancel.
    assert answer.estimate == pytest.approx(float.fromhex(estimate), rel=1e-6)

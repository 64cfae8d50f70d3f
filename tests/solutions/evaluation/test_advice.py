"""The advice fits the reason."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flat_evidence import evidence_of_row

from pinnkan.solutions.evaluation.advice import Circumstances, StatedCount, advice

BASE = Circumstances(
    points=StatedCount(1000, "points.interior"),
    steps=StatedCount(40, "training.steps"),
    trainable=34_304,
    hidden=(64, 64),
    still_falling=False,
    out_of_time=False,
    unknowns=("T",),
)
ADAPTER = replace(BASE, points=StatedCount(1000, "finetuning.phases.1.points"), trainable=2632, hidden=())
FELL = [1.0, 0.5, 0.4]
LARGE = {
    "relative": {"equation[0]": 0.5},
    "held_out": FELL,
    "places": {"equation[0]": "x = 0.5", "wall": "x = 1"},
}


@pytest.mark.parametrize(
    ("evidence", "where", "text"),
    [
        (
            {"relative": {"equation[0]": 1e-7}, "slack": 1.0},
            BASE,
            "The problem magnifies every residual: ask for less time or a smaller domain, or write it for "
            "what changes by less (log(T) of what grows); take the answer for a sketch.",
        ),
        (
            LARGE | {"overfitting": 80.0},
            BASE,
            "Use more points: --set points.interior=69000; or a smaller network: "
            '--set "network.hidden=[7, 7]"',
        ),
        (
            LARGE | {"overfitting": 80.0},
            replace(BASE, trainable=400),
            "Use more points: --set points.interior=2000",
        ),
        (
            LARGE | {"overfitting": 80.0},
            ADAPTER,
            "Use more points: --set finetuning.phases.1.points=5300",
        ),
        (
            LARGE | {"held_out": [1.0, None, 0.99, 1.2]},
            BASE,
            "Training stalled from the first step: state the size of the unknown (scales: {T: VALUE}) and "
            "look at the equation that 'pinnkan check' prints.",
        ),
        (
            LARGE | {"violations": {"wall": 0.9}},
            BASE,
            "Look at the data of wall near x = 1: do they contradict another condition there?",
        ),
        (
            LARGE,
            replace(BASE, still_falling=True),
            "More steps may lower the error further: --set training.steps=80",
        ),
        (
            LARGE | {"relative": {"equation[0]": 1e-6}, "pointwise": {"equation[0]": 0.2}},
            BASE,
            "Divide equation[0] by the factor that varies across the domain, so that all of it counts.",
        ),
        (
            LARGE,
            replace(BASE, still_falling=True, out_of_time=True),
            "The time limit ended the training: begin again with a longer --time-limit, and --force.",
        ),
        (
            LARGE | {"shares": {"equation[0]": 0.95}},
            BASE,
            "The residual of equation[0] is largest near x = 0.5, in a layer that the points hardly see: "
            "--set points.interior=4000",
        ),
        (
            LARGE,
            replace(BASE, trainable=704, hidden=(8, 8)),
            "The residual no longer falls: widen the network and add points: "
            '--set "network.hidden=[12, 12]" --set points.interior=3200',
        ),
        (
            LARGE,
            ADAPTER,
            "The residual no longer falls: more points and higher ranks: "
            "--set finetuning.phases.1.points=2000 --compression auto",
        ),
        (
            LARGE | {"relative": {"equation[0]": 0.0}, "is_zero": True},
            BASE,
            "Prescribe something that zero does not meet: a value, a flux or a source.",
        ),
        (
            LARGE | {"relative": {"equation[0]": 1e-9}, "beyond": 0.9},
            BASE,
            "Start elsewhere (--seed 1 --force), or write the equation for values beyond, too, so that it "
            "pulls the unknown back from them as it does from within: T^3*abs(T) in place of T^4.",
        ),
        (
            LARGE | {"relative": {"equation[0]": 1e-9}, "jump": 0.9},
            BASE,
            "Write 'hard: false' beside a condition with a jump or kink there, so that it is trained.",
        ),
    ],
)
def test_the_advice_fits_the_reason(evidence, where, text):
    assert advice(evidence_of_row(evidence), where) == text


@pytest.mark.parametrize(
    ("evidence", "text"),
    [
        (
            {"relative": {"equation[0]": 1e-7}, "slack": 1.0},
            "The problem magnifies every residual: ask for less time or a smaller domain, or write it for "
            "what changes by less (the logarithm of what grows); take the answer for a sketch.",
        ),
        (
            LARGE | {"held_out": [1.0, None, 0.99, 1.2]},
            "Training stalled from the first step: state the size of each unknown (scales: {s: VALUE, "
            "i: VALUE}) and look at the equation that 'pinnkan check' prints.",
        ),
        (
            LARGE | {"relative": {"equation[0]": 1e-9}, "beyond": 0.9},
            "Start elsewhere (--seed 1 --force), or write the equation for values beyond, too, so that it "
            "pulls the unknown back from them as it does from within: u^3*abs(u) in place of u^4.",
        ),
    ],
)
def test_the_advice_blames_no_unknown_of_a_system(evidence, text):
    assert advice(evidence_of_row(evidence), replace(BASE, unknowns=("s", "i"))) == text

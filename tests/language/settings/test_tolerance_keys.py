"""``tolerance``: of the error in a block, refused in a phase, read as it was meant in files of before."""

from __future__ import annotations

import pytest

from pinnkan.ground.errors import ProblemError
from pinnkan.language.problem import load_problem
from pinnkan.language.problem.finding import find_problem, problem_text
from pinnkan.language.problem.schema import read_problem
from pinnkan.language.settings.tolerance_text import (
    overrides_without_tolerance,
    stated_tolerance,
    without_tolerance,
)


@pytest.mark.parametrize("block", ["training", "finetuning"])
def test_a_block_takes_a_tolerance_of_the_error(block):
    settings = load_problem("heat", overrides=[f"{block}={{tolerance: 1e-4}}"]).settings
    other = {"training": "finetuning", "finetuning": "training"}[block]
    assert (settings.tolerance(block), settings.tolerance(other)) == (1e-4, None)
    assert settings.with_tolerance(block, 1e-5).tolerance(block) == 1e-5
    assert settings.with_tolerance(block, None) is settings


def test_that_a_tolerance_is_stated_changes_nothing_else():
    plain = load_problem("heat").settings
    assert load_problem("heat", overrides=["training.tolerance=1e-4"]).settings == plain.with_tolerance(
        "training", 1e-4
    )


@pytest.mark.parametrize("block", ["training", "finetuning"])
def test_a_phase_with_a_tolerance_is_told_both_words(block):
    with pytest.raises(ProblemError) as refusal:
        load_problem("heat", overrides=[f"{block}.phases=[{{steps: 3}}, {{steps: 2, tolerance: 1e-3}}]"])
    (fault,) = refusal.value.faults
    assert (
        f"{block}.phases[1].tolerance: the tolerance of a phase bounded its residual; write residual_below: "
        f"1e-3. A tolerance of the error stands in {block}: itself" in fault
    )


def former(*overrides: str):
    text = problem_text(find_problem("heat"))
    return read_problem(
        text, file="heat.yaml", name="heat", overrides=overrides, bounds_residual=True
    ).settings


@pytest.mark.parametrize("block", ["training", "finetuning"])
def test_what_a_stored_text_of_before_bounds_is_the_residual(block):
    phases = f"{block}={{tolerance: 1e-2, phases: [{{steps: 3}}, {{steps: 2, tolerance: 1e-3}}]}}"
    settings = former(phases)
    assert settings.tolerance(block) is None
    bounds = [phase.ending.residual_below for phase in getattr(settings, block).in_turn]
    assert bounds == [1e-2, 1e-3]


TEXTS = {
    "in lines, last": "a: 1\ntraining:\n  steps: 3\n  tolerance: 1e-4  # good enough\nb: 2\n",
    "in lines, first": "a: 1\ntraining:\n  tolerance: '1e-4'\n  steps: 3\nb: 2\n",
    "none": "a: 1\ntraining:\n  steps: 3\nb: 2\n",
    "in a phase alone": "a: 1\ntraining:\n  steps: 3\nb: 2\n",
}
BRACES = {
    "first": "a: 1\ntraining: {tolerance: 1/3, steps: 3}\n",
    "last": "a: 1\ntraining: {steps: 3, tolerance: 1e-4}\n",
    "none": "a: 1\ntraining: {steps: 3}\n",
}
ALONE = {
    "in braces": "a: 1\ntraining: {tolerance: 1e-4}\nb: 2\n",
    "in lines": "a: 1\ntraining:\n  tolerance: 1e-4\nb: 2\n",
    "none": "a: 1\nb: 2\n",
}


@pytest.mark.parametrize("texts", [TEXTS, BRACES, ALONE], ids=["lines", "braces", "alone"])
def test_texts_that_differ_by_their_tolerance_are_the_same(texts):
    assert {without_tolerance(text, "training") for text in texts.values()} == {texts["none"]}


@pytest.mark.parametrize(
    "text",
    [
        "finetuning: {tolerance: 1e-4}\n",
        "training: {phases: [{tolerance: 1e-4}]}\n",
        "description: a tolerance\n",
        "training: {tolerance: [1, 2]}\n",
        "tolerance: {training: 1}\n",
        "training: {tolerance: 1\n",
    ],
)
def test_other_texts_are_left_as_they_are(text):
    assert without_tolerance(text, "training") == text


def test_overrides_that_state_a_tolerance_are_left_out():
    texts = ["training.tolerance=1e-3", "training={tolerance: 1}", "training={steps: 3, tolerance: 1}", "a=1"]
    assert overrides_without_tolerance(texts, "training") == ["training={steps: 3}", "a=1"]
    assert overrides_without_tolerance(texts, "finetuning") == texts


@pytest.mark.parametrize(
    ("text", "overrides", "stated"),
    [
        ("training: {steps: 3}", [], None),
        ("training: {tolerance: 1/4}", [], 0.25),
        ("training: {tolerance: 1/4}", ["training.tolerance=1e-3"], 1e-3),
        ("training: {tolerance: 1/4}", ["training={steps: 2}"], None),
        ("training: {steps: 3}", ["training={tolerance: 2}", "training.tolerance = 3"], 3.0),
        ("finetuning: {tolerance: 1}", ["finetuning.tolerance=2"], None),
        ("training: {tolerance: 1", [], None),
    ],
)
def test_the_stated_tolerance_is_read_without_the_rest(text, overrides, stated):
    assert stated_tolerance(text, overrides, "training") == stated

"""A key that is stated and read by nothing is said, with what would read it."""

from __future__ import annotations

import pytest

from pinnkan.language.problem import load_problem
from pinnkan.language.problem.finding import shipped_problems
from pinnkan.language.settings.idle_keys import idle_keys


def said(*overrides: str, problem: str = "poisson_square") -> list[str]:
    settings = load_problem(problem, overrides=overrides).settings
    return [*idle_keys(settings, "training"), *idle_keys(settings, "finetuning")]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["training.optimizer=adam", "training.damping=1e-2"],
            "training.damping changes nothing: no phase of training is of lm",
        ),
        (["finetuning.rate=1e-2"], "finetuning.rate changes nothing: no phase of finetuning is of adam"),
        (
            ["training.schedule=cosine", "training.phases=[{optimizer: lm}, {optimizer: lbfgs}]"],
            "training.schedule changes nothing: no phase of training is of adam",
        ),
        (
            ["finetuning.compression=0.5"],
            "finetuning.compression changes nothing: that of an adapter is adapter.compression",
        ),
        (
            ["training.compression=0.5"],
            "training.compression changes nothing: no phase of training is of form lotra",
        ),
        (
            ["network.rank=0.5"],
            "network.rank changes nothing: neither the network nor a phase of training is slim",
        ),
        (["network.degree=5"], "network.degree changes nothing: the basis is not bspline"),
        (
            ["points.rule=residual", "training.refresh=0"],
            "points.rule: residual changes nothing in training: no points are drawn anew (refresh)",
        ),
        (
            ["points.rule=residual", "finetuning.optimizer=adam"],
            "points.rule: residual changes nothing in finetuning: no points are drawn anew (refresh)",
        ),
        (
            ["network.degree=5", "network.kind=mlp", "network.basis=bspline"],
            "network.degree changes nothing: the basis is not bspline",
        ),
    ],
)
def test_a_key_that_nothing_reads_is_said(overrides, message):
    assert said(*overrides) == [message]


@pytest.mark.parametrize(
    "overrides",
    [
        ["training.damping=1e-2"],
        ["training.damping=1e-2", "training.phases=[{optimizer: adam}, {optimizer: lm}]"],
        ["training.phases=[{form: lotra, compression: 0.5}]"],
        ["training.compression=0.5", "training.phases=[{form: full}, {form: lotra}]"],
        ["network.kind=slim", "network.rank=0.5"],
        ["network.rank=0.5", "training.phases=[{form: slim}, {form: full}]"],
        ["network.basis=bspline", "network.degree=4"],
        ["points.rule=residual"],
        ["points.rule=residual", "training.phases=[{steps: 3}, {steps: 4}]"],
        ["points.rule=residual", "training={optimizer: adam, refresh: 3}"],
    ],
)
def test_a_key_that_something_reads_is_not(overrides):
    assert said(*overrides) == []


@pytest.mark.parametrize("name", [*shipped_problems()])
def test_shipped_problems_state_nothing_idle(name):
    assert said(problem=name) == []

"""Values, derivatives and texts of random expressions, new ones every run, against mpmath at 50 digits."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
import random_trees
import sympy
import torch
from hypothesis import assume
from random_trees import Random, fuzzed, numbers, trees

from pinnkan.language.expressions import (
    Names,
    canonical_text,
    evaluate,
    lower,
    parse_expression,
    symbol,
    to_symbolic,
    total_derivative,
)

NAMES = Names(space=("x", "y"), parameters=("lambda",))
ARGUMENTS = ("x", "y", "lambda")


def value_at(expr: Any, x: float, y: float, parameter: float) -> float:
    return float(evaluate([expr], ("x", "y"), np.array([[x, y]]), {"lambda": parameter})[0, 0])


def exact(tree: Random, x: Any, y: Any, parameter: Any) -> Any:
    with mpmath.workdps(50):
        value = tree.value({"x": mpmath.mpf(x), "y": mpmath.mpf(y), "lambda": mpmath.mpf(parameter)})
    assume(abs(value) < 1e4)
    return value


@fuzzed(trees, numbers, numbers, numbers)
def test_values(tree: Random, x: float, y: float, parameter: float) -> None:
    expected = float(exact(tree, x, y, parameter))
    expr = to_symbolic(parse_expression(tree.text()), NAMES)
    assert value_at(expr, x, y, parameter) == pytest.approx(expected, rel=1e-12, abs=1e-12), tree.text()
    (tensor,) = lower([expr], ARGUMENTS)(
        {"x": torch.tensor(x, dtype=torch.float64), "y": y, "lambda": parameter}
    )
    assert tensor.dtype == torch.float64
    assert tensor.item() == pytest.approx(expected, rel=1e-12, abs=1e-12), tree.text()


@fuzzed(trees, numbers, numbers, numbers)
def test_derivatives_against_finite_differences(tree: Random, x: float, y: float, parameter: float) -> None:
    exact(tree, x, y, parameter)
    step = mpmath.mpf(10) ** -8
    with mpmath.workdps(50):
        sides = [exact(tree, mpmath.mpf(x) + s * step, y, parameter) for s in (-1, 1)]
        expected = float((sides[1] - sides[0]) / (2 * step))
    assume(abs(expected) < 1e4)
    derivative = total_derivative(to_symbolic(parse_expression(tree.text()), NAMES), "x", NAMES)
    assert value_at(derivative, x, y, parameter) == pytest.approx(expected, rel=1e-9, abs=1e-9), tree.text()


@fuzzed(trees, numbers, numbers, numbers)
def test_canonical_text_round_trips(tree: Random, x: float, y: float, parameter: float) -> None:
    expected = float(exact(tree, x, y, parameter))
    text = canonical_text(to_symbolic(parse_expression(tree.text()), NAMES))
    again = to_symbolic(parse_expression(text), NAMES)
    assert value_at(again, x, y, parameter) == pytest.approx(expected, rel=1e-11, abs=1e-11), text
    assert canonical_text(again) == canonical_text(
        to_symbolic(parse_expression(canonical_text(again)), NAMES)
    )
    read = sympy.sympify(
        text, locals={"x": sympy.Float(x), "y": sympy.Float(y), "lamda": sympy.Float(parameter)}
    )
    assert float(read) == pytest.approx(expected, rel=1e-11, abs=1e-11), text


@fuzzed(trees, numbers, numbers)
def test_gradients_are_finite_and_right(tree: Random, x: float, y: float) -> None:
    exact(tree, x, y, 0.3)
    expr = to_symbolic(parse_expression(tree.text()), NAMES)
    leaf = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    (value,) = lower([expr], ARGUMENTS)({"x": leaf, "y": y, "lambda": 0.3})
    slope = value_at(total_derivative(expr, "x", NAMES), x, y, 0.3)
    assume(abs(slope) < 1e4)
    if value.requires_grad:
        (gradient,) = torch.autograd.grad(value, leaf)
        assert gradient.item() == pytest.approx(slope, rel=1e-9, abs=1e-9), tree.text()
    else:
        assert slope == 0.0
    assert symbol("x").is_real


def test_a_failure_names_the_seed_and_an_endless_example_is_one(monkeypatch) -> None:
    def fails(x: float) -> None:
        assert x < 1.0

    with pytest.raises(AssertionError) as caught:
        fuzzed(numbers)(fails)()
    assert f"PINNKAN_FUZZ_SEED={random_trees.SEED} draws this example again" in caught.value.__notes__

    def hangs(x: float) -> None:
        while True:
            pass

    monkeypatch.setattr(random_trees, "LONGEST_S", 0.02)
    with pytest.raises(TimeoutError, match=r"one expression took more than 0\.02 s"):
        fuzzed(numbers)(hangs)()


def test_every_run_draws_other_examples_and_the_same_seed_the_same() -> None:
    def drawn(seed: int) -> list[str]:
        seen: list[str] = []

        def look(tree: Random) -> None:
            seen.append(tree.text())

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(random_trees, "SEED", seed)
            patch.setattr(random_trees, "EXAMPLES", 20)
            fuzzed(trees)(look)()
        return seen

    assert drawn(1) == drawn(1) != drawn(2)

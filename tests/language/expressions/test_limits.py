"""Removable singularities take their limit, others are refused by place."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

from pinnkan.ground.errors import PinnkanError
from pinnkan.language.expressions import Names, evaluate, parse_expression, substitute, symbol, to_symbolic

NAMES = Names(space=("x", "y"), parameters=("lambda",))


def at(text: str, *point: float) -> float:
    expr = to_symbolic(parse_expression(text), NAMES)
    return float(evaluate([expr], ("x", "y"), np.array([point]), {"lambda": 0.5})[0, 0])


LIMITS = [
    ("sin(x)/x", (0.0, 0.3), 1.0),
    ("(1 - cos(x))/x^2", (0.0, 0.0), 0.5),
    ("(exp(x) - 1 - x)/x^2", (0.0, 0.7), 0.5),
    ("x*y/sqrt(x^2 + y^2)", (0.0, 0.0), 0.0),
    ("laplace(sqrt(x^2 + y^2)^3)", (0.0, 0.0), 0.0),
    ("laplace(cos(pi*sqrt(x^2 + y^2)/2))", (0.0, 0.0), -(np.pi**2) / 2),
    ("laplace((x^2 + y^2)^1.25)", (0.0, 0.0), 0.0),  # like the root of the distance
    ("laplace((x^2 + y^2)^1.05)", (0.0, 0.0), 0.0),  # like its tenth part: slow
    ("sqrt(abs(x))*x/x", (0.0, 0.0), 0.0),
    ("x*log(abs(x))", (0.0, 0.0), 0.0),
    ("(x^2 - 1)/(x - 1)", (1.0, 0.0), 2.0),
    ("sin((x - 0.3)*lambda)/(x - 0.3)", (0.3, 0.0), 0.5),
    ("exp(-1/x^2)", (0.0, 0.0), 0.0),
    ("tanh(1/x^2)", (0.0, 0.0), 1.0),
    ("where(x/x > 0, 2, 3)", (0.0, 0.0), 2.0),  # a condition that is 0/0 takes no branch
    ("(1 - sqrt(x^2 + y^2))^2.5", (0.8, 0.6000000000000001), 0.0),  # a rounding error outside
    ("sqrt(1 - x)*(1 - y)/(1 - y)", (1.0, 1.0), 0.0),  # only inside the corner
    ("dx(dx(abs(x)))", (0.0, 0.0), 0.0),
    ("dx(abs(x)^3)", (0.0, 0.0), 0.0),
]


@pytest.mark.parametrize(("text", "point", "limit"), LIMITS)
def test_limit(text: str, point: tuple[float, float], limit: float) -> None:
    assert at(text, *point) == pytest.approx(limit, abs=1e-9)


NO_LIMITS = [
    "1/x",
    "log(abs(x))",
    "x/sqrt(x^2 + y^2)",
    "abs(x)/x",
    "sin(1/x)",
    "sqrt(x - 1)",
    "1/sqrt(abs(x))",
]


@pytest.mark.parametrize("text", NO_LIMITS)
def test_no_limit_names_the_place(text: str) -> None:
    with pytest.raises(
        PinnkanError, match=r"no finite value or limit at x=0, y=0 of .*; keep roots and logarithms"
    ):
        at(text, 0.0, 0.0)


@pytest.mark.parametrize("text", ["x/lambda", "sqrt(lambda - 1)*x", "log(lambda)*x"])
def test_values_that_leave_the_real_numbers_are_refused(text: str) -> None:
    expr = substitute(to_symbolic(parse_expression(text), NAMES), {symbol("lambda"): sympy.Integer(0)})
    with pytest.raises(PinnkanError, match="no finite value or limit at x=1, y=1"):
        evaluate([expr], ("x", "y"), np.array([[1.0, 1.0]]))


def test_middle_of_an_odd_grid_is_zero() -> None:
    axis = 0.1 * np.arange(7) - 0.3
    assert axis[3] != 0.0  # 5.6e-17, where the formula would give a finite, wrong number
    expr = to_symbolic(parse_expression("laplace(sin(pi/2*max(1 - sqrt(x^2 + y^2), 0)^2.5))"), NAMES)
    points = np.column_stack([axis, np.zeros(7)])
    values = evaluate([expr], ("x", "y"), points)[0]
    assert values[3] == pytest.approx(evaluate([expr], ("x", "y"), np.zeros((1, 2)))[0, 0], abs=1e-10)


def test_many_points_in_one_call() -> None:
    exprs = [to_symbolic(parse_expression(text), NAMES) for text in ("sin(x)/x", "lambda*y", "3")]
    points = np.array([[0.0, 1.0], [1.0, 2.0], [0.0, 3.0]])
    values = evaluate(exprs, ("x", "y"), points, {"lambda": 2.0})
    assert values.dtype == np.float64
    np.testing.assert_allclose(values, [[1, np.sin(1), 1], [2, 4, 6], [3, 3, 3]], rtol=1e-14)
    assert evaluate(exprs, ("x", "y"), np.empty((0, 2)), {"lambda": 2.0}).shape == (3, 0)


def test_large_sets_are_cut_into_blocks() -> None:
    points = np.linspace(-1, 1, 40_001)[:, None]
    expr = to_symbolic(parse_expression("sin(x)/x"), NAMES)
    values = evaluate([expr], ("x",), points)[0]
    assert values[20_000] == pytest.approx(1.0, abs=1e-14)
    np.testing.assert_allclose(values, np.sinc(points[:, 0] / np.pi), rtol=1e-14)

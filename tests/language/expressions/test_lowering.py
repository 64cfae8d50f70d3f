"""Lowering to torch: shapes, types, shared work, and gradients through branches that are not taken."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from pinnkan.language.expressions import (
    Names,
    evaluate,
    lower,
    parse_equation,
    parse_expression,
    split_data,
    symbol,
    to_symbolic,
)
from pinnkan.language.expressions.programs.program import Step, compile_program

NAMES = Names(space=("x", "y"), unknowns=("u",), parameters=("lambda",))


def form(text: str) -> object:
    return to_symbolic(parse_expression(text), NAMES)


def column(*values: float, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.tensor(values, dtype=dtype, requires_grad=True)


# At these values the branch that is not taken has an infinite slope or value.
BRANCHES = [
    ("where(u > 0, sqrt(u), 0)", (-1.0, 0.0, 4.0), (0.0, 0.0, 2.0), (0.0, 0.0, 0.25)),
    ("where(u > 0, log(u), u)", (-1.0, 0.0, 1.0), (-1.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    ("where(u > 0, u^0.3, 0)", (-1.0, 0.0, 1.0), (0.0, 0.0, 1.0), (0.0, 0.0, 0.3)),
    ("where(u > 0, 1/u, u)", (-2.0, 0.0, 2.0), (-2.0, 0.0, 0.5), (1.0, 1.0, -0.25)),
    ("where(u > 0, u^-1.5, 1)", (-2.0, 0.0, 1.0), (1.0, 1.0, 1.0), (0.0, 0.0, -1.5)),
    ("where(u < 1, exp(u), 0)", (0.0, 800.0, 2.0), (1.0, 0.0, 0.0), (1.0, 0.0, 0.0)),
    ("where(u < 1, 2, exp(u^2))", (0.0, 0.5, -1.0), (2.0, 2.0, 2.0), (0.0, 0.0, 0.0)),
    ("where(u > 0 and u < 2, sqrt(u)*sqrt(2 - u), 0)", (-1.0, 1.0, 3.0), (0.0, 1.0, 0.0), (0.0, 0.0, 0.0)),
    ("where(u > 0, where(u > 1, sqrt(u - 1), u/u), 0)", (0.0, 1.0, 2.0), (0.0, 1.0, 1.0), (0.0, 0.0, 0.5)),
    ("sqrt(max(u, 0))", (-1.0, -2.0, 4.0), (0.0, 0.0, 2.0), (0.0, 0.0, 0.25)),
    ("max(1 - u, 0)^2.5", (0.0, 1.0, 2.0), (1.0, 0.0, 0.0), (-2.5, 0.0, 0.0)),
    ("norm([u, 2*u])", (0.0, 1.0, -1.0), (0.0, 5**0.5, 5**0.5), (0.0, 5**0.5, -(5**0.5))),
    ("abs(u)", (-2.0, 0.0, 2.0), (2.0, 0.0, 2.0), (-1.0, 1.0, 1.0)),
]


@pytest.mark.parametrize(("text", "at", "values", "slopes"), BRANCHES)
def test_branches_not_taken_give_no_nan(
    text: str, at: tuple[float, ...], values: tuple[float, ...], slopes: tuple[float, ...]
) -> None:
    u = column(*at)
    (result,) = lower([form(text)], ["u"])({"u": u})
    assert result.tolist() == pytest.approx(values, rel=1e-14)
    if result.requires_grad:
        (gradient,) = torch.autograd.grad(result.sum(), u)
        assert gradient.tolist() == pytest.approx(slopes, rel=1e-14)
    else:
        assert not any(slopes)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_type_follows_the_arguments(dtype: torch.dtype) -> None:
    exprs = [form("lambda*u + pi"), form("3"), form("where(u > 0, 1, 2)"), form("lambda^2")]
    values = {"u": column(1.0, -1.0, dtype=dtype), "lambda": 0.5, "unused": 3.0}
    results = lower(exprs, ["u", "lambda"])(values)
    assert [r.dtype for r in results] == [dtype] * 4
    expected = [[0.5 + math.pi, -0.5 + math.pi], [3.0, 3.0], [1.0, 2.0], [0.25, 0.25]]
    for result, row in zip(results, expected, strict=True):
        assert result.tolist() == pytest.approx(row, rel=torch.finfo(dtype).eps)


def test_shapes_broadcast() -> None:
    u, x = torch.ones(3, 1, dtype=torch.float64), torch.arange(4, dtype=torch.float64)
    (product, constant) = lower([form("u*x"), form("2")], ["u", "x"])({"u": u, "x": x})
    assert product.shape == constant.shape == (3, 4)
    assert product[2].tolist() == [0.0, 1.0, 2.0, 3.0]
    (number,) = lower([form("lambda + 1")], ["lambda"])({"lambda": 2.0})
    assert number.item() == 3.0


def test_missing_argument_is_named() -> None:
    with pytest.raises(ValueError, match="symbol 'x' is not among the arguments"):
        lower([form("u + x")], ["u"])


def test_common_parts_are_computed_once() -> None:
    exprs = (form("sin(x*y)^2 + cos(x*y)"), form("exp(sin(x*y))"))
    program = compile_program(exprs, ("x", "y"), guarded=True)
    steps = [cell.operation for cell in program.cells if isinstance(cell, Step)]
    assert sorted(steps) == ["add", "cos", "exp", "multiply", "multiply", "sin"]


def test_small_powers_are_products() -> None:
    program = compile_program((form("u^5 + sqrt(u) + 1/u^2 + u^2.5"),), ("u",), guarded=True)
    steps = [cell.operation for cell in program.cells if isinstance(cell, Step)]
    assert steps.count("power") == 1  # u^2.5
    assert steps.count("sqrt") == 1
    assert steps.count("multiply") == 3  # u^2, u^4, u^5
    (result,) = lower([form("u^5 + sqrt(u) + 1/u^2 + u^2.5")], ["u"])({"u": column(4.0)})
    assert result.item() == pytest.approx(1024 + 2 + 1 / 16 + 32, rel=1e-15)


def test_constants_are_folded() -> None:
    program = compile_program((form("sqrt(2)*sin(1)*pi^2*x"),), ("x",), guarded=True)
    steps = [cell for cell in program.cells if isinstance(cell, Step)]
    assert len(steps) == 1 or all(step.operation == "multiply" for step in steps)
    (result,) = lower([form("sqrt(2)*sin(1)*pi^2")], [])({})
    assert result.item() == pytest.approx(math.sqrt(2) * math.sin(1) * math.pi**2, rel=1e-15)


def test_split_keeps_known_parts_whole() -> None:
    residual = to_symbolic(parse_equation("-div((1 + x^2)*grad(u)) + u^3 = lambda*sin(y) + x"), NAMES)
    unknowns = [symbol(name) for name in ("u", "u_x", "u_xx", "u_yy")]
    data, reduced = split_data([residual], unknowns)
    names = [f"_d{k}" for k in range(len(data))]
    assert {str(d) for d in data} == {"-lambda*sin(y) - x", "-2*x", "-x**2 - 1"}
    assert {s.name for s in reduced[0].free_symbols} == {*names, "u", "u_x", "u_xx", "u_yy"}
    assert len(reduced[0].args) == 5


def test_split_then_join_is_the_residual() -> None:
    texts = ["where(x < y, u^2, x*u) - lambda*norm(grad(u))", "max(u, x) + sqrt(2)*u*sin(x + u)", "x*y"]
    exprs = [form(text) for text in texts]
    unknowns = ["u", "u_x", "u_y"]
    data, reduced = split_data(exprs, [symbol(name) for name in unknowns])
    generator = np.random.default_rng(0)
    points, fields = generator.uniform(-1, 1, (7, 2)), generator.uniform(-1, 1, (3, 7))
    known = evaluate(data, ("x", "y"), points, {"lambda": 0.3})
    values = dict(zip(unknowns, torch.tensor(fields), strict=True))
    split = lower(reduced, [*(f"_d{k}" for k in range(len(data))), *unknowns])(
        values | {f"_d{k}": torch.tensor(row) for k, row in enumerate(known)}
    )
    whole = lower(exprs, ["x", "y", "lambda", *unknowns])(
        values | {"x": torch.tensor(points[:, 0]), "y": torch.tensor(points[:, 1]), "lambda": 0.3}
    )
    for part, row in zip(split, whole, strict=True):
        torch.testing.assert_close(part, row, rtol=1e-14, atol=1e-14)


def test_known_conditions_come_as_data() -> None:
    data, reduced = split_data([form("where(x < 0.5, sqrt(u), u)")], [symbol("u")])
    known = evaluate(data, ("x",), np.array([[0.0], [1.0]]))
    assert known.tolist() == [[1.0, 0.0]]
    u = column(4.0, 0.0)
    (result,) = lower(reduced, ["_d0", "u"])({"_d0": torch.tensor(known[0]), "u": u})
    assert result.tolist() == [2.0, 0.0]
    assert torch.autograd.grad(result.sum(), u)[0].tolist() == [0.25, 1.0]

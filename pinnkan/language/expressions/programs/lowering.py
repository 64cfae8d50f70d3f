"""Symbolic forms to torch: an interpreter of straight-line programs, nothing compiled from text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, reduce
from operator import add, mul
from typing import TYPE_CHECKING, Any

import numpy as np

from pinnkan.language.expressions.programs.program import ONE_OPERAND, compile_program, run

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    Lowered = Callable[[Mapping[str, Tensor | float]], list[Tensor]]


def lower(exprs: Sequence[Any], arguments: Sequence[str]) -> Lowered:
    """Make a torch function of expressions.

    It is differentiable by autograd in its tensor arguments, and a branch of
    ``where`` that is not taken contributes a zero gradient, never NaN.

    Args:
        exprs: E SymPy expressions in real symbols.
        arguments: Names of the symbols that will be given.

    Returns:
        A function of a mapping from name to tensor or float (tensors of one
        floating dtype on one device; further names are ignored), giving E
        tensors of the arguments' common broadcast shape.

    Raises:
        ValueError: If an expression holds a symbol that is not an argument.
    """
    program = compile_program(tuple(exprs), tuple(arguments), guarded=True)
    constants: dict[tuple[torch.dtype, torch.device], dict[Any, Tensor]] = {}

    def lowered(values: Mapping[str, Tensor | float]) -> list[Tensor]:
        import torch

        given = [values[name] for name in program.arguments]
        tensors = [value for value in given if isinstance(value, torch.Tensor)]
        like = tensors[0] if tensors else torch.zeros((), dtype=torch.float64)
        known = constants.setdefault((like.dtype, like.device), {})

        def constant(value: Any) -> Tensor:
            if value not in known:
                known[value] = like.new_tensor(float(value))
            return known[value]

        registers = [v if isinstance(v, torch.Tensor) else like.new_tensor(v) for v in given]
        results = run(program, registers, operations=_operations(), constant=constant)
        # NumPy's rule is torch's and written in C; torch's own takes longer than a small residual.
        shape = np.broadcast_shapes(*{tensor.shape for tensor in tensors})
        return [torch.broadcast_to(result, shape) for result in results]

    return lowered


@cache
def _operations() -> dict[str, Callable[..., Any]]:
    """Arithmetic of torch; conditions are boolean tensors, or 0 and 1 where they come as data."""
    import torch

    def truth(condition: Tensor) -> Tensor:
        return condition if condition.dtype == torch.bool else condition > 0.5

    return {
        "add": lambda *terms: reduce(add, terms),
        "multiply": lambda *factors: reduce(mul, factors),
        "divide": torch.div,
        "power": torch.pow,
        **{name: getattr(torch, name) for name in ONE_OPERAND},
        "abs": torch.abs,
        "less": torch.lt,
        "less_equal": torch.le,
        "both": lambda p, q: truth(p) & truth(q),
        "either": lambda p, q: truth(p) | truth(q),
        "otherwise": lambda p: ~truth(p),
        "where": lambda condition, a, b: torch.where(truth(condition), a, b),
    }

"""What a basis is: the K univariate functions on every edge of a KAN layer, with all their derivatives.

Two ways to the same numbers. `Basis.derivatives` is the fast one: recurrences
that write each row once into one buffer, in the layout that a layer's matrix
product wants. `Basis.values` is written plainly and can be differentiated by
autograd any number of times: the oracle for the first.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from pinnkan.errors import UsageError

Rows = Sequence[Sequence[Tensor]]
"""``rows[m][k]``: where derivative m of function k goes, each of shape (*B, I)."""


class Basis(ABC):
    """K univariate functions b_0 ... b_{K-1}, the constant among them.

    ``domain`` says what inputs it takes: ``unit`` is [-1, 1], so that inner
    layers need a tanh before it; ``line`` is every real number.
    """

    domain: ClassVar[Literal["unit", "line"]]

    @property
    @abstractmethod
    def size(self) -> int:
        """K, coefficients on an edge."""

    @abstractmethod
    def values(self, x: Tensor) -> Tensor:
        """Values b_k(x), shape (*B, K, I) for x (*B, I); differentiable any number of times."""

    @abstractmethod
    def fill(self, x: Tensor, rows: Rows) -> None:
        """Write derivative m of function k at x into ``rows[m][k]``; autograd is off."""

    def embedding(self, finer: Basis) -> Tensor:
        """Return E (K', K) with b_k = sum_j E[j, k] b'_j: this basis in terms of a finer one of its kind.

        A network keeps its function when its coefficients A become A x3 E. The functions of
        a larger basis begin with those of a smaller one, unless its file says otherwise.

        Raises:
            UsageError: If the other basis does not contain this one.
        """
        if type(finer) is not type(self) or finer.size < self.size:
            raise UsageError(
                f"functions: {type(self).__name__} with {self.size} cannot become {type(finer).__name__} "
                f"with {finer.size}; a refined basis is of the same kind and larger"
            )
        return torch.eye(finer.size, self.size, dtype=torch.float64)

    @property
    def conditioned(self) -> Basis:
        """The basis of the same functions in whose coefficients training is best conditioned.

        This one, unless its file says otherwise; `embedding` leads to it.
        """
        return self

    def derivatives(self, x: Tensor, order: int, *, out: Tensor | None = None) -> Tensor:
        """Evaluate b_k, b_k', ..., up to the given order.

        Args:
            x: Points, shape (*B, I). If it requires a gradient the result can be
                differentiated any number of times (slower; ``out`` is then not used).
            order: Highest derivative, any number from 0.
            out: Buffer for the result; without one, fresh memory is taken, which
                for large point sets costs more than the arithmetic.

        Returns:
            ``result[m, ..., k, i]`` = m-th derivative of b_k at ``x[..., i]``, shape
            (order + 1, *B, K, I), contiguous, in the dtype and on the device of x.

        Raises:
            ValueError: If the order is negative or ``out`` does not fit.
        """
        if order < 0:
            raise ValueError(f"order of a derivative: expected 0 or more, got {order}")
        if x.requires_grad and torch.is_grad_enabled():
            result: Tensor = _Differentiable.apply(x, self, order)  # type: ignore[no-untyped-call]
            return result
        shape = (order + 1, *x.shape[:-1], self.size, x.shape[-1])
        if out is None:
            out = x.new_empty(shape)
        elif out.shape != shape or out.dtype != x.dtype or out.device != x.device:
            raise ValueError(f"out: expected {shape} {x.dtype}, got {tuple(out.shape)} {out.dtype}")
        with torch.no_grad():
            self.fill(x, [plane.unbind(-2) for plane in out])
        return out


class _Differentiable(torch.autograd.Function):
    """`Basis.derivatives` for autograd: the derivative of row m is row m + 1."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, basis: Basis, order: int) -> Tensor:
        ctx.save_for_backward(x)
        ctx.basis, ctx.order = basis, order
        return basis.derivatives(x.detach(), order)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (x,) = ctx.saved_tensors
        following = ctx.basis.derivatives(x, ctx.order + 1)[1:]
        return (gradient * following).sum(dim=(0, -2)), None, None


def check_functions(name: str, functions: int, least: int = 1) -> None:
    """Refuse a basis with too few functions.

    Raises:
        UsageError: Names the basis, what was found and what is expected.
    """
    if functions < least:
        raise UsageError(f"network.functions: {name} needs at least {least}, found {functions}")

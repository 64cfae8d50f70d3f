"""What a basis is: the K univariate functions on every edge of a KAN layer, with all their derivatives.

Two ways to the same numbers. `Basis.derivatives` is the fast one: recurrences
that write each row once into one buffer, in the layout that a layer's matrix
product wants. `Basis.values` is written plainly and can be differentiated by
autograd any number of times: the oracle for the first.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor

from pinnkan.ground.errors import UsageError

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

    def derivatives(self, x: Tensor, order: int) -> Tensor:
        """Evaluate b_k, b_k', ..., up to the given order.

        Args:
            x: Points, shape (*B, I).
            order: Highest derivative, any number from 0.

        Returns:
            ``result[m, ..., k, i]`` = m-th derivative of b_k at ``x[..., i]``, shape
            (order + 1, *B, K, I), contiguous, in the dtype and on the device of x. No gradient
            flows through it: autograd takes `values`.

        Raises:
            ValueError: If the order is negative.
        """
        if order < 0:
            raise ValueError(f"order of a derivative: expected 0 or more, got {order}")
        result = x.new_empty((order + 1, *x.shape[:-1], self.size, x.shape[-1]))
        with torch.no_grad():
            self.fill(x, [plane.unbind(-2) for plane in result])
        return result


def check_functions(name: str, functions: int, least: int = 1) -> None:
    """Refuse a basis with too few functions.

    Raises:
        UsageError: Names the basis, what was found and what is expected.
    """
    if functions < least:
        raise UsageError(f"network.functions: {name} needs at least {least}, found {functions}")

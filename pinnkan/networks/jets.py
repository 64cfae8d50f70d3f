"""Jets through univariate functions: Faa di Bruno's formula and its transpose, on tensors.

A jet of I quantities at N points is a tensor (C, N, I), channels as in
`pinnkan.ground.derivatives.Channels`. A family of K univariate functions is given by its
derivatives D, shape (orders, N, K, I), evaluated at the jet's value channel.
"""

from __future__ import annotations

from collections import Counter

import torch
from torch import Tensor

from pinnkan.ground.channels import BellTerm, Channels, Monomial


def compose(channels: Channels, derivatives: Tensor, jet: Tensor) -> Tensor:
    """Push a jet through K univariate functions: phi_alpha = sum_m D_m B_{alpha,m}(y).

    Args:
        channels: The channels of the jet.
        derivatives: D_0 ... D_m at the jet's values, shape (m + 1 or more, N, K, I).
        jet: y, shape (C, N, I).

    Returns:
        Jets of the functions, shape (C, N, K, I).
    """
    _, count, functions, inputs = derivatives.shape
    result = derivatives.new_empty(len(channels), count, functions, inputs)
    result[0].copy_(derivatives[0])
    written = {0}
    for term in channels.bell:
        factor = _bell_polynomial(term, jet).unsqueeze(1)
        out = result[term.channel]
        if term.channel in written:
            out.addcmul_(derivatives[term.order], factor)
        else:
            torch.mul(derivatives[term.order], factor, out=out)
            written.add(term.channel)
    return result


def pull_back(channels: Channels, derivatives: Tensor, jet: Tensor, adjoint: Tensor) -> Tensor:
    """Transpose of the derivative of `compose` with respect to the jet, applied to ``adjoint``.

    With s[m, alpha] = sum_k D_m adjoint_alpha it is
    ybar_0 = sum B_{alpha,m} s[m+1, alpha] and
    ybar_beta = sum s[m, alpha] dB_{alpha,m}/dy_beta.

    Args:
        channels: The channels of the jet.
        derivatives: D_0 ... D_{m+1}: one order more than `compose` reads, shape (m + 2, N, K, I).
        jet: y, shape (C, N, I).
        adjoint: Derivative of a scalar per point with respect to the jets of the
            functions, shape (C, N, K, I).

    Returns:
        The same derivative with respect to the jet, shape (C, N, I).
    """
    result = torch.zeros_like(jet)
    result[0] = _contract(derivatives[1], adjoint[0])
    cache: dict[tuple[int, int], Tensor] = {}

    def contracted(order: int, channel: int) -> Tensor:
        if (order, channel) not in cache:
            cache[order, channel] = _contract(derivatives[order], adjoint[channel])
        return cache[order, channel]

    for term in channels.bell:
        result[0].addcmul_(_bell_polynomial(term, jet), contracted(term.order + 1, term.channel))
        outer = contracted(term.order, term.channel)
        for monomial in term.monomials:
            for factor, power in Counter(monomial.factors).items():
                rest = list(monomial.factors)
                rest.remove(factor)
                slope = _monomial(Monomial(monomial.coefficient * power, tuple(rest)), jet)
                result[factor] += outer * slope if slope is not None else outer * monomial.coefficient
    return result


def tanh_derivatives(z: Tensor, order: int) -> Tensor:
    """Derivatives 0 ... order of tanh at every entry of z, shape (order + 1, *z.shape).

    They are polynomials in w = tanh z: p_0 = w, p_{m+1} = p_m'(w) (1 - w^2).
    """
    w = torch.tanh(z)
    result = w.new_empty(order + 1, *z.shape)
    result[0] = w
    coefficients = [0.0, 1.0]
    for m in range(1, order + 1):
        slope = [power * c for power, c in enumerate(coefficients)][1:]
        coefficients = [*slope, 0.0, 0.0]
        for power, c in enumerate(slope):
            coefficients[power + 2] -= c
        result[m] = _horner(coefficients, w)
    return result


def _horner(coefficients: list[float], w: Tensor) -> Tensor:
    value = torch.full_like(w, coefficients[-1])
    for c in reversed(coefficients[:-1]):
        value.mul_(w).add_(c)
    return value


def _contract(left: Tensor, right: Tensor) -> Tensor:
    return torch.mul(left, right).sum(dim=-2)


def _bell_polynomial(term: BellTerm, jet: Tensor) -> Tensor:
    if (
        len(term.monomials) == 1
        and term.monomials[0].coefficient == 1.0
        and len(term.monomials[0].factors) == 1
    ):
        return jet[term.monomials[0].factors[0]]
    total: Tensor | None = None
    for monomial in term.monomials:
        value = _monomial(monomial, jet)
        assert value is not None, "a Bell polynomial has no constant term"
        total = value if total is None else total + value
    assert total is not None, "a channel without partitions"
    return total


def _monomial(monomial: Monomial, jet: Tensor) -> Tensor | None:
    """Return coefficient * product of channels, or None for a bare constant."""
    if not monomial.factors:
        return None
    value = jet[monomial.factors[0]]
    for factor in monomial.factors[1:]:
        value = value * jet[factor]
    return value if monomial.coefficient == 1.0 else value * monomial.coefficient

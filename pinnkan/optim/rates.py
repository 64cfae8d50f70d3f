"""Learning rates of the paper for the groups of an adapter's parameters.

Theorem 2 (Gao, Ng, Tan): with eta_0 of the core, eta_1, eta_2, eta_3 of U1, U2, U3,
training is efficient for eta_0 = Theta(1), eta_1 = Theta(1/n), eta_2 = Theta(1),
eta_3 = Theta(1/n_d), n the layer's width and n_d its number of basis functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pinnkan.ground.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from pinnkan.optim.optimizer import ParameterGroup

STRATEGIES: dict[str, tuple[float, float, float, float]] = {
    "LR-1": (1e-2, 2e-4, 1e-2, 1e-3),
    "LR-2": (3e-3, 3e-3, 3e-3, 3e-3),
    "LR-3": (1e-3, 1e-3, 1e-3, 1e-3),
    "LR-4": (2e-4, 1e-2, 1e-3, 1e-2),
}
"""(eta_0, eta_1, eta_2, eta_3) of the paper's four strategies."""

_THEOREM = "theorem2"
RATES = (_THEOREM, *STRATEGIES)
"""The names of all strategies."""

_SCALE = 1e-2
"""The constant of Theorem 2: with n = 64 and n_d = 8 it gives LR-1 up to rounding."""

_GROUPS = ("core", "u1", "u2", "u3")


def rates_for(
    groups: Sequence[ParameterGroup], strategy: str | Sequence[float], rate: float
) -> list[tuple[slice, float]]:
    """Return a learning rate for every group of parameters.

    Args:
        groups: Of an adapter or of a network in full, in the order of theta.
        strategy: ``theorem2``, ``LR-1`` ... ``LR-4`` or four rates.
        rate: Of every group that is no Tucker factor.

    Raises:
        UsageError: If the strategy is unknown or not four rates.
    """
    return [(group.where, _rate_of(group, strategy, rate)) for group in groups]


def _rate_of(group: ParameterGroup, strategy: str | Sequence[float], rate: float) -> float:
    if group.name not in _GROUPS:
        return rate
    inputs, _, functions = group.shape
    return _tucker_rates(strategy, inputs, functions)[_GROUPS.index(group.name)]


def _tucker_rates(strategy: str | Sequence[float], inputs: int, functions: int) -> Sequence[float]:
    if not isinstance(strategy, str):
        if len(strategy) != len(_GROUPS):
            raise UsageError(f"rates: expected four (eta_0, eta_1, eta_2, eta_3), found {len(strategy)}")
        return strategy
    if strategy == _THEOREM:
        return (_SCALE, _SCALE / inputs, _SCALE, _SCALE / functions)
    if strategy not in STRATEGIES:
        raise UsageError(
            f"rates: unknown strategy '{strategy}'; known: {', '.join(RATES)}{did_you_mean(strategy, RATES)}"
        )
    return STRATEGIES[strategy]

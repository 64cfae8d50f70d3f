"""Which lifts are too rough to be built in: with fewer continuous derivatives than the equation takes."""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from pinnkan.language.expressions import derivative_symbols, symbol
from pinnkan.language.expressions.questions.smoothness import breaks
from pinnkan.language.expressions.questions.switches import switches
from pinnkan.language.parameters import Parameter
from pinnkan.language.problem.spec import Problem
from pinnkan.physics.region import DomainRegion
from pinnkan.physics.seams import formula_gap


def taken_orders(problem: Problem) -> tuple[int, ...]:
    """Return how many derivatives the equations take in each coordinate, D numbers."""
    partials = [p for e in problem.equations for p in derivative_symbols(e.residual, problem.names).values()]
    indices = [partial.orders for partial in partials]
    return tuple(max((index[k] for index in indices), default=0) for k in range(len(problem.coordinates)))


class LiftSmoothness:
    """Tells which lifts of a problem are smooth enough to be built in, and remembers it for all values.

    Args:
        problem: The problem.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._orders = taken_orders(problem)
        self._smooth: dict[object, bool] = {}

    def fault(self, region: DomainRegion, lift: sympy.Expr, values: Mapping[str, float]) -> str | None:
        """Return why a lift of a condition's data cannot be built in, None if it is smooth enough.

        A kink in a lift stays in the solution for ever: no residual at a point sees the Dirac in its
        second derivative. In a coordinate that the equation takes no derivative in, a lift may even jump.

        Args:
            region: The closed domain.
            lift: The formula of the lift.
            values: The parameter values.
        """
        problem, orders = self._problem, self._orders
        needed = [order + 1 if order else 0 for order in orders]
        gap = formula_gap(lift, needed, region.domain, problem.names, values)
        if gap is not None:
            what = "a kink" if gap.order else "a jump"
            return (
                f"its values have {what} where the ends of the periodic coordinate {gap.coordinate} meet: "
                "built in, it would stay in the solution"
            )
        if self._is_smooth_at_all_values(region, lift):
            return None
        found = breaks(lift, problem.coordinates, region, self._asked, values)
        if not found:
            return None
        worst = found[0]
        order = orders[problem.coordinates.index(worst.coordinate)]
        count = "1 derivative" if order == 1 else f"{order} derivatives"
        return (
            f"its values have {worst.what}, and the equation takes {count} in {worst.coordinate}: "
            "built in, it would stay in the solution"
        )

    @property
    def _asked(self) -> list[int]:
        """Continuous derivatives that a lift needs in each coordinate; -1 where it may even jump."""
        return [order or -1 for order in self._orders]

    def _is_smooth_at_all_values(self, region: DomainRegion, lift: sympy.Expr) -> bool:
        """Tell whether a lift is smooth whatever the parameters are; asked once, for a sweep has many values.

        Where neither switches nor exponents depend on the parameters, the jump of a derivative at a
        place is an analytic function of them: zero at a value of no special kind, it is zero at all.
        """
        problem, key = self._problem, (lift, region.key)
        if key not in self._smooth:
            parameters = {symbol(parameter.name) for parameter in problem.parameters}
            exponents = [power.exp for power in lift.atoms(sympy.Pow)]
            deciding = [*(switch.function for switch in switches(lift)), *exponents]
            moving = any(expr.free_symbols & parameters for expr in deciding)
            usual = {parameter.name: _value_of_no_special_kind(parameter) for parameter in problem.parameters}
            self._smooth[key] = not moving and not breaks(
                lift, problem.coordinates, region, self._asked, usual, enough=1
            )
        return self._smooth[key]


def _value_of_no_special_kind(parameter: Parameter) -> float:
    """Return a value inside the range, or near the base value, that no formula singles out."""
    share = 0.38196601125
    if parameter.low is not None and parameter.high is not None:
        return parameter.low + share * (parameter.high - parameter.low)
    return parameter.base * (1 + share / 10) if parameter.base else share

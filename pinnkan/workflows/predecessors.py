"""Which adapter a value starts from under ``--start nearest``: fixed by the list of values alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence


def chain(values: Sequence[Mapping[str, float]], base: Mapping[str, float]) -> list[int | None]:
    """Return each value's predecessor: the nearest of the values that are nearer to the base than itself.

    Values are ordered by their distance to the base value, in units of each parameter's spread
    over the list; of those before it in this order (the base among them) a value takes the nearest. With one
    parameter that is its neighbour on the way to the base. The list's own order and what
    happens to be finished play no part.

    Args:
        values: Distinct parameter values, all with the same names.
        base: The base's values.

    Returns:
        For each value the index of its predecessor in ``values``, None for the base.
    """
    spreads = {name: max(abs(one[name] - base[name]) for one in values) or 1.0 for name in base}

    def distance(one: Mapping[str, float], other: Mapping[str, float]) -> float:
        return math.hypot(*((one[name] - other[name]) / spreads[name] for name in base))

    def rank(at: int) -> tuple[float, tuple[float, ...]]:
        return distance(values[at], base), tuple(values[at].values())

    order = sorted(range(len(values)), key=rank)
    found: list[int | None] = [None] * len(values)
    for place, at in enumerate(order):
        nearest = min(order[:place], key=lambda other: distance(values[at], values[other]), default=None)
        if nearest is not None and distance(values[at], values[nearest]) < distance(values[at], base):
            found[at] = nearest
    return found

"""Which adapter a value starts from under ``--start nearest``: fixed by the list of values alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pinnkan.storage.runs.identity import Identity
from pinnkan.storage.store import hash_arrays, read_store


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
    spreads = {name: max(abs(point[name] - base[name]) for point in values) or 1.0 for name in base}

    def distance(one: Mapping[str, float], other: Mapping[str, float]) -> float:
        return math.hypot(*((one[name] - other[name]) / spreads[name] for name in base))

    def rank(at: int) -> tuple[float, tuple[float, ...]]:
        return distance(values[at], base), tuple(values[at].values())

    order = sorted(range(len(values)), key=rank)
    found: list[int | None] = [None] * len(values)
    for place, index in enumerate(order):
        nearest = min(order[:place], key=lambda other: distance(values[index], values[other]), default=None)
        if nearest is not None and distance(values[index], values[nearest]) < distance(values[index], base):
            found[index] = nearest
    return found


def predecessors_of(asked: Sequence[Identity]) -> list[int | None]:
    """Return the predecessors of results that are asked for, see `chain`."""
    return chain(
        [identity.values for identity in asked],
        {parameter.name: parameter.base for parameter in asked[0].problem.parameters},
    )


def followers_of(predecessors: Sequence[int | None]) -> dict[int | None, list[int]]:
    """Return who starts from each value, and from the base (None)."""
    followers: dict[int | None, list[int]] = {}
    for index, predecessor in enumerate(predecessors):
        followers.setdefault(predecessor, []).append(index)
    return followers


def started_from(identity: Identity, values: Mapping[str, float], path: Path | None) -> Identity:
    """Return what a result is that starts from the adapter of other values.

    Args:
        identity: The result without its start.
        values: Of the adapter.
        path: Its file; None where it is not trained yet: no result has such a start.

    Raises:
        DamagedFileError: If the file is damaged or foreign.
    """
    weights = None if path is None else hash_arrays(read_store(path, kind="adapter").arrays)
    return replace(identity, start={"values": dict(values), "hash": weights})

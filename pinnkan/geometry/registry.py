"""The shapes by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from pinnkan.geometry import ball, box, disk, interval, point
from pinnkan.geometry.shape import Shape, ShapeEntries, ShapeKind
from pinnkan.ground.errors import UsageError, did_you_mean

SHAPES: dict[str, ShapeKind] = {
    "interval": interval.KIND,
    "box": box.KIND,
    "disk": disk.KIND,
    "ball": ball.KIND,
    "point": point.KIND,
}


def make_shape(
    name: str,
    axes: Sequence[str],
    numbers: Mapping[str, float | Sequence[float]],
    periodic: Sequence[str] = (),
    members: Mapping[str, Shape] = MappingProxyType({}),
) -> Shape:
    """Build a shape from what a problem file says, e.g. ``("disk", ("x", "y"), {"radius": 1})``.

    Args:
        name: A key of ``SHAPES``.
        axes: Names of the space coordinates.
        numbers: One number or a list of numbers per key of the shape.
        periodic: Names of the coordinates that are periodic.
        members: The shapes that it is made of, by their keys.

    Raises:
        UsageError: If the shape is unknown or does not fit the coordinates, a
            key is unknown, missing or of the wrong length, or the domain is empty.
    """
    if name not in SHAPES:
        raise UsageError(
            f"domain.shape: expected one of {', '.join(SHAPES)}, found '{name}'"
            f"{did_you_mean(name, tuple(SHAPES))}"
        )
    kind = SHAPES[name]
    if kind.dimension not in (None, len(axes)):
        raise UsageError(
            f"domain.shape: '{name}' needs {kind.dimension} space coordinate"
            f"{'' if kind.dimension == 1 else 's'}, "
            f"found {len(axes)}: {', '.join(axes)}"
        )
    entries = kind.entries(tuple(axes))
    lists = {key: _numbers(value) for key, value in numbers.items()}
    for key in lists:
        if key not in entries:
            raise UsageError(
                f"domain: unknown key '{key}' of a {name}; expected {', '.join(entries)}"
                f"{did_you_mean(key, tuple(entries))}"
            )
    for key, length in entries.items():
        if key not in lists and key not in kind.optional:
            raise UsageError(f"domain: a {name} needs the key '{key}'")
        if key in lists and len(lists[key]) != length:
            plural = "s" if length > 1 else ""
            raise UsageError(f"domain: {key}: expected {length} number{plural}, found {len(lists[key])}")
    return kind.build(ShapeEntries(tuple(axes), lists, periodic, members))


def _numbers(value: float | Sequence[float]) -> Sequence[float]:
    return value if isinstance(value, Sequence) else (value,)

"""The block ``domain`` and the interval of time: read from a file, then built at one parameter value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy

from pinnkan.geometry import SHAPES, Domain, ExtentFault, Shape, make_shape
from pinnkan.ground.errors import ProblemError, UsageError, quote
from pinnkan.language.expressions import substitute
from pinnkan.language.problem.declarations import Declared, as_number, time_entries
from pinnkan.language.problem.formulas import read_formula
from pinnkan.language.problem.spec import Problem, StatedShape
from pinnkan.language.reading.fields import (
    read_block,
    read_list,
    read_text,
    refuse_unknown_keys,
    require,
    suggest,
)
from pinnkan.language.reading.nodes import Block, Listing, Node, Scalar
from pinnkan.language.reading.places import Faults, Place

_ROOT, _PERIODIC = "domain", "periodic"
_EXAMPLE = "{shape: disk, center: [0, 0], radius: 1}"
_NOT_YET = (
    "annulus", "cylinder", "difference", "ellipse", "ellipsoid", "intersection", "l-shape", "mesh", "polygon",
    "ring", "sphere", "torus", "triangle", "union",
)  # fmt: skip


def read_shape(root: Block, declared: Declared, used: set[str], faults: Faults) -> StatedShape | None:
    """Read ``domain``; the names that its numbers mention are added to ``used``.

    A problem in time alone has none: its space is a point.
    """
    if not declared.space and root.get("domain") is None:
        return StatedShape("point", {}, root.place)
    node = require(root, _ROOT, "", root.place, faults, example=_EXAMPLE)
    return None if node is None else _read_stated(node, _ROOT, declared, used, faults)


def _read_stated(
    node: Node, path: str, declared: Declared, used: set[str], faults: Faults
) -> StatedShape | None:
    """Read a shape and those that it is made of; each is a block of its own."""
    block = read_block(node, path, faults, example=_EXAMPLE)
    kind = None if block is None else _read_kind(block, path, declared.space, faults)
    if block is None or kind is None:
        return None
    row, entries = SHAPES[kind], SHAPES[kind].entries(declared.space)
    able = path == _ROOT and (row.may_be_periodic or block.get(_PERIODIC) is not None)
    keys = ("shape", *entries, *row.members, *([_PERIODIC] if able else []))
    refuse_unknown_keys(block, keys, path, faults)
    periodic = _read_periodic(block, kind, declared, faults) if able else ()
    numbers: dict[str, tuple[sympy.Expr, ...]] = {}
    for key, count in entries.items():
        value = block.get(key)
        if value is not None:
            read = read_numbers(value, f"{path}.{key}", count, declared, used, faults)
            numbers.update({} if read is None else {key: read})
        elif key not in row.optional:
            sample = "1" if count == 1 else f"[{', '.join('012'[:count])}]"
            message = f"{path}: {_article(kind)} needs the key '{key}', for example {key}: {sample}"
            faults.add(block.place, message)
    members: dict[str, StatedShape] = {}
    for key in row.members:
        inner = require(block, key, path, block.place, faults, example=_EXAMPLE)
        member = None if inner is None else _read_stated(inner, f"{path}.{key}", declared, used, faults)
        members.update({} if member is None else {key: member})
    if any(key not in numbers and key not in row.optional for key in entries) or len(members) < len(
        row.members
    ):
        return None
    places = {name.text: value.place for name, value in block.entries}
    return StatedShape(kind, numbers, block.place, periodic, places, members)


def _read_periodic(block: Block, kind: str, declared: Declared, faults: Faults) -> tuple[str, ...]:
    """Read ``periodic``: the name of a space coordinate, or a list of names."""
    node, path = block.get(_PERIODIC), f"{_ROOT}.{_PERIODIC}"
    if node is None or _PERIODIC in SHAPES[kind].entries(declared.space):
        return ()
    if not SHAPES[kind].may_be_periodic:
        able = " or ".join(name for name in _stated_shapes() if SHAPES[name].may_be_periodic)
        message = f"{path}: {_article(kind)} has no periodic coordinates; they need the shape {able}"
        faults.add(node.place, message)
        return ()
    example = declared.space[0]
    items = (node,) if isinstance(node, Scalar) else read_list(node, path, faults, example=f"[{example}]")
    if items == ():
        faults.add(node.place, f"{path}: expected at least one coordinate, got an empty list")
    names: list[str] = []
    for item in items or ():
        name = read_text(item, path, faults)
        fault = None if name is None else _fault_of_periodic(name, names, declared)
        if fault is not None:
            faults.add(item.place, f"{path}: {fault}")
        elif name is not None:
            names.append(name)
    return tuple(name for name in declared.space if name in names)


def _fault_of_periodic(name: str, before: Sequence[str], declared: Declared) -> str | None:
    """Say why a name is not that of one more periodic coordinate; None if it is."""
    if name in before:
        return f"{quote(name)} is named twice"
    if name in declared.space:
        return None
    if name == declared.time:
        return f"{quote(name)} is time, which runs forward; only space coordinates are periodic"
    expected = f"expected {'one of ' if len(declared.space) > 1 else ''}{', '.join(declared.space)}"
    return f"{quote(name)} is no space coordinate; {expected}{suggest(name, declared.space)}"


def _read_kind(block: Block, path: str, axes: tuple[str, ...], faults: Faults) -> str | None:
    """Read the shape's name, which must fit the number of space coordinates."""
    node = require(block, "shape", path, block.place, faults, example="box")
    kind = None if node is None else read_text(node, f"{path}.shape", faults)
    if node is None or kind is None:
        return None
    if kind not in _stated_shapes():
        faults.add(node.place, f"{path}.shape: {_unknown_shape(kind)}")
        return None
    needed = SHAPES[kind].dimension
    if needed is not None and needed != len(axes):
        wanted = f"{needed} space coordinate{'s' if needed > 1 else ''}"
        found = f"{len(axes)}: {', '.join(axes)}"
        faults.add(node.place, f"{path}.shape: {_article(kind)} needs {wanted}, found {found}")
        return None
    return kind


def _stated_shapes() -> tuple[str, ...]:
    """Return the shapes that a file may name: those with an extent."""
    return tuple(name for name, kind in SHAPES.items() if kind.dimension != 0)


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _unknown_shape(kind: str) -> str:
    shapes = _stated_shapes()
    known = ", ".join(shapes)
    if kind.lower() in _NOT_YET:
        return f"the shape {quote(kind)} is not supported yet; supported are {known}"
    return f"unknown shape {quote(kind)}; expected one of {known}{suggest(kind, shapes)}"


def read_interval(
    root: Block, declared: Declared, used: set[str], faults: Faults
) -> tuple[sympy.Expr, sympy.Expr] | None:
    """Read first and last time."""
    node = root.get("time")
    if declared.time is None or not isinstance(node, Block):
        return None
    ends = read_numbers(time_entries(node)[0][1], f"time.{declared.time}", 2, declared, used, faults)
    return None if ends is None else (ends[0], ends[1])


def read_numbers(
    node: Node, path: str, count: int, declared: Declared, used: set[str], faults: Faults
) -> tuple[sympy.Expr, ...] | None:
    """Read numbers that may depend on the parameters."""
    items: tuple[Node, ...] | None = (node,)
    if count > 1 or isinstance(node, Listing):
        items = read_list(node, path, faults, example="[0, 1]" if count == 2 else "[0, 0, 0]")
    if items is None:
        return None
    if len(items) != count:
        faults.add(node.place, f"{path}: expected {count} number{'s' if count > 1 else ''}, got {len(items)}")
        return None
    names = declared.parameters_only()
    values = []
    for item in items:
        formula = read_formula(item, path, faults)
        value = formula.symbolic(names, faults, path) if formula else None
        if formula is not None:
            used |= formula.mentions(names)
        if value is not None and not value.free_symbols and as_number(value) is None:
            faults.add(item.place, f"{path}: expected a finite number")
            value = None
        values.append(value)
    return None if None in values else tuple(values)


def check_at_base(
    root: Block,
    declared: Declared,
    shape: StatedShape | None,
    interval: tuple[sympy.Expr, sympy.Expr] | None,
    faults: Faults,
) -> Shape | None:
    """Build shape and interval at the base value; note an empty domain where its numbers are written."""
    base = {parameter.name: parameter.base for parameter in declared.parameters}
    space = None
    if shape is not None:
        try:
            space = build_shape(shape, declared.space, base)
        except _Misfit as fault:
            faults.add(fault.place, str(fault))
    time = root.get("time")
    if interval is not None and isinstance(time, Block):
        start, end = (number_at(value, base) for value in interval)
        if not start < end:
            node = time_entries(time)[0][1]
            found = f"expected start < end, got [{start:g}, {end:g}] (empty)"
            faults.add(
                node.place, f"time: {declared.time}: {found}{_backwards(declared) if end < start else ''}"
            )
    return space


def _backwards(declared: Declared) -> str:
    """Say how a terminal condition is written."""
    t, u = declared.time, declared.unknowns[0]
    return (
        "; time runs forward: a condition at the last time is an initial one in the time left, "
        f"tau = T - {t}, with {u}_{t} = -{u}_tau"
    )


def number_at(expression: sympy.Expr, values: Mapping[str, float]) -> float:
    """Return the value of an expression in the parameters; not a number where it has no real value."""
    if expression.free_symbols:
        expression = substitute(expression, {s: sympy.Float(values[s.name]) for s in expression.free_symbols})
    number = as_number(expression)
    return float("nan") if number is None else number


class _Misfit(UsageError):
    """Numbers that make no shape, and the place of the guilty one."""

    def __init__(self, fault: UsageError, place: Place) -> None:
        self.place = place
        super().__init__(str(fault))


def build_shape(stated: StatedShape, axes: tuple[str, ...], values: Mapping[str, float]) -> Shape:
    """Return the shape at one parameter value, its members first.

    Raises:
        UsageError: If it is empty there.
    """
    members = {key: build_shape(member, axes, values) for key, member in stated.members.items()}
    numbers = {key: [number_at(entry, values) for entry in row] for key, row in stated.numbers.items()}
    try:
        return make_shape(stated.kind, axes, numbers, stated.periodic, members)
    except ExtentFault as fault:
        raise _Misfit(fault, stated.places.get(fault.key, stated.place)) from None
    except UsageError as fault:
        raise _Misfit(fault, stated.place) from None


def build_domain(problem: Problem, values: Mapping[str, float], *, time_scale: float) -> Domain:
    """Return the domain of a problem at one parameter value.

    Args:
        problem: What the file states.
        values: The parameter values.
        time_scale: The time within which the solution changes at the start.

    Raises:
        ProblemError: If it is empty there.
    """
    stated, interval = problem.domain.shape, problem.domain.interval
    time = None if interval is None else (number_at(interval[0], values), number_at(interval[1], values))
    try:
        shape = build_shape(stated, problem.space, values)
        return Domain(shape=shape, coordinates=problem.coordinates, time=time, time_scale=time_scale)
    except UsageError as error:
        place = error.place if isinstance(error, _Misfit) else stated.place
        where = ", ".join(f"{name} = {value:.12g}" for name, value in values.items())
        suffix = f" at {where}" if where else ""
        raise ProblemError([place.render(f"{error}{suffix}")]) from None

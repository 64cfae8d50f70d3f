"""The lists ``boundary`` and ``initial``: conditions with their parts, their ``where`` and their options."""

from __future__ import annotations

import re

from pinnkan.geometry import Shape
from pinnkan.ground.errors import UsageError, quote
from pinnkan.language.problem.formulas import read_formula
from pinnkan.language.problem.spec import Condition, StatedPortion
from pinnkan.language.problem.statements import SOURCE, StatementReader, as_block
from pinnkan.language.reading.fields import (
    describe,
    read_flag,
    read_list,
    read_text,
    refuse_unknown_keys,
    require,
)
from pinnkan.language.reading.nodes import Block, Listing, Node, Scalar
from pinnkan.language.reading.places import Faults, Place

_CONDITION_KEYS = {
    "boundary": ("on", "where", "equation", "hard", "weight", "name"),
    "initial": ("equation", "hard", "weight", "name"),
}


def read_conditions(
    reader: StatementReader, root: Block, key: str, shape: Shape | None
) -> tuple[Condition, ...]:
    """Read the list ``boundary`` or ``initial``."""
    node = root.get(key)
    if node is None:
        return ()
    if key == "boundary" and not reader.declared.space:
        reader.faults.add(
            node.place,
            "boundary: a problem in time alone has none; state under initial what holds at first",
        )
        return ()
    if key == "initial" and reader.declared.time is None:
        reader.faults.add(
            node.place, "initial: the problem has no time; add time: {t: [0, 1]} or drop the condition"
        )
        return ()
    items = (node,) if isinstance(node, Scalar) else read_list(node, key, reader.faults, example='["u = 0"]')
    conditions: list[Condition] = []
    for index, item in enumerate(items or ()):
        for condition in _conditions(reader, item, key, f"{key}[{index}]", shape):
            _take_names(reader, condition, item.place, f"{key}[{index}]")
            conditions.append(condition)
    return tuple(conditions)


def _take_names(reader: StatementReader, condition: Condition, place: Place, path: str) -> None:
    """Refuse a name that another set of points has: training, errors and the ansatz go by names."""
    several = condition.parts if len(condition.parts) > 1 else ()
    names = [condition.name, *(f"{condition.name}.{part}" for part in several)]
    if clash := next((name for name in names if name in reader.taken), None):
        reader.faults.add(place, f"{path}: the name {quote(clash)} is taken")
    reader.taken.update(names)


def _conditions(
    reader: StatementReader, node: Node, key: str, path: str, shape: Shape | None
) -> list[Condition]:
    """Read one entry, a text or a block with ``equation`` and its options: a condition a component."""
    if isinstance(node, Listing):
        found = describe(node)
        reader.faults.add(node.place, f"{path}: expected an equation or a block of keys, got {found}")
        return []
    block = as_block(node)
    if key == "boundary" and _ties_places(reader, block, path):
        return []
    refuse_unknown_keys(block, _CONDITION_KEYS[key], path, reader.faults)
    text = require(block, "equation", path, block.place, reader.faults, example="u = 0")
    formula = None if text is None else read_formula(text, path, reader.faults, equation=True)
    residuals = None if formula is None else reader.residuals(formula, path, normal=key == "boundary")
    parts = _parts(reader, block, path, shape) if key == "boundary" else ()
    portion = _portion(reader, block, path) if key == "boundary" else None
    name, hard, weight = _options(reader, block, path)
    if reader.manufactured is not None and any(r.has(SOURCE) for r in (residuals or {}).values()):
        message = f"{path}: a manufactured source is that of an equation; a condition takes exact"
        reader.faults.add(block.place, message)
        return []
    if formula is None or residuals is None or parts is None or name is None or weight is None:
        return []
    place = formula.node.place
    return [
        Condition(
            f"{name}{suffix}",
            formula.text,
            place,
            residual,
            parts,
            hard,
            weight=weight,
            portion=portion,
        )
        for suffix, residual in residuals.items()
    ]


def _portion(reader: StatementReader, block: Block, path: str) -> StatedPortion | None:
    """Read ``where``, which narrows the parts to the points at which it holds."""
    node = block.get("where")
    formula = None if node is None else read_formula(node, f"{path}.where", reader.faults, condition=True)
    if formula is None:
        return None
    reader.used |= formula.mentions(reader.names())
    indicator = formula.symbolic(reader.names(with_unknown=False), reader.faults, f"{path}.where")
    named = block.get("on") is not None
    return None if indicator is None else StatedPortion(formula.text, indicator, named)


def _ties_places(reader: StatementReader, block: Block, path: str) -> bool:
    """Refuse ``periodic`` and ``u(left) = u(right)`` as conditions, with the key to write."""
    remedy = f"write periodic: {' or '.join(reader.declared.space)} under domain"
    for key, value in block.entries:
        text = value.text if isinstance(value, Scalar) else ""
        if key.text == "periodic" or re.match(r"\s*periodic\b", text):
            place = key.place if key.text == "periodic" else value.place
            reader.faults.add(place, f"{path}: periodic is a property of the domain: {remedy}")
            return True
        if key.text == "equation" and _compares_places(reader, text):
            u = reader.declared.unknowns[0]
            message = (
                f"{path}: a condition holds at each point by itself and takes no value of {u} from "
                f"elsewhere; where {u} is the same at both ends, {remedy} (a product: {u}*(...))"
            )
            reader.faults.add(value.place, message)
            return True
    return False


def _compares_places(reader: StatementReader, text: str) -> bool:
    """Tell whether both sides of an equation hold an unknown, once as ``u(...)`` or ``u.left``."""
    u = f"(?:{'|'.join(map(re.escape, reader.declared.unknowns))})"
    left, equals, right = text.partition("=")
    at_a_place = rf"\b{u}(_\w+)?\s*\(|\b{u}(_[a-z]+)?[._](left|right|bottom|top|front|back)\b"
    both = all(re.search(rf"\b{u}(_\w+)?\b", side) for side in (left, right))
    places = [match.group() for match in re.finditer(at_a_place, text)]
    return bool(equals) and both and any(place not in reader.declared.declarations for place in places)


def _options(
    reader: StatementReader, block: Block, path: str
) -> tuple[str | None, bool | None, float | None]:
    """Read name, hard and weight; a name or weight that was refused is None."""
    hard, weight = block.get("hard"), block.get("weight")
    is_hard = None if hard is None else _hard(reader, hard, f"{path}.hard")
    if is_hard and weight is not None:
        message = f"{path}.weight: a hard condition has no weight; drop one of the two"
        reader.faults.add(weight.place, message)
    return reader.read_name(block, path), is_hard, reader.read_weight(block, path)


def _hard(reader: StatementReader, node: Node, path: str) -> bool | None:
    if isinstance(node, Scalar) and node.text == "auto":
        return None
    trial = Faults()
    value = read_flag(node, path, trial)
    if trial:
        reader.faults.add(node.place, f"{path}: expected true, false or auto, got {describe(node)}")
    return value


def _parts(reader: StatementReader, block: Block, path: str, shape: Shape | None) -> tuple[str, ...] | None:
    """Resolve ``on`` to canonical parts; all of them where it is left out."""
    if shape is None:
        return None
    if shape.periodic and not shape.parts:
        names, verb = ", ".join(shape.periodic), "is" if len(shape.periodic) == 1 else "are"
        node = block.get("on")
        if node is None or (isinstance(node, Scalar) and node.text == "all"):
            message = f"{path}: no side is left for a condition: {names} {verb} periodic"
            reader.faults.add(block.place, message)
            return None
    node = block.get("on")
    if node is None:
        return shape.parts
    items = (
        (node,)
        if isinstance(node, Scalar)
        else read_list(node, f"{path}.on", reader.faults, example="[left, right]")
    )
    found: list[str] = []
    for item in items or ():
        name = read_text(item, f"{path}.on", reader.faults)
        try:
            found.extend(shape.resolve_part(name) if name is not None else ())
        except UsageError as error:
            reader.faults.add(item.place, f"{path}.on: {str(error).removeprefix('boundary: ')}")
    return tuple(part for part in shape.parts if part in found) or None

"""The names that a problem declares, and their clashes: coordinates, unknowns, parameters, definitions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import sympy

from pinnkan.ground.errors import quote
from pinnkan.language.expressions import RESERVED, ExpressionFault, Names, symbol, to_value
from pinnkan.language.expressions.audit import constant_value
from pinnkan.language.parameters import Parameter, parse_number
from pinnkan.language.problem.formulas import Formula, read_formula
from pinnkan.language.reading.fields import (
    describe,
    read_block,
    read_list,
    read_text,
    refuse_unknown_keys,
    require,
)
from pinnkan.language.reading.nodes import Block, Node, Scalar
from pinnkan.language.reading.places import Faults, Place

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_OUR_NAMES = {"exact": "the exact solution", "source": "the source term"}


@dataclass(frozen=True)
class Declaration:
    """What a name was declared as, and where."""

    kind: str
    place: Place


@dataclass
class Declared:
    """Names in the order they are declared, each with its place and what it stands for."""

    space: tuple[str, ...] = ()
    time: str | None = None
    unknowns: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    definitions: dict[str, Formula] = field(default_factory=dict)
    sound: bool = True
    """Whether coordinates, time and unknowns were read without a fault."""
    broken: set[str] = field(default_factory=set)
    """Definitions with a fault of their own; what mentions them is not blamed for it."""
    declarations: dict[str, Declaration] = field(default_factory=dict)

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Time first."""
        return ((self.time,) if self.time else ()) + self.space

    def names(self, extra: Mapping[str, sympy.Expr] | None = None, *, with_unknown: bool = True) -> Names:
        """Return what an expression may mention."""
        return Names(
            space=self.space,
            time=self.time,
            unknowns=self.unknowns if with_unknown else (),
            parameters=tuple(parameter.name for parameter in self.parameters),
            definitions={name: formula.tree for name, formula in self.definitions.items()},
            extra={**{name: symbol(name) for name in self.broken}, **(extra or {})},
        )

    @property
    def ours(self) -> dict[str, sympy.Symbol]:
        """Symbols for the names that the keys of a file stand for: ``exact``, ``exact.u``, ``source``."""
        dotted = [f"exact.{name}" for name in self.unknowns]
        return {name: symbol(name.replace(".", "_")) for name in (*_OUR_NAMES, *dotted)}

    def parameters_only(self) -> Names:
        """Return what the numbers of the domain may mention."""
        parameters = tuple(parameter.name for parameter in self.parameters)
        return Names(space=(), time=None, unknowns=(), parameters=parameters, definitions={}, extra={})

    def declare(
        self, name: str, kind: str, place: Place, faults: Faults, *, pattern: re.Pattern[str] = _NAME
    ) -> bool:
        """Note a name; refuse it if it is malformed, taken, or a word of the language."""
        if not pattern.fullmatch(name):
            signs = "letters, digits and _" if pattern is _NAME else "letters and digits"
            faults.add(place, f"{kind} {quote(name)}: a name starts with a letter and holds {signs}")
            return False
        taken = self._taken_by(name)
        if taken:
            faults.add(place, f"{kind} {quote(name)}: the name is taken by {taken}; choose another")
            return False
        self.declarations[name] = Declaration(kind, place)
        return True

    def _taken_by(self, name: str) -> str:
        if name in RESERVED:
            return "the expression language"
        if name in _OUR_NAMES:
            return _OUR_NAMES[name]
        former = self.declarations.get(name)
        if former is not None:
            return f"the {former.kind} in line {former.place.line}"
        return self._derivative_meaning(name)

    def _derivative_meaning(self, name: str) -> str:
        letters = "|".join(map(re.escape, self.coordinates))
        if not letters:
            return ""
        for unknown in self.unknowns:
            if re.fullmatch(rf"{unknown}_({letters})+", name):
                return f"a derivative of the unknown {unknown}"
        if re.fullmatch(rf"d({letters})+", name):
            return "a derivative operator"
        return "a component of the normal" if re.fullmatch(rf"n_({letters})", name) else ""


def read_declarations(root: Block, faults: Faults) -> Declared:
    """Read ``coordinates``, ``time`` (its name), ``unknowns``, ``family`` and ``definitions``.

    Definitions are not looked into when a coordinate or the unknown is missing: every
    mention of it would be one more fault.
    """
    declared = Declared()
    before = len(faults)
    _read_space(root, declared, faults)
    _read_time_name(root, declared, faults)
    _read_unknowns(root, declared, faults)
    declared.sound = len(faults) == before
    _read_family(root, declared, faults)
    if not declared.sound:
        return declared
    _read_definitions(root, declared, faults)
    _refuse_cycles(declared, faults)
    _try_definitions(declared, faults)
    return declared


def _read_space(root: Block, declared: Declared, faults: Faults) -> None:
    """Read ``coordinates``, which a problem in time alone goes without, as without ``domain``."""
    if root.get("coordinates") is None and root.get("domain") is None and root.get("time") is not None:
        return
    node = require(root, "coordinates", "", root.place, faults, example="[x, y]")
    if node is None:
        return
    items = (node,) if isinstance(node, Scalar) else read_list(node, "coordinates", faults, example="[x, y]")
    names = []
    for item in items or ():
        name = read_text(item, "coordinates", faults)
        if name is not None and declared.declare(name, "coordinate", item.place, faults, pattern=_WORD):
            names.append(name)
    if items == ():
        faults.add(node.place, "coordinates: expected at least one name, got an empty list")
    declared.space = tuple(names)


WINDOWS = "windows"
"""The key of ``time`` beside its name: how the interval is cut."""


def time_entries(block: Block) -> list[tuple[Scalar, Node]]:
    """Return the entries of ``time`` but `WINDOWS`, which is itself a name where it stands alone."""
    return [entry for entry in block.entries if entry[0].text != WINDOWS or len(block.entries) == 1]


def _read_time_name(root: Block, declared: Declared, faults: Faults) -> None:
    node = root.get("time")
    block = None if node is None else read_block(node, "time", faults, example="{t: [0, 1]}")
    if block is None:
        return
    entries = time_entries(block)
    if len(entries) != 1:
        faults.add(
            block.place,
            f"time: expected one name, for example {{t: [0, 1]}}, and '{WINDOWS}' if there are any; "
            f"got {', '.join(quote(name.text) for name, _ in block.entries) or 'nothing'}",
        )
        return
    key = entries[0][0]
    if declared.declare(key.text, "time coordinate", key.place, faults, pattern=_WORD):
        declared.time = key.text


def _read_unknowns(root: Block, declared: Declared, faults: Faults) -> None:
    node = require(root, "unknowns", "", root.place, faults, example="u, or [u, v]")
    if node is None:
        return
    items = (node,) if isinstance(node, Scalar) else read_list(node, "unknowns", faults, example="[u, v]")
    if items == ():
        faults.add(node.place, "unknowns: expected one name at least, for example u or [u, v]")
    for item in items or ():
        name = read_text(item, "unknowns", faults)
        if name is not None and declared.declare(name, "unknown", item.place, faults, pattern=_WORD):
            declared.unknowns += (name,)


def _read_family(root: Block, declared: Declared, faults: Faults) -> None:
    node = root.get("family")
    block = None if node is None else read_block(node, "family", faults, example="{lambda: {base: 0}}")
    parameters = []
    for key, value in block.entries if block else ():
        if declared.declare(key.text, "parameter", key.place, faults):
            parameter = _read_parameter(key.text, value, faults)
            parameters.append(parameter or Parameter(key.text, 0.0))
    declared.parameters = tuple(parameters)


def _read_parameter(name: str, node: Node, faults: Faults) -> Parameter | None:
    path = f"family.{name}"
    if isinstance(node, Scalar):
        base = read_constant(node, path, faults)
        return None if base is None else Parameter(name, base)
    block = read_block(node, path, faults, example="{base: 0, range: [0, 2]}")
    if block is None:
        return None
    refuse_unknown_keys(block, ("base", "range"), path, faults)
    base_node = require(block, "base", path, block.place, faults, example="0")
    base = None if base_node is None else read_constant(base_node, f"{path}.base", faults)
    ends = block.get("range")
    low, high = (None, None) if ends is None else _read_range(ends, f"{path}.range", faults)
    if base is None:
        return None
    parameter = Parameter(name, base, low, high)
    if not parameter.covers(base) and base_node is not None:
        faults.add(base_node.place, f"{path}.base: {base:g} is outside the range [{low:g}, {high:g}]")
    return parameter


def _read_range(node: Node, path: str, faults: Faults) -> tuple[float | None, float | None]:
    items = read_list(node, path, faults, example="[0, 2]")
    if items is None:
        return None, None
    if len(items) != 2:
        faults.add(node.place, f"{path}: expected two numbers [low, high], got {len(items)}")
        return None, None
    low, high = (read_constant(item, path, faults) for item in items)
    if low is not None and high is not None and not low < high:
        faults.add(node.place, f"{path}: expected low < high, got [{low:g}, {high:g}]")
        return None, None
    return low, high


def read_constant(node: Node, path: str, faults: Faults) -> float | None:
    """Read a number, or an expression without names such as ``0.01/pi``."""
    value = parse_number(node.text) if isinstance(node, Scalar) else None
    if value is not None:
        return value
    trial = Faults()
    formula = read_formula(node, path, trial) if isinstance(node, Scalar) else None
    constants = Names(space=(), time=None, unknowns=(), parameters=(), definitions={}, extra={})
    expression = formula.symbolic(constants, trial, path) if formula else None
    number = None if expression is None else as_number(expression)
    if number is None:
        faults.add(node.place, f"{path}: expected a number, got {describe(node)}")
    return number


def as_number(expression: sympy.Expr) -> float | None:
    """Return the finite real value of an expression without symbols, None if it has none."""
    try:
        return constant_value(expression)
    except ExpressionFault:
        return None


def _read_definitions(root: Block, declared: Declared, faults: Faults) -> None:
    node = root.get("definitions")
    block = None if node is None else read_block(node, "definitions", faults, example="{r: sqrt(x^2 + y^2)}")
    for key, value in block.entries if block else ():
        formula = read_formula(value, f"definitions.{key.text}", faults)
        if declared.declare(key.text, "definition", key.place, faults):
            if formula is None:
                declared.broken.add(key.text)
            else:
                declared.definitions[key.text] = formula


def _refuse_cycles(declared: Declared, faults: Faults) -> None:
    """Note every definition that leads back to itself, and take it out."""
    names = declared.names()
    uses = {name: formula.mentions(names) for name, formula in declared.definitions.items()}
    for name in uses:
        reached: set[str] = set()
        pending = [name]
        while pending:
            new = (uses.get(pending.pop(), set()) & uses.keys()) - reached
            reached |= new
            pending.extend(new)
        if name in reached:
            declared.broken.add(name)
            faults.add(declared.declarations[name].place, f"definition {quote(name)} depends on itself")
    for name in declared.broken:
        declared.definitions.pop(name, None)


def _try_definitions(declared: Declared, faults: Faults) -> None:
    """Translate every definition by itself, so that its faults show at its own text."""
    ours = declared.ours
    for name, formula in list(declared.definitions.items()):
        try:
            to_value(formula.tree, declared.names(ours), normal=True)
        except ExpressionFault as fault:
            declared.broken.add(name)
            if not fault.message.startswith(
                "in definition "
            ):  # else the fault is in another definition's text
                place = formula.node.part(fault.start, fault.end)
                faults.add(place, f"definitions.{name}: {fault.message}")
    for name in declared.broken:
        declared.definitions.pop(name, None)

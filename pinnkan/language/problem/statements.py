"""Equations, conditions, ``exact`` and ``source``: formulas in the names of a problem, checked one by one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import sympy

from pinnkan.geometry import Shape
from pinnkan.ground.errors import UsageError, quote
from pinnkan.language.expressions import (
    Names,
    component_names,
    derivative_symbols,
    entries,
    partial_derivative,
    substitute,
    substitute_unknowns,
    symbol,
    total_derivative,
)
from pinnkan.language.expressions.questions.ramps import has_ramps
from pinnkan.language.expressions.questions.switches import switches
from pinnkan.language.expressions.symbolic import Differentiation
from pinnkan.language.problem.declarations import Declared
from pinnkan.language.problem.formulas import Formula, mentions_inside_call, read_formula
from pinnkan.language.problem.spec import Condition, Derived, Equation, StatedPortion
from pinnkan.language.reading.fields import (
    describe,
    read_flag,
    read_list,
    read_number,
    read_text,
    refuse_unknown_keys,
    require,
)
from pinnkan.language.reading.nodes import Block, Listing, Node, Scalar
from pinnkan.language.reading.places import Faults, Place

SOURCE = symbol("source")
MANUFACTURED = "manufactured"
_CONDITION_KEYS = {
    "boundary": ("on", "where", "equation", "hard", "weight", "name"),
    "initial": ("equation", "hard", "weight", "name"),
}
_EQUATION_KEYS = ("equation", "name", "weight")

_RESERVED = ("interior", "held_out", "samples")
"""Names of sets that belong to no condition."""


@dataclass
class StatementReader:
    """Reads the statements of a file; knows which names they mention and which they have taken."""

    declared: Declared
    faults: Faults
    used: set[str] = field(default_factory=set)
    extra: dict[str, sympy.Expr] = field(default_factory=dict)
    exact: dict[str, sympy.Expr] = field(default_factory=dict)
    manufactured: Place | None = None
    taken: set[str] = field(default_factory=lambda: set(_RESERVED))
    derived: list[Derived] = field(default_factory=list)

    def names(self, *, with_unknown: bool = True) -> Names:
        """Return what a formula may mention so far."""
        return self.declared.names(self.extra, with_unknown=with_unknown)

    def read_data(self, root: Block) -> None:
        """Read ``exact``, then ``source``, which may mention it; the names become known to what follows."""
        node = root.get("exact")
        if node is not None:
            self._read_exact(node)
        source = root.get("source")
        if isinstance(source, Scalar) and source.text == MANUFACTURED:
            self.manufactured = source.place
            self.extra["source"] = SOURCE
            if node is None:
                self.faults.add(
                    source.place, "source: manufactured needs the exact solution: add the key 'exact'"
                )
        elif source is not None:
            self._data(source, "source")

    def _read_exact(self, node: Node) -> None:
        """Read one formula, or formulas of unknowns by name: ``exact`` and ``exact.u`` become known."""
        unknowns = self.declared.unknowns
        if not isinstance(node, Block):
            if len(unknowns) > 1:
                example = ", ".join(f"{name}: ..." for name in unknowns)
                self.faults.add(node.place, f"exact: name the unknowns: exact: {{{example}}}")
                self.extra |= {f"exact.{name}": symbol(f"exact_{name}") for name in unknowns}
                return
            formula = self._data(node, "exact")
            self.extra[f"exact.{unknowns[0]}"] = self.extra["exact"]
            self.exact |= {} if formula is None else {unknowns[0]: formula}
            return
        refuse_unknown_keys(node, unknowns, "exact", self.faults)
        known = {key.text: self._data(value, f"exact.{key.text}") for key, value in node.entries}
        self.exact |= {name: known[name] for name in unknowns if known.get(name) is not None}
        if len(unknowns) == 1 and f"exact.{unknowns[0]}" in self.extra:
            self.extra["exact"] = self.extra[f"exact.{unknowns[0]}"]

    def _data(self, node: Node, name: str) -> sympy.Expr | None:
        formula = read_formula(node, name, self.faults)
        expression = None
        if formula is not None:
            self.used |= formula.mentions(self.names())
            found = self.components(formula, name, self.names(with_unknown=False), vectors=False)
            expression = None if found is None else found[""]
        # A faulty formula still lends its name, so that one slip is one fault.
        self.extra[name] = symbol(name.replace(".", "_")) if expression is None else expression
        return expression

    def read_equations(self, root: Block) -> tuple[Equation, ...]:
        """Read ``equations``; solve for a manufactured source."""
        node = require(root, "equations", "", root.place, self.faults, example='["-laplace(u) = source"]')
        if node is None:
            return ()
        items = (
            (node,)
            if isinstance(node, Scalar)
            else read_list(node, "equations", self.faults, example='["u_t = u_xx"]')
        )
        if items == ():
            self.faults.add(node.place, "equations: expected at least one, got an empty list")
        equations: list[Equation] = []
        for index, item in enumerate(items or ()):
            equations += self._equation(item, f"equation[{index}]")
        sources = [equation.source for equation in equations if equation.source is not None]
        if len(sources) == 1:
            self.extra["source"] = sources[0]
        if root.get("source") is not None:
            self._check_source(root, equations)
        return tuple(equations)

    def _equation(self, node: Node, path: str) -> list[Equation]:
        """Read one entry: a text, or a block with ``equation``, ``name`` and ``weight``."""
        block = as_block(node)
        refuse_unknown_keys(block, _EQUATION_KEYS, path, self.faults)
        text = require(block, "equation", path, block.place, self.faults, example="u_t = u_xx")
        formula = None if text is None else read_formula(text, path, self.faults, equation=True)
        name, weight = self.read_name(block, path), self.read_weight(block, path)
        residuals = None if formula is None else self._residuals(formula, path)
        if formula is None or residuals is None or name is None or weight is None:
            self.taken.add(path)
            return []
        equations = []
        for suffix, residual in residuals.items():
            own = f"{name}{suffix}"
            if own in self.taken:
                self.faults.add(block.place, f"{path}: the name {quote(own)} is taken")
            self.taken.add(own)
            manufactured = self.manufactured is not None and residual.has(SOURCE)
            source = self._source(own, formula, residual) if manufactured else None
            place = formula.node.place
            equations.append(Equation(own, formula.text, place, residual, source=source, weight=weight))
        return equations

    def _residuals(
        self, formula: Formula, path: str, *, normal: bool = False
    ) -> dict[str, sympy.Expr] | None:
        """Return left minus right by component (`components`), after the checks of every statement."""
        names = self.names()
        self.used |= formula.mentions(names)
        residuals = self.components(formula, path, names, normal=normal)
        for suffix, residual in (residuals or {}).items():
            if not derivative_symbols(residual, names):
                listed = ", ".join(self.declared.unknowns)
                unknowns = f"the unknown {listed} does" if len(names.unknowns) == 1 else f"{listed} do"
                self.faults.add(formula.node.place, f"{path}{suffix}: {unknowns} not occur")
                return None
        return residuals

    def components(
        self, formula: Formula, path: str, names: Names, *, normal: bool = False, vectors: bool = True
    ) -> dict[str, sympy.Expr] | None:
        """Translate a formula: a number by the empty text, the entries of a vector by ``.x``, ``.y``, ...

        The derivatives in it that may be of something that jumps are kept. A manufactured source beside
        a vector is a vector.
        """
        taken: list[Differentiation] = []
        faults = Faults()
        value = formula.symbolic(names, faults, path, normal=normal, taken=taken, vectors=vectors)
        if value is None and vectors and self.manufactured is not None:
            beside = replace(names, extra={**names.extra, "source": (SOURCE,) * len(names.space)})
            value = formula.symbolic(beside, Faults(), path, normal=normal, vectors=True)
        if value is None:
            self.faults.take(faults)
        for item in taken:
            text = formula.text[item.start : item.end]
            self._keep(path, text, formula.node.part(item.start, item.end), item)
        if value is None or not isinstance(value, tuple):
            return None if value is None else {"": value}
        labels = component_names(value, names)
        return {f".{label}": entry for label, entry in zip(labels, entries(value), strict=True)}

    def _keep(self, path: str, text: str, place: Place, item: Differentiation) -> None:
        if switches(item.expr) or has_ramps(item.expr):
            self.derived.append(Derived(path, text, place, item.expr, item.coordinate, item.step))

    def _keep_manufactured(self, residual: sympy.Expr) -> None:
        """Keep the derivatives of the exact solution that a manufactured source is made of."""
        assert self.manufactured is not None
        names = self.names()
        for leaf, (unknown, index) in derivative_symbols(residual, names).items():
            expr = self.exact[names.unknowns[unknown]]
            path = [c for c, order in zip(names.coordinates, index, strict=True) for _ in range(order)]
            for step, coordinate in enumerate(path):
                item = Differentiation(expr, coordinate, step, 0, 0)
                self._keep("source", f"{leaf.name} of the exact solution", self.manufactured, item)
                expr = total_derivative(expr, coordinate, names)

    def _source(self, name: str, formula: Formula, residual: sympy.Expr) -> sympy.Expr | None:
        """Solve an equation for its manufactured source, with the exact solution put in."""
        slope, names = partial_derivative(residual, SOURCE), self.names()
        place = formula.node.place
        if slope.has(SOURCE) or mentions_inside_call(formula.tree, "source"):
            message = f"{name}: a manufactured source stands as a plain term, say '... = source'"
            self.faults.add(place, message)
            return None
        wanted = {names.unknowns[p.unknown] for p in derivative_symbols(residual, names).values()}
        if missing := sorted(wanted - self.exact.keys()):
            # Where exact has a fault of its own, that is said already.
            if len(self.exact) + len(missing) <= len(names.unknowns) and not self.faults:
                listed = ", ".join(missing)
                self.faults.add(place, f"{name}: a manufactured source needs exact formulas of {listed} too")
            return None
        rest = substitute_unknowns(substitute(residual, {SOURCE: sympy.Integer(0)}), self.exact, names)
        self._keep_manufactured(residual)
        source: sympy.Expr = -rest / substitute_unknowns(slope, self.exact, names)
        return source

    def _check_source(self, root: Block, equations: Sequence[Equation]) -> None:
        """A source that no equation mentions is a slip of the pen."""
        node = root.get("source")
        if node is not None and equations and "source" not in self.used | self._definition_names():
            self.faults.add(node.place, "source: no equation mentions the name 'source'")

    def _definition_names(self) -> set[str]:
        names = self.names()
        return {name for formula in self.declared.definitions.values() for name in formula.mentions(names)}

    def read_conditions(self, root: Block, key: str, shape: Shape | None) -> tuple[Condition, ...]:
        """Read the list ``boundary`` or ``initial``."""
        node = root.get(key)
        if node is None:
            return ()
        if key == "boundary" and not self.declared.space:
            self.faults.add(
                node.place,
                "boundary: a problem in time alone has none; state under initial what holds at first",
            )
            return ()
        if key == "initial" and self.declared.time is None:
            self.faults.add(
                node.place, "initial: the problem has no time; add time: {t: [0, 1]} or drop the condition"
            )
            return ()
        items = (
            (node,) if isinstance(node, Scalar) else read_list(node, key, self.faults, example='["u = 0"]')
        )
        conditions: list[Condition] = []
        for index, item in enumerate(items or ()):
            for condition in self._conditions(item, key, f"{key}[{index}]", shape):
                self._take_names(condition, item.place, f"{key}[{index}]")
                conditions.append(condition)
        return tuple(conditions)

    def _take_names(self, condition: Condition, place: Place, path: str) -> None:
        """Refuse a name that another set of points has: training, errors and the ansatz go by names."""
        several = condition.parts if len(condition.parts) > 1 else ()
        names = [condition.name, *(f"{condition.name}.{part}" for part in several)]
        if clash := next((name for name in names if name in self.taken), None):
            self.faults.add(place, f"{path}: the name {quote(clash)} is taken")
        self.taken.update(names)

    def _conditions(self, node: Node, key: str, path: str, shape: Shape | None) -> list[Condition]:
        """Read one entry, a text or a block with ``equation`` and its options: a condition a component."""
        if isinstance(node, Listing):
            found = describe(node)
            self.faults.add(node.place, f"{path}: expected an equation or a block of keys, got {found}")
            return []
        block = as_block(node)
        if key == "boundary" and self._ties_places(block, path):
            return []
        refuse_unknown_keys(block, _CONDITION_KEYS[key], path, self.faults)
        text = require(block, "equation", path, block.place, self.faults, example="u = 0")
        formula = None if text is None else read_formula(text, path, self.faults, equation=True)
        residuals = None if formula is None else self._residuals(formula, path, normal=key == "boundary")
        parts = self._parts(block, path, shape) if key == "boundary" else ()
        portion = self._portion(block, path) if key == "boundary" else None
        name, hard, weight = self._options(block, path)
        if self.manufactured is not None and any(r.has(SOURCE) for r in (residuals or {}).values()):
            message = f"{path}: a manufactured source is that of an equation; a condition takes exact"
            self.faults.add(block.place, message)
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

    def _portion(self, block: Block, path: str) -> StatedPortion | None:
        """Read ``where``, which narrows the parts to the points at which it holds."""
        node = block.get("where")
        formula = None if node is None else read_formula(node, f"{path}.where", self.faults, condition=True)
        if formula is None:
            return None
        self.used |= formula.mentions(self.names())
        indicator = formula.symbolic(self.names(with_unknown=False), self.faults, f"{path}.where")
        named = block.get("on") is not None
        return None if indicator is None else StatedPortion(formula.text, indicator, named)

    def _ties_places(self, block: Block, path: str) -> bool:
        """Refuse ``periodic`` and ``u(left) = u(right)`` as conditions, with the key to write."""
        remedy = f"write periodic: {' or '.join(self.declared.space)} under domain"
        for key, value in block.entries:
            text = value.text if isinstance(value, Scalar) else ""
            if key.text == "periodic" or re.match(r"\s*periodic\b", text):
                place = key.place if key.text == "periodic" else value.place
                self.faults.add(place, f"{path}: periodic is a property of the domain: {remedy}")
                return True
            if key.text == "equation" and self._compares_places(text):
                u = self.declared.unknowns[0]
                message = (
                    f"{path}: a condition holds at each point by itself and takes no value of {u} from "
                    f"elsewhere; where {u} is the same at both ends, {remedy} (a product: {u}*(...))"
                )
                self.faults.add(value.place, message)
                return True
        return False

    def _compares_places(self, text: str) -> bool:
        """Tell whether both sides of an equation hold an unknown, once as ``u(...)`` or ``u.left``."""
        u = f"(?:{'|'.join(map(re.escape, self.declared.unknowns))})"
        left, equals, right = text.partition("=")
        at_a_place = rf"\b{u}(_\w+)?\s*\(|\b{u}(_[a-z]+)?[._](left|right|bottom|top|front|back)\b"
        both = all(re.search(rf"\b{u}(_\w+)?\b", side) for side in (left, right))
        places = [match.group() for match in re.finditer(at_a_place, text)]
        return bool(equals) and both and any(place not in self.declared.kinds for place in places)

    def _options(self, block: Block, path: str) -> tuple[str | None, bool | None, float | None]:
        """Read name, hard and weight; a name or weight that was refused is None."""
        hard, weight = block.get("hard"), block.get("weight")
        is_hard = None if hard is None else self._hard(hard, f"{path}.hard")
        if is_hard and weight is not None:
            message = f"{path}.weight: a hard condition has no weight; drop one of the two"
            self.faults.add(weight.place, message)
        return self.read_name(block, path), is_hard, self.read_weight(block, path)

    def read_name(self, block: Block, path: str) -> str | None:
        """Return the name of a statement, its path where it has none of its own."""
        name = block.get("name")
        return path if name is None else read_text(name, f"{path}.name", self.faults)

    def read_weight(self, block: Block, path: str) -> float | None:
        """Return the weight of a statement, 1 where none is given."""
        weight = block.get("weight")
        return 1.0 if weight is None else self._weight(weight, f"{path}.weight")

    def _hard(self, node: Node, path: str) -> bool | None:
        if isinstance(node, Scalar) and node.text == "auto":
            return None
        trial = Faults()
        value = read_flag(node, path, trial)
        if trial:
            self.faults.add(node.place, f"{path}: expected true, false or auto, got {describe(node)}")
        return value

    def _weight(self, node: Node, path: str) -> float | None:
        value = read_number(node, path, self.faults)
        if value is not None and not value > 0:
            self.faults.add(node.place, f"{path}: expected a positive number, got {describe(node)}")
        return value

    def _parts(self, block: Block, path: str, shape: Shape | None) -> tuple[str, ...] | None:
        """Resolve ``on`` to canonical parts; all of them where it is left out."""
        if shape is None:
            return None
        if shape.periodic and not shape.parts:
            names, verb = ", ".join(shape.periodic), "is" if len(shape.periodic) == 1 else "are"
            node = block.get("on")
            if node is None or (isinstance(node, Scalar) and node.text == "all"):
                message = f"{path}: no side is left for a condition: {names} {verb} periodic"
                self.faults.add(block.place, message)
                return None
        node = block.get("on")
        if node is None:
            return shape.parts
        items = (
            (node,)
            if isinstance(node, Scalar)
            else read_list(node, f"{path}.on", self.faults, example="[left, right]")
        )
        found: list[str] = []
        for item in items or ():
            name = read_text(item, f"{path}.on", self.faults)
            try:
                found.extend(shape.resolve_part(name) if name is not None else ())
            except UsageError as error:
                self.faults.add(item.place, f"{path}.on: {str(error).removeprefix('boundary: ')}")
        return tuple(part for part in shape.parts if part in found) or None


def as_block(node: Node) -> Block:
    """Return a statement that is written as a text as a block with the key ``equation``."""
    if isinstance(node, Block):
        return node
    return Block(((Scalar("equation", node.place), node),), node.place)

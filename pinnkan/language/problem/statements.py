"""Equations, ``exact`` and ``source``: formulas in the names of a problem, checked one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import sympy

from pinnkan.ground.errors import quote
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
from pinnkan.language.problem.spec import Derived, Equation
from pinnkan.language.reading.fields import (
    describe,
    read_list,
    read_number,
    read_text,
    refuse_unknown_keys,
    require,
)
from pinnkan.language.reading.nodes import Block, Node, Scalar
from pinnkan.language.reading.places import Faults, Place

SOURCE = symbol("source")
MANUFACTURED = "manufactured"
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
        self._check_source(root, equations)
        return tuple(equations)

    def _equation(self, node: Node, path: str) -> list[Equation]:
        """Read one entry: a text, or a block with ``equation``, ``name`` and ``weight``."""
        block = as_block(node)
        refuse_unknown_keys(block, _EQUATION_KEYS, path, self.faults)
        text = require(block, "equation", path, block.place, self.faults, example="u_t = u_xx")
        formula = None if text is None else read_formula(text, path, self.faults, equation=True)
        name, weight = self.read_name(block, path), self.read_weight(block, path)
        residuals = None if formula is None else self.residuals(formula, path)
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

    def residuals(self, formula: Formula, path: str, *, normal: bool = False) -> dict[str, sympy.Expr] | None:
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
            taken.clear()
            beside = replace(names, extra={**names.extra, "source": (SOURCE,) * len(names.space)})
            value = formula.symbolic(beside, Faults(), path, normal=normal, taken=taken, vectors=True)
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

    def read_name(self, block: Block, path: str) -> str | None:
        """Return the name of a statement, its path where it has none of its own."""
        name = block.get("name")
        return path if name is None else read_text(name, f"{path}.name", self.faults)

    def read_weight(self, block: Block, path: str) -> float | None:
        """Return the weight of a statement, 1 where none is given."""
        weight = block.get("weight")
        return 1.0 if weight is None else self._weight(weight, f"{path}.weight")

    def _weight(self, node: Node, path: str) -> float | None:
        value = read_number(node, path, self.faults)
        if value is not None and not value > 0:
            self.faults.add(node.place, f"{path}: expected a positive number, got {describe(node)}")
        return value


def as_block(node: Node) -> Block:
    """Return a statement that is written as a text as a block with the key ``equation``."""
    if isinstance(node, Block):
        return node
    return Block(((Scalar("equation", node.place), node),), node.place)

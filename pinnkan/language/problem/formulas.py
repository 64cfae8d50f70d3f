"""Formulas in a problem file: parsed once, their faults shown at the character where they sit."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from pinnkan.language.expressions import (
    ExpressionFault,
    Names,
    Tree,
    mentioned,
    parse_condition,
    parse_equation,
    parse_expression,
    to_symbolic,
    to_value,
)
from pinnkan.language.expressions.symbolic import Differentiation
from pinnkan.language.expressions.tree import Call, Name
from pinnkan.language.reading.fields import describe
from pinnkan.language.reading.nodes import Listing, Node, Scalar
from pinnkan.language.reading.places import Faults

_Some = TypeVar("_Some")

_MISSING_KEYS = {
    "source": "the name 'source' needs the key source: a formula, or manufactured from exact",
    "exact": "the name 'exact' needs the key exact: the formula of the solution",
}


@dataclass(frozen=True)
class Formula:
    """A parsed expression or equation and the value it was written in."""

    tree: Tree
    node: Scalar

    @property
    def text(self) -> str:
        """The formula as written."""
        return self.node.text

    def mentions(self, names: Names) -> set[str]:
        """Return the problem's own names that the formula reads, none where it cannot be read."""
        try:
            return mentioned(self.tree, names)
        except ExpressionFault:  # said where the formula is translated
            return set()

    def symbolic(
        self,
        names: Names,
        faults: Faults,
        path: str,
        *,
        normal: bool = False,
        taken: list[Differentiation] | None = None,
        vectors: bool = False,
    ) -> Any:
        """Return the SymPy expression (of an equation: left minus right); None if a fault was noted.

        Every derivative that the text asks for is added to ``taken``. A vector, which is refused
        unless ``vectors``, comes as a tuple.
        """
        translate = to_value if vectors else to_symbolic
        return noting(
            lambda: translate(self.tree, names, normal=normal, taken=taken), self.node, path, faults
        )


def read_formula(
    node: Node, path: str, faults: Faults, *, equation: bool = False, condition: bool = False
) -> Formula | None:
    """Parse the expression in a value, a vector where it is a YAML list; None if a fault was noted.

    Or the equation ``left = right``, or the condition ``x < 0.5``, which is read as 1 where it holds, else 0.
    """
    if isinstance(node, Listing) and not (equation or condition):
        node = _as_text(node)
    if not isinstance(node, Scalar):
        faults.add(node.place, f"{path}: expected a formula; got {describe(node)}")
        return None
    if not node.text.strip():
        faults.add(node.place, f"{path}: expected a formula, got nothing")
        return None
    parse = parse_equation if equation else parse_condition if condition else parse_expression
    tree = noting(lambda: parse(node.text), node, path, faults)
    return None if tree is None else Formula(tree, node)


def _as_text(node: Listing) -> Scalar | Listing:
    """Return a YAML list of texts, or of lists of them, as the vector that it reads as.

    YAML has taken formulas with commas apart: put together again they are whole.
    """
    parts = [_as_text(item) if isinstance(item, Listing) else item for item in node.items]
    texts = [part.text for part in parts if isinstance(part, Scalar)]
    if not texts or len(texts) < len(parts):
        return node
    text, place = f"[{', '.join(texts)}]", node.place
    lines = place.source.lines
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    return Scalar(text, place, 0 if line[place.column - 1 :].startswith(text) else None)


def noting(action: Callable[[], _Some], node: Scalar, path: str, faults: Faults) -> _Some | None:
    """Run an action on a value's text; its complaint becomes a fault at the right character."""
    try:
        return action()
    except ExpressionFault as fault:
        faults.add(node.part(fault.start, fault.end), f"{path}: {_explain(fault, node)}")
    return None


def _explain(fault: ExpressionFault, node: Scalar) -> str:
    """Add what the expression language cannot know: the keys of the file and the quotes of YAML."""
    for name, hint in _MISSING_KEYS.items():
        if f"unknown name '{name}'" in fault.message:
            return hint
    if node.lead == 0 and node.text.count("(") != node.text.count(")"):
        return f"{fault.message}; within YAML's [ ] and {{ }} a formula with a comma needs quotes"
    return fault.message


def mentions_inside_call(tree: Tree, name: str) -> bool:
    """Tell whether a name stands inside the brackets of a function or operator."""
    calls = [node for node in _walk(tree) if isinstance(node, Call)]
    return any(
        isinstance(node, Name) and node.name == name for call in calls for node in _walk(call.arguments)
    )


def _walk(tree: Any) -> Iterator[Any]:
    """Yield all nodes; iterative, since user text may nest deeply."""
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, tuple):
            pending.extend(node)
        elif dataclasses.is_dataclass(node):
            yield node
            pending.extend(getattr(node, item.name) for item in dataclasses.fields(node))

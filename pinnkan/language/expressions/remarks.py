"""What the translator says of a function that is none, and of names that hide a built-in word."""

from __future__ import annotations

from collections.abc import Collection

from pinnkan.ground.errors import did_you_mean
from pinnkan.language.expressions.compound import names_in, take_apart
from pinnkan.language.expressions.names import (
    ALL_REAL,
    COMPLEX_FUNCTIONS,
    ELEMENTARY,
    HIDEABLE,
    OPERATORS,
    Names,
    normal_symbols,
)
from pinnkan.language.expressions.tree import Tree


def rank_remark(tree: Tree, names: Names, vectors: Collection[str]) -> str:
    """What to add to a fault of ranks: how a name in it is read, where a reader could take it for another.

    Args:
        tree: What does not fit.
        names: The names.
        vectors: Definitions that are vectors or tensors.
    """
    written = sorted(names_in(tree))
    heads = {name.split(".")[0] for name in written}
    if "n" in heads and "n" in names.own:
        own = f"'n' is {names.kind('n')} here, and so not {HIDEABLE['n']}"
        return f"; {own}: for that write [{', '.join(leaf.name for leaf in normal_symbols(names))}]"
    if "I" in heads and "I" in names.own:
        return f"; 'I' is {names.kind('I')} here, and so not {HIDEABLE['I']}: write it as [[1, 0], [0, 1]]"
    if "I" in heads:
        return f"; I is the identity tensor, and {ALL_REAL}"
    for name in written:
        head, steps = take_apart(name, names) or (name, ())
        if head in vectors and len(steps) == 1 and steps[0].startswith("_"):
            return f"; {name} is the derivative of {head}, whose components are written {head}.{steps[0][1:]}"
    return ""


def unknown_function(name: str, names: Names) -> str:
    """Explain why a name before brackets means nothing, with the most helpful guess at what was meant."""
    if name in OPERATORS and name in names.own:
        kind = names.kind(name)
        return f"'{name}' is {kind} here, and so not the operator {name}(...); rename {kind} to have both"
    if name in ("integral", "mean"):
        return f"'{name}' has its place in a list of its own: constraints: [\"{name}(...) = 0\"]"
    if take_apart(name, names) is not None:
        return f"'{name}' is not a function; for a product write {name}*(...), for its value {name}"
    if name in COMPLEX_FUNCTIONS:
        return f"unknown function '{name}'; {ALL_REAL}"
    known = [*ELEMENTARY, *OPERATORS, *(f"d{coordinate}" for coordinate in names.coordinates)]
    return f"unknown function '{name}'{did_you_mean(name, known) or '; known are ' + ', '.join(known)}"

"""The spellings of a derivative as a call: ``dx(f)``, ``dxy(f)``, ``dx(f, 4)``, ``diff(f, x, 2)``."""

from __future__ import annotations

from pinnkan.ground.derivatives import MultiIndex
from pinnkan.language.expressions.names import MAX_ORDER, Names, read_letters
from pinnkan.language.expressions.tree import Call, ExpressionFault, Name, Number

_COUNTS = range(1, MAX_ORDER + 1)
"""How many times an operator may differentiate."""


def derivative_path(tree: Call, names: Names) -> list[str] | None:
    """The coordinates that the first argument of a call is differentiated along, in their order.

    Returns:
        One coordinate a derivative; None if the call is no derivative.

    Raises:
        ExpressionFault: If its further arguments are not those of a derivative.
    """
    if tree.name == "diff":
        return _of_diff(tree, names)
    index = read_letters(tree.name[1:], names) if tree.name.startswith("d") else None
    return None if index is None else _of_letters(tree, index_path(index, names))


def index_path(index: MultiIndex, names: Names) -> list[str]:
    """The coordinates of a multi-index, each as often as its order says."""
    return [c for c, order in zip(names.coordinates, index, strict=True) for _ in range(order)]


def _of_letters(tree: Call, path: list[str]) -> list[str]:
    """dx(f), dxy(f), or dx(f, 4) for the fourth derivative."""
    if len(tree.arguments) not in (1, 2):
        message = f"{tree.name} takes 1 argument, or 2 with the order; found {len(tree.arguments)}"
        raise ExpressionFault(message, tree.start, tree.end)
    if len(tree.arguments) == 1:
        return path
    count = tree.arguments[1]
    if not isinstance(count, Number) or count.value not in _COUNTS:
        message = f"the order of {tree.name} is a whole number from 1 to {MAX_ORDER}"
        raise ExpressionFault(message, count.start, count.end)
    return int(count.value) * path


def _of_diff(tree: Call, names: Names) -> list[str]:
    """diff(f, x), diff(f, x, 2), diff(f, x, y): coordinates, each optionally followed by a count."""
    path: list[str] = []
    for argument in tree.arguments[1:]:
        if isinstance(argument, Name) and argument.name in names.coordinates:
            path.append(argument.name)
        elif isinstance(argument, Number) and path and argument.value in _COUNTS:
            path += [path[-1]] * (int(argument.value) - 1)
        else:
            message = (
                f"diff is written diff(u, x) or diff(u, x, 2), with a coordinate "
                f"({', '.join(names.coordinates)}) and a whole number from 1 to {MAX_ORDER}"
            )
            raise ExpressionFault(message, argument.start, argument.end)
    if not path:
        raise ExpressionFault("diff needs a coordinate: diff(u, x) or diff(u, x, 2)")
    return path

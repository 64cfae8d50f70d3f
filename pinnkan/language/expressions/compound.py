"""Names with steps behind them: components ``U.x`` and derivatives ``U_x`` of what is no unknown."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from pinnkan.language.expressions.names import Names, normal_symbols, read_derivative
from pinnkan.language.expressions.tree import Name, Tree


def take_apart(name: str, names: Names) -> tuple[str, tuple[str, ...]] | None:
    """Read a name as one that is known, and the steps from there.

    ``U.x_t`` is ``U`` with the steps ``.x`` and ``_t``. The longest known
    beginning counts, so that a definition ``U_x`` wins over the derivative of U.

    Returns:
        What is known, and the steps in their order, each with its sign; None if no beginning is known.

    Raises:
        ExpressionFault: If coordinate names make a derivative of an unknown ambiguous.
    """
    head = name
    steps: list[str] = []
    while not _is_known(head, names):
        cut = max(head.rfind("."), head.rfind("_"))
        if cut < 1 or cut == len(head) - 1:
            return None
        steps.insert(0, head[cut:])
        head = head[:cut]
    return head, tuple(steps)


def _is_known(name: str, names: Names) -> bool:
    return (
        name in (*names.own, *names.constants)
        or read_derivative(name, names) is not None
        or name in (leaf.name for leaf in normal_symbols(names))
    )


def mentioned(tree: Tree, names: Names) -> set[str]:
    """The problem's own names that a tree reads: U where it says ``U.x`` or ``U_x``, u where ``u_xx``.

    Raises:
        ExpressionFault: As `take_apart`.
    """
    found = set()
    for name in names_in(tree):
        parts = take_apart(name, names)
        if parts is not None:
            derivative = None if parts[0] in names.own else read_derivative(parts[0], names)
            found.add(parts[0] if derivative is None else derivative[0])
    return found & set(names.own)


def names_in(tree: Any) -> Iterator[str]:
    """Every name in a tree as it is written; iterative, since user text may nest deeply."""
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, Name):
            yield node.name
        elif isinstance(node, tuple):
            pending.extend(node)
        elif dataclasses.is_dataclass(node):
            pending.extend(getattr(node, item.name) for item in dataclasses.fields(node))

"""The key ``network.separate``: which unknowns share a network, and which have one of their own."""

from __future__ import annotations

from collections.abc import Sequence

from pinnkan.ground.errors import quote
from pinnkan.language.reading.fields import describe, suggest
from pinnkan.language.reading.nodes import Block, Listing, Node, Scalar
from pinnkan.language.reading.places import Faults

_PATH = "network.separate"
_NONE = ("none", "null", "~")


def read_separate(root: Block, unknowns: Sequence[str], faults: Faults) -> tuple[tuple[str, ...], ...] | None:
    """Read groups such as ``[[u, v], p]``, in which every unknown is named once.

    Args:
        root: The file's root block.
        unknowns: Names of the unknowns; none where they were not understood, so that nothing can be said.
        faults: Where faults are noted.

    Returns:
        The names of each group; None if the key is absent, has a fault, or puts all unknowns in one group,
        which is one network with their outputs in the order of ``unknowns``.
    """
    block = root.get("network")
    node = block.get("separate") if isinstance(block, Block) else None
    if node is None or (isinstance(node, Scalar) and node.text in _NONE) or not unknowns:
        return None
    if len(unknowns) == 1:
        faults.add(
            node.place,
            f"{_PATH}: gives several unknowns networks of their own, and {unknowns[0]} is the only one; "
            "leave the key out",
        )
        return None
    if not isinstance(node, Listing):
        faults.add(
            node.place,
            f"{_PATH}: expected groups of unknowns such as {_example(unknowns)}, got {describe(node)}",
        )
        return None
    groups = [_entries(item, unknowns, faults) for item in node.items]
    sound = all(groups) and _each_once([name for group in groups for name in group], node, unknowns, faults)
    if not sound or len(groups) == 1:
        return None
    return tuple(tuple(name.text for name in group) for group in groups)


def _example(unknowns: Sequence[str]) -> str:
    """Return groups of these unknowns: ``[[u, v], p]``, of two ``[u, v]``."""
    *shared, last = unknowns
    return f"[{shared[0]}, {last}]" if len(shared) == 1 else f"[[{', '.join(shared)}], {last}]"


def _entries(item: Node, unknowns: Sequence[str], faults: Faults) -> list[Scalar]:
    """Return the names of one group, a name or a list of them; none where there is a fault."""
    names = item.items if isinstance(item, Listing) else (item,)
    if not names:
        faults.add(item.place, f"{_PATH}: a group names at least one unknown, such as {unknowns[0]}")
    scalars = [name for name in names if isinstance(name, Scalar)]
    for name in names:
        if not isinstance(name, Scalar):
            faults.add(name.place, f"{_PATH}: expected the name of an unknown, got {describe(name)}")
    return scalars if len(scalars) == len(names) else []


def _each_once(names: Sequence[Scalar], whole: Node, unknowns: Sequence[str], faults: Faults) -> bool:
    """Tell whether every unknown is named once; note foreign and doubled names, and what is missing."""
    seen: set[str] = set()
    sound = True
    for name in names:
        if name.text not in unknowns:
            sound = False
            hint = suggest(name.text, unknowns)
            faults.add(
                name.place,
                f"{_PATH}: {quote(name.text)} is no unknown; the unknowns are {', '.join(unknowns)}{hint}",
            )
        elif name.text in seen:
            faults.add(name.place, f"{_PATH}: {name.text} comes twice; every unknown is given by one network")
        seen.add(name.text)
    missing = [name for name in unknowns if name not in seen]
    # A misspelt name is said already; what it leaves missing is the same fault.
    if missing and sound:
        faults.add(whole.place, f"{_PATH}: {', '.join(missing)} in no group; every unknown is named once")
    return len(names) == len(unknowns) and not missing

"""The key ``tolerance`` as it once was: in a phase, and in the block around it, a bound of the residual.

Today ``tolerance`` stands in ``training:`` or ``finetuning:`` itself and bounds the relative error;
the bound of a phase's residual is ``residual_below``. A phase with the former key is refused, for the
two differ by orders of magnitude; a text that a result carries from before is read as it was meant.
"""

from __future__ import annotations

from dataclasses import replace

from pinnkan.language.reading.nodes import Block, Listing, Node, Scalar
from pinnkan.language.reading.places import Faults

_FORMER, _PRESENT = "tolerance", "residual_below"
_BLOCKS = ("training", "finetuning")


def without_former_tolerance(phase: Block, path: str, faults: Faults) -> Block:
    """Refuse the key ``tolerance`` of a phase, and return the phase without it.

    Args:
        phase: One entry of ``phases:``.
        path: What messages call it: ``training.phases[0]``.
        faults: Where the fault is noted.
    """
    node = phase.get(_FORMER)
    if node is None:
        return phase
    place = next(name.place for name, _ in phase.entries if name.text == _FORMER)
    block, value = path.partition(".")[0], f": {node.text}" if isinstance(node, Scalar) else ""
    faults.add(
        place,
        f"{path}.{_FORMER}: the tolerance of a phase bounded its residual; write {_PRESENT}{value}. "
        f"A tolerance of the error stands in {block}: itself",
    )
    return replace(phase, entries=tuple(entry for entry in phase.entries if entry[0].text != _FORMER))


def with_residual_bounds(root: Block) -> Block:
    """Return a problem whose training blocks and phases say ``residual_below`` where they said ``tolerance``.

    Args:
        root: Of a text that a result of before carries, overrides applied.
    """
    entries = [(name, _renamed(value) if name.text in _BLOCKS else value) for name, value in root.entries]
    return replace(root, entries=tuple(entries))


def _renamed(node: Node) -> Node:
    """Return a block, or a list of them, with the present name of the key, in its phases too."""
    if isinstance(node, Listing):
        return replace(node, items=tuple(_renamed(item) for item in node.items))
    if not isinstance(node, Block):
        return node
    entries: list[tuple[Scalar, Node]] = []
    for name, value in node.entries:
        if name.text == _FORMER:
            entries.append((replace(name, text=_PRESENT), value))
        else:
            entries.append((name, _renamed(value) if name.text == "phases" else value))
    return replace(node, entries=tuple(entries))

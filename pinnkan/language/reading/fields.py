"""Typed reading of a block's keys: the key decides the type, never the look of the value.

A number field accepts ``1e-3`` and ``1/8``, a text field takes ``no``
literally. A wrong value is noted as a fault and read as None.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence

from pinnkan.ground.errors import did_you_mean, quote
from pinnkan.language.parameters import parse_number
from pinnkan.language.reading.nodes import Block, Listing, Node, Scalar
from pinnkan.language.reading.places import Faults, Place

_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def describe(node: Node) -> str:
    """Return what was found at a node, for the end of a message."""
    if isinstance(node, Scalar):
        return quote(node.text) if node.text else "nothing"
    return "a list" if isinstance(node, Listing) else "a block of keys"


def read_text(node: Node, path: str, faults: Faults) -> str | None:
    """Read a text literally."""
    if isinstance(node, Scalar) and node.text.strip():
        return node.text
    faults.add(node.place, f"{path}: expected a text, got {describe(node)}")
    return None


def read_number(node: Node, path: str, faults: Faults) -> float | None:
    """Read a decimal number or a fraction."""
    value = parse_number(node.text) if isinstance(node, Scalar) else None
    if value is None:
        faults.add(node.place, f"{path}: expected a number, got {describe(node)}{_number_hint(node)}")
    return value


def read_integer(node: Node, path: str, faults: Faults) -> int | None:
    """Read a whole number; ``1e3`` is one."""
    value = parse_number(node.text) if isinstance(node, Scalar) else None
    if value is None or value != math.floor(value) or abs(value) > 2**53:
        faults.add(node.place, f"{path}: expected a whole number, got {describe(node)}{_number_hint(node)}")
        return None
    return int(value)


def _number_hint(node: Node) -> str:
    if isinstance(node, Scalar) and re.fullmatch(r"[+-]?0\d+(\.\d*)?", node.text):
        return f"; write {node.text.lstrip('+-0') or '0'} without leading zeros"
    return ""


def read_flag(node: Node, path: str, faults: Faults) -> bool | None:
    """Read true or false (also yes/no, on/off)."""
    value = _FLAGS.get(node.text.lower()) if isinstance(node, Scalar) else None
    if value is None:
        faults.add(node.place, f"{path}: expected true or false, got {describe(node)}")
    return value


def read_choice(node: Node, path: str, choices: Collection[str], faults: Faults) -> str | None:
    """Read one of a few words."""
    text = read_text(node, path, faults)
    if text is None or text in choices:
        return text
    listed = ", ".join(choices)
    faults.add(
        node.place, f"{path}: expected one of {listed}; got {quote(text)}{suggest(text, tuple(choices))}"
    )
    return None


def read_list(node: Node, path: str, faults: Faults, *, example: str) -> tuple[Node, ...] | None:
    """Read the entries of a list."""
    if isinstance(node, Listing):
        return node.items
    faults.add(node.place, f"{path}: expected a list such as {example}, got {describe(node)}")
    return None


def read_block(node: Node, path: str, faults: Faults, *, example: str) -> Block | None:
    """Read a block of keys."""
    if isinstance(node, Block):
        return node
    faults.add(node.place, f"{path}: expected a block of keys such as {example}, got {describe(node)}")
    return None


def refuse_unknown_keys(
    block: Block,
    known: Sequence[str],
    path: str,
    faults: Faults,
    *,
    synonyms: Mapping[str, str] | None = None,
) -> None:
    """Note every key that the block does not have, with the nearest one it has or its usual synonym."""
    where = f" in {path}" if path else ""
    for key, _ in block.entries:
        if key.text not in known:
            meant = (synonyms or {}).get(key.text.lower())
            hint = f"; here it is called '{meant}'" if meant else suggest(key.text, known)
            hint = hint or f"; known keys: {', '.join(known)}"
            faults.add(key.place, f"unknown key {quote(key.text)}{where}{hint}")


def require(block: Block, key: str, path: str, place: Place, faults: Faults, *, example: str) -> Node | None:
    """Return the value of a key that must be there."""
    node = block.get(key)
    if node is None:
        where = f"{path} lacks" if path else "the problem lacks"
        faults.add(place, f"{where} the key '{key}', for example {key}: {example}")
    return node


def suggest(word: str, known: Sequence[str]) -> str:
    """Return a did-you-mean; none for a word too long to be a slip of the pen."""
    return did_you_mean(word, known) if len(word) <= 60 else ""

"""The text of a problem file without the tolerance that it states: what makes two results of one recipe.

A tolerance says how far training goes, not what it is: a result trained to 1e-3 is the way to one
of 1e-5. So the text is compared without the key, whether it is there, in a block of lines or in braces.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pinnkan.language.parameters import parse_number

if TYPE_CHECKING:
    from pinnkan.language.reading.nodes import Block, Scalar

_KEY = "tolerance"


def _entries(text: str) -> Sequence[tuple[Scalar, Any]]:
    """Return the keys of a text with what they hold; nothing of one that states no tolerance."""
    if _KEY not in text:
        return ()
    # Whoever looks at ten thousand results that state no tolerance needs no reader of YAML.
    from pinnkan.language.reading import nodes, places

    root = nodes.read_yaml(text, "text", places.Faults())
    return root.entries if isinstance(root, nodes.Block) else ()


@lru_cache(maxsize=64)
def without_tolerance(text: str, block: str) -> str:
    """Return a text without ``tolerance`` in a block, and without the block if that was all it said.

    A text that cannot be read, or that states no tolerance there, is returned as it is.

    Args:
        text: Of a problem file.
        block: ``training`` or ``finetuning``.
    """
    for name, node in _entries(text):
        entries = _keys(node) if name.text == block else ()
        key = next((key for key, value in entries if _states(key, value)), None)
        if key is not None:
            return _cut(text, key, name if len(entries) == 1 else None)
    return text


def _keys(node: Block | Any) -> Sequence[tuple[Scalar, Any]]:
    """Return the keys of a block with what they hold; nothing of what is no block."""
    return getattr(node, "entries", ())


def _states(key: Scalar, value: Scalar | Any) -> bool:
    """Tell whether a key and what it holds are a tolerance."""
    return key.text == _KEY and hasattr(value, "text")


def _cut(text: str, key: Scalar, alone_in: Scalar | None) -> str:
    """Return a text without a key and its value, on one line; with the block's own line where it is alone."""
    lines = text.split("\n")
    at = key.place.line - 1
    line, column = lines[at], key.place.column - 1
    if alone_in is not None:
        del lines[alone_in.place.line - 1 : at + 1]
    elif not line[:column].strip():
        del lines[at]
    else:
        before, after = line[:column], re.sub(r"^[^,}]*", "", line[column:])
        after = re.sub(r"^,\s*", "", after)
        lines[at] = (re.sub(r",\s*$", "", before) if after.startswith("}") else before) + after
    return "\n".join(lines)


def stated_tolerance(text: str, overrides: Sequence[str], block: str) -> float | None:
    """Return the tolerance that a text and the overrides behind it state for a block; no other key is read.

    Args:
        text: Of a problem file that was read before.
        overrides: ``--set`` texts.
        block: ``training`` or ``finetuning``.
    """
    stated = _tolerance_in(text, block)
    for override in overrides:
        path, _, value = override.partition("=")
        if path.strip() == f"{block}.{_KEY}":
            stated = value.strip()
        elif path.strip() == block:
            stated = _tolerance_in(f"{block}: {value}", block)
    return None if stated is None else parse_number(stated)


def _tolerance_in(text: str, block: str) -> str | None:
    held = [node for name, node in _entries(text) if name.text == block]
    stated = [value.text for node in held for key, value in _keys(node) if _states(key, value)]
    return stated[0] if stated else None


def overrides_without_tolerance(overrides: Sequence[str], block: str) -> list[str]:
    """Return ``--set`` texts without those that state nothing but the tolerance of a block."""
    kept = []
    for text in overrides:
        path, equals, value = text.partition("=")
        if path.strip() == f"{block}.{_KEY}":
            continue
        if path.strip() != block:
            kept.append(text)
        elif rest := without_tolerance(f"{block}: {value}", block):
            kept.append(path + equals + rest.removeprefix(f"{block}: "))
    return kept

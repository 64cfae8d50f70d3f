"""``--set key.path=value``: replace values of a problem file before it is validated.

An override edits the tree of nodes and carries its own place, so that it is
typed, checked and reported by the same schema as the file.
"""

from __future__ import annotations

from collections.abc import Sequence

from pinnkan.ground.errors import quote
from pinnkan.language.reading.nodes import Block, Listing, Node, Scalar, read_yaml
from pinnkan.language.reading.places import Faults, Place, Source

OPTION = "--set"

_SHORT_FORMS = {"family": "base", "boundary": "equation", "initial": "equation", "constraints": "equation"}
"""Blocks whose entries may be a bare value, and the key that the bare value stands for."""


def apply_overrides(root: Block, overrides: Sequence[str], faults: Faults) -> Block:
    """Return the tree with every ``key.path=value`` put in place, in order.

    Args:
        root: The file's root block.
        overrides: Texts such as ``training.steps=200`` or ``boundary.0.weight=10``
            (list entries by number from 0, or by their ``name``).
        faults: Where faults are noted, at places named ``--set``.
    """
    for text in overrides:
        source = Source.of(OPTION, text)
        path, equals, value_text = text.partition("=")
        keys = path.split(".")
        if not equals or not all(key.strip() for key in keys):
            faults.add(
                Place(source, 1, 1, max(1, len(text))), "expected KEY=VALUE, for example training.steps=200"
            )
            continue
        value: Node | None = Scalar("", Place(source, 1, len(path) + 2))
        if value_text.strip():
            value = read_yaml(value_text, OPTION, faults, source=source, shift=len(path) + 1)
        if value is None:
            continue
        edited = _Edit(_key_nodes(source, keys), value, faults).replace(root, 0)
        assert isinstance(edited, Block)
        root = edited
    return root


def _key_nodes(source: Source, keys: Sequence[str]) -> list[Scalar]:
    nodes, column = [], 1
    for key in keys:
        nodes.append(Scalar(key.strip(), Place(source, 1, column, len(key))))
        column += len(key) + 1
    return nodes


class _Edit:
    """One override on its way down the tree."""

    def __init__(self, keys: list[Scalar], value: Node, faults: Faults) -> None:
        self.keys = keys
        self.value = value
        self.faults = faults

    def replace(self, node: Node, level: int) -> Node:
        """Return ``node`` with the value put at ``keys[level:]`` below it."""
        if level == len(self.keys):
            return self.value
        if isinstance(node, Block):
            return self.replace_key(node, level)
        if isinstance(node, Listing):
            return self.replace_item(node, level)
        short = _SHORT_FORMS.get(self.keys[0].text) if level == 2 else None
        if short is not None:
            return self.replace_key(Block(((Scalar(short, node.place), node),), node.place), level)
        key = self.keys[level]
        self.faults.add(key.place, f"{self.path(level)} is a single value; it has no key {quote(key.text)}")
        return node

    def replace_key(self, block: Block, level: int) -> Block:
        """Replace below a key; a key that is not there is added, for the schema to judge."""
        key = self.keys[level]
        entries = list(block.entries)
        at = next((n for n, (name, _) in enumerate(entries) if name.text == key.text), len(entries))
        name, value = entries[at] if at < len(entries) else (key, Block((), key.place))
        entries[at:] = [(name, self.replace(value, level + 1)), *entries[at + 1 :]]
        return Block(tuple(entries), block.place)

    def replace_item(self, listing: Listing, level: int) -> Listing:
        key = self.keys[level]
        index = self.find_item(listing, key.text)
        if index is None:
            entries = f"{len(listing.items)} entries, numbered from 0"
            self.faults.add(key.place, f"{self.path(level)} has {entries}; none is {quote(key.text)}")
            return listing
        items = list(listing.items)
        items[index] = self.replace(items[index], level + 1)
        return Listing(tuple(items), listing.place)

    @staticmethod
    def find_item(listing: Listing, key: str) -> int | None:
        for index, item in enumerate(listing.items):
            name = item.get("name") if isinstance(item, Block) else None
            if key == str(index) or (isinstance(name, Scalar) and name.text == key):
                return index
        return None

    def path(self, level: int) -> str:
        return ".".join(key.text for key in self.keys[:level])

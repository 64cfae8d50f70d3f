"""YAML text to a tree of nodes that know their place; every value stays the text that was written.

Only the *events* of PyYAML's pure-Python parser are used. Anchors, aliases,
tags and merge keys are refused (a 457-byte merge-key document costs the
ordinary loader 13 seconds), depth and size are bounded, and no value is
converted here: ``no``, ``010``, ``1:30`` and ``1e-3`` reach the schema as the
user typed them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from pinnkan.ground.errors import quote
from pinnkan.language.reading.places import Faults, Place, Source

MOST_CHARACTERS = 256 * 1024
MOST_NODES = 20_000
DEEPEST = 20


@dataclass(frozen=True)
class Scalar:
    """A value as text.

    Attributes:
        text: The value, quotes and folding removed.
        place: Where it starts.
        lead: Columns from ``place`` to the first character of ``text`` (1 for
            a quoted value); None where text and source do not run in parallel
            (escapes, several lines).
    """

    text: str
    place: Place
    lead: int | None = 0

    def part(self, start: int, end: int) -> Place:
        """Return the place of ``text[start:end]``, or the start of the value where that is unknown."""
        if self.lead is None:
            return self.place
        place = self.place
        return Place(place.source, place.line, place.column + self.lead + start, max(1, end - start))


@dataclass(frozen=True)
class Listing:
    """A YAML sequence."""

    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True)
class Block:
    """A YAML mapping, in the order of the text."""

    entries: tuple[tuple[Scalar, Node], ...]
    place: Place

    def get(self, key: str) -> Node | None:
        """Return the value of a key, None where it is absent."""
        return next((value for name, value in self.entries if name.text == key), None)


Node = Scalar | Listing | Block


class _StopReading(Exception):
    """Raised inside to end the walk once a limit is passed; the fault is noted already."""


def read_yaml(
    text: str, name: str, faults: Faults, *, source: Source | None = None, shift: int = 0
) -> Node | None:
    """Parse YAML text into nodes, noting every fault.

    Args:
        text: The document.
        name: What to call it in messages.
        faults: Where faults are noted.
        source: The text that places refer to, where it is not ``text`` itself
            (the value part of a ``--set`` option).
        shift: Columns to add to every place in that case.

    Returns:
        The root node, or None when the text is no single YAML document.
    """
    walk = _Walk(text, source or Source.of(name, text), shift, faults)
    if len(text) > MOST_CHARACTERS:
        faults.add(walk.start, f"file too long: {len(text)} characters, at most {MOST_CHARACTERS} are read")
        return None
    try:
        return walk.document()
    except _StopReading:
        return None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        faults.add(walk.place(mark) if mark else walk.start, _syntax_message(error, text))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - (text.rfind("\n", 0, error.position) + 1) + 1
        faults.add(
            Place(walk.source, line, column + shift),
            f"character U+{ord(text[error.position]):04X} is not allowed",
        )
    except (yaml.YAMLError, ValueError, RecursionError, LookupError, AttributeError) as error:
        # PyYAML lets several of its own slips escape (facts: IndexError, KeyError, ...).
        faults.add(walk.start, f"cannot be read as YAML: {error}")
    return None


def _syntax_message(error: yaml.MarkedYAMLError, text: str) -> str:
    problem = error.problem or "malformed text"
    mark = error.problem_mark
    if mark is not None and text[mark.index : mark.index + 1] == "\t":
        return "a tab cannot indent YAML; use spaces"
    context = f" {error.context}" if error.context else ""
    hint = ""
    if "mapping values are not allowed" in problem:
        hint = "; put a value that contains ': ' in quotes"
    elif "flow" in context:
        hint = "; put a formula that holds brackets or commas in quotes"
    elif mark is not None and text[mark.index : mark.index + 1] in {"*", "&", "!", "%", "@", "`"}:
        hint = "; put a value that starts with this character in quotes"
    return f"YAML syntax:{context} {problem}{hint}"


class _Walk:
    """One pass over the events of one document."""

    def __init__(self, text: str, source: Source, shift: int, faults: Faults) -> None:
        self.text = text
        self.source = source
        self.shift = shift
        self.faults = faults
        self.start = Place(source, 1, 1 + shift)
        self.nodes = 0

    def place(self, mark: Any, length: int = 1) -> Place:
        return Place(self.source, mark.line + 1, mark.column + 1 + self.shift, length)

    def document(self) -> Node | None:
        # PyYAML has no usable types for its events; each is asked for its class before it is read.
        events: Iterator[Any] = yaml.parse(self.text, Loader=yaml.SafeLoader)
        root: Node | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent) and root is not None:
                self.faults.add(
                    self.place(event.start_mark, 3), "only one YAML document ('---') a file is read"
                )
                return None
            if isinstance(event, yaml.NodeEvent):
                root = self.node(event, events, 1)
        if root is None:
            self.faults.add(self.start, "the file is empty")
        return root

    def node(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            self.stop(event, f"more than {MOST_NODES} values in one file")
        if depth > DEEPEST:
            self.stop(event, f"nested more than {DEEPEST} levels deep")
        self.refuse_references(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.listing(event, events, depth)
        if isinstance(event, yaml.MappingStartEvent):
            return self.block(event, events, depth)
        return self.scalar(event)

    def stop(self, event: Any, message: str) -> None:
        self.faults.add(self.place(event.start_mark), message)
        raise _StopReading

    def refuse_references(self, event: Any) -> None:
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if isinstance(event, yaml.AliasEvent):
            place = self.place(event.start_mark, len(anchor or "") + 1)
            self.faults.add(
                place, f"alias '*{anchor}' is not allowed; write the value out, or quote the text"
            )
        elif anchor is not None:
            place = self.place(event.start_mark, len(anchor) + 1)
            self.faults.add(place, f"anchor '&{anchor}' is not allowed; write values out")
        if tag is not None:
            message = f"tag {quote(tag)} is not allowed; the key decides the type of its value"
            self.faults.add(self.place(event.start_mark), message)

    def scalar(self, event: Any) -> Scalar:
        start, end = event.start_mark, event.end_mark
        text = "" if isinstance(event, yaml.AliasEvent) else event.value
        raw = self.text[start.index : end.index]
        lead = next((n for n in (0, 1) if raw == text or (n and raw[1:-1] == text)), None)
        length = len(raw) if start.line == end.line else 1
        if any("\ud800" <= c <= "\udfff" for c in text):
            self.faults.add(self.place(start, length), "text with a lone surrogate character")
        return Scalar(text, self.place(start, max(1, length)), lead)

    def listing(self, start: Any, events: Iterator[Any], depth: int) -> Listing:
        items: list[Node] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self.node(event, events, depth + 1))
        return Listing(tuple(items), self.place(start.start_mark))

    def block(self, start: Any, events: Iterator[Any], depth: int) -> Block:
        entries: dict[str, tuple[Scalar, Node]] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self.node(event, events, depth + 1)
            value = self.node(next(events), events, depth + 1)
            if not isinstance(key, Scalar):
                self.faults.add(key.place, "a key must be a plain word")
            elif key.text == "<<" and key.lead == 0:
                self.faults.add(key.place, "merge key '<<' is not allowed; write the keys out")
            elif key.text in entries:
                first = entries[key.text][0].place.line
                self.faults.add(key.place, f"duplicate key {quote(key.text)}; first given in line {first}")
            else:
                entries[key.text] = (key, value)
        return Block(tuple(entries.values()), self.place(start.start_mark))

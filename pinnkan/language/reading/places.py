"""Where a fault of the user's text sits, and how it is shown: place, message, offending line, caret."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pinnkan.ground.errors import ProblemError

_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # the line breaks of YAML, so that line numbers agree
_WINDOW = 100
MOST_FAULTS = 30


@dataclass(frozen=True)
class Source:
    """A named text: a problem file, or one ``--set`` option."""

    name: str
    lines: tuple[str, ...]

    @classmethod
    def of(cls, name: str, text: str) -> Source:
        """Split a text into its lines."""
        return cls(name, tuple(_LINE_BREAK.split(text)))


@dataclass(frozen=True)
class Place:
    """A stretch of one line of a source; line and column count from 1."""

    source: Source
    line: int
    column: int
    length: int = 1

    def render(self, message: str) -> str:
        """Return ``name:line:column: error: message`` with the offending line and a caret below."""
        head = f"{self.source.name}:{self.line}:{self.column}: error: {message}"
        lines = self.source.lines
        if not 1 <= self.line <= len(lines) or not lines[self.line - 1].strip():
            return head
        text, column = _window(lines[self.line - 1], self.column - 1)
        carets = "^" * max(1, min(self.length, len(text) - column))
        return f"{head}\n{self.line:6d} | {text}\n       | {' ' * column}{carets}"


def _window(line: str, column: int) -> tuple[str, int]:
    """Cut a long line around ``column``; what a terminal would not print becomes a blank."""
    clean = "".join(c if c.isprintable() else " " for c in line)
    if len(clean) <= _WINDOW:
        return clean.rstrip(), column
    start = max(0, min(column - _WINDOW // 2, len(clean) - _WINDOW))
    left = "... " if start else ""
    right = " ..." if start + _WINDOW < len(clean) else ""
    return left + clean[start : start + _WINDOW] + right, column - start + len(left)


class Faults:
    """Collects every fault of a problem file, so that the user sees all of them in one run."""

    def __init__(self) -> None:
        self.found: list[tuple[Place, str]] = []
        """Place and message of each, in the order they were noted."""

    def add(self, place: Place, message: str) -> None:
        """Note one fault; a file with very many is refused at once, without reading on."""
        if (place, message) not in self.found:
            self.found.append((place, message))
        if len(self.found) >= MOST_FAULTS:
            self.raise_if_any()

    def take(self, others: Faults) -> None:
        """Note the faults of another collection."""
        for place, message in others.found:
            self.add(place, message)

    def __len__(self) -> int:
        return len(self.found)

    def raise_if_any(self) -> None:
        """Refuse the file if a fault was noted.

        Raises:
            ProblemError: With all faults in the order of the text.
        """
        if self.found:
            ordered = sorted(self.found, key=lambda item: (item[0].source.name, item[0].line, item[0].column))
            raise ProblemError([place.render(message) for place, message in ordered])

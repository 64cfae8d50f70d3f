"""Text that is safe to show."""

from __future__ import annotations

_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}


def printable(text: str) -> str:
    """Spell out control characters.

    Titles, tags and file names come from files that others made; an escape
    sequence in them must not drive the terminal.
    """
    return text.translate(_CONTROLS)

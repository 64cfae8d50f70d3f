"""Characters to tokens: numbers, names and operators of the equation language, nothing else.

A name may hold points: ``U.x`` and ``exact.u`` are one name each.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from pinnkan.language.expressions.names import ALL_REAL, IMAGINARY
from pinnkan.language.expressions.tree import ExpressionFault

MAX_LENGTH = 2000

_TOKEN = re.compile(
    r"""[ \t\r\n]*(?:
        (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<name>[A-Za-z_][A-Za-z_0-9]*(?:\.[A-Za-z_][A-Za-z_0-9]*)*)
      | (?P<symbol>\*\*|<=|>=|==|!=|&&|\|\||[-+*/^()\[\],<>=])
    )""",
    re.VERBOSE,
)
_BLANK = re.compile(r"[ \t\r\n]*")

_REMARKS = {
    "'": "text in quotes is not part of the language",
    '"': "text in quotes is not part of the language",
    ".": "components are written U.x, with a name on either side; numbers 0.5 or .5",
    "!": "'!' is not an operator; write a factorial as a number",
    "%": "'%' is not an operator; write a percentage as a decimal number",
    "&": "'&' is not an operator; write 'and' inside where(...)",
    "|": "'|' is not an operator; write abs(...) for absolute values, norm(...) for lengths",
    "{": "braces are not brackets here; write ( and )",
    "}": "braces are not brackets here; write ( and )",
    ":": "':' is not an operator; write where(condition, a, b) for a case distinction",
    ";": "';' is not an operator; give every equation its own entry",
    "\\": "backslashes are not understood; write sin(x) for \\sin x",
    "@": "'@' is not an operator; write dot(a, b)",
    "\u03bb": "write 'lambda'",
    "\u03c0": "write 'pi'",
    "\u0394": "write laplace(u)",
    "\u2207": "write grad(u), div(v) or laplace(u)",
    "\u2202": "write u_x or dx(u)",
    "\u00b2": "write ^2",
    "\u00b3": "write ^3",
    "\u00b7": "write * for a product",
    "\u00d7": "write * for a product",
    "\u2212": "write the ASCII minus sign -",
    "\u2013": "write the ASCII minus sign -",
    "\u2264": "write <=",
    "\u2265": "write >=",
    "\u221a": "write sqrt(...)",
}


@dataclass(frozen=True)
class Token:
    """One lexical element; ``kind`` is ``number``, ``name``, ``symbol`` or ``end``."""

    kind: str
    text: str
    start: int
    end: int


def tokenize(text: str) -> list[Token]:
    """Split a text into tokens, the last of which has kind ``end``.

    Raises:
        ExpressionFault: If the text is empty, too long, or holds a character
            or number outside the language.
    """
    if len(text) > MAX_LENGTH:
        message = f"{len(text)} characters, at most {MAX_LENGTH} are read; use definitions to split it up"
        raise ExpressionFault(message, MAX_LENGTH, len(text))
    if not text.strip():
        raise ExpressionFault("empty expression", 0, len(text))
    tokens: list[Token] = []
    position = 0
    while match := _TOKEN.match(text, position):
        kind = str(match.lastgroup)
        token = Token(kind, match.group(kind), match.start(kind), match.end(kind))
        _check_neighbours(tokens, token)
        tokens.append(token)
        position = match.end()
    position = _BLANK.match(text, position).end()  # type: ignore[union-attr]
    if position < len(text):
        raise _foreign(text[position], position)
    return [*tokens, Token("end", "", len(text), len(text))]


def _check_neighbours(tokens: list[Token], token: Token) -> None:
    """Refuse infinite numbers, and ``2x``, ``1.2.3``, ``0x10`` where token touches token."""
    if token.kind == "number" and not math.isfinite(float(token.text)):
        raise ExpressionFault(f"number {token.text} is too large (largest: 1.8e308)", token.start, token.end)
    if not tokens or tokens[-1].end != token.start:
        return
    before = tokens[-1]
    if before.kind == "name" and token.kind == "number" and token.text.startswith("."):
        message = f"'{before.text}{token.text}': a component is named by its coordinate, as in U.x"
        raise ExpressionFault(message, before.start, token.end)
    if before.kind != "number":
        return
    if token.kind == "name" and token.text in IMAGINARY:
        product = f"a product needs its sign ({before.text}*{token.text})"
        message = f"'{before.text}{token.text}': {product}, and {ALL_REAL}"
        raise ExpressionFault(message, before.start, token.end)
    if token.kind == "name":
        message = f"'{before.text}{token.text}': a product needs its sign; write {before.text}*{token.text}"
        raise ExpressionFault(message, before.start, token.end)
    if token.kind == "number":
        message = f"'{before.text}{token.text}' is not a number; write 0.5 or 1e-3"
        raise ExpressionFault(message, before.start, token.end)


def _foreign(character: str, position: int) -> ExpressionFault:
    """Name a character outside the language, with what to write in its place where that is known."""
    shown = character if character.isprintable() and character.isascii() else ascii(character)[1:-1]
    message = f"character '{shown}' is not part of the language"
    if character in _REMARKS:
        message = f"{message}: {_REMARKS[character]}"
    elif not character.isascii():
        message = f"{message}: names and operators are ASCII"
    return ExpressionFault(message, position, position + 1)

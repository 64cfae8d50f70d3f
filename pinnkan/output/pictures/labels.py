"""The words on a picture: symbols, numbers and the caption above it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field

_GREEK = re.compile(
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|upsilon"
    "|phi|chi|psi|omega|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Upsilon|Phi|Psi|Omega"
)


_SMALL = 1e-2
"""Below this, numbers are written with a power of ten: nobody counts zeros in an error of 0.00042."""


def plain(text: str) -> str:
    """Return text that matplotlib will not take for a formula, whatever dollar signs the user wrote."""
    return text.replace("$", r"\$")


def symbol(name: str) -> str:
    """Return a name as mathematics: ``lambda`` as the letter, ``u_xx`` with an index, ``speed`` as a word.

    Args:
        name: A coordinate, an unknown, a derivative or a parameter.

    Returns:
        Mathtext, with its dollar signs.
    """
    return f"${_mathtext(name)}$"


def _mathtext(name: str) -> str:
    head, _, index = name.partition("_")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", head) or "_" in index:
        return r"\mathrm{" + name.replace("_", r"\_") + "}"
    letters = re.fullmatch(r"([A-Za-z]+?)([0-9]*)", head)
    assert letters is not None
    base, digits = letters.groups()
    lower = ",".join(part for part in (digits, _letter(index)) if part)
    return _letter(base) + (f"_{{{lower}}}" if lower else "")


def _letter(word: str) -> str:
    """Return a Greek name as its letter, a letter or a derivative's index in italics, a word upright."""
    if _GREEK.fullmatch(word):
        return f"\\{word}"
    if len(word) <= 1 or set(word) <= set("txyzr"):
        return word
    return r"\mathrm{" + word + "}"


def number(value: float, digits: int = 3) -> str:
    """Return a number as mathematics: ``0.1``, ``20000``, ``3.7 x 10^-5``.

    Args:
        value: A finite number.
        digits: Significant digits.

    Returns:
        Mathtext, with its dollar signs.
    """
    text = f"{value:.{digits}g}"
    if 0 < abs(value) < _SMALL:
        text = re.sub(r"\.?0*e", "e", f"{value:.{digits - 1}e}")
    mantissa, exponent, power = text.partition("e")
    if not exponent:
        return f"${text}$"
    factor = "" if mantissa == "1" else rf"{mantissa}\times"
    return f"${factor}10^{{{int(power)}}}$"


_NOTE_LINES = 3


@dataclass(frozen=True)
class Caption:
    """What a picture is of.

    Attributes:
        title: The problem, in the user's words.
        values: What is held fixed (parameters, a time, a slice) with its value.
        figures: What was measured, by name (may hold mathtext); None is left out.
        note: What a reader must know, on lines of its own: its beginning, where it would crush the picture.
    """

    title: str
    values: Mapping[str, float] = field(default_factory=dict)
    figures: Mapping[str, float | None] = field(default_factory=dict)
    note: str = ""

    def text(self, width_mm: float) -> str:
        """Return the lines above a picture of some width."""
        # A letter at 9 points is 1.6 mm wide on average.
        letters = max(int(width_mm / 1.6), 10)
        lines = [plain(line) for line in textwrap.wrap(self.title, letters)]
        wrapped = textwrap.wrap(self.note, letters, max_lines=_NOTE_LINES, placeholder=" ...")
        note = [plain(line) for line in wrapped]
        facts = [f"{symbol(name)} = {number(value, 6)}" for name, value in self.values.items()]
        facts += [f"{name} {number(value)}" for name, value in self.figures.items() if value is not None]
        return "\n".join([*lines, *_fill(facts, width_mm), *note])


def _fill(facts: list[str], width_mm: float) -> list[str]:
    """Put facts on as few lines as hold them."""
    lines: list[str] = []
    used = 0.0
    for fact in facts:
        length = 1.6 * len(re.sub(r"\\[a-z]+|[$\\{}^]", "", fact)) + 5
        if lines and used + length <= width_mm:
            lines[-1] += f",  {fact}"
            used += length
        else:
            lines.append(fact)
            used = length
    return lines

"""What the names in an expression stand for, and how derivatives of the unknowns are spelled."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from itertools import combinations_with_replacement
from typing import Any

import sympy

from pinnkan.ground.derivatives import MultiIndex, Partial, raised, value_index
from pinnkan.ground.errors import did_you_mean
from pinnkan.language.expressions.tree import ExpressionFault, Tree

MAX_ORDER = 4
"""Highest order of a derivative of an unknown, all coordinates together."""
MAX_TIME_ORDER = 2
"""Highest order of it along time."""

ELEMENTARY = (
    "sin", "cos", "tan", "exp", "log", "sqrt", "abs", "tanh", "sinh", "cosh", "erf", "min", "max", "where",
)  # fmt: skip
OPERATORS = (
    "grad", "div", "laplace", "lap", "laplacian", "biharmonic", "dot", "norm", "dn", "diff",
    "advect", "curl", "sym", "trace", "transpose", "cross", "outer",
)  # fmt: skip
HIDEABLE = {
    "e": "the base of the exponential",
    "I": "the identity tensor",
    "n": "the outward normal",
    **dict.fromkeys(OPERATORS[OPERATORS.index("advect") :], "the operator"),
}
"""Built-in words that a user may take for a thing of their own, and what they stand for otherwise."""
RESERVED = frozenset(
    (*ELEMENTARY, *OPERATORS, *keyword.kwlist, "pi", "And", "Or", "Piecewise", "Max", "Min", "Abs")
) - {"lambda", *HIDEABLE}


@dataclass(frozen=True)
class Names:
    """The names that an expression may use.

    Attributes:
        space: Space coordinates in order.
        time: Time coordinate, None for a stationary problem.
        unknowns: Functions that are solved for.
        parameters: Numbers that the family varies.
        definitions: The user's sub-expressions.
        extra: Names with a symbolic form already, such as ``exact``, ``exact.u`` or ``source``.
    """

    space: tuple[str, ...]
    time: str | None = None
    unknowns: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    definitions: Mapping[str, Tree] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Time first, if there is one, then space."""
        return self.space if self.time is None else (self.time, *self.space)

    @property
    def own(self) -> tuple[str, ...]:
        """What the problem declares and what its keys stand for."""
        return (*self.coordinates, *self.unknowns, *self.parameters, *self.definitions, *self.extra)

    @property
    def constants(self) -> tuple[str, ...]:
        """Built-in names that stand alone and are not hidden by the problem's own."""
        words = ("pi", "e", "I", "n") if self.space else ("pi", "e")
        return tuple(word for word in words if word not in self.own)

    def known(self) -> tuple[str, ...]:
        """Every name that may stand alone, for suggestions."""
        derived = [derivative_name(u, index, self) for u in self.unknowns for index in _indices(self)]
        return (*self.own, *derived, *self.constants)

    def kind(self, name: str) -> str:
        """What the problem declares a name of its own as: ``the unknown``, ``the parameter``."""
        kinds = {
            "the coordinate": self.coordinates,
            "the unknown": self.unknowns,
            "the parameter": self.parameters,
            "the definition": self.definitions,
        }
        return next((word for word, members in kinds.items() if name in members), "the name")


@lru_cache(maxsize=4096)
def symbol(name: str) -> Any:
    """The real SymPy symbol that stands for a name in every symbolic form."""
    return sympy.Symbol(name, real=True)


def normal_symbols(names: Names) -> tuple[Any, ...]:
    """Symbols ``n_x``, ``n_y``, ... of the outward unit normal.

    Where the user has an ``n``, whose derivative is n_x, they are ``normal_x``, ``normal_y``, ...
    """
    word = "n"
    if "n" in names.own:
        word = "normal"
        while any(name == word or name.startswith(f"{word}_") for name in names.own):
            word += "l"
    return tuple(symbol(f"{word}_{coordinate}") for coordinate in names.space)


def hidden_builtins(names: Names) -> tuple[str, ...]:
    """The built-in words that mean something of the user's own here."""
    return tuple(word for word in HIDEABLE if word in names.own)


def derivative_name(unknown: str, index: MultiIndex, names: Names) -> str:
    """Spell a derivative canonically: letters in the order of the coordinates, ``u_xy`` for u_yx."""
    letters = "".join(name * order for name, order in zip(names.coordinates, index, strict=True))
    return f"{unknown}_{letters}" if letters else unknown


def read_derivative(name: str, names: Names) -> tuple[str, MultiIndex] | None:
    """Take ``u_xy`` apart into the unknown and its multi-index; None if the name is no derivative.

    Raises:
        ExpressionFault: If coordinate names make the letters ambiguous (``x`` and ``xx``).
    """
    if name in names.unknowns:
        return name, value_index(len(names.coordinates))
    for unknown in names.unknowns:
        if name.startswith(f"{unknown}_"):
            index = read_letters(name[len(unknown) + 1 :], names)
            if index is not None:
                return unknown, index
    return None


def read_letters(letters: str, names: Names) -> MultiIndex | None:
    """Read a run of coordinate names as a multi-index, None if it is not one.

    Raises:
        ExpressionFault: If it can be read in more than one way.
    """
    readings = set(_segmentations(letters, names.coordinates, value_index(len(names.coordinates))))
    if len(readings) > 1:
        message = f"'{letters}' names more than one derivative; use diff(expression, coordinate)"
        raise ExpressionFault(message, 0, 0)
    return next(iter(readings), None)


def derivative_symbols(expr: Any, names: Names) -> dict[Any, Partial]:
    """The unknowns and derivatives of unknowns in an expression, each with what it is a derivative of.

    Returns:
        Symbol to derivative, sorted by unknown, then by order, then by index.
    """
    found = {}
    for free in expr.free_symbols:
        reading = read_derivative(free.name, names)
        if reading is not None:
            found[free] = Partial(names.unknowns.index(reading[0]), reading[1])
    return dict(sorted(found.items(), key=lambda item: _rank(item[1])))


def _rank(partial: Partial) -> tuple[int, int, list[int]]:
    return partial.unknown, sum(partial.orders), [-order for order in partial.orders]


IMAGINARY = ("i", "j", "I", "J")
"""Names that stand for the imaginary unit elsewhere; a problem may give them to its own things."""
COMPLEX_FUNCTIONS = ("complex", "re", "im", "real", "imag", "conj", "conjugate", "arg", "angle")
ALL_REAL = "all numbers are real here (a complex unknown is two real ones)"


def naming_faults(names: Names) -> list[tuple[str, str]]:
    """Names that cannot be used as they are declared, each with the reason.

    Returns:
        Pairs (name, message) for reserved words, malformed and repeated names,
        and names that read as a derivative or a normal component.
    """
    declared = (*names.coordinates, *names.unknowns, *names.parameters, *names.definitions)
    faults = []
    for position, name in enumerate(declared):
        if not re.fullmatch(r"[A-Za-z][A-Za-z_0-9]*", name):
            faults.append((name, f"'{name}' is not a name; use letters, digits and '_', a letter first"))
        elif name in RESERVED:
            faults.append((name, f"'{name}' is a word of the language; choose another name"))
        elif name in declared[:position] or name in names.extra:
            faults.append((name, f"'{name}' has two meanings; choose another name"))
        elif name not in names.unknowns and read_derivative(name, names) is not None:
            faults.append((name, f"'{name}' reads as a derivative of an unknown; choose another name"))
        elif symbol(name) in normal_symbols(names):
            faults.append((name, f"'{name}' is a component of the normal; choose another name"))
    return faults


def unknown_name(name: str, names: Names) -> str:
    """Explain why a name means nothing here, with the most helpful guess at what was meant."""
    if name in (*ELEMENTARY, *OPERATORS) or name in (f"d{coordinate}" for coordinate in names.coordinates):
        return f"'{name}' is a function; write {name}(...)"
    if name in IMAGINARY:
        return f"unknown name '{name}'; {ALL_REAL}"
    coordinates = ", ".join(names.coordinates)
    head, _, letters = name.rpartition("_")
    if head in names.unknowns:
        return (
            f"unknown name '{name}'; coordinates are {coordinates}{_likely_derivative(head, letters, names)}"
        )
    if head in (*names.coordinates, *names.parameters, *names.constants) and read_letters(letters, names):
        return f"unknown name '{name}': subscripts are for unknowns and definitions, not for {head}"
    stem, point, _ = name.partition(".")
    family = [word for word in names.extra if word.startswith(f"{stem}.")]
    if family:
        return f"unknown name '{name}'; known are {', '.join(family)}"
    if point and stem not in names.known():
        return unknown_name(stem, names)
    guess = did_you_mean(name, names.known())
    if head in names.definitions and not guess:
        guess = f"; coordinates are {coordinates}{_likely_derivative(head, letters, names)}"
    return f"unknown name '{name}'{guess or f'; known are {_listing(names)}'}"


def _likely_derivative(unknown: str, letters: str, names: Names) -> str:
    """Suggest the nearest derivative with as many letters, a space derivative before one in time."""
    known = [derivative_name(unknown, index, names) for index in _indices(names)]
    likely = [name for name in reversed(known) if len(name) == len(unknown) + 1 + len(letters)] or known
    return f"; did you mean '{get_close_matches(f'{unknown}_{letters}', likely, n=1, cutoff=0.0)[0]}'?"


def _listing(names: Names) -> str:
    return ", ".join(names.own[:12]) + (", ..." if len(names.own) > 12 else "")


def _segmentations(letters: str, coordinates: tuple[str, ...], index: MultiIndex) -> Iterator[MultiIndex]:
    if not letters and any(index):
        yield index
    # Enough to tell "eighth order" from "not a derivative", while the number of readings stays small.
    if sum(index) > MAX_ORDER + 3:
        return
    for position, name in enumerate(coordinates):
        if letters.startswith(name):
            yield from _segmentations(letters[len(name) :], coordinates, raised(index, position))


def _indices(names: Names) -> Iterator[MultiIndex]:
    """Every multi-index that an unknown may be differentiated by, low orders first."""
    size = len(names.coordinates)
    for order in range(1, MAX_ORDER + 1):
        for axes in combinations_with_replacement(range(size), order):
            index = tuple(axes.count(axis) for axis in range(size))
            if names.time is None or index[0] <= MAX_TIME_ORDER:
                yield index

"""How the network for one parameter value comes about: the table of methods.

Files, options, studies and recipes take their choices from here; what a method does differently is a field
of its row, and no other file compares its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Method:
    """One way to a network.

    Attributes:
        name: What options and stored files call it.
        summary: What moves, for the help of ``--method``.
        on_base: Whether training starts from a base's coefficients, and the result belongs to that base.
        low_rank: Whether the adapter of ``adapter:`` is what moves and is stored; else every coefficient.
    """

    name: str
    summary: str
    on_base: bool
    low_rank: bool = False

    @property
    def block(self) -> str:
        """The block of settings that says how it is trained."""
        return "finetuning" if self.on_base else "training"

    @property
    def may_change(self) -> tuple[str, ...]:
        """The blocks of settings that may differ from those that the base was trained with."""
        blocks = ("finetuning", "adapter", "points")
        return blocks if self.on_base else (*blocks, self.block)


BASE = Method("base", "all coefficients, afresh, at the base value", on_base=False)
"""How a base comes about; no result of a parameter value is named so."""

LOTRA = Method("lotra", "a small adapter", on_base=True, low_rank=True)
"""The method that is meant where none is named."""

METHODS: Mapping[str, Method] = {
    method.name: method
    for method in (
        LOTRA,
        Method("full", "all coefficients, from the base", on_base=True),
        Method("scratch", "all, afresh", on_base=False),
    )
}
"""The methods of the result of a parameter value."""


def method_named(name: str) -> Method:
    """Return the method of a result, that of a base included.

    Raises:
        KeyError: If there is none of this name.
    """
    return BASE if name == BASE.name else METHODS[name]


def stands_alone(name: object) -> bool:
    """Tell whether a stored result says that no base is behind it; what is no method's name says nothing."""
    method = METHODS.get(name) if isinstance(name, str) else None
    return method is not None and not method.on_base

"""Where a statement holds: in the interior of a domain, at its initial time, on a part of its boundary.

Or for the domain as a whole, at every time: an integral over space, and the value at one place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pinnkan.ground.arrays import BoolArray, FloatArray


@dataclass(frozen=True)
class Interior:
    """All of the domain."""

    @property
    def name(self) -> str:
        """What it is called in messages; the stream of its random points is seeded by it."""
        return "interior"


@dataclass(frozen=True)
class InitialTime:
    """The domain in space at the first time."""

    @property
    def name(self) -> str:
        """As of `Interior`."""
        return "initial"


@dataclass(frozen=True)
class Portion:
    """Those points of a part at which a formula holds.

    Attributes:
        text: The formula.
        holds: Tells at which points (N, D) it does, (N,).
    """

    text: str
    holds: Callable[[FloatArray], BoolArray] = field(compare=False)


@dataclass(frozen=True)
class BoundaryPart:
    """A part of the boundary, at all times, or a portion of it.

    Attributes:
        part: Its canonical name, or an alias of one or several parts: ``all``.
        portion: Which points of it; None for all.
    """

    part: str
    portion: Portion | None = None

    @property
    def name(self) -> str:
        """As of `Interior`."""
        return self.part if self.portion is None else f"{self.part} where {self.portion.text}"


@dataclass(frozen=True)
class WholeDomain:
    """All of space at once, at every time: where an integral is taken.

    The points of one time are worked together (`pinnkan.geometry.domain.CollocationSet.together`).

    Attributes:
        times: At how many times, where there is time.
    """

    times: int = 12

    @property
    def name(self) -> str:
        """As of `Interior`."""
        return "the whole domain"


@dataclass(frozen=True)
class PointInSpace:
    """One place in space, at every time.

    Attributes:
        position: Its coordinates in space, (d,).
    """

    position: tuple[float, ...]

    @property
    def name(self) -> str:
        """As of `Interior`."""
        return f"({', '.join(f'{x:.9g}' for x in self.position)})"


Region = Interior | InitialTime | BoundaryPart | WholeDomain | PointInSpace

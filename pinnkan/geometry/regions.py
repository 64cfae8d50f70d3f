"""Where a statement holds: in the interior of a domain, at its initial time, on a part of its boundary.

Or for the domain as a whole, at every time: an integral over space, and the value at one place.
"""

from __future__ import annotations

from dataclasses import dataclass


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
class BoundaryPart:
    """A part of the boundary, at all times.

    Attributes:
        part: Its canonical name, or an alias of one or several parts: ``all``.
    """

    part: str

    @property
    def name(self) -> str:
        """As of `Interior`."""
        return self.part


@dataclass(frozen=True)
class WholeDomain:
    """All of space at once, at every time: where an integral is taken.

    The points of one time are worked together (`pinnkan.geometry.domain.CollocationSet.together`).
    """

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

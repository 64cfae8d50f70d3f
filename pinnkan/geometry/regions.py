"""Where a statement holds: in the interior of a domain, at its initial time, on a part of its boundary."""

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


Region = Interior | InitialTime | BoundaryPart

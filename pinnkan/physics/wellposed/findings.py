"""What a test of a problem has to say to its author."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pinnkan.ground.arrays import FloatArray
from pinnkan.language.reading.places import Place

SEVERITIES = ("refusal", "error", "warning")
"""The gravest first."""


@dataclass(frozen=True)
class Finding:
    """Something the user should know.

    Attributes:
        severity: ``refusal`` (the problem has no solution, or none that depends on its data with
            continuity: it is not trained), ``error`` (the file contradicts itself) or ``warning``.
        message: What was found, and what to do.
        place: Where in the file; None where it is about the problem as a whole.
    """

    severity: str
    message: str
    place: Place | None = None


def refusal(message: str, place: Place) -> Finding:
    """Return a finding that forbids training."""
    return Finding("refusal", message, place)


def warning(message: str) -> Finding:
    """Return a finding that forbids nothing."""
    return Finding("warning", message)


def point_text(coordinates: Sequence[str], point: FloatArray) -> str:
    """Write a point for a message: ``t = 0.5, x = 0.25``."""
    return ", ".join(f"{name} = {value:.4g}" for name, value in zip(coordinates, point, strict=True))

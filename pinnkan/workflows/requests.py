"""What commands ask of workflows, as options say it: plain data, which the command line loads at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

FlowKind = Literal["arrows", "streamlines"]


@dataclass(frozen=True)
class View:
    """What is looked at.

    Attributes:
        field: ``solution``, ``reference``, ``error``, ``residual``, ``history``, or a formula of the
            unknowns.
        time: Time held fixed.
        slices: Texts such as ``y=0.5``.
        flows: Vectors that are drawn over the field, as ``streamlines`` or ``arrows``.
    """

    field: str
    time: float | None
    slices: Sequence[str]
    flows: Mapping[FlowKind, str]


@dataclass(frozen=True)
class Places:
    """At which points a solution is written: those of a grid or those of a file.

    Attributes:
        grid: Points along the axes of the bounding box, such as ``11x101x101``; or None.
        points: CSV file of points; or None.
        time: Time at which a grid is held.
    """

    grid: str | None = None
    points: Path | None = None
    time: float | None = None


@dataclass(frozen=True)
class FamilyRequest:
    """Which values are to be answered, and how well.

    Attributes:
        only: Range LOW:HIGH of the family's only parameter.
        params: Ranges NAME=LOW:HIGH.
        tolerance: Bound of the estimated relative L2 error, at every value of the training set.
        max_adapters: Most adapters.
    """

    only: str | None
    params: Sequence[str]
    tolerance: float
    max_adapters: int

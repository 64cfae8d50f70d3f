"""Values of named fields at points: what every export writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod

import numpy as np

from pinnkan.ground.arrays import BoolArray, FloatArray
from pinnkan.ground.errors import PinnkanError


@dataclass(frozen=True)
class FieldTable:
    """Fields sampled at points, scattered or on a tensor grid; NaN at points outside the domain.

    Attributes:
        coordinates: Names of the D coordinates, in header order (time first).
        points: Shape (N, D).
        fields: Values by name, each of shape (N,): the unknowns first, then
            exact solutions, errors or residuals. Set to NaN outside the domain.
        inside: Which points are in the domain, shape (N,).
        shape: Points along each axis if the points are a grid with the last
            coordinate running fastest (1 along an axis that is held fixed).
        time: The coordinate that is time, if there is one.
        about: Facts about the whole (problem, parameter values), for formats that can hold them.
        vectors: By the name of a vector, the two or three fields that are its
            components, for formats that can hold vectors: ``U: (u, v)``.

    Raises:
        ValueError: If shapes do not agree, a name occurs twice, or a vector is not of two or three fields.
        PinnkanError: If a field is not finite at a point of the domain.
    """

    coordinates: tuple[str, ...]
    points: FloatArray
    fields: Mapping[str, FloatArray]
    inside: BoolArray
    shape: tuple[int, ...] | None = None
    time: str | None = None
    about: Mapping[str, str | float] = field(default_factory=dict)
    vectors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count = len(self.points)
        names = [*self.coordinates, *self.fields, *self.vectors]
        if len(set(names)) != len(names):
            raise ValueError(f"a column name occurs twice: {', '.join(names)}")
        if self.points.shape != (count, len(self.coordinates)) or self.inside.shape != (count,):
            raise ValueError(f"points {self.points.shape}, inside {self.inside.shape}, {self.coordinates}")
        if self.shape is not None and (prod(self.shape), len(self.shape)) != self.points.shape:
            raise ValueError(f"a grid of shape {self.shape} does not have points {self.points.shape}")
        for name, components in self.vectors.items():
            if len(components) not in (2, 3) or not set(components) <= set(self.fields):
                raise ValueError(
                    f"vector '{name}' is of {', '.join(components)}, expected two or three of the fields "
                    f"{', '.join(self.fields)}"
                )
        fields = {name: self._masked(name, values) for name, values in self.fields.items()}
        object.__setattr__(self, "fields", fields)

    def _masked(self, name: str, values: FloatArray) -> FloatArray:
        """Return one field with NaN outside, after a look at the points inside."""
        if values.shape != self.inside.shape:
            raise ValueError(f"field '{name}' has shape {values.shape}, expected {self.inside.shape}")
        bad = np.flatnonzero(self.inside & ~np.isfinite(values))
        if bad.size:
            place = ", ".join(
                f"{c}={v:.6g}" for c, v in zip(self.coordinates, self.points[bad[0]], strict=True)
            )
            raise PinnkanError(
                f"'{name}' is not finite at {bad.size} points of the domain, first at {place}: "
                "nothing was written"
            )
        return np.where(self.inside, values, np.nan)

    @property
    def columns(self) -> dict[str, FloatArray]:
        """Every column by its header name, coordinates first, each of shape (N,)."""
        return {name: self.points[:, i] for i, name in enumerate(self.coordinates)} | dict(self.fields)

    @property
    def arrays(self) -> dict[str, FloatArray]:
        """The columns, in the shape of the grid without its fixed axes if there is a grid."""
        if self.shape is None:
            return self.columns
        shape = tuple(n for n in self.shape if n > 1) or (1,)
        return {name: values.reshape(shape) for name, values in self.columns.items()}

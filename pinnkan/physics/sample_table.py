"""Values given at scattered points: the table behind ``samples``, read when it is first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np

from pinnkan.geometry import Domain
from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.datafiles import DataFile
from pinnkan.ground.errors import UsageError
from pinnkan.language.problem.spec import DataTable, Problem

_STREAM = 0x5A3


class SampleSet(NamedTuple):
    """Points (N, D) and the values given there, (N,)."""

    points: FloatArray
    values: FloatArray


class SampleTable:
    """The rows of a problem's samples.

    Args:
        problem: A problem with samples.
        samples: Its samples.
    """

    def __init__(self, problem: Problem, samples: DataTable) -> None:
        self._problem = problem
        self._samples = samples

    @cached_property
    def rows(self) -> SampleSet:
        """All rows, in the order of the file.

        Raises:
            FileAccessError: If the file cannot be read.
            UsageError: If a column is missing or an entry is no finite number.
        """
        coordinates, unknown = self._problem.coordinates, self._problem.unknowns[0]
        file = DataFile(self._samples.file, what="samples")
        columns = file.columns([*coordinates, unknown], gaps_in=[unknown])
        return SampleSet(columns.points(coordinates), columns.arrays[unknown])

    def split(self, domain: Domain, *, seed: int) -> tuple[SampleSet, SampleSet]:
        """Return the samples to train on and those held out, drawn by the seed.

        Raises:
            FileAccessError: If the file cannot be read.
            UsageError: If it is no such table, a point is outside the domain or a side of the split is empty.
        """
        points, values = self.rows
        outside = np.flatnonzero(~domain.contains(points))
        if outside.size:
            place = ", ".join(f"{x:.9g}" for x in points[outside[0]])
            raise UsageError(
                f"samples {self._samples.file}: {outside.size} of {len(points)} points are outside the "
                f"domain, first ({place}) in row {outside[0] + 1}"
            )
        held = round(self._samples.validation * len(values))
        if not 0 < held < len(values):
            raise UsageError(
                f"samples {self._samples.file}: {len(values)} rows cannot be split with "
                f"validation {self._samples.validation:g}; each side needs one at least"
            )
        order = np.random.default_rng([seed, _STREAM]).permutation(len(values))
        kept, validation = order[held:], order[:held]
        return SampleSet(points[kept], values[kept]), SampleSet(points[validation], values[validation])

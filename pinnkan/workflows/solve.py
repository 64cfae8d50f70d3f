"""``pinnkan solve``: answers at any parameter value from a family file alone."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike

from pinnkan.ground.arrays import BoolArray, FloatArray
from pinnkan.ground.errors import UsageError
from pinnkan.language.parameters import complete_values, file_stem
from pinnkan.language.problem import Problem
from pinnkan.reduction import network_residual, outside, rows_of
from pinnkan.solutions.fields import checked_points
from pinnkan.storage.runs.paths import FAMILY
from pinnkan.storage.runs.reduced_basis import StoredReducedBasis, read_family
from pinnkan.workflows.answers import Answers


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep torch to one thread: arrays fit a core's cache, and more threads would wait for each other.

    `limited_threads` looks up the BLAS libraries as well, which takes longer than an answer.
    """
    former = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(former)


class ReducedBasis:
    """A reduced basis: any parameter value of its range in a fraction of a millisecond.

    Made by :meth:`load` from the file that ``pinnkan family`` wrote; neither the base nor the adapters are
    opened.

    Examples:
        >>> import pinnkan
        >>> basis = pinnkan.ReducedBasis.load("runs/elliptic")
        >>> u = basis.solve(0.37)
        >>> u.estimate
        3.1e-05
        >>> u([[0.0, 0.0], [0.5, 0.0]])
        array([1.37000..., 0.53...])
    """

    def __init__(self, stored: StoredReducedBasis) -> None:
        self._stored = stored

    @classmethod
    def load(cls, path: str | Path) -> ReducedBasis:
        """Read ``family.h5``, given as a file or as the run directory that holds it.

        Raises:
            UsageError: If there is none.
            DamagedFileError: If it is damaged or foreign.
        """
        place = Path(path)
        return cls(read_family(place / FAMILY if place.is_dir() else place))

    @property
    def problem(self) -> Problem:
        """The problem."""
        return self._stored.problem

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """Low and high end of every parameter's trained range."""
        return {span.name: (span.low, span.high) for span in self._stored.ranges}

    @property
    def tolerance(self) -> float:
        """The tolerance it was made for."""
        return self._stored.tolerance

    def solve(self, values: float | Mapping[str, float] | None = None) -> ReducedSolution:
        """Return the solution at one parameter value.

        Args:
            values: A number for a family of one parameter; numbers by name, where a parameter left out
                keeps its base value.

        Raises:
            UsageError: If a name is unknown or a value not finite.
            PinnkanError: If the problem's data have no finite value at this parameter value.
        """
        return ReducedSolution(self.solve_all([values]))

    def solve_all(self, values: Sequence[float | Mapping[str, float] | None]) -> Answers:
        """Return the answers at many parameter values at once.

        Raises:
            UsageError: If there is no value, a name is unknown or a value not finite.
            PinnkanError: If the problem's data have no finite value at one of them.
        """
        stored = self._stored
        if not len(values):
            raise UsageError("which parameter values? Give at least one")
        complete = [complete_values(stored.problem.parameters, point) for point in values]
        rows = rows_of(stored.ranges, complete)
        started = time.perf_counter()
        with _one_thread():
            found = stored.model.solve(rows)
            by_base, residual = self._by_base(rows)
        estimates = np.where(found.converged, stored.factor * found.residual, np.inf)
        estimates[by_base], found.c[by_base] = stored.factor * residual, np.nan
        seconds = time.perf_counter() - started
        return Answers(
            stored,
            values=complete,
            coefficients=found.c,
            estimates=estimates,
            outside=outside(stored.ranges, rows),
            by_base=by_base,
            seconds=seconds,
        )

    def _by_base(self, rows: FloatArray) -> tuple[BoolArray, float]:
        """Tell which of parameter values (L, P) are the base's, and how large its relative residual is.

        None are if the basis has an adapter of that value.
        """
        stored = self._stored
        (own,) = rows_of(stored.ranges, [stored.problem.base_values])
        model = stored.model
        by_base: BoolArray = (rows == own).all(axis=1) & ~(model.basis.known == own).all(axis=1).any()
        if not by_base.any():
            return by_base, 0.0
        places = [block.place for block in model.blocks]
        snapshots = stored.snapshots
        taken = snapshots.constant_of_base
        return by_base, network_residual(
            model.ansatz, snapshots.network, snapshots.base, own, places, constants=taken
        )

    def __repr__(self) -> str:
        return f"<pinnkan reduced basis {self.problem.name}: {self._stored.path}>"


class ReducedSolution:
    """The solution at one parameter value, a function of points; made by :meth:`ReducedBasis.solve`."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    @cached_property
    def values(self) -> dict[str, float]:
        """Parameter values by name."""
        return dict(self._answers.values[0])

    @property
    def coefficients(self) -> FloatArray:
        """Coefficients in the orthonormal basis, shape (k,); NaN where the base answers."""
        coefficients: FloatArray = self._answers.coefficients[0]
        return coefficients

    @property
    def estimate(self) -> float:
        """Estimate, not a bound, of the relative L2 error; of several unknowns of the largest."""
        return float(self._answers.estimates[0])

    @property
    def is_trusted(self) -> bool:
        """Whether the value is inside the trained range and the estimate within the tolerance."""
        return not bool(self._answers.doubtful[0])

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Names of the columns of points, time first."""
        return self._answers.reference.coordinates

    def __call__(self, points: ArrayLike) -> FloatArray | dict[str, FloatArray]:
        """Return the solution at points (N, D): (N,), or of several unknowns (N,) by name.

        An unknown that nothing fixes but up to a constant has the mean zero over the domain.

        Raises:
            UsageError: If the points have another shape, are not finite or outside the domain.
        """
        reference = self._answers.reference
        places = checked_points(points, reference.coordinates, reference.domain.contains)
        values: FloatArray = self._answers.solutions(places)[0]
        unknowns = self._answers.stored.problem.unknowns
        return values[0] if len(unknowns) == 1 else dict(zip(unknowns, values, strict=True))

    def __repr__(self) -> str:
        return f"<pinnkan reduced solution {file_stem(self.values)}, estimate {self.estimate:.2g}>"

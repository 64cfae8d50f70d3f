"""The Python way in: ``pinnkan.load(DIR).at(0.1)(points)``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from pinnkan.ground.derivatives import Derivative
from pinnkan.ground.errors import UsageError
from pinnkan.ground.runtime import device_for
from pinnkan.language.expressions import ExpressionFault
from pinnkan.language.expressions.names import read_derivative, unknown_name
from pinnkan.language.methods import LOTRA
from pinnkan.language.parameters import complete_values
from pinnkan.language.problem import Problem
from pinnkan.solutions.derived_fields import derived_field
from pinnkan.solutions.fields import RESIDUAL, checked_points, fields_at, reference_at
from pinnkan.solutions.windows import AnySolution
from pinnkan.storage.runs.directory import Result, RunDirectory, require_plain
from pinnkan.storage.runs.paths import ResultName


def load(directory: str | os.PathLike[str], *, device: str = "cpu") -> Run:
    """Open a run directory: one base and its adapters.

    Args:
        directory: As ``pinnkan pretrain`` wrote it.
        device: Where solutions are evaluated: ``cpu``, ``cuda``, ``auto``, ...

    Raises:
        UsageError: If there is no base in the directory, or no such device.
        DamagedFileError: If the base is damaged or foreign.

    Examples:
        >>> import pinnkan
        >>> family = pinnkan.load("runs/elliptic")
        >>> u = family.at(0.1)
        >>> u([[0.0, 0.0], [0.5, 0.0]])
        array([1.10000..., 0.34482...])
    """
    run_directory = RunDirectory(Path(directory))
    if not run_directory.base_path.is_file():
        raise UsageError(
            f"{directory} has no {run_directory.base_path.name}; "
            f"'pinnkan pretrain PROBLEM -o {directory}' makes one"
        )
    return Run(run_directory, run_directory.base(), device_for(device))


class Run:
    """A family of PDEs with the solutions that a run directory holds; made by :func:`load`."""

    def __init__(self, run_directory: RunDirectory, base: Result, device: torch.device) -> None:
        self._run_directory = run_directory
        self._base = base
        self._device = device

    @property
    def problem(self) -> Problem:
        """The problem as the base was trained on it."""
        return self._base.problem

    @property
    def parameters(self) -> dict[str, float]:
        """The family's parameters with their base values."""
        return dict(self.problem.base_values)

    def at(
        self,
        values: float | Mapping[str, float] | None = None,
        *,
        method: str = LOTRA.name,
        tag: str | None = None,
    ) -> RunSolution:
        """Return the solution at one parameter value.

        Args:
            values: A number for a family of one parameter; numbers by name,
                where a parameter left out keeps its base value; nothing for the base, which is also the
                answer at its own value unless an adapter was trained there.
            method: ``lotra``, ``full`` or ``scratch``: how the value was trained.
            tag: Tag of the adapter's file.

        Raises:
            UsageError: If there is no adapter for the value, with the command that trains it; or a method or
                a tag without a value.
            WrongBaseError: If the adapter belongs to another base.

        Examples:
            >>> family.at()                                    # the base
            >>> family.at(0.1)                                 # adapters/lambda=0.1.h5
            >>> family.at({"nu": 0.01}, method="full", tag="long")
        """
        named = None if values is None else complete_values(self.problem.parameters, values)
        if named is None:
            require_plain(self.problem, method, tag)
        result = self._base if named is None else self._run_directory.find(ResultName(named, method, tag))
        return RunSolution(result, result.solution(self._device))

    def __repr__(self) -> str:
        return f"<pinnkan family {self.problem.name}: {self._run_directory.path}>"


class RunSolution:
    """The solution at one parameter value, a function of points; made by :meth:`Run.at`."""

    def __init__(self, result: Result, solution: AnySolution) -> None:
        self._result = result
        self._solution = solution

    @cached_property
    def values(self) -> dict[str, float]:
        """Parameter values by name."""
        return dict(self._result.values)

    @property
    def method(self) -> str:
        """``base``, ``lotra``, ``full`` or ``scratch``."""
        return self._result.method

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Names of the columns of points, time first."""
        return self._solution.instance.coordinates

    @property
    def unknowns(self) -> tuple[str, ...]:
        """Names of the unknowns."""
        return self._result.problem.unknowns

    def __call__(self, points: ArrayLike) -> Any:
        """Return the solution at points.

        Args:
            points: In the domain, shape (N, D), columns as :attr:`coordinates`.

        Returns:
            Shape (N,), float64; of several unknowns such an array each, by name.

        Raises:
            UsageError: If the points have another shape, are not finite or outside the domain.
        """
        return self._alone(self._solution.named(self._checked(points)))

    def jet(self, points: ArrayLike, *names: str) -> np.ndarray:
        """Return derivatives of the solution at points.

        Args:
            points: As for a call.
            names: Derivatives, such as ``"u_xx"`` or ``"u_tx"``; the value is ``"u"``.

        Returns:
            Shape (N,) for one name, (len(names), N) for several, float64.

        Raises:
            UsageError: If a name is no derivative of an unknown, or as for a call.

        Examples:
            >>> u.jet(points, "u_xx")
            >>> u_x, u_y = u.jet(points, "u_x", "u_y")
        """
        if not names:
            raise UsageError("which derivatives? Name at least one, as in jet(points, 'u_x')")
        rows = self._solution.derivatives(self._checked(points), [self._derivative(name) for name in names])
        return rows[0] if len(names) == 1 else rows

    def field(self, points: ArrayLike, formula: str) -> np.ndarray:
        """Return a formula of the unknowns, their derivatives and the problem's definitions at points.

        Args:
            points: As for a call.
            formula: Such as ``"v_x - u_y"`` or ``"norm(U)"``.

        Returns:
            Shape (N,), of a vector (C, N), float64; NaN where it has no value.

        Raises:
            UsageError: If it is no formula, or as for a call.
        """
        derived = derived_field(self._result.problem, formula)
        values = derived.at(self._solution, self._checked(points))
        return values if derived.is_vector else values[0]

    def exact(self, points: ArrayLike) -> Any:
        """Return the exact or reference solution at points, shape (N,); NaN where data do not cover one.

        Of several unknowns an array each of those that are known, by name.

        Raises:
            UsageError: If the problem has none or it is known at none of the points, or as for a call.
        """
        return self._alone(reference_at(self._solution.instance, self._checked(points)))

    def residual(self, points: ArrayLike) -> Any:
        """Return left minus right of the equation at points, shape (N,); of several an array each, by name.

        Raises:
            UsageError: As for a call.
        """
        fields = fields_at(self._solution, RESIDUAL, self._checked(points))
        return fields if len(fields) > 1 else next(iter(fields.values()))

    def _alone(self, fields: dict[str, np.ndarray]) -> Any:
        """Return fields by name, of a problem with one unknown the only one."""
        return fields if len(self.unknowns) > 1 else fields[self.unknowns[0]]

    def _derivative(self, name: str) -> Derivative:
        names = self._result.problem.names
        try:
            reading = read_derivative(name, names)
        except ExpressionFault as fault:
            raise UsageError(str(fault)) from None
        if reading is None:
            raise UsageError(unknown_name(name, names))
        unknown, index = reading
        return Derivative(names.unknowns.index(unknown), index)

    def _checked(self, points: ArrayLike) -> np.ndarray:
        return checked_points(points, self.coordinates, self._contains)

    def _contains(self, points: np.ndarray) -> np.ndarray:
        return self._solution.instance.domain.contains(points)

    def __repr__(self) -> str:
        return f"<pinnkan solution {self._result.path}>"

"""What one problem file states, validated and frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import sympy

from pinnkan.geometry import BoundaryPart, InitialTime, Portion, Region
from pinnkan.ground.arrays import BoolArray, FloatArray
from pinnkan.language.expressions import Names, evaluate, symbol
from pinnkan.language.parameters import Parameter, complete_values
from pinnkan.language.reading.places import Place
from pinnkan.language.settings.blocks import Settings


@dataclass(frozen=True)
class Equation:
    """A differential equation, residual = 0 in the domain.

    Attributes:
        name: ``equation[0]``.
        text: As written.
        place: Where it is written.
        residual: Left minus right, in the symbols of coordinates, parameters
            and derivatives of the unknowns; a manufactured source is the
            symbol ``source``.
        source: Formula of that symbol; None where the equation has no manufactured source.
        weight: Multiplies the mean square of the residual.
    """

    name: str
    text: str
    place: Place
    residual: sympy.Expr
    source: sympy.Expr | None = field(default=None, kw_only=True)
    weight: float = field(default=1.0, kw_only=True)


@dataclass(frozen=True)
class StatedPortion:
    """The points of a boundary part at which a formula holds.

    Attributes:
        text: The formula as written.
        indicator: 1 where it holds, 0 elsewhere, in coordinates and parameters.
        named: Whether the parts are named, so that it must hold somewhere on each.
    """

    text: str
    indicator: sympy.Expr
    named: bool = False

    def holds(self, points: FloatArray, names: Names, values: Mapping[str, float]) -> BoolArray:
        """Tell at which points (N, D) it holds, (N,)."""
        found: BoolArray = evaluate([self.indicator], names.coordinates, points, values)[0] > 0.5
        return found


@dataclass(frozen=True)
class Condition(Equation):
    """A boundary or initial condition, residual = 0 on parts of the boundary or at the initial time.

    Attributes:
        parts: Canonical boundary parts; empty for an initial condition.
        hard: Built into the ansatz: True, False, or None where that is left to the program.
        portion: At which points of its parts it holds; None for all.
    """

    parts: tuple[str, ...]
    hard: bool | None
    portion: StatedPortion | None = field(default=None, kw_only=True)

    def regions(self, names: Names, values: Mapping[str, float]) -> tuple[Region, ...]:
        """Return where it holds: the initial time, or every part of the boundary by itself.

        Args:
            names: Of the problem.
            values: Of the parameters, on which a portion of a part may depend.
        """
        if self.is_initial:
            return (InitialTime(),)
        if self.portion is None:
            return tuple(BoundaryPart(part) for part in self.parts)
        portion = Portion(self.portion.text, partial(self.portion.holds, names=names, values=values))
        return tuple(BoundaryPart(part, portion) for part in self.parts)

    @property
    def is_initial(self) -> bool:
        """Whether this is an initial condition."""
        return not self.parts


MEASURE = symbol("_measure")
"""The measure of the domain in space: an integral is a mean times it."""


@dataclass(frozen=True, kw_only=True)
class Constraint(Equation):
    """A condition on the domain as a whole, at every time: of its residual, a mean over space is zero.

    Attributes:
        kind: ``integral``, ``mean``, or ``value`` (at a point in space).
        inner: What is integrated, or taken at the point; the residual is that, times `MEASURE` in an
            integral, less ``right``.
        right: What it equals, free of space and unknowns.
        position: The point (d,), which may depend on the parameters; empty for an integral.
    """

    kind: str
    inner: sympy.Expr
    right: sympy.Expr
    position: tuple[sympy.Expr, ...] = ()


@dataclass(frozen=True)
class Derived:
    """A derivative of a formula that may not be smooth everywhere or steep, as the file asks for it.

    Attributes:
        path: Of the statement, ``equation[0]``.
        text: What asks for it, as written.
        place: Where that is written.
        expr: What is differentiated.
        coordinate: Along which coordinate.
        step: How many derivatives of the same operator came before.
    """

    path: str
    text: str
    place: Place
    expr: sympy.Expr
    coordinate: str
    step: int


@dataclass(frozen=True)
class StatedShape:
    """The domain in space as written.

    Attributes:
        kind: The shape's name.
        numbers: What it says of the shape, which may depend on the parameters.
        place: Where it is written.
        periodic: Names of the coordinates whose ends are one and the same place.
        places: Where each of the numbers is written.
        members: The shapes that it is made of, by their keys.
    """

    kind: str
    numbers: Mapping[str, tuple[sympy.Expr, ...]]
    place: Place
    periodic: tuple[str, ...] = ()
    places: Mapping[str, Place] = field(default_factory=dict)
    members: Mapping[str, StatedShape] = field(default_factory=dict)

    @property
    def formulas(self) -> tuple[sympy.Expr, ...]:
        """All numbers of it and of its members."""
        own = [formula for row in self.numbers.values() for formula in row]
        return (*own, *(formula for member in self.members.values() for formula in member.formulas))


@dataclass(frozen=True)
class StatedWindows:
    """How the interval of time is cut into windows, each with a network of its own; one of the three ways.

    Attributes:
        place: Where it is written.
        count: So many of equal length.
        ends: The times at which they end, which may depend on the parameters; the last may be left out.
        automatic: One that misses its share is halved.
    """

    place: Place
    count: int | None = None
    ends: tuple[sympy.Expr, ...] = ()
    automatic: bool = False

    @property
    def is_one(self) -> bool:
        """Whether one network is to span the whole time, whatever a tolerance asks for."""
        return self.count == 1


@dataclass(frozen=True)
class StatedDomain:
    """Where the problem is posed.

    Attributes:
        shape: The domain in space.
        interval: First and last time; None for a stationary problem.
        windows: How the interval is cut; None where it is not.
    """

    shape: StatedShape
    interval: tuple[sympy.Expr, sympy.Expr] | None = None
    windows: StatedWindows | None = None


@dataclass(frozen=True)
class DataTable:
    """Values given at scattered points.

    Attributes:
        file: A table with columns named like the coordinates and the unknowns.
        validation: Share of its rows that is held out.
    """

    file: Path
    validation: float


@dataclass(frozen=True)
class Statements:
    """What the solution has to satisfy.

    Attributes:
        equations: In the order of the file.
        boundary: Boundary conditions.
        initial: Initial conditions.
        samples: Values to be represented, instead of equations; None for a differential equation.
        derived: Derivatives of formulas that may jump or be steep, for a look when parameters are known.
        constraints: Conditions on the domain as a whole.
    """

    equations: tuple[Equation, ...]
    boundary: tuple[Condition, ...]
    initial: tuple[Condition, ...]
    samples: DataTable | None = None
    derived: tuple[Derived, ...] = ()
    constraints: tuple[Constraint, ...] = ()


@dataclass(frozen=True)
class StatedSolution:
    """What is known of the solution.

    Attributes:
        exact: Formulas of the unknowns that are known, by name.
        reference: File with reference values, None if there is none.
    """

    exact: Mapping[str, sympy.Expr] = field(default_factory=dict)
    reference: Path | None = None


@dataclass(frozen=True)
class Scales:
    """What training divides by, so that it works on numbers without units.

    Attributes:
        unknowns: Scales of the unknowns by name; those that are not named follow from the problem's data.
        time: The time within which the solution changes at the start, infinite where it changes all along;
            None takes it from the equations.
        rows: Whether every equation and condition is divided by the size of its own terms.
    """

    unknowns: Mapping[str, float] = field(default_factory=dict)
    time: float | None = None
    rows: bool = True


@dataclass(frozen=True)
class ProblemFile:
    """The file of a problem.

    Attributes:
        name: Its stem, or the name the text was given.
        text: Its text, verbatim.
        overrides: The ``--set`` texts that were applied to it.
        directory: Where a reference file's path starts from.
        title: One line for tables and pictures; empty if not given.
        description: Free text.
        citation: Free text.
    """

    name: str
    text: str
    overrides: tuple[str, ...] = ()
    directory: Path | None = None
    title: str = ""
    description: str = ""
    citation: str = ""


@dataclass(frozen=True)
class Problem:
    """What one problem file says, and nothing that follows from it.

    Attributes:
        file: The file itself.
        names: Everything an expression of this problem may mention.
        parameters: The family's parameters, in the order of the file.
        domain: Shape and interval of time.
        statements: Equations and conditions, or samples in their place.
        solution: What is known of the solution.
        settings: Network, adapter, points and training.
        scales: What training divides by.
    """

    file: ProblemFile
    names: Names
    parameters: tuple[Parameter, ...]
    domain: StatedDomain
    statements: Statements
    solution: StatedSolution
    settings: Settings = field(default_factory=Settings)
    scales: Scales = field(default_factory=Scales)

    @property
    def name(self) -> str:
        """Name of the problem."""
        return self.file.name

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Names of the D coordinates, time first if there is one."""
        return self.names.coordinates

    @property
    def space(self) -> tuple[str, ...]:
        """Names of the space coordinates."""
        return self.names.space

    @property
    def inputs(self) -> int:
        """Number of a network's inputs: one for a coordinate, two for a periodic one."""
        return len(self.coordinates) + len(self.domain.shape.periodic)

    @property
    def time(self) -> str | None:
        """Name of time, None for a stationary problem."""
        return self.names.time

    @property
    def unknowns(self) -> tuple[str, ...]:
        """Names of the U unknowns."""
        return self.names.unknowns

    @property
    def is_system(self) -> bool:
        """Whether there are several unknowns."""
        return len(self.unknowns) > 1

    @property
    def equations(self) -> tuple[Equation, ...]:
        """The equations, in the order of the file."""
        return self.statements.equations

    @property
    def boundary(self) -> tuple[Condition, ...]:
        """The boundary conditions."""
        return self.statements.boundary

    @property
    def initial(self) -> tuple[Condition, ...]:
        """The initial conditions."""
        return self.statements.initial

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Boundary conditions, then initial ones."""
        return self.boundary + self.initial

    @property
    def constraints(self) -> tuple[Constraint, ...]:
        """The conditions on the domain as a whole."""
        return self.statements.constraints

    @property
    def exact(self) -> Mapping[str, sympy.Expr]:
        """Formulas of the unknowns that are known, by name."""
        return self.solution.exact

    @property
    def base_values(self) -> dict[str, float]:
        """The parameter values that the base network is trained at."""
        return complete_values(self.parameters, None)

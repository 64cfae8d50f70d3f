"""A problem at one parameter value: domain, residual blocks, ansatz, exact solution."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from pinnkan.geometry import (
    BoundaryPart,
    CollocationSet,
    Domain,
    InitialTime,
    Interior,
    PointInSpace,
    Region,
    WholeDomain,
)
from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.errors import PinnkanError
from pinnkan.language.expressions import evaluate
from pinnkan.language.problem.spec import Problem
from pinnkan.language.settings.blocks import PointSettings
from pinnkan.physics.blocks import ResidualBlock
from pinnkan.physics.compiled import CompiledStatements
from pinnkan.physics.conditions.ansatz import Ansatz
from pinnkan.physics.magnitudes.scales import half_extents, sizing_points
from pinnkan.physics.magnitudes.sizes import characteristic_terms, size_of
from pinnkan.physics.reference import Known, Reference
from pinnkan.physics.sample_table import SampleTable


@dataclass(frozen=True)
class Instance:
    """A problem at one parameter value, made by :meth:`pinnkan.physics.family.Family.at`.

    Attributes:
        statements: What the file states, as programs that all instances of a family share.
        values: The parameter values, in problem order.
        domain: Shape and time interval.
        ansatzes: u = lift + factor * N of every unknown, in order.
        blocks: What training makes small: the equations, the soft conditions and the constraints.
        conditions: All conditions, hard ones too, and the constraints, for reports.
        reference: Reference data at these values, None if there are none.
        samples: The values given instead of equations, None for a differential equation.
    """

    statements: CompiledStatements
    values: Mapping[str, float]
    domain: Domain
    ansatzes: tuple[Ansatz, ...]
    blocks: tuple[ResidualBlock, ...]
    conditions: tuple[ResidualBlock, ...]
    reference: Reference | None = None
    samples: SampleTable | None = None

    @property
    def problem(self) -> Problem:
        """What the file states."""
        return self.statements.problem

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Names of the D coordinates, time first if there is one."""
        return self.problem.coordinates

    @property
    def scales(self) -> tuple[float, ...]:
        """The scales of the unknowns, the same at all parameter values."""
        return tuple(ansatz.scale for ansatz in self.ansatzes)

    @property
    def hard(self) -> frozenset[str]:
        """Names of the conditions that are met by construction."""
        return frozenset(name for ansatz in self.ansatzes for name in ansatz.hard)

    @property
    def equations(self) -> tuple[ResidualBlock, ...]:
        """The blocks of the equations alone."""
        return tuple(block for block in self.blocks if isinstance(block.where, Interior))

    @property
    def family_blocks(self) -> tuple[ResidualBlock, ...]:
        """The blocks with channels that are the same at every parameter value."""
        soft = [block for block in self.blocks if not isinstance(block.where, Interior)]
        return (*self.statements.with_same_channels(self.equations), *soft)

    def drawn(
        self, points: PointSettings, *, seed: int, variant: int = 0, interior: int | None = None
    ) -> Iterator[tuple[ResidualBlock, CollocationSet]]:
        """Yield the blocks with their collocation sets.

        Args:
            points: How many points, on what rule.
            seed: Seed of the points.
            variant: See `Domain.collocate`.
            interior: Interior points, in place of ``points.interior``.
        """
        if interior:
            points = replace(points, interior=interior)
        for block in self.blocks:
            count, rule = _count(points, block.where), points.uniform_rule
            yield block, self.domain.collocate(block.where, count, rule=rule, seed=seed, variant=variant)

    @cached_property
    def sizes(self) -> dict[str, float]:
        """The size of every equation's and condition's terms, by name: what its residual is divided by.

        Of functions as large as the unknowns' scales that vary over half the domain's extent. 1 where
        that is nothing, or the problem says ``scales: none``.
        """
        return {block.name: self._size(block) for block in (*self.equations, *self.conditions)}

    def size_of(self, statement: str) -> float:
        """Return the size of a statement's terms, of a condition on several parts the largest."""
        parts = [name for name in self.sizes if name == statement or name.startswith(f"{statement}.")]
        return max(self.sizes[name] for name in parts)

    def _size(self, block: ResidualBlock) -> float:
        if not self.problem.scales.rows:
            return 1.0
        places, halves = sizing_points(block, self.domain), half_extents(self.domain)
        with np.errstate(all="ignore"):
            try:
                terms = characteristic_terms(block, places, self.scales, halves)
            except PinnkanError:  # data without a value: training tells of them, point and place
                return 1.0
            size = size_of(terms, places.weights)
        return size if 0.0 < size < math.inf else 1.0

    @property
    def has_exact(self) -> bool:
        """Whether errors can be measured: against formulas, or data at this parameter value."""
        return bool(self.problem.exact) or self.reference is not None

    def exact(self, points: FloatArray) -> dict[str, FloatArray]:
        """Return the exact or reference solution at points (N, D): (N,) for every unknown that is known.

        NaN at a point that reference data do not cover.
        """
        formulas = self.problem.exact
        if formulas:
            values = evaluate(list(formulas.values()), self.coordinates, points, self.values)
            return dict(zip(formulas, values, strict=True))
        return {} if self.reference is None else self.reference(points)

    def known(self, points: FloatArray) -> Known | None:
        """Return what errors at points (N, D) are measured against, where that is known; None without any."""
        values = self.exact(points)
        if not values:
            return None
        covered = ~np.isnan(np.stack(list(values.values()))).any(axis=0)
        within = {name: column[covered] for name, column in values.items()}
        return Known(points[covered], within, len(points))


def _count(points: PointSettings, region: Region) -> int:
    """Return how many points are drawn in a region."""
    match region:
        case Interior():
            return points.interior
        case InitialTime():
            return points.initial
        case BoundaryPart() | PointInSpace():
            return points.boundary
        case WholeDomain():
            return 1  # an integral has a rule of its own

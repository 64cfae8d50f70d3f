"""Residual blocks: one equation or condition as a function of known data and derivatives of the unknowns.

The symbolic work (splitting, partial derivatives, the torch function) is done
once a statement; parameter values enter only through the data.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import sympy
import torch
from torch import Tensor

from pinnkan.geometry import Region
from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.derivatives import Collapsed, Derivative, Partial, derivatives_of, value_index
from pinnkan.ground.errors import PinnkanError
from pinnkan.language.expressions import (
    Names,
    derivative_symbols,
    evaluate,
    lower,
    normal_symbols,
    partial_derivative,
    split_data,
)
from pinnkan.physics.combinations import Collapse, combination_symbol
from pinnkan.physics.conditions.point_functions import PointFunction

_Lowered = Callable[[Mapping[str, Tensor | float]], list[Tensor]]


class BlockProgram:
    """A residual, prepared once: r(data, u) and dr/du as torch functions, the data as formulas.

    Args:
        residual: Left minus right of an equation or condition.
        names: Of the problem.
        collapse: The combination that derivatives travel in, None for each by itself.

    Attributes:
        partials_read: Derivatives that it reads, in the order of the first rows of ``u``.
        collapsed: Unknowns of which it reads the combination, in the order of the rows that follow.
    """

    def __init__(self, residual: sympy.Expr, names: Names, collapse: Collapse | None) -> None:
        if collapse is not None:
            residual = collapse.apply(residual)
        leaves = derivative_symbols(residual, names)
        every = range(len(names.unknowns)) if collapse is not None else range(0)
        self.collapsed = tuple(unknown for unknown in every if residual.has(combination_symbol(unknown)))
        unknowns = [*leaves, *(combination_symbol(unknown) for unknown in self.collapsed)]
        self.partials_read: tuple[Partial, ...] = tuple(leaves.values())
        self.unknowns = tuple(leaf.name for leaf in unknowns)
        self.data, (reduced,) = split_data([residual], unknowns)
        data_names = [f"_d{row}" for row in range(len(self.data))]
        arguments = [*self.unknowns, *data_names]
        slopes = [partial_derivative(reduced, leaf) for leaf in unknowns]
        self.is_linear = not any(slope.free_symbols.intersection(unknowns) for slope in slopes)
        self.residual: _Lowered = lower([reduced], arguments)
        self.partials: _Lowered = lower(slopes, arguments)
        self.coordinates = names.coordinates
        self.normals = tuple(leaf.name for leaf in normal_symbols(names))
        self.reads_normals = any(expr.free_symbols & set(normal_symbols(names)) for expr in self.data)

    def reads(self, combination: Collapsed | None = None) -> tuple[Derivative, ...]:
        """Return what it reads, in the order of the rows of ``u``.

        Args:
            combination: The one it was prepared for, at parameter values.
        """
        plain = [Derivative(unknown, index) for unknown, index in self.partials_read]
        if combination is None:
            return tuple(plain)
        return (*plain, *(Derivative(unknown, combination) for unknown in self.collapsed))


class Known(Protocol):
    """Formulas that are known at a point beforehand, as a program reads them."""

    data: list[sympy.Expr]
    coordinates: tuple[str, ...]
    normals: tuple[str, ...]
    reads_normals: bool


def summands(expr: sympy.Expr, leaves: Collection[sympy.Symbol]) -> list[sympy.Expr]:
    """Return the terms of a sum; ``k*(u_t + u*u_x)`` has two, ``(1 + x)*u_xx`` one.

    Products are distributed over sums that hold one of the leaves, so that a common factor does not
    hide the terms; coefficients stay whole, for parts of them may be singular that cancel.
    """
    if expr.is_Add:
        return [term for part in expr.args for term in summands(part, leaves)]
    if expr.is_Mul:
        for factor in expr.args:
            if factor.is_Add and factor.free_symbols.intersection(leaves):
                rest = expr / factor
                return [term for part in factor.args for term in summands(rest * part, leaves)]
    return [expr]


class TermProgram:
    """The terms of a residual, prepared once: the `summands` of the form that ``check`` prints.

    Derivatives are written out; what is free of the unknown is one term, and so are the summands
    of a normal derivative, which mean nothing by themselves.

    Args:
        residual: Left minus right of an equation or condition, a manufactured source written out.
        names: Of the problem.

    Attributes:
        partials: Derivatives that the terms read, in the order of the rows of ``u``.
        values: The terms, a torch function of those derivatives and the data.
        known: Which of them is free of the unknowns; None if there is none.
    """

    def __init__(self, residual: sympy.Expr, names: Names) -> None:
        leaves = derivative_symbols(residual, names)
        normals = set(normal_symbols(names))
        groups: dict[object, list[sympy.Expr]] = {}
        for place, summand in enumerate(summands(residual, leaves)):
            found = summand.free_symbols
            kind: object = place
            if not found & set(leaves):
                kind = "known"
            elif found & normals:
                kind = "flux"
            groups.setdefault(kind, []).append(summand)
        terms = [sympy.Add(*group) for group in groups.values()]
        self.known = list(groups).index("known") if "known" in groups and terms != [0] else None
        self.partials: tuple[Partial, ...] = tuple(leaves.values())
        self.unknowns = tuple(leaf.name for leaf in leaves)
        self.data, reduced = split_data(terms, list(leaves))
        self.values: _Lowered = lower(reduced, [*self.unknowns, *(f"_d{k}" for k in range(len(self.data)))])
        self.coordinates = names.coordinates
        self.normals = tuple(leaf.name for leaf in normal_symbols(names))
        self.reads_normals = any(expr.free_symbols & normals for expr in self.data)


@dataclass(frozen=True)
class ResidualBlock:
    """One equation or condition at one parameter value.

    Attributes:
        name: ``equation[0]``, ``boundary[1]``, ``initial[0]``, or the name given in the file.
        where: Where it holds; on part ``all`` of the boundary where it does on every part.
        weight: Multiplies the mean square of the residual.
        reads: Derivatives of the unknowns that it reads, in the order of the rows of ``u``.
        program: The residual as torch functions.
        values: The parameter values.
        summands: Its terms, which say what a small residual is.
        functions: What symbols of it stand for that are neither coordinates nor parameters.
    """

    name: str
    where: Region
    weight: float
    reads: tuple[Derivative, ...]
    program: BlockProgram
    values: Mapping[str, float]
    summands: TermProgram
    functions: Mapping[str, PointFunction] = field(default_factory=dict)

    def data(self, points: FloatArray, normals: FloatArray | None = None) -> FloatArray:
        """Evaluate coefficients and sources, once a point set.

        Args:
            points: Shape (N, D).
            normals: Outward unit normals (N, d) on a boundary part.

        Returns:
            Shape (E, N), float64; E may be 0.

        Raises:
            PinnkanError: If they have no finite value at a point.
        """
        return self.known(self.program, points, normals)

    def residual(self, data: Tensor, u: Tensor) -> Tensor:
        """Return left minus right, shape (N,), from data (E, N) and the derivatives (C, N) it reads."""
        return self.program.residual(self._arguments(data, u))[0]

    def partials(self, data: Tensor, u: Tensor) -> Tensor:
        """Return the derivatives of the residual in each of them, shape (C, N), as `residual`."""
        return torch.stack(self.program.partials(self._arguments(data, u)))

    def terms(
        self, points: FloatArray, normals: FloatArray | None, u: FloatArray | Sequence[float]
    ) -> FloatArray:
        """Return its terms, shape (T, N), at points (N, D).

        Args:
            points: Where the data are evaluated.
            normals: Outward unit normals (N, d) on a boundary part.
            u: The derivatives ``summands.partials``, (C, N) or one number for each.

        Raises:
            PinnkanError: If a term has no value at a point.
        """
        program = self.summands
        data = self.known(program, points, normals)
        named = dict(zip(program.unknowns, torch.as_tensor(np.asarray(u)), strict=True))
        named |= {f"_d{row}": torch.from_numpy(values) for row, values in enumerate(data)}
        terms = [np.broadcast_to(term.numpy(), (len(points),)) for term in program.values(named)]
        return np.stack(terms)

    def known(self, program: Known, points: FloatArray, normals: FloatArray | None) -> FloatArray:
        """Evaluate a program's data, (E, N)."""
        if not program.data:
            return np.zeros((0, len(points)))
        names = program.coordinates
        if program.reads_normals:
            if normals is None:
                raise ValueError(f"{self.name} needs the normals of its points")
            names, points = names + program.normals, np.concatenate([points, normals], axis=1)
        if self.functions:
            value = value_index(len(program.coordinates))
            columns = [f.derivatives(points, [value])[0] for f in self.functions.values()]
            names, points = (*names, *self.functions), np.column_stack([points, *columns])
        try:
            values: FloatArray = evaluate(program.data, names, points, self.values)
        except PinnkanError as error:
            raise PinnkanError(f"{self.name}: {error}") from None
        return values

    def _arguments(self, data: Tensor, u: Tensor) -> dict[str, Tensor | float]:
        named: dict[str, Tensor | float] = dict(zip(self.program.unknowns, u, strict=True))
        named.update((f"_d{row}", values) for row, values in enumerate(data))
        return named


@dataclass(frozen=True)
class TermSizes:
    """The sum of the sizes of a block's terms, in the place of its residual.

    Attributes:
        block: The block, whose residual may read its derivatives in combinations that hide the terms.
    """

    block: ResidualBlock

    @property
    def name(self) -> str:
        """Of the block."""
        return self.block.name

    @property
    def where(self) -> Region:
        """Of the block."""
        return self.block.where

    @property
    def weight(self) -> float:
        """Of the block."""
        return self.block.weight

    @property
    def reads(self) -> tuple[Derivative, ...]:
        """The derivatives that the terms read."""
        return tuple(derivatives_of(self.block.summands.partials))

    def data(self, points: FloatArray, normals: FloatArray | None = None) -> FloatArray:
        """See `ResidualBlock.data`."""
        return self.block.known(self.block.summands, points, normals)

    def residual(self, data: Tensor, u: Tensor) -> Tensor:
        """Return the sum of the sizes, (N,)."""
        named: dict[str, Tensor | float] = dict(zip(self.block.summands.unknowns, u, strict=True))
        named |= {f"_d{row}": values for row, values in enumerate(data)}
        terms = self.block.summands.values(named)
        return torch.stack([torch.broadcast_to(term.abs(), u.shape[1:]) for term in terms]).sum(dim=0)

    def partials(self, data: Tensor, u: Tensor) -> Tensor:
        """Sizes weigh rows and are not minimised."""
        raise NotImplementedError


def bind(
    program: BlockProgram,
    *,
    name: str,
    where: Region,
    weight: float,
    values: Mapping[str, float],
    summands: TermProgram,
    combination: Collapsed | None = None,
) -> ResidualBlock:
    """Return a block at one parameter value; ``combination`` is its collapsed channel there."""
    return ResidualBlock(name, where, weight, program.reads(combination), program, values, summands)

"""``family.h5``: everything that the online stage of a reduced basis needs, in one file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.errors import DamagedFileError, UsageError
from pinnkan.language.problem import Problem
from pinnkan.networks import Network
from pinnkan.physics.family import Family
from pinnkan.reduction import (
    Basis,
    FamilyAnsatz,
    OnlineBlock,
    OnlinePoints,
    Range,
    ReducedModel,
    named,
    network_jets,
    training_set,
    values_of,
)
from pinnkan.storage.runs.directory import Result, changed_coefficients, whole_coefficients
from pinnkan.storage.runs.facts import family_from, hidden_widths
from pinnkan.storage.store import read_store, write_store
from pinnkan.training import coefficient_shapes, network_for

_PROBES = 5
_PARTS = ("mixing", "known", "coordinates", "values")


@dataclass(frozen=True)
class StoredSnapshots:
    """The networks that a reduced basis is made from.

    Attributes:
        network: Layers and input map of the snapshots.
        coefficients: Coefficients of every layer, for each snapshot.
        base: Coefficients of every layer of the base.
        constants: What is taken out of the unknowns of the snapshots and, last, of the base, shape
            (S + 1, U); None for none.
    """

    network: Network
    coefficients: Sequence[Sequence[Tensor]]
    base: Sequence[Tensor]
    constants: FloatArray | None

    @property
    def constant_of_base(self) -> FloatArray | None:
        """What is taken out of the base's unknowns, shape (U,); None for nothing."""
        return None if self.constants is None else self.constants[-1]


@dataclass(frozen=True)
class StoredReducedBasis:
    """What a family file holds, understood.

    Attributes:
        path: The file.
        family: The family of problems, with the base's overrides.
        ranges: The box of parameter values it was made for.
        tolerance: Of the estimate.
        factor: From relative residual to estimate.
        model: The reduced model.
        snapshots: The networks that it is made from.
        meta: What the file says beside its arrays.
    """

    path: Path
    family: Family
    ranges: tuple[Range, ...]
    tolerance: float
    factor: float
    model: ReducedModel
    snapshots: StoredSnapshots
    meta: Mapping[str, Any]

    @property
    def problem(self) -> Problem:
        """What the file states."""
        return self.family.problem

    def fields(self, points: FloatArray) -> FloatArray:
        """Return factor * W_j of the unknowns at points (N, D), shape (U, k, N)."""
        ansatzes, made_from = self.model.ansatz.reference.ansatzes, self.snapshots
        wanted = values_of(len(ansatzes), points.shape[1])
        taken = None if made_from.constants is None else made_from.constants[:-1]
        jets = network_jets(
            ansatzes, made_from.network, made_from.coefficients, points, wanted, constants=taken
        )
        return np.stack([self.model.basis.mixing.T @ own for own in jets])


def family_ansatz(family: Family, ranges: Sequence[Range]) -> FamilyAnsatz:
    """Return the ansatz over a box of parameter values, probed all over it.

    Raises:
        UsageError: If domain or factor depend on the parameters.
        ProblemError: If the problem makes no sense somewhere in the box.
    """
    training = training_set(ranges)
    chosen = np.unique(np.linspace(0, len(training) - 1, _PROBES).round().astype(int))
    return FamilyAnsatz(family, [named(ranges, row) for row in training[chosen].tolist()])


def write_family(
    path: Path,
    *,
    base: Result,
    adapters: Sequence[Result],
    model: ReducedModel,
    constants: Sequence[FloatArray],
    meta: Mapping[str, Any],
) -> None:
    """Write a family file.

    Args:
        path: Where.
        base: The base.
        adapters: Those of the basis.
        model: The reduced model over them.
        constants: Taken out of the unknowns of base and adapters, (U,) each, the base first.
        meta: What it says beside its arrays.

    Raises:
        FileAccessError: If the system refuses any step.
    """
    arrays = {f"base.{name}": array for name, array in base.stored.arrays.items()}
    for index, adapter in enumerate(adapters):
        arrays |= {f"adapter[{index}].{name}": array for name, array in adapter.stored.arrays.items()}
    arrays |= {name: getattr(model.basis, name) for name in _PARTS}
    if model.ansatz.free_constants:
        arrays["constants"] = np.stack([*constants[1:], constants[0]])
    for index, block in enumerate(model.blocks):
        place = block.place
        arrays |= {f"block[{index}].points": place.points, f"block[{index}].weights": place.weights}
        if place.normals is not None:
            arrays[f"block[{index}].normals"] = place.normals
        arrays[f"block[{index}].jets"] = model.basis.jets[index]
    cells = [block.place.cell for block in model.blocks]
    levels = [list(block.place.levels) for block in model.blocks]
    facts = {**meta, "cells": cells, "levels": levels, "count": model.count}
    write_store(path, "family", arrays=arrays, meta=facts)


def read_family(path: Path) -> StoredReducedBasis:
    """Read a family file; nothing else is opened.

    Raises:
        UsageError: If there is no such file.
        DamagedFileError: If it is damaged, foreign, or does not fit the problem inside.
    """
    stored = read_store(path, kind="family")
    family = family_from(path, stored.meta, hidden_widths(_under("base.", stored.arrays), stored.meta))
    problem = family.problem
    try:
        ranges = tuple(Range(str(n), float(low), float(high)) for n, low, high in stored.meta["ranges"])
        factor, tolerance = float(stored.meta["factor"]), float(stored.meta["tolerance"])
        _require(0 < factor < math.inf and 0 <= tolerance < math.inf, "the factor or the tolerance")
        _require(all(-math.inf < span.low <= span.high < math.inf for span in ranges), "a range")
        ansatz = family_ansatz(family, ranges)
        model = _model(ansatz, stored.arrays, stored.meta)
        base = whole_coefficients(path, _under("base.", stored.arrays))
        coefficients = _coefficients(path, stored.arrays, base, len(model.basis.known))
        shapes = coefficient_shapes(problem, base)
        for layers in (base, *coefficients):
            _require([tuple(c.shape) for c in layers] == shapes, "coefficients")
        constants = stored.arrays.get("constants")
        fitting = (len(coefficients) + 1, len(problem.unknowns))
        _require(constants is None or constants.shape == fitting, "constants")
    except (KeyError, TypeError, ValueError, IndexError, UsageError) as error:
        raise DamagedFileError(f"{path}: its contents do not fit together ({error!r:.200})") from None
    network = network_for(ansatz.reference, problem.settings.network, coefficients[0])
    return StoredReducedBasis(
        path=path,
        family=family,
        ranges=ranges,
        tolerance=tolerance,
        factor=factor,
        model=model,
        snapshots=StoredSnapshots(network, coefficients, base, constants),
        meta=stored.meta,
    )


def _model(ansatz: FamilyAnsatz, arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> ReducedModel:
    cells, levels, count = meta["cells"], meta["levels"], int(meta["count"])
    _require(all(array.dtype == np.float64 for name, array in arrays.items() if _is_online(name)), "an array")
    blocks = ansatz.reference.family_blocks
    jets = tuple(arrays[f"block[{index}].jets"] for index in range(len(blocks)))
    basis = Basis(arrays["mixing"], arrays["known"], arrays["coordinates"], arrays["values"], jets)
    online = []
    for index, block in enumerate(blocks):
        place = OnlinePoints(
            block,
            arrays[f"block[{index}].points"],
            arrays[f"block[{index}].weights"],
            arrays.get(f"block[{index}].normals"),
            int(cells[index]),
            tuple(map(int, levels[index])),
        )
        _require(
            jets[index].shape == (len(block.reads), len(basis.values), len(place.points)), f"block {index}"
        )
        _require(place.weights.shape == (len(place.points),), f"weights of block {index}")
        _require(place.cell > 0 and len(place.points) % place.cell == 0, f"cells of block {index}")
        known = len(place.points) // place.cell
        _require(_are_levels(place.levels, known), f"levels of block {index}")
        _require(bool((place.weights >= 0).all()), f"weights of block {index}")
        _require(place.points.shape[1] == len(ansatz.reference.coordinates), f"points of block {index}")
        online.append(OnlineBlock(place, ansatz, jets[index]))
    size = len(basis.values)
    for name, shape in (("mixing", (size, size)), ("coordinates", (size, size))):
        _require(arrays[name].shape == shape, name)
    _require(basis.known.shape == (size, len(ansatz.parameters)), "known")
    _require(basis.values.shape[1] == len(ansatz.reference.ansatzes) * len(online[0].place.points), "values")
    _require(count > size, "the count")
    return ReducedModel(ansatz, online, basis, count=count)


def _is_online(name: str) -> bool:
    """Tell the online stage's arrays from those of base and adapters, which may be in single precision."""
    return name in (*_PARTS, "constants") or name.startswith("block[")


def _are_levels(levels: Sequence[int], cells: int) -> bool:
    """Tell whether these are growing numbers of cells, each of which makes whole larger ones."""
    grow = all(before < after for before, after in pairwise((1, *levels)))
    return grow and all(cells % level == 0 for level in levels)


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(f"{what} makes no sense")


def _coefficients(
    path: Path, arrays: Mapping[str, np.ndarray], base: Sequence[Tensor], count: int
) -> list[list[Tensor]]:
    return [changed_coefficients(path, _under(f"adapter[{index}].", arrays), base) for index in range(count)]


def _under(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): a for name, a in arrays.items() if name.startswith(prefix)}

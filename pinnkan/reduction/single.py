"""How well one network solves a member of the family, by the measure of the reduced model."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from pinnkan.ground.arrays import FloatArray
from pinnkan.networks import Network
from pinnkan.reduction.ansatz import FamilyAnsatz
from pinnkan.reduction.basis import network_jets, values_of
from pinnkan.reduction.norm import field_root, stacked
from pinnkan.reduction.online import OnlineBlock, OnlinePoints


def network_solution(
    ansatz: FamilyAnsatz,
    network: Network,
    coefficients: Sequence[Tensor],
    values: FloatArray,
    points: FloatArray,
    *,
    constants: FloatArray | None,
) -> FloatArray:
    """Return u = lift + factor * N - constant at points (N, D) and parameter values (P,), shape (U, N)."""
    ansatzes = ansatz.reference.ansatzes
    wanted = values_of(len(ansatzes), points.shape[1])
    taken = None if constants is None else constants[None]
    u: FloatArray = network_jets(ansatzes, network, [coefficients], points, wanted, constants=taken)[:, 0]
    return u if ansatz.lift_is_zero else u + ansatz.lift(points, wanted)(values[None])[:, 0]


def network_residual(
    ansatz: FamilyAnsatz,
    network: Network,
    coefficients: Sequence[Tensor],
    values: FloatArray,
    places: Sequence[OnlinePoints],
    *,
    constants: FloatArray | None,
) -> float:
    """Return the averaged residual of one network over the norm of its solution, as `Reduced.residual`.

    Args:
        ansatz: Of the family.
        network: Layers and input map.
        coefficients: Of every layer.
        values: Parameter values, shape (P,).
        places: Every residual block with its points, an equation's first.
        constants: Taken out of the unknowns, shape (U,); None for none.
    """
    squares, one = 0.0, torch.ones(1, 1, dtype=torch.float64)
    for place in places:
        requested = place.block.reads
        jets = network_jets(ansatz.reference.ansatzes, network, [coefficients], place.points, requested)
        block = OnlineBlock(place, ansatz, jets)
        residual, _ = block.linearise(block.bind(values[None]), one)
        squares += float(residual.square().sum())
    interior = places[0]
    u = network_solution(ansatz, network, coefficients, values, interior.points, constants=constants)
    size = float(np.linalg.norm(stacked(u) * field_root(interior.weights, ansatz.reference.scales)))
    return math.sqrt(squares) / max(size, np.finfo(float).tiny)

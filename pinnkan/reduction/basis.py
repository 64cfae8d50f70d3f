"""An orthonormal basis of the span of networks, and its derivatives at points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.channels import Channels
from pinnkan.ground.derivatives import Derivative, value_index
from pinnkan.networks import Network
from pinnkan.physics.conditions.ansatz import Ansatz

_CHUNK = 2048


def network_jets(
    ansatzes: Sequence[Ansatz],
    network: Network,
    coefficients: Sequence[Sequence[Tensor]],
    points: FloatArray,
    requested: Sequence[Derivative],
    *,
    constants: FloatArray | None = None,
) -> FloatArray:
    """Return derivatives of factor * N_i - constant_i of the unknowns, one row a network.

    Args:
        ansatzes: Of every unknown, which give the factors; their lifts are not read.
        network: Layers and input map.
        coefficients: Of every layer, for each of the S networks.
        points: Shape (N, D).
        requested: The C derivatives wanted.
        constants: Taken out of the values, shape (S, U); None for none.

    Returns:
        Shape (C, S, N).
    """
    closed = Channels([channel for _, channel in requested], points.shape[1])
    rows = [(unknown, closed.position(channel)) for unknown, channel in requested]
    weights = [network.matrices(layers) for layers in coefficients]
    result = np.empty((len(rows), len(weights), len(points)))
    for start in range(0, len(points), _CHUNK):
        part = points[start : start + _CHUNK]
        place = torch.as_tensor(part, dtype=torch.float64)
        blends = {unknown: ansatzes[unknown].blended(part, closed)[1] for unknown, _ in rows}
        for snapshot, matrices in enumerate(weights):
            outputs = network.push(place, matrices, closed).output.numpy()
            jets = {unknown: _blended(outputs[:, :, unknown], blend) for unknown, blend in blends.items()}
            result[:, snapshot, start : start + _CHUNK] = [jets[unknown][row] for unknown, row in rows]
    if constants is not None:
        for own, (unknown, channel) in zip(result, requested, strict=True):
            if channel == closed.keys[0]:
                own -= constants[:, unknown, None]
    return result


def values_of(unknowns: int, dimension: int) -> list[Derivative]:
    """Return the values of all U unknowns, as `network_jets` and `FamilyAnsatz.lift` take them."""
    return [Derivative(unknown, value_index(dimension)) for unknown in range(unknowns)]


def _blended(jet: FloatArray, blend: FloatArray | None) -> FloatArray:
    return jet if blend is None else np.einsum("abn,bn->an", blend, jet)


def orthonormalised(values: FloatArray, root: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the mixing of snapshots into an orthonormal basis, and the snapshots in that basis.

    The QR factorisation (Householder's, hence to rounding whatever the condition) of
    root * values^T = Q R gives W = values^T R^-1: the first k columns span the
    first k snapshots, and a change of coefficients is a change of the solution of the
    same size in the norm of all unknowns.

    Args:
        values: Snapshots factor * N_i at points, stacked, shape (S, U * N).
        root: Of the weights (`field_root`), shape (U * N,).

    Returns:
        Mixing T (S, S), upper triangular, with W_j = sum_i T[i, j] snapshot_i, and
        R (S, S), whose column i holds the coefficients of snapshot i.

    Raises:
        np.linalg.LinAlgError: If a snapshot is a combination of the others to rounding.
    """
    _, r = np.linalg.qr(root[:, None] * values.T)
    signs = np.where(np.diag(r) < 0, -1.0, 1.0)
    r = signs[:, None] * r
    if np.diag(r).min() <= 1e-12 * np.abs(r).max():
        raise np.linalg.LinAlgError("a snapshot adds nothing to the others")
    return np.linalg.inv(r), r

"""Weighted averages of residuals over neighbouring points, as one operator S."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor


@dataclass(frozen=True)
class Averages:
    """S, block-diagonal over training sets: row i of a set has ``weights[i]`` at its points ``near[i]``.

    Attributes:
        near: Of every set, (M'_s, k_s), indices of its own points.
        weights: As many, float64.
        points: M_s, how many residuals every set has before, one a point but for integrals.
    """

    near: Sequence[Tensor]
    weights: Sequence[Tensor]
    points: Sequence[int]

    @property
    def counts(self) -> list[int]:
        """M'_s, how many averages every set has."""
        return [len(near) for near in self.near]

    @property
    def entries(self) -> int:
        """Entries of S that are not zero."""
        return sum(near.numel() for near in self.near)

    @cached_property
    def matrix(self) -> Tensor:
        """S, sparse and coalesced, (M', M), float64."""
        rows, columns, row, column = [], [], 0, 0
        for near, count in zip(self.near, self.points, strict=True):
            own = row + torch.arange(len(near), device=near.device)
            rows.append(own.repeat_interleave(near.shape[1]))
            columns.append(column + near.flatten())
            row, column = row + len(near), column + count
        places = torch.stack([torch.cat(rows), torch.cat(columns)])
        entries = torch.cat([weights.flatten() for weights in self.weights])
        return torch.sparse_coo_tensor(places, entries, (row, column), check_invariants=True).coalesce()

    @cached_property
    def transposed(self) -> Tensor:
        """S^T, sparse and coalesced, (M, M'), float64."""
        return self.matrix.T.coalesce()

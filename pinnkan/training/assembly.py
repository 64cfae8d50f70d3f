"""From an instance of a problem to the training sets of a least-squares problem."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from pinnkan.channels import Channels
from pinnkan.problem.blocks import ResidualBlock
from pinnkan.problem.instance import Instance
from pinnkan.problem.settings import PointSettings
from pinnkan.solution import blended
from pinnkan.training.least_squares import TrainingSet


def training_sets(
    instance: Instance,
    points: PointSettings,
    *,
    seed: int,
    variant: int,
    interior: int | None = None,
    device: torch.device | None = None,
) -> list[TrainingSet]:
    """Draw every residual block's collocation set and put down what stays fixed on it.

    Args:
        instance: The problem at one parameter value.
        points: How many points, on what rule.
        seed: Of the points.
        variant: Even for training, odd for held-out sets.
        interior: Interior points, overriding ``points.interior``.
        device: Where the tensors go.
    """
    counts = {"interior": interior or points.interior, "initial": points.initial}
    sets = []
    for block in instance.blocks:
        count = counts.get(block.where, points.boundary)
        drawn = instance.domain.collocate(block.where, count, rule=points.rule, seed=seed, variant=variant)
        order = _along_a_tree(instance, drawn.points)
        normals = None if drawn.normals is None else drawn.normals[order]
        sets.append(
            _training_set(instance, block, drawn.points[order], drawn.weights[order], normals, device)
        )
    return sets


def _along_a_tree(instance: Instance, points: np.ndarray) -> np.ndarray:
    """Return an order of the points in which neighbours in space stand near each other in memory.

    Averages over neighbours (`pinnkan.training.smoothing`) then read from cache: 5 times faster at
    2,500 points than in the order of the rules.
    """
    from scipy.spatial import cKDTree

    lower, upper = instance.domain.bounding_box
    order: np.ndarray = cKDTree(points / (upper - lower)).indices
    return order


def _training_set(
    instance: Instance,
    block: ResidualBlock,
    points: np.ndarray,
    weights: np.ndarray,
    normals: np.ndarray | None,
    device: torch.device | None,
) -> TrainingSet:
    def tensor(array: np.ndarray) -> Tensor:
        return torch.as_tensor(np.ascontiguousarray(array), dtype=torch.float64, device=device)

    channels = Channels(block.channels, len(instance.coordinates))
    lift, blend = blended(instance.ansatz, points, channels)
    return TrainingSet(
        block.name,
        block.where == "interior",
        block,
        channels,
        tuple(channels.position(key) for key in block.channels),
        tensor(points),
        tensor(block.data(points, normals)),
        tensor(np.sqrt(weights * block.weight)),
        None if lift is None else tensor(lift),
        None if blend is None else tensor(blend),
    )

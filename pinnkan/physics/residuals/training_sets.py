"""From an instance of a problem to the training sets of a least-squares problem."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from pinnkan.geometry import CollocationSet, Interior
from pinnkan.ground.channels import Channels
from pinnkan.ground.derivatives import value_index
from pinnkan.language.settings.blocks import PointSettings
from pinnkan.physics.blocks import ResidualBlock, TermSizes
from pinnkan.physics.instance import Instance
from pinnkan.physics.residuals.given import Given, noisy
from pinnkan.physics.residuals.training_set import Blend, TrainingSet
from pinnkan.physics.sample_table import SampleTable


def training_sets(
    instance: Instance,
    points: PointSettings,
    *,
    seed: int,
    variant: int,
    interior: int | None = None,
    device: torch.device | None = None,
    terms: bool = False,
) -> list[TrainingSet]:
    """Draw every residual block's collocation set and put down what stays fixed on it.

    Args:
        instance: The problem at one parameter value.
        points: How many points, on what rule.
        seed: Of the points.
        variant: Even for training, odd for held-out sets.
        interior: Interior points, overriding ``points.interior``.
        device: Where the tensors go.
        terms: Whether the sizes of the blocks' terms stand for their residuals, at the same points.
    """
    sets = []
    if instance.samples is not None:
        held_out = variant % 2 == 1
        sets.append(
            _sample_set(
                instance, instance.samples, seed=seed, held_out=held_out, count=interior, device=device
            )
        )
    drawn = list(instance.drawn(points, seed=seed, variant=variant, interior=interior))
    for _, members in itertools.groupby(drawn, lambda pair: pair[0].where):
        pairs = [(TermSizes(block) if terms else block, places) for block, places in members]
        sets += _sets_on(instance, pairs, len(sets), device)
    if points.noise > 0.0:
        generator = np.random.default_rng([seed, variant, _NOISE])
        sets = [noisy(own, points.noise, generator) if own.interior else own for own in sets]
    return sets


_NOISE = 0x401
"""Of the random streams of noise."""


def _along_a_tree(instance: Instance, points: np.ndarray) -> np.ndarray:
    """Return an order of the points in which neighbours in space stand near each other in memory.

    Averages over neighbours (`pinnkan.physics.residuals.smoothing`) then read from cache: 5 times faster at
    2,500 points than in the order of the rules.
    """
    from scipy.spatial import cKDTree

    lower, upper = instance.domain.bounding_box
    order: np.ndarray = cKDTree(points / (upper - lower)).indices
    return order


def _sample_set(
    instance: Instance,
    samples: SampleTable,
    *,
    seed: int,
    held_out: bool,
    count: int | None,
    device: torch.device | None,
) -> TrainingSet:
    """Return u - value at the samples held out, or at those to train on (``count`` of them at most)."""
    given = samples.split(instance.domain, seed=seed)[held_out]
    rows = slice(None if held_out else count)
    points, values = given.points[rows], given.values[rows]
    order = _along_a_tree(instance, points)
    value = value_index(len(instance.coordinates))
    channels = Channels([value], len(value))

    def tensor(array: np.ndarray) -> Tensor:
        return torch.as_tensor(np.ascontiguousarray(array), dtype=torch.float64, device=device)

    return TrainingSet(
        "samples",
        True,
        Given(),
        channels,
        ((0, 0),),
        tensor(points[order]),
        tensor(values[None, order]),
        tensor(np.full(len(order), len(order) ** -0.5)),
        _blends(instance, points[order], channels, device),
        size=instance.scales[0] if instance.problem.scales.rows else 1.0,
    )


def _sets_on(
    instance: Instance,
    members: Sequence[tuple[ResidualBlock | TermSizes, CollocationSet]],
    group: int,
    device: torch.device | None,
) -> list[TrainingSet]:
    """Return the sets of blocks that hold in the same region, on whose points they share all channels."""
    drawn = members[0][1]
    # Points that are worked together stay where they are, one after the other.
    order = _along_a_tree(instance, drawn.points) if drawn.together == 1 else np.arange(len(drawn.points))
    points = drawn.points[order]
    normals = None if drawn.normals is None else drawn.normals[order]
    wanted = [read.channel for block, _ in members for read in block.reads]
    channels = Channels(wanted, len(instance.coordinates))
    blends = _blends(instance, points, channels, device)

    def tensor(array: np.ndarray) -> Tensor:
        return torch.as_tensor(np.ascontiguousarray(array), dtype=torch.float64, device=device)

    places = tensor(points)
    return [
        TrainingSet(
            block.name,
            isinstance(block.where, Interior),
            block,
            channels,
            tuple((read.unknown, channels.position(read.channel)) for read in block.reads),
            places,
            tensor(block.data(points, normals)),
            tensor(_root_weights(drawn, block.weight)[order]),
            blends,
            size=instance.sizes[block.name],
            group=group,
            together=drawn.together,
        )
        for block, _ in members
    ]


def _root_weights(drawn: CollocationSet, weight: float) -> np.ndarray:
    """Return roots of the residuals' weights times a block's own, with a point's share in its residual."""
    roots = np.sqrt(drawn.residual_weights * weight)
    if drawn.together == 1:
        return roots
    shares = drawn.weights.reshape(-1, drawn.together) / drawn.residual_weights[:, None]
    return np.asarray((roots[:, None] * shares).ravel())


def _blends(
    instance: Instance, points: np.ndarray, channels: Channels, device: torch.device | None
) -> tuple[Blend | None, ...]:
    """Return the ansatz of every unknown at points (N, D)."""

    def tensor(array: np.ndarray) -> Tensor:
        return torch.as_tensor(np.ascontiguousarray(array), dtype=torch.float64, device=device)

    blended = [ansatz.blended(points, channels) for ansatz in instance.ansatzes]
    return tuple(
        None if lift is None or factor is None else Blend(tensor(lift), tensor(factor))
        for lift, factor in blended
    )

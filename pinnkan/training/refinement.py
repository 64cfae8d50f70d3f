"""Refining a trained network: more functions on every edge, more width, the same function of the coordinates.

Grid extension of the first KANs (Liu et al., arXiv 2404.19756, section 2.4) fits the finer splines to
the coarser ones; nested bases need no fit: A' = A x3 E with b_k = sum_j E[j, k] b'_j is exact. A new neuron
has random coefficients into it, as at birth of its kind of network, and zeros out of it: nothing changes
until it is trained.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from pinnkan.ground.errors import UsageError
from pinnkan.language.bases import BASES, make_basis
from pinnkan.language.network_kinds import NETWORK_KINDS
from pinnkan.language.settings.blocks import NetworkSettings
from pinnkan.networks.bases import Basis
from pinnkan.networks.network import chains_of
from pinnkan.networks.random_features import RandomLayer


def basis_for(settings: NetworkSettings) -> Basis:
    """Return the basis that the settings describe."""
    return make_basis(settings.basis, functions=settings.functions, degree=settings.degree)


def fitted(settings: NetworkSettings, coefficients: Sequence[Tensor] | None) -> NetworkSettings:
    """Return the settings of a network with these coefficients: refining may have made it finer and wider.

    Args:
        settings: Of the network before it was refined.
        coefficients: Of every layer; of the first alone, they tell the functions and not the widths.
    """
    if coefficients is None:
        return settings
    depth = len(coefficients) // settings.chains
    if depth == len(settings.hidden) + 1 and all(c.dim() >= 2 for c in coefficients):
        settings = replace(settings, hidden=tuple(c.shape[1] for c in coefficients[: depth - 1]))
    if not NETWORK_KINDS[settings.kind].on_edges or coefficients[0].dim() != 3:
        return settings
    return replace(settings, functions=coefficients[0].shape[2] - BASES[settings.basis].extra)


def refined(
    coefficients: Sequence[Tensor], settings: NetworkSettings, functions: int | None
) -> Sequence[Tensor]:
    """Return the coefficients of the same function of the coordinates with ``functions`` on every edge.

    Args:
        coefficients: Of every layer, (I, J, K).
        settings: Of the network; how many functions it has now is read from the coefficients.
        functions: K', or None to leave them as they are.

    Raises:
        UsageError: If the basis with ``functions`` does not contain the present one.
    """
    now = fitted(settings, coefficients)
    if functions is None or functions == now.functions:
        return coefficients
    _require_edges(settings)
    embedding = basis_for(now).embedding(basis_for(replace(now, functions=functions)))
    return [c @ embedding.T.to(c) for c in coefficients]


def widened(
    coefficients: Sequence[Tensor],
    settings: NetworkSettings,
    hidden: Sequence[int],
    generator: torch.Generator,
) -> Sequence[Tensor]:
    """Return the coefficients of the same function of the coordinates with wider hidden layers.

    Args:
        coefficients: Of every layer, (I, J, K); of a network without edges (I + 1, J), the bias last.
        settings: Of the network before.
        hidden: New widths, none of them smaller.
        generator: Of the coefficients into new neurons.
    """
    wide: list[Tensor] = []
    for chain in chains_of(len(coefficients), settings.chains):
        before = 0
        for layer, own in enumerate(coefficients[chain]):
            outputs = hidden[layer] if layer < len(hidden) else own.shape[1]
            shape = (own.shape[0] + before, outputs - own.shape[1], *own.shape[2:])
            if layer == 0 and NETWORK_KINDS[settings.kind].frozen:
                bandwidth = settings.of_kind.bandwidth
                new = RandomLayer(shape[0] - 1, shape[1], squash=False, bandwidth=bandwidth).initial(
                    generator
                )
            else:
                spread = shape[0] * math.prod(shape[2:])
                new = torch.randn(shape, generator=generator, dtype=torch.float64) / spread
            wide.append(_wide_layer(own, before, new))
            before = outputs - own.shape[1]
    return wide


def _wide_layer(own: Tensor, inputs: int, new: Tensor) -> Tensor:
    """Return a layer with so many more inputs, which its old outputs do not see, and with new outputs."""
    bias = own.dim() == 2
    wide = own.new_zeros((own.shape[0] + inputs, own.shape[1] + new.shape[1], *own.shape[2:]))
    wide[:, own.shape[1] :] = new.to(own)
    kept = own.shape[0] - bias
    wide[:kept, : own.shape[1]] = own[:kept]
    if bias:
        wide[-1, : own.shape[1]] = own[-1]
    return wide


def _require_edges(settings: NetworkSettings) -> None:
    kind = NETWORK_KINDS[settings.kind]
    if not kind.on_edges:
        raise UsageError(f"functions: {kind.title} has no basis functions to refine")


def check_refinements(functions: Sequence[int | None], settings: NetworkSettings) -> None:
    """Refuse phases whose refinements cannot be done, before the first of them is trained.

    Args:
        functions: K' of every phase, None of one that leaves them.
        settings: Of the network before the first of them.

    Raises:
        UsageError: If a phase's basis does not contain that of the phase before.
    """
    for count in functions:
        if count is None or count == settings.functions:
            continue
        _require_edges(settings)
        finer = replace(settings, functions=count)
        basis_for(settings).embedding(basis_for(finer))
        settings = finer

"""Slim KANs: networks in Tucker form from scratch (Gao, Ng, Tan, section 5)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from pinnkan.networks.adapters.initial_factors import kan_shape
from pinnkan.networks.adapters.layerwise import Full, LayerParametrisation, TuckerChange
from pinnkan.networks.adapters.parameters import Parametrisation
from pinnkan.networks.network import chains_of
from pinnkan.networks.tucker import Tucker, hosvd, orthonormal, ranks_of


def outer_layers(count: int, chains: int = 1) -> set[int]:
    """Return the first and the last layer of every chain among ``count`` layers."""
    return {layer for chain in chains_of(count, chains) for layer in (chain.start, chain.stop - 1)}


def slim(
    coefficients: Sequence[Tensor], compression: float, generator: torch.Generator, *, chains: int = 1
) -> Parametrisation:
    """A slim KAN: inner layers in Tucker form on a zero base, outer layers in full.

    Factors start orthonormal and the core normal, scaled so that the entries of
    the merged tensor have standard deviation 1/(I K), as a full layer's have.

    Args:
        coefficients: Starting coefficients of a full network; inner ones give shapes only.
        compression: Ranks are ceil(compression * (I, J, K)).
        generator: Of factors and cores.
        chains: How many networks stand side by side; each has its own inner layers.
    """
    layers: list[LayerParametrisation] = []
    outer = outer_layers(len(coefficients), chains)
    for depth, base in enumerate(coefficients):
        if depth in outer:
            layers.append(Full(base))
            continue
        shape = kan_shape(base)
        ranks = ranks_of(shape, compression)
        factors = [orthonormal(size, rank, generator) for size, rank in zip(shape, ranks, strict=True)]
        core = torch.randn(ranks, generator=generator, dtype=torch.float64)
        # Orthonormal factors keep the norm: std of the merged tensor is |G| / sqrt(I J K).
        core *= math.sqrt(math.prod(shape)) / (core.norm() * shape[0] * shape[2])
        layers.append(TuckerChange(torch.zeros_like(base), Tucker(core, *factors)))
    return Parametrisation(layers)


def slim_from(coefficients: Sequence[Tensor], compression: float, *, chains: int = 1) -> Parametrisation:
    """A slim KAN that continues another of no larger ranks, merged and perhaps refined.

    The inner layers' multilinear ranks are at most those of the form, so that the HOSVD is exact.
    Factors stand on the CPU, as those of `initial_factors`: every layer's theta starts there.

    Args:
        coefficients: Of every layer, on any device.
        compression: Ranks are ceil(compression * (I, J, K)).
        chains: See `slim`.
    """
    layers: list[LayerParametrisation] = []
    outer = outer_layers(len(coefficients), chains)
    for depth, base in enumerate(coefficients):
        if depth in outer:
            layers.append(Full(base))
            continue
        factors = hosvd(base.cpu(), ranks_of(kan_shape(base), compression))
        layers.append(TuckerChange(torch.zeros_like(base), factors))
    return Parametrisation(layers)

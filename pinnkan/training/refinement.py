"""Refining a trained network: more functions on every edge, the same function of the coordinates.

Grid extension of the first KANs (Liu et al., arXiv 2404.19756, section 2.4) fits the finer splines to
the coarser ones; nested bases need no fit: A' = A x3 E with b_k = sum_j E[j, k] b'_j is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from pinnkan.ground.errors import UsageError
from pinnkan.language.bases import BASES, make_basis
from pinnkan.language.network_kinds import NETWORK_KINDS
from pinnkan.language.settings.blocks import NetworkSettings
from pinnkan.networks.bases import Basis


def basis_for(settings: NetworkSettings) -> Basis:
    """Return the basis that the settings describe."""
    return make_basis(settings.basis, functions=settings.functions, degree=settings.degree)


def fitted(settings: NetworkSettings, coefficients: Sequence[Tensor] | None) -> NetworkSettings:
    """Return the settings of a network with these coefficients: refining may have given it more functions."""
    if coefficients is None or not NETWORK_KINDS[settings.kind].on_edges or coefficients[0].dim() != 3:
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

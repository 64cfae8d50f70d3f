"""Tucker ranks that grow: new factor columns and zero core slices, the function unchanged.

With U = [U_old | V], the columns of V orthonormal to each other and to those of U_old, and the core
padded with zeros, G x1 U1 x2 U2 x3 U3 is what it was; the gradient of the new core entries is not zero.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pinnkan.networks.adapters.layerwise import LayerParametrisation, TuckerChange
from pinnkan.networks.adapters.parameters import Parametrisation
from pinnkan.networks.tucker import Tucker, orthonormal, ranks_of

GROWTH = (1 / 16, 1 / 8, 1 / 4, 1 / 2)
"""Compression ratios that ranks grow through."""


def grow(
    parameters: Parametrisation,
    theta: Tensor,
    compression: float,
    *,
    adjoints: Sequence[Tensor],
    generator: torch.Generator,
) -> tuple[Parametrisation, Tensor]:
    """Raise the ranks of every Tucker layer.

    Args:
        parameters: With lower ranks.
        theta: Where it stands, (P,).
        compression: New ranks are ceil(compression * (I, J, K)); none shrinks.
        adjoints: At every layer's output at theta, (B, J_l); see `widened`.
        generator: Of the new random columns.

    Returns:
        The wider parametrisation, and its theta of the same coefficients.
    """
    layers: list[LayerParametrisation] = []
    parts: list[Tensor] = []
    for layer, part, delta in zip(parameters.layers, parameters.split(theta.cpu()), adjoints, strict=True):
        if isinstance(layer, TuckerChange):
            inputs, outputs, functions = layer.base.shape
            ranks = ranks_of((inputs, outputs, functions), compression)
            wide = widened(layer.factors(part), ranks, adjoints=delta, generator=generator)
            layer = TuckerChange(layer.base, wide)
            part = layer.start()
        layers.append(layer)
        parts.append(part)
    return Parametrisation(layers), torch.cat(parts)


def widened(
    form: Tucker, ranks: tuple[int, int, int], *, adjoints: Tensor, generator: torch.Generator
) -> Tucker:
    """Return the same tensor with factors of more columns.

    New columns of U2 are the leading directions of the adjoints that the old ones leave over, those of U1
    and U3 random, as at birth; all are orthonormal to the old columns.

    Args:
        form: Core (R1, R2, R3) and factors (I, R1), (J, R2), (K, R3).
        ranks: Of the result; a mode that has more already keeps them.
        adjoints: Derivatives of residuals with respect to the layer's output, (B, J).
        generator: Of the random columns.
    """
    core, *factors = form
    missing = [max(0, rank - u.shape[1]) for rank, u in zip(ranks, factors, strict=True)]
    padding = [length for count in reversed(missing) for length in (0, count)]
    u1, u2, u3 = (
        torch.cat([u, _left_over(u, count, adjoints if mode == 1 else None, generator)], dim=1)
        for mode, (u, count) in enumerate(zip(factors, missing, strict=True))
    )
    return Tucker(torch.nn.functional.pad(core, padding), u1, u2, u3)


def _left_over(u: Tensor, count: int, rows: Tensor | None, generator: torch.Generator) -> Tensor:
    """Return orthonormal columns orthogonal to those of u (n, r): the leading ones of rows (B, n), or random.

    They are sought in coordinates of the orthogonal complement, so that rows without anything in
    it still give columns of full rank.
    """
    size, rank = u.shape
    complement = torch.linalg.qr(u.to(torch.float64), mode="complete")[0][:, rank:]
    if rows is None:
        inside = orthonormal(size - rank, count, generator)
    else:
        inside = torch.linalg.svd(rows.to(torch.float64) @ complement, full_matrices=True)[2][:count].T
    result: Tensor = complement @ inside
    return result

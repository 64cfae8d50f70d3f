"""The factors that a Tucker form starts from (Gao, Ng, Tan, Low Tensor-Rank Adaptation of KANs, Eq. 8)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pinnkan.ground.errors import UsageError
from pinnkan.networks.tucker import Tucker, orthonormal


def initial_factors(
    shape: tuple[int, int, int],
    ranks: tuple[int, int, int],
    *,
    initialisation: str,
    adjoints: Tensor,
    generator: torch.Generator,
) -> Tucker:
    """Return factors with a zero core: an adapter that changes nothing yet.

    * ``paper`` (Eq. 8): U1 columns N(0, 1/I), U3 columns N(0, 1/K), every column of
      U2 the vector v/|v|, v the loss's derivative with respect to the layer's output.
    * ``batch``: the same U1 and U3; U2 columns are the leading right singular vectors of
      all residuals' derivatives, since equal columns would stay equal under training.
    * ``orthonormal``: three random factors with orthonormal columns.

    Args:
        shape: (I, J, K).
        ranks: (R1, R2, R3).
        initialisation: As above.
        adjoints: Derivatives with respect to the layer's output, (B, J): of the loss, a row for each
            point, for ``paper``; of residuals otherwise.
        generator: Of the random factors.
    """
    inputs, outputs, functions = shape
    core = torch.zeros(ranks, dtype=torch.float64)
    if initialisation == "orthonormal":
        factors = (orthonormal(size, rank, generator) for size, rank in zip(shape, ranks, strict=True))
        return Tucker(core, *factors)
    u1 = torch.randn(inputs, ranks[0], generator=generator, dtype=torch.float64) / math.sqrt(inputs)
    u3 = torch.randn(functions, ranks[2], generator=generator, dtype=torch.float64) / math.sqrt(functions)
    if initialisation == "paper":
        mean = adjoints.mean(dim=0)
        u2 = (mean / mean.norm().clamp_min(1e-300)).unsqueeze(1).expand(outputs, ranks[1]).clone()
    else:
        vectors = torch.linalg.svd(adjoints.to(torch.float64), full_matrices=True)[2]
        u2 = vectors[: ranks[1]].T.clone()
    return Tucker(core, u1, u2, u3)


def kan_shape(base: Tensor) -> tuple[int, int, int]:
    """Return (I, J, K).

    Raises:
        UsageError: If the coefficients are those of an MLP, which has no Tucker form.
    """
    if base.dim() != 3:
        raise UsageError(
            "a Tucker form needs a KAN layer's (I, J, K) coefficients, found the matrix of an MLP; "
            "use --method full or a KAN (network.kind)"
        )
    inputs, outputs, functions = base.shape
    return inputs, outputs, functions

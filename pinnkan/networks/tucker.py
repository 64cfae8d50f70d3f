"""Tucker decomposition of order-3 tensors: G x1 U1 x2 U2 x3 U3.

A coefficient tensor has shape (I, J, K): inputs, outputs, basis functions.
Slim KANs and LoTRA adapters share this form.
Source: Kolda and Bader, Tensor decompositions and applications, SIAM Review 51 (2009).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor


class Tucker(NamedTuple):
    """Core (R1, R2, R3) and factors U1 (I, R1), U2 (J, R2), U3 (K, R3)."""

    core: Tensor
    u1: Tensor
    u2: Tensor
    u3: Tensor

    def dense(self) -> Tensor:
        """Return G x1 U1 x2 U2 x3 U3, shape (I, J, K)."""
        left = torch.einsum("abc,kc->abk", self.core, self.u3)
        middle = torch.einsum("abk,jb->ajk", left, self.u2)
        return torch.einsum("ajk,ia->ijk", middle, self.u1)


def unfold(tensor: Tensor, mode: int) -> Tensor:
    """Return the mode-``mode`` unfolding, shape (size of the mode, product of the others)."""
    return tensor.movedim(mode, 0).reshape(tensor.shape[mode], -1)


def ranks_of(shape: tuple[int, int, int], compression: float) -> tuple[int, int, int]:
    """Return ceil(compression * (I, J, K)), at least 1 in every mode.

    A relative slack of 1e-12 keeps 0.1 * 30 = 3.0000000000000004 from becoming 4.
    """
    first, second, third = (max(1, math.ceil(compression * size * (1 - 1e-12))) for size in shape)
    return first, second, third


def orthonormal(rows: int, columns: int, generator: torch.Generator) -> Tensor:
    """Return a random (rows, columns) float64 matrix with orthonormal columns (columns <= rows).

    QR of a normal matrix, signs fixed by diag(R) > 0: Haar distributed
    (Mezzadri, Notices of the AMS 54, 2007).
    """
    normal = torch.randn(rows, columns, generator=generator, dtype=torch.float64)
    q, r = torch.linalg.qr(normal)
    result: Tensor = q * torch.sign(torch.diagonal(r))
    return result


def hosvd(tensor: Tensor, ranks: tuple[int, int, int]) -> Tucker:
    """Truncated higher-order singular value decomposition (De Lathauwer et al., 2000).

    Factors are the leading left singular vectors of the three unfoldings; the
    squared error is at most the sum of the discarded squared singular values.
    """
    u1, u2, u3 = (
        torch.linalg.svd(unfold(tensor, mode), full_matrices=False)[0][:, :rank]
        for mode, rank in enumerate(ranks)
    )
    core = torch.einsum("ijk,ia,jb,kc->abc", tensor, u1, u2, u3)
    return Tucker(core, u1, u2, u3)

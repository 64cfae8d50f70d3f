"""Singular values of the three mode unfoldings of a coefficient tensor, and the energy that ranks hold.

Tucker ranks of a tensor are the ranks of its unfoldings; the higher-order singular value
decomposition (De Lathauwer, De Moor, Vandewalle, SIAM J. Matrix Anal. Appl. 21, 2000) finds both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnkan.ground.errors import DivergedError
from pinnkan.networks.tucker import unfold

MODES = ("inputs", "outputs", "functions")
"""What the modes 1, 2, 3 of a coefficient tensor (I, J, K) stand for."""


@dataclass(frozen=True)
class Spectrum:
    """Singular values of one mode unfolding.

    Attributes:
        values: sigma_1 >= sigma_2 >= ..., as many as the mode is long, float64.
    """

    values: Tensor

    @property
    def relative(self) -> Tensor:
        """Values over the largest; zeros of a tensor that is zero."""
        return self.values / self.values[0].clamp_min(torch.finfo(torch.float64).tiny)

    @property
    def discarded(self) -> Tensor:
        """Share of the energy beyond rank r, sum_{i>r} sigma_i^2 / sum_i sigma_i^2, for r = 0 ... count.

        Summed from the small end, so that 1e-20 is not lost beside 1; zeros of a zero tensor.
        """
        energies = self.relative.square().flip(0).cumsum(0).flip(0)
        shares = energies / energies[0].clamp_min(1.0)
        return torch.cat([shares, shares.new_zeros(1)])

    def rank_holding(self, share: float) -> int:
        """Return the smallest rank that holds a share of the energy, 0 for a zero tensor.

        Args:
            share: Between 0 and 1.
        """
        # A share such as 0.9 is not exact in binary; what is discarded may be 1 - 0.9 and a rounding.
        return int(torch.nonzero(self.discarded <= (1.0 - share) * (1 + 1e-12))[0])


def mode_spectra(tensor: Tensor) -> tuple[Spectrum, Spectrum, Spectrum]:
    """Return the spectra of the unfoldings along modes 1, 2, 3 of a tensor (I, J, K).

    A mode longer than the product of the others has zeros at its end.

    Raises:
        DivergedError: If the tensor is not finite.
    """
    if not bool(tensor.isfinite().all()):
        raise DivergedError("coefficients are not finite: they have no singular values")
    first, second, third = (_spectrum(unfold(tensor.to(torch.float64), mode)) for mode in range(3))
    return first, second, third


def discarded_norm(spectra: Sequence[Spectrum], ranks: Sequence[int]) -> float:
    """Return Lemma 1's bound on |E - hosvd(E, ranks)|_F (Gao, Ng, Tan).

    It is sqrt(sum over modes and over i > R_mode of sigma_i^2).
    """
    tails = (
        float(spectrum.values[rank:].square().sum()) for spectrum, rank in zip(spectra, ranks, strict=True)
    )
    return math.sqrt(sum(tails))


def _spectrum(unfolding: Tensor) -> Spectrum:
    values = torch.linalg.svdvals(unfolding)
    return Spectrum(torch.cat([values, values.new_zeros(len(unfolding) - len(values))]))

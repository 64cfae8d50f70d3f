"""Fourier basis: the first K of 1, cos z, sin z, cos 2z, sin 2z, ... on the line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from pinnkan.networks.bases.base import Basis, Rows, check_functions


@dataclass(frozen=True)
class Fourier(Basis):
    """Trigonometric functions of whole frequencies; bounded everywhere, so that no tanh is needed before it.

    Attributes:
        functions: K, the constant included.

    Raises:
        UsageError: If K is below 1.
    """

    functions: int
    domain: ClassVar[Literal["unit", "line"]] = "line"

    def __post_init__(self) -> None:
        check_functions("fourier", self.functions)

    @property
    def size(self) -> int:
        """K."""
        return self.functions

    def values(self, x: Tensor) -> Tensor:
        """Each function by its own cosine or sine."""
        terms = [torch.ones_like(x)]
        while len(terms) < self.functions:
            frequency = (len(terms) + 1) // 2
            terms.append(torch.cos(frequency * x) if len(terms) % 2 else torch.sin(frequency * x))
        return torch.stack(terms, dim=-2)

    def fill(self, x: Tensor, rows: Rows) -> None:
        """Products for the higher frequencies, then one pass a row for each derivative.

        With a + b = j and a - b = j mod 2, cos jz = 2 cos az cos bz - cos (a-b)z and
        sin jz = 2 sin az cos bz - sin (a-b)z (DLMF 4.21.15 to 4.21.17). Derivative m of cos jz
        and sin jz is j^m times that of frequency 1, which goes round the four quarters.
        """
        cosines = [torch.ones_like(x), *rows[0][1::2]]
        sines = [torch.zeros_like(x), *rows[0][2::2]]
        if len(sines) < len(cosines):
            # K even: the last cosine has no sine in the basis, but its derivatives need it
            sines.append(torch.empty_like(x))
        rows[0][0].fill_(1)
        _fill_waves(x, cosines, sines)
        for order, planes in enumerate(rows[1:], start=1):
            planes[0].zero_()
            for index in range(1, self.functions):
                frequency = (index + 1) // 2
                quarter = (order + (0 if index % 2 else 3)) % 4
                source = (cosines, sines)[quarter % 2][frequency]
                sign = -1 if quarter in (1, 2) else 1
                torch.mul(source, sign * frequency**order, out=planes[index])


def _fill_waves(x: Tensor, cosines: list[Tensor], sines: list[Tensor]) -> None:
    """Write cos jx and sin jx for j = 1, 2, ... into the lists from index 1 on."""
    if len(cosines) > 1:
        torch.cos(x, out=cosines[1])
        torch.sin(x, out=sines[1])
    if len(cosines) < 3:
        return
    minus_cosine, minus_sine = (-cosines[0], -cosines[1]), (sines[0], -sines[1])
    for j in range(2, len(cosines)):
        low, high = j // 2, j - j // 2
        torch.addcmul(minus_cosine[j % 2], cosines[high], cosines[low], value=2, out=cosines[j])
        torch.addcmul(minus_sine[j % 2], sines[high], cosines[low], value=2, out=sines[j])

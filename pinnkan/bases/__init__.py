"""Families of univariate functions for the edges of a KAN, one a file."""

from pinnkan.bases.base import Basis
from pinnkan.bases.bspline import BSpline
from pinnkan.bases.chebyshev import Chebyshev
from pinnkan.bases.fourier import Fourier
from pinnkan.bases.legendre import Legendre
from pinnkan.bases.registry import BASES, make_basis
from pinnkan.bases.taylor import Taylor

__all__ = ["BASES", "BSpline", "Basis", "Chebyshev", "Fourier", "Legendre", "Taylor", "make_basis"]

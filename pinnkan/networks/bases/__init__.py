"""Families of univariate functions for the edges of a KAN, one a file."""

from pinnkan.networks.bases.base import Basis
from pinnkan.networks.bases.bspline import BSpline
from pinnkan.networks.bases.chebyshev import Chebyshev
from pinnkan.networks.bases.fourier import Fourier
from pinnkan.networks.bases.legendre import Legendre
from pinnkan.networks.bases.taylor import Taylor

__all__ = ["BSpline", "Basis", "Chebyshev", "Fourier", "Legendre", "Taylor"]

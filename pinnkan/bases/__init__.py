"""Families of univariate functions for the edges of a KAN, one a file."""

from pinnkan.bases.base import Basis
from pinnkan.bases.chebyshev import Chebyshev
from pinnkan.bases.registry import BASES, make_basis

__all__ = ["BASES", "Basis", "Chebyshev", "make_basis"]

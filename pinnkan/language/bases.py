"""The univariate functions on the edges of a KAN: the table of bases.

Files, options and networks take their choices from here. Mathematics is in the class that a row names, which
is imported when one is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from pinnkan.ground.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from pinnkan.networks.bases import Basis


@dataclass(frozen=True)
class BasisKind:
    """One basis.

    Attributes:
        made_by: Its class, ``module:name``; it takes K, and the degree if it is piecewise.
        piecewise: Whether its functions are pieces of polynomials of the key ``degree``, which have no
            further derivatives; other bases do not read that key.
        extra: Coefficients on an edge beyond the K functions that are asked for.
    """

    made_by: str
    piecewise: bool = False
    extra: int = 0


BASES: dict[str, BasisKind] = {
    "chebyshev": BasisKind("pinnkan.networks.bases.chebyshev:Chebyshev"),
    "legendre": BasisKind("pinnkan.networks.bases.legendre:Legendre"),
    "taylor": BasisKind("pinnkan.networks.bases.taylor:Taylor"),
    "fourier": BasisKind("pinnkan.networks.bases.fourier:Fourier"),
    "bspline": BasisKind("pinnkan.networks.bases.bspline:BSpline", piecewise=True, extra=1),
}


def make_basis(name: str, functions: int = 8, degree: int = 3) -> Basis:
    """Build a basis.

    Args:
        name: A key of ``BASES``.
        functions: K, the constant included; for B-splines grid + degree.
        degree: Of a piecewise basis.

    Raises:
        UsageError: If the name is unknown or there are too few functions.
    """
    if name not in BASES:
        raise UsageError(
            f"network.basis: expected one of {', '.join(BASES)}, found '{name}'"
            f"{did_you_mean(name, tuple(BASES))}"
        )
    kind = BASES[name]
    made: Basis = resolve_name(kind.made_by)(functions, *([degree] if kind.piecewise else []))
    return made

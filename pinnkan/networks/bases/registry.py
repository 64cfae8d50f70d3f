"""The bases by name."""

from __future__ import annotations

from collections.abc import Callable

from pinnkan.ground.errors import UsageError, did_you_mean
from pinnkan.networks.bases.base import Basis
from pinnkan.networks.bases.bspline import BSpline
from pinnkan.networks.bases.chebyshev import Chebyshev
from pinnkan.networks.bases.fourier import Fourier
from pinnkan.networks.bases.legendre import Legendre
from pinnkan.networks.bases.taylor import Taylor

BASES: dict[str, Callable[[int, int], Basis]] = {
    "chebyshev": lambda functions, degree: Chebyshev(functions),
    "legendre": lambda functions, degree: Legendre(functions),
    "taylor": lambda functions, degree: Taylor(functions),
    "fourier": lambda functions, degree: Fourier(functions),
    "bspline": lambda functions, degree: BSpline(functions, degree),
}
"""From the number of functions and the degree (B-splines only) to the basis."""


def make_basis(name: str, functions: int = 8, degree: int = 3) -> Basis:
    """Build a basis.

    Args:
        name: A key of ``BASES``.
        functions: K, the constant included; for B-splines grid + degree.
        degree: B-spline degree; the other bases do not read it.

    Raises:
        UsageError: If the name is unknown or there are too few functions.
    """
    if name not in BASES:
        raise UsageError(
            f"network.basis: expected one of {', '.join(BASES)}, found '{name}'"
            f"{did_you_mean(name, tuple(BASES))}"
        )
    return BASES[name](functions, degree)

"""Scales that a solution in polynomials tells where the balance of terms is far off.

A slender beam bends, and a body with weak losses warms, far more than any one of its equations and
conditions says: what is large there costs next to nothing in each of them. So a linear problem is solved as a
whole, by least squares in polynomials of a low degree on few points, every row divided by the size of its
statement's terms,

    minimise  sum_b |R_b(w)|^2 / size_b^2,    w = sum_p c_p T_p.

The largest |w| is the scale, to within a power of two, where polynomials resolve the problem (what they leave
of the residuals of w = 0 is small, and two degrees agree on the size) and the balance differs from it by more
than a factor of ten.
What they do not resolve they make too small, so that little need be resolved to raise a scale, and all to
lower one. Elsewhere the balance stands. The ratio to it is rounded to a power of two, since a scale needs no
digits, and changing units then changes none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pinnkan.geometry import CollocationSet, Domain, WholeDomain
from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.derivatives import value_index
from pinnkan.ground.errors import PinnkanError
from pinnkan.physics.blocks import ResidualBlock
from pinnkan.physics.magnitudes.growth import VARIANT
from pinnkan.physics.magnitudes.scales import half_extents
from pinnkan.physics.magnitudes.sizes import characteristic_terms, size_of
from pinnkan.physics.polynomial_rows import polynomial_rows
from pinnkan.physics.polynomials import Polynomials

_POINTS, _SEED = 256, 0
"""Points of each statement; an integral is taken at twice as many times as the degree."""
_DEGREES = {1: (24, 32), 2: (7, 10), 3: (4, 5)}
"""Two total degrees of the polynomials, by dimension."""
_FAR = 10.0
"""Factor between balance and solution from which the balance is wrong: within it training hardly differs."""
_AGREE = 2.0
"""Factor within which two degrees agree on a size."""
_RAISES, _LOWERS = 0.5, 1e-3
"""Share of the residuals of zero that polynomials may leave where they raise and where they lower a scale."""
_TRUNCATED = 1e-12
"""Singular values below that share of the largest are zero: directions that no statement sees."""


@dataclass(frozen=True)
class FoundScale:
    """The scale of an unknown and where it comes from.

    Attributes:
        value: The scale.
        balance: What the balance of terms says.
    """

    value: float
    balance: float

    @property
    def is_solved(self) -> bool:
        """Whether it is the size of a solution in polynomials, far from the balance."""
        return self.value != self.balance


def found_scales(
    balances: Sequence[float], blocks: Sequence[ResidualBlock], domain: Domain
) -> tuple[FoundScale, ...]:
    """Return the scales of the unknowns (module docstring).

    Args:
        balances: Their scales by the balance of terms.
        blocks: All equations and conditions at the base values.
        domain: The domain there.
    """
    ratios = _ratios(balances, blocks, domain)
    return tuple(
        FoundScale(balance if ratio is None else ratio * balance, balance)
        for ratio, balance in zip(ratios, balances, strict=True)
    )


def _ratios(balances: Sequence[float], blocks: Sequence[ResidualBlock], domain: Domain) -> list[float | None]:
    """Return the sizes over the balances where the two contradict each other, None elsewhere."""
    nothing: list[float | None] = [None] * len(balances)
    dimension = len(domain.coordinates)
    if dimension not in _DEGREES or not blocks or not all(block.program.is_linear for block in blocks):
        return nothing
    coarse, fine = (_solve(balances, blocks, domain, degree) for degree in _DEGREES[dimension])
    if coarse is None or fine is None:
        return nothing
    return [
        2.0 ** round(math.log2(finer)) if _contradicts(coarser, finer, fine.left) else None
        for coarser, finer in zip(coarse.relatives, fine.relatives, strict=True)
    ]


def _contradicts(coarser: float, finer: float, left: float) -> bool:
    """Tell whether sizes over the balance, by two degrees, are resolved and far from 1."""
    if not coarser or not finer or not max(coarser / finer, finer / coarser) <= _AGREE:
        return False
    return (finer > _FAR and left <= _RAISES) or (finer < 1 / _FAR and left <= _LOWERS)


@dataclass(frozen=True)
class _Solved:
    """A solution in polynomials: largest values over the balances, and what is left of the residuals."""

    relatives: tuple[float, ...]
    left: float


def _solve(
    balances: Sequence[float], blocks: Sequence[ResidualBlock], domain: Domain, degree: int
) -> _Solved | None:
    """Solve all statements by least squares; None where one has no value or zero solves them all."""
    polynomials = Polynomials(*domain.bounding_box, degree, domain.periodic)
    value = value_index(len(domain.coordinates))
    rows, values, residuals = [], [], []
    with np.errstate(all="ignore"):
        try:
            for block in blocks:
                # Sobol's points, for those of a quadrature may lie on one line of a slender domain.
                count = 2 * degree if isinstance(block.where, WholeDomain) else _POINTS
                places = domain.collocate(block.where, count, rule="sobol", seed=_SEED, variant=VARIANT)
                own, left_over = _rows(block, places, polynomials, balances, domain)
                rows.append(own)
                residuals.append(left_over)
                values.append(polynomials.derivative(value, places.points))
        except PinnkanError:
            return None
    matrix, right = np.concatenate(rows), -np.concatenate(residuals)
    defect = float(np.linalg.norm(right))
    if not np.isfinite(matrix).all() or not 0.0 < defect < math.inf:
        return None
    coefficients = np.linalg.lstsq(matrix, right, rcond=_TRUNCATED)[0]
    w = np.concatenate(values) @ coefficients.reshape(len(balances), -1).T
    left = float(np.linalg.norm(matrix @ coefficients - right)) / defect
    return _Solved(tuple(np.abs(w).max(axis=0).tolist()), left)


def _rows(
    block: ResidualBlock,
    places: CollocationSet,
    polynomials: Polynomials,
    balances: Sequence[float],
    domain: Domain,
) -> tuple[FloatArray, FloatArray]:
    """Return a statement's rows (M, U P) for unknowns over their balances, and its residual at zero (M,)."""
    zero = np.zeros((len(block.reads), len(places.points)))
    rows, residual = polynomial_rows(block, places, polynomials, zero, len(balances))
    terms = characteristic_terms(block, places, balances, half_extents(domain))
    size = size_of(terms, places.weights)
    scale = np.sqrt(places.residual_weights) / (size if size > 0.0 else 1.0)
    whole = (rows * np.asarray(balances)[:, None]).reshape(len(residual), -1)
    return whole * scale[:, None], residual * scale

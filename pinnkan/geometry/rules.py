"""One-dimensional quadrature and low-discrepancy points: what every shape builds its point sets from.

All rules live on the unit interval and carry weights that sum to 1.

*Held-out sets* are scrambled Sobol points (`unit_cube`), whatever rule the training points follow:
every one of them is uniformly distributed, hence no nearer to the training points than any other
point of the domain. Two Gauss rules shifted against each other are not: their nodes differ
everywhere, and yet lie side by side over most of the interval.

*Variants.* Sets that follow each other in a training shall share no point, whatever
their sizes. Hence a family of Gauss rules instead of one: the zeros of
``P_n + c P_{n-1}`` with |c| < 1 are n nodes in (-1, 1) with positive weights,
exact for polynomials of degree 2n - 2 (2n - 1 for c = 0, the Gauss rule;
c = +-1 are the Radau rules). Two rules with the same n and different c share
no node, since P_n and P_{n-1} have no common zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.errors import UsageError, did_you_mean

RULES = ("quadrature", "sobol", "random")

MOST_POINTS = 10**8
"""Larger sets are a slip of the keyboard, and would end in a lack of memory."""

GOLDEN_TURN = (math.sqrt(5) - 1) / 2
"""The rotation from one ring to the next, as a share of a turn."""

_PANEL = 64
"""Longest Gauss rule; more nodes become equal panels, else they cost O(n^2) and crowd at the ends."""

_SOBOL_BITS = 30
_AXIS_TURNS = tuple(math.sqrt(prime) for prime in (2, 3, 5, 7, 11, 13))


def turn(variant: int) -> float:
    """Rotation of a variant in turns: 0 for variant 0, an irrational share of a turn for every other."""
    return (variant * _AXIS_TURNS[0]) % 1.0


def gauss(count: int, *, variant: int = 0, axis: int = 0) -> tuple[FloatArray, FloatArray]:
    """Gauss rule of a variant on the unit interval, in panels of at most 64 nodes.

    Args:
        count: Number of nodes.
        variant: 0 is the Gauss-Legendre rule; any other is a shifted rule that
            shares no node with it (module docstring).
        axis: Which sequence of shifts to follow, so that axes of a tensor
            rule shift independently.

    Returns:
        Nodes in (0, 1), ascending, and positive weights that sum to 1, shapes ``(count,)``.
    """
    share = (variant * _AXIS_TURNS[axis % len(_AXIS_TURNS)]) % 1.0
    shift = 0.8 * (2 * share - 1) if variant else 0.0
    panels = -(-count // _PANEL)
    sizes = [count // panels + (panel < count % panels) for panel in range(panels)]
    rules = [_shifted_gauss(size, shift) for size in sizes]
    nodes = np.concatenate([(panel + rule[0]) / panels for panel, rule in enumerate(rules)])
    return nodes, np.concatenate([rule[1] / panels for rule in rules])


@lru_cache(maxsize=4096)
def _shifted_gauss(count: int, shift: float) -> tuple[FloatArray, FloatArray]:
    """Zeros of P_n + shift * P_{n-1}, mapped to (0, 1), with their weights.

    The zeros are the eigenvalues of the Legendre Jacobi matrix whose last
    diagonal entry is -shift * n / (2n - 1) instead of 0 (Golub and Welsch,
    Math. Comp. 23, 1969); the weights are the Christoffel numbers
    1 / sum_{k<n} (2k + 1) P_k(x)^2, which that change leaves in force.
    """
    from scipy.linalg import eigvalsh_tridiagonal

    k = np.arange(1.0, count)
    diagonal = np.zeros(count)
    diagonal[-1] = -shift * count / (2 * count - 1)
    x = eigvalsh_tridiagonal(diagonal, k / np.sqrt(4 * k**2 - 1)) if count > 1 else diagonal
    before, now, total = np.zeros_like(x), np.ones_like(x), np.ones_like(x)
    for degree in range(1, count):
        before, now = now, ((2 * degree - 1) * x * now - (degree - 1) * before) / degree
        total += (2 * degree + 1) * now**2
    weights = 1 / total
    return (1 + x) / 2, weights / weights.sum()


def unit_cube(count: int, dimension: int, *, rule: str, rng: np.random.Generator) -> FloatArray:
    """Points in the open unit cube with equal weights, by the rule ``sobol`` or ``random``.

    The Sobol points (Joe and Kuo's directions) are scrambled by a random linear matrix and a digital
    shift (Matousek, J. Complexity 14, 1998): they stay a low-discrepancy net, each of them is uniformly
    distributed, and two streams are independent. A random offset below their last bit keeps
    two streams from coinciding on the bit grid.

    Returns:
        Points, shape ``(count, dimension)``.
    """
    if rule == "random" or dimension == 0:
        # [2^-53, 1): the endpoint 0 would put a point on an axis or in a corner
        return np.maximum(rng.random((count, dimension)), 2.0**-53)
    import torch  # SciPy's Sobol points are as good, and scipy.stats takes over a second to import

    engine = torch.quasirandom.SobolEngine(  # type: ignore[no-untyped-call]
        dimension, scramble=True, seed=int(rng.integers(1 << 62))
    )
    grid = np.rint(engine.draw(count, dtype=torch.float64).numpy() * (1 << _SOBOL_BITS))
    offset = rng.uniform(0.25, 0.75, size=dimension)
    return np.asarray((grid + offset) / (1 << _SOBOL_BITS), dtype=np.float64)


def equispaced(count: int, turns: float) -> tuple[FloatArray, FloatArray]:
    """Trapezoidal rule on the unit circle, as nodes in [0, 1) and weights: exact below ``count`` waves."""
    return (np.arange(count) / count + turns) % 1.0, np.full(count, 1 / count)


def circle(count: int, turns: float) -> FloatArray:
    """Angles of ``count`` equispaced points, rotated by a share of a turn: shape ``(count,)``."""
    return 2 * math.pi * ((np.arange(count) / count + turns) % 1.0)


def match_density(total: Callable[[float], int], count: int) -> float:
    """Find the density at which a growing step function ``total`` comes nearest to ``count``."""
    low, high = 0.0, 1.0
    while total(high) < count:
        low, high = high, 2 * high
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if total(middle) < count else (low, middle)
    return low if count - total(low) < total(high) - count else high


def share(count: int, measures: Sequence[float]) -> list[int]:
    """Split a count in proportion to measures, by largest remainder, every share at least 1."""
    exact = count * np.asarray(measures) / sum(measures)
    shares = np.maximum(1, np.floor(exact)).astype(int)
    for index in np.argsort(-(exact - shares), kind="stable")[: max(0, count - int(shares.sum()))]:
        shares[index] += 1
    return [int(n) for n in shares]


def check_points(count: int, rule: str, variant: int) -> None:
    """Refuse an empty or absurdly large set, an unknown rule and a negative variant.

    Raises:
        UsageError: Names what was found and what is expected.
    """
    if count < 1:
        raise UsageError(f"points: expected at least 1, found {count}")
    if count > MOST_POINTS:
        raise UsageError(f"points: expected at most {MOST_POINTS}, found {count}")
    if rule not in RULES:
        raise UsageError(
            f"points.rule: expected one of {', '.join(RULES)}, found '{rule}'{did_you_mean(rule, RULES)}"
        )
    if variant < 0:
        raise UsageError(f"variant of a point set: expected 0 or more, found {variant}")

"""The paper's families by hand: exact solutions and sources in r = |x|, for the peers' codes.

Written without pinnkan, so that a peer that converges to `exact` checks both. With
S = sin(s), s = pi/2 (1 - r)^p, p = 5/2, and Q = cos(pi r / 2), all functions vanish at r = 1.
"""

from __future__ import annotations

import math

import numpy as np

_POWER = 2.5


def shape(r: np.ndarray, value: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return w = S + lambda Q, w' and the Laplacian w'' + w'/r in the plane.

    Args:
        r: Distances from the origin in [0, 1].
        value: lambda.
    """
    # w'/r has a limit at the origin, reached to 1e-8 by moving the point by that much.
    r = np.maximum(r, 1e-8)
    gap = np.maximum(1.0 - r, 0.0)
    s = 0.5 * math.pi * gap**_POWER
    first = -0.5 * math.pi * _POWER * gap ** (_POWER - 1.0)
    second = 0.5 * math.pi * _POWER * (_POWER - 1.0) * gap ** (_POWER - 2.0)
    half = 0.5 * math.pi
    w = np.sin(s) + value * np.cos(half * r)
    slope = np.cos(s) * first - value * half * np.sin(half * r)
    curvature = np.cos(s) * second - np.sin(s) * first**2 - value * half**2 * np.cos(half * r)
    return w, slope, curvature + slope / r


def elliptic_source(r: np.ndarray, value: float) -> np.ndarray:
    """Return f of -div(a grad u) + |grad u|^2 = f, a = 1 + r^2/2, for u = w."""
    _, slope, laplacian = shape(r, value)
    source: np.ndarray = -(1.0 + 0.5 * r**2) * laplacian - r * slope + slope**2
    return source

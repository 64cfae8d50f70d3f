"""The symbolic functions that an edge may become, and the fit y ~ c f(a x + b) + d to what an edge does.

Symbolic regression on edges: Liu et al., KAN, arXiv 2404.19756, section 2.5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sympy

from pinnkan.ground.arrays import FloatArray

_SLOPES = np.geomspace(0.1, 12.0, 24)
_OFFSETS = np.linspace(-8.0, 8.0, 41)
_SAMPLES = 120
"""Inputs of an edge that its functions are fitted on."""
_PROMISING = 0.8
"""Part of the R^2 asked for that the coarse search must reach."""
_BOTH_SIGNS = ("exp", "log", "sqrt")
"""Functions whose inner slope has a sign that neither outer numbers nor the offset make up for."""
_NO_OFFSET = ("exp",)
"""Functions whose factor makes up for every offset: searched, it ends anywhere."""


@dataclass(frozen=True)
class Template:
    """One function of the library.

    Attributes:
        name: As listed.
        complexity: Simpler ones are taken first.
        values: f on an array.
        slopes: Its derivative on an array.
        symbolic: f on an expression.
    """

    name: str
    complexity: int
    values: Callable[[FloatArray], FloatArray]
    slopes: Callable[[FloatArray], FloatArray]
    symbolic: Callable[[Any], Any]


def _gaussian(x: FloatArray) -> FloatArray:
    values: FloatArray = np.exp(-(x**2))
    return values


LIBRARY = {
    template.name: template
    for template in (
        Template("1", 0, np.zeros_like, np.zeros_like, lambda x: sympy.Integer(0)),
        Template("x", 1, lambda x: x, np.ones_like, lambda x: x),
        Template("x^2", 2, lambda x: x**2, lambda x: 2 * x, lambda x: x**2),
        Template("exp", 3, np.exp, np.exp, sympy.exp),
        Template("sin", 3, np.sin, np.cos, sympy.sin),
        Template("cos", 3, np.cos, lambda x: -np.sin(x), sympy.cos),
        Template("x^3", 4, lambda x: x**3, lambda x: 3 * x**2, lambda x: x**3),
        Template("sqrt", 4, np.sqrt, lambda x: 0.5 / np.sqrt(x), sympy.sqrt),
        Template("log", 4, np.log, lambda x: 1.0 / x, sympy.log),
        Template("abs", 4, np.abs, np.sign, sympy.Abs),
        Template("1/x", 5, lambda x: 1.0 / x, lambda x: -1.0 / x**2, lambda x: 1 / x),
        Template("x^4", 5, lambda x: x**4, lambda x: 4 * x**3, lambda x: x**4),
        Template("tanh", 5, np.tanh, lambda x: 1.0 - np.tanh(x) ** 2, sympy.tanh),
        Template("gaussian", 5, _gaussian, lambda x: -2 * x * _gaussian(x), lambda x: sympy.exp(-(x**2))),
    )
}
"""The functions by name, the simplest first."""


@dataclass(frozen=True)
class Snap:
    """An edge as c f(a x + b) + d.

    Attributes:
        template: f.
        numbers: (a, b, c, d).
        r2: Coefficient of determination over the edge's inputs.
    """

    template: Template
    numbers: tuple[float, float, float, float]
    r2: float

    @property
    def free(self) -> tuple[int, ...]:
        """Which of the numbers mean something: a constant has d alone, a line no inner ones.

        An exponential's offset puts the 1 of exp in the middle of the inputs, so that c keeps y's size.
        """
        return {"1": (3,), "x": (2, 3), "exp": (0, 2, 3)}.get(self.template.name, (0, 1, 2, 3))

    def __call__(self, x: FloatArray) -> FloatArray:
        """Return the values at inputs; not a number where f has none."""
        a, b, c, d = self.numbers
        with np.errstate(all="ignore"):
            values: FloatArray = c * self.template.values(a * x + b) + d
        return values

    def gradient(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return derivatives at inputs (N,) by the free numbers, (len(free), N), and by the input, (N,)."""
        a, b, c, _ = self.numbers
        with np.errstate(all="ignore"):
            values, slopes = self.template.values(a * x + b), c * self.template.slopes(a * x + b)
            by_numbers = np.stack([slopes * x, slopes, values, np.ones_like(x)])
            return by_numbers[list(self.free)], a * slopes

    def symbolic(self, x: Any) -> Any:
        """Return the expression in an expression."""
        a, b, c, d = map(sympy.Float, self.numbers)
        return c * self.template.symbolic(a * x + b) + d


def snap(x: FloatArray, y: FloatArray, *, least_r2: float) -> Snap | None:
    """Return the simplest function of the library that follows an edge; None if none does.

    Of equally simple ones the best is taken.

    Args:
        x: Inputs of the edge, (N,).
        y: What it makes of them, (N,).
        least_r2: What passes for following.
    """
    order = np.argsort(x)[np.linspace(0, len(x) - 1, min(len(x), _SAMPLES)).round().astype(int)]
    x, y = x[order], y[order]
    best: Snap | None = None
    for template in LIBRARY.values():
        if best is not None and template.complexity > best.template.complexity:
            break
        found = fit(template, x, y, promising=_PROMISING * least_r2)
        if found is not None and found.r2 >= least_r2 and (best is None or found.r2 > best.r2):
            best = found
    return best


def fit(template: Template, x: FloatArray, y: FloatArray, *, promising: float = 0.0) -> Snap | None:
    """Fit c f(a x + b) + d: a and b by a search and a local fit, c and d by linear regression.

    Args:
        template: f.
        x: Inputs, (N,).
        y: Outputs, (N,).
        promising: R^2 that the search over a and b must reach for a local fit to follow.

    Returns:
        None where f has no finite values anywhere near, or is not promising.
    """
    middle, half = 0.5 * (x.max() + x.min()), max(0.5 * float(np.ptp(x)), 1e-12)
    t = (x - middle) / half
    if template.name in ("1", "x"):
        a, b = 1.0, 0.0
    else:
        start = _search(template, t, y, promising)
        if start is None:
            return None
        a, b = _polished(template, t, y, start)
    c, d, r2 = _regressed(template, a * t + b, y)
    found = Snap(template, (a / half, b - a * middle / half, c, d), r2)
    if template.name != "x":
        return found
    a, b = found.numbers[:2]
    return replace(found, numbers=(1.0, 0.0, c * a, d + c * b))


def _search(template: Template, t: FloatArray, y: FloatArray, promising: float) -> tuple[float, float] | None:
    """Return the slope and offset of a grid with the best R^2; None if that is below ``promising``."""
    slopes = np.concatenate([_SLOPES, -_SLOPES]) if template.name in _BOTH_SIGNS else _SLOPES
    offsets = np.zeros(1) if template.name in _NO_OFFSET else _OFFSETS
    a, b = (grid.ravel() for grid in np.meshgrid(slopes, offsets, indexing="ij"))
    with np.errstate(all="ignore"):
        f = template.values(a[:, None] * t + b[:, None])
        f = f - f.mean(axis=1, keepdims=True)
        centred = y - y.mean()
        score = (f @ centred) ** 2 / (f**2).sum(axis=1) / max(float(centred @ centred), 1e-300)
    score[~np.isfinite(score)] = -1.0
    if template.name == "1/x":  # a pole between two inputs is no fit
        score[np.abs(b) <= a] = -1.0
    at = int(score.argmax())
    return None if score[at] < promising else (float(a[at]), float(b[at]))


def _polished(
    template: Template, t: FloatArray, y: FloatArray, start: tuple[float, float]
) -> tuple[float, float]:
    from scipy.optimize import least_squares

    scale = max(float(y.std()), 1e-300)
    inner_numbers = 1 if template.name in _NO_OFFSET else 2

    def residual(inner: FloatArray) -> FloatArray:
        """Variable projection: what the best c and d leave."""
        argument = inner[0] * t + inner[1:].sum()
        c, d, _ = _regressed(template, argument, y)
        with np.errstate(all="ignore"):
            left: FloatArray = (c * template.values(argument) + d - y) / scale
        return np.nan_to_num(left, nan=1e3, posinf=1e3, neginf=-1e3)

    found = least_squares(residual, start[:inner_numbers], max_nfev=60, xtol=1e-12, ftol=1e-14, gtol=1e-14)
    return float(found.x[0]), float(found.x[1:].sum())


def _regressed(template: Template, argument: FloatArray, y: FloatArray) -> tuple[float, float, float]:
    """Return c, d and R^2 of y ~ c f + d."""
    spread = float(((y - y.mean()) ** 2).sum())
    with np.errstate(all="ignore"):
        f = template.values(argument)
        centred = f - f.mean()
        power = float((centred**2).sum())
    if not np.isfinite(power):
        return 0.0, float(y.mean()), -np.inf
    c = float(centred @ y) / power if power > 0 else 0.0
    d = float(y.mean()) - c * float(f.mean())
    left = float(((c * f + d - y) ** 2).sum())
    return c, d, 1.0 - left / spread if spread > 0 else 1.0

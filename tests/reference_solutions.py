"""Reference solutions that no formula of a problem file can say."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.fft import dct, idct
from scipy.integrate import solve_ivp
from scipy.interpolate import make_interp_spline
from scipy.special import roots_hermite

_NODES = 150
_CHUNK = 4096
_POINTS_AT_ONCE = 1000


def burgers(t: np.ndarray, x: np.ndarray, viscosity: float, *, nodes: int = _NODES) -> np.ndarray:
    """Solve u_t + u u_x = nu u_xx, u(0, x) = -sin(pi x), u(t, -1) = u(t, 1) = 0 by Cole and Hopf.

    With f(y) = exp(-cos(pi y) / (2 pi nu)) and the heat kernel substituted, eta = sqrt(4 nu t) s,

        u(t, x) = -sum_j w_j sin(pi (x - eta_j)) f(x - eta_j) / sum_j w_j f(x - eta_j)

    over Gauss-Hermite nodes s_j (Basdevant et al., Comput. Fluids 14, 1986). f spans
    exp(+-1 / (2 pi nu)), so weights are kept as logarithms and the largest is taken out first.
    150 nodes and 600 agree to 1e-14 for nu from 0.01 to 0.05 and t <= 1.

    Args:
        t: Times, shape (N,), not negative.
        x: Places in [-1, 1], shape (N,).
        viscosity: nu > 0.
        nodes: Of the quadrature.

    Returns:
        u, shape (N,).
    """
    s, weights = roots_hermite(nodes)
    kept = weights > 0.0  # the outermost weights underflow
    s, log_weights = s[kept], np.log(weights[kept])
    starts = range(0, len(t), _CHUNK)
    parts = [_burgers(t[at : at + _CHUNK], x[at : at + _CHUNK], viscosity, s, log_weights) for at in starts]
    return np.concatenate(parts) if parts else np.zeros(0)


def _burgers(
    t: np.ndarray, x: np.ndarray, viscosity: float, s: np.ndarray, log_weights: np.ndarray
) -> np.ndarray:
    y = x[:, None] - np.sqrt(4.0 * viscosity * t)[:, None] * s
    exponent = log_weights - np.cos(math.pi * y) / (2.0 * math.pi * viscosity)
    mass = np.exp(exponent - exponent.max(axis=1, keepdims=True))
    solution: np.ndarray = -(mass * np.sin(math.pi * y)).sum(axis=1) / mass.sum(axis=1)
    return solution


def exponential_runge_kutta(
    linear: np.ndarray,
    nonlinear: Callable[[np.ndarray], np.ndarray],
    start: np.ndarray,
    *,
    time: float,
    steps: int,
) -> np.ndarray:
    """Solve du/dt = L u + F(u), L diagonal, by the fourth-order exponential time differencing ETDRK4.

    Cox and Matthews, J. Comput. Phys. 176 (2002); the coefficients, whose formulas cancel where L is small,
    are means over a circle about L dt (Kassam and Trefethen, SIAM J. Sci. Comput. 26, 2005).

    Args:
        linear: L, shape (modes,).
        nonlinear: F.
        start: u at time zero, shape (modes,).
        time: Last time.
        steps: Number of equal steps.

    Returns:
        u at all steps, shape (steps + 1, modes).
    """
    dt = time / steps
    full, half = np.exp(linear * dt), np.exp(linear * dt / 2)
    z = linear[:, None] * dt + np.exp(2j * math.pi * (np.arange(64) + 0.5) / 64)
    stage = dt * ((np.exp(z / 2) - 1) / z).mean(axis=1)
    first = dt * ((-4 - z + np.exp(z) * (4 - 3 * z + z**2)) / z**3).mean(axis=1)
    middle = dt * (2 * (2 + z + np.exp(z) * (z - 2)) / z**3).mean(axis=1)
    last = dt * ((-4 - 3 * z - z**2 + np.exp(z) * (4 - z)) / z**3).mean(axis=1)
    states = [start]
    for _ in range(steps):
        u = states[-1]
        slope = nonlinear(u)
        a = half * u + stage * slope
        slope_a = nonlinear(a)
        slope_b = nonlinear(half * u + stage * slope_a)
        slope_c = nonlinear(half * a + stage * (2 * slope_b - slope))
        states.append(full * u + first * slope + middle * (slope_a + slope_b) + last * slope_c)
    return np.array(states)


def half_square_slope(wave: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return the modes of u u_x = (u^2/2)_x as a function of those of u, by the two-thirds rule.

    Args:
        wave: Wave numbers of ``numpy.fft.fft``, shape (modes,).
    """
    kept = np.abs(wave) < np.abs(wave).max() * 2 / 3
    return lambda modes: 0.5j * wave * np.fft.fft(np.fft.ifft(modes * kept).real ** 2) * kept


Equation = Callable[[np.ndarray], tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]]
"""From wave numbers to L and F of du/dt = L u + F(u) for the modes u of ``numpy.fft.fft``."""


def on_a_ring(
    t: np.ndarray,
    x: np.ndarray,
    equation: Equation,
    start: Callable[[np.ndarray], np.ndarray],
    *,
    ring: tuple[float, float],
    end: float,
    modes: int,
    steps: int,
) -> np.ndarray:
    """Solve an equation on a ring by Fourier modes and ETDRK4; between steps a spline of degree seven.

    Args:
        t: Times in [0, end], shape (N,).
        x: Places, shape (N,).
        equation: L and F.
        start: u at t = 0 as a function of the places.
        ring: The two ends of x that are one place.
        end: Last time.
        modes: Number of Fourier modes.
        steps: Number of time steps.

    Returns:
        u, shape (N,).
    """
    low, high = ring
    wave = 2 * math.pi / (high - low) * modes * np.fft.fftfreq(modes)
    places = low + (high - low) * np.arange(modes) / modes
    states = exponential_runge_kutta(*equation(wave), np.fft.fft(start(places)), time=end, steps=steps)
    spline = make_interp_spline(np.linspace(0, end, steps + 1), states, k=7)
    solution = np.empty(len(t))
    for first in range(0, len(t), _POINTS_AT_ONCE):
        part = slice(first, first + _POINTS_AT_ONCE)
        turns = np.exp(1j * (x[part, None] - low) * wave)
        solution[part] = (spline(t[part]) * turns).sum(axis=1).real / modes
    return solution


def kuramoto_sivashinsky(
    t: np.ndarray, x: np.ndarray, nu: float, *, modes: int = 64, steps: int = 3000
) -> np.ndarray:
    """Solve u_t + u u_x + u_xx + nu u_xxxx = 0 on a ring of length 2 pi from sin(x) + cos(2 x)/2, t <= 2."""

    def equation(wave: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
        slope = half_square_slope(wave)
        return wave**2 - nu * wave**4, lambda u: -slope(u)

    return on_a_ring(
        t,
        x,
        equation,
        lambda x: np.sin(x) + np.cos(2 * x) / 2,
        ring=(0.0, 2 * math.pi),
        end=2.0,
        modes=modes,
        steps=steps,
    )


def kuramoto_chaos(t: np.ndarray, x: np.ndarray, *, modes: int = 384, steps: int = 4000) -> np.ndarray:
    """Solve u_t + 16 a u u_x + a u_xx + a/256 u_xxxx = 0, a = 100/256, on a ring of length 2 pi, t <= 1/2.

    u = cos(x) (1 + sin(x)) at t = 0: the set-up of Wang, Sankaran and Perdikaris (2022), in which chaos sets
    in before t = 1/2. Against 512 modes and 8,000 steps, relative L2 error 4e-9.
    """

    def equation(wave: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
        slope = half_square_slope(wave)
        return 100 / 16**2 * wave**2 - 100 / 16**4 * wave**4, lambda u: -100 / 16 * slope(u)

    return on_a_ring(
        t,
        x,
        equation,
        lambda x: np.cos(x) * (1 + np.sin(x)),
        ring=(0.0, 2 * math.pi),
        end=0.5,
        modes=modes,
        steps=steps,
    )


def korteweg_de_vries(t: np.ndarray, x: np.ndarray, *, modes: int = 384, steps: int = 8000) -> np.ndarray:
    """Solve u_t + u u_x + 0.022^2 u_xxx = 0 on the ring -1 < x < 1 from cos(pi x), t <= 1.

    Zabusky and Kruskal, Phys. Rev. Lett. 15 (1965): solitons part from t = 1/pi on. Against 512 modes and
    16,000 steps, relative L2 error 4e-10.
    """

    def equation(wave: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
        slope = half_square_slope(wave)
        return 1j * 0.022**2 * wave**3, lambda u: -slope(u)

    return on_a_ring(
        t,
        x,
        equation,
        lambda x: np.cos(math.pi * x),
        ring=(-1.0, 1.0),
        end=1.0,
        modes=modes,
        steps=steps,
    )


def allen_cahn(t: np.ndarray, x: np.ndarray, *, modes: int = 2048, steps: int = 2000) -> np.ndarray:
    """Solve u_t = 1e-4 u_xx + 5 (u - u^3) on the ring -1 < x < 1 from x^2 cos(pi x), t <= 1.

    The start has a kink at the seam, whose short waves last for a moment only. Against 4,096 modes and 4,000
    steps, relative L2 error 5e-7, all of it of the first moments.
    """

    def equation(wave: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
        return 5 - 1e-4 * wave**2, lambda u: -5 * np.fft.fft(np.fft.ifft(u).real ** 3)

    return on_a_ring(
        t,
        x,
        equation,
        lambda x: x**2 * np.cos(math.pi * x),
        ring=(-1.0, 1.0),
        end=1.0,
        modes=modes,
        steps=steps,
    )


def brusselator(t: np.ndarray, x: np.ndarray, feed: float, *, modes: int = 32) -> np.ndarray:
    """Solve u_t = u_xx/50 + 1 - (B + 1) u + u^2 v, v_t = v_xx/50 + B u - u^2 v in a closed tube, 0 < x < 1.

    By cosine modes, to which u_x = v_x = 0 at both ends is natural, from u = 1 + cos(pi x)/2, v = B.

    Args:
        t: Times in [0, 2], shape (N,).
        x: Places in [0, 1], shape (N,).
        feed: B.
        modes: Number of cosines, and of the midpoints on which products are taken.

    Returns:
        u and v, shape (2, N).
    """
    diffusion = -((math.pi * np.arange(modes)) ** 2) / 50

    def rate(_: float, state: np.ndarray) -> np.ndarray:
        u, v = idct(state.reshape(2, modes), axis=1)
        exchange = feed * u - u**2 * v
        reaction = dct(np.stack([1 - u - exchange, exchange]), axis=1)
        return (diffusion * state.reshape(2, modes) + reaction).ravel()

    places = (np.arange(modes) + 0.5) / modes
    start = dct(np.stack([1 + np.cos(math.pi * places) / 2, np.full(modes, feed)]), axis=1)
    step = 4 / abs(diffusion[-1])  # beyond 6 the method is unstable, which its error would tell too late
    run = solve_ivp(
        rate, (0, 2), start.ravel(), method="DOP853", rtol=1e-12, atol=1e-12, dense_output=True, max_step=step
    )
    cosines = np.cos(math.pi * x[:, None] * np.arange(modes)) / modes
    cosines[:, 0] /= 2
    return np.einsum("nk,ukn->un", cosines, run.sol(t).reshape(2, modes, -1))


def predator_prey(t: np.ndarray, growth: float) -> np.ndarray:
    """Solve prey' = a prey - 4/3 prey predator, predator' = prey predator - predator, both 1 at t = 0.

    Args:
        t: Times in [0, 8], shape (N,).
        growth: a.

    Returns:
        Prey and predators, shape (2, N).
    """

    def rate(_: float, state: np.ndarray) -> list[float]:
        prey, predator = state
        return [growth * prey - 4 / 3 * prey * predator, prey * predator - predator]

    run = solve_ivp(
        rate, (0, 8), [1, 1], method="DOP853", rtol=1e-12, atol=1e-12, dense_output=True, max_step=0.05
    )
    return np.asarray(run.sol(t))

"""The reference solutions against their conditions, finer resolutions and independent solvers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from reference_solutions import (
    allen_cahn,
    brusselator,
    burgers,
    half_square_slope,
    korteweg_de_vries,
    kuramoto_chaos,
    kuramoto_sivashinsky,
    on_a_ring,
    predator_prey,
)
from scipy.integrate import solve_ivp


def spectral_burgers(time: float, viscosity: float, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Solve on the circle [-1, 1) by a Fourier pseudo-spectral method; returns x and u."""
    x = -1.0 + 2.0 * np.arange(size) / size
    waves = math.pi * np.fft.rfftfreq(size, 1.0 / size)

    def rate(_: float, u: np.ndarray) -> np.ndarray:
        flux = 0.5j * waves * np.fft.rfft(u * u)
        return np.fft.irfft(-flux - viscosity * waves**2 * np.fft.rfft(u), size)

    run = solve_ivp(rate, (0.0, time), -np.sin(math.pi * x), method="DOP853", rtol=1e-11, atol=1e-12)
    return x, run.y[:, -1]


@pytest.mark.parametrize(("viscosity", "size"), [(0.05, 256), (0.02, 512)])
def test_cole_hopf_is_what_a_spectral_method_finds(viscosity, size):
    x, expected = spectral_burgers(0.8, viscosity, size)
    difference = np.abs(burgers(np.full(size, 0.8), x, viscosity) - expected).max()
    assert difference < 1e-9, difference


@pytest.mark.parametrize("viscosity", [0.05, 0.02, 0.01])
def test_the_quadrature_has_converged(viscosity):
    rng = np.random.default_rng(0)
    t, x = rng.uniform(0.0, 1.0, 500), rng.uniform(-1.0, 1.0, 500)
    difference = np.abs(burgers(t, x, viscosity) - burgers(t, x, viscosity, nodes=400)).max()
    assert difference < 1e-12, difference


def test_cole_hopf_meets_its_conditions():
    x = np.linspace(-1.0, 1.0, 101)
    assert burgers(np.zeros(101), x, 0.01) == pytest.approx(-np.sin(math.pi * x), abs=1e-12)
    for end in (-1.0, 1.0):
        assert burgers(np.linspace(0.0, 1.0, 11), np.full(11, end), 0.01) == pytest.approx(0.0, abs=1e-12)


def seeded(*ends: float, count: int = 300) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.uniform(0.0, end, count) for end in ends]


def test_the_flame_front_has_converged():
    nu = 0.2  # less damped than the shipped family
    t, x = seeded(2.0, 2 * math.pi)
    coarse, fine = (
        kuramoto_sivashinsky(t, x, nu, modes=modes, steps=steps) for modes, steps in ((64, 3000), (96, 4500))
    )
    assert np.abs(coarse - fine).max() < 1e-9
    start = np.sin(x) + np.cos(2 * x) / 2
    assert kuramoto_sivashinsky(0 * t, x, nu) == pytest.approx(start, abs=1e-12)


def test_a_flame_front_by_another_method():
    """Centred differences of fourth order in space and an implicit method in time."""
    size, nu = 128, 0.3
    x = 2 * math.pi * np.arange(size) / size

    def slope(u: np.ndarray, *weights: float) -> np.ndarray:
        total = sum(w * np.roll(u, 3 - k) for k, w in enumerate(weights))
        return np.asarray(total)

    h = x[1]

    def rate(_: float, u: np.ndarray) -> np.ndarray:
        flux = slope(u**2 / 2, 0, 1, -8, 0, 8, -1, 0) / (12 * h)
        second = slope(u, 0, -1, 16, -30, 16, -1, 0) / (12 * h**2)
        fourth = slope(u, -1, 12, -39, 56, -39, 12, -1) / (6 * h**4)
        return -flux - second - nu * fourth

    start = np.sin(x) + np.cos(2 * x) / 2
    run = solve_ivp(rate, (0, 1), start, method="BDF", rtol=1e-8, atol=1e-9)
    expected = kuramoto_sivashinsky(np.ones(size), x, nu)
    assert np.abs(run.y[:, -1] - expected).max() < 1e-4


@pytest.mark.parametrize("feed", [2.0, 3.0, 3.5])
def test_the_brusselator_has_converged(feed):
    t, x = seeded(2.0, 1.0)
    assert np.abs(brusselator(t, x, feed) - brusselator(t, x, feed, modes=48)).max() < 1e-9
    u, v = brusselator(0 * t, x, feed)
    assert u == pytest.approx(1 + np.cos(np.pi * x) / 2, abs=1e-12)
    assert v == pytest.approx(feed, abs=1e-12)


def test_the_brusselator_by_another_method():
    """Differences of second order between midpoints, of two widths: their error is extrapolated away."""
    feed = 3.0

    def ends(cells: int) -> np.ndarray:
        x = (np.arange(cells) + 0.5) / cells

        def rate(_: float, state: np.ndarray) -> np.ndarray:
            u, v = state.reshape(2, cells)
            padded = np.pad(state.reshape(2, cells), ((0, 0), (1, 1)), mode="edge")
            diffusion = np.diff(padded, 2, axis=1) * cells**2 / 50
            return (diffusion + np.stack([1 - (feed + 1) * u + u**2 * v, feed * u - u**2 * v])).ravel()

        start = np.concatenate([1 + np.cos(np.pi * x) / 2, np.full(cells, feed)])
        run = solve_ivp(rate, (0, 2), start, method="LSODA", rtol=1e-10, atol=1e-10)
        middles = run.y[:, -1].reshape(2, cells)
        return middles - brusselator(np.full(cells, 2.0), x, feed)

    coarse, fine = (np.abs(ends(cells)).max() for cells in (32, 64))
    assert fine < 2e-3
    assert math.log2(coarse / fine) == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("growth", [0.5, 2 / 3, 1.0])
def test_prey_and_predators_keep_their_invariant(growth):
    (t,) = seeded(8.0)
    prey, predator = predator_prey(t, growth)
    invariant = prey - np.log(prey) + 4 / 3 * predator - growth * np.log(predator)
    assert invariant == pytest.approx(7 / 3, abs=1e-11)
    assert predator_prey(np.zeros(1), growth) == pytest.approx(1)
    step = 1e-4
    change = (predator_prey(t + step, growth) - predator_prey(t - step, growth)) / (2 * step)
    inside = (t > step) & (t < 8 - step)
    rates = np.stack([growth * prey - 4 / 3 * prey * predator, prey * predator - predator])
    assert change[:, inside] == pytest.approx(rates[:, inside], abs=1e-7)


def test_a_thin_layer_by_cole_and_hopf_is_what_fourier_modes_find():
    """At the viscosity 0.01/pi of the literature, at all times."""
    viscosity = 0.01 / math.pi
    t, x = seeded(1.0, 1.0)

    def equation(wave: np.ndarray):
        slope = half_square_slope(wave)
        return -viscosity * wave**2, lambda u: -slope(u)

    modes = {"ring": (-1.0, 1.0), "end": 1.0, "modes": 2048, "steps": 1000}
    expected = on_a_ring(t, x, equation, lambda x: -np.sin(math.pi * x), **modes)
    difference = np.abs(burgers(t, x, viscosity) - expected).max()
    assert difference < 1e-7, difference


@pytest.mark.parametrize(
    ("solve", "ring", "end", "size", "linear", "rest", "start"),
    [
        (
            korteweg_de_vries,
            (-1.0, 1.0),
            0.4,
            256,
            lambda k: 1j * 0.022**2 * k**3,
            lambda u, slope: -u * slope,
            lambda x: np.cos(math.pi * x),
        ),
        (
            kuramoto_chaos,
            (0.0, 2 * math.pi),
            0.2,
            128,
            lambda k: (100 * k**2 - 100 / 256 * k**4) / 256,
            lambda u, slope: -100 / 16 * u * slope,
            lambda x: np.cos(x) * (1 + np.sin(x)),
        ),
        (
            allen_cahn,
            (-1.0, 1.0),
            0.5,
            256,
            lambda k: -1e-4 * k**2,
            lambda u, slope: 5 * (u - u**3),
            lambda x: x**2 * np.cos(math.pi * x),
        ),
    ],
)
def test_rings_by_another_integrator(solve, ring, end, size, linear, rest, start):
    """Products at the places as they are, and Dormand and Prince's eighth order in time.

    Dispersion is taken out: with v = exp(-i a t) u for the modes u and the imaginary part a of L nothing
    turns fast. The highest wave has no slope.
    """
    low, high = ring
    x = low + (high - low) * np.arange(size) / size
    wave = 2 * math.pi / (high - low) * size * np.fft.fftfreq(size)
    wave[size // 2] = 0.0
    turn = np.imag(linear(wave))

    def rate(t: float, modes: np.ndarray) -> np.ndarray:
        turned = np.exp(1j * turn * t) * modes
        u, slope = np.fft.ifft([turned, 1j * wave * turned]).real
        return np.real(linear(wave)) * modes + np.fft.fft(rest(u, slope)) * np.exp(-1j * turn * t)

    first = np.fft.fft(start(x))
    last = solve_ivp(rate, (0, end), first, method="DOP853", rtol=1e-8, atol=1e-8).y[:, -1]
    expected = np.fft.ifft(np.exp(1j * turn * end) * last).real
    solution = solve(np.full(size, end), x, modes=2 * size, steps=1000)
    difference = np.linalg.norm(solution - expected) / np.linalg.norm(expected)
    assert difference < 1e-4, difference


def test_the_order_in_time_is_four():
    x = np.linspace(-1, 1, 50)
    coarse, fine, exact = (
        korteweg_de_vries(np.ones(50), x, modes=256, steps=steps) for steps in (500, 1000, 4000)
    )
    errors = [np.abs(solution - exact).max() for solution in (coarse, fine)]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(4, abs=0.3), errors

"""The Cole-Hopf reference against its conditions and against an independent solver."""

from __future__ import annotations

import math

import numpy as np
import pytest
from reference_solutions import burgers
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

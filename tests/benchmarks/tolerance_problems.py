"""Ten problems on which a stated tolerance is held to account: their files and their right answers.

The files lie in ``problems/`` beside this one and say what a user would say, no network, points or training.
The answers are formulas, or computed by methods that suit each problem as no network does; tests hold them
against other methods and the files' own statements.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from reference_solutions import allen_cahn, burgers, korteweg_de_vries, kuramoto_chaos

FILES = Path(__file__).resolve().parent / "problems"
Answer = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Goal:
    """What an error must be below, and within how many seconds."""

    error: float
    seconds: float | None = None

    def met(self, error: float, seconds: float) -> bool:
        """Tell whether a training was as good and as fast."""
        return error <= self.error and (self.seconds is None or seconds <= self.seconds)


@dataclass(frozen=True)
class Case:
    """A problem file and how it is judged.

    Attributes:
        file: The problem file.
        answer: Right values of the base at points (N, D).
        must: What has to be reached; its error is the tolerance that is asked for where none is stated.
        goal: What is hoped for.
        overrides: ``--set`` texts.
        adapters: Right values by the parameter values that adapters are trained for.
    """

    file: Path
    answer: Answer
    must: Goal
    goal: Goal
    overrides: tuple[str, ...] = ()
    adapters: Mapping[float, Answer] = field(default_factory=dict)


def wave_modes(points: np.ndarray, speed: float = 2.0) -> np.ndarray:
    """Return the string's first mode of amplitude 1 and its fourth of 1/2."""
    t, x = np.pi * points.T
    return np.asarray(np.sin(x) * np.cos(speed * t) + np.sin(4 * x) * np.cos(4 * speed * t) / 2)


def transport(points: np.ndarray) -> np.ndarray:
    """Return the Gaussian about the place that has come as far, by the shorter way around the ring."""
    t, x = points.T
    away = (x - t) % 1.0 - 0.5
    return np.asarray(np.exp(-100 * away**2))


def helmholtz(points: np.ndarray) -> np.ndarray:
    """Return sin(pi x) sin(pi y) cos(k (0.8 x + 0.6 y))."""
    x, y = points.T
    wave = np.cos(np.pi * np.sqrt(253.5) * (0.8 * x + 0.6 * y))
    return np.asarray(np.sin(np.pi * x) * np.sin(np.pi * y) * wave)


def layer(points: np.ndarray, epsilon: float = 1e-4) -> np.ndarray:
    """Return x - (exp((x - 1)/e) - exp(-1/e)) / (1 - exp(-1/e)): no exponential is above 1."""
    (x,) = points.T
    return np.asarray(x - (np.exp((x - 1) / epsilon) - np.exp(-1 / epsilon)) / -np.expm1(-1 / epsilon))


def poisson(points: np.ndarray) -> np.ndarray:
    """Return sin(pi x) sin(pi y)."""
    x, y = points.T
    return np.asarray(np.sin(np.pi * x) * np.sin(np.pi * y))


def in_time(solve: Callable[..., np.ndarray], *values: float) -> Answer:
    """Return the answer of a solver that takes times, places and parameter values."""
    return lambda points: solve(points[:, 0], points[:, 1], *values)


def string(speed: float) -> Answer:
    """Return the answer of the string at a speed."""
    return lambda points: wave_modes(points, speed)


def case(name: str, answer: Answer, must: Goal, goal: Goal) -> tuple[str, Case]:
    """Return a row of the table."""
    return name, Case(FILES / f"{name}.yaml", answer, must, goal)


CASES: dict[str, Case] = dict(
    [
        case("burgers_001", in_time(burgers, 0.01), Goal(2e-4, 60), Goal(1e-6, 10)),
        case("burgers_0003", in_time(burgers, 0.01 / np.pi), Goal(1e-3, 120), Goal(1e-5, 60)),
        case("allen_cahn_periodic", in_time(allen_cahn), Goal(1e-2, 180), Goal(1e-4, 120)),
        case("kdv_cosine", in_time(korteweg_de_vries), Goal(1e-3, 180), Goal(1e-5, 120)),
        case("wave_modes", wave_modes, Goal(1e-3, 90), Goal(1e-6, 60)),
        case("transport_far", transport, Goal(1e-3, 90), Goal(1e-5)),
        case("helmholtz_eight", helmholtz, Goal(1e-3, 90), Goal(1e-6)),
        case("layer", layer, Goal(1e-3, 30), Goal(1e-6)),
        case("poisson_sines", poisson, Goal(1e-6, 10), Goal(1e-9, 2)),
        case("kuramoto_chaos", in_time(kuramoto_chaos), Goal(5e-2, 600), Goal(1e-3)),
    ]
)
CASES["wave_family"] = Case(
    FILES / "wave_modes.yaml",
    string(1.0),
    Goal(1e-3, 90),
    Goal(1e-6, 60),
    ("family.c.base=1",),
    {0.5: string(0.5), 2.0: string(2.0)},
)
"""The string again: a base at c = 1, and adapters."""

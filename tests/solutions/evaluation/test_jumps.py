"""Jumps that no residual sees, in functions given by hand and in networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from pinnkan.ground.derivatives import Derivative
from pinnkan.language.problem import load_problem
from pinnkan.language.settings.blocks import NetworkSettings
from pinnkan.physics.family import Family
from pinnkan.physics.instance import Instance
from pinnkan.solutions.evaluation.jumps import largest_jump
from pinnkan.solutions.solution import Solution
from pinnkan.training import network_for

HEAT = """
coordinates: [x]
time: {t: [0, 2]}
domain: {shape: interval, x: [0, 3]}
unknowns: T
equations: ["T_t = T_xx"]
boundary: [T_x = 0]
initial: ["T = cos(x)"]
"""
Derivatives = Callable[[np.ndarray, int], np.ndarray]


@dataclass(frozen=True)
class Known:
    """A function f(x) g(t) by the derivatives of its factors; it has what `largest_jump` asks."""

    instance: Instance
    f: Derivatives
    g: Derivatives

    def derivatives(self, points: np.ndarray, requested: Sequence[Derivative]) -> np.ndarray:
        t, x = points.T
        return np.stack([self.f(x, space) * self.g(t, time) for _, (time, space) in requested])


def tent(x: np.ndarray, order: int) -> np.ndarray:
    return (1 - abs(x - 1), -np.sign(x - 1), 0 * x)[order]


def step(x: np.ndarray, order: int) -> np.ndarray:
    return np.where(x < 1, 1.0, 0.0) if order == 0 else 0 * x


def curved(x: np.ndarray, order: int) -> np.ndarray:
    """A parabola that goes on as a line: the second derivative jumps, which the equation may take."""
    return (np.where(x < 1, x**2, 2 * x - 1), np.where(x < 1, 2 * x, 2), np.where(x < 1, 2.0, 0.0))[order]


def smooth(x: np.ndarray, order: int) -> np.ndarray:
    return (np.cos(x), -np.sin(x), -np.cos(x))[order]


def layer(x: np.ndarray, order: int) -> np.ndarray:
    """A front of width 0.003, smooth for whoever looks closely."""
    z = np.tanh((x - 1) / 0.003)
    return (z, (1 - z**2) / 0.003, -2 * z * (1 - z**2) / 0.003**2)[order]


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
@pytest.mark.parametrize(
    ("f", "g", "derivative", "place"),
    [(tent, smooth, "T_x", (1, 1.0)), (step, smooth, "T", (1, 1.0)), (smooth, step, "T", (0, 1.0))],
)
def test_kinks_and_jumps_are_found_where_they_are(f, g, derivative, place, scale):
    solution = Known(Family(load_problem(HEAT)).at(), lambda x, order: scale * f(x, order), g)
    found = largest_jump(solution)
    assert found.derivative == derivative
    assert 0.3 < found.relative <= 1.0
    axis, where = place
    assert found.place[axis] == pytest.approx(where, abs=1e-3)


@dataclass(frozen=True)
class Oblique:
    """|x - 1 - t/2|: a kink that lies elsewhere at every time."""

    instance: Instance

    def derivatives(self, points: np.ndarray, requested: Sequence[Derivative]) -> np.ndarray:
        z = points[:, 1] - 1 - points[:, 0] / 2
        return np.stack(
            [abs(z) if not any(index) else np.sign(z) * (-0.5) ** index[0] for _, index in requested]
        )


def test_a_kink_is_found_on_the_line_through_its_own_point():
    found = largest_jump(Oblique(Family(load_problem(HEAT)).at()))
    assert found.derivative == "T_x"
    assert found.place[1] == pytest.approx(1 + found.place[0] / 2, abs=1e-3)


@pytest.mark.parametrize("f", [smooth, curved, layer])
def test_what_the_equation_may_take_is_none(f):
    assert largest_jump(Known(Family(load_problem(HEAT)).at(), f, smooth)).relative < 1e-4


@pytest.mark.parametrize(
    ("basis", "degree", "jumps"), [("bspline", 3, False), ("bspline", 1, True), ("taylor", 3, False)]
)
def test_networks(basis, degree, jumps):
    instance = Family(load_problem(HEAT)).at()
    network = network_for(instance, NetworkSettings(hidden=(4, 4), functions=6, basis=basis, degree=degree))
    coefficients = network.initial(torch.Generator().manual_seed(3))
    found = largest_jump(Solution(instance, network, coefficients))
    assert (found.relative > 1e-2) == jumps
    assert found.relative < 1e-6 or jumps


@dataclass(frozen=True)
class Counted(Known):
    """A known function that counts the points it is asked at."""

    counts: list[int] = field(default_factory=list)

    def derivatives(self, points: np.ndarray, requested: Sequence[Derivative]) -> np.ndarray:
        self.counts.append(len(points))
        return super().derivatives(points, requested)


def test_smooth_functions_are_left_after_few_halvings():
    """A verdict costs as many points as there are doubts: a tent is halved to the end, a cosine is not."""
    instance = Family(load_problem(HEAT)).at()
    cosine, kinked = Counted(instance, smooth, smooth), Counted(instance, tent, smooth)
    largest_jump(cosine)
    largest_jump(kinked)
    assert 4 * sum(cosine.counts) < sum(kinked.counts), (sum(cosine.counts), sum(kinked.counts))

"""Whatever a file states, the tests of a problem end without an exception: drawn equations and conditions."""

from __future__ import annotations

import random

import pytest

from pinnkan.ground.errors import PinnkanError
from pinnkan.language.problem import load_problem
from pinnkan.physics.family import Family
from pinnkan.physics.wellposed import SEVERITIES, examine

SHAPES = [
    ("x", "{shape: interval, x: [0, 1]}", ("left", "right")),
    ("xy", "{shape: box, x: [0, 1], y: [-1, 2]}", ("left", "right", "bottom", "top")),
    ("xy", "{shape: disk, radius: 2}", ("circle",)),
    ("xyz", "{shape: ball, radius: 1}", ("sphere",)),
    ("wxyz", "{shape: box, w: [0, 1], x: [0, 1], y: [0, 1], z: [0, 1]}", ("w-", "z+")),
]
FACTORS = [
    *("1", "-1", "0", "k", "(k - 1)", "x", "x^2", "sqrt(x - 0.5)", "1/x", "where(x < 0.5, 1, 0)"),
    *("u", "exp(u)", "log(u)", "abs(u)", "sqrt(u)", "max(u, 0)", "(1 + u^2)", "1e-12", "1e12", "1e-300"),
]
KNOWN = ["0", "1", "k", "x", "sin(pi*x)", "1/x", "sqrt(x - 2)"]
PROBLEMS = 30


def random_problem(rng: random.Random) -> str:
    """Draw a problem with terms that vanish, overflow, change sign or have no value."""
    axes, shape, parts = rng.choice(SHAPES)
    in_time = rng.random() < 0.5
    first = ["u", "dn(u)", *(f"u_{a}" for a in axes)]
    derivatives = ["u", *(f"u_{a}" for a in axes), *(f"u_{a}{b}" for a in axes for b in axes if a <= b)]
    derivatives += ["u_t", "u_t", "u_tt", "u_tx"] if in_time else []

    def side(choices: list[str], most: int) -> str:
        return " + ".join(f"{rng.choice(FACTORS)}*{rng.choice(choices)}" for _ in range(rng.randint(1, most)))

    lines = [f"coordinates: [{', '.join(axes)}]", f"domain: {shape}", "unknowns: u"]
    lines += ["time: {t: [0, 1]}", 'initial: ["u = x", "u_t = 0"]'] if in_time else []
    lines += [
        "family: {k: {base: 1, range: [0, 2]}}",
        f'equations: ["{side(derivatives, 4)} = 0*k + {rng.choice(KNOWN)}"]',
    ]
    sides = [
        f'{{on: {rng.choice(parts)}, equation: "{side(first, 2)} = {rng.choice(KNOWN)}"}}'
        for _ in range(rng.randint(0, 3))
    ]
    return "\n".join([*lines, f"boundary: [{', '.join(sides)}]", ""])


@pytest.mark.parametrize("seed", range(PROBLEMS))
def test_no_problem_breaks_the_tests(seed):
    rng = random.Random(seed)
    for _ in range(20):  # Most drawn problems load; the others prescribe u twice, or have no value anywhere.
        text = random_problem(rng)
        try:
            problem = load_problem(text)
            instances = [Family(problem).at(), Family(problem).at(0)]
        except PinnkanError:
            continue
        findings = examine(instances[0], instances[1:])
        assert all(finding.severity in SEVERITIES and finding.message for finding in findings), text
        return
    pytest.fail("no drawn problem could be loaded")

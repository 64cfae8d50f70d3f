"""Contents that the tests of the store share."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pinnkan.storage.store import write_store
from pinnkan.storage.store.layout import user_block

ADAPTER_SHAPES = {
    "layers[0].weight": (2 * 8, 64),
    "layers[1].core": (8, 8, 1),
    "layers[1].factor[0]": (64, 8),
    "layers[1].factor[1]": (64, 8),
    "layers[1].factor[2]": (8, 1),
    "layers[2].weight": (64 * 8, 1),
}

PROBLEM_TEXT = """\
title: Nonlinear elliptic family on the unit disk
citation: Low Tensor-Rank Adaptation of Kolmogorov-Arnold Networks (Gao, Ng, Tan)
description: |
  The coefficient grows towards the boundary and the gradient enters squared. The exact solution has a cubic
  term in the radius at the origin and an exponent of 5/2 at the circle: the source has infinite slope there.
coordinates: [x, y]
domain: {shape: disk, center: [0, 0], radius: 1}
unknowns: u
family: {lambda: {base: 0, range: [0, 2]}}
definitions:
  r: sqrt(x^2 + y^2)
  a: 1 + r^2/2
  S: sin(pi/2 * max(1 - r, 0)^2.5)
  Q: cos(pi*r/2)
exact: S + lambda*Q
source: manufactured
equations:
  - -div(a*grad(u)) + dot(grad(u), grad(u)) = source
boundary:
  - u = exact
network: {type: kan, widths: [64, 64], basis: chebyshev, functions: 8}
adapter: {method: lotra, compression: 1/8, layers: paper, initialisation: paper}
points: {interior: 2484, boundary: 256, initial: 0, held_out: 1000, rule: quadrature}
training:
  phases:
    - {optimizer: adam, steps: 500, rates: lr-1}
    - {optimizer: levenberg-marquardt, steps: 200}
  stop: {held_out_patience: 10, relative_decrease: 1.0e-4}
finetuning:
  phases:
    - {optimizer: levenberg-marquardt, steps: 60}
"""


def adapter_arrays(seed: int = 0) -> dict[str, np.ndarray]:
    """Arrays of the paper's adapter at cr = 1/8: 2,632 numbers."""
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape) for name, shape in ADAPTER_SHAPES.items()}


def adapter_meta(seed: int = 0, steps: int = 50) -> dict[str, object]:
    """Meta as a real run writes it: problem text of 2 kB, provenance, a history of six terms."""
    rng = np.random.default_rng(seed)
    terms = ["loss", "equation[0]", "boundary[0]", "held_out", "damping", "seconds"]
    return {
        "problem": (
            PROBLEM_TEXT + "# a note of the author, in Greek: λ, ν, Δu; nothing in it matters.\n" * 10
        )[:2000],
        "overrides": ["training.steps=200"],
        "parameters": {"lambda": 0.1},
        "base_hash": "3f" * 32,
        "settings_hash": "a1" * 32,
        "provenance": {
            "pinnkan": "0.1.0",
            "torch": "2.13.0",
            "numpy": "2.4.6",
            "python": "3.11.7",
            "seed": seed,
            "dtype": "float64",
            "threads": 2,
            "device": "cpu",
            "host": "node-17",
            "started": "2026-01-05T12:30:11+00:00",
            "train_seconds": 5.930172,
        },
        "outcome": {"reason": "held_out", "advice": "The held-out residual no longer falls.", "steps": 48},
        "history": {term: [float(value) for value in rng.lognormal(size=steps)] for term in terms},
    }


def saved_adapter(path: Path, seed: int = 0) -> bytes:
    """Write the adapter to a path and return the bytes of the file."""
    write_store(path, "adapter", arrays=adapter_arrays(seed), meta=adapter_meta(seed))
    return path.read_bytes()


def saved(kind: str, path: Path) -> bytes:
    """Write a file of a kind, with arrays and meta of its own, and return its bytes."""
    rng = np.random.default_rng(0)
    arrays = {
        "adapter": adapter_arrays(),
        "base": {f"{at}.coefficients": rng.normal(size=(16, 16 if at else 2, 8)) for at in range(2)},
        "checkpoint": {
            **{f"optimizer.{name}": rng.normal(size=800) for name in ("theta", "residuals")},
            "best": rng.normal(size=800),
            "reports": rng.integers(0, 256, size=3000).astype(np.uint8),
        },
    }
    write_store(path, kind, arrays=arrays[kind], meta=adapter_meta())
    return path.read_bytes()


def sealed(path: Path, body: bytes) -> Path:
    """Write a body behind a valid user block, as a hostile author would."""
    path.write_bytes(user_block(body) + body)
    return path

"""Problems so small that a training takes a tenth of a second."""

from __future__ import annotations

TINY = """\
title: Tiny Poisson equation
citation: none
coordinates: [x, y]
domain: {shape: disk, center: [0, 0], radius: 1}
unknowns: u
family:
  lambda: {base: 0, range: [0, 1]}
exact: (1 - x^2 - y^2)*(1 + lambda*x)
source: 4 + 8*lambda*x
equations:
  - -laplace(u) = source
boundary:
  - u = 0
network: {hidden: [4, 4], functions: 4}
adapter: {compression: 1/2}
points: {interior: 60, held_out: 40}
training: {steps: 6}
finetuning: {steps: 4, points: 80}
"""

HEAT = """\
title: Tiny heat equation
coordinates: [x]
time: {t: [0, 1]}
domain: {shape: interval, x: [0, 2]}
unknowns: v
family: {kappa: 0.1, c: 1}
equations: ["v_t = kappa*v_xx"]
boundary: ["v = 0"]
initial: ["v = c*x*(2 - x)"]
network: {hidden: [4], functions: 4}
points: {interior: 40, held_out: 30}
training: {steps: 3}
finetuning: {steps: 2, points: 40}
"""

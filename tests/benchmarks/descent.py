r"""Plain gradient descent on a LoTRA layer: the first-order change of its output, term by term, against size.

One layer, one data point x, features X[p, k] = b_k(x_p) of shape (n, K), loss |Psi - y|^2 / 2 with
v = Psi - y, and the adapter A + G x1 U1 x2 U2 x3 U3 of fixed ranks (a, b, c count its columns). With
z_ac = u1_a' X u3_c the output is Psi = A X + sum_abc G_abc z_ac u2_b, so that the gradients are

    dL/dG_abc = (v' u2_b) z_ac              dL/du1_a = sum_bc G_abc (v' u2_b) X u3_c
    dL/du2_b  = sum_ac G_abc z_ac v         dL/du3_c = sum_ab G_abc (v' u2_b) X' u1_a

and to first order in the rates a step changes the output by the sum of (the paper's Definition 1)

    delta0_abc = - eta0 (v' u2_b) z_ac^2 u2_b
    delta1_a   = - eta1 sum_bc sum_b'c' G_abc G_ab'c' (v' u2_b) (u3_c' X'X u3_c') u2_b'
    delta2_b   = - eta2 (sum_ac G_abc z_ac)^2 v
    delta3_c   = - eta3 sum_ab sum_a'b' G_abc G_a'b'c (v' u2_b) (u1_a' XX' u1_a') u2_b'.

Sizes at birth (its Eq. 8: G = 0, U1 columns N(0, 1/n), U3 columns N(0, 1/K), U2 columns v/|v|), for features
with |X|_F^2 of order nK: z = Theta(1), u3' X'X u3 = |X u3|^2 = Theta(n), u1' XX' u1 = |X' u1|^2 = Theta(K).
(The paper's Eq. 13 says the same; the sentence behind it, as scanned, gives delta1 the order n_d and
delta3 the order n at equal rates: exchanged, as its own formulas and its rates 1/n and 1/n_d show.)
At the first step G = 0 and delta1, delta2, delta3 vanish. Then |G| = Theta(eta0), hence behind it

    rates                                delta0   delta1    delta2    delta3
    eta0 = eta2 = 1, eta1 = 1/n,
    eta3 = 1/K (Theorem 2)               1        1         1         1        at every later step
    all Theta(1)                         1        n         1         K        at the second step,
                                         worse from the third on: U1 and U3 have moved by then
    all Theta(1/n)                       1/n      1/n^2     1/n^3     K/n^3    at every later step

With Theorem 2's rates z stays Theta(1): u1 moves by eta1 G (v'u2) X u3, which adds eta1 |X u3|^2 = Theta(1)
to it, and u3 likewise. With equal rates of Theta(1) the same term is Theta(n), and delta0, which has its
square, goes over to n^2 and worse from the third step on as eta n grows.
Source: Gao, Ng, Tan, Low Tensor-Rank Adaptation of Kolmogorov-Arnold Networks, Definition 1, Theorem 2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pinnkan.language.bases import make_basis
from pinnkan.networks.adapters import TuckerChange, initial_factors

OUTPUTS = 4
RANKS = (2, 2, 2)
TERMS = ("delta0", "delta1", "delta2", "delta3")
STRATEGIES = ("theorem 2", "equal", "equal 1/n")
EXPONENTS: Mapping[str, Sequence[tuple[float, float]]] = {
    "theorem 2": ((0, 0), (0, 0), (0, 0), (0, 0)),
    "equal": ((0, 0), (1, 0), (0, 0), (0, 1)),
    "equal 1/n": ((-1, 0), (-2, 0), (-3, 0), (-3, 1)),
}
"""Of n and of K, for each term; those of equal rates hold at the second step."""
_ETA = 0.1
_RESIDUAL = 1.0
"""|v_0|."""


@dataclass(frozen=True)
class Case:
    """One size.

    Attributes:
        basis: ``chebyshev`` or ``fourier``.
        width: n, inputs of the layer.
        functions: K.
    """

    basis: str
    width: int
    functions: int

    def features(self, generator: torch.Generator) -> Tensor:
        """Return X (n, K) at inputs for which the functions are orthogonal: |X|_F^2 = Theta(n K)."""
        angles = math.pi * torch.rand(self.width, generator=generator, dtype=torch.float64)
        inputs = torch.cos(angles) if self.basis == "chebyshev" else 2 * angles
        return make_basis(self.basis, functions=self.functions).values(inputs.unsqueeze(0))[0].T

    def rates(self, strategy: str) -> tuple[float, float, float, float]:
        """Return eta_0 ... eta_3."""
        if strategy == "theorem 2":
            return (_ETA, _ETA / self.width, _ETA, _ETA / self.functions)
        return (_ETA if strategy == "equal" else _ETA / self.width,) * 4


def components(features: Tensor, layer: TuckerChange, theta: Tensor, v: Tensor) -> list[Tensor]:
    """Return delta0 (R1 R2 R3, J), delta1 (R1, J), delta2 (R2, J), delta3 (R3, J), each over its rate."""
    core, u1, u2, u3 = layer.factors(theta)
    z = u1.T @ features @ u3
    aligned = v @ u2
    by_inputs, by_functions = u3.T @ features.T @ features @ u3, u1.T @ features @ features.T @ u1
    left = torch.einsum("abc,b->ac", core, aligned)
    return [
        -torch.einsum("b,ac,jb->abcj", aligned, z.square(), u2).flatten(0, 2),
        -torch.einsum("ac,cd,aed,je->aj", left, by_inputs, core, u2),
        -torch.einsum("abc,ac->b", core, z).square().unsqueeze(1) * v,
        -torch.einsum("ac,ad,dec,je->cj", left, by_functions, core, u2),
    ]


def descend(case: Case, strategy: str, seed: int, steps: int) -> list[list[Tensor]]:
    """Run gradient descent and return, for every step, the norms of all components of the four terms.

    Birth and gradient are those of `pinnkan.networks.adapters`; only v = Psi - y matters of the base.
    """
    generator = torch.Generator().manual_seed(seed)
    v = torch.randn(OUTPUTS, generator=generator, dtype=torch.float64)
    v *= _RESIDUAL / v.norm()
    x = case.features(generator)
    shape = (case.width, OUTPUTS, case.functions)
    born = initial_factors(shape, RANKS, initialisation="paper", adjoints=v.unsqueeze(0), generator=generator)
    layer = TuckerChange(torch.zeros(shape, dtype=torch.float64), born)
    rates = case.rates(strategy)
    sizes = zip(layer.groups.values(), rates, strict=True)
    spread = torch.cat([torch.full((size,), eta, dtype=torch.float64) for size, eta in sizes])
    theta, target = layer.start(), -v
    norms = []
    for _ in range(steps):
        v = torch.einsum("ijk,ik->j", layer.coefficients(theta), x) - target
        terms = components(x, layer, theta, v)
        norms.append([eta * term.norm(dim=1) for eta, term in zip(rates, terms, strict=True)])
        weights = torch.einsum("ik,j->kij", x, v).flatten(0, 1)
        theta = theta - spread * layer.gradient(weights, theta)
    return norms


def medians(case: Case, strategy: str, seeds: int, steps: int) -> np.ndarray:
    """Return the median over seeds and components of every term at every step, (steps, 4)."""
    runs = [descend(case, strategy, seed, steps) for seed in range(seeds)]
    return np.array(
        [
            [float(torch.cat([run[step][term] for run in runs]).median()) for term in range(len(TERMS))]
            for step in range(steps)
        ]
    )


def slope(sizes: Sequence[int], values: Sequence[float]) -> float:
    """Return the least-squares slope of log value against log size, NaN where a value is 0 or not finite."""
    found = np.asarray(values)
    if not (np.isfinite(found) & (found > 0)).all():
        return math.nan
    return float(np.polyfit(np.log(sizes), np.log(found), 1)[0])


@dataclass(frozen=True)
class Sweep:
    """Medians over one size, the other held fixed.

    Attributes:
        over: ``n`` or ``K``.
        sizes: Values of it.
        values: Shape (sizes, steps, 4).
    """

    basis: str
    strategy: str
    over: str
    sizes: Sequence[int]
    values: np.ndarray

    def slope(self, step: int, term: int) -> float:
        """Return the log-log slope of a term at a step, counted from 1."""
        return slope(self.sizes, self.values[:, step - 1, term].tolist())


def sweep(
    basis: str, strategy: str, over: str, sizes: Sequence[int], fixed: int, *, seeds: int, steps: int
) -> Sweep:
    """Run all sizes; ``fixed`` is the other one."""
    cases = [Case(basis, *((size, fixed) if over == "n" else (fixed, size))) for size in sizes]
    values = np.stack([medians(case, strategy, seeds, steps) for case in cases])
    return Sweep(basis, strategy, over, sizes, values)

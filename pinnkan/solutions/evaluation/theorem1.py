"""Theorem 1 of the LoTRA paper: how far a network moves when its change is truncated to lower ranks.

Target coefficients A_l, l = 1 ... D, of shape (I_l, J_l, K); with E_l = A_l - P_l, P_l those of the
pre-trained network (zero for a slim KAN), the truncated network has P_l + hosvd(E_l, ranks). Then for every x

    |Psi_truncated(x) - Psi(x)| <= sum_l C_l eps_l,   C_l = (M L sqrt(K))^(D-l) B sqrt(I_l K),

eps_l^2 the sum of the discarded squared singular values of the three unfoldings of E_l (Lemma 1). Proof:
with features b(z), |b(z)| <= B sqrt(I K) and |b(z) - b(z')| <= L sqrt(K) |z - z'|, one layer adds
|E_l - hosvd(E_l)|_F |b(z)| and carries on what is there times |A_l|_F L sqrt(K).
Source: Gao, Ng, Tan, Low Tensor-Rank Adaptation of Kolmogorov-Arnold Networks, Theorem 1, Assumption 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnkan.networks.bases import Basis

_SAMPLES = 8192


@dataclass(frozen=True)
class Constants:
    """What Assumption 1 names.

    Attributes:
        bound: B, largest |b_k| over all basis functions and inputs.
        lipschitz: L, largest slope of b_k(s(z)) in an inner layer's input z, s its tanh or the identity.
        norm: M, largest Frobenius norm of a layer's coefficients, of target and pre-trained network.
    """

    bound: float
    lipschitz: float
    norm: float


def constants(basis: Basis, target: Sequence[Tensor], pretrained: Sequence[Tensor]) -> Constants:
    """Compute B and L of a basis, and M of two networks.

    B and L are the largest of 8,193 samples: of polynomials of degree d at Chebyshev points, and of
    trigonometric ones at even points, they are short by a share of less than (pi d / 8192)^2 / 8
    (Ehlich and Zeller, Math. Z. 86, 1964), 8e-5 for d = 64.

    Args:
        basis: Of every layer.
        target: Coefficients of every layer.
        pretrained: Those that the target's change is counted from.
    """
    angles = torch.linspace(0.0, math.pi, _SAMPLES + 1, dtype=torch.float64)
    if basis.domain == "unit":
        # z runs over the line, w = tanh z over (-1, 1) and d/dz = (1 - w^2) d/dw.
        places = torch.cos(angles)
        slope = 1 - places.square()
    else:
        places, slope = 2 * angles, torch.ones_like(angles)
    values, first = basis.derivatives(places.unsqueeze(1), 1).squeeze(-1)
    norms = [float(layer.norm()) for layer in (*target, *pretrained)]
    steepest = float((first * slope.unsqueeze(1)).abs().max())
    return Constants(float(values.abs().max()), steepest, max(norms))


def output_bound(
    known: Constants, shapes: Sequence[tuple[int, int, int]], errors: Mapping[int, float]
) -> float:
    """Return Theorem 1's bound sum_l C_l eps_l on the change of the outputs.

    Args:
        known: B, L and M.
        shapes: (I, J, K) of every layer.
        errors: eps_l of the truncated layers, counted from 0; see `discarded_norm`.
    """
    total = 0.0
    for layer, error in errors.items():
        inputs, _, functions = shapes[layer]
        growth = known.norm * known.lipschitz * math.sqrt(functions)
        total += growth ** (len(shapes) - 1 - layer) * known.bound * math.sqrt(inputs * functions) * error
    return total

"""The basis in whose coefficients an optimizer moves a network.

Levenberg-Marquardt damps |step|^2 and L-BFGS starts from the identity: what these mean depends on the
basis. In powers of tanh(z) a small change of the coefficients may be a large one of the function, and
the other way round: steps are rejected and the damping stays high. Elliptic base, 8 functions, three
seeds: 6e-3 to 2e-2; in Chebyshev coefficients of the same polynomials 6e-5 to 1.3e-4. Adam scales every
coefficient by itself; for it the basis is the network's own, as in the paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pinnkan.networks import KanLayer, Network
from pinnkan.networks.adapters import Parametrisation


@dataclass(frozen=True)
class Conditioned:
    """A network and its parametrisation as an optimizer sees them: the same function of the coordinates.

    Attributes:
        network: With the bases that the optimizer works in.
        parameters: Of its coefficients.
        theta: Where it stands, (P,).
        back: From these coefficients to the network's own, (K, K), or None where they are the same.
    """

    network: Network
    parameters: Parametrisation
    theta: Tensor
    back: Tensor | None = None

    def own_theta(self, theta: Tensor) -> Tensor:
        """Return the theta in the network's own basis."""
        return theta if self.back is None else self.parameters.rebased(self.back, theta)[1]

    def own_coefficients(self, theta: Tensor) -> Sequence[Tensor]:
        """Return every layer's coefficients in the network's own basis."""
        conditioned = self.parameters.coefficients(theta)
        return conditioned if self.back is None else [c @ self.back.T for c in conditioned]


def conditioned(network: Network, parameters: Parametrisation, theta: Tensor) -> Conditioned:
    """Return a network and its parametrisation in `Basis.conditioned`, for an optimizer that needs it.

    Args:
        network: In its own basis, the same in every layer.
        parameters: Of its coefficients.
        theta: (P,).
    """
    first = network.layers[0]
    if not isinstance(first, KanLayer) or first.basis.conditioned == first.basis:
        return Conditioned(network, parameters, theta)
    basis = first.basis.conditioned
    layers = [
        replace(layer, basis=basis) if isinstance(layer, KanLayer) else layer for layer in network.layers
    ]
    matrix = first.basis.embedding(basis).to(theta)
    turned, start = parameters.rebased(matrix, theta)
    return Conditioned(replace(network, layers=tuple(layers)), turned, start, torch.linalg.inv(matrix))

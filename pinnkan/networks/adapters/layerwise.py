"""How the coefficients of one layer depend on trainable numbers theta, and the Jacobian that follows.

A residual r_n depends on a layer's weight matrix W (F, J) through
dr_n/dW = sum_c phi[c, n] (outer) delta[c, n]: features phi (C, N, F) and
adjoints delta (C, N, J). Each class here contracts that outer product with
dW/dtheta without forming it. Features are k-major: F = K * I.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor

from pinnkan.networks.tucker import Tucker


class LayerParametrisation(ABC):
    """The coefficients of one layer as a function of a vector theta, zero change at theta's birth.

    Attributes:
        base: Coefficients that theta changes, in their stored shape.
        groups: Name and length of the consecutive parts of theta.
    """

    base: Tensor
    groups: Mapping[str, int]

    @property
    def size(self) -> int:
        """P_l, entries of theta."""
        return sum(self.groups.values())

    @abstractmethod
    def start(self) -> Tensor:
        """Return the theta at birth, float64, shape (P_l,)."""

    @abstractmethod
    def coefficients(self, theta: Tensor) -> Tensor:
        """Return the changed coefficients in their stored shape."""

    @abstractmethod
    def rebased(self, matrix: Tensor, theta: Tensor) -> tuple[LayerParametrisation, Tensor]:
        """Return the same form, and its theta, with coefficients A x3 ``matrix`` for A: another basis's.

        Args:
            matrix: Invertible, (K, K).
            theta: Of this one, (P_l,).
        """

    @abstractmethod
    def jacobian(self, phi: Tensor, delta: Tensor, theta: Tensor) -> Tensor:
        """Return dr/dtheta, shape (N, P_l)."""

    @abstractmethod
    def gradient(self, weight_gradient: Tensor, theta: Tensor) -> Tensor:
        """Return the gradient (P_l,) from that of the weight matrix (F, J)."""


class Frozen(LayerParametrisation):
    """A layer that keeps its coefficients."""

    def __init__(self, base: Tensor) -> None:
        self.base = base
        self.groups = {}

    def start(self) -> Tensor:
        """See `LayerParameters.start`."""
        return torch.zeros(0, dtype=torch.float64)

    def coefficients(self, theta: Tensor) -> Tensor:
        """See `LayerParameters.coefficients`."""
        return self.base

    def rebased(self, matrix: Tensor, theta: Tensor) -> tuple[Frozen, Tensor]:
        """See `LayerParameters.rebased`."""
        return Frozen(self.base @ matrix.T), theta

    def jacobian(self, phi: Tensor, delta: Tensor, theta: Tensor) -> Tensor:
        """See `LayerParameters.jacobian`."""
        return phi.new_zeros(phi.shape[1], 0)

    def gradient(self, weight_gradient: Tensor, theta: Tensor) -> Tensor:
        """See `LayerParameters.gradient`."""
        return weight_gradient.new_zeros(0)


class Full(LayerParametrisation):
    """Every coefficient is free: W = W_base + theta, theta in the order of the weight matrix."""

    def __init__(self, base: Tensor) -> None:
        self.base = base
        self.groups = {"full": base.numel()}

    def start(self) -> Tensor:
        """See `LayerParameters.start`."""
        return torch.zeros(self.base.numel(), dtype=torch.float64)

    def coefficients(self, theta: Tensor) -> Tensor:
        """See `LayerParameters.coefficients`."""
        if self.base.dim() == 2:
            return self.base + theta.reshape(self.base.shape)
        inputs, outputs, functions = self.base.shape
        return self.base + theta.reshape(functions, inputs, outputs).permute(1, 2, 0)

    def theta(self, coefficients: Tensor) -> Tensor:
        """Return the theta that has these coefficients: the inverse of `coefficients`."""
        change = coefficients - self.base
        return (change if change.dim() == 2 else change.permute(2, 0, 1)).flatten()

    def rebased(self, matrix: Tensor, theta: Tensor) -> tuple[Full, Tensor]:
        """See `LayerParameters.rebased`."""
        return Full(self.base @ matrix.T), (matrix @ theta.view(len(matrix), -1)).flatten()

    def jacobian(self, phi: Tensor, delta: Tensor, theta: Tensor) -> Tensor:
        """See `LayerParameters.jacobian`: dr_n/dW[f, j] = sum_c phi[c, n, f] delta[c, n, j]."""
        return torch.bmm(phi.permute(1, 2, 0), delta.permute(1, 0, 2)).flatten(1)

    def gradient(self, weight_gradient: Tensor, theta: Tensor) -> Tensor:
        """See `LayerParameters.gradient`."""
        return weight_gradient.flatten()


class Sparse(LayerParametrisation):
    """Every coefficient of the edges that are not zero is free; the others stay zero.

    Args:
        base: Coefficients, shape (I, J, K), some edges [p, q, :] of them zero.
    """

    def __init__(self, base: Tensor) -> None:
        self.base = base
        self._full = Full(base)
        alive = (base != 0).any(dim=2, keepdim=True).expand(base.shape)
        # In the order of the weight matrix, as theta of `Full`.
        self._kept = torch.nonzero(alive.permute(2, 0, 1).flatten()).squeeze(1)
        self.groups = {"sparse": len(self._kept)}

    def start(self) -> Tensor:
        """See `LayerParameters.start`."""
        return torch.zeros(self.size, dtype=torch.float64)

    def coefficients(self, theta: Tensor) -> Tensor:
        """See `LayerParameters.coefficients`."""
        whole = theta.new_zeros(self.base.numel()).index_add(0, self._kept, theta)
        return self._full.coefficients(whole)

    def rebased(self, matrix: Tensor, theta: Tensor) -> tuple[Sparse, Tensor]:
        """See `LayerParameters.rebased`: zero edges stay zero."""
        return Sparse(self.base @ matrix.T), (matrix @ theta.view(len(matrix), -1)).flatten()

    def jacobian(self, phi: Tensor, delta: Tensor, theta: Tensor) -> Tensor:
        """See `LayerParameters.jacobian`."""
        return self._full.jacobian(phi, delta, theta)[:, self._kept]

    def gradient(self, weight_gradient: Tensor, theta: Tensor) -> Tensor:
        """See `LayerParameters.gradient`."""
        return weight_gradient.flatten()[self._kept]


class TuckerChange(LayerParametrisation):
    """LoTRA (Gao, Ng, Tan, Eq. 5): A = A_base + G x1 U1 x2 U2 x3 U3, theta = (G, U1, U2, U3).

    With a zero base and a non-zero core the same form is a slim KAN's layer.

    Args:
        base: Coefficients A_base, shape (I, J, K).
        birth: Core and factors to start from; a zero core changes nothing.
    """

    def __init__(self, base: Tensor, birth: Tucker) -> None:
        self.base = base
        self.initial = birth
        self.groups = {name: part.numel() for name, part in birth._asdict().items()}

    def start(self) -> Tensor:
        """See `LayerParameters.start`."""
        return torch.cat([part.flatten() for part in self.initial]).to(torch.float64)

    def factors(self, theta: Tensor) -> Tucker:
        """Return core (R1, R2, R3) and factors (I, R1), (J, R2), (K, R3) that theta holds."""
        parts = torch.split_with_sizes(theta, list(self.groups.values()))
        return Tucker(*(part.view(like.shape) for part, like in zip(parts, self.initial, strict=True)))

    def coefficients(self, theta: Tensor) -> Tensor:
        """See `LayerParameters.coefficients`."""
        return self.base + self.factors(theta).dense()

    def rebased(self, matrix: Tensor, theta: Tensor) -> tuple[TuckerChange, Tensor]:
        """See `LayerParameters.rebased`: U3 becomes ``matrix`` U3, the core is the same."""
        factors = self.factors(theta)
        turned = factors._replace(u3=matrix @ factors.u3)
        birth = self.initial._replace(u3=matrix @ self.initial.u3.to(matrix))
        return TuckerChange(self.base @ matrix.T, birth), torch.cat([part.flatten() for part in turned])

    def jacobian(self, phi: Tensor, delta: Tensor, theta: Tensor) -> Tensor:
        """See `LayerParameters.jacobian`.

        With P = phi x3 U3 (C,N,I,R3), Q = P x1 U1 (C,N,R1,R3) and E = delta U2 (C,N,R2):
        dG = sum_c Q E, dU2 = sum_c delta (Q G), dU1 = sum_c P (G E), dU3 = sum_c phi (U1 G E).
        Cost 2 C F (R3 + ...) flops a point: nothing of size F x J is formed.
        """
        core, u1, u2, u3 = self.factors(theta.to(phi.dtype))
        inputs, functions = u1.shape[0], u3.shape[0]
        shaped = phi.view(*phi.shape[:2], functions, inputs)
        p = torch.einsum("cnki,kz->cnzi", shaped, u3)
        q = p @ u1
        e = delta @ u2
        h = torch.einsum("xyz,cny->cnzx", core, e)
        d_core = torch.einsum("cnzx,cny->nxyz", q, e)
        d_u1 = torch.einsum("cnzi,cnzx->nix", p, h)
        d_u2 = torch.einsum("cnj,cny->njy", delta, torch.einsum("cnzx,xyz->cny", q, core))
        d_u3 = torch.einsum("cnki,cnzi->nkz", shaped, h @ u1.T)
        return torch.cat([part.flatten(1) for part in (d_core, d_u1, d_u2, d_u3)], dim=1)

    def gradient(self, weight_gradient: Tensor, theta: Tensor) -> Tensor:
        """See `LayerParameters.gradient`."""
        core, u1, u2, u3 = self.factors(theta.to(weight_gradient.dtype))
        full = weight_gradient.view(u3.shape[0], u1.shape[0], -1)
        by_u3 = torch.einsum("kij,kz->ijz", full, u3)
        by_u2 = torch.einsum("ijz,jy->iyz", by_u3, u2)
        d_core = torch.einsum("iyz,ix->xyz", by_u2, u1)
        d_u1 = torch.einsum("iyz,xyz->ix", by_u2, core)
        d_u2 = torch.einsum("ijz,ix,xyz->jy", by_u3, u1, core)
        d_u3 = torch.einsum("kij,ix,jy,xyz->kz", full, u1, u2, core)
        return torch.cat([part.flatten() for part in (d_core, d_u1, d_u2, d_u3)])

"""How the coefficients of one layer depend on trainable numbers theta, and the Jacobian that follows.

A residual r_n depends on a layer's weight matrix W (F, J) through
dr_n/dW = sum_c phi[c, n] (outer) delta[c, n]: features phi (C, N, F) and
adjoints delta (C, N, J). Each class here contracts that outer product with
dW/dtheta without forming it. Features are k-major: F = K * I.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor

from pinnkan.networks.adapters.initial_factors import initial_factors, kan_shape
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


class Attachment(Protocol):
    """What an adapter says of the size and the start of its layers."""

    @property
    def initialisation(self) -> str:
        """See `initial_factors`."""

    def ranks_for(self, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """Return (R1, R2, R3) of a layer of shape (I, J, K)."""


class AdaptedLayer(LayerParametrisation):
    """A layer as an adapter changes it, whose numbers a file holds as arrays with names."""

    @classmethod
    @abstractmethod
    def attached(
        cls, base: Tensor, *, plan: Attachment, adjoints: Tensor, generator: torch.Generator
    ) -> AdaptedLayer:
        """Return a fresh one, which changes nothing yet.

        Args:
            base: Coefficients in their stored shape.
            plan: Of the adapter.
            adjoints: At the layer's output, (B, J); see `initial_factors`.
            generator: Of random numbers.
        """

    @abstractmethod
    def arrays(self, theta: Tensor) -> dict[str, Tensor]:
        """Return what a file holds of theta, by name."""

    @abstractmethod
    def theta_of(self, arrays: Mapping[str, Tensor]) -> Tensor:
        """Return the theta (P_l,) of such arrays in float64 on the CPU: the inverse of `arrays`."""

    @classmethod
    @abstractmethod
    def changed(cls, base: Tensor, arrays: Mapping[str, Tensor]) -> Tensor:
        """Return the coefficients that such arrays make of a base's, (*base.shape).

        Raises:
            ValueError, RuntimeError: If they do not fit.
        """


def _sum(base: Tensor, change: Tensor) -> Tensor:
    if change.shape != base.shape:
        raise ValueError(f"a layer has shape {tuple(base.shape)}, its change {tuple(change.shape)}")
    return base + change


class Frozen(AdaptedLayer):
    """A layer that keeps its coefficients."""

    def __init__(self, base: Tensor) -> None:
        self.base = base
        self.groups = {}

    @classmethod
    def attached(
        cls, base: Tensor, *, plan: Attachment, adjoints: Tensor, generator: torch.Generator
    ) -> Frozen:
        """See `AdaptedLayer.attached`."""
        return cls(base)

    def arrays(self, theta: Tensor) -> dict[str, Tensor]:
        """See `AdaptedLayer.arrays`: none."""
        return {}

    def theta_of(self, arrays: Mapping[str, Tensor]) -> Tensor:
        """See `AdaptedLayer.theta_of`."""
        return self.start()

    @classmethod
    def changed(cls, base: Tensor, arrays: Mapping[str, Tensor]) -> Tensor:
        """See `AdaptedLayer.changed`."""
        return base

    def start(self) -> Tensor:
        """See `LayerParametrisation.start`."""
        return torch.zeros(0, dtype=torch.float64)

    def coefficients(self, theta: Tensor) -> Tensor:
        """See `LayerParametrisation.coefficients`."""
        return self.base

    def rebased(self, matrix: Tensor, theta: Tensor) -> tuple[Frozen, Tensor]:
        """See `LayerParametrisation.rebased`."""
        return Frozen(self.base @ matrix.T), theta

    def jacobian(self, phi: Tensor, delta: Tensor, theta: Tensor) -> Tensor:
        """See `LayerParametrisation.jacobian`."""
        return phi.new_zeros(phi.shape[1], 0)

    def gradient(self, weight_gradient: Tensor, theta: Tensor) -> Tensor:
        """See `LayerParametrisation.gradient`."""
        return weight_gradient.new_zeros(0)


class Full(AdaptedLayer):
    """Every coefficient is free: W = W_base + theta, theta in the order of the weight matrix."""

    def __init__(self, base: Tensor) -> None:
        self.base = base
        self.groups = {"full": base.numel()}

    @classmethod
    def attached(
        cls, base: Tensor, *, plan: Attachment, adjoints: Tensor, generator: torch.Generator
    ) -> Full:
        """See `AdaptedLayer.attached`."""
        return cls(base)

    def arrays(self, theta: Tensor) -> dict[str, Tensor]:
        """See `AdaptedLayer.arrays`: the change."""
        return {"change": self.coefficients(theta) - self.base}

    def theta_of(self, arrays: Mapping[str, Tensor]) -> Tensor:
        """See `AdaptedLayer.theta_of`; of a network trained in full the arrays are all coefficients."""
        whole = arrays["coefficients"] if "coefficients" in arrays else self.base.cpu() + arrays["change"]
        return self.theta(whole.to(self.base.device)).cpu()

    @classmethod
    def changed(cls, base: Tensor, arrays: Mapping[str, Tensor]) -> Tensor:
        """See `AdaptedLayer.changed`."""
        return _sum(base, arrays["change"])

    def start(self) -> Tensor:
        """See `LayerParametrisation.start`."""
        return torch.zeros(self.base.numel(), dtype=torch.float64)

    def coefficients(self, theta: Tensor) -> Tensor:
        """See `LayerParametrisation.coefficients`."""
        if self.base.dim() == 2:
            return self.base + theta.reshape(self.base.shape)
        inputs, outputs, functions = self.base.shape
        return self.base + theta.reshape(functions, inputs, outputs).permute(1, 2, 0)

    def theta(self, coefficients: Tensor) -> Tensor:
        """Return the theta that has these coefficients: the inverse of `coefficients`."""
        change = coefficients - self.base
        return (change if change.dim() == 2 else change.permute(2, 0, 1)).flatten()

    def rebased(self, matrix: Tensor, theta: Tensor) -> tuple[Full, Tensor]:
        """See `LayerParametrisation.rebased`."""
        return Full(self.base @ matrix.T), (matrix @ theta.view(len(matrix), -1)).flatten()

    def jacobian(self, phi: Tensor, delta: Tensor, theta: Tensor) -> Tensor:
        """See `LayerParametrisation.jacobian`: dr_n/dW[f, j] = sum_c phi[c, n, f] delta[c, n, j]."""
        return torch.bmm(phi.permute(1, 2, 0), delta.permute(1, 0, 2)).flatten(1)

    def gradient(self, weight_gradient: Tensor, theta: Tensor) -> Tensor:
        """See `LayerParametrisation.gradient`."""
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
        """See `LayerParametrisation.start`."""
        return torch.zeros(self.size, dtype=torch.float64)

    def coefficients(self, theta: Tensor) -> Tensor:
        """See `LayerParametrisation.coefficients`."""
        whole = theta.new_zeros(self.base.numel()).index_add(0, self._kept, theta)
        return self._full.coefficients(whole)

    def rebased(self, matrix: Tensor, theta: Tensor) -> tuple[Sparse, Tensor]:
        """See `LayerParametrisation.rebased`: zero edges stay zero."""
        return Sparse(self.base @ matrix.T), (matrix @ theta.view(len(matrix), -1)).flatten()

    def jacobian(self, phi: Tensor, delta: Tensor, theta: Tensor) -> Tensor:
        """See `LayerParametrisation.jacobian`."""
        return self._full.jacobian(phi, delta, theta)[:, self._kept]

    def gradient(self, weight_gradient: Tensor, theta: Tensor) -> Tensor:
        """See `LayerParametrisation.gradient`."""
        return weight_gradient.flatten()[self._kept]


class TuckerChange(AdaptedLayer):
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

    @classmethod
    def attached(
        cls, base: Tensor, *, plan: Attachment, adjoints: Tensor, generator: torch.Generator
    ) -> TuckerChange:
        """See `AdaptedLayer.attached`.

        Raises:
            UsageError: If the base is the matrix of an MLP.
        """
        shape = kan_shape(base)
        factors = initial_factors(
            shape,
            plan.ranks_for(shape),
            initialisation=plan.initialisation,
            adjoints=adjoints,
            generator=generator,
        )
        return cls(base, factors)

    def arrays(self, theta: Tensor) -> dict[str, Tensor]:
        """See `AdaptedLayer.arrays`: core and factors."""
        return self.factors(theta)._asdict()

    def theta_of(self, arrays: Mapping[str, Tensor]) -> Tensor:
        """See `AdaptedLayer.theta_of`."""
        return torch.cat([arrays[name].flatten() for name in self.groups])

    @classmethod
    def changed(cls, base: Tensor, arrays: Mapping[str, Tensor]) -> Tensor:
        """See `AdaptedLayer.changed`."""
        return _sum(base, Tucker(*(arrays[name] for name in Tucker._fields)).dense())

    def start(self) -> Tensor:
        """See `LayerParametrisation.start`."""
        return torch.cat([part.flatten() for part in self.initial]).to(torch.float64)

    def factors(self, theta: Tensor) -> Tucker:
        """Return core (R1, R2, R3) and factors (I, R1), (J, R2), (K, R3) that theta holds."""
        parts = torch.split_with_sizes(theta, list(self.groups.values()))
        return Tucker(*(part.view(like.shape) for part, like in zip(parts, self.initial, strict=True)))

    def coefficients(self, theta: Tensor) -> Tensor:
        """See `LayerParametrisation.coefficients`."""
        return self.base + self.factors(theta).dense()

    def rebased(self, matrix: Tensor, theta: Tensor) -> tuple[TuckerChange, Tensor]:
        """See `LayerParametrisation.rebased`: U3 becomes ``matrix`` U3, the core is the same."""
        factors = self.factors(theta)
        turned = factors._replace(u3=matrix @ factors.u3)
        birth = self.initial._replace(u3=matrix @ self.initial.u3.to(matrix))
        return TuckerChange(self.base @ matrix.T, birth), torch.cat([part.flatten() for part in turned])

    def jacobian(self, phi: Tensor, delta: Tensor, theta: Tensor) -> Tensor:
        """See `LayerParametrisation.jacobian`.

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
        """See `LayerParametrisation.gradient`."""
        core, u1, u2, u3 = self.factors(theta.to(weight_gradient.dtype))
        full = weight_gradient.view(u3.shape[0], u1.shape[0], -1)
        by_u3 = torch.einsum("kij,kz->ijz", full, u3)
        by_u2 = torch.einsum("ijz,jy->iyz", by_u3, u2)
        d_core = torch.einsum("iyz,ix->xyz", by_u2, u1)
        d_u1 = torch.einsum("iyz,xyz->ix", by_u2, core)
        d_u2 = torch.einsum("ijz,ix,xyz->jy", by_u3, u1, core)
        d_u3 = torch.einsum("kij,ix,jy,xyz->kz", full, u1, u2, core)
        return torch.cat([part.flatten() for part in (d_core, d_u1, d_u2, d_u3)])

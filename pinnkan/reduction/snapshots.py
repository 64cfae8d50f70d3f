"""Snapshots: networks of a family at known parameter values, and the models that they span."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.derivatives import Derivative
from pinnkan.networks import Network
from pinnkan.reduction.ansatz import FamilyAnsatz
from pinnkan.reduction.basis import network_jets, orthonormalised, values_of
from pinnkan.reduction.model import Basis, ReducedModel
from pinnkan.reduction.norm import field_root, largest_relative, stacked
from pinnkan.reduction.online import OnlineBlock, OnlinePoints


class Snapshots:
    """Networks with their derivatives on the online points.

    Args:
        ansatz: Of the family.
        network: Layers and input map, the same for all.
        places: Every residual block with its points.

    Attributes:
        known: Parameter values (P,) of every snapshot.
        constants: What is taken out of every snapshot's unknowns (U,): the mean of one that nothing fixes
            but up to a constant, as a pressure, 0 of the others. A basis that held the constants, which
            training leaves to chance, would count their drift as a difference between solutions.
    """

    def __init__(self, ansatz: FamilyAnsatz, network: Network, places: Sequence[OnlinePoints]) -> None:
        self.ansatz, self.places = ansatz, tuple(places)
        self._network = network
        self.known: list[FloatArray] = []
        self.constants: list[FloatArray] = []
        self._root = field_root(places[0].weights, ansatz.reference.scales)
        self._values: list[FloatArray] = []
        self._jets: list[list[FloatArray]] = []

    def __len__(self) -> int:
        return len(self.known)

    def add(self, values: FloatArray, coefficients: Sequence[Tensor]) -> None:
        """Take one network, trained at parameter values (P,)."""
        factors = self.ansatz.reference.ansatzes

        def jets(place: OnlinePoints, requested: Sequence[Derivative]) -> FloatArray:
            found = network_jets(factors, self._network, [coefficients], place.points, requested)
            return found[:, 0]

        interior, free = self.places[0], self.ansatz.free_constants
        fields = jets(interior, values_of(len(factors), interior.points.shape[1]))
        constants = np.zeros(len(factors))
        constants[free] = fields[free] @ interior.weights
        self.known.append(values)
        self.constants.append(constants)
        self._values.append(stacked(fields - constants[:, None] if free else fields))
        self._jets.append([jets(place, place.block.reads) for place in self.places])

    def drop(self) -> None:
        """Leave out the one that was added last."""
        for column in (self.known, self.constants, self._values, self._jets):
            column.pop()

    def model(self, members: Sequence[int]) -> ReducedModel:
        """Return the reduced model over the span of some snapshots, in the order given.

        Raises:
            np.linalg.LinAlgError: If one is a combination of the others to rounding.
        """
        values = np.stack([self._values[i] for i in members])
        mixing, r = orthonormalised(values, self._root)
        jets = tuple(
            np.einsum("scn,sk->ckn", np.stack([self._jets[i][block] for i in members]), mixing)
            for block in range(len(self.places))
        )
        basis = Basis(mixing, np.stack([self.known[i] for i in members]), r.T, mixing.T @ values, jets)
        blocks = [OnlineBlock(p, self.ansatz, jet) for p, jet in zip(self.places, jets, strict=True)]
        return ReducedModel(self.ansatz, blocks, basis)

    def difference(self, model: ReducedModel, c: FloatArray, index: int) -> float:
        """Return the relative L2 difference between coefficients (k,) of a model and a snapshot.

        The largest over the unknowns, at the snapshot's parameter value: both have the same lift.
        """
        root = self._root
        row = self.known[index][None]
        gap = (c @ model.basis.values - self._values[index]) * root
        whole = model.weighted(row, np.zeros((1, model.size)))[0] + self._values[index] * root
        return largest_relative(gap, whole, len(self.ansatz.reference.ansatzes))

"""Members of tables that only tests have: each is one class and one row, as a new one would be."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Literal

import numpy as np
import sympy
import torch
from torch import Tensor

from pinnkan.geometry import Shape, ShapeKind
from pinnkan.geometry.rules import unit_cube
from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.channels import Channels
from pinnkan.language.adapted_layers import LayerKind
from pinnkan.language.bases import BasisKind
from pinnkan.language.network_kinds import NetworkKind
from pinnkan.networks import InputMap, Network, jets
from pinnkan.networks.adapters.layerwise import AdaptedLayer, Attachment
from pinnkan.networks.bases.base import Basis, Rows
from pinnkan.networks.layers import DenseLayer


@dataclass(frozen=True)
class HalfDisk(Shape):
    """The half disk |x| <= radius, y >= 0: an arc, and the diameter in two parts, left and right of 0.

    Points inside come by rejection, quadratures from Sobol points.
    """

    radius: float
    dimension = 2
    parts = ("arc", "left", "right")
    aliases: ClassVar = {"diameter": ("left", "right")}

    @property
    def volume(self) -> float:
        return math.pi * self.radius**2 / 2

    @property
    def bounding_box(self) -> tuple[FloatArray, FloatArray]:
        return np.array([-self.radius, 0.0]), np.array([self.radius, self.radius])

    def contains(self, x: FloatArray, tolerance: float = 1e-12) -> np.ndarray:
        slack = tolerance * self.radius
        return np.asarray((np.hypot(*x.T) <= self.radius + slack) & (x[:, 1] >= -slack))

    def distance(self, symbols: Sequence[sympy.Symbol], parts: Sequence[str]) -> sympy.Expr | None:
        x, y = (symbol / sympy.Float(self.radius) for symbol in symbols)
        factors = {"arc": 1 - x**2 - y**2, "left": y, "right": 1}
        named = self.resolve_parts(parts)
        if ("left" in named) != ("right" in named):
            return None  # no formula for half a diameter
        return sympy.Mul(*(factors[part] for part in named))

    def area(self, part: str) -> float:
        return self.radius * (math.pi if part == "arc" else 1.0)

    def normals(self, part: str, points: FloatArray) -> FloatArray:
        return points / self.radius if part == "arc" else np.tile([0.0, -1.0], (len(points), 1))

    def sample_on(
        self, part: str, count: int, *, rule: str, rng: np.random.Generator, beside: int = 0
    ) -> FloatArray:
        cube = unit_cube(count, beside + 1, rule=rule, rng=rng)
        share, zero = cube[:, beside], np.zeros(count)
        if part == "arc":
            points = [np.cos(math.pi * share), np.sin(math.pi * share)]
        else:
            points = [share if part == "right" else -share, zero]
        return np.column_stack([cube[:, :beside], self.radius * np.stack(points, axis=1)])


HALF_DISK = ShapeKind(2, lambda axes: {"radius": 1}, lambda said: HalfDisk(said.numbers["radius"][0]))


class Pierced(Shape):
    """A plate without the inside of a hole, each a shape of its own; its parts are theirs."""

    dimension = 2

    def __init__(self, plate: Shape, hole: Shape) -> None:
        self.plate, self.hole = plate, hole
        self.parts = (*(f"plate.{part}" for part in plate.parts), *(f"hole.{part}" for part in hole.parts))
        self.aliases = {"plate": self.parts[: len(plate.parts)], "hole": self.parts[len(plate.parts) :]}

    @property
    def volume(self) -> float:
        return self.plate.volume - self.hole.volume

    @property
    def bounding_box(self) -> tuple[FloatArray, FloatArray]:
        return self.plate.bounding_box

    def contains(self, x: FloatArray, tolerance: float = 1e-12) -> np.ndarray:
        return np.asarray(self.plate.contains(x, tolerance) & ~self.hole.contains(x, -tolerance))

    def distance(self, symbols: Sequence[sympy.Symbol], parts: Sequence[str]) -> sympy.Expr | None:
        named = [part.partition(".") for part in self.resolve_parts(parts)]
        of_plate = [part for member, _, part in named if member == "plate"]
        of_hole = [part for member, _, part in named if member == "hole"]
        plate = self.plate.distance(symbols, of_plate)
        return plate * -self.hole.distance(symbols, of_hole) if of_hole else plate

    def area(self, part: str) -> float:
        return self._member(part).area(part.partition(".")[2])

    def normals(self, part: str, points: FloatArray) -> FloatArray:
        sign = -1 if part.startswith("hole") else 1
        return sign * self._member(part).normals(part.partition(".")[2], points)

    def sample_on(
        self, part: str, count: int, *, rule: str, rng: np.random.Generator, beside: int = 0
    ) -> FloatArray:
        own = part.partition(".")[2]
        return self._member(part).sample_on(own, count, rule=rule, rng=rng, beside=beside)

    def _member(self, part: str) -> Shape:
        return self.hole if part.startswith("hole") else self.plate


PIERCED = ShapeKind(
    2,
    lambda axes: {},
    lambda said: Pierced(said.members["plate"], said.members["hole"]),
    members=("plate", "hole"),
)


@dataclass(frozen=True)
class Cosines(Basis):
    """b_k(x) = cos k x."""

    functions: int
    domain: ClassVar[Literal["unit", "line"]] = "line"

    @property
    def size(self) -> int:
        return self.functions

    def values(self, x: Tensor) -> Tensor:
        return torch.stack([torch.cos(k * x) for k in range(self.functions)], dim=-2)

    def fill(self, x: Tensor, rows: Rows) -> None:
        for order, row in enumerate(rows):
            for k, term in enumerate(row):
                term.copy_(float(k) ** order * torch.cos(k * x + order * math.pi / 2))


COSINES = BasisKind("fake_members:Cosines")


class Scaled(AdaptedLayer):
    """Every output of a layer times 1 + s_q: A[p, q, k] (1 + s_q), theta = s."""

    def __init__(self, base: Tensor) -> None:
        self.base = base
        self.groups = {"scale": base.shape[1]}

    @classmethod
    def attached(
        cls, base: Tensor, *, plan: Attachment, adjoints: Tensor, generator: torch.Generator
    ) -> Scaled:
        return cls(base)

    def start(self) -> Tensor:
        return torch.zeros(self.size, dtype=torch.float64)

    def coefficients(self, theta: Tensor) -> Tensor:
        return self.changed(self.base, {"scale": theta})

    def rebased(self, matrix: Tensor, theta: Tensor) -> tuple[Scaled, Tensor]:
        return Scaled(self.base @ matrix.T), theta

    def jacobian(self, phi: Tensor, delta: Tensor, theta: Tensor) -> Tensor:
        return ((phi @ self._matrix.to(phi)) * delta).sum(dim=0)

    def gradient(self, weight_gradient: Tensor, theta: Tensor) -> Tensor:
        return (self._matrix.to(weight_gradient) * weight_gradient).sum(dim=0)

    def arrays(self, theta: Tensor) -> dict[str, Tensor]:
        return {"scale": theta}

    def theta_of(self, arrays: Mapping[str, Tensor]) -> Tensor:
        return arrays["scale"]

    @classmethod
    def changed(cls, base: Tensor, arrays: Mapping[str, Tensor]) -> Tensor:
        return base * (1 + arrays["scale"])[:, None]

    @property
    def _matrix(self) -> Tensor:
        return self.base.permute(2, 0, 1).flatten(0, 1)


SCALED = LayerKind("fake_members:Scaled", ("scale",), ("scale", 0))


class SineLayer(DenseLayer):
    """The layer of a network of sines: features (sin z, 1)."""

    def push(self, channels: Channels, jet: Tensor, *, keep: bool) -> tuple[Tensor, Any]:
        orders = range(channels.order + (2 if keep else 1))
        outer = torch.stack([torch.sin(jet[0] + m * math.pi / 2) for m in orders]).unsqueeze(2)
        phi = torch.nn.functional.pad(jets.compose(channels, outer, jet).squeeze(2), (0, 1))
        phi[0, :, -1] = 1.0
        return phi, (jet, outer) if keep else None

    def values(self, z: Tensor) -> Tensor:
        return torch.nn.functional.pad(torch.sin(z), (0, 1), value=1.0)


def make_sines(widths: Sequence[int], input_map: InputMap) -> Network:
    layers = [SineLayer(inputs, outputs, squash=True) for inputs, outputs in pairwise(widths)]
    return Network(tuple(layers), input_map)


SINES = NetworkKind("a network of sines", "fake_members:make_sines", lambda i, j, _: (i + 1, j))

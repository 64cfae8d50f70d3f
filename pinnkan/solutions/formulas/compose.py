"""All edges of a network snapped, their numbers fitted together, and composed to one expression."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sympy
import torch
from torch import Tensor

from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.errors import UsageError
from pinnkan.networks import InputMap, KanLayer, Network
from pinnkan.solutions.formulas.expansions import expansion, has_expansion
from pinnkan.solutions.formulas.library import LIBRARY, Snap, fit, snap

MOST_EDGES = 100
_SMALL = 1e-6


@dataclass(frozen=True)
class Kept:
    """An edge that no function of the library follows: its own expansion in the basis.

    Attributes:
        layer: Of the edge.
        coefficients: Of the edge, (K,).
    """

    layer: KanLayer
    coefficients: Tensor

    def __call__(self, x: FloatArray) -> FloatArray:
        """Return the values at inputs (N,)."""
        features = self.layer.values(torch.from_numpy(x).unsqueeze(1).expand(-1, self.layer.inputs))
        first = features.view(len(x), self.layer.basis.size, self.layer.inputs)[:, :, 0]
        values: FloatArray = (first @ self.coefficients).numpy()
        return values

    def gradient(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return derivatives at inputs (N,) by free numbers, of which there are none, and by the input."""
        place = torch.from_numpy(x).requires_grad_()
        features = self.layer.values(place.unsqueeze(1).expand(-1, self.layer.inputs))
        first = features.view(len(x), self.layer.basis.size, self.layer.inputs)[:, :, 0]
        (slope,) = torch.autograd.grad((first @ self.coefficients).sum(), place)
        return np.empty((0, len(x))), slope.numpy()

    def symbolic(self, x: Any) -> Any:
        """Return the expression in an expression."""
        inner = sympy.tanh(x) if self.layer.squash else x
        return expansion(self.layer.basis, self.coefficients.tolist(), inner)


Edge = Snap | Kept


@dataclass(frozen=True)
class ClosedForm:
    """A network as symbolic edges.

    Attributes:
        input_map: Of the D coordinates.
        layers: Edges [p][q] from input p to output q of every layer.
    """

    input_map: InputMap
    layers: tuple[tuple[tuple[Edge, ...], ...], ...]

    @property
    def edges(self) -> list[Edge]:
        """All edges, layer by layer."""
        return [edge for layer in self.layers for row in layer for edge in row]

    def __call__(self, points: FloatArray) -> FloatArray:
        """Return the values (N,) at points (N, D)."""
        values: FloatArray = self._nodes(points)[-1][:, 0]
        return values

    def jacobian(self, points: FloatArray) -> FloatArray:
        """Return derivatives of the values at points (N, D) by `numbers` (n,), shape (N, n).

        Backwards from the output: with delta_q the derivative by node q of a layer, an edge from p to q
        contributes delta_q times its own derivative by a number to that number's column, and delta_q times
        its slope to delta_p.
        """
        nodes = self._nodes(points)
        delta = np.ones((len(points), 1))
        columns: list[FloatArray] = []
        for layer, z in zip(reversed(self.layers), reversed(nodes[:-1]), strict=True):
            gradients = [[edge.gradient(z[:, p]) for edge in row] for p, row in enumerate(layer)]
            of_layer = [delta[:, q] * by for row in gradients for q, (by, _) in enumerate(row)]
            columns = [*of_layer, *columns]
            sums = [sum(delta[:, q] * slope for q, (_, slope) in enumerate(row)) for row in gradients]
            delta = np.stack(sums, axis=1)
        return np.concatenate(columns).T

    def _nodes(self, points: FloatArray) -> list[FloatArray]:
        """Return the inputs (N, D) of the first layer and the nodes behind every layer."""
        nodes = [self.input_map.values(torch.from_numpy(points)).numpy()]
        for layer in self.layers:
            z = nodes[-1]
            sums = zip(*[[edge(z[:, p]) for edge in row] for p, row in enumerate(layer)], strict=True)
            nodes.append(np.stack([np.sum(column, axis=0) for column in sums], axis=1))
        return nodes

    def symbolic(self, coordinates: Sequence[Any]) -> Any:
        """Return the expression in the coordinates' symbols; kept expansions are not multiplied out."""
        z = symbolic_inputs(self.input_map, coordinates)
        for layer in self.layers:
            columns = list(zip(*layer, strict=True))
            z = [_summed(column, z) for column in columns]
        return sympy.powsimp(z[0]) if all(isinstance(edge, Snap) for edge in self.edges) else z[0]

    def numbers(self) -> FloatArray:
        """Return the free numbers of all snapped edges."""
        snaps = [edge for edge in self.edges if isinstance(edge, Snap)]
        return np.array([edge.numbers[position] for edge in snaps for position in edge.free])

    def with_numbers(self, numbers: FloatArray) -> ClosedForm:
        """Return the same functions with other numbers."""
        left = iter(numbers.tolist())

        def renewed(edge: Edge) -> Edge:
            if not isinstance(edge, Snap):
                return edge
            values = [
                next(left) if position in edge.free else old for position, old in enumerate(edge.numbers)
            ]
            return replace(edge, numbers=(values[0], values[1], values[2], values[3]))

        layers = tuple(tuple(tuple(map(renewed, row)) for row in layer) for layer in self.layers)
        return replace(self, layers=layers)


def symbolic_inputs(input_map: InputMap, coordinates: Sequence[Any]) -> list[Any]:
    """Return the inputs of a network as expressions in the coordinates' symbols."""
    inputs = []
    boxes = zip(input_map.center, input_map.half_width, strict=True)
    kinds = zip(input_map.grading, input_map.periodic, strict=True)
    for x, (center, half), (g, periodic) in zip(coordinates, boxes, kinds, strict=True):
        affine = sympy.expand((x - sympy.Float(center)) / sympy.Float(half))
        graded = 2 * sympy.log(1 + sympy.Float(0.5 * g) * (affine + 1)) / sympy.Float(math.log1p(g)) - 1
        if periodic:
            # phi = 2 pi tau = pi (s + 1), and half a turn changes both signs
            phase = sympy.expand(sympy.pi * affine)
            inputs += [-sympy.cos(phase), -sympy.sin(phase)]
        else:
            inputs.append(graded if g else affine)
    return inputs


def _summed(edges: Sequence[Edge], inputs: Sequence[Any]) -> Any:
    """Return the sum of the edges into one node; expanded, a polynomial of polynomials fills pages."""
    total = sympy.Add(*(edge.symbolic(x) for edge, x in zip(edges, inputs, strict=True)))
    snapped = all(isinstance(edge, Snap) for edge in edges)
    return sympy.expand(total, power_exp=False, log=False) if snapped else total


def closed_form(
    network: Network, coefficients: Sequence[Tensor], points: FloatArray, *, least_r2: float
) -> ClosedForm:
    """Snap every edge, then fit all numbers together to the network's values.

    Args:
        network: Of few KAN layers; each edge becomes a term.
        coefficients: Of every layer, (I, J, K), float64, on the CPU.
        points: (N, D), in the domain: they make the inputs of all edges.
        least_r2: What an edge's function must reach; an edge that none follows keeps its expansion.

    Raises:
        UsageError: If the network is no KAN, or has more than 100 edges that are not zero.
    """
    _require_small(network, coefficients)
    places = torch.from_numpy(points)
    z = network.input_map.values(places)
    layers = []
    for layer, weights in zip(network.layers, coefficients, strict=True):
        assert isinstance(layer, KanLayer)
        features = layer.values(z).view(len(z), layer.basis.size, layer.inputs)
        edges = torch.einsum("nki,ijk->nij", features, weights)
        layers.append(_snapped(layer, weights, z.numpy(), edges.numpy(), least_r2))
        z = edges.sum(dim=1)
    rough = ClosedForm(network.input_map, tuple(layers))
    return _fitted_together(rough, points, z[:, 0].numpy())


def _require_small(network: Network, coefficients: Sequence[Tensor]) -> None:
    if not all(isinstance(layer, KanLayer) for layer in network.layers):
        raise UsageError("formula: this network has no functions on its edges; use a KAN (network.kind)")
    edges = sum(int((c != 0).any(dim=2).sum()) for c in coefficients)
    if edges > MOST_EDGES:
        raise UsageError(
            f"formula: {edges} edges make no formula that anyone reads (most: {MOST_EDGES}); train a small "
            "network (--set network.hidden=[2]), with training.phases that have sparsity and prune"
        )


def _snapped(
    layer: KanLayer, weights: Tensor, inputs: FloatArray, edges: FloatArray, least_r2: float
) -> tuple[tuple[Edge, ...], ...]:
    """Return the edges [p][q] of one layer from its inputs (N, I) and what they give (N, I, J)."""
    largest = edges.std(axis=0).max()

    def one(p: int, q: int) -> Edge:
        x, y = inputs[:, p], edges[:, p, q]
        if y.std() <= _SMALL * largest or np.ptp(x) == 0.0:
            return Snap(LIBRARY["1"], (1.0, 0.0, 0.0, float(y.mean())), 1.0)
        found = snap(x, y, least_r2=least_r2)
        if found is None and not has_expansion(layer.basis):
            # No expression in one piece, as of splines: the nearest function stands for it.
            tried = [fit(template, x, y) for template in LIBRARY.values()]
            found = max((snap for snap in tried if snap is not None), key=lambda snap: snap.r2)
        return found or Kept(layer, weights[p, q].contiguous())

    _, inner, outer = edges.shape
    return tuple(tuple(one(p, q) for q in range(outer)) for p in range(inner))


def _fitted_together(rough: ClosedForm, points: FloatArray, values: FloatArray) -> ClosedForm:
    """Fit all free numbers to the network's values: edges fitted one by one add up their errors."""
    from scipy.optimize import least_squares

    start = rough.numbers()
    if start.size == 0:
        return rough
    scale = max(float(np.abs(values).max()), 1e-300)

    def residual(numbers: FloatArray) -> FloatArray:
        left = (rough.with_numbers(numbers)(points) - values) / scale
        return np.nan_to_num(left, nan=1e3, posinf=1e3, neginf=-1e3)

    def jacobian(numbers: FloatArray) -> FloatArray:
        slopes = rough.with_numbers(numbers).jacobian(points) / scale
        return np.nan_to_num(slopes, nan=0.0, posinf=0.0, neginf=0.0)

    found = least_squares(residual, start, jac=jacobian, x_scale=np.maximum(np.abs(start), 1e-2), max_nfev=80)
    better = np.linalg.norm(residual(found.x)) < np.linalg.norm(residual(start))
    return rough.with_numbers(found.x) if better else rough

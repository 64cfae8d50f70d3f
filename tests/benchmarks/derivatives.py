"""Residual and gradient of one training step: jets against nested autograd.

The elliptic family at lambda = 0, the paper's network 2-64-64-1 with 8 Chebyshev functions,
random coefficients. Both sides share points, data, ansatz, features (the basis by recurrence)
and matrix products; one side carries derivatives forward in jets and pulls one adjoint back by
hand (`NetworkLeastSquares.gradient`), the other calls `torch.autograd.grad` once for u_x and u_y,
once each for u_xx and u_yy, and once more for the coefficients, on all points or on the jets'
chunks, whichever is faster. (The shipped oracle is slower than that: it shares no passes.)

Work is counted as in the table "work per collocation point" of the design's facts: products of
features and coefficients forward, of adjoints backward (not into the input), and of both for the
gradient; evaluating features is not counted. The rate is measured by torch.mm at 1024 x 1024.
`products alone` is the time of exactly those products in the chunks they come in: the least that
any evaluation of features around them could reach.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

import torch
from common import (
    begin,
    error_text,
    finish,
    integers,
    median_seconds,
    parser,
    problem,
    product_rate,
    table,
    time_text,
)
from torch import Tensor

from pinnkan.ground.channels import Channels
from pinnkan.ground.derivatives import Channel, Collapsed
from pinnkan.networks import Network
from pinnkan.networks.adapters import Parametrisation
from pinnkan.networks.adapters.layerwise import Full
from pinnkan.physics.family import Family
from pinnkan.physics.residuals.least_squares import NetworkLeastSquares
from pinnkan.physics.residuals.training_set import TrainingSet
from pinnkan.physics.residuals.training_sets import training_sets
from pinnkan.training import generator_for, network_for


def nested_jet(network: Network, points: Tensor, weights: Sequence[Tensor], channels: Channels) -> Tensor:
    """Return all channels (C, N, 1) of a network's output by nested autograd, differentiable in weights.

    Each partial derivative is taken once and shared by those above it.
    """
    x = points.detach().requires_grad_(True)
    value = network.values(x, weights).squeeze(1)
    gradients: dict[tuple[int, ...], Tensor] = {}
    known: dict[Channel, Tensor] = {(0,) * channels.dimension: value}

    def partial(index: tuple[int, ...]) -> Tensor:
        if index not in known:
            axis = next(at for at, power in enumerate(index) if power)
            lower = tuple(power - (at == axis) for at, power in enumerate(index))
            if lower not in gradients:
                below = partial(lower)
                (gradients[lower],) = torch.autograd.grad(below.sum(), x, create_graph=True)
            known[index] = gradients[lower][:, axis]
        return known[index]

    def channel(key: Channel) -> Tensor:
        if not isinstance(key, Collapsed):
            return partial(key)
        twice = [tuple(2 * (at == axis) for at in range(len(key.coefficients))) for axis in range(len(x[0]))]
        terms = [c * partial(index) for c, index in zip(key.coefficients, twice, strict=True) if c]
        return torch.stack(terms).sum(dim=0)

    return torch.stack([channel(key) for key in channels.keys]).unsqueeze(2)


def nested_step(
    network: Network,
    sets: Sequence[TrainingSet],
    coefficients: Sequence[Tensor],
    dtype: torch.dtype,
    chunk: int,
) -> Callable[[], tuple[float, list[Tensor]]]:
    """Return the call that evaluates |r|^2 and its gradient in the weight matrices by nested autograd."""
    cut = [
        one.chunk(slice(start, start + chunk), dtype) for one in sets for start in range(0, one.count, chunk)
    ]
    leaves = [w.clone().to(dtype).requires_grad_(True) for w in network.matrices(coefficients)]

    def step() -> tuple[float, list[Tensor]]:
        total, gradients = 0.0, [torch.zeros_like(leaf) for leaf in leaves]
        for one in cut:
            jet = nested_jet(network, one.points, leaves, one.channels)
            loss = one.weighted(jet).square().sum()
            total += loss.item()
            for gradient, part in zip(gradients, torch.autograd.grad(loss, leaves), strict=True):
                gradient += part
        return total, gradients

    return step


def counted_flops(network: Network, sets: Sequence[TrainingSet]) -> float:
    """Return the flops of all matrix products of one step."""
    sizes = [layer.features * layer.outputs for layer in network.layers]
    return float(
        sum(one.count * len(one.channels) * 2 * (3 * sum(sizes) - sizes[0]) for one in sets)
    )  # forward, adjoints of all but the first layer, gradient


def products_alone(
    network: Network, sets: Sequence[TrainingSet], chunk: int, dtype: torch.dtype
) -> Callable[[], None]:
    """Return the call that multiplies what one step multiplies, and nothing else."""
    work = []
    for one in sets:
        for start in range(0, one.count, chunk):
            rows = len(one.channels) * min(chunk, one.count - start)
            for at, layer in enumerate(network.layers):
                phi = torch.rand(rows, layer.features, dtype=dtype)
                weight = torch.rand(layer.features, layer.outputs, dtype=dtype)
                delta = torch.rand(rows, layer.outputs, dtype=dtype)
                work.append((at, phi, weight, delta))

    def multiply() -> None:
        for at, phi, weight, delta in work:
            phi @ weight
            if at:
                delta @ weight.T
            phi.T @ delta

    return multiply


def measure(count: int, dtype: torch.dtype, repeats: int, rate: float, compared: int) -> dict[str, Any]:
    """Time both sides at so many points and compare what they return."""
    stated = problem("elliptic")
    instance = Family(stated).at()
    network = network_for(instance, stated.settings.network)
    coefficients = network.initial(generator_for(0, "coefficients"))
    parameters = Parametrisation([Full(c) for c in coefficients])
    sets = training_sets(instance, stated.settings.points, seed=0, variant=0, interior=count)
    least_squares = NetworkLeastSquares(network, parameters, sets, product_dtype=dtype)
    theta = parameters.start()
    chunked, whole = (
        nested_step(network, sets, coefficients, dtype, size) for size in (least_squares.chunk, count + 1000)
    )
    loss, gradient = least_squares.gradient(theta)
    other_loss, other_gradient = whole()
    flat = torch.cat([part.flatten() for part in other_gradient]).double()
    jets_s = median_seconds(lambda: least_squares.gradient(theta), repeats=repeats)
    flops = counted_flops(network, sets)
    alone = products_alone(network, sets, least_squares.chunk, dtype)
    return {
        "points": sum(one.count for one in sets),
        "dtype": str(dtype).removeprefix("torch."),
        "jets_s": jets_s,
        "nested_s": min(median_seconds(nested, repeats=compared) for nested in (chunked, whole)),
        "products_s": median_seconds(alone, repeats=repeats),
        "flops": flops,
        "share": flops / jets_s / rate,
        "loss_difference": abs(loss - other_loss) / abs(other_loss),
        "gradient_difference": float((gradient - flat).norm() / flat.norm()),
    }


def row(one: dict[str, Any], rate: float) -> list[str]:
    """Write one measurement."""
    return [
        f"{one['points']} points, {one['dtype']}",
        time_text(1e3 * one["nested_s"]),
        time_text(1e3 * one["jets_s"]),
        time_text(one["nested_s"] / one["jets_s"]),
        time_text(1e3 * one["products_s"]),
        time_text(one["flops"] / 1e9),
        time_text(rate / 1e9),
        f"{100 * one['share']:.0f} %",
        f"{100 * one['flops'] / one['products_s'] / rate:.0f} %",
        error_text(one["gradient_difference"]),
    ]


def main() -> None:
    """Run it."""
    options = read_options()
    record = begin("Residual and gradient: jets against nested autograd", options)
    repeats = 3 if options.quick else options.repeats
    found, lines = [], []
    for dtype in (torch.float32, torch.float64):
        rate = product_rate(dtype, repeats=repeats)
        for count in options.points:
            one = measure(count, dtype, repeats, rate, max(3, repeats // 2)) | {"rate": rate}
            found.append(one)
            lines.append(row(one, rate))
    header = [
        "elliptic, 2-64-64-1",
        "nested ms",
        "jets ms",
        "ratio",
        "products alone ms",
        "Gflop",
        "mm Gflop/s",
        "share of mm",
        "products' share",
        "gradients differ by",
    ]
    print(table(header, lines))
    ratios = [one["nested_s"] / one["jets_s"] for one in found]
    print(f"\njets are {min(ratios):.1f} to {max(ratios):.1f} times faster (median of {repeats} calls each)")
    record["results"] = found
    finish(record, options.json)


def read_options() -> argparse.Namespace:
    """Read the command line."""
    made = parser(__doc__)
    made.add_argument("--points", type=integers, default=[1000, 4000])
    made.add_argument("--repeats", type=int, default=41)
    options = made.parse_args()
    if options.quick:
        options.points = [200, 400]
    return options


if __name__ == "__main__":
    main()

"""The elliptic problem at lambda = 1: DeepXDE's usual recipe, pinnkan from scratch, pinnkan's adapter.

DeepXDE (PyTorch backend, float64): multilayer perceptron of three layers of 64 tanh, hard boundary
condition by (1 - |x|^2) N, 1,000 Hammersley points, Adam (1e-3) for 4,000 steps, then L-BFGS with its
defaults; beside it the same after 500 steps of Adam, since L-BFGS does most of the work here. The
source is handed over once a point (an auxiliary variable), which is the faster way.
pinnkan: `--method scratch` (the recipe of `training:` at lambda = 1) and a `lotra` adapter on a base
that is pretrained at lambda = 0.

Same machine, threads and 20,000 error points; the time of measuring the error is taken out on every side.
The break-even is the least number of values of lambda at which pre-training and adapters together
are faster than a network from scratch for each.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import torch
from common import (
    Curve,
    ErrorMeter,
    begin,
    error_text,
    finish,
    integers,
    median_or_none,
    parser,
    problem,
    spread,
    table,
    time_text,
    trained_curve,
)
from radial import elliptic_source

from pinnkan.physics.family import Family
from pinnkan.solutions.evaluation.norms import measure_errors

TARGETS = (1e-3, 2e-4, 5e-5)
SCRATCH, ADAPTER, BASE = "pinnkan, scratch", "pinnkan, adapter", "pinnkan, base"


@dataclass(frozen=True)
class Recipe:
    """DeepXDE's recipe.

    Attributes:
        points: In the disk.
        adam: Steps of Adam.
        lbfgs: Most iterations of L-BFGS.
        value: lambda.
    """

    points: int
    adam: int
    lbfgs: int
    value: float

    @property
    def name(self) -> str:
        """As printed."""
        return f"DeepXDE, Adam {self.adam}"


def deepxde_curve(recipe: Recipe, points: np.ndarray, exact: np.ndarray, seed: int) -> Curve:
    """Train by DeepXDE and keep the error over time."""
    os.environ["DDE_BACKEND"] = "pytorch"
    import deepxde as dde

    dde.config.set_default_float("float64")
    random.seed(seed)
    dde.config.set_random_seed(seed)
    started = time.perf_counter()
    model = _deepxde_model(dde, recipe)
    watcher = _watcher(dde, points, exact, started)
    silent = {"verbose": 0, "display_every": 10**9}
    model.compile("adam", lr=1e-3, verbose=0)
    model.train(iterations=recipe.adam, callbacks=[watcher], **silent)
    # The default takes 1,000 iterations a call and looks up in between; 100 let the error be seen.
    dde.optimizers.config.set_LBFGS_options(maxiter=recipe.lbfgs)
    dde.optimizers.config.LBFGS_options.update(iter_per_step=100, fun_per_step=125)
    model.compile("L-BFGS", verbose=0)
    model.train(callbacks=[watcher], **silent)
    watcher.look()
    curve: Curve = watcher.curve
    curve.total, curve.final = curve.seconds[-1], curve.errors[-1]
    return curve


def _deepxde_model(dde: Any, recipe: Recipe) -> Any:
    """Return the model, to be compiled."""

    def equation(x: torch.Tensor, u: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
        slopes = [dde.grad.jacobian(u, x, i=0, j=axis) for axis in (0, 1)]
        laplacian = sum(dde.grad.hessian(u, x, i=axis, j=axis) for axis in (0, 1))
        a = 1.0 + 0.5 * (x**2).sum(dim=1, keepdim=True)
        inner = x[:, :1] * slopes[0] + x[:, 1:] * slopes[1]
        residual: torch.Tensor = -a * laplacian - inner + slopes[0] ** 2 + slopes[1] ** 2 - source
        return residual

    def source(x: np.ndarray) -> np.ndarray:
        return elliptic_source(np.linalg.norm(x, axis=1, keepdims=True), recipe.value)

    data = dde.data.PDE(
        dde.geometry.Disk([0, 0], 1),
        equation,
        [],
        num_domain=recipe.points,
        train_distribution="Hammersley",
        auxiliary_var_function=source,
    )
    network = dde.nn.FNN([2, 64, 64, 64, 1], "tanh", "Glorot normal")
    network.apply_output_transform(lambda x, u: (1.0 - (x**2).sum(dim=1, keepdim=True)) * u)
    return dde.Model(data, network)


def _watcher(dde: Any, points: np.ndarray, exact: np.ndarray, started: float) -> Any:
    """Return a callback that measures the error every 100 steps and takes its own time out."""

    class Watcher(dde.callbacks.Callback):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.curve = Curve()
            self._spent = 0.0
            self._calls = 0

        def on_epoch_end(self) -> None:
            self._calls += 1
            if self.model.opt_name == "L-BFGS" or self._calls % 100 == 0:
                self.look()

        def look(self) -> None:
            now = time.perf_counter()
            values = self.model.predict(points).ravel()
            self.curve.add(now - started - self._spent, measure_errors(values, exact).relative_l2)
            self._spent += time.perf_counter() - now

    return Watcher()


def rows(found: Mapping[str, Sequence[Curve]]) -> Iterator[list[str]]:
    """Give one row a contestant, with the ratio of the first one's time to its own."""
    first = next(iter(found))
    theirs = [median_or_none(one.time_to(target) for one in found[first]) for target in TARGETS]
    for name, curves in found.items():
        times = [median_or_none(one.time_to(target) for one in curves) for target in TARGETS]
        cells = [
            time_text(mine)
            if mine is None or peer is None or name in (first, BASE)
            else f"{time_text(mine)} ({time_text(peer / mine)}x)"
            for mine, peer in zip(times, theirs, strict=True)
        ]
        yield [
            name,
            *cells,
            spread([one.final for one in curves], error_text),
            spread([one.total for one in curves], time_text),
        ]


def break_even(found: Mapping[str, Sequence[Curve]], target: float) -> dict[str, int | None]:
    """Return how many values of lambda pay for the base, against a fresh network for each.

    The base is counted with all of its training, adapters and networks with their time to
    ``target``; None if one never gets there or the adapter is no faster.
    """
    times = {name: median_or_none(one.time_to(target) for one in curves) for name, curves in found.items()}
    base = median(one.total for one in found[BASE])
    adapter = times[ADAPTER]
    counts: dict[str, int | None] = {}
    for name, fresh in times.items():
        if name in (BASE, ADAPTER):
            continue
        paid = fresh is not None and adapter is not None and fresh > adapter
        counts[name] = math.ceil(base / (fresh - adapter)) if paid else None  # type: ignore[operator]
    return counts


def pinnkan_curves(options: argparse.Namespace) -> dict[str, list[Curve]]:
    """Train from scratch, a base and its adapter, for every seed."""
    small = ["points.interior=200", "points.held_out=200", "finetuning.points=300"] if options.quick else []
    shipped, limit = problem("elliptic", small), 2.0 if options.quick else None
    found: dict[str, list[Curve]] = {SCRATCH: [], BASE: [], ADAPTER: []}
    for seed in options.seeds:
        target = {"lambda": options.value}
        found[SCRATCH].append(trained_curve(shipped, target, seed=seed, time_limit=limit)[1])
        base, curve = trained_curve(shipped, shipped.base_values, seed=seed, time_limit=limit)
        found[BASE].append(curve)
        adapter = trained_curve(shipped, target, seed=seed, base=base.coefficients(), time_limit=limit)
        found[ADAPTER].append(adapter[1])
        print(f"  pinnkan, seed {seed}: done", file=sys.stderr, flush=True)
    return found


def main() -> None:
    """Run it."""
    options = read_options()
    record = begin(f"The elliptic problem at lambda = {options.value:g}: DeepXDE and pinnkan", options)
    # pinnkan first: importing DeepXDE changes torch's defaults.
    found = pinnkan_curves(options)
    stated = problem("elliptic")
    meter = ErrorMeter(Family(stated).at({"lambda": options.value}), stated)
    # A first small training takes the cost of what torch imports late out of the times.
    deepxde_curve(Recipe(50, 2, 2, options.value), meter.points, meter.reference, 0)
    peers: dict[str, list[Curve]] = {}
    for adam in options.adam:
        recipe = Recipe(options.points, adam, options.lbfgs, options.value)
        for seed in options.seeds:
            curve = deepxde_curve(recipe, meter.points, meter.reference, seed)
            peers.setdefault(recipe.name, []).append(curve)
            print(f"  {recipe.name}, seed {seed}: done", file=sys.stderr, flush=True)
    found = peers | found
    print(
        f"Seconds to an error, medians of seeds {options.seeds}; - is never; in brackets: times faster than"
    )
    print(f"{next(iter(found))} ({options.points} points, at most {options.lbfgs} iterations of L-BFGS)\n")
    header = ["", *(f"to {error_text(target)}" for target in TARGETS), "error returned", "total s"]
    print(table(header, rows(found)))
    print(f"\n{BASE}: at lambda = 0, its own error; {ADAPTER}: without the base\n")
    counts = {error_text(target): break_even(found, target) for target in TARGETS}
    cells = [
        [target, *("-" if count is None else str(count) for count in by_name.values())]
        for target, by_name in counts.items()
    ]
    against = [f"against {name}" for name in found if name not in (BASE, ADAPTER)]
    print(table(["values of lambda to break even, to", *against], cells))
    record["curves"] = {name: [one.to_json() for one in curves] for name, curves in found.items()}
    record["break_even"] = counts
    finish(record, options.json)


def read_options() -> argparse.Namespace:
    """Read the command line."""
    made = parser(__doc__)
    made.add_argument("--seeds", type=integers, default=[0, 1, 2])
    made.add_argument("--value", type=float, default=1.0, help="lambda (default %(default)s)")
    made.add_argument("--points", type=int, default=1000, help="DeepXDE's points (default %(default)s)")
    made.add_argument(
        "--adam", type=integers, default=[4000, 500], help="DeepXDE's steps of Adam (default 4000,500)"
    )
    made.add_argument("--lbfgs", type=int, default=5000, help="DeepXDE's iterations of L-BFGS at most")
    options = made.parse_args()
    if options.quick:
        options.seeds, options.points, options.adam, options.lbfgs = [0], 200, [200, 100], 200
    return options


if __name__ == "__main__":
    main()

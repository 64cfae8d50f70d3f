"""Slim KANs over their compression ratio: the two tasks of the paper's function representation, and as bases.

trig   sin(pi x) sin(pi y) on (-1, 1)^2 with normal noise of deviation 0.05 (the paper's), hidden 32,
       8 Chebyshev functions, MLP 2-128-128-1. Our choice: 4,000 random samples; "trig, LM" has 1,000 of
       them, on which Levenberg-Marquardt overfits at every ratio.
sharp  exp(-10 |y - sin(2 pi x) / 2|), a kink along an oscillating curve, without noise, hidden 128, MLP
       2-1024-1024-1. The paper does not say which function it used; this one is ours, with 2,000 samples.

The hidden layer of a slim KAN has ranks ceil(cr * (hidden, hidden, 8)); cr = 1 is the whole KAN. "training"
is the root mean square residual over the samples, noise included, after the last step: nothing is stopped
early, for the paper's curves are those of networks trained to the end. "validation" is the root mean
square distance to the function without noise on 20,000 unseen points, "kept" that of the state which
pinnkan keeps by its held-out samples.

base   the elliptic family's base (lambda = 0) by its own recipe, the first phase in full or slim.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import begin, error_text, finish, integers, parser, spread, table, time_text, trained_curve, words
from torch import Tensor

from pinnkan.ground.progress import Silent
from pinnkan.language.problem import Problem, load_problem, shipped_problems
from pinnkan.output.pictures.canvas import picture
from pinnkan.physics.family import Family
from pinnkan.solutions.solution import Solution
from pinnkan.training import TrainingState, TrainingTask, pretrain
from pinnkan.training.task import Arithmetic, Audience

POINTS = 20_000


@dataclass(frozen=True)
class Task:
    """One function to represent.

    Attributes:
        formula: The function.
        noise: Standard deviation of the noise on its samples.
        hidden: Width of the KAN's two hidden layers.
        mlp: Width of the MLP's.
        samples: Points to train on.
        ratios: Compression ratios; 1 is the whole network.
        shown: Ratios whose surfaces are drawn.
        training: The block of the problem file.
    """

    formula: str
    noise: float
    hidden: int
    mlp: int
    samples: int
    ratios: tuple[str, ...]
    shown: tuple[str, ...]
    training: str


TASKS = {
    "trig": Task(
        "sin(pi*x)*sin(pi*y)", 0.05, 32, 128, 4000,
        ("1/32", "1/16", "1/8", "1/4", "1/2", "1"), ("1/32", "1/4", "1"),
        "{optimizer: adam, steps: 1500, rate: 3.0e-3, rates: [3.0e-3, 3.0e-3, 3.0e-3, 3.0e-3]}",
    ),
    "trig, LM": Task(
        "sin(pi*x)*sin(pi*y)", 0.05, 32, 128, 1000,
        ("1/32", "1/16", "1/8", "1/4", "1/2", "1"), ("1/32", "1/4", "1"),
        "{optimizer: lm, steps: 40}",
    ),
    "sharp": Task(
        "exp(-10*abs(y - sin(2*pi*x)/2))", 0.0, 128, 1024, 2000,
        ("4/128", "8/128", "16/128", "32/128", "64/128", "1"), ("4/128", "64/128", "1"),
        "{optimizer: adam, steps: 1500, schedule: cosine, rate: 3.0e-3, "
        "rates: [3.0e-3, 3.0e-3, 3.0e-3, 3.0e-3]}",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One trained network of a task."""

    task: str
    network: str
    seed: int
    parameters: int
    training: float
    validation: float
    kept: float
    seconds: float


def problem_of(task: Task, network: str, *, quick: bool) -> Problem:
    """Return the task as a problem file for a compression ratio or ``mlp``."""
    width = 8 if quick else task.mlp if network == "mlp" else task.hidden
    kind = {"mlp": "mlp", "1": "kan"}.get(network, "slim")
    rank = network if kind == "slim" else "1/8"
    count = 60 if quick else task.samples
    return load_problem(
        f"""
coordinates: [x, y]
domain: {{shape: box, x: [-1, 1], y: [-1, 1]}}
unknowns: u
exact: {task.formula}
equations: [u = exact]
network: {{kind: {kind}, hidden: [{width}, {width}], functions: 8, rank: {rank}}}
points: {{interior: {count}, held_out: {count // 4}, rule: random, noise: {task.noise}}}
training: {task.training}
""",
        overrides=["training.steps=2"] if quick else [],
    )


def fit(name: str, network: str, seed: int, *, quick: bool) -> tuple[Cell, Solution]:
    """Train one network to the last step."""
    problem = problem_of(TASKS[name], network, quick=quick)
    dtype = torch.float32 if problem.settings.training.phase.optimizer == "adam" else torch.float64
    last: list[TrainingState] = []

    def keep(state: TrainingState) -> None:
        last[:] = [state]

    run = TrainingTask(
        Family(problem).at(None),
        problem.settings,
        seed,
        Arithmetic(torch.device("cpu"), dtype),
        Audience(Silent(), name),
        keep=keep,
    )
    trained = pretrain(run)
    theta = last[0].inner.optimizer["theta"]
    assert isinstance(theta, Tensor)
    solution = Solution(run.instance, trained.network, trained.parameters.coefficients(theta))
    kept = Solution(run.instance, trained.network, trained.coefficients())
    cell = Cell(
        name,
        network,
        seed,
        trained.trainable,
        math.sqrt(trained.history[-1].loss),
        distance(solution),
        distance(kept),
        trained.seconds,
    )
    return cell, solution


def distance(solution: Solution) -> float:
    """Return the root mean square distance to the function without noise."""
    points = solution.instance.domain.uniform(POINTS, 0)
    (exact,) = solution.instance.exact(points).values()
    return float(np.sqrt(np.mean((solution(points)[0] - exact) ** 2)))


def rows(cells: Sequence[Cell]) -> list[list[str]]:
    """Return one row for each network of a task, medians and ranges over seeds."""
    found = []
    for network in dict.fromkeys(one.network for one in cells):
        mine = [one for one in cells if one.network == network]
        figures = [
            spread([getattr(one, key) for one in mine], lambda value: f"{value:.2e}")
            for key in ("training", "validation", "kept")
        ]
        seconds = time_text(statistics.median(one.seconds for one in mine))
        found.append([network, str(mine[0].parameters), *figures, seconds])
    return found


def draw_curves(name: str, cells: Sequence[Cell], target: Path) -> None:
    """Draw training and validation error against the ratio (the paper's Figures 6 and 8)."""
    ratios = [one for one in dict.fromkeys(cell.network for cell in cells) if one != "mlp"]
    with picture(target, 85, 65, dpi=150) as figure:
        axes = figure.subplots()
        for key, colour, mark in (("training", "#0072b2", "o"), ("validation", "#d55e00", "s")):
            for at, network in enumerate([*ratios, "mlp"]):
                values = [getattr(one, key) for one in cells if one.network == network]
                place = [float(Fraction(network))] if network != "mlp" else [1.8]
                axes.vlines(place, min(values), max(values), color=colour, linewidth=0.8)
                axes.plot(place, [statistics.median(values)], mark, color=colour, label=None if at else key)
            medians = [
                statistics.median(getattr(one, key) for one in cells if one.network == ratio)
                for ratio in ratios
            ]
            axes.plot([float(Fraction(ratio)) for ratio in ratios], medians, color=colour)
        if TASKS[name].noise:
            axes.axhline(TASKS[name].noise, color="0.5", linestyle="--", linewidth=0.8, label="noise")
        axes.set(xscale="log", yscale="log", xlabel="compression ratio (1.8: MLP)", ylabel="rms")
        axes.legend(loc="best")


def draw_surfaces(shown: dict[str, Solution], target: Path) -> None:
    """Draw the function and what networks made of it, as the paper's Figures 7 and 9 do."""
    axis = np.linspace(-1, 1, 81)
    x, y = np.meshgrid(axis, axis)
    points = np.column_stack([x.ravel(), y.ravel()])
    first = next(iter(shown.values()))
    (exact,) = first.instance.exact(points).values()
    fields = {"function": exact} | {f"cr = {network}": one(points)[0] for network, one in shown.items()}
    with picture(target, 175, 52, dpi=150) as figure:
        for at, (title, values) in enumerate(fields.items()):
            axes: Any = figure.add_subplot(1, len(fields), at + 1, projection="3d")
            axes.plot_surface(
                x, y, values.reshape(x.shape), cmap="viridis", rstride=2, cstride=2, linewidth=0
            )
            axes.set(title=title, xticks=[-1, 0, 1], yticks=[-1, 0, 1])


def bases(options: argparse.Namespace) -> list[list[str]]:
    """Train the elliptic base with a full and with slim first phases; return the table's rows."""
    found = []
    quick = ["points.interior=60"] if options.quick else []
    text = shipped_problems()["elliptic"].read_text(encoding="utf-8")
    first = "{points: 600, steps: 24, residual_below: 6.0e-3}"
    assert first in text
    for form in ("full", "slim 1/8", "slim 1/4", "slim 1/2"):
        word, _, rank = form.partition(" ")
        changed = text.replace(first, first.replace("{", f"{{form: {word}, "))
        overrides = [f"network.rank={rank or '1/8'}", *quick]
        if options.quick:
            overrides.append("training.steps=2")
        family = load_problem(changed, overrides=overrides)
        runs = [trained_curve(family, {}, seed=seed) for seed in options.seeds]
        found.append(
            [
                form,
                spread([curve.final for _, curve in runs], error_text),
                spread([trained.rms.held_out for trained, _ in runs], lambda value: f"{value:.2e}"),
                time_text(statistics.median(curve.total for _, curve in runs)),
            ]
        )
    return found


def main() -> None:
    """Run it."""
    options = read_options()
    record = begin("Slim KANs: function representation, and a base", options)
    record["cells"] = []
    for name in [one for one in TASKS if one in options.tasks]:
        cells, shown = [], {}
        for network in [*TASKS[name].ratios, "mlp"]:
            for seed in options.seeds:
                cell, solution = fit(name, network, seed, quick=options.quick)
                cells.append(cell)
                print(f"  {name}, {network}, seed {seed}: {cell.seconds:.0f} s", file=sys.stderr, flush=True)
                if seed == options.seeds[0] and network in TASKS[name].shown:
                    shown[network] = solution
        print(f"\n{name}: u = {TASKS[name].formula}, noise {TASKS[name].noise}; seeds {options.seeds}\n")
        header = ["cr", "parameters", "training", "validation", "kept", "seconds"]
        print(table(header, rows(cells)), flush=True)
        record["cells"] += [asdict(cell) for cell in cells]
        if options.figures is not None:
            stem = name.replace(", ", "_").lower()
            draw_curves(name, cells, options.figures / f"slim_{stem}.png")
            draw_surfaces(shown, options.figures / f"slim_{stem}_surfaces.png")
    if "base" in options.tasks:
        print(f"\nElliptic base (lambda = 0), its first phase; seeds {options.seeds}\n")
        record["bases"] = bases(options)
        print(table(["first phase", "relative l2", "held out", "seconds"], record["bases"]))
    finish(record, options.json)


def read_options() -> argparse.Namespace:
    """Read the command line."""
    made = parser(__doc__)
    made.add_argument("--seeds", type=integers, default=[0, 1, 2])
    made.add_argument(
        "--tasks", type=lambda text: [one.replace("-lm", ", LM") for one in words(text)],
        default=[*TASKS, "base"], help="trig,trig-lm,sharp,base (all)",
    )  # fmt: skip
    made.add_argument("--figures", type=Path, metavar="DIR", help="draw curves and surfaces into DIR")
    options = made.parse_args()
    if options.quick:
        options.seeds = [0]
    return options


if __name__ == "__main__":
    main()

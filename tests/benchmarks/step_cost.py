"""What a step of Levenberg-Marquardt costs, part by part, and what share of the product rate it reaches.

    python tests/benchmarks/step_cost.py
    python tests/benchmarks/step_cost.py --only helmholtz_gauss --steps 40

Three questions, on problems of the default recipe (2-12-12-1, about 1,440 numbers, all in float64):

* Parts: CPU seconds and flops (of matrix products and factorisations; what is done entry by entry is time
  without flops) of the residuals, the Jacobian, J^T J and its Cholesky factor. A whole step is one Jacobian,
  one J^T J and, a trial, one factor and two evaluations of the residuals.
* Trials: how many are rejected, in a training of so many steps. One eigendecomposition of J^T J serves all
  dampings; it pays only where more trials are made than factors cost as much.
* Sketches: J^T J of a CountSketch of 2 P and 4 P rows (every row added to one of them with a random sign)
  beside that of all rows, at the recipe's points and at ten times as many: seconds, and what of the residual
  each step leaves in the linear model.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parent))
from common import begin, finish, parser, table, words
from default_recipe import TABLE

from pinnkan.language.problem import load_problem
from pinnkan.networks.adapters import Full, Parametrisation
from pinnkan.optim.least_squares import symmetric_product
from pinnkan.optim.levenberg_marquardt import LevenbergMarquardt
from pinnkan.physics.family import Family
from pinnkan.physics.residuals.least_squares import NetworkLeastSquares
from pinnkan.physics.residuals.training_sets import training_sets
from pinnkan.training.network import network_for

REPEATS = 3
DAMPING = 1e-6


def problem_of(name: str, times: int = 1) -> tuple[NetworkLeastSquares, Tensor]:
    """Return the least-squares problem of a file, on so many times its points, and its start."""
    stated = load_problem(TABLE[name].text, name=name)
    points = stated.settings.points.interior * times
    instance = Family(load_problem(TABLE[name].text, name=name)).at()
    network = network_for(instance, stated.settings.network)
    parameters = Parametrisation([Full(c) for c in network.initial(torch.Generator().manual_seed(0))])
    sets = training_sets(instance, stated.settings.points, seed=0, variant=0, interior=points)
    return NetworkLeastSquares(network, parameters, sets), parameters.start()


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the least CPU time of a few calls."""
    taken = []
    for _ in range(REPEATS):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return min(taken)


def product_rate(size: int = 1024) -> float:
    """Return the flop/s of a matrix product in float64 by CPU time: other programs may share the cores."""
    left = torch.rand(size, size, dtype=torch.float64)
    return 2.0 * size**3 / cpu_seconds(lambda: torch.mm(left, left))


def flops_of(problem: NetworkLeastSquares) -> dict[str, float]:
    """Return the flops of every part: 2 C F J a point and layer forward, as many backward, as for rows."""
    through = sum(
        2.0 * len(own.channels) * layer.features * layer.outputs * own.count
        for own in problem.sets
        for layer in problem.network.layers
    )
    m, p = problem.count, problem.size
    return {
        "residuals": through,
        "Jacobian": 3.0 * through,
        "J^T J": float(m) * p * p,
        "Cholesky": p**3 / 3.0,
    }


def parts_of(problem: NetworkLeastSquares, theta: Tensor) -> dict[str, float]:
    """Return the CPU seconds of every part, and of an eigendecomposition."""
    linearisation = problem.linearise(theta)
    gram = linearisation.gram()
    gram.diagonal().add_(DAMPING * gram.diagonal().mean())
    return {
        "residuals": cpu_seconds(lambda: problem.residuals(theta)),
        "Jacobian": cpu_seconds(lambda: problem.linearise(theta)),
        "J^T J": cpu_seconds(linearisation.gram),
        "Cholesky": cpu_seconds(lambda: torch.linalg.cholesky(gram)),
        "eigenvectors": cpu_seconds(lambda: torch.linalg.eigh(gram)),
    }


def rejections(problem: NetworkLeastSquares, theta: Tensor, steps: int) -> tuple[int, list[int], Tensor]:
    """Return the steps taken, the rejected trials of each, and where they ended."""
    optimizer, rejected = LevenbergMarquardt(problem, theta), []
    for _ in range(steps):
        step = optimizer.step()
        if step.stalled:
            break
        match = re.search(r"(\d+) rejected", step.note)
        rejected.append(int(match.group(1)) if match else 0)
    return len(rejected), rejected, optimizer.theta


def sketched(rows: Tensor, residuals: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return a CountSketch of rows and residuals: S J and S r with one entry of +-1 in a column of S."""
    generator = torch.Generator().manual_seed(1)
    places = torch.randint(count, (len(rows),), generator=generator)
    signs = 2.0 * torch.randint(2, (len(rows),), generator=generator).to(rows) - 1.0
    result = rows.new_zeros(count, rows.shape[1]).index_add_(0, places, rows * signs[:, None])
    return result, residuals.new_zeros(count).index_add_(0, places, residuals * signs)


def step_from(gram: Tensor, right: Tensor) -> Tensor:
    """Return the damped step of one Gram matrix."""
    damped = gram + DAMPING * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)
    return torch.cholesky_solve(-right[:, None], torch.linalg.cholesky(damped))[:, 0]


def sketch_row(problem: NetworkLeastSquares, theta: Tensor, share: int) -> list[str]:
    """Return what a sketch of ``share`` P rows costs, and what both steps leave of the residual."""
    rows, residuals = problem._rows(theta), problem.residuals(theta)
    whole_seconds = cpu_seconds(lambda: symmetric_product(rows))
    count = share * problem.size
    seconds = cpu_seconds(lambda: symmetric_product(sketched(rows, residuals, count)[0]))
    whole = step_from(symmetric_product(rows), rows.T @ residuals)
    short, beside = sketched(rows, residuals, count)
    step = step_from(symmetric_product(short), short.T @ beside)
    left = [float((rows @ s + residuals).norm() / residuals.norm()) for s in (whole, step)]
    return [
        f"{problem.count}",
        f"{count}",
        f"{whole_seconds:.2f}",
        f"{seconds:.2f}",
        *(f"{x:.1e}" for x in left),
    ]


def report(name: str, steps: int, rate: float) -> dict[str, object]:
    """Print the three tables of one problem and return their numbers."""
    problem, start = problem_of(name)
    taken, rejected, theta = rejections(problem, start, steps)
    seconds, flops = parts_of(problem, theta), flops_of(problem)
    print(f"{name}: {problem.count} residuals, {problem.size} numbers")
    rows = [
        [
            part,
            f"{seconds[part]:.3f}",
            f"{flops[part] / 1e9:.2f}",
            f"{flops[part] / seconds[part] / rate:.0%}",
        ]
        for part in flops
    ]
    trials = 1.0 + sum(rejected) / max(1, taken)
    # The residuals at the start of a step are those that the step before it ended with.
    weights = {"residuals": 2.0 * trials, "Jacobian": 1.0, "J^T J": 1.0, "Cholesky": trials}
    whole = sum(weights[part] * seconds[part] for part in weights)
    work = sum(weights[part] * flops[part] for part in weights)
    rows.append(["whole step", f"{whole:.3f}", f"{work / 1e9:.2f}", f"{work / whole / rate:.0%}"])
    print(table(["part", "CPU s", "Gflop", "of the product rate"], rows))
    hard = sum(count > 0 for count in rejected)
    saved = sum(rejected) * seconds["Cholesky"] - taken * (seconds["eigenvectors"] - seconds["Cholesky"])
    print(
        f"{sum(rejected)} trials rejected in {taken} steps, in {hard} of them; an eigendecomposition costs "
        f"{seconds['eigenvectors'] / seconds['Cholesky']:.0f} factors and would save {saved:+.1f} s in all\n"
    )
    lines = []
    for times in (1, 10):
        more, _ = problem_of(name, times)
        lines += [sketch_row(more, theta, share) for share in (2, 4) if more.count > share * more.size]
    head = ["residuals", "sketch", "J^T J, s", "sketched, s", "model left", "of the sketch's step"]
    print(table(head, lines) + "\n", flush=True)
    return {"seconds": seconds, "flops": flops, "steps": taken, "rejected": rejected, "whole": whole}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the problems asked for."""
    options = parser(__doc__, threads=1)
    options.add_argument("--only", type=words, default=["helmholtz_gauss", "heat_modes"])
    options.add_argument("--steps", type=int, default=40)
    chosen = options.parse_args(arguments)
    record = begin("What a step of Levenberg-Marquardt costs", chosen)
    rate = product_rate()
    print(f"product rate {rate / 1e9:.1f} Gflop/s in float64\n")
    steps = 2 if chosen.quick else chosen.steps
    record["problems"] = {name: report(name, steps, rate) for name in chosen.only}
    finish(record | {"product_rate": rate}, chosen.json)


if __name__ == "__main__":
    main()

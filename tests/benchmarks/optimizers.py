"""Time to an error for Levenberg-Marquardt, L-BFGS and Adam, on the elliptic base and an adapter.

Every optimizer minimises the same residuals on the same fixed points (the shipped file's numbers
of points, hard boundary condition) from the same coefficients: the base at lambda = 0 from random ones,
the adapter at lambda = 1 (cr = 1/8) from a base that the shipped recipe trains first, not counted.
The time runs from the generation of points; measuring the error (20,000 points) is taken out.
LM runs with float32 products; L-BFGS in float64; Adam in float32, its fastest, with a cosine
schedule over all its steps (rates of the shipped defaults: 1e-3, Theorem 2 for Tucker factors),
and Adam (a quarter of its steps) followed by L-BFGS is the usual recipe of the field.

The curves repeat LM, L-BFGS and Adam on the base over the number of points N and over the hidden width.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
from common import (
    Curve,
    begin,
    error_text,
    finish,
    integers,
    median_or_none,
    parser,
    problem,
    table,
    time_text,
    trained_curve,
)
from torch import Tensor

from pinnkan.language.problem import Problem

TARGETS = (1e-3, 2e-4, 5e-5)


@dataclass(frozen=True)
class Contestant:
    """One way to train.

    Attributes:
        name: As printed.
        phases: (optimizer, steps) in turn.
        dtype: Of coefficients and products; LM takes float32 products by itself.
    """

    name: str
    phases: tuple[tuple[str, int], ...]
    dtype: torch.dtype = torch.float64


def contestants(options: argparse.Namespace) -> list[Contestant]:
    """Return the optimizers with the steps asked for."""
    lm, lbfgs, adam = options.steps
    return [
        Contestant("LM", (("lm", lm),)),
        Contestant("L-BFGS", (("lbfgs", lbfgs),)),
        Contestant("Adam", (("adam", adam),), torch.float32),
        Contestant("Adam, L-BFGS", (("adam", adam // 4), ("lbfgs", lbfgs))),
    ]


def family_for(
    one: Contestant, *, points: int | None, adapter_points: int | None, width: int | None
) -> Problem:
    """Return the elliptic problem with this optimizer in both recipes; None keeps the file's number."""
    # Nothing of the file's own recipe beside its optimizer.
    plain = "patience: 0, refresh: 0, form: full"
    schedules = {"adam": "cosine"}
    phases = ", ".join(
        f"{{optimizer: {name}, steps: {steps}, schedule: {schedules.get(name, 'constant')}, {plain}}}"
        for name, steps in one.phases
    )
    shipped = problem("elliptic").settings
    counts = {
        "training": points or shipped.training.phase.points or shipped.points.interior,
        "finetuning": adapter_points or shipped.finetuning.phase.points or shipped.points.interior,
    }
    overrides = [
        text
        for block, count in counts.items()
        for text in (f"{block}.phases=[{phases}]", f"{block}.points={count}")
    ]
    if width is not None:
        overrides.append(f"network.hidden=[{width}, {width}]")
    return problem("elliptic", overrides)


@dataclass(frozen=True)
class Result:
    """One training."""

    case: str
    contestant: str
    points: int
    width: int
    seed: int
    parameters: int
    curve: Curve

    def to_json(self) -> dict[str, Any]:
        """Return plain numbers."""
        return {**vars(self), "curve": self.curve.to_json()}


def run(
    case: str,
    one: Contestant,
    seed: int,
    options: argparse.Namespace,
    *,
    base: Sequence[Tensor] | None = None,
    points: int | None = None,
    width: int | None = None,
) -> Result:
    """Train once."""
    small = 200 if options.quick else None
    family = family_for(one, points=points or small, adapter_points=small, width=width)
    block = family.settings.training if base is None else family.settings.finetuning
    trained, curve = trained_curve(
        family,
        {"lambda": 0.0 if base is None else options.value},
        seed=seed,
        base=base,
        dtype=one.dtype,
        time_limit=options.limit,
    )
    print(f"  {case}, {one.name}, seed {seed}: {error_text(curve.final)}", file=sys.stderr, flush=True)
    assert block.points is not None
    hidden = family.settings.network.hidden[0]
    return Result(case, one.name, block.points, hidden, seed, trained.parameters.size, curve)


def rows(results: Sequence[Result]) -> Iterator[list[str]]:
    """Give one row a case and contestant: medians over seeds, and ratios to LM."""
    groups: dict[tuple[str, str], list[Result]] = {}
    for one in results:
        groups.setdefault((one.case, one.contestant), []).append(one)
    fastest = {
        case: [median_or_none(one.curve.time_to(target) for one in group) for target in TARGETS]
        for (case, name), group in groups.items()
        if name == "LM"
    }
    for (case, name), group in groups.items():
        times = [median_or_none(one.curve.time_to(target) for one in group) for target in TARGETS]
        cells = [
            time_text(mine)
            if mine is None or lm is None or name == "LM"
            else f"{time_text(mine)} ({time_text(mine / lm)}x)"
            for mine, lm in zip(times, fastest.get(case, [None] * len(TARGETS)), strict=True)
        ]
        lowest = median(min(one.curve.errors, default=float("nan")) for one in group)
        yield [
            f"{case}, {name}",
            *cells,
            error_text(median(one.curve.final for one in group)),
            error_text(lowest),
            time_text(median(one.curve.total for one in group)),
            str(group[0].points),
            str(group[0].parameters),
        ]


def draw(
    main_results: Sequence[Result], over_points: Sequence[Result], over_width: Sequence[Result], target: Path
) -> None:
    """Draw error over time, and the time to 2e-4 (1e-3 dashed) over N and width."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(10, 7.5), layout="constrained")
    names = list(dict.fromkeys(one.contestant for one in main_results))
    colours = dict(zip(names, ("#0072b2", "#d55e00", "#009e73", "#cc79a7"), strict=False))
    for axis, case in zip(axes[0], dict.fromkeys(one.case for one in main_results), strict=False):
        for one in main_results:
            if one.case == case:
                first = one.seed == main_results[0].seed
                axis.loglog(
                    one.curve.seconds,
                    one.curve.errors,
                    color=colours[one.contestant],
                    label=one.contestant if first else None,
                    linewidth=1.2,
                )
        axis.set(title=case, xlabel="wall time (s)", ylabel="relative $L^2$ error")
        axis.legend(frameon=False)
    sides = ((over_points, "points", "collocation points"), (over_width, "width", "hidden width"))
    for axis, (results, key, label) in zip(axes[1], sides, strict=True):
        _draw_sweep(axis, results, key, colours)
        axis.set(title=f"base over {label}", xlabel=label, ylabel="time to 2e-4; dashed: to 1e-3 (s)")
    figure.savefig(target, dpi=150)
    print(f"\nwrote {target}")


def _draw_sweep(axis: Any, results: Sequence[Result], key: str, colours: dict[str, str]) -> None:
    drawn = False
    for name, colour in colours.items():
        mine = [one for one in results if one.contestant == name]
        for target, style in ((2e-4, "o-"), (1e-3, "o--")):
            found = {
                place: median_or_none(one.curve.time_to(target) for one in mine if getattr(one, key) == place)
                for place in sorted({getattr(one, key) for one in mine})
            }
            reached = {place: seconds for place, seconds in found.items() if seconds is not None}
            axis.plot(list(reached), list(reached.values()), style, color=colour)
            drawn = drawn or bool(reached)
    if drawn:  # a logarithmic axis without a point cannot be drawn
        axis.set_xscale("log", base=2)
        axis.set_yscale("log")


def sweep(key: str, places: Sequence[int], options: argparse.Namespace) -> list[Result]:
    """Repeat the base over ``points`` or ``width``."""
    named = {"points": "N", "width": "width"}[key]
    return [
        run(f"base, {named} = {place}", one, seed, options, **{key: place})
        for place in places
        for one in contestants(options)[:3]
        for seed in options.sweep_seeds
    ]


def main() -> None:
    """Run it."""
    options = read_options()
    record = begin("Optimizers on the elliptic family", options)
    results = [run("base", one, seed, options) for one in contestants(options) for seed in options.seeds]
    shipped = problem("elliptic", ["points.interior=200", "training.steps=2"] if options.quick else [])
    for seed in options.seeds:
        base, _ = trained_curve(
            shipped, {"lambda": 0.0}, seed=seed, time_limit=2.0 if options.quick else None
        )
        case = f"adapter, lambda = {options.value:g}"
        results += [run(case, one, seed, options, base=base.coefficients()) for one in contestants(options)]
    over_points = sweep("points", options.points, options)
    over_width = sweep("width", options.widths, options)
    header = [
        "seconds to",
        *(error_text(target) for target in TARGETS),
        "error returned",
        "lowest seen",
        "total s",
        "N",
        "parameters",
    ]
    print(f"Medians of seeds {options.seeds}; - is never; in brackets: times LM's\n")
    print(table(header, rows(results)))
    if over_points or over_width:
        print(f"\nOver N and width, seeds {options.sweep_seeds}, at most {options.limit:g} s each\n")
        print(table(header, rows([*over_points, *over_width])))
    for key, found in (("results", results), ("over_points", over_points), ("over_width", over_width)):
        record[key] = [one.to_json() for one in found]
    finish(record, options.json)
    if options.figure is not None:
        draw(results, over_points, over_width, options.figure)


def read_options() -> argparse.Namespace:
    """Read the command line."""
    made = parser(__doc__)
    made.add_argument("--seeds", type=integers, default=[0, 1, 2])
    made.add_argument("--sweep-seeds", type=integers, default=[0], help="of the curves over N and width")
    made.add_argument("--value", type=float, default=1.0, help="lambda of the adapter (default %(default)s)")
    made.add_argument(
        "--steps", type=integers, default=[60, 1500, 4000], help="of LM, L-BFGS, Adam (default 60,1500,4000)"
    )
    made.add_argument(
        "--points",
        type=integers,
        default=[550, 1100, 2200, 4400],
        help="N of the curve (default 550,1100,2200,4400)",
    )
    made.add_argument(
        "--widths",
        type=integers,
        default=[16, 32, 64, 128],
        help="of the curve (default 16,32,64,128)",
    )
    made.add_argument("--limit", type=float, default=120.0, help="seconds a training (default %(default)s)")
    made.add_argument("--no-curves", action="store_true", help="leave out the curves over N and width")
    made.add_argument("--figure", type=Path, metavar="FILE", help="draw it: PNG, PDF or SVG")
    options = made.parse_args()
    if options.quick:
        options.seeds, options.steps, options.limit = [0], [3, 10, 50], 3.0
        options.points, options.widths = [100, 200], [8, 16]
    if options.no_curves:
        options.points, options.widths = [], []
    return options


if __name__ == "__main__":
    main()

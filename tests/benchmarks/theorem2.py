"""Theorem 2 of the LoTRA paper, tested for plain gradient descent: change of the output against size.

The first-order change of the output in one step has four terms, one for each of core, U1, U2, U3; training
is efficient if none depends on the size (the paper's Definition 1). Printed for the rates of
Theorem 2, for equal rates, and for equal rates that fall like 1/n: the slope of log |change|, median over
seeds and components, against log n at fixed K and against log K at fixed n, beside the exponents
derived in `descent`; "equal" has them at the second step only, from the third on it is unstable.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from common import begin, finish, integers, parser, table, words
from descent import EXPONENTS, STRATEGIES, TERMS, Sweep, sweep


def rows(found: Sequence[Sweep], steps: int) -> list[list[str]]:
    """Return one row a sweep and step: slopes, with the exponents derived above in brackets."""
    made = []
    for one in found:
        for step in range(2, steps + 1):
            cells = []
            for term in range(len(TERMS)):
                derived = EXPONENTS[one.strategy][term][0 if one.over == "n" else 1]
                valid = one.strategy != "equal" or step == 2
                value = one.slope(step, term)
                number = "-" if math.isnan(value) else f"{value:.2f}"
                cells.append(f"{number} ({derived:g})" if valid else number)
            made.append([f"{one.basis}, {one.strategy}, {one.over}, step {step}", *cells])
    return made


def draw(found: Sequence[Sweep], step: int, target: Path) -> None:
    """Draw the four terms over n and K for every basis, a row for each kind of rates, dashed as derived."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    strategies = list(dict.fromkeys(one.strategy for one in found))
    columns = list(dict.fromkeys((one.basis, one.over) for one in found))
    size = (4 * len(columns), 3 * len(strategies))
    figure, axes = plt.subplots(len(strategies), len(columns), figsize=size, layout="constrained")
    for row, strategy in zip(np.atleast_2d(axes), strategies, strict=True):
        shown = 2 if strategy == "equal" else step
        for axis, (basis, over) in zip(row, columns, strict=True):
            (one,) = (s for s in found if (s.basis, s.strategy, s.over) == (basis, strategy, over))
            for term, name in enumerate(TERMS):
                values = one.values[:, shown - 1, term]
                (line,) = axis.loglog(one.sizes, values, "o-", label=name, base=2)
                exponent = EXPONENTS[strategy][term][0 if over == "n" else 1]
                guide = values[0] * (np.asarray(one.sizes) / one.sizes[0]) ** exponent
                axis.loglog(one.sizes, guide, "--", color=line.get_color(), linewidth=0.8, base=2)
            axis.set(title=f"{basis}, {strategy}, step {shown}", xlabel=over, ylabel="change of the output")
    figure.legend(*axes.flat[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    figure.savefig(target, dpi=100)
    print(f"\nwrote {target}")


def main() -> None:
    """Run it."""
    options = read_options()
    record = begin("Theorem 2: change of the output against size, plain gradient descent", options)
    found = [
        sweep(basis, strategy, over, sizes, fixed, seeds=options.seeds, steps=options.steps)
        for basis in options.bases
        for strategy in STRATEGIES
        for over, sizes, fixed in (
            ("n", options.widths, options.functions[len(options.functions) // 2]),
            ("K", options.functions, options.widths[len(options.widths) // 2]),
        )
    ]
    print(f"Log-log slopes of medians over {options.seeds} seeds and all components; derived: in brackets\n")
    print(table(["", *TERMS], rows(found, options.steps)))
    record["sweeps"] = [{**vars(one), "values": one.values.tolist()} for one in found]
    finish(record, options.json)
    if options.figure is not None:
        draw(found, min(3, options.steps), options.figure)


def read_options() -> argparse.Namespace:
    """Read the command line."""
    made = parser(__doc__, threads=1)
    made.add_argument("--seeds", type=int, default=40, help="seeds of every median (default %(default)s)")
    made.add_argument("--steps", type=int, default=5, help="of gradient descent (default %(default)s)")
    made.add_argument("--widths", type=integers, default=[16, 32, 64, 128, 256], help="n")
    made.add_argument("--functions", type=integers, default=[4, 8, 16, 32], help="K")
    made.add_argument("--bases", type=words, default=["chebyshev", "fourier"])
    made.add_argument("--figure", type=Path, metavar="FILE", help="draw it: PNG, PDF or SVG")
    options = made.parse_args()
    if options.quick:
        options.seeds, options.steps = 5, 3
        options.widths, options.functions, options.bases = [16, 64], [4, 16], ["chebyshev"]
    return options


if __name__ == "__main__":
    main()

"""Write the reference tables beside the problem files that have no formula: always the same bytes.

    python tests/benchmarks/reference_tables.py FOLDER

The solvers are those of tests/reference_solutions.py, good to 1e-9, and of tests/reference_beam.py, good to
4e-7. Between the rows a cubic spline is within 5e-6 of the Brusselator and of the beam and 4e-8 of prey and
predators, relative L2.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from reference_beam import clamped_beam
from reference_solutions import brusselator, predator_prey


def brusselator_rows() -> Iterator[str]:
    """Yield the lines of brusselator.csv."""
    yield "B,t,x,u,v"
    t, x = (axis.ravel() for axis in np.meshgrid(np.linspace(0, 2, 33), np.linspace(0, 1, 33), indexing="ij"))
    for feed in (3, 2, 3.5):
        for row in zip(t, x, *brusselator(t, x, feed), strict=True):
            yield f"{feed:g},{row[0]:g},{row[1]:g},{row[2]:.8g},{row[3]:.8g}"


def predator_prey_rows() -> Iterator[str]:
    """Yield the lines of predator_prey.csv."""
    yield "a,t,prey,predator"
    t = np.linspace(0, 8, 321)
    for growth in (2 / 3, 0.5, 1):
        for row in zip(t, *predator_prey(t, growth), strict=True):
            yield f"{growth!r},{row[0]:g},{row[1]:.10g},{row[2]:.10g}"


def clamped_beam_rows() -> Iterator[str]:
    """Yield the lines of clamped_beam.csv; rows lie denser towards the clamp and the faces."""
    yield "L,x,y,u,v"
    share, angle = np.meshgrid(np.linspace(0, 1, 33), np.linspace(-1, 1, 17), indexing="ij")
    for length in (48, 36, 60):
        x, y = length * share.ravel() ** 2, 6 * np.sin(np.pi / 2 * angle.ravel())
        for row in zip(x, y, *clamped_beam(x, y, length, cells=(32, 16)), strict=True):
            yield f"{length},{row[0]:.10g},{row[1]:.10g},{row[2]:.8g},{row[3]:.8g}"


TABLES = {
    "clamped_beam": clamped_beam_rows,
    "brusselator": brusselator_rows,
    "predator_prey": predator_prey_rows,
}


def main() -> None:
    """Write all tables into a folder."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("folder", type=Path)
    folder = options.parse_args().folder
    for name, rows in TABLES.items():
        (folder / f"{name}.csv").write_text("\n".join([*rows(), ""]), encoding="utf-8")


if __name__ == "__main__":
    main()

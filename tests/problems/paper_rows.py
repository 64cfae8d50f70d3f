"""The rows of the paper's studies, and medians over their seeds."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import median

from pinnkan.language.problem.finding import shipped_with_the_paper
from pinnkan.studies.rows import Row, read_rows
from pinnkan.studies.study_file import is_study

STUDIES = {name: path for name, path in shipped_with_the_paper().items() if is_study(path)}
PLACE = ("family", "network", "method", "lambda")
"""The columns that name a cell of `paper/ours` and `paper/paper`, but for its seed."""


def rows_of(study: str) -> list[Row]:
    """Return the committed rows of a study, λ as a number."""
    rows = read_rows(STUDIES[study].with_suffix(".csv"))
    return [row | {"lambda": float(row["lambda"])} for row in rows]


def medians(study: str, *columns: str, number: str = "relative_l2") -> Callable[..., float]:
    """Return the medians over the seeds that came to an end, as a function of some columns.

    Infinite where none did.
    """
    found: dict[tuple[object, ...], list[float]] = {}
    for row in rows_of(study):
        if row["status"] == "done":
            found.setdefault(tuple(row[name] for name in columns), []).append(row[number])
    return lambda *place: median(found.get(place, [math.inf]))

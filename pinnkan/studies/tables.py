"""From the rows of a study to its tables: medians over seeds with their range, and who is best how often."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from pinnkan.studies.study import Study, TableLayout

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """Texts of a table.

    Attributes:
        title: What its numbers are.
        header: One text a column.
        body: Rows of texts.
        notes: What is said below it.
    """

    title: str
    header: tuple[str, ...]
    body: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()

    def markdown(self) -> str:
        """Return it as a table in Markdown."""
        texts = (self.header, *self.body)
        header, *body = (tuple(cell.replace("|", "\\|") for cell in line) for line in texts)
        lines = [header, tuple("---" for _ in header), *body]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def tables_of(study: Study, rows: Sequence[Row]) -> list[Table]:
    """Return the tables that a study asks for; one of all axes where it asks for none."""
    layouts = study.presentation.tables or (default_layout(study),)
    return [table_of(study, layout, rows) for layout in layouts]


def default_layout(study: Study) -> TableLayout:
    """Return a layout in which the last axis (or parameter) makes the columns."""
    names = (*study.values, *study.axes)
    return TableLayout(names[:-1], names[-1])


def table_of(study: Study, layout: TableLayout, rows: Sequence[Row]) -> Table:
    """Return one table: a row for every combination of ``layout.rows`` that has cells, in order."""
    if layout.shows == "ranking":
        return _ranking(study, layout, rows)
    names = (*layout.rows, layout.columns)
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(_label(row[name]) for name in names), []).append(row)
    columns = _columns(study, layout.columns, {key[-1] for key in groups})
    heads = sorted({key[:-1] for key in groups}, key=lambda head: _rank(study, layout.rows, head))
    published = _published(study, layout)
    body = tuple(
        (
            *head,
            *(
                _cell(groups.get((*head, column), []), layout.number, study.shared.seeds)
                + _beside(published.get((*head, column)))
                for column in columns
            ),
        )
        for head in heads
    )
    title = f"{layout.number}, median (least..most) of seeds {', '.join(map(str, study.shared.seeds))}"
    title += " [published]" if published else ""
    return Table(title, (*layout.rows, *columns), body, _compared(groups, published, layout.number))


def _published(study: Study, layout: TableLayout) -> dict[tuple[str, ...], float]:
    """Return the published numbers of a table by the labels of its cells."""
    names = (*layout.rows, layout.columns)
    rows = [
        row for row in study.presentation.published if all(row.get(name) for name in (*names, layout.number))
    ]
    return {tuple(_label(row[name]) for name in names): float(row[layout.number]) for row in rows}


def _beside(published: float | None) -> str:
    return "" if published is None else f" [{number_text(published)}]"


def _compared(
    groups: Mapping[tuple[str, ...], Sequence[Row]], published: Mapping[tuple[str, ...], float], number: str
) -> tuple[str, ...]:
    """Say how the medians stand to what was published, the worst cell named."""
    found = {key: _values(groups[key], number) for key in published if key in groups}
    medians = {key: median(values) for key, values in found.items() if values}
    ratios = {key: published[key] / value for key, value in medians.items() if value}
    if not ratios:
        return ()
    worst = min(ratios, key=lambda key: ratios[key])
    three, ten = (sum(ratio >= bound for ratio in ratios.values()) for bound in (3, 10))
    return (
        f"Published numbers over our medians, {len(ratios)} cells: {min(ratios.values()):.3g} "
        f"({', '.join(worst)}) to {max(ratios.values()):.3g}, median {median(ratios.values()):.3g}; "
        f"at least 3 in {three} cells, at least 10 in {ten}.",
    )


def _ranking(study: Study, layout: TableLayout, rows: Sequence[Row]) -> Table:
    """Return how often each column has the lowest number of those it is compared with, all else equal."""
    others = [name for name in (*study.axes, *study.values, "seed") if name != layout.columns]
    contests: dict[tuple[str, ...], dict[str, float]] = {}
    for row in rows:
        for value in _values([row], layout.number):
            place = tuple(_label(row[name]) for name in others)
            contests.setdefault(place, {})[_label(row[layout.columns])] = value
    ratios: dict[tuple[str, ...], dict[str, list[float]]] = {}
    for place, contest in contests.items():
        # One alone is compared with nothing.
        for column, value in contest.items() if len(contest) > 1 else ():
            head = tuple(place[others.index(name)] for name in layout.rows)
            ratios.setdefault(head, {}).setdefault(column, []).append(_ratio(value, min(contest.values())))
    columns = _columns(study, layout.columns, {name for own in ratios.values() for name in own})
    body = tuple(
        (*head, *(_won(ratios[head].get(name, [])) for name in columns))
        for head in sorted(ratios, key=lambda head: _rank(study, layout.rows, head))
    )
    title = f"{layout.number}: lowest in how many cells, all else equal, and median ratio to the lowest"
    return Table(title, (*layout.rows, *columns), body)


def _ratio(value: float, lowest: float) -> float:
    return value / lowest if lowest else math.inf if value else 1.0


def _won(ratios: Sequence[float]) -> str:
    return f"{ratios.count(1.0)} of {len(ratios)}, {median(ratios):.3g}" if ratios else "-"


def _values(rows: Sequence[Row], number: str) -> list[float]:
    return [row[number] for row in rows if row["status"] == "done" and row[number] is not None]


def number_text(value: float) -> str:
    """Write a number of a table with two digits: ``4.3e-05``, ``12``, ``2632``."""
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.1e}" if abs(value) < 0.01 else f"{value:.3g}"


def _cell(rows: Sequence[Row], number: str, seeds: Sequence[int]) -> str:
    """Write the median and, over several seeds, the range; failures and seeds that are missing are said."""
    values = _values(rows, number)
    said = [
        f"{count} of {len(rows)} {status}"
        for status in ("diverged", "failed")
        if (count := sum(row["status"] == status for row in rows))
    ]
    if values:
        text = number_text(median(values))
        ends = sorted({number_text(min(values)), number_text(max(values))}, key=float)
        said.insert(0, f"{text} ({'..'.join(ends)})" if len(ends) > 1 else text)
    seen = {row["seed"] for row in rows}
    if rows and len(seen) < len(set(seeds)):
        said.append(f"{len(seen)} of {len(set(seeds))} seeds")
    return ", ".join(said) or "-"


def _label(value: Any) -> str:
    try:
        return f"{float(value):.12g}"
    except (TypeError, ValueError):
        return str(value)


def _columns(study: Study, name: str, found: set[str]) -> list[str]:
    """Return all levels of an axis, cells or none; of a parameter the values found, by size."""
    levels = [_label(level) for level in study.axes.get(name, ())]
    return levels or sorted(found, key=lambda text: _rank(study, (name,), (text,)))


def _rank(study: Study, names: Sequence[str], texts: Sequence[str]) -> tuple[float, ...]:
    """Return what sorts levels as the study lists them and values by size."""
    ranks = []
    for name, text in zip(names, texts, strict=True):
        levels = [_label(level) for level in study.axes.get(name, ())]
        ranks.append(
            levels.index(text) if text in levels else math.inf if name in study.axes else float(text)
        )
    return tuple(ranks)

"""From the rows of a study to its tables: medians over seeds, with their range."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from pinnkan.workflows.study import Study, TableLayout

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
    layouts = study.tables or (default_layout(study),)
    return [table_of(study, layout, rows) for layout in layouts]


def default_layout(study: Study) -> TableLayout:
    """Return a layout in which the last axis (or parameter) makes the columns."""
    names = (*study.values, *study.axes)
    return TableLayout(names[:-1], names[-1])


def table_of(study: Study, layout: TableLayout, rows: Sequence[Row]) -> Table:
    """Return one table: a row for every combination of ``layout.rows`` that has cells, in order."""
    names = (*layout.rows, layout.columns)
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(_label(row[name]) for name in names), []).append(row)
    columns = _in_order(study, layout.columns, {key[-1] for key in groups})
    heads = sorted({key[:-1] for key in groups}, key=lambda head: _rank(study, layout.rows, head))
    published = _published(study, layout)
    body = tuple(
        (
            *head,
            *(
                _cell(groups.get((*head, one), []), layout.number) + _beside(published.get((*head, one)))
                for one in columns
            ),
        )
        for head in heads
    )
    title = f"{layout.number}, median (least..most) of seeds {', '.join(map(str, study.seeds))}"
    title += " [published]" if published else ""
    return Table(title, (*layout.rows, *columns), body, _compared(groups, published, layout.number))


def _published(study: Study, layout: TableLayout) -> dict[tuple[str, ...], float]:
    """Return the published numbers of a table by the labels of its cells."""
    names = (*layout.rows, layout.columns)
    rows = [row for row in study.published if all(row.get(name) for name in (*names, layout.number))]
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
    return (
        f"Published numbers over our medians, {len(ratios)} cells: {min(ratios.values()):.3g} "
        f"({', '.join(worst)}) to {max(ratios.values()):.3g}, median {median(ratios.values()):.3g}.",
    )


def _values(rows: Sequence[Row], number: str) -> list[float]:
    return [row[number] for row in rows if row["status"] == "done" and row[number] is not None]


def number_text(value: float) -> str:
    """Write a number of a table with two digits: ``4.3e-05``, ``12``, ``2632``."""
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.1e}" if abs(value) < 0.01 else f"{value:.3g}"


def _cell(rows: Sequence[Row], number: str) -> str:
    """Write the median and, over several seeds, the range; failures are said."""
    values = _values(rows, number)
    failed = sum(row["status"] != "done" for row in rows)
    said = [f"{failed} of {len(rows)} failed"] if failed else []
    if values:
        text = number_text(median(values))
        ends = sorted({number_text(min(values)), number_text(max(values))}, key=float)
        said.insert(0, f"{text} ({'..'.join(ends)})" if len(ends) > 1 else text)
    return ", ".join(said) or "-"


def _label(value: Any) -> str:
    try:
        return f"{float(value):.12g}"
    except (TypeError, ValueError):
        return str(value)


def _in_order(study: Study, name: str, found: set[str]) -> list[str]:
    return sorted(found, key=lambda text: _rank(study, (name,), (text,)))


def _rank(study: Study, names: Sequence[str], texts: Sequence[str]) -> tuple[float, ...]:
    """Return what sorts levels as the study lists them and values by size."""
    ranks = []
    for name, text in zip(names, texts, strict=True):
        levels = [_label(level) for level in study.axes.get(name, ())]
        ranks.append(
            levels.index(text) if text in levels else math.inf if name in study.axes else float(text)
        )
    return tuple(ranks)

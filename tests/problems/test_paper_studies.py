"""The paper's studies: what their page says is what their rows give."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from paper_rows import PLACE, STUDIES, medians, rows_of

from pinnkan.studies import figures as trajectories
from pinnkan.studies.curves import write_curves
from pinnkan.studies.planning import planned
from pinnkan.studies.report import section
from pinnkan.studies.rows import read_rows
from pinnkan.studies.study_file import read_study
from pinnkan.studies.tables import number_text

WITH_ROWS = sorted(name for name, path in STUDIES.items() if path.with_suffix(".csv").is_file())


def test_the_studies_that_were_begun_are_there():
    assert {"paper/ours", "paper/paper"} <= set(WITH_ROWS)


@pytest.mark.parametrize("name", WITH_ROWS)
def test_the_page_s_tables_are_those_of_the_rows(name):
    path: Path = STUDIES[name]
    study, known = read_study(path), {row["key"]: row for row in read_rows(path.with_suffix(".csv"))}
    rows = [known[cell.key] for cell in planned(study) if cell.key in known]
    # A row of other settings than the study's would be a result that nobody can repeat.
    assert len(rows) == len(known)
    page = (path.parent / "README.md").read_text(encoding="utf-8")
    assert section(path.stem, study, rows) in page


def test_the_rates_of_the_paper_s_table_are_not_trained_twice():
    keys = [
        {cell.key for cell in planned(read_study(STUDIES[name]))} for name in ("paper/paper", "paper/rates")
    ]
    assert len(keys[0] & keys[1]) == 18


@pytest.mark.parametrize("name", ["paper/ours", "paper/paper", "paper/rates"])
def test_all_figures_of_a_study_can_be_drawn(name, tmp_path, monkeypatch):
    """One for each family, as the paper's Figures 2 to 5 and those of its supplement."""
    study, drawn = read_study(STUDIES[name]), {}
    rows = [{"key": cell.key, **cell.labels, **cell.values} for cell in planned(study)]
    facts = {name: [1, 0.1] for name in ("step", "seconds", "loss", "held_out", "error")}
    write_curves(tmp_path / "rows.csv", {row["key"]: facts for row in rows})
    monkeypatch.setattr(
        trajectories, "plot_trajectories", lambda file, panels, title: drawn.update({file.name: panels})
    )
    trajectories.draw_figures(study, rows, tmp_path / "rows.csv", tmp_path / "a.png")
    assert list(drawn) == [f"a-{family}.png" for family in ("elliptic", "Allen-Cahn", "hyperbolic")]
    lines = ["LR-1", "LR-2", "LR-3", "LR-4"]
    if name != "paper/rates":
        lines = [f"chebyshev, {way}" for way in ("1/2", "1/4", "1/8", "full", "scratch")]
        lines += ["mlp, full", "mlp, scratch"]
    for panels in drawn.values():
        assert len(panels) == (6 if name == "paper/rates" else 2)
        assert [list(panel.lines) for panel in panels] == [lines] * len(panels)


def test_the_published_numbers_are_those_of_the_paper_s_tables():
    """In percent: 0.05 to 0.23 for LoTRA at lambda = 0.1, ..."""
    rows = read_study(STUDIES["paper/ours"]).presentation.published
    at = {(r["lambda"], r["method"], r["network"]): round(100 * float(r["relative_l2"]), 4) for r in rows}
    assert at["0.1", "1/2", "chebyshev"] == 0.05
    assert at["0.1", "scratch", "taylor"] == 1.34
    assert at["1", "1/8", "fourier"] == 0.39
    assert at["1", "scratch", "mlp"] == 0.28
    assert len(at) == len(rows) == 42
    assert {r["family"] for r in rows} == {"elliptic"}


def place(row: Mapping[str, Any]) -> tuple[str | float, ...]:
    return row["family"], row["network"], row["method"], float(row["lambda"])


def test_our_setting_is_ten_times_below_what_the_paper_prints():
    """Medians over seeds, wherever the scan has a number; nothing diverged or failed."""
    assert {row["status"] for row in rows_of("paper/ours")} == {"done"}
    error = medians("paper/ours", *PLACE)
    ratios = {
        place(one): float(one["relative_l2"]) / error(*place(one))
        for one in read_study(STUDIES["paper/ours"]).presentation.published
    }
    assert len(ratios) == 42
    assert min(ratios.values()) > 10, ratios


def test_the_quick_study_says_what_the_full_one_does():
    """Within a factor of three, cell by cell: one seed against all there are."""
    cells = planned(read_study(STUDIES["paper/ours"]).quickened())
    known = {row["key"]: row for row in rows_of("paper/ours")}
    error = medians("paper/ours", *PLACE)
    assert len(cells) == 30
    for row in (known[cell.key] for cell in cells):
        assert 1 / 3 < row["relative_l2"] / error(*place(row)) < 3, row


def test_the_readme_s_table_is_that_of_the_rows():
    """Columns: the paper's figures, its setting here, ours."""
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (body,) = re.findall(r"<!-- table:paper -->\n\|.*\n\|[-|]+\|\n((?:\|.*\n)+)", readme)
    rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in body.splitlines()]
    assert len(rows) == 10
    published = {
        (row["lambda"], row["method"]): float(row["relative_l2"])
        for row in read_study(STUDIES["paper/ours"]).presentation.published
        if row["network"] == "chebyshev"
    }
    for study in ("paper/paper", "paper/ours"):
        assert [row["status"] for row in rows_of(study)] == ["done"] * 396
    setting, ours = (medians(study, *PLACE) for study in ("paper/paper", "paper/ours"))
    for value, method, *texts in rows:
        here = ("elliptic", "chebyshev", method, float(value))
        printed = published.get((value, method))
        wanted = ["-" if printed is None else number_text(printed), number_text(setting(*here))]
        assert texts == [*wanted, number_text(ours(*here))], (value, method)

"""plot: which picture is drawn of what, with which numbers."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

import pinnkan as python_way
from pinnkan.output.pictures.labels import number
from pinnkan.storage.store import read_store, write_store

BALL = """\
title: Tiny ball
coordinates: [x, y, z]
domain: {shape: ball, center: [0, 0, 0], radius: 1}
unknowns: u
equations: ["-laplace(u) = 6"]
boundary: ["u = 0"]
exact: 1 - x^2 - y^2 - z^2
network: {hidden: [3], functions: 3}
points: {interior: 20, held_out: 20}
training: {steps: 2}
"""

DRUM = """\
title: Tiny heat in a disk
coordinates: [x, y]
time: {t: [0, 2]}
domain: {shape: disk, center: [0, 0], radius: 1}
unknowns: u
equations: ["u_t = laplace(u)"]
boundary: ["u = 0"]
initial: ["u = 1 - x^2 - y^2"]
network: {hidden: [3], functions: 3}
points: {interior: 30, held_out: 20}
training: {steps: 2}
"""


@pytest.fixture
def figure_of(monkeypatch, done):
    """Run a plot command and return the figure it saved."""
    saved = []
    save = Figure.savefig

    def record(figure, *args, **kwargs):
        saved.append(figure)
        return save(figure, *args, **kwargs)

    monkeypatch.setattr(Figure, "savefig", record)

    def draw(*arguments):
        done("plot", *arguments, "--dpi", 40)
        return saved[-1]

    return draw


def panels(figure):
    return [axes for axes in figure.axes if axes.get_visible()]


def titles(figure):
    return [axes.get_title() for axes in panels(figure) if axes.get_title()]


def test_a_solution_stands_beside_its_reference_and_error(figure_of, done, run, folder):
    figure = figure_of(run, "--lambda", 0.5, "-o", folder / "a.png")
    assert titles(figure) == ["solution", "reference", "error"]
    (row,) = done("evaluate", run, "--lambda", 0.5, "--json").json["results"]
    title, facts = figure.get_suptitle().splitlines()
    assert title == "Tiny Poisson equation"
    assert facts.startswith(r"$\lambda$ = $0.5$,  relative $L^2$ error $")
    assert float(facts.split("$")[-2].replace(r"\times10^{", "e").rstrip("}")) == pytest.approx(
        row["relative_l2"], rel=5e-3
    )
    assert imread(folder / "a.png").shape[1] == pytest.approx(175 / 25.4 * 40, abs=1)


@pytest.mark.parametrize(
    ("field", "label"),
    [("reference", "reference $u$"), ("error", "error in $u$"), ("residual", "|residual|")],
)
def test_other_fields_have_one_panel(figure_of, run, folder, field, label):
    figure = figure_of(run, "--lambda", 0.5, "--field", field, "-o", folder / "a.svg")
    (axes,) = panels(figure)
    (bar,) = axes.child_axes
    # A small field has its power of ten behind its name or above the bar.
    assert bar.get_ylabel().startswith(label)


def test_a_cut_is_a_line_from_edge_to_edge(figure_of, run, folder):
    figure = figure_of(run, "--lambda", 0.5, "--slice", "y=0.6", "-o", folder / "a.pdf")
    upper, lower = panels(figure)
    places, values = upper.lines[0].get_data()
    assert (places[0], places[-1]) == pytest.approx((-0.8, 0.8), abs=1e-11)
    points = np.column_stack([places, np.full(len(places), 0.6)])
    solution = python_way.load(run).at(0.5)
    assert np.array_equal(values, solution(points))
    assert np.array_equal(upper.lines[1].get_ydata(), solution.exact(points))
    assert np.array_equal(lower.lines[1].get_ydata(), values - solution.exact(points))
    assert "$y$ = $0.6$" in figure.get_suptitle()
    assert "overall relative $L^2$ error" in figure.get_suptitle()


def test_one_length_and_time_are_a_field_with_profiles(figure_of, folder):
    figure = figure_of(folder / "heat", "-o", folder / "a.png")
    field, profiles = panels(figure)
    assert (field.get_xlabel(), field.get_ylabel()) == ("$t$", "$x$")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        f"$t$ = ${t}$" for t in ("0", "0.25", "0.5", "0.75", "1")
    ]
    x = profiles.lines[0].get_xdata()
    assert (x[0], x[-1]) == (0.0, 2.0)
    assert profiles.lines[0].get_ydata() == pytest.approx(x * (2 - x), abs=1e-12)
    assert profiles.get_ylabel() == "$v$"


def test_a_time_leaves_a_line(figure_of, folder):
    figure = figure_of(folder / "heat", "--time", 0.25, "-o", folder / "a.png")
    (axes,) = panels(figure)
    x, v = axes.lines[0].get_data()
    expected = python_way.load(folder / "heat").at()(np.column_stack([np.full(len(x), 0.25), x]))
    assert np.array_equal(v, expected)


def test_a_place_leaves_a_line_over_time(figure_of, folder):
    (axes,) = panels(figure_of(folder / "heat", "--slice", "x=1", "-o", folder / "a.png"))
    assert axes.get_xlabel() == "$t$"
    assert axes.lines[0].get_data()[1][0] == pytest.approx(1.0, abs=1e-12)


def test_a_residual_over_time_has_its_own_colours(figure_of, folder):
    (axes,) = panels(figure_of(folder / "heat", "--field", "residual", "-o", folder / "a.png"))
    assert (axes.get_xlabel(), axes.child_axes[0].get_ylabel()) == ("$t$", "|residual|")


def test_two_lengths_and_time_are_a_film(figure_of, done, folder):
    (folder / "drum.yaml").write_text(DRUM)
    done("pretrain", folder / "drum.yaml", "-o", folder / "drum", "-q")
    figure = figure_of(folder / "drum", "-o", folder / "a.png")
    assert titles(figure) == [f"$t$ = ${t}$" for t in ("0", "0.5", "1", "1.5", "2")]
    assert titles(figure_of(folder / "drum", "--time", 2, "-o", folder / "a.png")) == []
    field, _ = panels(figure_of(folder / "drum", "--slice", "y=0.8", "-o", folder / "a.png"))
    assert field.get_ylim() == pytest.approx((-0.6, 0.6), abs=1e-9)


def test_three_lengths_want_a_cut(figure_of, pinnkan, done, folder):
    (folder / "ball.yaml").write_text(BALL)
    ball = folder / "ball"
    done("pretrain", folder / "ball.yaml", "-o", ball, "-q")
    answer = pinnkan("plot", ball, "--tag", "z", "-o", folder / "a.png")
    assert (answer.code, answer.err) == (2, "error: tag z: ball has no parameter, so it has only a base\n")
    answer = pinnkan("plot", ball, "-o", folder / "a.png")
    assert (answer.code, answer.err) == (
        2,
        "error: a picture has two lengths at most, x, y, z are left; cut with --slice z=VALUE\n",
    )
    figure = figure_of(ball, "--slice", "z=0.6", "-o", folder / "a.png")
    assert panels(figure)[0].get_xlim() == pytest.approx((-0.8, 0.8), abs=1e-4)
    answer = pinnkan("plot", ball, "--slice", "z=0.9", "--slice", "y=0.9", "-o", folder / "a.png")
    assert (answer.code, answer.err) == (2, "error: the cut z=0.9, y=0.9 does not meet the domain\n")


def test_the_history_is_the_stored_one(figure_of, run, folder):
    figure = figure_of(run, "--lambda", 0.5, "--field", "history", "-o", folder / "a.png")
    (axes,) = panels(figure)
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["equation[0]", "held out", "relative $L^2$ error"]
    assert [list(line.get_xdata()) for line in axes.lines] == [[1, 2, 3, 4]] * 3
    residuals = axes.lines[0].get_ydata()
    assert residuals[-1] < residuals[0] / 10
    assert [text.get_text() for text in axes.texts] == ["LM"]


def test_every_picture_is_judged_by_the_error_that_evaluate_gives(figure_of, done, run, folder, arrays):
    """The history's title had the one that training showed, on fewer points of its own."""
    path = run / "adapters" / "lambda=0.5.h5"
    meta = read_store(path).meta
    meta = {**meta, "training": {**meta["training"], "relative_l2": 0.5}}
    write_store(path, "adapter", arrays=arrays(path), meta=meta)
    facts = [
        figure_of(run, "--lambda", 0.5, "--field", field, "-o", folder / "a.png")
        .get_suptitle()
        .splitlines()[1]
        for field in ("solution", "error", "history")
    ]
    (row,) = done("evaluate", run, "--lambda", 0.5, "--json").json["results"]
    assert facts == [rf"$\lambda$ = $0.5$,  relative $L^2$ error {number(row['relative_l2'])}"] * 3


def test_a_run_without_steps_has_no_history(pinnkan, done, folder):
    done("pretrain", folder / "tiny.yaml", "-o", folder / "idle", "--set", "training.steps=0", "-q")
    answer = pinnkan("plot", folder / "idle", "--field", "history", "-o", folder / "a.png")
    assert answer.code == 2
    assert "took no training steps: there is no history to draw" in answer.err


REFUSED = [
    ("tiny", ["--time", 0.5], "--time 0.5: tiny is a stationary problem"),
    ("tiny", ["--slice", "z=0"], "slice 'z=0': unknown coordinate 'z'; coordinates are x, y"),
    ("tiny", ["--slice", "y=2"], "y=2 is outside the domain: y runs from -1 to 1"),
    ("tiny", ["--slice", "y=0", "--slice", "y=0.5"], "--slice y=0.5: y is held at 0 already"),
    ("tiny", ["--slice", "y=0", "--slice", "x=0"], "every coordinate is held fixed"),
    ("tiny", ["--slice", "y=1"], "the cut y=1 does not meet the domain"),
    ("tiny", ["--lambda", "0.7"], "has no lotra adapter for lambda=0.7; train it with 'pinnkan finetune"),
    ("tiny", ["--field", "history", "--slice", "y=0"], "it takes no --time and no --slice"),
    ("tiny", ["-o", "a.jpg"], "unknown suffix '.jpg'"),
    ("heat", ["--field", "error"], "heat: no reference is known at kappa=0.1,c=1; a problem file gives one"),
    ("heat", ["--field", "reference"], "with 'exact: FORMULA' or 'reference: FILE'"),
    ("heat", ["--time", 3], "t=3 is outside the domain: t runs from 0 to 1"),
    ("heat", ["--time", 1, "--slice", "t=1"], "--slice t=1: t is held at 1 already"),
]


@pytest.mark.parametrize(("name", "options", "message"), REFUSED)
def test_what_cannot_be_drawn(pinnkan, folder, monkeypatch, name, options, message):
    monkeypatch.chdir(folder)
    answer = pinnkan("plot", name, "-o", "a.png", *options)
    assert answer.code == 2
    assert message in answer.err
    assert not (folder / "a.png").exists()

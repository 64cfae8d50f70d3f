"""Pictures of lines, of space and time, of trainings and of points, and what holds for every picture."""

from __future__ import annotations

import resource
import subprocess
import sys
from dataclasses import replace

import matplotlib
import numpy as np
import pytest

from pinnkan.ground.errors import FileAccessError, UsageError
from pinnkan.output.pictures.canvas import picture
from pinnkan.output.pictures.collocation import plot_collocation
from pinnkan.output.pictures.field import Quantity, plot_fields
from pinnkan.output.pictures.formats import PICTURES
from pinnkan.output.pictures.history import TrainingCurves, plot_history
from pinnkan.output.pictures.labels import Caption, number, symbol
from pinnkan.output.pictures.line import Curve, plot_lines
from pinnkan.output.pictures.plane import grid_plane
from pinnkan.output.pictures.spacetime import FilmedField, plot_spacetime_fields
from pinnkan.output.pictures.trajectories import Panel, Trajectory, plot_trajectories

X = np.linspace(0, 1, 21)
CAPTION = Caption("Heat", {"nu": 0.01})


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()] if figure.legends else []


# --- words ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x", "$x$"),
        ("lambda", r"$\lambda$"),
        ("speed", r"$\mathrm{speed}$"),
        ("u_xx", "$u_{xx}$"),
        ("beta_1", r"$\beta_{1}$"),
        ("x1", "$x_{1}$"),
        ("k_max", r"$k_{\mathrm{max}}$"),
        ("a_b_c", r"$\mathrm{a\_b\_c}$"),
        ("_x", r"$\mathrm{\_x}$"),
    ],
)
def test_symbols(name, text):
    assert symbol(name) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "$0.1$"),
        (20000.0, r"$2\times10^{4}$"),
        (0.01, "$0.01$"),
        (0.001, "$10^{-3}$"),
        (0.0015, r"$1.5\times10^{-3}$"),
        (3.714e-5, r"$3.71\times10^{-5}$"),
        (1e-7, "$10^{-7}$"),
        (-1e-7, r"$-1\times10^{-7}$"),
        (0.0, "$0$"),
    ],
)
def test_numbers(value, text):
    assert number(value) == text


def test_captions_wrap_and_leave_out_what_is_unknown():
    caption = Caption("word " * 30, {"lambda": 0.1}, {"error": None, "residual": 0.5})
    lines = caption.text(85.0).splitlines()
    assert len(lines) == 4
    assert lines[-1] == r"$\lambda$ = $0.1$,  residual $0.5$"
    assert caption.text(175.0).count("\n") == 2


def test_a_note_does_not_crush_its_picture():
    caption = Caption("Heat", note="unsolved: " + "the residual of momentum is 7.4e-01; " * 12)
    lines = caption.text(85.0).splitlines()
    assert len(lines) == 4
    assert lines[1].startswith("unsolved: the residual")
    assert lines[-1].endswith(" ...")


# --- every picture --------------------------------------------------------------------------


def draw_field(path, **options):
    values = np.add.outer(X, X).ravel()
    plot_fields(path, grid_plane(("x", "y"), X, X), [Quantity("u", (values,))], caption=CAPTION, **options)


def draw_lines(path, **options):
    curve = Curve("", X, X**2, X**2 + 1e-3)
    plot_lines(path, [curve], coordinate="x", quantity="$u$", caption=CAPTION, **options)


def draw_spacetime(path, **options):
    values = np.multiply.outer(X, X).ravel()
    profiles = [(t, Curve(f"$t = {t}$", X, t * X, t * X)) for t in (0.0, 0.5, 1.0)]
    fields = [FilmedField("$u$", values, profiles)]
    plot_spacetime_fields(path, X, X, fields, names=("t", "x"), caption=CAPTION, **options)


def draw_history(path, **options):
    curves = TrainingCurves(np.arange(21.0), {"equation[0]": np.exp(-X)})
    plot_history(path, curves, caption=CAPTION, **options)


def draw_points(path, **options):
    sets = {"interior": np.stack([X, X], axis=1)}
    plot_collocation(path, sets, coordinates=("x", "y"), caption=CAPTION, **options)


DRAWINGS = [draw_field, draw_lines, draw_spacetime, draw_history, draw_points]


@pytest.mark.parametrize("suffix", PICTURES)
@pytest.mark.parametrize("draw", [draw_field, draw_lines])
def test_the_same_data_give_the_same_bytes(tmp_path, draw, suffix):
    draw(tmp_path / f"a{suffix}", dpi=50)
    draw(tmp_path / f"b{suffix}", dpi=50)
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


@pytest.mark.parametrize(("draw", "dpi"), [(draw_field, 150), *((draw, 60) for draw in DRAWINGS)])
def test_widths_are_those_of_columns(tmp_path, pixels, draw, dpi):
    draw(tmp_path / "a.png", dpi=dpi)
    expected = 175 if draw is draw_spacetime else 85
    assert pixels(tmp_path / "a.png").shape[1] == pytest.approx(expected / 25.4 * dpi, abs=1)


@pytest.mark.parametrize(("suffix", "start"), [(".png", b"\x89PNG"), (".pdf", b"%PDF"), (".svg", b"<?xml")])
def test_formats(tmp_path, suffix, start):
    draw_field(tmp_path / f"a{suffix}")
    data = (tmp_path / f"a{suffix}").read_bytes()
    assert data.startswith(start)
    assert b"CreationDate" not in data
    assert b"dc:date" not in data


def test_coloured_areas_are_pixels_in_a_vector_picture(tmp_path):
    draw_field(tmp_path / "a.svg", dpi=100)
    text = (tmp_path / "a.svg").read_text()
    assert text.count("<image") == 2  # the field and its colour bar
    assert len(text) < 100_000


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.jpg", "unknown suffix '.jpg'; the suffix chooses the format, one of .png, .pdf, .svg"),
        ("a", "no suffix"),
    ],
)
def test_unknown_suffix(tmp_path, name, message):
    with pytest.raises(UsageError, match=message):
        draw_lines(tmp_path / name)


@pytest.mark.parametrize("dpi", [0, -300, 19, 100_000])
def test_dpi_out_of_range(tmp_path, dpi):
    with pytest.raises(UsageError, match=f"dpi must be between 20 and 2400, got {dpi}"):
        draw_lines(tmp_path / "a.png", dpi=dpi)


@pytest.mark.parametrize("suffix", PICTURES)
def test_full_disk_leaves_the_old_picture_and_nothing_else(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(FileAccessError, match=rf"cannot write .*a\{suffix}: File too large"):
            draw_lines(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_settings_of_the_caller_neither_matter_nor_change(tmp_path):
    draw_lines(tmp_path / "a.png", dpi=50)
    with matplotlib.rc_context({"font.size": 30, "text.usetex": True, "lines.linewidth": 9}):
        before = dict(matplotlib.rcParams)
        draw_lines(tmp_path / "b.png", dpi=50)
        assert dict(matplotlib.rcParams) == before
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_pyplot_is_never_imported():
    modules = "field, line, spacetime, history, collocation"
    drawn = f"from pinnkan.output.pictures import {modules}"
    code = f"import sys; {drawn}; sys.exit('matplotlib.pyplot' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "title", ["costs $5 and $6, 100% \\alpha_", "熱方程式 ∂u/∂t \U0001f980", "", "x" * 300]
)
def test_titles_are_text_whatever_they_hold(tmp_path, title):
    caption = Caption(title)
    plot_lines(tmp_path / "a.png", [Curve("", X, X)], coordinate="x", quantity="u", caption=caption, dpi=50)
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_a_fault_while_drawing_leaves_no_file(tmp_path):
    with pytest.raises(ZeroDivisionError), picture(tmp_path / "a.png", 85, 60):
        _ = 1 / 0
    assert list(tmp_path.iterdir()) == []


# --- lines ----------------------------------------------------------------------------------


def test_a_single_curve_has_no_legend_and_no_error_panel(tmp_path, figures):
    plot_lines(tmp_path / "a.png", [Curve("", X, X**2)], coordinate="x", quantity="$u$", caption=CAPTION)
    (axes,) = figures[0].axes
    assert np.array_equal(axes.lines[0].get_ydata(), X**2)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("$x$", "$u$")
    assert legend(figures[0]) == []


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (X**2, ""),
        (1e-6 * X, r"$\times\mathdefault{10^{~6}}\mathdefault{}$".replace("~", "\N{MINUS SIGN}")),
        (300 + 1e-3 * X**2, r"$300$$\,+\,10^{-3}\times$"),
        (-300 - 1e-3 * X**2, r"$-300$$\,+\,10^{-3}\times$"),
        (1e5 + X**2, r"$100000$$\,+\,\ldots$"),
    ],
    ids=["plain", "small", "about 300", "about -300", "about 100000"],
)
def test_what_the_numbers_of_an_axis_have_in_common_stands_at_its_end(tmp_path, figures, values, text):
    plot_lines(tmp_path / "a.png", [Curve("", X, values)], coordinate="x", quantity="u", caption=CAPTION)
    figures[0].draw_without_rendering()
    assert figures[0].axes[0].yaxis.get_offset_text().get_text() == text


def test_a_reference_brings_dashes_and_an_error_panel(tmp_path, figures):
    curves = [Curve(f"$t = {t}$", X, t * X**2, t * X) for t in (1, 2)]
    plot_lines(tmp_path / "a.png", curves, coordinate="x", quantity="$u$", caption=CAPTION)
    upper, lower = figures[0].axes
    assert [line.get_linestyle() for line in upper.lines] == ["-", "-", "--", "--"]
    assert np.array_equal(upper.lines[3].get_ydata(), 2 * X)
    assert np.array_equal(lower.lines[2].get_ydata(), 2 * X**2 - 2 * X)
    assert legend(figures[0]) == ["$t = 1$", "$t = 2$", "reference"]
    assert (upper.get_xlabel(), lower.get_xlabel(), lower.get_ylabel()) == ("", "$x$", "error")


def named(*values, reference=False):
    """Curves u0, u1, ...; their references are off by a hundredth."""
    return [
        Curve(f"$u_{i}$", X, field, 1.01 * field if reference else None) for i, field in enumerate(values)
    ]


def draw_named(path, curves):
    plot_lines(path / "a.png", curves, coordinate="x", quantity="$u_0, u_1$", caption=CAPTION, dpi=40)


@pytest.mark.parametrize("count", [2, 3, 7, 9])
def test_fields_in_one_panel_are_told_apart_without_colours(tmp_path, figures, count):
    draw_named(tmp_path, named(*[i + X for i in range(count)]))
    (axes,) = figures[0].axes
    assert np.array_equal([line.get_ydata() for line in axes.lines], [i + X for i in range(count)])
    looks = [(line.get_marker(), line.get_color()) for line in axes.lines]
    assert len(set(looks)) == count
    assert len({marker for marker, _ in looks}) == min(count, 7)
    assert (legend(figures[0]), axes.get_ylabel()) == ([f"$u_{i}$" for i in range(count)], "$u_0, u_1$")


WAVE = np.sin(9 * X)


@pytest.mark.parametrize(
    ("fields", "panels"),
    [
        ((WAVE, 2 * WAVE), 1),
        ((WAVE, 15 * WAVE), 1),
        ((WAVE, 25 * WAVE), 2),
        ((1e-30 * WAVE, 15e-30 * WAVE), 1),
        ((WAVE, 0 * X), 1),  # a field that is zero looks so on any axis
        ((300 + WAVE, 0 * X + 300), 1),
        ((300 + WAVE, 301 - WAVE), 1),
        ((300 + WAVE, WAVE), 2),  # as large as each other or not: on one axis both would be flat
        ((WAVE, 25 * WAVE, 25e3 * WAVE), 3),
        ((WAVE, np.full(21, np.nan)), 1),
        ((np.full(21, np.nan), np.full(21, np.nan)), 1),
    ],
)
def test_fields_of_other_sizes_have_panels_of_their_own(tmp_path, figures, fields, panels):
    draw_named(tmp_path, named(*fields))
    axes = figures[0].axes
    assert len(axes) == panels
    drawn = [line.get_ydata() for panel in axes for line in panel.lines]
    assert np.array_equal(drawn, fields, equal_nan=True)
    titles = [panel.get_title() for panel in axes]
    assert titles == ([""] if panels == 1 else [f"$u_{i}$" for i in range(panels)])
    assert all(panel.get_xlabel() == "$x$" for panel in axes)


def test_a_reference_that_covers_nothing(tmp_path, figures):
    curves = [replace(curve, reference=np.full(21, np.nan)) for curve in named(WAVE, 2 * WAVE)]
    draw_named(tmp_path, curves)
    assert [len(axes.lines) for axes in figures[0].axes] == [4, 3]


def test_panels_of_fields_have_their_references_and_errors(tmp_path, figures):
    """Five fields fill a row of three and one of two; the third has no reference and no panel of errors."""
    curves = named(*[100.0**i * WAVE for i in range(5)], reference=True)
    curves[2] = replace(curves[2], reference=None)
    draw_named(tmp_path, curves)
    figure = figures[0]
    panels = {
        (span.rowspan.start, span.colspan.start): axes
        for axes in figure.axes
        if axes.get_visible()
        for span in [axes.get_subplotspec()]
    }
    values = {cell: axes.get_title() for cell, axes in panels.items() if axes.get_title()}
    assert values == dict(
        zip([(0, 0), (0, 1), (0, 2), (2, 0), (2, 1)], [c.label for c in curves], strict=True)
    )
    assert sorted(set(panels) - set(values)) == [(1, 0), (1, 1), (3, 0), (3, 1)]
    assert np.allclose(panels[3, 1].lines[1].get_ydata(), -0.01 * 100.0**4 * WAVE, rtol=1e-12, atol=0)
    named_axes = {cell for cell, axes in panels.items() if axes.get_xlabel()}
    assert named_axes == {(0, 2), (3, 0), (3, 1)}
    assert legend(figure) == ["solution", "reference"]


def test_fields_over_space_and_time_have_rows(tmp_path, figures):
    """The second has no reference: its profiles take the height of its row."""
    values = np.multiply.outer(X, X).ravel()
    known = [(t, Curve(f"$t = {t}$", X, t * X, 2 * t * X)) for t in (0.0, 1.0)]
    unknown = [(t, Curve(f"$t = {t}$", X, 50 * t * X)) for t in (0.0, 1.0)]
    fields = [FilmedField("$u$", values, known), FilmedField("$v$", 50 * values, unknown)]
    plot_spacetime_fields(tmp_path / "a.png", X, X, fields, names=("t", "x"), caption=CAPTION, dpi=40)
    first, _, lower, second, profiles = figures[0].axes
    assert [axes.collections[0].get_clim() for axes in (first, second)] == [(0, 1), (0, 50)]
    assert [axes.child_axes[0].get_ylabel() for axes in (first, second)] == ["$u$", "$v$"]
    assert [axes.get_ylabel() for axes in figures[0].axes] == ["$x$", "$u$", "error", "$x$", "$v$"]
    assert [axes.get_xlabel() for axes in figures[0].axes] == ["", "", "", "$t$", "$x$"]
    assert np.array_equal(lower.lines[2].get_ydata(), -X)
    assert np.array_equal(profiles.lines[1].get_ydata(), 50 * X)
    assert [len(axes.lines) for axes in (first, second)] == [4, 4]
    assert legend(figures[0]) == ["$t = 0.0$", "$t = 1.0$", "reference"]


def test_space_and_time_with_profiles(tmp_path, figures):
    draw_spacetime(tmp_path / "a.png")
    field, upper, lower = figures[0].axes
    assert (field.get_xlabel(), field.get_ylabel()) == ("$t$", "$x$")
    assert sorted({float(line.get_xdata()[0]) for line in field.lines}) == [0.0, 0.5, 1.0]
    assert field.get_xlim() == (0.0, 1.0)
    assert np.array_equal(upper.lines[1].get_ydata(), 0.5 * X)
    assert np.all(np.asarray(lower.lines[1].get_ydata()) == 0)
    assert legend(figures[0]) == ["$t = 0.0$", "$t = 0.5$", "$t = 1.0$", "reference"]


def test_space_and_time_without_a_reference(tmp_path, figures):
    profiles = [(0.5, Curve("$t = 0.5$", X, X))]
    fields = [FilmedField("$u$", np.ones(21 * 21), profiles)]
    plot_spacetime_fields(tmp_path / "a.png", X, X, fields, names=("t", "x"), caption=CAPTION)
    assert len(figures[0].axes) == 2


# --- history --------------------------------------------------------------------------------


def test_history(tmp_path, figures):
    steps = np.arange(0.0, 200.0)
    held_out = np.full(200, np.nan)
    held_out[::50] = [1.0, 0.1, 0.01, 0.02]
    terms = {"equation[0]": np.exp(-steps / 20), "boundary[0]": np.zeros(200)}
    phases = [("adam", 0.0), ("lm", 100.0)]
    curves = TrainingCurves(steps, terms, held_out, 0.5 * held_out, phases, 100.0)
    plot_history(tmp_path / "a.png", curves, caption=CAPTION)
    (axes,) = figures[0].axes
    assert axes.get_yscale() == "log"
    assert axes.get_xscale() == "linear"
    lines = {line.get_label(): line for line in axes.lines}
    assert np.array_equal(lines["equation[0]"].get_ydata(), terms["equation[0]"])
    assert np.isnan(lines["boundary[0]"].get_ydata()).all()
    assert lines["held out"].get_xdata().tolist() == [0, 50, 100, 150]
    assert lines["held out"].get_ydata().tolist() == [1.0, 0.1, 0.01, 0.02]
    assert lines["relative $L^2$ error"].get_ydata().tolist() == [0.5, 0.05, 0.005, 0.01]
    assert list(lines["kept"].get_xdata()) == [100, 100]
    assert [text.get_text() for text in axes.texts] == ["adam", "lm"]
    assert legend(figures[0]) == ["equation[0]", "boundary[0]", "held out", "relative $L^2$ error", "kept"]


def test_terms_of_a_history_are_told_apart(tmp_path, figures):
    terms = {f"equation[{index}]": np.ones(5) for index in range(20)}
    plot_history(tmp_path / "a.png", TrainingCurves(np.arange(5.0), terms), caption=CAPTION)
    looks = [(line.get_color(), line.get_linestyle()) for line in figures[0].axes[0].lines]
    assert len(set(looks)) == 20


def test_history_over_decades_of_steps(tmp_path, figures):
    curves = TrainingCurves(np.arange(1000.0), {"loss": np.ones(1000)}, phases=[("adam", 0), ("lm", 900)])
    plot_history(tmp_path / "a.png", curves, caption=CAPTION, log_steps=True)
    (axes,) = figures[0].axes
    assert axes.get_xscale() == "symlog"
    # A name that starts at the right edge ends there.
    figures[0].draw_without_rendering()
    right = axes.get_window_extent().x1
    assert [text.get_text() for text in axes.texts] == ["adam", "lm"]
    assert right - 20 < axes.texts[1].get_window_extent().x1 <= right


def test_names_of_short_phases_stand_side_by_side(tmp_path, figures):
    phases = [("Adam", 0), ("L-BFGS", 900), ("LM", 990)]
    curves = TrainingCurves(np.arange(1000.0), {"loss": np.ones(1000)}, phases=phases)
    plot_history(tmp_path / "a.png", curves, caption=CAPTION)
    (axes,) = figures[0].axes
    assert [text.get_text() for text in axes.texts] == ["Adam", "L-BFGS, LM"]
    figures[0].draw_without_rendering()
    assert axes.texts[1].get_window_extent().x1 <= axes.get_window_extent().x1
    phases = [(name, 10 * place) for place, (name, _) in enumerate(phases)]
    plot_history(tmp_path / "b.png", replace(curves, phases=phases), caption=CAPTION)
    assert [text.get_text() for text in figures[1].axes[0].texts] == ["Adam, L-BFGS, LM"]


@pytest.mark.parametrize("count", [0, 1])
def test_history_of_next_to_nothing(tmp_path, count):
    steps = np.arange(float(count))
    plot_history(tmp_path / "a.png", TrainingCurves(steps, {"loss": steps}), caption=CAPTION)
    assert (tmp_path / "a.png").exists()


# --- points ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("coordinates", "time", "labels"),
    [
        (("x", "y"), None, [("$x$", "$y$")]),
        (("t", "x"), "t", [("$t$", "$x$")]),
        (("t", "x", "y"), "t", [("$x$", "$y$"), ("$t$", "$x$")]),
        (("x", "y", "z"), None, [("$x$", "$y$"), ("$x$", "$z$")]),
        (("t", "x", "y", "z"), "t", [("$x$", "$y$"), ("$x$", "$z$"), ("$t$", "$x$")]),
    ],
)
def test_points_are_seen_along_the_coordinates(tmp_path, figures, coordinates, time, labels):
    points = np.random.default_rng(0).uniform(size=(30, len(coordinates)))
    sets = {"interior": points, "walls": points[:5]}
    plot_collocation(tmp_path / "a.png", sets, coordinates=coordinates, time=time, caption=CAPTION)
    axes = figures[0].axes
    assert [(a.get_xlabel(), a.get_ylabel()) for a in axes] == labels
    assert legend(figures[0]) == ["interior (30)", "walls (5)"]
    first = [coordinates.index(label.strip("$")) for label in labels[0]]
    assert np.array_equal(axes[0].lines[0].get_xydata(), points[:, first])


def test_points_of_an_interval_are_rows(tmp_path, figures):
    sets = {"interior": X[:, None], "x-": np.zeros((1, 1))}
    plot_collocation(tmp_path / "a.png", sets, coordinates=("x",), caption=CAPTION)
    (axes,) = figures[0].axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["interior (21)", "x- (1)"]
    assert np.array_equal(axes.lines[0].get_xdata(), X)


# --- trajectories ---------------------------------------------------------------------------


def test_trajectories_are_medians_and_ranges_over_steps_and_seconds(tmp_path, figures):
    """Two trainings of one label, y = 10^-x and 10^-3x: the median is between them, the band their range."""
    x = np.arange(1.0, 5.0)
    fast, slow = (Trajectory(x, 2 * x, 10.0 ** (-power * x)) for power in (3, 1))
    later = Trajectory(x + 3, x + 3, 10.0**-x)
    holes = Trajectory(x, 3 * x, np.array([1.0, np.nan, np.nan, 1e-3]))
    panels = [Panel("first", {"both": [fast, slow]}), Panel("second", {"holes": [holes], "both": [slow]})]
    panels.append(Panel("third", {"both": [slow, later]}))
    plot_trajectories(tmp_path / "a.png", panels, title="costs $5")
    upper, upper_seconds, lower, _ = figures[0].axes[:4]
    (line,) = upper.lines
    middle = 0.5 * (10.0 ** (-3 * line.get_xdata()) + 10.0 ** -line.get_xdata())
    assert np.allclose(line.get_ydata(), middle, rtol=1e-12)
    (band,) = upper.collections
    ends = band.get_paths()[0].vertices
    assert (ends[:, 1].min(), ends[:, 1].max()) == pytest.approx((1e-12, 1e-1))
    assert np.array_equal(upper_seconds.lines[0].get_xdata(), 2 * line.get_xdata())
    # What was not measured is filled in by decades.
    assert np.interp(2.0, lower.lines[0].get_xdata(), np.log10(lower.lines[0].get_ydata())) == pytest.approx(
        -1
    )
    assert upper.lines[0].get_color() == lower.lines[1].get_color() != lower.lines[0].get_color()
    # Before its first loss and after its last a training holds them.
    (shifted,) = figures[0].axes[4].lines
    assert (shifted.get_xdata()[0], shifted.get_xdata()[-1]) == (1, 7)
    assert shifted.get_ydata()[[0, -1]] == pytest.approx([0.5 * (1e-1 + 1e-1), 0.5 * (1e-4 + 1e-4)])
    assert legend(figures[0]) == ["both", "holes"]
    assert [axes.get_title(loc="left") for axes in (upper, lower)] == ["first", "second"]
    assert [axes.get_xlabel() for axes in figures[0].axes] == ["", "", "", "", "step", "seconds"]
    assert figures[0].get_suptitle() == r"costs \$5"

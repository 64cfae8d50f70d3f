"""Arrows and streamlines over fields: where they stand, which way they point, and where there are none."""

from __future__ import annotations

import matplotlib.quiver
import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.patches import FancyArrowPatch

from pinnkan.output.grid import make_grid
from pinnkan.output.pictures.field import Quantity, plot_fields
from pinnkan.output.pictures.flow import Flow
from pinnkan.output.pictures.labels import Caption
from pinnkan.output.pictures.plane import cloud_plane, fitted_points, grid_plane

CAPTION = Caption("Flow", {"nu": 0.1})
KINDS = ("arrows", "streamlines")


def box(width=1.0, height=1.0, *, origin=0.0):
    x, y = (np.linspace(origin, origin + side, 21) for side in (width, height))
    return grid_plane(("x", "y"), x, y)


def disk():
    grid = make_grid(("x", "y"), [-1, -1], [1, 1], (41, 41)).points
    angles = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    edge = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return cloud_plane(("x", "y"), fitted_points(grid, np.hypot(*grid.T) < 1, edge))


def draw(path, plane, kind, *pairs, title="u"):
    """Draw a flow over a field of ones, at as many times as there are pairs."""
    ones = np.ones(len(plane.points))
    quantity = Quantity(title, (ones,) * len(pairs), title=title, flows=(Flow(kind, pairs),))
    plot_fields(path / "a.png", plane, [quantity], caption=CAPTION, dpi=40)


def arrows(axes):
    """Places and arrows of a panel, shape (N, 2) each."""
    (quiver,) = [c for c in axes.collections if isinstance(c, matplotlib.quiver.Quiver)]
    return quiver.get_offsets(), np.stack([quiver.U, quiver.V], axis=1)


def lines(axes):
    """The white lines and those below them, in pieces, (N, 2) each."""
    dark, white = [
        next(
            c for c in axes.collections if isinstance(c, LineCollection) and np.all(c.get_colors()[0] == rgba)
        )
        for rgba in ([0, 0, 0, 1], [1, 1, 1, 1])
    ]
    return white.get_segments(), dark.get_segments()


def flow_artists(axes):
    quivers = [c for c in axes.collections if isinstance(c, matplotlib.quiver.Quiver)]
    # The edge of the domain is a collection of lines too.
    collections = [c for c in axes.collections if isinstance(c, LineCollection)][1:]
    return [*quivers, *collections, *axes.patches]


# --- arrows ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("width", "height", "columns", "rows"),
    [
        (1.0, 1.0, 20, 20),
        (4.0, 1.0, 20, 5),
        (1.0, 4.0, 5, 20),
        (3e-9, 2e-9, 20, 13),
        (6000.0, 4500.0, 20, 15),
    ],
)
def test_arrows_are_twenty_along_the_longer_side(tmp_path, figures, width, height, columns, rows):
    plane = box(width, height)
    draw(tmp_path, plane, "arrows", (np.full(441, 7e5), np.zeros(441)))
    places, vectors = arrows(figures[0].axes[0])
    assert len(places) == columns * rows
    x, y = (np.unique(np.round(column, 15)) for column in (places / max(width, height)).T)
    assert (len(x), len(y)) == (columns, rows)
    # None touches the next, the longest is nine tenths of the way.
    assert vectors[:, 0] == pytest.approx(0.9 * max(width, height) / 20, rel=1e-12)
    assert np.all(vectors[:, 1] == 0)


@pytest.mark.parametrize(("times", "columns"), [(1, 20), (2, 20), (3, 16), (4, 12), (5, 9)])
def test_small_panels_have_fewer_arrows(tmp_path, figures, times, columns):
    ones = np.ones(441)
    draw(tmp_path, box(), "arrows", *[(ones, ones)] * times)
    figure = figures[0]
    places, vectors = arrows(figure.axes[0])
    assert len(np.unique(np.round(places[:, 0], 12))) == columns
    assert np.hypot(*vectors[0]) == pytest.approx(0.9 / columns)
    figure.draw_without_rendering()
    panel_mm = figure.axes[0].get_position().width * figure.get_figwidth() * 25.4
    assert panel_mm / columns > 2.5


def test_arrows_are_the_vectors_scaled_to_the_longest(tmp_path, figures):
    plane = box(2.0, 2.0, origin=-1.0)
    x, y = plane.points.T
    draw(tmp_path, plane, "arrows", (-3.0 * y, 3.0 * x))
    places, vectors = arrows(figures[0].axes[0])
    # The largest vector is that of the corners: 3 times the root of 2.
    factor = 0.9 * 2.0 / 20 / (3 * np.sqrt(2))
    assert len(places) == 400
    assert vectors == pytest.approx(3 * factor * np.stack([-places[:, 1], places[:, 0]], axis=1), abs=1e-12)


def test_arrows_of_all_times_have_one_scale(tmp_path, figures):
    plane = box()
    ones, zeros = np.ones(441), np.zeros(441)
    draw(tmp_path, plane, "arrows", (ones, zeros), (-4 * ones, zeros), (zeros, 2 * ones), (zeros, zeros))
    panels = [axes for axes in figures[0].axes if axes.collections][:4]
    lengths = [arrows(axes)[1][0] for axes in panels[:3]]
    factor = lengths[1][0] / -4
    assert np.allclose(lengths, factor * np.array([[1, 0], [-4, 0], [0, 2]]), rtol=1e-12)
    assert flow_artists(panels[3]) == []


def test_what_is_too_short_to_point_anywhere_is_left_out(tmp_path, figures):
    plane = box()
    x = plane.points[:, 0]
    draw(tmp_path, plane, "arrows", (np.where(x < 0.5, 1e-3, 1.0), 0 * x))
    places, _ = arrows(figures[0].axes[0])
    assert places[:, 0].min() > 0.45
    assert len(places) == pytest.approx(200, abs=20)


def test_arrows_stay_inside_a_disk(tmp_path, figures):
    plane = disk()
    ones = np.ones(len(plane.points))
    draw(tmp_path, plane, "arrows", (ones, 0.5 * ones))
    places, vectors = arrows(figures[0].axes[0])
    for end in (places - vectors / 2, places + vectors / 2):
        assert np.hypot(*end.T).max() < 1
    assert 250 < len(places) < 0.25 * np.pi * 400


def test_a_sliver_that_is_not_to_scale_keeps_its_arrows_in_their_cells(tmp_path, figures):
    """Box 100 times as long as high, drawn 1 : 0.8: on paper (100, 1) runs along the diagonal."""
    draw(tmp_path, box(100.0, 1.0), "arrows", (np.full(441, 100.0), np.full(441, 1.0)))
    places, vectors = arrows(figures[0].axes[0])
    assert len(places) == 20 * 16
    on_paper = vectors[0] * [1 / 100, 0.8]
    assert np.hypot(*on_paper) == pytest.approx(0.9 / 20, rel=1e-12)
    assert on_paper[1] / on_paper[0] == pytest.approx(0.8)


# --- streamlines ----------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_streamlines_of_a_rotation_are_circles(tmp_path, figures, scale):
    plane = disk()
    x, y = plane.points.T
    draw(tmp_path, plane, "streamlines", (-scale * y, scale * x))
    axes = figures[0].axes[0]
    white, dark = lines(axes)
    assert len(white) == len(dark) > 10
    for piece in white:
        radii = np.hypot(*np.asarray(piece).T)
        assert np.ptp(radii) < 0.01
        assert radii.max() < 1
    # Counter-clockwise, as the heads say.
    heads = [patch for patch in axes.patches if isinstance(patch, FancyArrowPatch)]
    assert heads
    for head in heads:
        tail, tip = (np.array(place) for place in head._posA_posB)
        assert tail[0] * tip[1] - tail[1] * tip[0] > 0


def test_streamlines_end_inside_a_disk(tmp_path, figures):
    """In small panels lines are integrated in long steps, which end outside."""
    plane = disk()
    x, y = plane.points.T
    draw(tmp_path, plane, "streamlines", *[(-y - time * x, x - y) for time in range(5)])
    for axes in figures[0].axes[:5]:
        white, dark = lines(axes)
        assert len(white) == len(dark) > 5
        assert np.hypot(*np.concatenate(white).T).max() <= 1
        assert np.hypot(*np.concatenate(dark).T).max() <= 1


def test_streamlines_do_not_move_the_edge_of_the_picture(tmp_path, figures):
    plane = box(4.0, 1.0)
    x, y = plane.points.T
    draw(
        tmp_path,
        plane,
        "streamlines",
        (np.sin(np.pi * x / 4) * np.cos(np.pi * y), -np.cos(np.pi * x / 4) * np.sin(np.pi * y) / 4),
    )
    axes = figures[0].axes[0]
    assert (axes.get_xlim(), axes.get_ylim()) == ((0.0, 4.0), (0.0, 1.0))
    assert len(lines(axes)[0]) > 5


def test_rounding_has_no_streamlines(tmp_path, figures):
    plane = box()
    x = plane.points[:, 0]
    noise = 1e-16 * np.random.default_rng(0).normal(size=len(x))
    draw(tmp_path, plane, "streamlines", (np.where(x < 0.5, noise, 1.0), noise))
    white, _ = lines(figures[0].axes[0])
    assert min(np.asarray(piece)[:, 0].min() for piece in white) > 0.44


# --- both -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [0.0, np.nan])
def test_where_there_is_no_vector_nothing_is_drawn(tmp_path, figures, kind, value):
    nothing = np.full(441, value)
    draw(tmp_path, box(), kind, (nothing, nothing))
    assert flow_artists(figures[0].axes[0]) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_hole_stays_empty(tmp_path, figures, kind):
    plane = box(2.0, 2.0, origin=-1.0)
    hole = np.hypot(*plane.points.T) < 0.5
    draw(tmp_path, plane, kind, (np.where(hole, np.nan, 1.0), np.ones(441)))
    axes = figures[0].axes[0]
    places = arrows(axes)[0] if kind == "arrows" else np.concatenate(lines(axes)[0])
    assert 0.45 < np.hypot(*places.T).min() < 0.8


@pytest.mark.parametrize("kind", KINDS)
def test_flows_take_the_place_of_contours_and_know_their_panel(tmp_path, figures, kind):
    plane = box()
    x, y = plane.points.T
    flow = Flow(kind, ((np.ones(441), np.zeros(441)),))
    quantities = [Quantity("u", (x,), title="u", flows=(flow,)), Quantity("v", (y,), title="v")]
    plot_fields(tmp_path / "a.png", plane, quantities, caption=CAPTION, contours=3, dpi=40)
    with_flow, without = figures[0].axes[:2]
    assert flow_artists(with_flow)
    assert not any(hasattr(c, "levels") for c in with_flow.collections)
    assert [len(c.levels) for c in without.collections if hasattr(c, "levels")] == [3]


@pytest.mark.parametrize(("kind", "suffix"), [("arrows", ".svg"), ("streamlines", ".png")])
def test_the_same_flow_gives_the_same_bytes(tmp_path, kind, suffix):
    plane = box()
    x, y = plane.points.T
    quantity = Quantity("u", (x,), flows=(Flow(kind, ((-y, x - 0.5),)),))
    for name in "ab":
        plot_fields(tmp_path / f"{name}{suffix}", plane, [quantity], caption=CAPTION, dpi=40)
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_a_component_of_another_grid_is_refused(tmp_path):
    with pytest.raises(ValueError, match="shape"):
        draw(tmp_path, box(), "arrows", (np.ones(441), np.ones(440)))

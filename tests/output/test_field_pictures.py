"""Pictures of fields: what the pixels say, and how the panels are laid out."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest
from matplotlib.collections import TriMesh

from pinnkan.output.grid import make_grid
from pinnkan.output.pictures.colours import scale_of
from pinnkan.output.pictures.field import Quantity, plot_fields
from pinnkan.output.pictures.labels import Caption
from pinnkan.output.pictures.plane import cloud_plane, fitted_points, grid_plane

X = np.linspace(-1, 1, 61)
GRID = make_grid(("x", "y"), [-1, -1], [1, 1], (61, 61)).points
INSIDE = np.hypot(*GRID.T) <= 1
ANGLES = np.linspace(0, 2 * np.pi, 240, endpoint=False)
EDGE = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
SQUARE = grid_plane(("x", "y"), X, X)
CAPTION = Caption("Square", {"lambda": 0.1}, {"relative $L^2$ error": 3.7e-5})


def colour(name, value):
    return np.round(np.array(matplotlib.colormaps[name](value)[:3]) * 255).astype(int)


def near(image, wanted, tolerance=6):
    return np.abs(image - wanted).max(axis=-1) <= tolerance


def panels(figure):
    """Panels with a field, without the colour bars."""
    return [a for a in figure.axes if a.get_visible() and any(isinstance(c, TriMesh) for c in a.collections)]


def bars(figure):
    return [child for axes in panels(figure) for child in axes.child_axes]


@pytest.fixture(scope="module")
def disk():
    return cloud_plane(("x", "y"), fitted_points(GRID, INSIDE, EDGE))


# --- planes ---------------------------------------------------------------------------------


def area(plane):
    a, b, c = (plane.points[plane.triangles[:, i]] for i in range(3))
    return np.abs(np.cross(np.pad(b - a, ((0, 0), (0, 1))), np.pad(c - a, ((0, 0), (0, 1))))[:, 2]).sum() / 2


def test_a_grid_is_covered_once():
    assert area(SQUARE) == pytest.approx(4.0, rel=1e-12)
    assert len(SQUARE.edge) == 4 * 60


def test_a_masked_grid_keeps_whole_triangles_inside():
    plane = grid_plane(("x", "y"), X, X, inside=INSIDE)
    assert INSIDE[plane.triangles].all()
    assert 0.95 * np.pi < area(plane) < np.pi


def test_a_fitted_disk_ends_at_the_circle(disk):
    polygon = 120 * np.sin(2 * np.pi / 240)
    assert area(disk) == pytest.approx(polygon, rel=1e-12)
    assert np.hypot(*disk.edge.reshape(-1, 2).T) == pytest.approx(1.0, abs=1e-12)


def test_triangles_outside_a_domain_that_is_not_convex_are_left_out():
    corner = GRID[(GRID[:, 0] <= 0) | (GRID[:, 1] <= 0)]
    plane = cloud_plane(("x", "y"), corner, contains=lambda p: (p[:, 0] < 0) | (p[:, 1] < 0))
    assert area(plane) == pytest.approx(3.0, rel=1e-12)


@pytest.mark.parametrize(("height", "to_scale"), [(0.1, False), (0.5, True), (2.0, True), (1000.0, False)])
def test_a_sliver_is_not_drawn_to_scale(height, to_scale):
    plane = grid_plane(("x", "y"), np.linspace(0, 1, 5), np.linspace(0, height, 5))
    assert plane.to_scale is to_scale
    assert plane.height_over_width == (pytest.approx(height) if to_scale else 0.8)


# --- colours --------------------------------------------------------------------------------


def test_the_signed_scale_is_symmetric_and_white_at_zero():
    scale = scale_of([np.array([-1.0, 3.0, np.nan])], "signed")
    assert (scale.low, scale.high) == (-3.0, 3.0)
    assert min(scale.colours(scale.norm(0.0))[:3]) > 0.96


def test_values_run_from_least_to_greatest_of_all_fields():
    scale = scale_of([np.array([1.0, 2.0]), np.array([-5.0, np.nan])], "value")
    assert (scale.low, scale.high, scale.factor) == (-5.0, 2.0, "")


def test_small_values_get_a_factor():
    scale = scale_of([np.array([-2e-5, 3e-5])], "signed")
    assert scale.factor == "$10^{-5}$"
    assert scale.prepare(np.array([3e-5])) == pytest.approx([3.0])
    assert scale.high == pytest.approx(3.0)


def test_magnitudes_have_four_decades_and_a_floor():
    scale = scale_of([np.array([0.0, -1e-2, 1e-9])], "magnitude")
    assert scale.low == pytest.approx(1e-6)
    assert scale.prepare(np.array([-1e-2, 0.0])) == pytest.approx([1e-2, 1e-6])
    assert scale.extend == "min"


@pytest.mark.parametrize("kind", ["value", "signed", "magnitude"])
@pytest.mark.parametrize("value", [0.0, 3.0, -1e-7, 1e300])
def test_constant_fields_have_a_scale(kind, value):
    scale = scale_of([np.full(5, value)], kind)
    assert np.isfinite([scale.low, scale.high]).all()
    assert scale.low < scale.high


# --- pixels ---------------------------------------------------------------------------------


@pytest.mark.parametrize("fitted", [True, False])
def test_the_outside_is_blank_and_scales_are_equal(tmp_path, pixels, disk, fitted):
    plane = disk if fitted else grid_plane(("x", "y"), X, X, inside=INSIDE)
    values = np.ones(len(plane.points))
    if not fitted:
        values[~INSIDE] = np.nan
    plot_fields(tmp_path / "a.png", plane, [Quantity("e", (values,), "signed")], caption=CAPTION, dpi=200)
    image = pixels(tmp_path / "a.png")
    red = near(image, colour("RdBu_r", 1.0))
    # Without the colour bar at the right, whose upper end is red too.
    columns = np.flatnonzero(red.any(axis=0))
    gap = columns[np.flatnonzero(np.diff(columns) > 5)]
    red[:, (gap[0] if gap.size else columns[-1]) + 1 :] = False
    rows, columns = (np.flatnonzero(red.any(axis=axis)) for axis in (1, 0))
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert height == pytest.approx(width, abs=4)
    assert red.sum() / (height * width) == pytest.approx(np.pi / 4, rel=0.02 if fitted else 0.04)
    corner = image[rows[0] + 5 : rows[0] + height // 10, columns[0] + 5 : columns[0] + width // 10]
    assert np.all(corner == 255)


def test_pixels_show_the_field(tmp_path, pixels, figures):
    values = GRID[:, 0] + 2 * GRID[:, 1]  # -3 at the lower left, 3 at the upper right
    plot_fields(tmp_path / "a.png", SQUARE, [Quantity("u", (values,))], caption=CAPTION, dpi=200)
    image = pixels(tmp_path / "a.png")
    axes = panels(figures[0])[0]
    box = axes.get_position()
    height, width = image.shape[:2]
    for x, y in [(-0.9, -0.9), (0.9, 0.9), (0.0, 0.0), (0.5, -0.5), (-0.8, 0.6)]:
        column = int(width * (box.x0 + box.width * (x + 1) / 2))
        row = int(height * (1 - box.y0 - box.height * (y + 1) / 2))
        assert image[row, column] == pytest.approx(colour("viridis", (x + 2 * y + 3) / 6), abs=8), (x, y)


def test_no_error_is_white(tmp_path, pixels):
    quantity = Quantity("e", (np.zeros(len(GRID)),), "signed")
    plot_fields(tmp_path / "a.png", SQUARE, [quantity], caption=CAPTION, dpi=100)
    image = pixels(tmp_path / "a.png")
    assert near(image, colour("RdBu_r", 0.5), 2).sum() > 0.3 * image[..., 0].size


# --- layout ---------------------------------------------------------------------------------


COARSE = make_grid(("x", "y"), [-1, -1], [1, 1], (11, 11)).points
SMALL = grid_plane(("x", "y"), np.linspace(-1, 1, 11), np.linspace(-1, 1, 11))


def quantities(times=1):
    fields = tuple((i + 1.0) * COARSE[:, 0] for i in range(times))
    errors = tuple(1e-5 * f for f in fields)
    return [
        Quantity("$u$", fields, title="solution"),
        Quantity("$u$", tuple(1.5 * f for f in fields), title="reference", same_scale_as_previous=True),
        Quantity("error", errors, "signed", title="error"),
    ]


def test_solution_reference_and_error_stand_side_by_side(tmp_path, figures):
    plot_fields(tmp_path / "a.png", SMALL, quantities(), caption=CAPTION, dpi=50)
    figure = figures[0]
    assert [a.get_title() for a in panels(figure)] == ["solution", "reference", "error"]
    limits = [a.collections[0].get_clim() for a in panels(figure)]
    assert limits == [(-1.5, 1.5), (-1.5, 1.5), (pytest.approx(-1.0), pytest.approx(1.0))]
    assert [b.get_title(loc="left") for b in bars(figure)] == ["", r"$\times\,$$10^{-5}$"]
    assert [a.get_xlabel() for a in panels(figure)] == ["$x$"] * 3
    assert [a.get_ylabel() for a in panels(figure)] == ["$y$", "", ""]
    assert figure.get_suptitle() == (
        "Square\n" r"$\lambda$ = $0.1$,  relative $L^2$ error $3.7\times10^{-5}$"
    )


def test_one_quantity_names_its_bar(tmp_path, figures):
    plot_fields(tmp_path / "a.png", SMALL, quantities()[2:], caption=CAPTION, dpi=50)
    assert [b.get_ylabel() for b in bars(figures[0])] == ["error ($10^{-5}$)"]


@pytest.mark.parametrize(("times", "shape"), [(2, (1, 2)), (5, (1, 5)), (6, (2, 3)), (7, (2, 4))])
def test_many_times_fill_rows(tmp_path, figures, times, shape):
    names = [f"$t = {i}$" for i in range(times)]
    plot_fields(tmp_path / "a.png", SMALL, quantities(times)[:1], caption=CAPTION, times=names, dpi=50)
    drawn = panels(figures[0])
    assert [a.get_title() for a in drawn] == [f"solution, {name}" for name in names]
    assert drawn[0].get_subplotspec().get_gridspec().get_geometry() == shape
    assert {a.collections[0].get_clim() for a in drawn} == {(-times, times)}
    lowest = [a for a in drawn if a.get_xlabel()]
    assert len(lowest) == shape[1]


def test_quantities_at_times_are_a_table(tmp_path, figures):
    names = ["$t = 0$", "$t = 1$"]
    plot_fields(tmp_path / "a.png", SMALL, quantities(2), caption=CAPTION, times=names, dpi=50)
    drawn = panels(figures[0])
    assert drawn[0].get_subplotspec().get_gridspec().get_geometry() == (3, 2)
    assert [a.get_title() for a in drawn] == [*names, "", "", "", ""]
    assert [a.get_ylabel() for a in drawn[::2]] == ["solution\n$y$", "reference\n$y$", "error\n$y$"]
    assert len(bars(figures[0])) == 3


def test_flat_regions_stand_above_each_other(tmp_path, figures):
    plane = grid_plane(("x", "y"), np.linspace(0, 4, 11), np.linspace(0, 1, 11))
    plot_fields(tmp_path / "a.png", plane, quantities(), caption=CAPTION, dpi=50)
    assert panels(figures[0])[0].get_subplotspec().get_gridspec().get_geometry() == (3, 1)


FLAT = grid_plane(("x", "y"), np.linspace(0, 4, 11), np.linspace(0, 1, 11))


@pytest.mark.parametrize(
    ("plane", "count", "cells"),
    [
        (SMALL, 2, [(0, 0), (0, 1)]),
        (SMALL, 3, [(0, 0), (0, 1), (0, 2)]),
        (SMALL, 4, [(0, 0), (0, 1), (1, 0), (1, 1)]),
        (SMALL, 5, [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]),
        (SMALL, 7, [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 0)]),
        (FLAT, 3, [(0, 0), (1, 0), (2, 0)]),
        (FLAT, 5, [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0)]),
    ],
)
def test_each_field_has_its_panel_its_title_and_its_bar(tmp_path, figures, plane, count, cells):
    fields = [Quantity(f"$u_{i}$", (10.0**i * COARSE[:, 0],), title=f"$u_{i}$") for i in range(count)]
    plot_fields(tmp_path / "a.png", plane, fields, caption=CAPTION, dpi=40)
    drawn = panels(figures[0])
    assert cells_of(drawn) == cells
    assert [a.get_title() for a in drawn] == [f"$u_{i}$" for i in range(count)]
    assert len(bars(figures[0])) == count
    limits = [a.collections[0].get_clim()[1] for a in drawn]
    assert limits == pytest.approx([10.0**i if i < 4 else 1.0 for i in range(count)])


def cells_of(drawn):
    spans = [a.get_subplotspec() for a in drawn]
    return [(span.rowspan.start, span.colspan.start) for span in spans]


def compared(name, scale, *, known):
    """A field as the first of its group, with its reference and its error if they are known."""
    values = scale * COARSE[:, 0]
    solution = Quantity(name, (values,), title=f"solution {name}", starts_group=True)
    if not known:
        return [solution]
    reference = Quantity(name, (2 * values,), title=f"reference {name}", same_scale_as_previous=True)
    return [solution, reference, Quantity(name, (-values,), "signed", title=f"error in {name}")]


ROWS = [(0, 0), (0, 1), (0, 2), (1, 0), (2, 0), (2, 1), (2, 2)]


@pytest.mark.parametrize("plane", [SMALL, FLAT], ids=["square", "flat"])
def test_each_unknown_with_its_reference_and_error_has_its_row(tmp_path, figures, plane):
    """Of flat regions, its column."""
    fields = [*compared("u", 1.0, known=True), *compared("p", 50.0, known=False)]
    fields += compared("v", 3.0, known=True)
    plot_fields(tmp_path / "a.png", plane, fields, caption=CAPTION, dpi=40)
    drawn = panels(figures[0])
    cells = ROWS if plane is SMALL else [(column, row) for row, column in ROWS]
    at = dict(zip(cells_of(drawn), drawn, strict=True))
    assert {cell: axes.get_title() for cell, axes in at.items()} == {
        cell: quantity.title for cell, quantity in zip(cells, fields, strict=True)
    }
    tops = [at[cell].collections[0].get_clim()[1] for cell in cells]
    assert tops == [2.0, 2.0, 1.0, 50.0, 6.0, 6.0, 3.0]
    # Every column names its axis at its lowest panel, every row at its first.
    for (row, column), axes in at.items():
        lowest = row == max(other for other, same in at if same == column)
        first = column == min(other for same, other in at if same == row)
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("$x$" if lowest else "", "$y$" if first else "")


UNEVEN = [*compared("$u$", 1.0, known=True), *compared("$p$", 5e4, known=False)]
FILMS = {
    **{f"{times} times": (SMALL, quantities(times)) for times in (1, 2, 7)},
    "unknowns": (SMALL, UNEVEN),
    "flat unknowns": (FLAT, UNEVEN),
    "five flat fields": (FLAT, [Quantity("", (COARSE[:, 0],), title=f"$u_{i}$") for i in range(5)]),
}


@pytest.mark.parametrize("name", FILMS)
def test_nothing_overlaps_and_nothing_is_cut_off(tmp_path, figures, name):
    plane, fields = FILMS[name]
    names = [f"$t = {i}$" for i in range(len(fields[0].values))]
    plot_fields(tmp_path / "a.png", plane, fields, caption=CAPTION, times=names, dpi=100)
    figure = figures[0]
    figure.draw_without_rendering()
    boxes = [a.get_tightbbox() for a in panels(figure)]
    title = figure.texts[0] if figure.texts else figure._suptitle
    boxes.append(title.get_window_extent())
    for i, a in enumerate(boxes):
        assert a.x0 >= -1
        assert a.y0 >= -1
        assert a.x1 <= figure.bbox.width + 1
        assert a.y1 <= figure.bbox.height + 1
        for b in boxes[i + 1 :]:
            overlap = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
            assert min(overlap) < 3, (a, b)


def test_contours_are_drawn_over_values_only(tmp_path, figures):
    plot_fields(tmp_path / "a.png", SMALL, quantities(), caption=CAPTION, contours=3, dpi=50)
    assert [len(a.collections) for a in panels(figures[0])] == [3, 3, 2]
    levels = panels(figures[0])[1].collections[2].levels
    assert levels == pytest.approx([-0.75, 0.0, 0.75])

"""Exports read back by the programs that people use: numpy, pandas, meshio, h5py."""

from __future__ import annotations

import json
import resource
from contextlib import contextmanager

import h5py
import meshio
import numpy as np
import pandas as pd
import pytest

from pinnkan.ground.errors import FileAccessError, PinnkanError, UsageError
from pinnkan.output.exports.field_table import FieldTable
from pinnkan.output.exports.registry import EXPORTS, export_samples
from pinnkan.output.grid import make_grid
from pinnkan.output.point_table import read_points


def disk_samples(*, fixed=None, counts=(3, 9, 7), fields=("u", "exact")):
    grid = make_grid(("t", "x", "y"), [0, -1, -1], [1, 1, 1], counts, fixed=fixed)
    t, x, y = grid.points.T
    inside = np.hypot(x, y) <= 1
    values = {name: np.sin(3 * x + i) * np.exp(-t) + y / 3 for i, name in enumerate(fields)}
    about = {"problem": "heat", "lambda": 0.1}
    return FieldTable(grid.coordinates, grid.points, values, inside, grid.shape, "t", about)


def scattered_samples():
    points = np.random.default_rng(0).uniform(-1, 1, size=(10_000, 2))
    return FieldTable(("x", "y"), points, {"u": np.exp(points[:, 0]) / 3}, np.ones(10_000, dtype=bool))


def test_csv_is_exact_and_leaves_the_outside_out(tmp_path):
    samples = disk_samples()
    export_samples(tmp_path / "a.csv", samples)
    text = (tmp_path / "a.csv").read_bytes()
    assert text.startswith(b"t,x,y,u,exact\n")
    assert b"nan" not in text
    assert b"\r" not in text
    # As text first: before version 3, pandas itself rounded the last digit.
    frame = pd.read_csv(tmp_path / "a.csv", dtype=str).astype(float)
    assert list(frame.columns) == ["t", "x", "y", "u", "exact"]
    assert len(frame) == np.count_nonzero(samples.inside) < len(samples.points)
    for name, values in samples.columns.items():
        assert np.array_equal(frame[name].to_numpy(), values[samples.inside]), name


def test_csv_of_scattered_points_keeps_their_order(tmp_path):
    samples = scattered_samples()
    export_samples(tmp_path / "a.csv", samples)
    table = np.loadtxt(tmp_path / "a.csv", delimiter=",", skiprows=1)
    assert np.array_equal(table, np.column_stack([samples.points, samples.fields["u"]]))


def test_csv_without_its_unknowns_reads_as_points(tmp_path):
    samples = scattered_samples()
    bare = FieldTable(samples.coordinates, samples.points, {}, samples.inside)
    export_samples(tmp_path / "a.csv", bare)
    assert np.array_equal(read_points(tmp_path / "a.csv", ("x", "y")).points, samples.points)


@pytest.mark.parametrize("suffix", [".npz", ".h5", ".hdf5", ".NPZ"])
@pytest.mark.parametrize(("fixed", "shape"), [(None, (3, 9, 7)), ({"t": 0.5}, (9, 7))])
def test_arrays_have_the_shape_of_the_grid_and_nan_outside(tmp_path, suffix, fixed, shape):
    samples = disk_samples(fixed=fixed, counts=shape)
    export_samples(tmp_path / f"a{suffix}", samples)
    opened = (
        np.load(tmp_path / f"a{suffix}") if suffix.lower() == ".npz" else h5py.File(tmp_path / f"a{suffix}")
    )
    with opened as stored:
        assert sorted(stored) == sorted(["t", "x", "y", "u", "exact"])
        for name, values in samples.columns.items():
            assert stored[name].shape == shape
            assert np.array_equal(stored[name][...].ravel(), values, equal_nan=True), name
        assert np.array_equal(np.isnan(stored["u"][...]).ravel(), ~samples.inside)


def test_hdf5_says_what_it_holds(tmp_path):
    export_samples(tmp_path / "a.h5", disk_samples())
    with h5py.File(tmp_path / "a.h5") as stored:
        assert stored.attrs["coordinates"] == "t,x,y"
        assert stored.attrs["fields"] == "u,exact"
        assert stored.attrs["problem"] == "heat"
        assert stored.attrs["lambda"] == 0.1


@pytest.mark.parametrize("suffix", EXPORTS)
def test_a_grid_of_a_single_point(tmp_path, suffix):
    grid = make_grid(("t", "x"), [0, 0], [1, 1], (), fixed={"t": 0.5, "x": 0.25})
    samples = FieldTable(
        grid.coordinates, grid.points, {"u": np.array([2.0])}, np.array([True]), grid.shape, "t"
    )
    export_samples(tmp_path / f"a{suffix}", samples)
    if suffix == ".npz":
        assert np.load(tmp_path / "a.npz")["u"].tolist() == [2.0]
    if suffix == ".vtu":
        assert meshio.read(tmp_path / "a.vtu").cells[0].type == "vertex"


def test_scattered_arrays_are_columns(tmp_path):
    samples = scattered_samples()
    export_samples(tmp_path / "a.npz", samples)
    with np.load(tmp_path / "a.npz") as stored:
        assert np.array_equal(stored["u"], samples.fields["u"])


def volumes(points, cells):
    """Signed sizes of the boxes spanned by each cell's first corner and its neighbours."""
    a = points[cells]
    if cells.shape[1] == 2:
        return a[:, 1, 0] - a[:, 0, 0]
    if cells.shape[1] == 4:
        return np.cross(a[:, 1] - a[:, 0], a[:, 3] - a[:, 0])[:, 2]
    return np.einsum("ni,ni->n", np.cross(a[:, 1] - a[:, 0], a[:, 3] - a[:, 0]), a[:, 4] - a[:, 0])


VTU_GRIDS = [
    (("x",), None, (5,), "line", 1.0),
    (("x", "y"), None, (5, 4), "quad", 2.0),
    (("t", "x"), "t", (5, 4), "quad", 2.0),
    (("x", "y", "z"), None, (3, 4, 5), "hexahedron", 6.0),
    (("t", "x", "y"), "t", (3, 4, 5), "hexahedron", 6.0),
]


@pytest.mark.parametrize(("names", "time", "counts", "kind", "size"), VTU_GRIDS)
def test_vtu_cells_fill_the_box_with_positive_sizes(tmp_path, names, time, counts, kind, size):
    grid = make_grid(names, [0.0] * len(names), list(range(1, len(names) + 1)), counts)
    inside = np.ones(len(grid.points), dtype=bool)
    samples = FieldTable(names, grid.points, {"u": grid.points.sum(axis=1)}, inside, grid.shape, time)
    export_samples(tmp_path / "a.vtu", samples)
    mesh = meshio.read(tmp_path / "a.vtu")
    assert [block.type for block in mesh.cells] == [kind]
    sizes = volumes(mesh.points, mesh.cells[0].data)
    assert len(sizes) == np.prod(np.array(counts) - 1)
    assert sizes.min() > 0
    assert sizes.sum() == pytest.approx(size, rel=1e-12)
    for name, values in samples.columns.items():
        assert np.array_equal(mesh.point_data[name], values), name


def test_vtu_puts_space_first_and_a_single_time_nowhere(tmp_path):
    film, still = disk_samples(), disk_samples(fixed={"t": 0.5}, counts=(9, 7))
    export_samples(tmp_path / "film.vtu", film)
    export_samples(tmp_path / "still.vtu", still)
    assert np.array_equal(meshio.read(tmp_path / "film.vtu").points, film.points[:, [1, 2, 0]])
    mesh = meshio.read(tmp_path / "still.vtu")
    assert mesh.cells[0].type == "quad"
    assert np.array_equal(mesh.points[:, :2], still.points[:, 1:])
    assert np.all(mesh.points[:, 2] == 0)
    assert np.array_equal(np.isnan(mesh.point_data["u"]), ~still.inside)


def test_vtu_of_scattered_points_has_a_vertex_each(tmp_path):
    samples = scattered_samples()
    export_samples(tmp_path / "a.vtu", samples)
    mesh = meshio.read(tmp_path / "a.vtu")
    assert mesh.cells[0].type == "vertex"
    assert np.array_equal(mesh.cells[0].data[:, 0], np.arange(10_000))
    assert np.array_equal(mesh.point_data["u"], samples.fields["u"])


@pytest.mark.parametrize(
    ("fixed", "counts", "fits"),
    [(None, (2, 2, 2, 2), False), ({"t": 0.5}, (2, 2, 2), True), ({"z": 0.5}, (2, 2, 2), True)],
)
def test_vtu_has_three_axes(tmp_path, fixed, counts, fits):
    grid = make_grid(("t", "x", "y", "z"), [0] * 4, [1] * 4, counts, fixed=fixed)
    inside = np.ones(len(grid.points), dtype=bool)
    samples = FieldTable(grid.coordinates, grid.points, {"u": grid.points[:, 1]}, inside, grid.shape, "t")
    if fits:
        export_samples(tmp_path / "a.vtu", samples)
        assert len(meshio.read(tmp_path / "a.vtu").cells[0].data) == 1
        return
    message = "VTU has three axes, the points vary in x, y, z, t: hold one fixed with --time or --slice"
    with pytest.raises(UsageError, match=message):
        export_samples(tmp_path / "a.vtu", samples)
    assert list(tmp_path.iterdir()) == []


# --- vectors --------------------------------------------------------------------------------


def flow_samples(names, time, *, components, fixed=None):
    """Fields a, b, c of whole numbers on a grid of 2, 3, ... points along the free coordinates."""
    free = [name for name in names if name not in (fixed or {})]
    counts = range(2, 2 + len(free))
    grid = make_grid(names, [0.0] * len(names), [1.0] * len(names), counts, fixed=fixed)
    count = len(grid.points)
    fields = {name: np.arange(count) + 100.0 * i for i, name in enumerate("abc")}
    inside = np.arange(count) > 0
    return FieldTable(
        names,
        grid.points,
        fields,
        inside,
        grid.shape,
        time,
        vectors={"U": tuple(components), "W": ("c", "a")},
    )


@pytest.mark.parametrize(
    ("names", "time", "fixed", "components", "along"),
    [
        (("x", "y"), None, None, "ab", "ab0"),
        (("x", "y"), None, None, "ba", "ba0"),
        (("x", "y", "z"), None, None, "abc", "abc"),
        (("x", "y", "z"), None, {"y": 0.5}, "abc", "abc"),
        (("t", "x", "y"), "t", None, "ab", "ab0"),
        (("t", "x", "y"), "t", {"t": 0.5}, "ab", "ab0"),
        (("t", "x", "y", "z"), "t", {"t": 0.5}, "abc", "abc"),
        # Two lengths and time fill the axes: what points out of the cut has none.
        (("t", "x", "y", "z"), "t", {"x": 0.5}, "abc", "bc0"),
        (("t", "x", "y", "z"), "t", {"z": 0.5}, "abc", "ab0"),
        (("x",), None, None, "ab", "ab0"),
        (("t",), "t", None, "abc", "abc"),
    ],
)
def test_vtu_holds_vectors_along_their_axes(tmp_path, names, time, fixed, components, along):
    samples = flow_samples(names, time, components=components, fixed=fixed)
    export_samples(tmp_path / "a.vtu", samples)
    mesh = meshio.read(tmp_path / "a.vtu")
    zero = np.zeros(len(samples.points))
    expected = np.stack([samples.fields.get(name, zero) for name in along], axis=1)
    assert np.array_equal(mesh.point_data["U"], expected, equal_nan=True)
    assert np.isnan(mesh.point_data["U"][0]).any()
    assert mesh.point_data["W"].shape == (len(zero), 3)
    # The scalar fields stand beside them.
    assert sorted(mesh.point_data) == sorted([*names, "a", "b", "c", "U", "W"])
    assert np.array_equal(mesh.point_data["c"], samples.fields["c"], equal_nan=True)


def test_other_formats_keep_a_column_for_each_component(tmp_path):
    samples = flow_samples(("x", "y"), None, components="ab")
    for suffix in (".csv", ".npz", ".h5"):
        export_samples(tmp_path / f"a{suffix}", samples)
    assert list(pd.read_csv(tmp_path / "a.csv").columns) == ["x", "y", "a", "b", "c"]
    with np.load(tmp_path / "a.npz") as stored:
        assert sorted(stored) == ["a", "b", "c", "x", "y"]
    with h5py.File(tmp_path / "a.h5") as stored:
        assert sorted(stored) == ["a", "b", "c", "x", "y"]
        assert json.loads(stored.attrs["vectors"]) == {"U": ["a", "b"], "W": ["c", "a"]}


def test_hdf5_without_vectors_does_not_speak_of_them(tmp_path):
    export_samples(tmp_path / "a.h5", disk_samples())
    with h5py.File(tmp_path / "a.h5") as stored:
        assert "vectors" not in stored.attrs


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        ({"U": ("u",)}, "vector 'U' is of u, expected two or three of the fields u, v"),
        ({"U": ("u", "v", "u", "v")}, "vector 'U' is of u, v, u, v, expected two or three"),
        ({"U": ("u", "w")}, "vector 'U' is of u, w, expected two or three of the fields u, v"),
        ({"U": ("u", "x")}, "vector 'U' is of u, x, expected"),
        ({"v": ("u", "v")}, "a column name occurs twice: x, u, v, v"),
    ],
)
def test_a_vector_is_two_or_three_of_the_fields(vectors, message):
    fields = {"u": np.zeros(4), "v": np.ones(4)}
    with pytest.raises(ValueError, match=message):
        FieldTable(("x",), np.zeros((4, 1)), fields, np.ones(4, dtype=bool), vectors=vectors)


# --- names that are formulas ----------------------------------------------------------------

FORMULAS = ("v_x - u_y", "dot(U, V)", "norm(U)", 'a < b & "c"', "u^2")


@pytest.mark.parametrize("suffix", EXPORTS)
def test_a_formula_names_its_column(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    samples = disk_samples(fields=FORMULAS)
    export_samples(path, samples)
    readers = {
        ".csv": lambda: pd.read_csv(path, dtype=str).astype(float).to_dict("list"),
        ".npz": lambda: dict(np.load(path)),
        ".vtu": lambda: meshio.read(path).point_data,
    }
    stored = readers.get(suffix, lambda: {name: values[...] for name, values in h5py.File(path).items()})()
    assert sorted(stored) == sorted(samples.columns)
    for name in FORMULAS:
        kept = np.ravel(stored[name])
        assert np.array_equal(kept[~np.isnan(kept)], samples.fields[name][samples.inside]), name


@pytest.mark.parametrize("suffix", [".h5", ".hdf5"])
def test_hdf5_refuses_a_name_with_a_slash(tmp_path, suffix):
    message = (
        "HDF5 cannot name a dataset 'u/exact': a slash separates groups there; name the formula under "
        "definitions and export that name, or write CSV, NPZ or VTU"
    )
    with pytest.raises(UsageError) as fault:
        export_samples(tmp_path / f"a{suffix}", disk_samples(fields=("u", "u/exact")))
    assert str(fault.value) == message
    assert list(tmp_path.iterdir()) == []


# --- what cannot be written -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "a.vtx",
            r"unknown suffix '.vtx'; the suffix chooses the format, one of .csv, .npz, .vtu, .h5, .hdf5",
        ),
        ("a.hdf", r"did you mean '.hdf5'\?"),
        ("a", r"a: no suffix; the suffix chooses the format"),
    ],
)
def test_unknown_suffix(tmp_path, name, message):
    with pytest.raises(UsageError, match=message):
        export_samples(tmp_path / name, scattered_samples())


@pytest.mark.parametrize("suffix", EXPORTS)
def test_the_same_samples_give_the_same_bytes(tmp_path, suffix):
    for name in ("a", "b"):
        export_samples(tmp_path / f"{name}{suffix}", disk_samples())
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


@contextmanager
def file_size_limit(size):
    """Let the system refuse every byte of a file beyond a size, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("suffix", EXPORTS)
def test_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"old")
    samples = scattered_samples()
    with (
        pytest.raises(FileAccessError, match=rf"cannot write .*a\{suffix}: File too large"),
        file_size_limit(1000),
    ):
        export_samples(path, samples)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_field_that_is_not_finite_in_the_domain_is_refused(value):
    points = np.array([[0.0, 0.0], [0.5, 0.25], [3.0, 3.0]])
    inside = np.array([True, True, False])
    values = np.array([1.0, value, value])
    with pytest.raises(PinnkanError, match=r"'u' is not finite at 1 points .* first at x=0.5, y=0.25"):
        FieldTable(("x", "y"), points, {"u": values}, inside)


def test_samples_must_fit_together():
    points, inside = np.zeros((4, 2)), np.ones(4, dtype=bool)
    with pytest.raises(ValueError, match="a column name occurs twice: x, y, x"):
        FieldTable(("x", "y"), points, {"x": np.zeros(4)}, inside)
    with pytest.raises(ValueError, match=r"field 'u' has shape \(4, 1\), expected \(4,\)"):
        FieldTable(("x", "y"), points, {"u": np.zeros((4, 1))}, inside)
    with pytest.raises(ValueError, match=r"a grid of shape \(2, 3\) does not have points \(4, 2\)"):
        FieldTable(("x", "y"), points, {}, inside, (2, 3))
    with pytest.raises(ValueError, match=r"points \(4, 2\)"):
        FieldTable(("x",), points, {}, inside)

"""Reference values from a file: interpolated for error reports."""

from __future__ import annotations

import numpy as np
import pytest

from pinnkan.ground.errors import ProblemError, UsageError
from pinnkan.language.problem import load_problem
from pinnkan.language.problem.schema import read_problem
from pinnkan.physics.family import Family

TEXT = """\
coordinates: [x]
time: {t: [0, 1]}
domain: {shape: interval, x: [0, 1]}
unknowns: u
family: {nu: {base: 1, range: [0, 2]}}
reference: DATA
equations: ["u_t = nu*u_xx"]
boundary: ["u = 0"]
initial: ["u = sin(pi*x)"]
"""


def table(nu: float, count: int = 25):
    t, x = (
        axis.ravel()
        for axis in np.meshgrid(np.linspace(0, 1, count), np.linspace(0, 1, count), indexing="ij")
    )
    return {"t": t, "x": x, "nu": np.full(t.size, nu), "u": np.sin(np.pi * x) * np.exp(-nu * t)}


def problem(folder, name: str):
    path = folder / "heat.yaml"
    path.write_text(TEXT.replace("DATA", name))
    return load_problem(path)


def write_csv(path, columns) -> None:
    rows = zip(*columns.values(), strict=True)
    lines = [",".join(columns), *(",".join(f"{value:.17g}" for value in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n")


def test_a_grid_is_interpolated_cubically(tmp_path):
    np.savez(tmp_path / "data.npz", **table(1.0))
    instance = Family(problem(tmp_path, "data.npz")).at()
    points = instance.domain.uniform(200, 0)
    assert instance.has_exact
    exact = np.sin(np.pi * points[:, 1]) * np.exp(-points[:, 0])
    assert instance.exact(points)["u"] == pytest.approx(exact, abs=2e-5)


@pytest.mark.parametrize("coordinates", [["x"], ["x", "y"], ["x", "y", "z"]])
def test_a_grid_s_own_values_are_met_to_rounding(tmp_path, coordinates):
    """And between them the error falls with the fourth power of their distance."""
    ends = ", ".join(f"{name}: [0, 1]" for name in coordinates)
    text = f"coordinates: {coordinates}\ndomain: {{shape: box, {ends}}}\nunknowns: u\nreference: data.npz\n"
    path = tmp_path / "wave.yaml"
    path.write_text(text.replace("'", "") + "equations: [laplace(u) = 0]\nboundary: [u = 0]\n")

    def values(points: np.ndarray) -> np.ndarray:
        return np.asarray(np.sin(3 * points.sum(axis=1) + 1) * np.exp(points[:, 0]))

    inside, errors = np.random.default_rng(0).uniform(size=(200, len(coordinates))), []
    for count in (9, 17):
        axes = [np.linspace(0, 1, count)] * len(coordinates)
        grid = np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)
        np.savez(tmp_path / "data.npz", u=values(grid), **dict(zip(coordinates, grid.T, strict=True)))
        reference = Family(load_problem(path)).at().exact
        assert reference(grid)["u"] == pytest.approx(values(grid), abs=1e-14)
        errors.append(np.abs(reference(inside)["u"] - values(inside)).max())
    assert np.log2(errors[0] / errors[1]) == pytest.approx(4, abs=0.7), errors


def test_rows_are_chosen_by_the_parameter(tmp_path):
    one, two = table(1.0), table(2.0)
    write_csv(tmp_path / "data.csv", {name: np.concatenate([one[name], two[name]]) for name in one})
    family = Family(problem(tmp_path, "data.csv"))
    point = np.array([[1.0, 0.5]])
    assert family.at(1.0).exact(point)["u"] == pytest.approx([np.exp(-1)], abs=1e-6)
    assert family.at(2.0).exact(point)["u"] == pytest.approx([np.exp(-2)], abs=1e-6)
    assert not family.at(1.5).has_exact
    assert family.at(1.5).exact(point) == {}


def test_a_table_without_the_parameter_holds_at_the_base_value(tmp_path):
    columns = table(1.0)
    del columns["nu"]
    write_csv(tmp_path / "data.csv", columns)
    assert Family(problem(tmp_path, "data.csv")).at().has_exact
    assert not Family(problem(tmp_path, "data.csv")).at(2.0).has_exact


def test_scattered_points_are_interpolated_linearly(tmp_path):
    columns = table(1.0)
    keep = np.random.default_rng(0).permutation(columns["t"].size)[:-3]
    corners = np.isin(columns["t"], (0, 1)) & np.isin(columns["x"], (0, 1))
    keep = np.union1d(keep, np.flatnonzero(corners))[1:]
    np.savez(tmp_path / "data.npz", **{name: column[keep] for name, column in columns.items()})
    instance = Family(problem(tmp_path, "data.npz")).at()
    point = np.array([[0.5, 0.5]])
    assert instance.exact(point)["u"] == pytest.approx([np.exp(-0.5)], abs=1e-2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("t,x,v\n0,0,1\n", "data.csv:1: no column 'u'; found 't', 'x', 'v'"),
        ("t,x,u\n0,0\n", "data.csv:2: expected 3 entries, found 2"),
        ("t,x,u\n0,0,abc\n", "data.csv:2: column 3 ('u'): expected a finite number, found 'abc'"),
        ("t,x,u\n0,0,0\n\n0,,0\n", "data.csv:4: column 2 ('x'): expected a finite number, found nothing"),
        ("t,x,x,u\n0,0,0,0\n", "data.csv:1: column 'x' occurs 2 times"),
        ("t;x;u\n0;0;0\n", "data.csv:1: found 't;x;u', expected commas between columns"),
        ("0,0,0\n0,1,0\n", "data.csv:1: expected the names of the columns, such as x,y,u, found numbers"),
        ("t,x,u\n", "there is no row below the header"),
        ("t,x,u\n0,0,nan\n", "column 3 ('u'): expected a finite number, found 'nan'"),
        ("", "data.csv: the file is empty, expected the names of the columns"),
    ],
)
def test_tables_that_are_none(tmp_path, content, message):
    (tmp_path / "data.csv").write_text(content)
    with pytest.raises(UsageError) as caught:
        Family(problem(tmp_path, "data.csv")).at()
    assert message in str(caught.value)


def test_a_pickle_in_an_npz_is_refused(tmp_path):
    columns = {**table(1.0), "u": np.array([{"a": 1}] * 625, dtype=object)}
    np.savez(tmp_path / "data.npz", **columns)
    with pytest.raises(UsageError, match="array 'u' holds Python objects, expected real numbers"):
        Family(problem(tmp_path, "data.npz")).at()


def test_a_file_that_is_missing(tmp_path):
    with pytest.raises(ProblemError, match=r"heat.yaml:6:12: error: reference: no such file '.*data.npz'"):
        problem(tmp_path, "data.npz")
    # A problem read back from a result may outlive its data.
    text = TEXT.replace("DATA", "data.npz")
    stored = read_problem(text, file="heat.yaml", name="heat", directory=tmp_path, stored=True)
    assert Family(stored).at().exact(np.array([[0.5, 0.5]])) == {}


def test_points_outside_the_data(tmp_path):
    np.savez(tmp_path / "data.npz", **table(1.0))
    instance = Family(problem(tmp_path, "data.npz")).at()
    points = np.array([[0.5, 2.0], [0.0, 0.5], [-1.0, 0.5]])
    assert instance.exact(points)["u"] == pytest.approx([np.nan, 1.0, np.nan], abs=2e-5, nan_ok=True)
    known = instance.known(points)
    assert (known.points.tolist(), list(known.values)) == ([[0.0, 0.5]], ["u"])
    assert known.values["u"] == pytest.approx([1.0], abs=2e-5)
    assert known.gap == "reference: the data cover 1 of 3 points; errors are measured over those"
    assert instance.known(points[:1]).gap == "reference: the data cover 0 of 1 points; errors are unknown"
    assert instance.known(points[1:2]).gap == ""

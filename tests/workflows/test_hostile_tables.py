"""Data files of every hostile kind, as reference, samples, points and lists of values: one line each."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hostile_tables import Case, cases

from pinnkan.ground.datafiles import DataFile
from pinnkan.ground.errors import FileAccessError, UsageError
from pinnkan.language.problem import load_problem
from pinnkan.language.problem.fitting import Request, fit_problem
from pinnkan.output.point_table import read_points
from pinnkan.physics.family import Family

CASES = list(cases())
SQUARE = """\
coordinates: [x, y]
domain: {shape: box, x: [0, 1], y: [0, 1]}
unknowns: u
"""


def as_columns(path: Path) -> object:
    return DataFile(path, what="table").columns(["x", "y", "u"], gaps_in=["u"])


def as_points(path: Path) -> object:
    return read_points(path, ("x", "y"), unknowns=["u"]).values["u"]


def as_reference(path: Path) -> object:
    text = SQUARE + f"reference: {path.name}\nequations: [-laplace(u) = 0]\nboundary: [u = x*y]\n"
    instance = Family(load_problem(text, directory=path.parent)).at()
    return instance.exact(np.array([[0.2, 0.3], [0.9, 0.9]]))["u"]


def as_samples(path: Path) -> object:
    problem = load_problem(SQUARE + f"samples: {{file: {path.name}}}\n", directory=path.parent)
    return Family(problem).samples.rows


USES = {"columns": as_columns, "points": as_points, "reference": as_reference, "samples": as_samples}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_one_line_or_a_table(tmp_path: Path, case: Case):
    path = tmp_path / f"data.{case.name[:3]}"
    case.make(path)
    # A file that is absent or no regular one is refused by the schema, with its place in the problem file.
    uses = USES if path.is_file() else {name: use for name, use in USES.items() if name != "reference"}
    for name, use in uses.items():
        if case.message is None:
            use(path)
            continue
        with pytest.raises((UsageError, FileAccessError)) as caught:
            use(path)
        assert "\n" not in str(caught.value), name
        assert str(path) in str(caught.value), name
        if name == "columns":
            assert case.message in str(caught.value)
        assert caught.value.exit_code == (74 if isinstance(caught.value, FileAccessError) else 2)


def test_the_gallery_is_large():
    assert len(CASES) >= 80
    assert sum(case.message is None for case in CASES) >= 12


def test_fit_writes_its_problem_from_every_table_that_is_one(tmp_path: Path):
    for case in CASES:
        path = tmp_path / f"{CASES.index(case)}.{case.name[:3]}"
        case.make(path)
        if case.message is None:
            values = Family(fit_problem(str(path), Request(column="u"))).samples.rows.values
            assert np.isfinite(values).all(), case.name
            assert len(values) == 25, case.name
        elif "column" not in case.message:  # fit takes any columns
            with pytest.raises((UsageError, FileAccessError)):
                fit_problem(str(path), Request(column="u"))


def reference(folder: Path, rows: str, *, coordinates: str = "[x, y]", family: str = "") -> Path:
    """Write a problem whose reference holds these rows."""
    (folder / "data.csv").write_text(rows)
    dimension = coordinates.count(",") + 1
    box = ", ".join(f"{name}: [0, 1]" for name in coordinates.strip("[]").split(", "))
    equation = f"-laplace(u) = {'nu' if family else 0}"
    path = folder / "problem.yaml"
    path.write_text(
        f"coordinates: {coordinates}\ndomain: {{shape: {'interval' if dimension == 1 else 'box'}, {box}}}\n"
        f"unknowns: u\n{family}reference: data.csv\nequations: [{equation}]\nboundary: [u = 0]\n"
    )
    return path


LINE = "".join(f"{t},{2 * t},1\n" for t in np.linspace(0, 0.5, 9))
NEARLY = "".join(f"{t},{2 * t + 1e-13 * (i % 2)},1\n" for i, t in enumerate(np.linspace(0, 0.5, 9)))


@pytest.mark.parametrize(
    ("coordinates", "rows", "message"),
    [
        ("[x]", "x,u\n0.5,1\n", "1 point; to interpolate in x it takes 2 at least"),
        ("[x]", "x,u\n0.5,1\n0.5,1\n", "1 point; to interpolate in x it takes 2 at least"),
        ("[x, y]", "x,y,u\n0.5,0.5,1\n", "1 point; to interpolate in x, y it takes 3 at least"),
        ("[x, y]", "x,y,u\n0.5,0.5,1\n0.1,0.2,1\n", "2 points; to interpolate in x, y it takes 3"),
        ("[x, y]", "x,y,u\n" + LINE, "all points lie on one line; nothing can be interpolated in x, y"),
        ("[x, y]", "x,y,u\n" + NEARLY, "all points lie on one line"),
        ("[x, y]", "x,y,u\n0.5,0,1\n0.5,1,2\n0.5,0.3,1\n", "x is 0.5 at every point; to interpolate in x, y"),
        ("[x, y]", "x,y,u\n1e308,0,1\n-1e308,1,2\n1e308,0.1,1\n-1e308,0.3,1e308\n", None),
        ("[x, y]", "x,y,u\n5e-324,0,1\n0,1,2\n1e-323,0.1,1\n0,0.3,1\n", None),
        ("[x, y]", "x,y,u\n0,0,0\n1,0,0\n0,1,1\n1,1,1\n1,1,1.0000000000000002\n", None),
        ("[x, y]", "x,y,u\n0,0,0\n1,0,0\n0,1,1\n1,0,2e-16\n", None),
        (
            "[x, y]",
            "x,y,u\n0,0,0\n1,0,0\n0,1,1\n\n1,0,2\n",
            "data.csv:6: u = 2 at x=1, y=0, where line 3 says 0; keep one of them",
        ),
        (
            "[x, y]",
            "x,y,u\n0,0,0\n1,0,1e308\n0,1,1\n1,0,-1e308\n",
            "data.csv:5: u = -1e+308 at x=1, y=0, where line 3 says 1e+308",
        ),
        (
            "[x, y, z]",
            "x,y,z,u\n" + "".join(f"{x},{y},{x + y},1\n" for x in (0, 0.3, 0.5) for y in (0, 0.2, 0.5)),
            "all points lie in one plane; nothing can be interpolated in x, y, z",
        ),
    ],
)
def test_points_between_which_nothing_can_be_interpolated(tmp_path, pinnkan, coordinates, rows, message):
    path = reference(tmp_path, rows, coordinates=coordinates)
    answer = pinnkan("check", path, "-q")
    if message is None:
        assert "reference" not in answer.err.replace("reference: the data cover", ""), answer.err
        assert answer.code == 0, answer.err
    else:
        assert (answer.code, answer.err.count("\n")) == (2, 1), answer.err
        assert answer.err.startswith(f"error: reference {tmp_path / 'data.csv'}")
        assert message in answer.err


def test_points_that_are_too_few_are_named_with_their_value(tmp_path, pinnkan):
    rows = "x,nu,u\n0,1,0\n1,1,1\n0.5,2,1\n"
    path = reference(tmp_path, rows, coordinates="[x]", family="family: {nu: {base: 2}}\n")
    answer = pinnkan("check", path, "-q")
    assert (answer.code, "data.csv at nu=2: 1 point; to interpolate in x" in answer.err) == (2, True), (
        answer.err
    )


def test_values_far_below_one_are_told_apart(tmp_path):
    rows = "x,nu,u\n0,1e-9,1\n1,1e-9,1\n0,2e-9,2\n1,2e-9,2\n"
    path = reference(tmp_path, rows, coordinates="[x]", family="family: {nu: {base: 1e-9}}\n")
    family, half = Family(load_problem(path)), np.array([[0.5]])
    assert family.at(1e-9).exact(half)["u"] == pytest.approx([1])
    assert family.at(2e-9).exact(half)["u"] == pytest.approx([2])
    assert family.at(2e-9 * (1 + 1e-15)).exact(half)["u"] == pytest.approx([2])
    assert family.at(3e-9).exact(half) == {}


def test_what_export_writes_is_a_reference(tmp_path, done, run):
    """On a disk half of a grid's corners is outside: NaN there, and further arrays beside."""
    done("export", run, "--grid", "31x31", "-o", tmp_path / "grid.npz", "-q")
    stored = dict(np.load(tmp_path / "grid.npz"))
    assert stored["u"].shape == (31, 31)
    assert np.isnan(stored["u"]).any()
    np.savez(tmp_path / "data.npz", **stored, about=np.array("text"), more=np.ones(3, dtype=complex))
    disk = "domain: {shape: disk, center: [0, 0], radius: 1}\n"
    text = "coordinates: [x, y]\nunknowns: u\n" + disk + "reference: data.npz\nequations: [-laplace(u) = 4]\n"
    instance = Family(load_problem(text + "boundary: [u = 0]\n", directory=tmp_path)).at()
    points = np.stack([stored["x"].ravel(), stored["y"].ravel()], axis=1)
    values, inside = stored["u"].ravel(), ~np.isnan(stored["u"].ravel())
    assert instance.exact(points[inside])["u"] == pytest.approx(values[inside], abs=1e-12)


@pytest.mark.parametrize("option", ["--points", "--lambda"])
@pytest.mark.parametrize(
    ("make", "message", "code"),
    [
        (os.mkfifo, "not a regular file", 2),
        (lambda path: path.symlink_to("/dev/zero"), "not a regular file", 2),
        (lambda path: path.mkdir(), "Is a directory", 74),
        (lambda path: path.symlink_to(path), "Too many levels of symbolic links", 74),
        (lambda path: None, "No such file or directory", 74),
        (lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_WRONLY), 1 << 40), "larger than", 2),
    ],
)
def test_on_the_command_line(tmp_path, pinnkan, run, option, make, message, code):
    path = tmp_path / "data.csv"
    make(path)
    answer = pinnkan("evaluate", run, option, f"{'@' * (option == '--lambda')}{path}")
    assert (answer.code, answer.out, answer.err.count("\n")) == (code, "", 1), answer.err
    assert message in answer.err

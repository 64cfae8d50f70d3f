"""Points from a CSV file: what is read, and what is said of a bad file."""

from __future__ import annotations

import numpy as np
import pytest

from pinnkan.ground.errors import FileAccessError, UsageError
from pinnkan.output.point_table import read_points


def table(tmp_path, text, *, coordinates=("x", "y"), encoding="utf-8"):
    path = tmp_path / "points.csv"
    path.write_bytes(text.encode(encoding))
    return read_points(path, coordinates)


def test_numbers_are_read_bit_for_bit(tmp_path):
    points = np.random.default_rng(0).normal(size=(50, 2)) * 10.0 ** np.arange(-25, 25)[:, None]
    text = "x,y\n" + "".join(f"{x:.17g},{y:.17g}\n" for x, y in points)
    assert np.array_equal(table(tmp_path, text).points, points)


@pytest.mark.parametrize(
    "text",
    [
        "x,y\n1,2\n3,4\n",
        "x,y\r\n1,2\r\n3,4",
        "\ufeffx,y\n1,2\n3,4\n",
        "y,x\n2,1\n4,3\n",
        " x , y \n 1 , 2 \n\n3,4\n,\n",
        '"x","y"\n"1","2"\n3,4\n',
    ],
)
def test_one_meaning_in_many_spellings(tmp_path, text):
    assert table(tmp_path, text).points.tolist() == [[1, 2], [3, 4]]


def test_values_of_the_unknown_may_stand_beside_the_points(tmp_path):
    (tmp_path / "points.csv").write_text("y,u,x\n2,5,1\n4,6,3\n")
    read = read_points(tmp_path / "points.csv", ("x", "y"), unknowns=["u"])
    assert (read.points.tolist(), list(read.values)) == ([[1, 2], [3, 4]], ["u"])
    assert read.values["u"].tolist() == [5, 6]
    assert table(tmp_path, "x,y\n1,2\n").values == {}
    (tmp_path / "points.csv").write_text("x,y,u,u\n1,2,3,4\n")
    with pytest.raises(UsageError, match="column 'u' occurs 2 times"):
        read_points(tmp_path / "points.csv", ("x", "y"), unknowns=["u"])


def test_points_outside_are_named_by_their_row(tmp_path):
    read = table(tmp_path, "x,y\n0,0\n\n0.9,0.9\n0,2\n")
    assert read.columns.rows.tolist() == [2, 4, 5]
    read.require_inside(np.array([True, True, True]))
    with pytest.raises(UsageError) as caught:
        read.require_inside(np.hypot(*read.points.T) <= 1)
    assert str(caught.value).splitlines() == [
        f"points {tmp_path}/points.csv:4: the point x=0.9, y=0.9 is outside the domain",
        f"points {tmp_path}/points.csv:5: the point x=0, y=2 is outside the domain",
    ]


def test_many_points_outside_are_counted(tmp_path):
    read = table(tmp_path, "x,y\n" + "5,5\n" * 1000)
    with pytest.raises(UsageError, match=r"outside the domain\n\.\.\. and 990 more$"):
        read.require_inside(np.zeros(1000, dtype=bool))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"csv: the file is empty, expected the names of the columns, such as x,y,u"),
        ("x\n1\n", r"csv:1: no column 'y', expected the header x,y"),
        ("x,y,u\n1,2,3\n", r"csv:1: unknown column 'u', expected the header x,y"),
        ("X,y\n1,2\n", r"unknown column 'X'"),
        ("x,y,x\n1,2,3\n", r"column 'x' occurs 2 times"),
        ("x;y\n1;2\n", r"csv:1: found 'x;y', expected commas between columns"),
        ("1,2\n3,4\n", r"csv:1: expected the names of the columns, such as x,y,u, found numbers"),
        ("x,y\n", r"csv: there is no row below the header x,y"),
        ("x,y\n1,2\n3\n", r"csv:3: expected 2 entries, found 1"),
        ("x,y\n1,two\n", r"csv:2: column 2 \('y'\): expected a finite number, found 'two'"),
        ("x,y\n1,nan\n", r"found 'nan'"),
        ("x,y\n-inf,1\n", r"column 1 \('x'\): expected a finite number, found '-inf'"),
        ("x,y\n1,\n", r"column 2 \('y'\): expected a finite number, found nothing"),
        ("x,y\n1_0,2\n", r"found '1_0'"),
        ("x,y\n1e999,2\n", r"found '1e999'"),
        ('x,y\n1,"2\n', r"csv:2: not a CSV file: unexpected end of data"),
        ("x,y\n1," + "9" * 200_000 + "\n", r"not a CSV file: field larger than field limit"),
    ],
)
def test_bad_files(tmp_path, text, message):
    with pytest.raises(UsageError, match=message):
        table(tmp_path, text)


def test_all_faults_at_once(tmp_path):
    with pytest.raises(UsageError) as caught:
        table(tmp_path, "x,y\na,b\n1\n" + "1,?\n" * 20)
    lines = str(caught.value).splitlines()
    assert [line.split("csv:")[1].split(":")[0] for line in lines[:4]] == ["2", "2", "3", "4"]
    assert len(lines) == 11
    assert lines[-1] == "... and 13 more"


def test_not_text(tmp_path):
    with pytest.raises(UsageError, match=r"not a text file in UTF-8 \(byte 1\)"):
        table(tmp_path, "xé", encoding="latin-1")


def test_missing_file_and_directory(tmp_path):
    with pytest.raises(
        FileAccessError, match=r"cannot read the points .*none\.csv: No such file or directory"
    ):
        read_points(tmp_path / "none.csv", ("x",))
    with pytest.raises(FileAccessError, match=r"cannot read .*: Is a directory"):
        read_points(tmp_path, ("x",))

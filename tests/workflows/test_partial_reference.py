"""Reference data that do not cover the domain: errors are measured where they do, and it is said."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_family import TINY

import pinnkan as python_way

EVALUATED = "reference: the data cover 19,7"


@pytest.fixture
def disk(tmp_path, monkeypatch):
    """The tiny family with scattered data on the disk and its circle: their hull is a polygon."""
    monkeypatch.chdir(tmp_path)
    text = TINY.replace("exact: (1 - x^2 - y^2)*(1 + lambda*x)", "reference: data.csv").replace(
        "[4, 4]", "[2]"
    )
    (tmp_path / "disk.yaml").write_text(text)
    write_data(tmp_path, 1.0)
    return tmp_path


def write_data(folder, radius):
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    circles = [np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1) for r in (0.0, 0.25, 0.5, 0.75, 1.0)]
    x, y = (0.1234 if radius < 1 else 0.0) + radius * np.unique(np.concatenate(circles).round(12), axis=0).T
    rows = [
        (a, b, v, (1 - a * a - b * b) * (1 + v * a))
        for v in (0.0, 0.5, 1.0)
        for a, b in zip(x, y, strict=True)
    ]
    np.savetxt(folder / "data.csv", rows, delimiter=",", header="x,y,lambda,u", comments="", fmt="%.17g")


def test_every_command_measures_where_the_data_are(done, disk):
    checked = done("check", "disk.yaml", "--json")
    (finding,) = checked.json["findings"]
    assert finding["severity"] == "warning"
    assert finding["message"].startswith("reference: the data cover 1,9")
    assert checked.json["zero_network_l2"] == pytest.approx(1.0)
    run = disk / "runs" / "disk"
    trained = done("pretrain", "disk.yaml")
    assert trained.err.count("of 2,000 points; errors are measured over those") == 1
    tuned = done("finetune", run, "--lambda", "0.5,1")
    assert tuned.err.count("of 2,000 points; errors are measured over those") == 1
    answer = done("evaluate", run, "--json")
    assert answer.err.count(EVALUATED) == 1
    solution = python_way.load(run).at(0.5)
    points = solution._solution.instance.domain.uniform(20_000, 0)
    exact = solution.exact(points)
    known = ~np.isnan(exact)
    assert 19_700 <= known.sum() < 19_800
    error = np.linalg.norm((solution(points) - exact)[known]) / np.linalg.norm(exact[known])
    row = answer.json["results"][1]
    assert row["relative_l2"] == pytest.approx(error, rel=1e-9)
    assert row["zero_network_l2"] == pytest.approx(1.0)
    found = done("formula", run, "--lambda", 0.5, "--json", "-q").json
    assert found["network_relative_l2"] == pytest.approx(error, rel=0.1)


def test_pictures_and_files_leave_out_what_is_not_known(done, disk):
    run = disk / "runs" / "disk"
    done("pretrain", "disk.yaml", "-q")
    for options in (["--field", "solution"], ["--field", "error"], ["--slice", "y=0.6"]):
        done("plot", run, *options, "-o", "u.png", "--dpi", 40)
    done("export", run, "--grid", "9x9", "-o", "u.h5")


def test_data_that_cover_no_point_leave_errors_unknown(done, pinnkan, disk):
    run = disk / "runs" / "disk"
    write_data(disk, 1e-9)
    trained = done("pretrain", "disk.yaml")
    assert "the data cover 0 of 2,000 points; errors are unknown" in trained.err
    answer = done("evaluate", run, "--json")
    assert "the data cover 0 of 20,000 points; errors are unknown" in answer.err
    (row,) = answer.json["results"]
    assert (row["relative_l2"], row["zero_network_l2"]) == (None, None)
    assert done("check", "disk.yaml", "--json").json["zero_network_l2"] is None
    done("plot", run, "-o", "u.png", "--dpi", 40)
    refused = pinnkan("plot", run, "--field", "error", "-o", "e.png")
    assert refused.code == 2
    assert "reference: the data cover none of the" in refused.err

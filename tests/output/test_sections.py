"""Lines and planes cut through a domain: they end where the domain does."""

from __future__ import annotations

import numpy as np
import pytest

from pinnkan.geometry import Domain
from pinnkan.ground.errors import UsageError
from pinnkan.language.problem import load_problem
from pinnkan.output.pictures.sections import Section
from pinnkan.physics.family import Family

SHAPES = {
    "disk": ("[x, y]", "{shape: disk, center: [1, 0], radius: 2}", ""),
    "ball": ("[x, y, z]", "{shape: ball, center: [0, 0, 0], radius: 1}", ""),
    "box": ("[x, y]", "{shape: box, x: [0, 4], y: [0, 1]}", ""),
    "rod": ("[x]", "{shape: interval, x: [-1, 3]}", "time: {t: [0, 2]}"),
}


def domain(name: str) -> Domain:
    coordinates, shape, time = SHAPES[name]
    equation = "u_t = u_xx" if time else "-laplace(u) = 1"
    initial = 'initial: ["u = 0"]' if time else ""
    text = f"coordinates: {coordinates}\n{time}\ndomain: {shape}\nunknowns: u\n"
    text += f'equations: ["{equation}"]\nboundary: ["u = 0"]\n{initial}\n'
    return Family(load_problem(text)).at(None).domain


@pytest.mark.parametrize(
    ("name", "fixed", "ends"),
    [
        ("disk", {"y": 1.2}, (1 - 1.6, 1 + 1.6)),
        ("disk", {"x": 1.0}, (-2, 2)),
        ("ball", {"y": 0.48, "x": 0.64}, (-0.6, 0.6)),
        ("box", {"x": 0.5}, (0, 1)),
        ("rod", {"t": 2.0}, (-1, 3)),
        ("rod", {"x": 0.0}, (0, 2)),
    ],
)
def test_a_line_runs_from_edge_to_edge(name, fixed, ends):
    section = Section(domain(name), fixed)
    places = section.line(11)
    assert (places[0], places[-1]) == pytest.approx(ends, abs=1e-11)
    assert np.ptp(np.diff(places)) < 1e-12
    assert section.contains(places[:, None]).all()


@pytest.mark.parametrize(
    ("name", "fixed", "centre", "radius"),
    [("disk", {}, (1, 0), 2.0), ("ball", {"z": 0.6}, (0, 0), 0.8), ("ball", {"y": -0.96}, (0, 0), 0.28)],
)
def test_a_plane_ends_on_the_curve(name, fixed, centre, radius):
    section = Section(domain(name), fixed)
    plane = section.plane()
    radii = np.linalg.norm(plane.points - centre, axis=1)
    assert radii.max() == pytest.approx(radius, abs=1e-11)
    rim = plane.edge
    assert len(rim) == 512
    assert np.linalg.norm(rim - centre, axis=2) == pytest.approx(np.full((512, 2), radius), abs=1e-11)
    assert section.contains(plane.points).all()
    corners = plane.points[plane.triangles]
    sides = corners[:, 1:] - corners[:, :1]
    area = np.abs(np.linalg.det(sides)).sum() / 2
    assert area == pytest.approx(np.pi * radius**2, rel=1e-4)


def test_a_box_is_a_grid_of_even_spacing():
    plane = Section(domain("box"), {}).plane()
    x, y = (np.unique(column) for column in plane.points.T)
    assert (x[0], x[-1], y[0], y[-1]) == (0, 4, 0, 1)
    assert np.diff(x).mean() == pytest.approx(np.diff(y).mean(), rel=1e-12)
    assert plane.to_scale


def test_time_is_not_to_scale_with_lengths():
    section = Section(domain("rod"), {})
    assert (section.free, section.space, section.time) == (("t", "x"), ("x",), "t")
    assert not section.plane().to_scale
    held = section.hold("t", 0.5)
    assert (held.free, held.time) == (("x",), None)
    assert held.points(np.array([[1.0], [2.0]])).tolist() == [[0.5, 1.0], [0.5, 2.0]]


@pytest.mark.parametrize(
    ("fixed", "message"),
    [
        ({"z": 0.5}, "z=0.5: there is no coordinate z; coordinates are x, y"),
        ({"y": 2.5}, "y=2.5 is outside the domain: y runs from -2 to 2"),
    ],
)
def test_a_section_that_is_none(fixed, message):
    with pytest.raises(UsageError) as fault:
        Section(domain("disk"), fixed)
    assert str(fault.value) == message


def test_a_plane_that_touches_the_ball():
    with pytest.raises(UsageError, match="the cut z=1 does not meet the domain"):
        Section(domain("ball"), {"z": 1.0}).plane()

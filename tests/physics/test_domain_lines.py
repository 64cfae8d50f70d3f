"""The lines of a domain, on which formulas are asked about, lie in it and reach from end to end."""

from __future__ import annotations

import math

import numpy as np
import pytest
from fake_members import HalfDisk, Pierced

from pinnkan.geometry import Ball, Box, Disk, Domain
from pinnkan.physics.region import DomainRegion

PLATE = Pierced(Box([-1, -2], [1, 1]), Disk([0, 0], 0.5))
DOMAINS = {
    "box": Domain(Box([0, 0], [1, 2]), ("x", "y")),
    "ball in time": Domain(Ball([1, 0, 0], 2), ("t", "x", "y", "z"), (0.0, 3.0)),
    "half disk": Domain(HalfDisk(2.0), ("x", "y")),
    "plate with a hole": Domain(PLATE, ("x", "y")),
}


@pytest.mark.parametrize("name", DOMAINS)
def test_lines_lie_in_the_domain_and_end_at_its_boundary(name):
    domain = DOMAINS[name]
    region = DomainRegion(domain)
    for axis in range(len(domain.coordinates)):
        for line in region.lines(axis):
            beyond = 1e-9 * (line.high - line.low)
            places = np.linspace(line.low + beyond, line.high - beyond, 300)
            assert domain.contains(line.at(places)).all()
            ends = line.at(np.array([line.low - beyond, line.high + beyond]))
            assert not domain.contains(ends).any()


def test_a_line_ends_at_the_hole_it_meets_first():
    line = DomainRegion(DOMAINS["plate with a hole"]).line_through(np.array([-0.75, 0.3]), 0)
    assert line is not None
    assert (line.low, line.high) == pytest.approx((-1.0, -math.sqrt(0.5**2 - 0.3**2)))


def test_shapes_of_one_bounding_box_are_other_regions():
    """What is known of the formulas in one says nothing of another."""
    box = Box([-2.0, 0.0], [2.0, 2.0])
    regions = [DomainRegion(Domain(shape, ("x", "y"))) for shape in (HalfDisk(2.0), box, HalfDisk(2.0))]
    assert regions[0] == regions[2] != regions[1]
    assert hash(regions[0]) == hash(regions[2])
    pierced = [DomainRegion(Domain(Pierced(box, Disk([0, 1], r)), ("x", "y"))) for r in (0.2, 0.3)]
    assert pierced[0] != pierced[1]

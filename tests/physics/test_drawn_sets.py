"""An instance offers its blocks with the collocation sets that the settings ask for."""

from __future__ import annotations

import numpy as np

from pinnkan.geometry import BoundaryPart, InitialTime, Interior
from pinnkan.language.problem import load_problem
from pinnkan.language.settings.blocks import PointSettings
from pinnkan.physics.family import Family

ROD = """
coordinates: [x]
time: {t: [0, 1]}
domain: {shape: interval, x: [0, 2]}
unknowns: u
equations: ["u_t = u_xx"]
boundary: [{on: left, equation: u = 1, hard: false}, {on: right, equation: u_x = 0}]
initial: [{equation: "u = 1 + x", hard: false}]
"""
POINTS = PointSettings(interior=60, boundary=20, initial=30, rule="random")


def test_every_block_comes_with_points_of_its_region():
    instance = Family(load_problem(ROD)).at()
    sets = {block.where: drawn for block, drawn in instance.drawn(POINTS, seed=3)}
    left, right = BoundaryPart("x-"), BoundaryPart("x+")
    counts = {region: len(drawn.points) for region, drawn in sets.items()}
    assert counts == {Interior(): 60, left: 20, right: 20, InitialTime(): 30}
    assert (sets[InitialTime()].points[:, 0] == 0).all()
    assert (sets[right].points[:, 1] == 2).all()


def test_more_interior_points_and_another_variant():
    instance = Family(load_problem(ROD)).at()
    plain, more, other = (
        next(drawn.points for block, drawn in instance.drawn(POINTS, seed=3, variant=variant, interior=count))
        for variant, count in ((0, None), (0, 90), (2, None))
    )
    assert (len(plain), len(more), len(other)) == (60, 90, 60)
    assert not np.isin(other[:, 1], plain[:, 1]).any()

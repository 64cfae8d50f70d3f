"""Collocation sets: weights, disjointness, time levels, determinism, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from pinnkan.geometry import RULES, Box, CollocationSet, Disk, Domain, Interval, Shape

SHAPE_TABLE: dict[str, Shape] = {
    "interval": Interval(-1.0, 2.0),
    "box": Box([0.0, -1.0], [3.0, 1.0]),
    "box3": Box([0.0, -1.0, 0.0], [2.0, 1.0, 1.0]),
    "disk": Disk([0.5, -1.0], 2.0),
}


def domain(shape: Shape, time: bool) -> Domain:
    names = ("x", "y", "z")[: shape.dimension]
    return Domain(shape, ("t", *names), (0.5, 2.0)) if time else Domain(shape, names)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("time", [False, True])
@pytest.mark.parametrize("name", SHAPE_TABLE)
def test_sets_are_measures_inside_the_domain(name: str, time: bool, rule: str) -> None:
    full = domain(SHAPE_TABLE[name], time)
    for where in ("interior", "all", *(("initial",) if time else ())):
        drawn = full.collocate(where, 300, rule=rule, seed=3, variant=2)
        assert isinstance(drawn, CollocationSet)
        assert drawn.weights.min() > 0
        assert drawn.weights.sum() == pytest.approx(1, abs=1e-13)
        assert full.contains(drawn.points).all()
        assert drawn.points.dtype == np.float64
        assert len(drawn.points) == pytest.approx(300, rel=0.1) or (name, time) == ("interval", False)
        assert (drawn.normals is None) == (where != "all")

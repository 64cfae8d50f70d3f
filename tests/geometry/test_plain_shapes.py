"""A shape that says no more than it must: points by rejection, Sobol points for a quadrature, time beside."""

from __future__ import annotations

import math

import numpy as np
import pytest
from fake_members import HalfDisk

from pinnkan.geometry import (
    BoundaryPart,
    CollocationSet,
    Domain,
    InitialTime,
    Interior,
    PointInSpace,
    Region,
    WholeDomain,
)
from pinnkan.ground.errors import UsageError

RADIUS = 2.0
SHAPE = HalfDisk(RADIUS)
STILL = Domain(SHAPE, ("x", "y"))
MOVING = Domain(SHAPE, ("t", "x", "y"), (1.0, 3.0))
REGIONS = [Interior(), BoundaryPart("all"), BoundaryPart("arc"), BoundaryPart("diameter"), WholeDomain(5)]
MEANS_OF_Y = {"interior": 4 * RADIUS / (3 * math.pi), "arc": 2 * RADIUS / math.pi, "diameter": 0.0}
MEANS_OF_Y["all"] = MEANS_OF_Y["arc"] * math.pi / (math.pi + 2)
MEANS_OF_Y["the whole domain"] = MEANS_OF_Y["interior"]


@pytest.mark.parametrize("variant", [0, 1, 4])
@pytest.mark.parametrize("rule", ["quadrature", "sobol", "random"])
@pytest.mark.parametrize("region", REGIONS, ids=lambda region: region.name)
@pytest.mark.parametrize("domain", [STILL, MOVING], ids=["still", "moving"])
def test_points_are_uniform_in_space_and_time(
    domain: Domain, region: Region, rule: str, variant: int
) -> None:
    drawn = domain.collocate(region, 4000, rule=rule, variant=variant)
    assert drawn.weights.sum() == pytest.approx(1, abs=1e-13)
    assert drawn.weights.min() > 0
    assert len(drawn.points) == pytest.approx(4000, rel=0.1) or isinstance(region, WholeDomain)
    assert domain.contains(drawn.points).all()
    slack = 0.06 if rule == "random" else 0.02
    assert drawn.weights @ drawn.points[:, -1] == pytest.approx(MEANS_OF_Y[region.name], abs=slack)
    if domain is MOVING and not isinstance(region, WholeDomain):
        t, x = drawn.points[:, 0], drawn.points[:, 1]
        assert drawn.weights @ t == pytest.approx(2, abs=slack)
        assert drawn.weights @ ((t - 2) * x) == pytest.approx(0, abs=slack)


def test_variants_share_no_point_and_a_seed_gives_the_same_bits() -> None:
    sets = [MOVING.collocate(Interior(), 300, variant=variant) for variant in range(5)]
    rows = np.concatenate([drawn.points for drawn in sets])
    assert len(np.unique(rows, axis=0)) == len(rows)
    again = MOVING.collocate(Interior(), 300, variant=3)
    np.testing.assert_array_equal(again.points, sets[3].points)
    np.testing.assert_array_equal(STILL.uniform(100, 3), STILL.uniform(100, 3))


def test_normals_and_parts() -> None:
    drawn = MOVING.collocate(BoundaryPart("all"), 1000)
    assert drawn.normals is not None
    np.testing.assert_allclose(np.linalg.norm(drawn.normals, axis=1), 1)
    places = drawn.points[:, 1:]
    outside, inside = places + 1e-9 * drawn.normals, places - 1e-9 * drawn.normals
    assert not SHAPE.contains(outside).any()
    assert SHAPE.contains(inside[np.abs(np.abs(places[:, 0]) - RADIUS) > 1e-6]).all()
    shares = {part: len(MOVING.collocate(BoundaryPart(part), 50).points) for part in SHAPE.parts}
    assert min(shares.values()) > 40


def test_the_initial_time_and_a_place() -> None:
    drawn: CollocationSet = MOVING.collocate(InitialTime(), 200)
    assert (drawn.points[:, 0] == 1.0).all()
    assert len(drawn.points) == 200
    assert len(MOVING.collocate(PointInSpace((0.0, 1.0)), 7).points) == 7


def test_a_shape_that_fills_nothing_of_its_box_is_refused() -> None:
    class Dust(HalfDisk):
        """No points."""

        def contains(self, x: np.ndarray, tolerance: float = 1e-12) -> np.ndarray:
            return np.zeros(len(x), dtype=bool)

    with pytest.raises(UsageError, match="domain: Dust fills too little of its bounding box to draw points"):
        Dust(1.0).sample(10, rule="random", rng=np.random.default_rng(0))

"""A stated shape may be made of others: each is read, built and faulted where it is written."""

from __future__ import annotations

import pytest
from fake_members import PIERCED

from pinnkan.geometry import SHAPES
from pinnkan.ground.errors import ProblemError, UsageError
from pinnkan.language.problem import load_problem
from pinnkan.physics.family import Family
from pinnkan.reduction.ansatz import refuse_moving_geometry

PLATE = "{shape: box, x: [-2, 2], y: [-1, 1]}"
TEXT = """coordinates: [x, y]
domain:
  shape: pierced
  plate: PLATE
  hole: HOLE
unknowns: u
family: {lambda: 0.1}
equations: [laplace(u) = lambda]
boundary: [u = 0]
"""


@pytest.fixture(autouse=True)
def _pierced(monkeypatch):
    monkeypatch.setitem(SHAPES, "pierced", PIERCED)


def problem(*, plate=PLATE, hole="{shape: disk, radius: 0.5 + lambda}"):
    return load_problem(TEXT.replace("PLATE", plate).replace("HOLE", hole), name="pierced")


def test_members_are_built_at_a_parameter_value():
    family = Family(problem())
    for value in (0.1, 0.3):
        shape = family.at(value).domain.shape
        assert shape.hole.radius == 0.5 + value
        assert shape.volume == shape.plate.volume - shape.hole.volume
        assert shape.parts == ("plate.x-", "plate.x+", "plate.y-", "plate.y+", "hole.circle")


FAULTS = {
    "no member": ({"hole": "{}"}, "5:9: domain.hole lacks the key 'shape'"),
    "no shape": ({"hole": "{shape: dsik, radius: 1}"}, "5:17: domain.hole.shape: unknown shape 'dsik'"),
    "no number": ({"hole": "{shape: disk}"}, "5:9: domain.hole: a disk needs the key 'radius'"),
    "a key too many": (
        {"hole": "{shape: disk, radius: 1, rdius: 2}"},
        "5:34: unknown key 'rdius' in domain.hole",
    ),
    "a number that is none": (
        {"plate": "{shape: box, x: [-2, 2], y: [1, 1]}"},
        "4:38: domain: y: expected lower",
    ),
    "a periodic member": (
        {"plate": "{shape: box, x: [0, 1], y: [0, 1], periodic: x}"},
        "4:45: unknown key 'periodic' in domain.plate",
    ),
    "other coordinates": (
        {"hole": "{shape: ball, radius: 1}"},
        "5:17: domain.hole.shape: a ball needs 3 space",
    ),
}


@pytest.mark.parametrize(("changed", "message"), FAULTS.values(), ids=FAULTS)
def test_faults_stand_where_the_member_is_written(changed, message):
    with pytest.raises(ProblemError) as fault:
        problem(**changed)
    assert message.replace(": ", ": error: ", 1) in str(fault.value)


def test_a_member_that_is_empty_at_a_value_is_named_there():
    with pytest.raises(ProblemError, match=r"pierced\.yaml:5:31: error: domain: radius: .* at lambda = -1"):
        Family(problem()).at(-1.0)


def test_a_parameter_in_a_member_moves_the_domain():
    with pytest.raises(UsageError, match="the domain depends on lambda"):
        refuse_moving_geometry(problem())
    refuse_moving_geometry(problem(hole="{shape: disk, radius: 0.5}"))

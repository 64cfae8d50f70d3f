"""The key ``network.separate`` as written: what it means, and one clear message for everything else."""

from __future__ import annotations

import pytest
import torch

from pinnkan.ground.errors import ProblemError
from pinnkan.language.problem import Problem, load_problem
from pinnkan.language.settings.defaults import LARGEST_IN_FULL, numbers_in_full, numbers_slim
from pinnkan.networks import InputMap
from pinnkan.networks.adapters import slim
from pinnkan.training.network import network_over

TEXT = """\
coordinates: [x, y]
domain: {shape: box, x: [0, 1], y: [0, 1]}
unknowns: UNKNOWNS
equations: [EQUATIONS]
network: {hidden: [6, 5], separate: GROUPS}
"""


def text(groups: str, unknowns: str = "[u, v, p]") -> str:
    names = unknowns.strip("[]").split(", ")
    equations = ", ".join(f"laplace({name}) = 1" for name in names)
    return TEXT.replace("UNKNOWNS", unknowns).replace("EQUATIONS", equations).replace("GROUPS", groups)


def read(groups: str, *overrides: str, unknowns: str = "[u, v, p]") -> Problem:
    return load_problem(text(groups, unknowns), overrides=overrides)


MEANINGS = {
    "[[u, v], p]": (("u", "v"), ("p",)),
    "[p, [v, u]]": (("p",), ("v", "u")),
    "[u, v, p]": (("u",), ("v",), ("p",)),
    "[[p, v, u]]": None,
    "none": None,
}


@pytest.mark.parametrize("groups", MEANINGS)
def test_groups_mean_what_is_written(groups):
    assert read(groups).settings.network.separate == MEANINGS[groups]


def test_the_command_line_says_it_too():
    assert read("none", "network.separate=[[u, v], p]").settings.network.separate == (("u", "v"), ("p",))
    assert read("[[u, v], p]", "network.separate=none").settings.network.separate is None


FAULTS = {
    "[[u, v]]": (37, "p in no group; every unknown is named once"),
    "[]": (37, "u, v, p in no group; every unknown is named once"),
    "[[u, v], p, u]": (49, "u comes twice; every unknown is given by one network"),
    "[[u, v], q]": (46, "'q' is no unknown; the unknowns are u, v, p"),
    "[[u, [v]], p]": (42, "expected the name of an unknown, got a list"),
    "[[u, v], {p: 1}]": (46, "expected the name of an unknown, got a block of keys"),
    "[u, v, p, []]": (47, "a group names at least one unknown, such as u"),
    "u": (37, "expected groups of unknowns such as [[u, v], p], got 'u'"),
    "{u: v}": (37, "expected groups of unknowns such as [[u, v], p], got a block of keys"),
}


@pytest.mark.parametrize("groups", FAULTS)
def test_one_message_with_its_place_for_everything_else(groups):
    column, message = FAULTS[groups]
    with pytest.raises(ProblemError) as fault:
        read(groups)
    (only,) = fault.value.faults
    place, said = only.splitlines()[0].split(": error: ")
    assert said == f"network.separate: {message}"
    assert place.rsplit(":", 2)[1:] == ["5", str(column)]


def test_one_unknown_refuses_the_key_by_name():
    with pytest.raises(ProblemError) as fault:
        read("[u]", unknowns="u")
    assert "network.separate: gives several unknowns networks of their own, and u is the only one" in str(
        fault.value.faults
    )


@pytest.mark.parametrize("kind", ["kan", "slim", "mlp"])
def test_the_recipe_counts_the_numbers_of_every_network(kind):
    settings = read("[[u, v], p]", f"network.kind={kind}").settings.network
    built = network_over(InputMap.over([0.0, 0.0], [1.0, 1.0]), settings, ("u", "v", "p"))
    generator = torch.Generator().manual_seed(0)
    coefficients = built.initial(generator)
    assert built.groups == ((0, 1), (2,))
    assert numbers_in_full(settings, 2, 3) == sum(c.numel() for c in coefficients)
    if kind != "mlp":
        rank = settings.of_kind.rank
        assert numbers_slim(settings, 2, 3) == slim(coefficients, rank, generator, chains=2).size


def test_many_networks_are_made_narrow_enough_to_be_trained_in_full():
    names = [f"u{at}" for at in range(6)]
    listed = f"[{', '.join(names)}]"
    problem = load_problem(text(listed, listed).replace("hidden: [6, 5], ", ""))
    settings = problem.settings.network
    assert settings.hidden == (8, 8)
    assert numbers_in_full(settings, 2, 6) <= LARGEST_IN_FULL
    assert not problem.settings.training.phases

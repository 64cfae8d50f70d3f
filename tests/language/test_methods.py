"""The table of methods, and what files and options make of it."""

from __future__ import annotations

import pytest

from pinnkan.language.methods import BASE, LOTRA, METHODS, method_named, stands_alone
from pinnkan.storage.runs.paths import read_stem, stem_of


def test_the_rows_say_which_block_trains_them_and_what_may_change():
    assert {name: (row.block, row.low_rank, row.may_change) for name, row in METHODS.items()} == {
        "lotra": ("finetuning", True, ("finetuning", "adapter", "points")),
        "full": ("finetuning", False, ("finetuning", "adapter", "points")),
        "scratch": ("training", False, ("finetuning", "adapter", "points", "training")),
    }
    assert (method_named("base"), BASE.block) == (BASE, "training")
    with pytest.raises(KeyError):
        method_named("ful")


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("tag", [None, "long"])
def test_a_files_name_says_the_method(name, tag):
    stem = stem_of({"nu": 0.1}, name, tag)
    assert stem == ".".join(["nu=0.1", *([name] if name != LOTRA.name else []), *([tag] if tag else [])])
    assert read_stem(stem, ["nu"]) == ({"nu": 0.1}, name, tag)


@pytest.mark.parametrize(
    ("name", "alone"),
    [("scratch", True), ("lotra", False), ("base", False), ("other", False), (None, False), ([], False)],
)
def test_only_what_is_trained_from_scratch_stands_alone(name, alone):
    assert stands_alone(name) is alone

"""The keys of a block: flat in the file, grouped in the settings, each in the phases that it belongs to."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from pinnkan.ground.errors import ProblemError
from pinnkan.language.problem import load_problem
from pinnkan.language.settings.blocks import (
    FinetuningPhase,
    PhaseSettings,
    PretrainingPhase,
    Settings,
    Shaping,
)
from pinnkan.language.settings.keys import keys_of, with_keys

COMMON = ["optimizer", "steps", "points", "refresh", "cutoff", "alternating"]
COMMON += ["rates", "rate", "schedule", "damping"]
COMMON += ["patience", "keep", "residual_below", "smoothing"]
SHAPING = ["form", "functions", "sparsity", "prune", "compression"]
VALUES = {
    "optimizer": "adam",
    "steps": 7,
    "points": 90,
    "refresh": 2,
    "patience": 3,
    "keep": "last",
    "residual_below": 0.5,
    "smoothing": 4,
    "rates": "LR-3",
    "rate": 0.25,
    "schedule": "cosine",
    "damping": 2.0,
    "cutoff": 1e-6,
    "alternating": True,
    "form": "lotra",
    "functions": 9,
    "sparsity": 1e-3,
    "prune": 0.5,
    "compression": 0.75,
}
"""A value of every key of a phase that is not its default."""
PHASES = {"training": PretrainingPhase, "finetuning": FinetuningPhase}


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        (PhaseSettings(), COMMON),
        (PretrainingPhase(), [*COMMON, *SHAPING]),
        (FinetuningPhase(), [*COMMON, *SHAPING]),
        (Settings().training, [*COMMON, *SHAPING, "phases", "precision", "balance", "tolerance"]),
        (Settings().finetuning, [*COMMON, *SHAPING, "phases", "precision", "balance", "tolerance"]),
    ],
)
def test_keys_are_listed_as_the_file_has_them(settings, names):
    assert list(keys_of(settings)) == names


def leaves(settings: Any) -> Iterator[tuple[str, Any]]:
    """Yield every value of a settings object by its key, those of groups and of mappings included."""
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if dataclasses.is_dataclass(value):
            yield from leaves(value)
        else:
            yield from value.items() if isinstance(value, dict) else [(field.name, value)]


@pytest.mark.parametrize("phase", [PretrainingPhase(), FinetuningPhase()], ids=["training", "finetuning"])
def test_every_key_is_put_where_it_belongs(phase):
    assert dict(leaves(with_keys(phase, VALUES))) == VALUES
    for name, value in VALUES.items():
        other = with_keys(phase, {name: value})
        assert dict(leaves(other))[name] == value
        assert dict(leaves(with_keys(other, {"no_key": 1}))) == dict(leaves(other))
    assert dict(leaves(phase)).keys() < VALUES.keys()


@pytest.mark.parametrize("block", PHASES)
def test_a_phase_takes_from_its_block_what_it_leaves_out(block):
    texts = [f"{block}={{{', '.join(f'{k}: {v}' for k, v in VALUES.items())}, phases: [{{}}, {{rate: 1}}]}}"]
    settings = getattr(load_problem("heat", overrides=texts).settings, block)
    assert {type(phase) for phase in (settings.phase, *settings.phases)} == {PHASES[block]}
    assert [dict(leaves(phase)) for phase in settings.phases] == [VALUES, {**VALUES, "rate": 1.0}]


def test_what_only_pretraining_does_is_kept_apart():
    texts = ["finetuning.phases=[{form: slim, steps: 2}, {functions: 9}]"]
    (slim, finer) = load_problem("heat", overrides=texts).settings.finetuning.in_turn
    assert (slim.misplaced, finer.misplaced) == ({"form": "slim"}, {"functions": 9})
    assert Shaping(**slim.misplaced).form == "slim"
    assert (slim.title, PretrainingPhase(shaping=Shaping(form="slim")).title) == ("lm", "lm (slim)")


def groups_of(settings: Any) -> Iterator[Any]:
    yield settings
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if dataclasses.is_dataclass(value):
            yield from groups_of(value)


def test_no_settings_have_more_than_eight_fields():
    counts = {type(group).__name__: len(dataclasses.fields(group)) for group in groups_of(Settings())}
    assert len(counts) > 8
    assert {name: count for name, count in counts.items() if count > 8} == {}


def test_samples_are_where_they_are():
    text = "coordinates: [x]\ndomain: {shape: interval, x: [0, 1]}\nunknowns: u\nsamples: {file: a.csv}\n"
    with pytest.raises(
        ProblemError, match=r"5:16: .*points.rule: residual draws points of equations; samples"
    ):
        load_problem(text + "points: {rule: residual}\n")

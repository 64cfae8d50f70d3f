"""adapter.compression auto: ranks grow while that lowers the held-out residual by a tenth."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from small_problems import run_of

from pinnkan.ground.errors import UsageError
from pinnkan.networks.adapters import GROWTH
from pinnkan.networks.tucker import ranks_of
from pinnkan.training import finetune, phases, pretrain

SIZES = ("network.hidden=[18, 18]", "points.interior=120", "finetuning.steps=4")
RANKS = [ranks_of((18, 18, 4), ratio) for ratio in GROWTH]


@pytest.fixture(scope="module")
def base():
    return pretrain(run_of("disk", *SIZES, "training.steps=8")).coefficients()


def grown(base, monkeypatch=None, worth: float | None = None, *more: str, **circumstances):
    """Train with a bar of our own: 0 takes every rank, infinity none beyond the first."""
    if worth is not None:
        monkeypatch.setattr(phases, "WORTH", worth)
    notes: list[str] = []
    run = run_of("disk", *SIZES, "adapter.compression=auto", *more, at={"lambda": 0.5}, **circumstances)
    monkeypatch.setattr(run.audience.observer, "note", notes.append)
    return finetune(run, base, method="lotra"), notes


def test_every_rank_that_pays_is_kept(base, monkeypatch):
    found, notes = grown(base, monkeypatch, 0.0)
    assert found.parameters.ranks == [RANKS[-1]]
    assert found.trainable == found.parameters.size
    assert found.steps == 4 * len(GROWTH)
    assert notes == [f"test: ranks grow to {a} x {b} x {c}" for a, b, c in RANKS[1:]]
    # No stage begins above where the one before ended: zero core slices leave the function as it was.
    first_losses = [found.history[4 * stage].loss for stage in range(1, len(GROWTH))]
    former = [found.history[4 * stage - 1].held_out for stage in range(1, len(GROWTH))]
    assert all(math.sqrt(loss) < 2 * held_out for loss, held_out in zip(first_losses, former, strict=True))


def test_a_rank_that_does_not_pay_is_given_back(base, monkeypatch):
    """The result is the one that the first ratio alone reaches, bit by bit; the steps tried are counted."""
    found, notes = grown(base, monkeypatch, math.inf)
    fixed = finetune(
        run_of("disk", *SIZES, "adapter.compression=1/16", at={"lambda": 0.5}), base, method="lotra"
    )
    assert found.parameters.ranks == [RANKS[0]]
    assert torch.equal(found.theta, fixed.theta)
    assert (found.trainable, found.steps) == (fixed.trainable, 8)
    assert notes[-1] == "test: higher ranks do not pay; back to 2 x 2 x 1"


def test_the_bar_is_a_tenth_of_the_held_out_residual(base, monkeypatch):
    found, notes = grown(base, monkeypatch)
    assert phases.WORTH == 1.1
    ends = [min(report.held_out for report in found.history[at : at + 4]) for at in range(0, found.steps, 4)]
    kept = RANKS.index(found.parameters.ranks[0])
    assert all(before > after for before, after in pairwise(ends[: kept + 1]))
    assert notes[-1].startswith("test: higher ranks do not pay" if kept < 3 else "test: ranks grow to")


def test_a_time_limit_ends_growing_with_what_pays(base, monkeypatch):
    found, _ = grown(base, monkeypatch, time_limit=0.0)
    assert (found.outcome.reason, found.parameters.ranks) == ("time_limit", [RANKS[0]])


def test_explicit_ranks_do_not_grow(base, monkeypatch):
    found, notes = grown(base, monkeypatch, None, "adapter.ranks=[3, 3, 2]")
    assert (found.parameters.ranks, notes) == ([(3, 3, 2)], [])


def test_an_adapter_whose_ranks_grow_starts_from_the_base(base):
    run = run_of("disk", *SIZES, "adapter.compression=auto", at={"lambda": 0.5})
    with pytest.raises(UsageError, match=r"ranks grow \(compression auto\) starts from the base"):
        finetune(run, base, method="lotra", start=lambda parameters: parameters.start())


def test_a_lotra_phase_of_pre_training_says_its_ranks_itself():
    run = run_of("disk", "adapter.compression=auto", "training.phases=[{steps: 1}, {form: lotra, steps: 1}]")
    with pytest.raises(UsageError, match="a lotra phase of pre-training needs a compression of its own"):
        pretrain(run)

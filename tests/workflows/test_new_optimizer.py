"""An optimizer is one file and one row of the table: a fake one goes through the whole program."""

from __future__ import annotations

import numpy as np
import pytest
from gradient_descent import GRADIENT_DESCENT
from matplotlib.figure import Figure

import pinnkan as python_way
from pinnkan.language.problem import load_problem
from pinnkan.optim.kinds import OPTIMIZERS
from pinnkan.storage.store import read_store

DESCENT = ["--set", "training.optimizer=descent", "--set", "training.growth=2", "--set", "training.steps=8"]


@pytest.fixture
def _row(monkeypatch):
    monkeypatch.setitem(OPTIMIZERS, GRADIENT_DESCENT.name, GRADIENT_DESCENT)


def phases_taken(path):
    return [word for word, _ in read_store(path).meta["history"]["phase"]]


@pytest.mark.usefixtures("_row")
def test_a_new_optimizer_goes_through_every_command(done, folder, monkeypatch):
    drawn = []
    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda own, *a, **k: (drawn.append(own), save(own, *a, **k))[1])

    recipe = done("check", folder / "tiny.yaml", *DESCENT, "--json").json
    assert not [finding for finding in recipe["findings"] if finding["severity"] == "error"]

    run = folder / "descent"
    tuning = [
        "--set",
        "finetuning.phases=[{optimizer: descent, growth: 3, steps: 3}, {optimizer: lm, steps: 1}]",
    ]
    done("pretrain", folder / "tiny.yaml", "-o", run, *DESCENT, "-q")
    done("finetune", run, "--lambda", 0.5, *tuning, "-q")
    assert phases_taken(run / "base.h5") == ["descent"]
    assert phases_taken(run / "adapters/lambda=0.5.h5") == ["descent", "lm"]
    history = read_store(run / "base.h5").meta["history"]
    # It looks at the held-out residual as often as its row says, and its loss falls.
    assert [value is not None for value in history["held_out"]] == [False, True] * 4
    losses = history["loss"]
    assert losses[-1] < losses[1]

    rows = done("evaluate", run, "--json").json["results"]
    assert [row["steps"] for row in rows] == [8, 4]
    assert all(np.isfinite(row["relative_l2"]) for row in rows)

    done("export", run, "--lambda", 0.5, "--grid", "5x5", "-o", folder / "u.npz")
    with np.load(folder / "u.npz") as stored:
        inside = np.isfinite(stored["u"])
        points = np.stack([stored["x"][inside], stored["y"][inside]], axis=1)
        assert np.array_equal(stored["u"][inside], python_way.load(run).at(0.5)(points))

    done("plot", run, "--lambda", 0.5, "--field", "history", "-o", folder / "a.png", "--dpi", 40)
    labels = [text.get_text() for axes in drawn[-1].axes for text in axes.texts]
    assert labels == ["Gradient descent", "LM"]


@pytest.mark.usefixtures("_row")
def test_its_keys_are_its_own_and_shared_ones_keep_their_defaults(pinnkan, folder):
    texts = ["training={growth: 2, phases: [{optimizer: adam}, {optimizer: descent}, {optimizer: lbfgs}]}"]
    phases = load_problem(folder / "tiny.yaml", overrides=texts).settings.training.phases
    assert [vars(phase.own) for phase in phases] == [
        {"rates": "theorem2", "rate": 1e-3, "schedule": "constant"},
        {"rate": 1e-2, "growth": 2.0},
        {},
    ]
    rates = load_problem(folder / "tiny.yaml", overrides=[*texts, "training.rate=0.5"]).settings.training
    assert [getattr(phase.own, "rate", None) for phase in rates.phases] == [0.5, 0.5, None]

    answer = pinnkan("check", folder / "tiny.yaml", "--set", "training.growth=9")
    assert answer.code == 2
    assert "training.growth: expected between 1 and 4, got '9'" in answer.err
    answer = pinnkan("check", folder / "tiny.yaml", "--set", "training.optimizer=descend")
    assert (
        "expected one of lm, lbfgs, adam, gauss_newton, descent; got 'descend'; did you mean 'descent'?"
        in answer.err
    )


def test_without_its_row_nothing_knows_it(pinnkan, folder):
    for text, message in (
        ("optimizer=descent", "expected one of lm, lbfgs, adam, gauss_newton; got 'descent'"),
        ("growth=2", "unknown key 'growth' in training"),
    ):
        answer = pinnkan("check", folder / "tiny.yaml", "--set", f"training.{text}")
        assert (answer.code, message in answer.err) == (2, True), answer.err

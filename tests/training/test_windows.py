"""Training in time windows: which start where, what is halved, and that it goes on from every state."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from pinnkan.ground.progress import Silent
from pinnkan.language.problem import load_problem
from pinnkan.physics.family import Family
from pinnkan.storage.runs.checkpoints import read_checkpoint, write_checkpoint
from pinnkan.training import Trained, TrainingTask, pretrain, windows
from pinnkan.training.task import Arithmetic, Audience
from pinnkan.training.trained_windows import TrainedWindows
from pinnkan.training.windows import pretrain_in_windows

TEXT = """\
coordinates: [x]
time: {t: [0, 1], windows: 2}
domain: {shape: interval, x: [-1, 1], periodic: x}
unknowns: u
equations: u_t + u_x = 0
initial: u = sin(pi*x)
exact: sin(pi*(x - t))
network: {hidden: [3, 3], functions: 4}
points: {interior: 60, held_out: 40}
training: {steps: 3}
"""


class Notes(Silent):
    def __init__(self) -> None:
        self.texts: list[str] = []
        self.titles: list[str] = []

    def begin(self, title: str, phase: str, total_steps: int) -> None:
        self.titles.append(title)

    def note(self, text: str) -> None:
        self.texts.append(text)


def task_of(*overrides: str, text: str = TEXT, **more) -> TrainingTask:
    problem = load_problem(text, overrides=overrides)
    arithmetic = Arithmetic(torch.device("cpu"), torch.float64)
    audience = Audience(more.pop("observer", Silent()), "ring")
    return TrainingTask(Family(problem).at(), problem.settings, 0, arithmetic, audience, **more)


def train(task: TrainingTask) -> TrainedWindows:
    trained = pretrain_in_windows(task, method="base")
    assert isinstance(trained, TrainedWindows)
    return trained


def assert_same(one: TrainedWindows, other: TrainedWindows) -> None:
    assert one.ends == other.ends
    for left, right in zip(one.windows, other.windows, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(left.coefficients, right.coefficients, strict=True))
        facts = [
            (w.end, w.changes, w.record.outcome, w.record.rms, w.record.trainable, w.record.judged)
            for w in (left, right)
        ]
        assert facts[0] == facts[1]
        losses = [[(r.step, r.loss, r.held_out) for r in w.record.history] for w in (left, right)]
        assert losses[0] == losses[1]


def test_it_goes_on_from_every_state_as_a_file_has_it(tmp_path, monkeypatch):
    monkeypatch.setattr(windows, "MOST_ROUNDS", 1)
    states = []

    def keep(state):
        path = tmp_path / f"{len(states)}.h5"
        write_checkpoint(path, "0" * 64, state)
        states.append(path)

    whole = train(task_of(keep=keep))
    assert len(states) == whole.steps == 6
    for steps, path in [(steps, states[steps - 1]) for steps in (2, 3, 5)]:
        state = read_checkpoint(path, "0" * 64, torch.device("cpu"))
        assert state is not None
        assert state.windows is not None
        assert state.steps >= steps
        assert_same(whole, train(task_of(state=state)))


def test_a_window_that_misses_its_share_is_halved_and_goes_on_from_every_state(monkeypatch):
    """What five coefficients cannot do, halving cannot either: it ends, and says so."""
    monkeypatch.setattr(windows, "MOST_HALVINGS", 1)
    states, notes = [], Notes()
    overrides = ("time.windows=auto", "training.steps=2", "network.hidden=[2]")
    whole = train(task_of(*overrides, keep=states.append, observer=notes))
    assert whole.ends == (0.0, 0.5, 1.0)
    assert notes.titles == [
        "ring, window 1/1 (t = 0 to 1)",
        "ring, window 1/2 (t = 0 to 0.5)",
        "ring, window 2/2 (t = 0.5 to 1)",
    ]
    halved, first, second = notes.texts
    assert halved.startswith("ring, window 1/1 (t = 0 to 1): ")
    assert halved.endswith("; it is halved")
    assert "its share is 7.1e-03" in first or "relative residual" in first
    assert "it is halved" not in first + second
    for state in states[1::2]:
        assert_same(whole, train(task_of(*overrides, state=state)))


def test_a_window_that_meets_its_share_is_not_halved(monkeypatch):
    good = {"error_estimate": 1e-3, "verdict": "solved", "reasons": []}
    monkeypatch.setattr(windows, "judgement", lambda *_: good)
    notes = Notes()
    whole = train(task_of("time.windows=auto", "training.steps=1", observer=notes))
    assert whole.ends == (0.0, 1.0)
    assert notes.texts == []


@pytest.mark.parametrize(
    ("estimate", "verdict", "missed"),
    [
        (7.0e-3, "solved", ""),
        (7.2e-3, "solved", "its error is estimated at 7.2e-03, its share is 7.1e-03"),
        (None, "solved", ""),
        (None, "doubtful", "it is so"),
        (1e-3, "unsolved", "it is so"),
    ],
)
def test_the_share_of_a_window_is_the_root_of_that_of_its_length(monkeypatch, estimate, verdict, missed):
    """Of stated windows what misses its share is said, and the next one begins."""
    reasons = [] if verdict == "solved" else ["it is so"]
    facts = {"error_estimate": estimate, "verdict": verdict, "reasons": reasons}
    monkeypatch.setattr(windows, "judgement", lambda *_: facts)
    notes = Notes()
    train(task_of("training.steps=1", observer=notes))
    expected = []
    for number in (1, 2) if missed else ():
        name = f"ring, window {number}/2"
        expected += [f"{name}: {missed}; it is trained further", f"{name}, round 2: {missed}"]
    assert notes.texts == expected


@pytest.mark.parametrize(
    ("estimates", "rounds", "kept"),
    [
        ([4e-3], 1, 0),
        ([4e-2, 4e-3], 2, 1),
        ([4e-2, 1e-2, 4e-3], 3, 2),
        ([4e-2, 1.5e-2, 7e-3, 1e-3], 3, 2),
        ([4e-2, 3e-2, 1e-3], 2, 1),
        ([4e-2, 5e-2, 1e-3], 2, 0),
    ],
)
def test_a_stated_window_is_trained_further_while_that_pays(monkeypatch, tmp_path, estimates, rounds, kept):
    """And goes on from every state in every round; of two rounds the better one is kept."""
    left, judged, states = list(estimates), [], []

    def facts(_instance, trained, *_):
        judged.append(trained.coefficients())
        estimate = left.pop(0) if left else 1e-3
        return {"error_estimate": estimate, "verdict": "solved", "reasons": []}

    def keep(state):
        path = tmp_path / f"{len(states)}.h5"
        write_checkpoint(path, "0" * 64, state)
        states.append((path, list(left)))

    monkeypatch.setattr(windows, "judgement", facts)
    whole = train(task_of("training.steps=2", "time.windows=[0.5]", keep=keep))
    first = whole.windows[0]
    assert len(first.record.history) == 2 * rounds
    assert first.record.judged["error_estimate"] == estimates[kept]
    assert all(torch.equal(a, b) for a, b in zip(first.coefficients, judged[kept], strict=True))
    for path, rest in states[: 2 * rounds]:
        left[:] = rest
        state = read_checkpoint(path, "0" * 64, torch.device("cpu"))
        assert_same(whole, train(task_of("training.steps=2", "time.windows=[0.5]", state=state)))


def test_later_windows_start_from_the_one_before_by_the_phases_that_move_every_coefficient(monkeypatch):
    """Slim phases, refinement and adapters of pre-training are the first window's alone."""
    monkeypatch.setattr(windows, "judgement", lambda *_: {"error_estimate": None, "verdict": "solved"})
    notes = Notes()
    phases = "[{steps: 1, optimizer: adam}, {steps: 1, functions: 6}, {steps: 1, form: lotra}]"
    whole = train(task_of(f"training.phases={phases}", "network.hidden=[4, 4]", observer=notes))
    first, second = (
        [(report.phase, report.step) for report in window.record.history] for window in whole.windows
    )
    assert first == [("adam", 1), ("lm", 1), ("lm (lotra)", 1)]
    assert second == [("adam", 1), ("lm", 1)]
    shapes = [[tuple(c.shape) for c in window.coefficients] for window in whole.windows]
    assert shapes[0] == shapes[1] == [(3, 4, 6), (4, 4, 6), (4, 1, 6)]
    unmoved = train(task_of("training.steps=1", "training.phases=[{steps: 1}, {steps: 0}]"))
    assert unmoved.windows[0].record.trainable == unmoved.windows[1].record.trainable


def test_time_that_runs_out_is_shared_by_the_windows_that_are_left(monkeypatch):
    monkeypatch.setattr(windows, "judgement", lambda *_: {"error_estimate": None, "verdict": "solved"})
    whole = train(task_of("training.steps=50", time_limit=0.0))
    assert [len(window.record.history) for window in whole.windows] == [1, 1]
    assert whole.outcome.reason == "time_limit"


def test_coefficients_are_handed_on_as_they_are_stored(monkeypatch):
    monkeypatch.setattr(windows, "judgement", lambda *_: {"error_estimate": None, "verdict": "solved"})
    task = task_of("training.steps=1")
    whole = train(replace(task, arithmetic=Arithmetic(torch.device("cpu"), torch.float32)))
    for window in whole.windows:
        for layer in window.coefficients:
            assert layer.dtype == torch.float64
            assert torch.equal(layer, layer.to(torch.float32).to(torch.float64))


def test_of_two_starts_the_one_with_the_lower_residual_is_taken():
    task = task_of("training.steps=12", "time.windows=1", "network.hidden=[4, 4]")
    good = pretrain(task).coefficients()
    bad = [10 * c for c in good]
    for pair in ((good, bad), (bad, good)):
        assert windows.nearer(task, *pair) is good
    assert windows.nearer(task, bad, None) is bad
    assert windows.nearer(task, bad, good[:1]) is bad


def test_later_windows_are_trained_as_training_says():
    """Their phases are those of fine-tuning, their settings those of ``training:``."""
    settings = task_of("time.windows=2", "training={balance: rows, precision: full, steps: 3}").settings
    tuned = windows._in_full(settings).finetuning
    assert (tuned.balance, tuned.precision, tuned.in_turn[0].steps) == ("rows", "full", 3)


def test_windows_that_were_halved_count_as_time_spent(monkeypatch):
    """A limit of time holds for all that was trained, and not for what was kept."""
    monkeypatch.setattr(windows, "MOST_HALVINGS", 1)
    states = []
    overrides = ("time.windows=auto", "training.steps=2", "network.hidden=[2]")
    whole = train(task_of(*overrides, keep=states.append))
    assert whole.spent > 0.0
    assert whole.seconds == pytest.approx(whole.spent + sum(w.record.seconds for w in whole.windows))
    assert states[-1].windows.spent == whole.spent


SPLIT = ["network.hidden=[2]", "training={steps: 2, tolerance: 1e-6}"]


def test_a_tolerance_that_is_missed_by_far_splits_the_time_and_goes_on_from_every_state(monkeypatch):
    monkeypatch.setattr(windows, "MOST_HALVINGS", 0)
    monkeypatch.setattr("pinnkan.training.adaptive.marked", lambda *_: None)
    states, notes = [], Notes()
    run = task_of("time={t: [0, 1]}", *SPLIT, keep=states.append, observer=notes)
    whole = pretrain_in_windows(run, method="base")
    assert whole.ends == (0.0, 0.5, 1.0)
    assert any(text.endswith("tolerance 1e-06: the time is split") for text in notes.texts)
    for state in tuple(states):
        assert_same(whole, pretrain_in_windows(replace(run, state=state), method="base"))


def test_who_says_one_window_gets_one(monkeypatch):
    monkeypatch.setattr("pinnkan.training.adaptive.marked", lambda *_: None)
    run = task_of("time={t: [0, 1], windows: 1}", *SPLIT)
    assert isinstance(pretrain_in_windows(run, method="base"), Trained)

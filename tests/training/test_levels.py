"""SOLVE - ESTIMATE - MARK - REFINE: refinements are exact, chosen by gain a cost, taken back, and resumed."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from small_problems import run_of
from test_resuming import with_states

from pinnkan.ground.progress import Silent
from pinnkan.language.problem import load_problem
from pinnkan.language.settings.blocks import NetworkSettings
from pinnkan.solutions.evaluation.measures import errors_at
from pinnkan.solutions.solution import Solution
from pinnkan.storage.runs.checkpoints import read_checkpoint, write_checkpoint
from pinnkan.training import finetune, generator_for, network_for, pretrain
from pinnkan.training.levels import Level, Levels, ResidualRms, Size
from pinnkan.training.marking import Candidate, marked, pays
from pinnkan.training.refinable import begun_small
from pinnkan.training.refinable_adapter import FinishedAdapter
from pinnkan.training.refinement import fitted, widened

NETWORKS = {
    "kan": {"network.hidden": "[5, 4]", "network.functions": "5"},
    "mlp": {"network.kind": "mlp", "network.hidden": "[5, 4]"},
    "one hidden layer": {"network.hidden": "[5]", "network.functions": "4"},
    "bspline": {"network.basis": "bspline", "network.hidden": "[4, 4]"},
    "random": {"network.kind": "random", "network.hidden": "[5]"},
}


@pytest.mark.parametrize("name", NETWORKS)
def test_new_neurons_leave_the_function_as_it_is(name):
    run = run_of("disk", *(f"{key}={value}" for key, value in NETWORKS[name].items()))
    settings = run.settings.network
    network = network_for(run.instance, settings)
    coefficients = network.initial(generator_for(0, "coefficients"))
    hidden = tuple(width + 2 + place for place, width in enumerate(settings.hidden))
    wide = widened(coefficients, settings, hidden, generator_for(0, "neurons"))
    assert fitted(settings, wide).hidden == hidden
    wider = network_for(run.instance, settings, wide)
    points = torch.rand(50, 2, dtype=torch.float64) - 0.5
    before = network.values(points, network.matrices(coefficients))
    after = wider.values(points, wider.matrices(wide))
    assert torch.allclose(before, after, rtol=0, atol=1e-14)
    new = wide[0][:, settings.hidden[0] :]
    assert new.abs().min() > 0.0, "coefficients into new neurons are random"
    bias = int(wide[1].dim() == 2)
    out = wide[1][settings.hidden[0] : wide[1].shape[0] - bias, : coefficients[1].shape[1]]
    assert not out.any(), "coefficients out of new neurons are zero"


def test_networks_side_by_side_widen_alike():
    small = ["network.hidden=[3, 4]", "network.separate=[[u, v], p]", "points.interior=40"]
    run = run_of(load_problem("kovasznay", overrides=small))
    network = network_for(run.instance, run.settings.network)
    coefficients = network.initial(generator_for(0, "coefficients"))
    wide = widened(coefficients, run.settings.network, (5, 6), generator_for(0, "neurons"))
    wider = network_for(run.instance, run.settings.network, wide)
    points = torch.rand(20, 2, dtype=torch.float64)
    before = network.values(points, network.matrices(coefficients))
    assert torch.allclose(before, wider.values(points, wider.matrices(wide)), rtol=0, atol=1e-14)


def level(kind: str, estimate: float | None, *, kept: bool = True, held_out: float = 1e-3) -> Level:
    rms = ResidualRms(1e-3, held_out)
    return Level(kind, Size((5, 5), 8, 1000, 100), estimate, rms, steps=10, seconds=1.0, kept=kept)


def vain(kind: str, estimate: float) -> Level:
    return level(kind, estimate, kept=False)


FUNCTIONS = Candidate("functions", Size((5, 5), 10, 1000, 200))
WIDTH = Candidate("width", Size((7, 7), 8, 1000, 300))
POINTS = Candidate("points", Size((5, 5), 8, 2000, 100))
DUE = replace(POINTS, is_due=True)
RECIPE = level("recipe", 1e-2)

CHOICES = {
    "the cheapest of those that were never tried": ([RECIPE], [FUNCTIONS, WIDTH], "functions"),
    "what gains most a cost": (
        [RECIPE, level("functions", 9e-3 / 1.6), level("width", 1e-5)],
        [FUNCTIONS, WIDTH],
        "width",
    ),
    "points where the points are fitted": ([RECIPE], [FUNCTIONS, WIDTH, DUE], "points"),
    "another kind where points were in vain": (
        [RECIPE, vain("points", 1e-2)],
        [FUNCTIONS, WIDTH, DUE],
        "functions",
    ),
    "a kind again after another one paid": (
        [
            RECIPE,
            vain("functions", 1e-2),
            level("width", 1e-4),
            vain("width", 1e-4),
        ],
        [FUNCTIONS, WIDTH],
        "functions",
    ),
    "none after two in vain": (
        [RECIPE, vain("points", 1e-2), vain("functions", 9e-3)],
        [FUNCTIONS, WIDTH],
        None,
    ),
    "none where there is none": ([RECIPE], [], None),
}


@pytest.mark.parametrize("case", CHOICES)
def test_the_refinement_made_is(case):
    done, candidates, kind = CHOICES[case]
    candidate = marked(Levels(tuple(done)), candidates)
    assert (candidate and candidate.kind) == kind


@pytest.mark.parametrize(
    ("before", "after", "paid"),
    [
        (level("", 1e-2), level("", 0.66e-2), True),
        (level("", 1e-2), level("", 0.67e-2), False),
        (level("", None), level("", 1e-1), True),
        (level("", None, held_out=1.0), level("", None, held_out=0.44), True),
        (level("", None, held_out=1.0), level("", None, held_out=0.45), False),
        (level("", 1e-2, held_out=1.0), level("", None, held_out=0.5), False),
        (level("", 0.0), level("", 0.0), False),
    ],
)
def test_a_level_pays_that_lowers_the_estimate_by_a_third(before, after, paid):
    assert pays(after, before) is paid


class Told(Silent):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


SMALL = ["points.interior=80", "points.held_out=60", "network.hidden=[3, 3]", "network.functions=4"]
SMALL += ["training.steps=12", "training.patience=4"]


@pytest.fixture
def quick(monkeypatch):
    """An estimate that takes no time: the error itself, at a hundred points."""

    def error(instance, network, coefficients):
        solution = Solution(instance, network, list(coefficients))
        known = instance.known(instance.domain.uniform(100, 1))
        return errors_at(solution, known)["relative_l2"]

    for module in ("phases", "adaptive"):
        monkeypatch.setattr(f"pinnkan.training.{module}.estimated_error", error)


@pytest.mark.usefixtures("quick")
def test_levels_follow_until_the_tolerance_is_met_or_none_pays_and_every_state_goes_on():
    observer = Told()
    run, states = with_states(run_of("poisson", *SMALL, "training.tolerance=1e-12", observer=observer))
    whole = pretrain(run)
    levels = whole.effort.levels
    assert whole.outcome.reason == "exhausted"
    assert levels[0].kind == "recipe"
    assert [entry.kept for entry in levels[-2:]] == [False, False]
    best = [entry for entry in levels if entry.kept][-1]
    assert best.estimate < 0.1 * levels[0].estimate
    assert whole.trainable == best.size.numbers == sum(c.numel() for c in whole.coefficients())
    assert whole.steps == sum(entry.steps for entry in levels) == len(whole.history)
    lines = [note for note in observer.notes if "level" in note]
    assert lines[0].startswith("test: level 1 (recipe): 1-3-3-1, 4 functions, 80 points: error estimate")
    assert lines[-1].endswith("(tolerance 1e-12); does not pay, taken back")
    assert len({len(state.levels.done) for state in states}) == len(levels)
    for state in (states[20], states[-1]):
        again = pretrain(replace(run, state=state))
        assert all(torch.equal(a, b) for a, b in zip(whole.coefficients(), again.coefficients(), strict=True))
        assert [replace(entry, seconds=0.0) for entry in again.effort.levels] == [
            replace(entry, seconds=0.0) for entry in levels
        ]
        assert [report.loss for report in again.history] == [report.loss for report in whole.history]


@pytest.mark.usefixtures("quick")
def test_a_checkpoint_holds_the_levels_and_what_they_kept(tmp_path):
    run, states = with_states(run_of("poisson", *SMALL, "training.tolerance=1e-12"))
    whole = pretrain(run)
    state = next(state for state in states if len(state.levels.done) == 2)
    write_checkpoint(tmp_path / "checkpoint.h5", "hash", state)
    read = read_checkpoint(tmp_path / "checkpoint.h5", "hash", torch.device("cpu"))
    assert read.levels.done == state.levels.done
    assert read.steps == state.steps
    again = pretrain(replace(run, state=read))
    assert all(torch.equal(a, b) for a, b in zip(whole.coefficients(), again.coefficients(), strict=True))


@pytest.mark.usefixtures("quick")
def test_a_state_of_a_later_level_is_none_of_a_training_without_a_tolerance():
    run, states = with_states(run_of("poisson", *SMALL, "training.tolerance=1e-12"))
    pretrain(run)
    with pytest.raises(ValueError, match="a state of a training with a tolerance"):
        pretrain(run_of("poisson", *SMALL, state=states[-1]))


@pytest.mark.usefixtures("quick")
def test_a_finished_network_is_gone_on_from_and_refined():
    first = pretrain(run_of("poisson", *SMALL, "training.tolerance=1e-3"))
    run, states = with_states(run_of("poisson", *SMALL, "training.tolerance=1e-9"))
    second = pretrain(run, first.coefficients())
    assert [entry.estimate for entry in second.effort.levels if entry.kept][-1] < 1e-6
    assert second.effort.levels[0].kind == "more steps"
    assert second.history[0].loss < first.history[0].loss * 1e-3
    again = pretrain(replace(run, state=states[-1]), first.coefficients())
    assert torch.equal(second.theta, again.theta)
    with pytest.raises(ValueError, match="began otherwise"):
        pretrain(replace(run, state=states[-1]))


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("adapter", "ratios"),
    [
        ("{compression: 1/4}", [None, 0.5, 1.0]),
        ("{ranks: [1, 1, 1]}", [None, 1.0]),
        ("{compression: auto}", []),
    ],
)
def test_an_adapter_is_refined_by_ranks_and_points_and_every_state_goes_on(adapter, ratios):
    disk = [
        "network={hidden: [6, 6], functions: 4}",
        "points={interior: 150, held_out: 60}",
        f"adapter={adapter}",
    ]
    base = pretrain(run_of("disk", *disk, "training.steps=12")).coefficients()
    observer = Told()
    recipe = "finetuning={steps: 4, tolerance: 1e-9}"
    run, states = with_states(run_of("disk", *disk, recipe, at={"lambda": 0.5}, observer=observer))
    whole = finetune(run, base, method="lotra")
    levels = whole.effort.levels
    assert {entry.kind for entry in levels} <= {"recipe", "ranks", "points"}
    assert {entry.size.hidden for entry in levels} == {(6, 6)}
    assert whole.outcome.reason == "exhausted"
    assert whole.trainable == whole.parameters.size == whole.theta.numel()
    found = [entry.size.compression for entry in levels if entry.kind != "points"]
    assert found == ratios[: len(found)] or not ratios
    for state in (states[5], states[-1]):
        again = finetune(replace(run, state=state), base, method="lotra")
        assert torch.equal(again.theta, whole.theta)
        assert again.parameters.ranks == whole.parameters.ranks
    finished = FinishedAdapter(lambda parameters: whole.theta, whole.parameters.ranks)
    further = finetune(replace(run, state=None), base, method="lotra", finished=finished)
    assert further.effort.levels[0].kind == "more steps"
    assert further.history[0].loss < 2 * whole.history[0].loss


@pytest.mark.usefixtures("quick")
def test_a_network_tuned_in_full_takes_points_alone():
    disk = ["network={hidden: [4, 4], functions: 4}", "points={interior: 90, held_out: 60}"]
    base = pretrain(run_of("disk", *disk, "training.steps=8")).coefficients()
    run = run_of("disk", *disk, "finetuning={steps: 3, tolerance: 1e-9}", at={"lambda": 0.5})
    assert {entry.kind for entry in finetune(run, base, method="full").effort.levels} == {"recipe", "points"}


@pytest.mark.usefixtures("quick")
def test_networks_that_cannot_grow_take_points_alone():
    slim = ["network.kind=slim", "network.rank=0.5", "network.hidden=[4, 4]", "training.steps=4"]
    kinds = {
        entry.kind
        for entry in pretrain(run_of("poisson", *SMALL[:2], *slim, "training.tolerance=1e-14")).effort.levels
    }
    assert kinds <= {"recipe", "points"}


def test_fitted_settings_of_the_first_layer_alone_keep_their_widths():
    settings = NetworkSettings(hidden=(4, 4), functions=4)
    assert fitted(settings, [torch.zeros(2, 9, 6)]) == replace(settings, functions=6)
    assert fitted(settings, None) is settings


@pytest.mark.parametrize(
    ("overrides", "hidden", "points"),
    [
        ([], (6, 6), 1000),
        (["network.hidden=[12, 12]"], (12, 12), 2520),
        (["points.interior=700"], (4, 4), 700),
        (["points.interior=3000"], (6, 6), 3000),
    ],
)
def test_a_network_that_nobody_states_begins_at_half_its_widths(overrides, hidden, points):
    run = run_of("disk", "network={}", "points={}", "training={}", *overrides)
    small = begun_small(run).settings
    assert (small.network.hidden, small.points.interior) == (hidden, points)

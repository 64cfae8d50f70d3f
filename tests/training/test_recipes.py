"""Pre-training and fine-tuning on problems of seconds: accuracy, phases, reproducibility, honesty."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from small_problems import TEXTS, problem, run_of

from pinnkan.ground.errors import DivergedError, UsageError
from pinnkan.language.problem import load_problem
from pinnkan.networks.adapters import Full, TuckerChange
from pinnkan.physics.residuals.linearisation import BlockLinearisation
from pinnkan.physics.residuals.training_sets import training_sets
from pinnkan.solutions.solution import Solution
from pinnkan.training import Trained, TrainingTask, finetune, pretrain


def relative_l2(run: TrainingTask, trained: Trained) -> float:
    points = run.instance.domain.uniform(2000, 12345)
    solution = Solution(run.instance, trained.network, trained.coefficients())(points)[0]
    exact = run.instance.exact(points)["u"]
    return float(np.linalg.norm(solution - exact) / np.linalg.norm(exact))


def same_bits(one: Trained, other: Trained) -> bool:
    pairs = zip(one.coefficients(), other.coefficients(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_poisson_to_five_digits():
    run = run_of("poisson")
    trained = pretrain(run)
    assert relative_l2(run, trained) < 1e-5
    assert trained.rms.held_out < 0.05
    assert trained.parameters.size == 128
    assert len(trained.history) == trained.steps == trained.outcome.steps


@pytest.mark.parametrize(
    ("method", "size"), [("lotra", 48 + 36 + 18 + 18 + 32 + 48), ("full", 48 + 288 + 48)]
)
def test_an_adapter_solves_another_value(method, size):
    settings = ["network.hidden=[6, 6]", "adapter.compression=0.5", "points.interior=150"]
    base_run = run_of("poisson", *settings)
    base = pretrain(base_run).coefficients()
    copies = [c.clone() for c in base]
    run = run_of("poisson", *settings, at={"lambda": 1.0})
    trained = finetune(run, base, method=method)
    assert relative_l2(run, trained) < 1e-4
    assert all(torch.equal(c, copy) for c, copy in zip(base, copies, strict=True))
    kinds = [type(layer) for layer in trained.parameters.layers]
    assert kinds == ([Full, TuckerChange, Full] if method == "lotra" else [Full] * 3)
    assert trained.parameters.size == size


def test_heat_with_soft_conditions():
    run = run_of("heat")
    trained = pretrain(run)
    assert relative_l2(run, trained) < 1e-3
    assert list(trained.history[-1].terms) == ["equation[0]", "boundary[0]", "insulation", "initial[0]"]
    assert max(trained.history[-1].terms.values()) < 1e-2


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_the_other_optimizers_learn(optimizer):
    run = run_of("poisson", f"training.optimizer={optimizer}", "training.steps=150", "training.rate=0.01")
    trained = pretrain(run)
    assert trained.history[-1].loss < 1e-2 * trained.history[0].loss
    assert relative_l2(run, trained) < 0.1


# Reproducibility and honesty


@pytest.mark.parametrize("rule", ["quadrature", "random"])
def test_same_seed_same_bits_other_seed_others(rule):
    settings = [f"points.rule={rule}", "training.steps=3"]
    runs = [pretrain(run_of("disk", *settings, seed=seed)) for seed in (3, 3, 4)]
    assert same_bits(runs[0], runs[1])
    assert not same_bits(runs[0], runs[2])
    adapters = [
        finetune(
            run_of("disk", *settings, seed=seed, at={"lambda": 1.0}), runs[0].coefficients(), method="lotra"
        )
        for seed in (3, 3, 4)
    ]
    assert torch.equal(adapters[0].theta, adapters[1].theta)
    assert not torch.equal(adapters[0].theta, adapters[2].theta)


def test_the_exact_solution_does_not_touch_training():
    """With source and data written out, another `exact`, or none, leaves every bit as it is."""
    stated = {
        "source": "source: 2*pi^2*sin(pi*x)*sin(pi*y)",
        "equations": 'equations: ["-u_xx - u_yy = source"]',
        "boundary": "boundary: [u = x*y]",
    }
    found = []
    for exact in ["exact: sin(pi*x)*sin(pi*y) + x*y", "exact: 17*x", ""]:
        loaded = problem("mixed", exact=exact, **stated)
        shown: list[float] = []

        def error(coefficients, shown=shown, exact=exact):
            shown.append(float(len(exact)))
            return shown[-1]

        found.append(pretrain(run_of(loaded, error=error if exact else None)))
    assert same_bits(found[0], found[1])
    assert same_bits(found[0], found[2])
    errors = [trained.history[-1].error for trained in found]
    assert errors == [32.0, 11.0, None]


def test_clock_and_observer_change_nothing():
    limited = pretrain(run_of("poisson", "training.steps=4", time_limit=1e6))
    assert same_bits(limited, pretrain(run_of("poisson", "training.steps=4")))


# Points


@pytest.mark.parametrize("rule", ["quadrature", "sobol", "random"])
@pytest.mark.parametrize("name", TEXTS)
def test_training_fresh_and_held_out_points_are_disjoint(name, rule):
    run = run_of(name, f"points.rule={rule}")
    drawn = []
    for variant in (0, 1, 2, 4, 2000):
        sets = training_sets(run.instance, run.settings.points, seed=0, variant=variant)
        drawn.append({one.name: {tuple(row) for row in one.points.tolist()} for one in sets})
    for at, one in enumerate(drawn):
        for other in drawn[:at]:
            for block in one:
                assert not one[block] & other[block], (block, at)


def test_every_set_of_a_run_has_its_own_variant(monkeypatch):
    """One odd variant is held out; phases and refreshes count through the even ones, each once.

    At the end the residual is measured once more on the first set of the last phase.
    """
    drawn: list[tuple[int, int | None]] = []

    def watched(*args, variant, interior=None, **more):
        drawn.append((variant, interior))
        return training_sets(*args, variant=variant, interior=interior, **more)

    monkeypatch.setattr("pinnkan.training.phases.training_sets", watched)
    phases = "[{steps: 3, refresh: 1}, {steps: 4, refresh: 2, points: 35}]"
    pretrain(with_phases("heat", phases))
    assert drawn == [(1, 60), (0, None), (2, None), (4, None), (2000, 35), (2002, 35), (2000, 35)]


def test_counts_of_points():
    run = run_of("heat", "points.rule=sobol")
    sets = training_sets(run.instance, run.settings.points, seed=0, variant=0, interior=55)
    counts = {one.name: one.count for one in sets}
    assert counts == {"equation[0]": 55, "boundary[0]": 12, "insulation": 12, "initial[0]": 12}
    squares = {one.name: float(one.root_weights.square().sum()) for one in sets}
    weights = {"equation[0]": 1, "boundary[0]": 1, "insulation": 10, "initial[0]": 1}
    assert squares == pytest.approx(weights)


def test_refresh_trains_on_other_points():
    settings = ["training.steps=6", "points.rule=random"]
    fixed = pretrain(run_of("poisson", *settings))
    fresh = pretrain(run_of("poisson", *settings, "training.refresh=3"))
    losses = [[report.loss for report in trained.history] for trained in (fixed, fresh)]
    assert losses[0][:3] == losses[1][:3]
    assert losses[0][3] != losses[1][3]


# Phases


def with_phases(name: str, phases: str, block: str = "training", *overrides: str, **more) -> TrainingTask:
    """Give a problem of the table several phases."""
    text = "\n".join(
        f"{block}: {{precision: full, phases: {phases}}}" if row.startswith(f"{block}:") else row
        for row in TEXTS[name].splitlines()
    )
    return run_of(load_problem(text, overrides=overrides), **more)


def test_slim_then_full():
    phases = "[{form: slim, steps: 5}, {steps: 12}]"
    run = with_phases("heat", phases, "training", "network.rank=0.5")
    trained = pretrain(run)
    names = [report.phase for report in trained.history]
    assert names == ["lm (slim)"] * 5 + ["lm"] * 12
    assert all(isinstance(layer, Full) for layer in trained.parameters.layers)
    # The full phase begins where the slim one ended, on other points of the same kind.
    before, after = trained.history[4], trained.history[5]
    assert after.held_out < 1.2 * before.held_out
    assert relative_l2(run, trained) < 1e-2


def test_a_slim_network_stays_slim():
    """Its phases share one Tucker form, whether they say slim or not: none begins anew."""
    for phases in ("[{form: slim, steps: 3}, {steps: 3}]", "[{steps: 3}, {form: slim, steps: 3}]"):
        trained = pretrain(with_phases("heat", phases, "training", "network.kind=slim", "network.rank=0.5"))
        assert isinstance(trained.parameters.layers[1], TuckerChange)
        assert trained.history[3].held_out < 1.5 * trained.history[2].held_out


def test_a_full_network_is_not_made_slim():
    with pytest.raises(
        UsageError, match=r"training.phases: found a slim phase after a full one; slim phases"
    ):
        pretrain(with_phases("heat", "[{steps: 1}, {form: slim, steps: 1}]"))


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        (["training.form=slim", "network.hidden=[4]"], "one hidden layer"),
        (["training.phases=[{form: slim, steps: 1}, {steps: 1}]", "network.hidden=[4]"], "one hidden layer"),
        (["network.kind=slim", "network.hidden=[4]"], "one hidden layer"),
        (["training.form=slim", "network.kind=mlp", "network.hidden=[4, 4]"], "an MLP"),
        (["training.form=slim", "network.kind=mlp", "network.hidden=[4]"], "an MLP"),
    ],
)
def test_what_has_no_tucker_form_is_not_slim(settings, found):
    """It would train in full, and network.rank would be read by nobody."""
    with pytest.raises(
        UsageError, match=rf"training: slim puts .*; found {found}; use a KAN with .*\[64, 64\]"
    ):
        pretrain(run_of("heat", "training.steps=1", *settings))


def test_an_adapter_has_no_slim_phase():
    run = with_phases("heat", "[{form: slim, steps: 1}, {steps: 1}]", "finetuning")
    with pytest.raises(UsageError, match=r"finetuning: slim is for pre-training alone"):
        finetune(run, [], method="lotra")


def test_phases_of_an_adapter_share_their_base():
    base = pretrain(run_of("heat", "training.steps=5")).coefficients()
    run = with_phases("heat", "[{steps: 2}, {optimizer: adam, steps: 2}]", "finetuning", at={"kappa": 0.3})
    trained = finetune(run, base, method="lotra")
    assert [report.phase for report in trained.history] == ["lm", "lm", "adam", "adam"]
    assert all(torch.equal(layer.base, c) for layer, c in zip(trained.parameters.layers, base, strict=True))


def test_a_signal_or_the_clock_ends_all_phases():
    trained = pretrain(with_phases("heat", "[{steps: 3}, {steps: 3}]", time_limit=0.0))
    assert (trained.outcome.reason, trained.steps) == ("time_limit", 1)


def test_divergence_is_a_fault_with_advice():
    settings = ["training.optimizer=adam", "training.rate=1e200", "training.steps=20"]
    expected = (
        r"test: diverged at step \d+: The loss is not finite; lower the rate, raise the damping or check"
    )
    with pytest.raises(DivergedError, match=expected):
        pretrain(run_of("poisson", *settings))


def test_adam_may_leave_what_levenberg_marquardt_interpolated():
    """From a loss of 1e-29 the first step of Adam, 1e-3 long, raises it to 1e-1: no divergence."""
    settings = ["points.interior=20", "finetuning.optimizer=adam", "finetuning.steps=3"]
    base = pretrain(run_of("poisson", *settings))
    assert base.history[-1].loss < 1e-24
    trained = finetune(run_of("poisson", *settings), base.coefficients(), method="lotra")
    assert (trained.outcome.reason, trained.steps) == ("max_steps", 3)


# Precision


@pytest.mark.parametrize("name", ["heat", "disk"])
def test_mixed_precision_reaches_the_same_residual(name):
    full = pretrain(run_of(name, "training.precision=full", "training.steps=6"))
    mixed = pretrain(run_of(name, "training.precision=mixed", "training.steps=6"))
    assert mixed.rms.held_out == pytest.approx(full.rms.held_out, rel=1e-3)
    assert mixed.theta.dtype == torch.float64
    assert not torch.equal(mixed.theta, full.theta)


def test_precision_of_the_products(monkeypatch):
    asked: list[torch.dtype] = []
    gram, kernel = BlockLinearisation.gram, BlockLinearisation.kernel

    def watched(method):
        def product(self):
            asked.extend(block.matrix.dtype for block in self.blocks if hasattr(block, "matrix"))
            return method(self)

        return product

    monkeypatch.setattr(BlockLinearisation, "gram", watched(gram))
    monkeypatch.setattr(BlockLinearisation, "kernel", watched(kernel))
    for precision, dtype in [("full", torch.float64), ("mixed", torch.float32)]:
        asked.clear()
        pretrain(run_of("disk", f"training.precision={precision}", "training.steps=1"))
        assert set(asked) == {dtype}
    asked.clear()
    pretrain(run_of("disk", "training.precision=full", "training.steps=1", dtype=torch.float32))
    assert set(asked) == {torch.float32}


def test_lotra_phases_are_merged_into_the_base():
    """Each has fresh factors, lowers the loss of the one before, and leaves a network of full shape."""
    phases = (
        "[{points: 60, steps: 6}, {form: lotra, points: 120, steps: 4}, {form: lotra, points: 120, steps: 4}]"
    )
    trained = pretrain(with_phases("heat", phases))
    ends = [[r.held_out for r in trained.history if r.phase == name][-1] for name in ("lm", "lm (lotra)")]
    assert ends[1] < ends[0], ends
    full = sum(c.numel() for c in trained.coefficients())
    assert trained.trainable == full > trained.parameters.size


def test_a_lotra_phase_may_have_a_compression_of_its_own():
    phases = "[{form: lotra, steps: 0}, {form: lotra, compression: 1/2, steps: 0}]"
    trained = pretrain(with_phases("heat", phases))
    (hidden,) = [layer for layer in trained.parameters.layers if isinstance(layer, TuckerChange)]
    shape = tuple(hidden.base.shape)
    ranks = [-(-n // 2) for n in shape]
    assert hidden.size == sum(n * r for n, r in zip(shape, ranks, strict=True)) + math.prod(ranks)

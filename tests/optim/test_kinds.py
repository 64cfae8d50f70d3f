"""The table of optimizers: what each row says, and what those rows decide."""

from __future__ import annotations

import pytest
import torch
from classic_problems import rosenbrock
from gradient_descent import GRADIENT_DESCENT, GradientDescent

from pinnkan.ground.errors import UsageError
from pinnkan.optim.kinds import LEVENBERG_MARQUARDT, OPTIMIZERS, classes_of_keys, names_where
from pinnkan.optim.optimizer import ParameterGroup, Start

FACTS = {
    "lm": ("LM", 1, True, True, {"damping": 1e-3}),
    "lbfgs": ("L-BFGS", 5, False, True, {}),
    "adam": ("Adam", 50, False, False, {"rates": "theorem2", "rate": 1e-3, "schedule": "constant"}),
    "gauss_newton": ("Gauss-Newton", 1, False, True, {"cutoff": 1e-12, "alternating": False}),
}


def test_the_rows():
    rows = {
        name: (kind.label, kind.check_every, kind.linearises, kind.conditioned, vars(kind.settings({})))
        for name, kind in OPTIMIZERS.items()
    }
    assert rows == FACTS
    assert list(rows) == list(FACTS)  # the order in which messages list them
    assert OPTIMIZERS[LEVENBERG_MARQUARDT.name] is LEVENBERG_MARQUARDT


def test_messages_name_optimizers_by_what_they_need(monkeypatch):
    assert (names_where(linearises=True), names_where(linearises=False)) == (
        "lm",
        "lbfgs or adam or gauss_newton",
    )
    monkeypatch.setitem(OPTIMIZERS, "descent", GRADIENT_DESCENT)
    assert names_where(linearises=False) == "lbfgs or adam or gauss_newton or descent"
    assert classes_of_keys()[0] is GRADIENT_DESCENT.keys


def test_keys_of_other_optimizers_are_left_to_them():
    stated = {"damping": 0.5, "rate": 0.25, "growth": 3.0}
    assert vars(OPTIMIZERS["lm"].settings(stated)) == {"damping": 0.5}
    assert OPTIMIZERS["adam"].settings(stated).rate == 0.25
    assert vars(GRADIENT_DESCENT.settings(stated)) == {"rate": 0.25, "growth": 3.0}
    assert [kind.takes("rate") for kind in (*OPTIMIZERS.values(), GRADIENT_DESCENT)] == [0, 0, 1, 0, 1]


def start(size: int = 2) -> Start:
    group = ParameterGroup("core", slice(0, size), (4, 1, 2))
    return Start(rosenbrock(), torch.zeros(size, dtype=torch.float64), [group], 10)


def test_a_factory_takes_the_keys_that_are_stated():
    made = GRADIENT_DESCENT.build(start(), {"growth": 2.0, "damping": 7.0})
    assert isinstance(made, GradientDescent)
    assert (made._rate, made._growth) == (1e-2, 2.0)
    assert OPTIMIZERS["lm"].build(start(), {"damping": 7.0}).state()["damping"] == 7.0


@pytest.mark.parametrize(("keys", "rate"), [({}, 1e-2), ({"rates": "LR-4"}, 2e-4), ({"rate": 1.0}, 1e-2)])
def test_the_first_step_of_adam_is_as_long_as_its_groups_rate(keys, rate):
    """All of theta is the core of a Tucker form, which ``rate`` says nothing of."""
    adam = OPTIMIZERS["adam"].build(start(), keys)
    adam.step()
    assert float(adam.theta.abs().max()) == pytest.approx(rate, rel=1e-6)


def test_a_strategy_that_is_none_is_refused_by_its_name():
    with pytest.raises(UsageError, match="rates: unknown strategy 'LR-5'"):
        OPTIMIZERS["adam"].build(start(), {"rates": "LR-5"})

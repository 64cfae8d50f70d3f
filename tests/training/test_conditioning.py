"""Powers train in Chebyshev coefficients: the same function before and after, the same steps."""

from __future__ import annotations

import pytest
import torch
from numpy.polynomial.chebyshev import Chebyshev as Series
from small_problems import run_of

from pinnkan.ground.channels import Channels
from pinnkan.language.bases import make_basis
from pinnkan.networks import InputMap, make_kan, make_mlp
from pinnkan.networks.adapters import Full, Parametrisation
from pinnkan.networks.adapters.layerwise import Sparse
from pinnkan.optim.kinds import OPTIMIZERS
from pinnkan.training import finetune, pretrain
from pinnkan.training.adapters import Plan, attach
from pinnkan.training.conditioning import conditioned

CHANNELS = Channels([(0, 0), (1, 0), (1, 1), (0, 2)], 2)
TAYLOR = ["network.basis=taylor", "network.functions=6", "network.hidden=[5, 5]"]


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def forms():
    network = make_kan((2, 5, 4, 1), make_basis("taylor", 7), InputMap.over([-1.0, -1.0], [1.0, 1.0]))
    coefficients = network.initial(generator(0))
    adjoints = [torch.randn(9, c.shape[1], generator=generator(1), dtype=torch.float64) for c in coefficients]
    plans = {"adapter": Plan(compression=0.5), "with a frozen layer": Plan(("tucker", "frozen", "full"), 0.5)}
    for name, plan in plans.items():
        yield name, network, attach(coefficients, plan, adjoints=adjoints, generator=generator(2))
    yield "full", network, Parametrisation([Full(c) for c in coefficients])
    kept = [torch.rand(c.shape[:2], generator=generator(5)).unsqueeze(2) < 0.5 for c in coefficients]
    thinned = [torch.where(edges, c, 0.0) for edges, c in zip(kept, coefficients, strict=True)]
    yield "pruned", network, Parametrisation([Sparse(c) for c in thinned])
    # Its inner layer is all pruned: a constant is left, and a theta of no entries.
    emptied = [thinned[0], torch.zeros_like(thinned[1]), thinned[2]]
    yield "an empty layer", network, Parametrisation([Sparse(c) for c in emptied])


@pytest.mark.parametrize("k", range(8))
def test_a_power_in_chebyshev_polynomials(k):
    taylor = make_basis("taylor", 8)
    column = taylor.embedding(taylor.conditioned)[:, k].numpy()
    x = torch.linspace(-1, 1, 21, dtype=torch.float64)
    assert abs(Series(column)(x.numpy()) - x.numpy() ** k).max() < 1e-15


@pytest.mark.parametrize(("name", "network", "parameters"), list(forms()))
def test_the_function_stays_and_so_does_theta_on_the_way_back(name, network, parameters):
    theta = parameters.start() + torch.randn(parameters.size, generator=generator(3), dtype=torch.float64)
    pose = conditioned(network, parameters, theta)
    assert pose.network.layers[1].basis == make_basis("chebyshev", 7)
    points = 2 * torch.rand(50, 2, generator=generator(4), dtype=torch.float64) - 1
    jets = [
        one.push(points, one.matrices(p.coefficients(t)), CHANNELS).output
        for one, p, t in ((network, parameters, theta), (pose.network, pose.parameters, pose.theta))
    ]
    assert float((jets[1] - jets[0]).abs().max() / jets[0].abs().max()) < 1e-12
    assert float((pose.own_theta(pose.theta) - theta).abs().max()) < 1e-12
    own = pose.own_coefficients(pose.theta)
    for c, expected in zip(own, parameters.coefficients(theta), strict=True):
        assert float((c - expected).abs().max()) < 1e-12
        assert torch.equal(c == 0, expected == 0)


def test_other_bases_keep_theirs():
    others = [
        make_kan((2, 3, 1), make_basis(n, 5), InputMap.over([0, 0], [1, 1]))
        for n in ("chebyshev", "legendre", "fourier")
    ]
    for network in (*others, make_mlp((2, 3, 1), InputMap.over([0, 0], [1, 1]))):
        parameters = Parametrisation([Full(c) for c in network.initial(generator(0))])
        pose = conditioned(network, parameters, parameters.start())
        assert pose.network is network
        assert pose.parameters is parameters
        assert pose.own_theta(pose.theta) is pose.theta


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_powers_are_conditioned_for_the_optimizers_that_need_it(name, monkeypatch):
    turned = []
    monkeypatch.setattr(
        "pinnkan.training.phases.conditioned", lambda *posed: turned.append(1) or conditioned(*posed)
    )
    phases = f"training.phases=[{{optimizer: {name}, steps: 1}}]"
    pretrain(run_of("disk", *TAYLOR, phases))
    assert len(turned) == OPTIMIZERS[name].conditioned == (name != "adam")


def test_levenberg_marquardt_takes_the_steps_of_a_chebyshev_network():
    """From the same function of the coordinates: losses, and the function in the end, are the same."""
    run, other = (
        run_of("disk", *TAYLOR, *more, at={"lambda": 0.5}) for more in ([], ["network.basis=chebyshev"])
    )
    base = pretrain(run_of("disk", *TAYLOR, "training.steps=1")).coefficients()
    matrix = make_basis("taylor", 6).embedding(make_basis("chebyshev", 6))
    results = [
        finetune(each, c, method="full") for each, c in ((run, base), (other, [c @ matrix.T for c in base]))
    ]
    losses = [[report.loss for report in result.history[:6]] for result in results]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    for own, theirs in zip(results[0].coefficients(), results[1].coefficients(), strict=True):
        assert float((own @ matrix.T - theirs).abs().max()) < 1e-3


def test_the_error_on_the_way_is_that_of_the_networks_own_coefficients():
    seen: list[list[torch.Tensor]] = []

    def error(coefficients):
        seen.append(list(coefficients))
        return 0.0

    result = pretrain(run_of("disk", *TAYLOR, "training.steps=4", error=error)).coefficients()
    assert len(seen) == 4
    distances = [max(float((a - b).abs().max()) for a, b in zip(one, result, strict=True)) for one in seen]
    assert min(distances) < 1e-12

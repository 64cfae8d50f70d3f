"""Keys that a file states and nothing reads: a phase's damping where none is of Levenberg-Marquardt."""

from __future__ import annotations

from collections.abc import Iterator

from pinnkan.language.bases import BASES
from pinnkan.language.network_kinds import NETWORK_KINDS
from pinnkan.language.settings.blocks import NetworkSettings, Settings
from pinnkan.optim.kinds import OPTIMIZERS

_DEFAULT = NetworkSettings()


def idle_keys(settings: Settings, block: str) -> Iterator[str]:
    """Yield a sentence for each key that changes nothing in a block and in what the block trains.

    Args:
        settings: Of the problem.
        block: ``training`` or ``finetuning``.
    """
    training = settings.training if block == "training" else settings.finetuning
    phases = training.in_turn
    stated = {name for phase in (training.phase, *training.phases) for name in phase.options}
    for name in sorted(stated):
        if not any(phase.kind.takes(name) for phase in phases):
            takers = " or ".join(own.name for own in OPTIMIZERS.values() if own.takes(name))
            yield f"{block}.{name} changes nothing: no phase of {block} is of {takers}"
    alone = len(phases) == 1 and not phases[0].refresh
    if settings.points.rule == "residual" and alone:
        yield f"points.rule: residual changes nothing in {block}: no points are drawn anew (refresh)"
    if block == "finetuning":
        if settings.finetuning.phase.misplaced.get("compression") is not None:
            yield "finetuning.compression changes nothing: that of an adapter is adapter.compression"
        return
    shapings = [phase.shaping for phase in settings.training.in_turn]
    if settings.training.phase.shaping.compression is not None and all(s.form != "lotra" for s in shapings):
        yield "training.compression changes nothing: no phase of training is of form lotra"
    yield from _of_network(settings.network, slim=any(shaping.form == "slim" for shaping in shapings))


def _of_network(network: NetworkSettings, *, slim: bool) -> Iterator[str]:
    """Yield sentences on what is stated of a network, as far as it differs from what is not stated."""
    kind = NETWORK_KINDS[network.kind]
    if network.of_kind.rank != _DEFAULT.of_kind.rank and not (kind.slim or slim):
        yield "network.rank changes nothing: neither the network nor a phase of training is slim"
    if network.of_kind.bandwidth != _DEFAULT.of_kind.bandwidth and "bandwidth" not in kind.keys:
        takers = " or ".join(name for name, own in NETWORK_KINDS.items() if "bandwidth" in own.keys)
        yield f"network.bandwidth changes nothing: the network is not of kind {takers}"
    if network.degree != _DEFAULT.degree and not (kind.on_edges and BASES[network.basis].piecewise):
        takers = " or ".join(name for name, basis in BASES.items() if basis.piecewise)
        yield f"network.degree changes nothing: the basis is not {takers}"

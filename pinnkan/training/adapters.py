"""Which layers an adapter changes, and how: the words of ``adapter.layers`` made into layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnkan.ground.errors import UsageError
from pinnkan.language.adapted_layers import LAYER_KINDS
from pinnkan.language.network_kinds import NETWORK_KINDS
from pinnkan.language.settings.blocks import Settings
from pinnkan.networks.adapters import GROWTH, Parametrisation, kan_shape, outer_layers
from pinnkan.networks.tucker import ranks_of


@dataclass(frozen=True)
class Plan:
    """Which layers an adapter changes, how, and how its factors are born.

    Attributes:
        layers: ``paper`` (inner layers by Tucker, first and last in full), ``all``
            (Tucker everywhere), or a word of `LAYER_KINDS` a layer.
        compression: Ranks are ceil(compression * (I, J, K)).
        ranks: Explicit (R1, R2, R3); overrides ``compression``.
        initialisation: ``paper``, ``batch`` or ``orthonormal``; see `initial_factors`.
        chains: How many networks stand side by side: each is adapted as one alone would be.
    """

    layers: str | Sequence[str] = "paper"
    compression: float = 0.125
    ranks: tuple[int, ...] | None = None
    initialisation: str = "batch"
    chains: int = 1

    def words(self, count: int) -> tuple[str, ...]:
        """Return one word for each of ``count`` layers, those of all chains.

        Raises:
            UsageError: If the number of words differs from the number of layers, a word is
                unknown, or every layer is frozen.
        """
        if self.layers == "paper":
            outer = outer_layers(count, self.chains)
            return tuple("full" if layer in outer else "tucker" for layer in range(count))
        if self.layers == "all":
            return ("tucker",) * count
        depth = count // self.chains
        words = (self.layers,) if isinstance(self.layers, str) else tuple(self.layers)
        if len(words) != depth or any(word not in LAYER_KINDS for word in words):
            raise UsageError(
                f"adapter.layers: expected 'paper', 'all' or {depth} words of {', '.join(LAYER_KINDS)}, "
                f"found {', '.join(words)}"
            )
        if not any(LAYER_KINDS[word].arrays for word in words):
            raise UsageError("adapter.layers: every layer is frozen, nothing is left to train")
        return words * self.chains

    def ranks_for(self, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """Return (R1, R2, R3) of one layer, none above its own size.

        Raises:
            UsageError: If explicit ranks are not three numbers.
        """
        if self.ranks is None:
            return ranks_of(shape, self.compression)
        if len(self.ranks) != 3:
            raise UsageError(f"adapter.ranks: expected three ranks (R1, R2, R3), found {list(self.ranks)}")
        first, second, third = (min(rank, size) for rank, size in zip(self.ranks, shape, strict=True))
        return first, second, third

    def ranks_in(self, coefficients: Sequence[Tensor]) -> tuple[tuple[int, int, int], ...]:
        """Return (R1, R2, R3) of every layer in Tucker form.

        Args:
            coefficients: Of every layer of the base.

        Raises:
            UsageError: If the plan does not fit the layers.
        """
        words = zip(coefficients, self.words(len(coefficients)), strict=True)
        return tuple(self.ranks_for(kan_shape(base)) for base, word in words if LAYER_KINDS[word].low_rank)

    def numbers(self, coefficients: Sequence[Tensor]) -> int:
        """Return how many numbers an adapter of these layers has.

        Args:
            coefficients: Of every layer of the base.
        """
        count = 0
        for base, word in zip(coefficients, self.words(len(coefficients)), strict=True):
            if LAYER_KINDS[word].low_rank:
                shape = kan_shape(base)
                ranks = self.ranks_for(shape)
                count += math.prod(ranks) + sum(n * r for n, r in zip(shape, ranks, strict=True))
            elif LAYER_KINDS[word].arrays:
                count += base.numel()
        return count


def plan_for(settings: Settings, compression: float | None = None) -> Plan:
    """Return the plan of an adapter, of one whose ranks grow the first.

    Args:
        settings: ``adapter:`` and ``network:``.
        compression: Instead of what the settings say, ranks included.
    """
    adapter = settings.adapter
    ratio, ranks = (adapter.compression, adapter.ranks) if compression is None else (compression, None)
    return Plan(
        _adapted_layers(settings),
        GROWTH[0] if ratio == "auto" else ratio,
        ranks,
        adapter.initialisation,
        settings.network.chains,
    )


def _adapted_layers(settings: Settings) -> str | Sequence[str]:
    """Return the words of ``adapter.layers``; what was drawn once and kept is kept by adapters too.

    Raises:
        UsageError: If they say of such a network what it cannot do.
    """
    kind, stated = NETWORK_KINDS[settings.network.kind], settings.adapter.layers
    if not kind.frozen:
        return stated
    kept = (*["frozen"] * len(settings.network.hidden), "full")
    if stated not in ("paper", kept):
        raise UsageError(
            f"adapter.layers: an adapter of {kind.title} changes its last layer in full and nothing else; "
            "leave the key out"
        )
    return kept


def attach(
    coefficients: Sequence[Tensor], plan: Plan, *, adjoints: Sequence[Tensor], generator: torch.Generator
) -> Parametrisation:
    """Put a fresh adapter on a base; it changes nothing until it is trained.

    Args:
        coefficients: Base coefficients of every layer.
        plan: What to adapt.
        adjoints: At every layer's output, (B, J_l); see `pinnkan.networks.adapters.initial_factors`.
        generator: Of the random factors.

    Raises:
        UsageError: If the plan does not fit the layers.
    """
    rows = zip(coefficients, plan.words(len(coefficients)), adjoints, strict=True)
    return Parametrisation(
        [
            LAYER_KINDS[word].layer.attached(base, plan=plan, adjoints=delta, generator=generator)
            for base, word, delta in rows
        ]
    )

"""LoTRA: low tensor-rank adapters, and slim KANs in the same Tucker form.

Source: Gao, Ng, Tan, Low Tensor-Rank Adaptation of Kolmogorov-Arnold Networks:
the form (Eq. 5), the initialisation (Eq. 8), slim KANs (section 5).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnkan.ground.errors import UsageError
from pinnkan.networks.adapters.layerwise import Frozen, Full, LayerParametrisation, TuckerChange
from pinnkan.networks.adapters.parameters import Parametrisation
from pinnkan.networks.network import chains_of
from pinnkan.networks.tucker import Tucker, hosvd, orthonormal, ranks_of

LAYER_WORDS = ("tucker", "full", "frozen")


@dataclass(frozen=True)
class Plan:
    """Which layers an adapter changes, how, and how its factors are born.

    Attributes:
        layers: ``paper`` (inner layers by Tucker, first and last in full), ``all``
            (Tucker everywhere), or one of ``tucker``, ``full``, ``frozen`` a layer.
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
        if len(words) != depth or any(word not in LAYER_WORDS for word in words):
            raise UsageError(
                f"adapter.layers: expected 'paper', 'all' or {depth} words of {', '.join(LAYER_WORDS)}, "
                f"found {', '.join(words)}"
            )
        if all(word == "frozen" for word in words):
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
        return tuple(self.ranks_for(_kan_shape(base)) for base, word in words if word == "tucker")


def outer_layers(count: int, chains: int = 1) -> set[int]:
    """Return the first and the last layer of every chain among ``count`` layers."""
    return {layer for chain in chains_of(count, chains) for layer in (chain.start, chain.stop - 1)}


def initial_factors(
    shape: tuple[int, int, int],
    ranks: tuple[int, int, int],
    *,
    initialisation: str,
    adjoints: Tensor,
    generator: torch.Generator,
) -> Tucker:
    """Return factors with a zero core: an adapter that changes nothing yet.

    * ``paper`` (Eq. 8): U1 columns N(0, 1/I), U3 columns N(0, 1/K), every column of
      U2 the vector v/|v|, v the loss's derivative with respect to the layer's output.
    * ``batch``: the same U1 and U3; U2 columns are the leading right singular vectors of
      all residuals' derivatives, since equal columns would stay equal under training.
    * ``orthonormal``: three random factors with orthonormal columns.

    Args:
        shape: (I, J, K).
        ranks: (R1, R2, R3).
        initialisation: As above.
        adjoints: Derivatives with respect to the layer's output, (B, J): of the loss, a row for each
            point, for ``paper``; of residuals otherwise.
        generator: Of the random factors.
    """
    inputs, outputs, functions = shape
    core = torch.zeros(ranks, dtype=torch.float64)
    if initialisation == "orthonormal":
        factors = (orthonormal(size, rank, generator) for size, rank in zip(shape, ranks, strict=True))
        return Tucker(core, *factors)
    u1 = torch.randn(inputs, ranks[0], generator=generator, dtype=torch.float64) / math.sqrt(inputs)
    u3 = torch.randn(functions, ranks[2], generator=generator, dtype=torch.float64) / math.sqrt(functions)
    if initialisation == "paper":
        mean = adjoints.mean(dim=0)
        u2 = (mean / mean.norm().clamp_min(1e-300)).unsqueeze(1).expand(outputs, ranks[1]).clone()
    else:
        vectors = torch.linalg.svd(adjoints.to(torch.float64), full_matrices=True)[2]
        u2 = vectors[: ranks[1]].T.clone()
    return Tucker(core, u1, u2, u3)


def attach(
    coefficients: Sequence[Tensor], plan: Plan, *, adjoints: Sequence[Tensor], generator: torch.Generator
) -> Parametrisation:
    """Put a fresh adapter on a base; it changes nothing until it is trained.

    Args:
        coefficients: Base coefficients of every layer.
        plan: What to adapt.
        adjoints: At every layer's output, (B, J_l); see `initial_factors`.
        generator: Of the random factors.

    Raises:
        UsageError: If the plan does not fit the layers.
    """
    layers: list[LayerParametrisation] = []
    for base, word, delta in zip(coefficients, plan.words(len(coefficients)), adjoints, strict=True):
        if word == "tucker":
            shape = _kan_shape(base)
            factors = initial_factors(
                shape,
                plan.ranks_for(shape),
                initialisation=plan.initialisation,
                adjoints=delta,
                generator=generator,
            )
            layers.append(TuckerChange(base, factors))
        else:
            layers.append(Full(base) if word == "full" else Frozen(base))
    return Parametrisation(layers)


def slim(
    coefficients: Sequence[Tensor], compression: float, generator: torch.Generator, *, chains: int = 1
) -> Parametrisation:
    """A slim KAN: inner layers in Tucker form on a zero base, outer layers in full.

    Factors start orthonormal and the core normal, scaled so that the entries of
    the merged tensor have standard deviation 1/(I K), as a full layer's have.

    Args:
        coefficients: Starting coefficients of a full network; inner ones give shapes only.
        compression: Ranks are ceil(compression * (I, J, K)).
        generator: Of factors and cores.
        chains: How many networks stand side by side; each has its own inner layers.
    """
    layers: list[LayerParametrisation] = []
    outer = outer_layers(len(coefficients), chains)
    for at, base in enumerate(coefficients):
        if at in outer:
            layers.append(Full(base))
            continue
        shape = _kan_shape(base)
        ranks = ranks_of(shape, compression)
        factors = [orthonormal(size, rank, generator) for size, rank in zip(shape, ranks, strict=True)]
        core = torch.randn(ranks, generator=generator, dtype=torch.float64)
        # Orthonormal factors keep the norm: std of the merged tensor is |G| / sqrt(I J K).
        core *= math.sqrt(math.prod(shape)) / (core.norm() * shape[0] * shape[2])
        layers.append(TuckerChange(torch.zeros_like(base), Tucker(core, *factors)))
    return Parametrisation(layers)


def slim_from(coefficients: Sequence[Tensor], compression: float, *, chains: int = 1) -> Parametrisation:
    """A slim KAN that continues another of no larger ranks, merged and perhaps refined.

    The inner layers' multilinear ranks are at most those of the form, so that the HOSVD is exact.
    Factors stand on the CPU, as those of `initial_factors`: every layer's theta starts there.

    Args:
        coefficients: Of every layer, on any device.
        compression: Ranks are ceil(compression * (I, J, K)).
        chains: See `slim`.
    """
    layers: list[LayerParametrisation] = []
    outer = outer_layers(len(coefficients), chains)
    for at, base in enumerate(coefficients):
        if at in outer:
            layers.append(Full(base))
            continue
        factors = hosvd(base.cpu(), ranks_of(_kan_shape(base), compression))
        layers.append(TuckerChange(torch.zeros_like(base), factors))
    return Parametrisation(layers)


def _kan_shape(base: Tensor) -> tuple[int, int, int]:
    if base.dim() != 3:
        raise UsageError(
            "a Tucker form needs a KAN layer's (I, J, K) coefficients, found the matrix of an MLP; "
            "use --method full or a KAN (network.kind)"
        )
    inputs, outputs, functions = base.shape
    return inputs, outputs, functions

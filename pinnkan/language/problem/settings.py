"""What a problem file may say about network, adapter, points and training.

The defaults of widths, points, steps and ranks depend on each other and on the problem: they are those of
:mod:`pinnkan.language.problem.defaults`. What is written here holds for a block made without a problem.

Each dataclass is one block of the file and each field one key; the reader
takes names, types, choices and bounds from here, so that a new key is one line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from pinnkan.language.adapted_layers import LAYER_KINDS
from pinnkan.language.bases import BASES
from pinnkan.language.network_kinds import NETWORK_KINDS


def _key(default: Any, **limits: Any) -> Any:
    """Declare a key with its default and limits.

    Limits are ``choices``, ``low`` and ``high`` (both ends allowed); of a list also ``length`` and,
    for its entries, ``words``.
    """
    return field(default=default, metadata=limits)


RATES = ("theorem2", "LR-1", "LR-2", "LR-3", "LR-4")


@dataclass(frozen=True)
class NetworkSettings:
    """``network:`` the function space."""

    kind: str = _key("kan", choices=NETWORK_KINDS)
    hidden: tuple[int, ...] = _key((64, 64), low=1)
    basis: str = _key("chebyshev", choices=BASES)
    functions: int = _key(8, low=2, high=64)
    """K, basis functions on an edge, the constant included (B-spline: grid + degree)."""
    degree: int = _key(3, low=1, high=7)
    """B-spline degree; the other bases do not read it."""
    rank: float = _key(0.125, low=0.0, high=1.0)
    """Slim KAN: compression ratio of every hidden layer's Tucker form."""
    derivatives: str = _key("jets", choices=("jets", "autograd"))
    separate: tuple[tuple[str, ...], ...] | None = _key(None)
    """Groups of unknowns, each with a network of its own of the same hidden widths; None: one for all."""

    @property
    def chains(self) -> int:
        """How many networks stand side by side."""
        return len(self.separate or (None,))


@dataclass(frozen=True)
class PointSettings:
    """``points:`` how many collocation points, on what rule."""

    interior: int = _key(1000, low=1)
    boundary: int = _key(200, low=1)
    """Points of each soft boundary condition."""
    initial: int = _key(200, low=1)
    """Points of each soft initial condition."""
    rule: str = _key("quadrature", choices=("quadrature", "sobol", "random"))
    held_out: int = _key(1000, low=1)
    """Interior points of the held-out residual, never trained on."""
    noise: float = _key(0.0, low=0.0)
    """Standard deviation of normal noise on the equations' right sides, at training and held-out points."""


@dataclass(frozen=True)
class PhaseSettings:
    """One entry of ``phases:``; what it leaves out is taken from the block around it."""

    optimizer: str = _key("lm", choices=("lm", "lbfgs", "adam"))
    steps: int = _key(40, low=0)
    points: int | None = _key(None, low=1)
    """Interior points of this phase; None takes ``points.interior``."""
    refresh: int = _key(0, low=0)
    """Draw a fresh collocation set every so many steps; 0 keeps the first one."""
    rates: str | tuple[float, ...] = _key("theorem2", choices=RATES, low=0.0, length=4)
    """Adam: ``theorem2``, ``LR-1`` ... ``LR-4``, or the four rates (eta_0, eta_1, eta_2, eta_3)."""
    rate: float = _key(1e-3, low=0.0)
    """Adam: rate of everything that is no Tucker factor."""
    schedule: str = _key("constant", choices=("constant", "cosine"))
    damping: float = _key(1e-3, low=0.0)
    """Levenberg-Marquardt: first damping, relative to the mean diagonal of the Gram matrix."""
    patience: int = _key(0, low=0)
    """Stop after so many checks (one a step of ``lm``) over which the held-out residual did not fall by a
    third; 0 never stops."""
    keep: str = _key("best", choices=("best", "last"))
    """The state that the phase ends with: of the best check of the held-out residual, or of the last."""
    tolerance: float = _key(0.0, low=0.0)
    """Stop when the residual's root mean square, with ``sparsity`` its penalty included, falls below it."""
    smoothing: int = _key(0, low=0, high=1000)
    """Test the equation's residual against Gaussian averages over so many neighbours; 0: pointwise."""
    form: str = _key("full", choices=("full", "slim", "lotra"))
    """Pre-training: what moves in this phase. ``full``: every coefficient; ``slim``: the hidden layers
    in Tucker form from scratch; ``lotra``: a fresh adapter (``adapter:``), merged at the phase's end."""
    functions: int | None = _key(None, low=2, high=64)
    """Pre-training: refine the network to so many functions on an edge when this phase begins; the
    function it represents stays. B-splines need a multiple of their cells (functions - degree)."""
    sparsity: float = _key(0.0, low=0.0)
    """Pre-training: strength of a penalty on the size of every edge, which leaves few of them. Loss and
    held-out residual of the phase include it, so that its best state is a sparse one."""
    prune: float = _key(0.0, low=0.0, high=1.0)
    """Pre-training: when this phase begins, edges below this share of their layer's largest become zero,
    and zero they stay."""
    compression: float | None = _key(None, low=0.0, high=1.0)
    """Of the fresh adapter of a ``lotra`` phase, instead of what ``adapter:`` says."""


@dataclass(frozen=True)
class TrainingSettings(PhaseSettings):
    """``training:`` (base) and ``finetuning:`` (adapters): one phase, or several under ``phases``.

    ``steps`` beside phases that all state their own is what they have together.
    """

    phases: tuple[PhaseSettings, ...] = ()
    precision: str = _key("mixed", choices=("mixed", "full"))
    """``mixed``: features, adjoints and Jacobian of Levenberg-Marquardt in float32, Gram matrices of its
    rows in float64; ``full``: all in float64."""


@dataclass(frozen=True)
class AdapterSettings:
    """``adapter:`` the low tensor-rank change for one parameter value."""

    compression: float | Literal["auto"] = _key(0.125, low=0.0, high=1.0)
    """Tucker ranks are ceil(compression * (I, J, K)) of an adapted layer. ``auto``: ranks grow from 1/16
    by factors of two while that lowers the held-out residual by a tenth."""
    ranks: tuple[int, ...] | None = _key(None, low=1, length=3)
    """Explicit ranks (R1, R2, R3); overrides ``compression``."""
    layers: str | tuple[str, ...] = _key("paper", choices=("paper", "all"), words=LAYER_KINDS)
    """``paper`` (hidden by Tucker, first and last in full), ``all`` (Tucker everywhere),
    or one word a layer: ``tucker``, ``full``, ``frozen``."""
    initialisation: str = _key("batch", choices=("paper", "batch", "orthonormal"))

    @property
    def grows(self) -> bool:
        """Whether ranks grow during training."""
        return self.ranks is None and self.compression == "auto"


@dataclass(frozen=True)
class Settings:
    """All blocks."""

    network: NetworkSettings = NetworkSettings()
    adapter: AdapterSettings = AdapterSettings()
    points: PointSettings = PointSettings()
    training: TrainingSettings = TrainingSettings()
    finetuning: TrainingSettings = TrainingSettings()
    chosen: tuple[str, ...] = ()
    """Keys such as ``network.hidden`` that the file leaves to the default recipe."""

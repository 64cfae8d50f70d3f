"""What a problem file may say about network, adapter, points and training.

The defaults of widths, points, steps and ranks depend on each other and on the problem: they are those of
:mod:`pinnkan.language.settings.defaults`. What is written here holds for a block made without a problem.

Each dataclass is one block of the file, or a part of one, and each field one key; the reader takes names,
types, choices and bounds from here (see :mod:`pinnkan.language.settings.keys`), so that a new key is
one line. The keys of one optimizer alone are in its row of :mod:`pinnkan.optim.kinds`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, TypeVar

from pinnkan.ground.keys import key
from pinnkan.language.adapted_layers import LAYER_KINDS
from pinnkan.language.bases import BASES
from pinnkan.language.network_kinds import NETWORK_KINDS
from pinnkan.language.settings.keys import collected
from pinnkan.optim.kinds import LEVENBERG_MARQUARDT, OPTIMIZERS, OptimizerKind, classes_of_keys


@dataclass(frozen=True)
class KindKeys:
    """What one kind of network alone reads."""

    rank: float = key(0.125, low=0.0, high=1.0)
    """Slim KAN: compression ratio of every hidden layer's Tucker form."""
    bandwidth: float = key(4.0, low=0.0)
    """Random features: largest slope of a neuron over half the width of the domain's box."""


@dataclass(frozen=True)
class NetworkSettings:
    """``network:`` the function space."""

    kind: str = key("kan", choices=NETWORK_KINDS)
    hidden: tuple[int, ...] = key((64, 64), low=1)
    basis: str = key("chebyshev", choices=BASES)
    functions: int = key(8, low=2, high=64)
    """K, basis functions on an edge, the constant included (B-spline: grid + degree)."""
    degree: int = key(3, low=1, high=7)
    """B-spline degree; the other bases do not read it."""
    of_kind: KindKeys = KindKeys()
    derivatives: str = key("jets", choices=("jets", "autograd"))
    separate: tuple[tuple[str, ...], ...] | None = key(None)
    """Groups of unknowns, each with a network of its own of the same hidden widths; None: one for all."""

    @property
    def chains(self) -> int:
        """How many networks stand side by side."""
        return len(self.separate or (None,))


@dataclass(frozen=True)
class PointSettings:
    """``points:`` how many collocation points, on what rule."""

    interior: int = key(1000, low=1)
    boundary: int = key(200, low=1)
    """Points of each soft boundary condition."""
    initial: int = key(200, low=1)
    """Points of each soft initial condition."""
    rule: str = key("quadrature", choices=("quadrature", "sobol", "random", "residual"))
    """``residual``: whenever a phase draws points anew (``refresh``), by the size of the residual."""
    held_out: int = key(1000, low=1)
    """Interior points of the held-out residual, never trained on."""
    noise: float = key(0.0, low=0.0)
    """Standard deviation of normal noise on the equations' right sides, at training and held-out points."""

    @property
    def uniform_rule(self) -> str:
        """The rule of points that no residual decides."""
        return "quadrature" if self.rule == "residual" else self.rule


@dataclass(frozen=True)
class Ending:
    """When a phase ends before its steps are taken, and with which state."""

    patience: int = key(0, low=0)
    """Stop after so many checks, each `OptimizerKind.check_every` steps after the one before, over which the
    held-out residual did not fall by a third; 0 never stops."""
    keep: str = key("best", choices=("best", "last"))
    """The state that the phase ends with: of the best check of the held-out residual, or of the last."""
    residual_below: float = key(0.0, low=0.0)
    """Stop when the residual's root mean square, with ``sparsity`` its penalty included, falls below it."""


@dataclass(frozen=True)
class Shaping:
    """What a phase of pre-training, and none of fine-tuning, does to the network."""

    form: str = key("full", choices=("full", "slim", "lotra", "last_layer"))
    """What moves in this phase. ``full``: every coefficient; ``slim``: the hidden layers in Tucker form
    from scratch; ``lotra``: a fresh adapter (``adapter:``), merged at the phase's end; ``last_layer``: the
    last layer alone, in which a linear equation is linear."""
    functions: int | None = key(None, low=2, high=64)
    """Refine the network to so many functions on an edge when this phase begins; the function it represents
    stays. B-splines need a multiple of their cells (functions - degree)."""
    sparsity: float = key(0.0, low=0.0)
    """Strength of a penalty on the size of every edge, which leaves few of them. Loss and held-out residual
    of the phase include it, so that its best state is a sparse one."""
    prune: float = key(0.0, low=0.0, high=1.0)
    """When this phase begins, edges below this share of their layer's largest become zero, and zero they
    stay."""
    compression: float | None = key(None, low=0.0, high=1.0)
    """Of the fresh adapter of a ``lotra`` phase, instead of what ``adapter:`` says."""


@dataclass(frozen=True)
class PhaseSettings:
    """One entry of ``phases:``; what it leaves out is taken from the block around it."""

    optimizer: str = key(LEVENBERG_MARQUARDT.name, choices=OPTIMIZERS)
    steps: int = key(40, low=0)
    points: int | None = key(None, low=1)
    """Interior points of this phase; None takes ``points.interior``."""
    refresh: int = key(0, low=0)
    """Draw a fresh collocation set every so many steps; 0 keeps the first one."""
    options: Mapping[str, Any] = collected(classes_of_keys)
    """What the file states of the keys that belong to one optimizer; those of others wait for a phase of
    theirs in the block."""
    ending: Ending = Ending()
    smoothing: int = key(0, low=0, high=1000)
    """Test the equation's residual against Gaussian averages over so many neighbours; 0: pointwise."""

    @property
    def kind(self) -> OptimizerKind:
        """Its row of the table of optimizers."""
        return OPTIMIZERS[self.optimizer]

    @property
    def own(self) -> Any:
        """The optimizer's own keys, an instance of the row's dataclass."""
        return self.kind.settings(self.options)

    @property
    def title(self) -> str:
        """What reports and stored histories call it."""
        return self.optimizer


@dataclass(frozen=True)
class PretrainingPhase(PhaseSettings):
    """A phase of ``training:``, of a base or of a network from scratch."""

    shaping: Shaping = Shaping()

    @property
    def title(self) -> str:
        """The optimizer, and what moves where that is not everything: ``lm (slim)``."""
        form = self.shaping.form
        return self.optimizer if form == "full" else f"{self.optimizer} ({form})"


@dataclass(frozen=True)
class FinetuningPhase(PhaseSettings):
    """A phase of ``finetuning:``, of a base at another parameter value."""

    misplaced: Mapping[str, Any] = collected(lambda: (Shaping,))
    """What the file states here of the keys of pre-training: typed like them, and refused by `finetune`
    alone, for the base of such a file can be trained and read."""


PhaseT = TypeVar("PhaseT", bound=PhaseSettings)
_P = TypeVar("_P", bound=PhaseSettings, covariant=True)


@dataclass(frozen=True)
class TrainingSettings(Generic[_P]):
    """``training:`` (base) and ``finetuning:`` (adapters): one phase, or several under ``phases``.

    ``steps`` beside phases that all state their own is what they have together.
    """

    phase: _P
    """What the block says around its phases."""
    phases: tuple[_P, ...] = ()
    precision: str = key("mixed", choices=("mixed", "full"))
    """``mixed``: features, adjoints and Jacobian of an optimizer that linearises in float32, Gram matrices of
    its rows in float64; ``full``: all in float64."""
    balance: str = key("none", choices=("none", "rows"))
    """``rows``: divide every residual by the size of its terms at its point, taken when points are drawn."""
    tolerance: float | None = key(None, low=0.0)
    """Relative error at which training stops, by its estimate; None trains until more does not pay."""

    @property
    def in_turn(self) -> tuple[_P, ...]:
        """The phases one after the other; without a list of them the block itself is the only one."""
        return self.phases or (self.phase,)


@dataclass(frozen=True)
class AdapterSettings:
    """``adapter:`` the low tensor-rank change for one parameter value."""

    compression: float | Literal["auto"] = key(0.125, low=0.0, high=1.0)
    """Tucker ranks are ceil(compression * (I, J, K)) of an adapted layer. ``auto``: ranks grow from 1/16
    by factors of two while that lowers the held-out residual by a tenth."""
    ranks: tuple[int, ...] | None = key(None, low=1, length=3)
    """Explicit ranks (R1, R2, R3); overrides ``compression``."""
    layers: str | tuple[str, ...] = key("paper", choices=("paper", "all"), words=LAYER_KINDS)
    """``paper`` (hidden by Tucker, first and last in full), ``all`` (Tucker everywhere),
    or one word a layer: ``tucker``, ``full``, ``frozen``."""
    initialisation: str = key("batch", choices=("paper", "batch", "orthonormal"))

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
    training: TrainingSettings[PretrainingPhase] = TrainingSettings(PretrainingPhase())
    finetuning: TrainingSettings[FinetuningPhase] = TrainingSettings(FinetuningPhase())
    chosen: tuple[str, ...] = ()
    """Keys such as ``network.hidden`` that the file leaves to the default recipe."""

    def tolerance(self, block: str) -> float | None:
        """Return the tolerance of the error that ``training`` or ``finetuning`` states."""
        tolerance: float | None = getattr(self, block).tolerance
        return tolerance

    def with_tolerance(self, block: str, tolerance: float | None) -> Settings:
        """Return the settings with another tolerance in a block, with their own where it is None."""
        if tolerance is None:
            return self
        changed = replace(getattr(self, block), tolerance=tolerance)
        return replace(self, **{block: changed})

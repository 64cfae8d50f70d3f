"""The table of optimizers: what they are called, what they need and which keys of a phase are theirs.

The keys of a problem file, the options, studies and the training take their choices from here; what an
optimizer does differently is a field of its row, and no other file writes its name. A new optimizer is its
file, its row here (with a dataclass of its keys, if it has any) and its row in the table of tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from pinnkan.ground.keys import key
from pinnkan.optim.rates import RATES

if TYPE_CHECKING:
    from pinnkan.optim.optimizer import Optimizer, Start


@dataclass(frozen=True)
class NoKeys:
    """The settings of an optimizer that has no keys of its own."""


@dataclass(frozen=True)
class LevenbergMarquardtKeys:
    """What a phase may say of Levenberg-Marquardt alone."""

    damping: float = key(1e-3, low=0.0)
    """First damping, relative to the mean diagonal of the Gram matrix."""


@dataclass(frozen=True)
class AdamKeys:
    """What a phase may say of Adam alone."""

    rates: str | tuple[float, ...] = key("theorem2", choices=RATES, low=0.0, length=4)
    """``theorem2``, ``LR-1`` ... ``LR-4``, or the four rates (eta_0, eta_1, eta_2, eta_3)."""
    rate: float = key(1e-3, low=0.0)
    """Learning rate of everything that is no Tucker factor."""
    schedule: str = key("constant", choices=("constant", "cosine"))


@dataclass(frozen=True)
class GaussNewtonKeys:
    """What a phase may say of Gauss-Newton alone."""

    cutoff: float = key(1e-12, low=0.0, high=1.0)
    """Singular values below this share of the largest count as zero."""
    alternating: bool = key(False)
    """Whether a step solves for one group of numbers alone, in turn: a core, a factor, a layer in full."""


@dataclass(frozen=True)
class OptimizerKind:
    """One optimizer as files and training see it.

    Attributes:
        name: What problem files, options and stored histories call it.
        label: What pictures call it.
        factory: ``module:function`` that makes it from a `Start` and, by keyword, from its own keys; it is
            imported when the first phase needs it, for its file loads torch and this one does not.
        keys: Dataclass of its own keys with their defaults. A key that two optimizers share is read by the
            declaration of the later row, and each takes its own default.
        check_every: Steps between two looks at the held-out residual, which costs about as much as one
            evaluation of the residual.
        linearises: Whether it asks for the Jacobian as a whole, whose rows ``precision: mixed`` keeps in
            float32; one that reads it row by row has them in float64.
        conditioned: Whether its steps depend on the basis of the coefficients, so that it moves a network in
            `Basis.conditioned` instead of the network's own.
    """

    name: str
    label: str
    factory: str
    keys: type = NoKeys
    check_every: int = 1
    linearises: bool = False
    conditioned: bool = True

    def takes(self, name: str) -> bool:
        """Tell whether a key is one of its own."""
        return any(field.name == name for field in fields(self.keys))

    def settings(self, stated: Mapping[str, Any]) -> Any:
        """Return its keys, an instance of ``keys``: those stated, which may be other optimizers' too."""
        return self.keys(**{name: value for name, value in stated.items() if self.takes(name)})

    def build(self, start: Start, stated: Mapping[str, Any]) -> Optimizer:
        """Make the optimizer with the keys that are stated."""
        made: Optimizer = resolve_name(self.factory)(start, **vars(self.settings(stated)))
        return made


LEVENBERG_MARQUARDT = OptimizerKind(
    "lm",
    "LM",
    "pinnkan.optim.levenberg_marquardt:make_levenberg_marquardt",
    LevenbergMarquardtKeys,
    linearises=True,
)
"""The optimizer of a phase that names none."""

GAUSS_NEWTON = OptimizerKind(
    "gauss_newton", "Gauss-Newton", "pinnkan.optim.gauss_newton:make_gauss_newton", GaussNewtonKeys
)
"""The optimizer of networks of which the last layer alone is trained."""

OPTIMIZERS: Mapping[str, OptimizerKind] = {
    kind.name: kind
    for kind in (
        LEVENBERG_MARQUARDT,
        OptimizerKind("lbfgs", "L-BFGS", "pinnkan.optim.lbfgs:make_lbfgs", check_every=5),
        OptimizerKind(
            "adam", "Adam", "pinnkan.optim.adam:make_adam", AdamKeys, check_every=50, conditioned=False
        ),
        GAUSS_NEWTON,
    )
}
"""The optimizers by name."""


def classes_of_keys() -> tuple[type, ...]:
    """Return the dataclasses of all optimizers' own keys, the later rows' first.

    That is the order in which messages list them.
    """
    return tuple(kind.keys for kind in reversed(list(OPTIMIZERS.values())))


def names_where(*, linearises: bool) -> str:
    """Return the optimizers that do or do not ask for the Jacobian, for a message: ``lbfgs or adam``."""
    return " or ".join(kind.name for kind in OPTIMIZERS.values() if kind.linearises == linearises)

"""What stands between coordinates and unknowns: the table of kinds of networks.

Files, options and studies take their choices from here; what a kind does differently is a field of its row,
and no other file compares its name. Mathematics is in the function that a row names, which is imported when a
network is built.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pinnkan.networks import InputMap, Network
    from pinnkan.networks.bases import Basis


@dataclass(frozen=True)
class NetworkKind:
    """One kind.

    Attributes:
        title: What messages call it: ``an MLP``.
        made_by: The function that builds it from its widths, the basis if it has one, and the input map,
            ``module:name``.
        shape: From inputs, outputs and coefficients on an edge to the shape of a layer's coefficients.
        on_edges: Whether its layers have functions of a basis on edges, (I, J, K) coefficients: only these
            have Tucker forms, are refined, pruned and read as formulas.
        slim: Whether its inner layers are trained in Tucker form from scratch.
        frozen: Whether its hidden layer keeps what was drawn, and the last layer alone is trained.
        keys: The keys of ``network:`` that its function takes, by name, beside the widths.
    """

    title: str
    made_by: str
    shape: Callable[[int, int, int], tuple[int, ...]]
    on_edges: bool = False
    slim: bool = False
    frozen: bool = False
    keys: tuple[str, ...] = ()

    def build(self, widths: Sequence[int], basis: Basis | None, input_map: InputMap, **keys: Any) -> Network:
        """Return the network of inputs, hidden widths and outputs; the basis is None if it has none."""
        own = [] if basis is None else [basis]
        made: Network = resolve_name(self.made_by)(widths, *own, input_map, **keys)
        return made


def _on_edges(inputs: int, outputs: int, functions: int) -> tuple[int, ...]:
    return inputs, outputs, functions


def _with_bias(inputs: int, outputs: int, _: int) -> tuple[int, ...]:
    return inputs + 1, outputs


NETWORK_KINDS: dict[str, NetworkKind] = {
    "kan": NetworkKind("a KAN", "pinnkan.networks.build:make_kan", _on_edges, on_edges=True),
    "slim": NetworkKind("a slim KAN", "pinnkan.networks.build:make_kan", _on_edges, on_edges=True, slim=True),
    "mlp": NetworkKind("an MLP", "pinnkan.networks.build:make_mlp", _with_bias),
    "random": NetworkKind(
        "a network of random features",
        "pinnkan.networks.random_features:make_random",
        _with_bias,
        frozen=True,
        keys=("bandwidth",),
    ),
}

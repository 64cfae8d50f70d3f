"""How an adapter may change a layer: the table behind the words of ``adapter.layers``.

Files and settings take their choices from here, and how the numbers of a layer are stored. Mathematics is in
the class that a row names, which is imported when it is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from pkgutil import resolve_name
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pinnkan.networks.adapters import AdaptedLayer


@dataclass(frozen=True)
class LayerKind:
    """One way to change a layer.

    Attributes:
        made_by: Its class, ``module:name``, an `AdaptedLayer`.
        arrays: Names of its numbers in a file, behind that of the layer; no other kind has the same. None
            where nothing moves.
        outputs: Which of these arrays has the layer's outputs on which axis; None where none has.
        low_rank: Whether it has the ranks of a Tucker form.
    """

    made_by: str
    arrays: tuple[str, ...] = ()
    outputs: tuple[str, int] | None = None
    low_rank: bool = False

    @property
    def layer(self) -> type[AdaptedLayer]:
        """The class."""
        found: type[AdaptedLayer] = resolve_name(self.made_by)
        return found


LAYER_KINDS: dict[str, LayerKind] = {
    "tucker": LayerKind(
        "pinnkan.networks.adapters.layerwise:TuckerChange",
        ("core", "u1", "u2", "u3"),
        ("u2", 0),
        low_rank=True,
    ),
    "full": LayerKind("pinnkan.networks.adapters.layerwise:Full", ("change",), ("change", 1)),
    "frozen": LayerKind("pinnkan.networks.adapters.layerwise:Frozen"),
}


def kind_stored_as(names: frozenset[str]) -> LayerKind:
    """Return the kind whose numbers have these names in a file.

    Raises:
        KeyError: If none has.
    """
    for kind in LAYER_KINDS.values():
        if frozenset(kind.arrays) == names:
            return kind
    raise KeyError(", ".join(sorted(names)))

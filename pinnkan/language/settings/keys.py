"""The keys of a block of settings: what the file writes flat is grouped in its dataclass.

A field of a dataclass is one key; a field that is a dataclass itself stands for the keys of that one; and a
field that collects (`collected`) keeps what is stated of the keys of several dataclasses, by name.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar, get_type_hints

S = TypeVar("S")


@dataclasses.dataclass(frozen=True)
class Key:
    """A key of a block.

    Attributes:
        name: As the file writes it.
        kind: Type annotation of its value.
        limits: See `pinnkan.ground.keys.key`.
    """

    name: str
    kind: Any
    limits: Mapping[str, Any]


def collected(classes: Callable[[], Iterable[type]]) -> Any:
    """Declare a field that collects what a block states of the keys of some dataclasses."""
    return dataclasses.field(default_factory=dict, metadata={"classes": classes})


def keys_of(settings: Any) -> dict[str, Key]:
    """Return the keys of a block by name, in the order in which messages list them.

    Args:
        settings: An instance of a settings class, or the class of a part whose fields are all plain.
    """
    of_class = isinstance(settings, type)
    hints = get_type_hints(settings if of_class else type(settings))
    keys: dict[str, Key] = {}
    for field in dataclasses.fields(settings):
        value = None if of_class else getattr(settings, field.name)
        if "classes" in field.metadata:
            parts = [keys_of(part) for part in field.metadata["classes"]()]
        elif dataclasses.is_dataclass(value):
            parts = [keys_of(value)]
        else:
            parts = [{field.name: Key(field.name, hints[field.name], field.metadata)}]
        for own in (own for part in parts for own in part.values()):
            keys.setdefault(own.name, own)
    return keys


def with_keys(settings: S, values: Mapping[str, Any]) -> S:
    """Return settings with the values of some keys put in; keys that the block does not have say nothing."""
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(settings):  # type: ignore[arg-type]  # every S is a dataclass
        value = getattr(settings, field.name)
        if "classes" in field.metadata:
            names = {name for part in field.metadata["classes"]() for name in keys_of(part)}
            changes[field.name] = value | {name: own for name, own in values.items() if name in names}
        elif dataclasses.is_dataclass(value):
            changes[field.name] = with_keys(value, values)
        elif field.name in values:
            changes[field.name] = values[field.name]
    return dataclasses.replace(settings, **changes)  # type: ignore[type-var]

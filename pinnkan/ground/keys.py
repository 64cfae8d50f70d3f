"""The declaration of a key of a problem file: a field of a dataclass with what values it takes."""

from __future__ import annotations

from dataclasses import field
from typing import Any


def key(default: Any, **limits: Any) -> Any:
    """Declare a key with its default and limits.

    Limits are ``choices``, ``low`` and ``high`` (both ends allowed); of a list also ``length`` and,
    for its entries, ``words``.
    """
    return field(default=default, metadata=limits)

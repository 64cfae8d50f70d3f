"""A file's suffix chooses its format."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pinnkan.ground.errors import UsageError, did_you_mean


def require_suffix(path: Path, known: Mapping[str, object]) -> str:
    """Return the suffix of a path in small letters, if it is a known one.

    Args:
        path: The file to be written.
        known: The suffixes that can be, as keys.

    Raises:
        UsageError: If it is another one; the message lists the known ones.
    """
    suffix = path.suffix.lower()
    if suffix not in known:
        found = f"unknown suffix '{path.suffix}'" if suffix else "no suffix"
        raise UsageError(
            f"{path}: {found}; the suffix chooses the format, one of {', '.join(known)}"
            + did_you_mean(suffix, list(known))
        )
    return suffix

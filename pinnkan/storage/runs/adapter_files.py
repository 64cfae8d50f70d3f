"""The file that holds the adapter of a value, under the name of today or that of an older version."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pinnkan.ground.errors import PinnkanError
from pinnkan.language.parameters import file_stem, older_file_stem
from pinnkan.storage.runs.paths import adapter_path
from pinnkan.storage.store import read_store


def adapter_file(directory: Path, values: Mapping[str, float], method: str, tag: str | None) -> Path:
    """Return the file of one value: where it is, or where it will be.

    Older versions named files with 12 digits: ``lambda=0.333333333333.h5`` may hold 1/3, or the value
    that it says. It is the file of 1/3 if it says so inside.
    """
    path = adapter_path(directory, values, method, tag)
    name, older = file_stem(values), older_file_stem(values)
    if name == older or path.is_file():
        return path
    before = path.with_name(older + path.name.removeprefix(name))
    return before if before.is_file() and _holds(before, values) else path


def _holds(path: Path, values: Mapping[str, float]) -> bool:
    try:
        return bool(read_store(path, kind="adapter").meta.get("values") == dict(values))
    except PinnkanError:
        return False

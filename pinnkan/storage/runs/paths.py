"""Where the files of a run directory lie and how they are named.

DIR/base.h5                              the base
DIR/family.h5                            its reduced basis
DIR/adapters/lambda=0.1.full.tag.h5      one result; "lotra" is not named
DIR/work/lambda=0.1.full.tag.*           what a training leaves beside it (`pinnkan.storage.runs.state_files`)
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pinnkan.ground.errors import UsageError
from pinnkan.language.methods import BASE as BASE_METHOD
from pinnkan.language.methods import LOTRA, METHODS
from pinnkan.language.parameters import file_stem

BASE = "base.h5"
FAMILY = "family.h5"
ADAPTERS = "adapters"
WORK = "work"
BASE_STEM = BASE_METHOD.name
_NAMED = "|".join(name for name in METHODS if name != LOTRA.name)
"""Methods that a file's name states."""
_NUMBER = r"-?\d+(?:\.\d+)?(?:e[+-]\d+)?"

WorkFile = Literal["running.json", "failed.json", "checkpoint.h5"]
"""State of a running training, record of a failed one, state of a stopped one."""


@dataclass(frozen=True)
class ResultName:
    """Which result of a run directory is meant.

    Attributes:
        values: Parameter values; None for the base.
        method: ``lotra``, ``full`` or ``scratch``: how a value was trained.
        tag: Tag of the adapter's file.
    """

    values: Mapping[str, float] | None = None
    method: str = LOTRA.name
    tag: str | None = None


def base_path(directory: Path) -> Path:
    """Return the base's file."""
    return directory / BASE


def adapter_path(directory: Path, values: Mapping[str, float], method: str, tag: str | None) -> Path:
    """Return the file of one value: ``adapters/lambda=0.1.h5``, ``lambda=0.1.full.tag.h5``."""
    return directory / ADAPTERS / f"{stem_of(values, method, tag)}.h5"


def adapter_paths(directory: Path) -> list[Path]:
    """Return all adapter files, sorted by name."""
    return sorted(p for p in (directory / ADAPTERS).glob("*.h5") if not p.name.startswith("."))


def work_path(directory: Path, stem: str, kind: WorkFile) -> Path:
    """Return a file that a training leaves beside its result: ``work/lambda=0.1.running.json``."""
    return directory / WORK / f"{stem}.{kind}"


def work_stems(directory: Path, kind: WorkFile) -> set[str]:
    """Return the stems that have such a file."""
    names = [path.name for path in (directory / WORK).glob(f"*.{kind}") if not path.name.startswith(".")]
    return {name.removesuffix(f".{kind}") for name in names}


def stem_of(values: Mapping[str, float], method: str, tag: str | None) -> str:
    """Return the name of a result without ``.h5``: ``base``, ``lambda=0.1``, ``lambda=0.1.full.tag``."""
    if method == BASE_METHOD.name:
        return BASE_STEM
    suffix = "" if method == LOTRA.name else f".{method}"
    return file_stem(values) + (f"{suffix}.{tag}" if tag else suffix)


def read_stem(stem: str, names: Sequence[str]) -> tuple[dict[str, float], str, str | None] | None:
    """Undo `stem_of` for an adapter of a family with these parameters.

    Returns:
        Values, method and tag; None if the stem is none of this family.
    """
    values = ",".join(f"{re.escape(name)}=({_NUMBER})" for name in names)
    match = re.fullmatch(rf"{values}(?:\.({_NAMED}))?(?:\.([A-Za-z0-9_-]+))?", stem) if names else None
    if match is None:
        return None
    *numbers, method, tag = match.groups()
    return dict(zip(names, map(float, numbers), strict=True)), method or LOTRA.name, tag


def check_tag(tag: str | None) -> None:
    """Refuse a tag that would not make a plain, unambiguous file name.

    Raises:
        UsageError: If it has other characters than letters, digits, ``-`` and ``_``, is a method, or begins
            with a digit: the tag 5 of ``lambda=0`` would be the file of ``lambda=0.5``.
    """
    if tag is None:
        return
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]{0,39}", tag) or tag in (*METHODS, BASE_STEM):
        raise UsageError(
            f"--tag {tag!r}: expected a letter, then letters, digits, - and _ (40 at most), no method's name"
        )

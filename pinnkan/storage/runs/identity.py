"""What makes a stored result the one asked for, known without parsing the problem: no SymPy, no torch."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pinnkan.ground.datafiles import LARGEST_FILE
from pinnkan.ground.errors import DamagedFileError, UsageError
from pinnkan.ground.files import read_data
from pinnkan.language.methods import METHODS, method_named, stands_alone
from pinnkan.language.parameters import Parameter, complete_values
from pinnkan.language.settings.tolerance_text import (
    overrides_without_tolerance,
    stated_tolerance,
    without_tolerance,
)
from pinnkan.storage.runs.paths import base_path
from pinnkan.storage.store import Stored, hash_arrays, read_store

if TYPE_CHECKING:
    from pinnkan.physics.family import Family


@dataclass(frozen=True)
class RecordedScales:
    """The scales that a network was trained with.

    Attributes:
        scale: Of the unknowns, which the network's outputs are multiplied by, one number where there is one
            unknown; None in files of before they were.
        time_scale: Of the solution at the start, which the input map follows; None where it is infinite.
    """

    scale: float | tuple[float, ...] | None = None
    time_scale: float | None = None


@dataclass(frozen=True)
class RecordedReading:
    """What words of the text mean, where that has changed since there are files.

    Attributes:
        narrows: Whether of one unknown a condition on fewer sides replaces one on more.
        bounds_error: Whether ``tolerance`` in a training block bounds the error; once the residual.
    """

    narrows: bool = False
    bounds_error: bool = False


PRESENT_READING = RecordedReading(narrows=True, bounds_error=True)
"""What the words mean today."""


@dataclass(frozen=True)
class ProblemRecord:
    """What a file says of its problem.

    Attributes:
        name: Of the problem.
        text: Of the problem file, verbatim.
        overrides: The ``--set`` texts, verbatim and in order.
        directory: Where reference data are found from any working directory; None without such data.
        parameters: The family's parameters, the overrides applied.
        samples: The sha256 of the table that the function is given by; None without one.
        scales: The scales that the network was trained with.
        reading: What words of the text mean.
    """

    name: str
    text: str
    overrides: tuple[str, ...]
    directory: str | None
    parameters: tuple[Parameter, ...]
    samples: str | None = None
    scales: RecordedScales = field(default_factory=RecordedScales)
    reading: RecordedReading = field(default_factory=RecordedReading)

    @classmethod
    def of(cls, family: Family) -> ProblemRecord:
        """Return what is recorded of a problem; nobody's folders go into files that do not need them."""
        problem, file, table = family.problem, family.problem.file, family.problem.statements.samples
        has_data = problem.solution.reference is not None or table is not None
        folder = file.directory if has_data else None
        directory = None if folder is None else str(folder.resolve())
        samples = None if table is None else file_hash(table.file)
        return cls(
            name=problem.name,
            text=file.text,
            overrides=file.overrides,
            directory=directory,
            parameters=problem.parameters,
            samples=samples,
            scales=RecordedScales(
                family.scales[0] if len(family.scales) == 1 else family.scales,
                family.time_scale if math.isfinite(family.time_scale) else None,
            ),
            reading=PRESENT_READING,
        )

    @classmethod
    def read(cls, path: Path, meta: Mapping[str, Any]) -> ProblemRecord:
        """Read the record in a file's ``meta``.

        Raises:
            DamagedFileError: If it is missing or malformed: a file with a right checksum may be anybody's.
        """
        facts = meta.get("problem")
        try:
            if not isinstance(facts, dict):
                raise ValueError("no problem")
            return cls(
                name=_text(facts.get("name"), "problem.name"),
                text=_text(facts.get("text"), "problem.text"),
                overrides=tuple(_text(text, "problem.overrides") for text in _list(facts, "overrides")),
                directory=_text_or_none(facts, "directory"),
                parameters=tuple(_parameter(stated) for stated in _list(facts, "parameters")),
                samples=_text_or_none(facts, "samples"),
                scales=RecordedScales(
                    None if facts.get("scale") is None else _numbers(facts["scale"]),
                    None if facts.get("time_scale") is None else _number(facts["time_scale"]),
                ),
                reading=RecordedReading(
                    narrows=facts.get("narrows") is True, bounds_error=facts.get("bounds_error") is True
                ),
            )
        except ValueError as fault:
            raise DamagedFileError(f"{path}: {fault} inside; not written by pinnkan") from None

    def facts(self) -> dict[str, Any]:
        """Return it as it is stored."""
        facts: dict[str, Any] = asdict(self)
        reading: dict[str, Any] = facts.pop("reading")
        scales: dict[str, Any] = facts.pop("scales")
        parameters = [asdict(parameter) for parameter in self.parameters]
        lists = {"overrides": list(self.overrides), "parameters": parameters}
        return facts | lists | scales | reading

    def overridden(self, overrides: Sequence[str], method: str) -> ProblemRecord:
        """Put the ``--set`` texts of finetune behind the base's own.

        Raises:
            UsageError: If one would change the problem or the network that the base was trained for.
        """
        allowed = METHODS[method].may_change
        for text in overrides:
            block = text.partition("=")[0].partition(".")[0].strip()  # a key of it, or all of it
            if block not in allowed:
                raise UsageError(
                    f"--set {text}: the base is trained already; finetune can change "
                    f"{', '.join(f'{name}.*' for name in allowed)} only"
                )
            if "tolerance" in text and not self.reading.bounds_error:
                raise UsageError(
                    f"--set {text}: the base is from before tolerance bounded the error; use --tolerance for "
                    "that, or residual_below for a bound of the residual"
                )
        return replace(self, overrides=(*self.overrides, *overrides))


@dataclass(frozen=True)
class Identity:
    """What makes a result the one asked for.

    Attributes:
        problem: Text and overrides decide; name and folder do not.
        values: Parameter values.
        method: ``base``, ``lotra``, ``full`` or ``scratch``.
        seed: Of points, coefficients and factors.
        dtype: Of the stored arrays.
        base_hash: Hash of the base's coefficients; None where there is no base behind it.
        start: Values and coefficients' hash of the adapter that training starts from, as JSON; None
            where it starts from the base.
        left_open: Which of ``seed``, ``dtype`` and ``start`` the command does not state: a new result gets
            those given here, and a finished one answers whatever its own are.
    """

    problem: ProblemRecord
    values: Mapping[str, float]
    method: str
    seed: int
    dtype: str
    base_hash: str | None
    start: Mapping[str, object] | None = None
    left_open: frozenset[str] = frozenset()

    @property
    def hash(self) -> str:
        """Return the sha256 of all that decides; a tolerance does not, a smaller one goes on."""
        text, overrides = self.problem.text, list(self.problem.overrides)
        if self.problem.reading.bounds_error:
            block = method_named(self.method).block
            text, overrides = without_tolerance(text, block), overrides_without_tolerance(overrides, block)
        facts = {"text": text, "overrides": overrides, **self._settings()}
        if self.problem.samples is not None:
            facts["samples"] = self.problem.samples
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def facts(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return {"problem": self.problem.facts(), **self._settings(), "settings_hash": self.hash}

    @property
    def tolerance(self) -> float | None:
        """The tolerance of the error that the problem states for it."""
        if not self.problem.reading.bounds_error:
            return None
        block = method_named(self.method).block
        return stated_tolerance(self.problem.text, self.problem.overrides, block)

    def answered_by(self, meta: Mapping[str, Any]) -> bool:
        """Tell whether a stored result is the one asked for, whatever was left open."""
        taken: dict[str, Any] = {name: meta.get(name) for name in self.left_open}
        if not isinstance(taken.get("start"), Mapping | None):  # anybody's file
            return False
        return bool(meta.get("settings_hash") == replace(self, **taken).hash)

    def unasked(self, meta: Mapping[str, Any]) -> str:
        """Return the options that a stored result was trained with and that were left open: ``--seed 1``."""
        words = {
            "seed": f"--seed {meta.get('seed')}",
            "dtype": f"--dtype {meta.get('dtype')}",
            "start": "--start nearest",
        }
        mine = self._settings()
        return " ".join(
            word for name, word in words.items() if name in self.left_open and meta.get(name) != mine[name]
        )

    def _settings(self) -> dict[str, Any]:
        return {
            "values": dict(self.values),
            "method": self.method,
            "seed": self.seed,
            "dtype": self.dtype,
            "base_hash": self.base_hash,
            "start": None if self.start is None else dict(self.start),
        }


def recorded_problem(directory: Path) -> ProblemRecord:
    """Return the record of the problem that a run directory's base carries.

    Raises:
        DamagedFileError: If the base is damaged or foreign.
    """
    path = base_path(directory)
    return ProblemRecord.read(path, read_store(path, kind="base").meta)


def identities(
    directory: Path,
    values: Sequence[Mapping[str, float]],
    *,
    method: str,
    overrides: Sequence[str],
    seed: int | None,
    dtype: str | None,
    nearest: bool | None = None,
) -> list[Identity]:
    """Return the identities of the results that ``finetune`` would store, with the present base.

    Args:
        directory: The run directory.
        values: Parameter values; a name left out keeps its base value.
        method: ``lotra``, ``full`` or ``scratch``.
        overrides: ``--set`` texts.
        seed: Of points, coefficients and factors; left open, with 0 for what is new, if None.
        dtype: Of the stored arrays; left open, with the base's for what is new, if None.
        nearest: Whether values start from their neighbours; left open if None.

    Raises:
        UsageError: If a name is unknown or an override would change the base.
        DamagedFileError: If the base is damaged or foreign.
    """
    path = base_path(directory)
    base = read_store(path, kind="base")
    record = ProblemRecord.read(path, base.meta).overridden(overrides, method)
    precision = dtype or stored_dtype(path, base)
    base_hash = weights_hash(base) if METHODS[method].on_base else None
    complete = [complete_values(record.parameters, point) for point in values]
    stated = {"seed": seed, "dtype": dtype, "start": nearest}
    left_open = frozenset(name for name, value in stated.items() if value is None)
    shared = (method, seed or 0, precision, base_hash, None, left_open)
    return [Identity(record, values, *shared) for values in complete]


def weights_hash(base: Stored) -> str:
    """Return the hash of a base's stored coefficients, which its adapters name."""
    return hash_arrays(base.arrays)


def fits(meta: Mapping[str, Any], base_hash: str) -> bool:
    """Tell whether an adapter belongs to the base of this hash; one from scratch has no base behind it."""
    return stands_alone(meta.get("method")) or meta.get("base_hash") == base_hash


def stored_values(path: Path, stored: Stored) -> dict[str, float]:
    """Return a file's parameter values, after a look at whether it says what all our files say.

    Raises:
        DamagedFileError: If it does not: a file with a right checksum may be anybody's.
    """
    meta = stored.meta
    values, training = meta.get("values"), meta.get("training")
    if not isinstance(values, dict) or not all(isinstance(v, (int, float)) for v in values.values()):
        raise DamagedFileError(f"{path}: no parameter values inside; not written by pinnkan")
    if not isinstance(meta.get("method"), str) or not isinstance(training, dict):
        raise DamagedFileError(f"{path}: no method or no training facts inside; not written by pinnkan")
    return {str(name): float(value) for name, value in values.items()}


def stored_dtype(path: Path, stored: Stored) -> str:
    """Return the precision that a file names.

    Raises:
        DamagedFileError: If it names none.
    """
    dtype = stored.meta.get("dtype")
    if dtype not in ("float64", "float32"):
        raise DamagedFileError(f"{path}: no dtype inside; not written by pinnkan")
    return str(dtype)


def file_hash(path: Path) -> str:
    """Return the sha256 of a file's contents.

    Raises:
        UsageError: If it is no regular file or too large.
        FileAccessError: If it cannot be read.
    """
    return hashlib.sha256(read_data(path, what="samples", max_bytes=LARGEST_FILE)).hexdigest()


def _text(value: object, key: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"no text {key}")
    return value


def _text_or_none(facts: Mapping[str, Any], key: str) -> str | None:
    return None if facts.get(key) is None else _text(facts[key], f"problem.{key}")


def _list(facts: Mapping[str, Any], key: str) -> list[Any]:
    value = facts.get(key)
    if not isinstance(value, list):
        raise ValueError(f"no list problem.{key}")
    return value


def _parameter(facts: object) -> Parameter:
    if not isinstance(facts, dict):
        raise ValueError("no object in problem.parameters")
    base = _number(facts.get("base"))
    low, high = (None if facts.get(end) is None else _number(facts[end]) for end in ("low", "high"))
    return Parameter(_text(facts.get("name"), "problem.parameters.name"), base, low, high)


def _numbers(value: object) -> float | tuple[float, ...]:
    return tuple(_number(entry) for entry in value) if isinstance(value, list) else _number(value)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError("no number in problem.parameters")
    return float(value)

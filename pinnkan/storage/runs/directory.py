"""Run directories: one base and its adapters, as files and as solutions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pinnkan.ground.errors import DamagedFileError, UsageError, WrongBaseError
from pinnkan.ground.progress import Observer
from pinnkan.language.adapted_layers import kind_stored_as
from pinnkan.language.methods import BASE, LOTRA
from pinnkan.language.parameters import complete_values, file_stem, shortest_text
from pinnkan.language.problem import Problem
from pinnkan.networks.adapters import AdaptedLayer, Parametrisation
from pinnkan.physics.family import Family
from pinnkan.physics.instance import Instance
from pinnkan.solutions.solution import Solution
from pinnkan.solutions.windows import AnySolution
from pinnkan.storage.runs import paths
from pinnkan.storage.runs.adapter_files import adapter_file
from pinnkan.storage.runs.facts import family_from, hidden_widths
from pinnkan.storage.runs.identity import fits, stored_values, weights_hash
from pinnkan.storage.runs.paths import ResultName
from pinnkan.storage.runs.results import verdict_text
from pinnkan.storage.runs.windows import arrays_in_windows, stored_ends
from pinnkan.storage.store import Stored, read_store
from pinnkan.training import coefficient_shapes, network_for
from pinnkan.training.trained_windows import joined

_WHOLE = "coefficients"


@dataclass(frozen=True)
class Result:
    """One stored file, understood.

    Attributes:
        path: The file.
        stored: Its verified contents.
        family: The family of problems, with the file's overrides.
        values: Parameter values.
        parts: Coefficients of every layer, float64, the adapter's change applied: of the one network, or of
            that of every time window.
        ends: Of the time windows, the first time first; none without windows.
    """

    path: Path
    stored: Stored
    family: Family
    values: Mapping[str, float]
    parts: Sequence[Sequence[Tensor]]
    ends: tuple[float, ...] = ()

    @property
    def coefficients(self) -> Sequence[Tensor]:
        """Coefficients of every layer of the one network; see `require_one_network`."""
        (only,) = self.parts
        return only

    @property
    def problem(self) -> Problem:
        """What the file's problem states."""
        return self.family.problem

    @property
    def meta(self) -> Mapping[str, Any]:
        """What the file says beside its arrays."""
        return self.stored.meta

    @property
    def method(self) -> str:
        """``base``, ``lotra``, ``full`` or ``scratch``."""
        return str(self.meta["method"])

    @property
    def tag(self) -> str | None:
        """Tag of the file's name."""
        tag = self.meta.get("tag")
        return None if tag is None else str(tag)

    def answers(self, values: Mapping[str, float], method: str | None, tag: str | None) -> bool:
        """Tell whether this is a base that answers for an adapter that nobody trained: at its own value."""
        plain = method in (None, LOTRA.name) and tag is None
        return plain and self.method == BASE.name and dict(values) == dict(self.values)

    def solution(self, device: torch.device | None = None, dtype: torch.dtype | None = None) -> AnySolution:
        """Return the solution at the file's parameter values.

        Args:
            device: Where it is evaluated; the CPU if not given.
            dtype: Precision that the coefficients are rounded to; as stored if not given.
        """
        instance: Instance = self.family.at(self.values)
        rounded = [[c.to(dtype or c.dtype).to(c.dtype) for c in part] for part in self.parts]
        moved = [[c.to(device or "cpu") for c in part] for part in rounded]
        settings = self.problem.settings.network
        if self.ends:
            return joined(instance, settings, self.ends, moved)
        return Solution(instance, network_for(instance, settings, self.coefficients), moved[0])


class RunDirectory:
    """The folder of one base and its adapters.

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def base_path(self) -> Path:
        """The base's file."""
        return paths.base_path(self.path)

    def adapter_path(self, values: Mapping[str, float], method: str, tag: str | None) -> Path:
        """Return the file of one value: ``adapters/lambda=0.1.h5``, ``lambda=0.1.full.tag.h5``."""
        return adapter_file(self.path, values, method, tag)

    def adapter_paths(self) -> list[Path]:
        """Return all adapter files, sorted by name."""
        return paths.adapter_paths(self.path)

    def base(self) -> Result:
        """Read the base.

        Raises:
            DamagedFileError: If it is damaged or foreign.
        """
        return read_base(self.base_path)

    def adapter(self, path: Path, base: Result) -> Result:
        """Read one adapter file and apply it to the base.

        Raises:
            DamagedFileError: If it is damaged or foreign.
            WrongBaseError: If it was trained for another base.
        """
        stored = read_store(path, kind="adapter")
        # The base's own family has its symbolic work done already.
        shared = stored.meta.get("problem") == base.meta["problem"]
        widths = _hidden_widths(stored) or base.problem.settings.network.hidden
        family = base.family if shared else family_from(path, stored.meta, widths)
        if not fits(stored.meta, weights_hash(base.stored)):
            raise WrongBaseError(
                f"{path}: was trained for another base than {base.path}; "
                "train it again with 'pinnkan finetune' (--force is not needed)"
            )
        parts = arrays_in_windows(stored.arrays, stored.meta)
        if any(name.startswith("0." + _WHOLE) for name in parts[0]):
            return _understood(path, stored, family, [whole_coefficients(path, own) for own in parts])
        if len(parts) != len(base.parts):
            raise DamagedFileError(f"{path}: has {len(parts)} time windows, its base has {len(base.parts)}")
        pairs = zip(parts, base.parts, strict=True)
        return _understood(path, stored, family, [changed_coefficients(path, *pair) for pair in pairs])

    def find(self, name: ResultName) -> Result:
        """Read the base, or the adapter of one value.

        At its own value the base is the answer where no adapter was trained there.

        Raises:
            UsageError: If there is no adapter for the value, with the command that trains it; or a method or
                a tag without a value.
        """
        base = self.base()
        method, tag = name.method, name.tag
        if name.values is None:
            require_plain(base.problem, method, tag)
            return base
        complete = complete_values(base.problem.parameters, name.values)
        path = self.adapter_path(complete, method, tag)
        if not path.is_file() and base.answers(complete, method, tag):
            return base
        if not path.is_file():
            options = " ".join(
                f"--param {parameter}={shortest_text(value)}" for parameter, value in complete.items()
            )
            extra = f" --method {method}" * (method != LOTRA.name) + f" --tag {tag}" * bool(tag)
            raise UsageError(
                f"{self.path} has no {method} adapter for {file_stem(complete)}; "
                f"train it with 'pinnkan finetune {self.path} {options}{extra}'"
            )
        return self.adapter(path, base)


def remark_on(result: Result, observer: Observer) -> None:
    """Say that a result is not solved, and why, where that is so."""
    text = verdict_text(result.meta)
    if text:
        observer.note(f"{result.path}: {text}")


def require_plain(problem: Problem, method: str, tag: str | None) -> None:
    """Refuse a method or a tag where no value is given: the base has neither.

    Raises:
        UsageError: If there is one.
    """
    asked = [f"method {method}"] * (method != LOTRA.name) + [f"tag {tag}"] * (tag is not None)
    if not asked:
        return
    names = [parameter.name for parameter in problem.parameters]
    if not names:
        raise UsageError(f"{', '.join(asked)}: {problem.name} has no parameter, so it has only a base")
    option = "--lambda VALUE" if len(names) == 1 else f"--param {names[0]}=VALUE"
    raise UsageError(
        f"{', '.join(asked)}: belongs to the result of a parameter value, and none is given; "
        f"name one with {option} (in Python, as the argument of .at)"
    )


def read_base(path: Path) -> Result:
    """Read a base, wherever it lies.

    Raises:
        DamagedFileError: If it is damaged or foreign.
    """
    stored = read_store(path, kind="base")
    family = family_from(path, stored.meta, _hidden_widths(stored))
    parts = arrays_in_windows(stored.arrays, stored.meta)
    return _understood(path, stored, family, [whole_coefficients(path, own) for own in parts])


def _hidden_widths(stored: Stored) -> tuple[int, ...] | None:
    """Return the widths of the hidden layers of every network in a file; None if its arrays do not say."""
    return hidden_widths(arrays_in_windows(stored.arrays, stored.meta)[0], stored.meta)


def require_one_network(result: Result, what: str) -> None:
    """Refuse a result in time windows for what takes one network alone.

    Raises:
        UsageError: If it is one.
    """
    if result.ends:
        raise UsageError(
            f"{what}: {result.path} is solved in {len(result.parts)} time windows, a network each, and this "
            "takes one network alone; train it with windows: 1 (if none are stated, a tolerance splits time)"
        )


def whole_arrays(coefficients: Sequence[Tensor], dtype: torch.dtype) -> dict[str, np.ndarray]:
    """Return every layer's coefficients as named arrays."""
    return {f"{layer}.{_WHOLE}": c.detach().cpu().to(dtype).numpy() for layer, c in enumerate(coefficients)}


def change_arrays(parameters: Parametrisation, theta: Tensor, dtype: torch.dtype) -> dict[str, np.ndarray]:
    """Return an adapter's numbers as named arrays: ``1.core``, ``1.u1``, ..., ``0.change`` in full."""
    arrays: dict[str, Tensor] = {}
    for depth, (layer, part) in enumerate(zip(parameters.layers, parameters.split(theta), strict=True)):
        assert isinstance(layer, AdaptedLayer), "what a file holds of an adapter"
        arrays |= {f"{depth}.{name}": array for name, array in layer.arrays(part).items()}
    return {name: array.detach().cpu().to(dtype).contiguous().numpy() for name, array in arrays.items()}


def arrays_of_layer(arrays: Mapping[str, Tensor], layer: int) -> dict[str, Tensor]:
    """Return the arrays of one layer by the names that they have behind its number."""
    split = ((name.partition("."), array) for name, array in arrays.items())
    return {name: array for (number, _, name), array in split if number == str(layer)}


def _understood(path: Path, stored: Stored, family: Family, parts: Sequence[Sequence[Tensor]]) -> Result:
    """Return the result in a file whose parts fit each other: one with a right checksum may be anybody's.

    Raises:
        DamagedFileError: If values or coefficients are those of another problem.
    """
    problem, values = family.problem, stored_values(path, stored)
    names = [parameter.name for parameter in problem.parameters]
    if sorted(values) != sorted(names):
        raise DamagedFileError(f"{path}: its values are of {sorted(values)}, its problem has {sorted(names)}")
    ends = stored_ends(path, stored, problem, values)
    for coefficients in parts:
        shapes = coefficient_shapes(problem, coefficients)
        found = [tuple(c.shape) for c in coefficients]
        if found != shapes:
            raise DamagedFileError(f"{path}: its arrays have shapes {found}, its problem's network {shapes}")
    return Result(path, stored, family, values, parts, ends)


def whole_coefficients(path: Path, arrays: Mapping[str, np.ndarray]) -> list[Tensor]:
    """Return the coefficients of every layer, float64, from the arrays of a base.

    Raises:
        DamagedFileError: If they have other names.
    """
    layers: list[Tensor] = []
    while (name := f"{len(layers)}.{_WHOLE}") in arrays:
        layers.append(torch.from_numpy(arrays[name].astype(np.float64)))
    if not layers or len(layers) != len(arrays):
        raise DamagedFileError(f"{path}: expected arrays 0.{_WHOLE}, 1.{_WHOLE}, ..., found other names")
    return layers


def changed_coefficients(
    path: Path, changes: Mapping[str, np.ndarray], base: Sequence[Tensor]
) -> list[Tensor]:
    """Return a base's coefficients with the change that an adapter's arrays say.

    Raises:
        DamagedFileError: If the change does not fit the base.
    """
    arrays = {name: torch.from_numpy(a.astype(np.float64)) for name, a in changes.items()}
    result = []
    try:
        for depth, coefficients in enumerate(base):
            own = arrays_of_layer(arrays, depth)
            result.append(kind_stored_as(frozenset(own)).layer.changed(coefficients, own))
    except (KeyError, RuntimeError, ValueError) as error:
        raise DamagedFileError(f"{path}: its arrays do not fit the base ({error})") from None
    return result

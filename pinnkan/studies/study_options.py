"""Studies of one problem, as options say them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pinnkan.ground.errors import UsageError, quote
from pinnkan.language.methods import LOTRA, METHODS
from pinnkan.language.network_kinds import NETWORK_KINDS
from pinnkan.studies.study import Level, SharedSettings, Study

if TYPE_CHECKING:
    from pinnkan.language.problem import Problem

_SHORT = {
    "basis": "network.basis",
    "kind": "network.kind",
    "compression": "adapter.compression",
    "rates": "finetuning.rates",
    "initialisation": "adapter.initialisation",
}
"""Axes that options name by a word, and the key they change."""


@dataclass(frozen=True)
class StatedStudy:
    """The comparison of a problem, as options state it.

    Attributes:
        lambdas: Texts of ``--lambda``.
        params: Texts of ``--param``.
        axes: Texts of ``--axis``, ``NAME=LEVEL,LEVEL``.
        overrides: ``--set`` texts of all cells.
    """

    lambdas: Sequence[str]
    params: Sequence[str]
    axes: Sequence[str]
    overrides: Sequence[str]


def study_of_options(name: str, problem: Problem, stated: StatedStudy) -> Study:
    """Return the comparison of a problem that options state.

    Args:
        name: The problem, as given.
        problem: What its file states.
        stated: The options.

    Raises:
        UsageError: If an option cannot be read, or no values are given.
    """
    values = _values(problem, stated)
    axes = _axes(stated.axes)
    title = problem.file.title or name
    return Study(
        f"{title}, by {', '.join(axes)}" if axes else title,
        name,
        values,
        shared=SharedSettings(overrides=tuple(stated.overrides)),
        axes=axes,
        exclude=tuple(_without_tucker(axes)),
    )


def _values(problem: Problem, stated: StatedStudy) -> dict[str, tuple[str, ...]]:
    """Return the texts of the parameter values by name."""
    if stated.lambdas and len(problem.parameters) != 1:
        names = ", ".join(parameter.name for parameter in problem.parameters) or "none"
        raise UsageError(f"--lambda sets the only parameter of a family; this one has {names}")
    values = {problem.parameters[0].name: tuple(stated.lambdas)} if stated.lambdas else {}
    for text in stated.params:
        parameter, equals, value = (part.strip() for part in text.partition("="))
        if not equals:
            raise UsageError(f"--param: expected NAME=VALUES, got {quote(text)}")
        values[parameter] = (*values.get(parameter, ()), value)
    if not values:
        raise UsageError("which parameter values? Give --lambda VALUES or --param NAME=VALUES")
    return values


def _axes(texts: Sequence[str]) -> dict[str, dict[str, Level]]:
    """Return the levels by axis and name."""
    axes: dict[str, dict[str, Level]] = {}
    for text in texts:
        axis, levels = _axis(text)
        if axis in axes:
            raise UsageError(f"--axis {axis} is given twice; name all its levels in one, separated by commas")
        axes[axis] = levels
    return axes


def _without_tucker(axes: Mapping[str, Mapping[str, Level]]) -> Iterator[dict[str, str]]:
    """Give the combinations of a LoTRA adapter, which needs a KAN, with other networks."""
    others = [
        name for name, kind in NETWORK_KINDS.items() if name in axes.get("kind", {}) and not kind.on_edges
    ]
    for method, level in axes.get("method", {}).items():
        if level.method and METHODS[level.method].low_rank:
            yield from ({"kind": kind, "method": method} for kind in others)


def _axis(text: str) -> tuple[str, dict[str, Level]]:
    name, equals, levels = (part.strip() for part in text.partition("="))
    # A comma in brackets belongs to a list: [2,2,2],[3,3,3].
    words = [word.strip() for word in re.split(r",(?![^\[]*\])", levels)]
    if not equals or not all(words):
        raise UsageError(
            f"--axis: expected NAME=LEVEL,LEVEL such as basis=chebyshev,fourier; got {quote(text)}"
        )
    if name == "method":
        return name, {word: _method_level(word) for word in words}
    if name == "optimizer":
        # Phases say their optimizers themselves; one phase with the block's numbers takes their place.
        phases = {word: f"phases=[{{optimizer: {word}}}]" for word in words}
        return name, {
            word: Level((f"finetuning.{text}",), scratch=(f"training.{text}",))
            for word, text in phases.items()
        }
    key = _SHORT.get(name, name)
    if "." not in key:
        known = ", ".join(["method", "optimizer", *_SHORT])
        raise UsageError(
            f"--axis: unknown axis {quote(name)}; there are {known}, and keys such as training.steps"
        )
    return name, {word: Level((f"{key}={word}",)) for word in words}


def _method_level(word: str) -> Level:
    """Read ``full``, ``scratch``, ``lotra`` or the compression of a LoTRA adapter."""
    if word in METHODS:
        return Level(method=word)
    return Level((f"adapter.compression={word}",), method=LOTRA.name)

"""Studies of one problem, as options say them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pinnkan.errors import UsageError, quote
from pinnkan.workflows.study import METHODS, Level, Study

_SHORT = {
    "basis": "network.basis",
    "kind": "network.kind",
    "rates": "finetuning.rates",
    "initialisation": "adapter.initialisation",
}
"""Axes that options name by a word, and the key they change."""


def study_of_options(
    name: str,
    path: Path,
    lambdas: Sequence[str],
    params: Sequence[str],
    axes: Sequence[str],
    overrides: Sequence[str],
) -> Study:
    """Return the comparison of a problem that options say.

    Args:
        name: The problem, as given.
        path: Its file.
        lambdas: Texts of ``--lambda``.
        params: Texts of ``--param``.
        axes: Texts of ``--axis``, ``NAME=LEVEL,LEVEL``.
        overrides: ``--set`` texts of all cells.

    Raises:
        UsageError: If an option cannot be read, or no values are given.
    """
    from pinnkan.problem.loading import load_problem

    problem = load_problem(path)
    if lambdas and len(problem.parameters) != 1:
        names = ", ".join(one.name for one in problem.parameters) or "none"
        raise UsageError(f"--lambda sets the only parameter of a family; this one has {names}")
    values = {problem.parameters[0].name: ",".join(lambdas)} if lambdas else {}
    for text in params:
        parameter, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--param: expected NAME=VALUES, got {quote(text)}")
        values[parameter.strip()] = value
    if not values:
        raise UsageError("which parameter values? Give --lambda VALUES or --param NAME=VALUES")
    found = dict(_axis(text) for text in axes)
    return Study(problem.title or name, name, values, overrides=tuple(overrides), axes=found)


def _axis(text: str) -> tuple[str, dict[str, Level]]:
    name, equals, levels = (part.strip() for part in text.partition("="))
    words = [word.strip() for word in levels.split(",")]
    if not equals or not all(words):
        raise UsageError(
            f"--axis: expected NAME=LEVEL,LEVEL such as basis=chebyshev,fourier; got {quote(text)}"
        )
    if name == "method":
        return name, {word: _method_level(word) for word in words}
    if name == "optimizer":
        # Phases say their optimizers themselves; one phase with the block's numbers takes their place.
        return name, {word: Level((f"finetuning.phases=[{{optimizer: {word}}}]",)) for word in words}
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
    return Level((f"adapter.compression={word}",), method="lotra")

"""The levels of a refinement as JSON: in results, and in the states of stopped trainings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pinnkan.training.levels import Level, ResidualRms, Size


def level_facts(levels: Sequence[Level]) -> list[dict[str, Any]]:
    """Return levels as a result stores them, one flat object each."""
    return [_facts(level) for level in levels]


def _facts(level: Level) -> dict[str, Any]:
    facts: dict[str, Any] = asdict(level)
    size, rms = facts.pop("size"), facts.pop("rms")
    residuals = {"training_rms": rms["training"], "held_out": rms["held_out"]}
    return {**facts, **size, "hidden": list(level.size.hidden), **residuals}


def levels_from(facts: Sequence[Mapping[str, Any]]) -> tuple[Level, ...]:
    """Return the levels that `level_facts` wrote.

    Raises:
        KeyError: If a fact is missing.
        TypeError: If these are no objects.
    """
    return tuple(
        Level(
            kind=row["kind"],
            size=Size(
                tuple(row["hidden"]), row["functions"], row["points"], row["numbers"], row["compression"]
            ),
            estimate=row["estimate"],
            rms=ResidualRms(row["training_rms"], row["held_out"]),
            steps=row["steps"],
            seconds=row["seconds"],
            kept=row["kept"],
        )
        for row in facts
    )

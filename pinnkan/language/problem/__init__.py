"""YAML problem files to validated problems, and those to residual blocks at one parameter value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pinnkan.language.problem.finding import find_problem, shipped_problems
    from pinnkan.language.problem.loading import load_problem
    from pinnkan.language.problem.spec import Condition, Equation, Problem

__all__ = [
    "Condition",
    "Equation",
    "Problem",
    "find_problem",
    "load_problem",
    "shipped_problems",
]


def __getattr__(name: str) -> Any:
    """Import a name only when it is asked for: listing the shipped problems must not wait for SymPy."""
    if name in ("find_problem", "shipped_problems"):
        from pinnkan.language.problem import finding

        return getattr(finding, name)
    if name in __all__:
        from pinnkan.language.problem import loading, spec

        return next(getattr(room, name) for room in (spec, loading) if hasattr(room, name))
    raise AttributeError(f"module 'pinnkan.language.problem' has no attribute {name!r}")

"""YAML problem files to validated problems, and those to residual blocks at one parameter value."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pinnkan.problem.finding import find_problem, shipped_problems
    from pinnkan.problem.loading import load_problem
    from pinnkan.problem.settings import Settings
    from pinnkan.problem.spec import Condition, Equation, Problem

_ROOMS = {
    "find_problem": "finding",
    "shipped_problems": "finding",
    "load_problem": "loading",
    "Settings": "settings",
    "Condition": "spec",
    "Equation": "spec",
    "Problem": "spec",
}

__all__ = [
    "Condition",
    "Equation",
    "Problem",
    "Settings",
    "find_problem",
    "load_problem",
    "shipped_problems",
]


def __getattr__(name: str) -> Any:
    """Import a name only when it is asked for: listing the shipped problems must not wait for SymPy."""
    if name in _ROOMS:
        return getattr(import_module(f"pinnkan.problem.{_ROOMS[name]}"), name)
    raise AttributeError(f"module 'pinnkan.problem' has no attribute {name!r}")

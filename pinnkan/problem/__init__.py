"""YAML problem files to validated problems, and those to residual blocks at one parameter value."""

from pinnkan.problem.family import (
    Parameter,
    complete_values,
    echo_values,
    expand_values,
    family_points,
    file_stem,
)
from pinnkan.problem.loading import find_problem, load_problem, shipped_problems
from pinnkan.problem.settings import Settings
from pinnkan.problem.spec import Condition, Equation, Problem

__all__ = [
    "Condition",
    "Equation",
    "Parameter",
    "Problem",
    "Settings",
    "complete_values",
    "echo_values",
    "expand_values",
    "family_points",
    "file_stem",
    "find_problem",
    "load_problem",
    "shipped_problems",
]

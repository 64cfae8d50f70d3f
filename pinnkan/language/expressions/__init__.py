"""Equations as the field writes them: text to safe tree, to symbolic form, to tensors."""

from pinnkan.language.expressions.audit import constant_value
from pinnkan.language.expressions.calculus import (
    partial_derivative,
    substitute,
    substitute_unknowns,
    total_derivative,
)
from pinnkan.language.expressions.compound import mentioned
from pinnkan.language.expressions.names import (
    RESERVED,
    Names,
    derivative_name,
    derivative_symbols,
    hidden_builtins,
    naming_faults,
    normal_symbols,
    symbol,
)
from pinnkan.language.expressions.piecewise import has_jump
from pinnkan.language.expressions.programs.batches import PointProgram
from pinnkan.language.expressions.programs.evaluation import defined_values, evaluate
from pinnkan.language.expressions.programs.lowering import lower
from pinnkan.language.expressions.programs.splitting import split_data
from pinnkan.language.expressions.symbolic import to_symbolic, to_value
from pinnkan.language.expressions.syntax import parse_condition, parse_equation, parse_expression
from pinnkan.language.expressions.tensors import Value, component_names, describe, entries
from pinnkan.language.expressions.text import canonical_text, display_text
from pinnkan.language.expressions.tree import Equation, ExpressionFault, Tree

__all__ = [
    "RESERVED",
    "Equation",
    "ExpressionFault",
    "Names",
    "PointProgram",
    "Tree",
    "Value",
    "canonical_text",
    "component_names",
    "constant_value",
    "defined_values",
    "derivative_name",
    "derivative_symbols",
    "describe",
    "display_text",
    "entries",
    "evaluate",
    "has_jump",
    "hidden_builtins",
    "lower",
    "mentioned",
    "naming_faults",
    "normal_symbols",
    "parse_condition",
    "parse_equation",
    "parse_expression",
    "partial_derivative",
    "split_data",
    "substitute",
    "substitute_unknowns",
    "symbol",
    "to_symbolic",
    "to_value",
    "total_derivative",
]

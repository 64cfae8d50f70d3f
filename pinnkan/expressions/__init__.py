"""Equations as the field writes them: text to safe tree, to symbolic form, to tensors."""

from pinnkan.expressions.audit import constant_value
from pinnkan.expressions.batches import PointProgram
from pinnkan.expressions.calculus import partial_derivative, substitute, substitute_unknown, total_derivative
from pinnkan.expressions.evaluation import defined_values, evaluate
from pinnkan.expressions.lowering import lower
from pinnkan.expressions.names import (
    RESERVED,
    Names,
    derivative_name,
    derivative_symbols,
    naming_faults,
    normal_symbols,
    symbol,
)
from pinnkan.expressions.piecewise import has_jump
from pinnkan.expressions.splitting import split_data
from pinnkan.expressions.symbolic import to_symbolic, to_value
from pinnkan.expressions.syntax import parse_equation, parse_expression
from pinnkan.expressions.text import canonical_text
from pinnkan.expressions.tree import Equation, ExpressionFault, Tree

__all__ = [
    "RESERVED",
    "Equation",
    "ExpressionFault",
    "Names",
    "PointProgram",
    "Tree",
    "canonical_text",
    "constant_value",
    "defined_values",
    "derivative_name",
    "derivative_symbols",
    "evaluate",
    "has_jump",
    "lower",
    "naming_faults",
    "normal_symbols",
    "parse_equation",
    "parse_expression",
    "partial_derivative",
    "split_data",
    "substitute",
    "substitute_unknown",
    "symbol",
    "to_symbolic",
    "to_value",
    "total_derivative",
]

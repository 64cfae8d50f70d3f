"""Formulas as programs: on arrays, on tensors, at many parameter values."""

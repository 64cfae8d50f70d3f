"""From a small trained network to a closed form: edges become symbolic functions, composed by SymPy."""

from pinnkan.solutions.formulas.compose import ClosedForm, closed_form
from pinnkan.solutions.formulas.library import LIBRARY, Snap, snap

__all__ = ["LIBRARY", "ClosedForm", "Snap", "closed_form", "snap"]

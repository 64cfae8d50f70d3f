"""From a small trained network to a closed form: edges become symbolic functions, composed by SymPy."""

from pinnkan.snapping.compose import ClosedForm, closed_form
from pinnkan.snapping.library import LIBRARY, Snap, snap

__all__ = ["LIBRARY", "ClosedForm", "Snap", "closed_form", "snap"]

"""The formats of pictures, known before matplotlib is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# What each format writes about its making; None leaves a date or a version out,
# so that the same data give the same bytes tomorrow.
PICTURES: Mapping[str, dict[str, Any]] = {
    ".png": {"Software": None},
    ".pdf": {"Creator": None, "Producer": None, "CreationDate": None},
    ".svg": {"Creator": None, "Date": None},
}

"""Look at a picture: at its figure, or at the pixels."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread


@pytest.fixture
def figures(monkeypatch, request):
    """The figures that a test saves, in order; files are written only where it looks at their pixels.

    Laying out and drawing a figure takes longer than all that is asked of it.
    """
    made = []
    save = Figure.savefig

    def record(figure, *args, **kwargs):
        made.append(figure)
        if "pixels" in request.fixturenames:
            save(figure, *args, **kwargs)

    monkeypatch.setattr(Figure, "savefig", record)
    return made


@pytest.fixture
def pixels():
    """Read a PNG as whole numbers from 0 to 255, shape (height, width, 3)."""
    return lambda path: np.round(imread(path)[..., :3] * 255).astype(int)

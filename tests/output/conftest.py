"""Look at a picture: at the figure that was saved, or at the pixels."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread


@pytest.fixture
def saved(monkeypatch):
    """The figures that were saved, in order."""
    figures = []
    save = Figure.savefig

    def record(figure, *args, **kwargs):
        figures.append(figure)
        return save(figure, *args, **kwargs)

    monkeypatch.setattr(Figure, "savefig", record)
    return figures


@pytest.fixture
def pixels():
    """Read a PNG as whole numbers from 0 to 255, shape (height, width, 3)."""
    return lambda path: np.round(imread(path)[..., :3] * 255).astype(int)

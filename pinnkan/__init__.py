"""Families of PDEs solved by physics-informed Kolmogorov-Arnold networks with low tensor-rank adapters.

The way in, beside the command ``pinnkan``::

    import pinnkan
    u = pinnkan.load("runs/elliptic").at(0.1)    # then u(points), u.jet(points, "u_xx")
    u = pinnkan.ReducedBasis.load("runs/elliptic").solve(0.37)    # from family.h5: u(points), u.estimate
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pinnkan.workflows.api import Run, RunSolution, load
    from pinnkan.workflows.solve import ReducedBasis, ReducedSolution

    __version__: str

__all__ = ["ReducedBasis", "ReducedSolution", "Run", "RunSolution", "__version__", "load"]


def __getattr__(name: str) -> Any:
    """Import what is asked for only then: ``pinnkan --help`` passes here and must not wait for torch."""
    if name == "__version__":
        from importlib.metadata import version

        return version("pinnkan")
    if name in __all__:
        from pinnkan.ground.machine import wait_passively

        wait_passively()  # torch comes with what follows
    if name in ("ReducedBasis", "ReducedSolution"):
        from pinnkan.workflows import solve

        return getattr(solve, name)
    if name in __all__:
        from pinnkan.workflows import api

        return getattr(api, name)
    raise AttributeError(f"module 'pinnkan' has no attribute {name!r}")

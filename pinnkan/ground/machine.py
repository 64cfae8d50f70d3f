"""The machine before torch is loaded: what is asked of it, how its threads wait, how busy its cores are."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass

WAITING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
"""Variables by which a user says how OpenMP's threads wait: the standard's, libgomp's and LLVM's."""
_CROWDED = 1.25
"""Threads a core from which a machine is called oversubscribed; a little more is what every machine has."""


@dataclass(frozen=True)
class Compute:
    """Where and in which precision something is computed, as options say it.

    Attributes:
        device: ``cpu``, ``cuda``, ``cuda:1`` or ``auto``.
        dtype: ``float64`` or ``float32``, the precision of the coefficients; None leaves it open.
        threads: CPU threads; None takes as many as torch does.
    """

    device: str = "cpu"
    dtype: str | None = None
    threads: int | None = None


def wait_passively() -> None:
    """Let OpenMP's threads sleep while they wait for each other, unless the user said otherwise.

    By default they spin: beside another busy process the thread that all wait for is then kept from its core
    by those that wait. The library reads the environment once, when torch loads it; so this must come first,
    and child processes inherit it. On an idle machine it costs nothing that can be measured.
    """
    if not any(name in os.environ for name in WAITING):
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"


def crowding(threads: int | None) -> str | None:
    """Say that the machine has more to do than it has cores, if it has; None where that is unknown.

    Called before a training begins: the load is that of everybody else.

    Args:
        threads: Those that the training will have, all its processes together; one a core if None.
    """
    cores = os.cpu_count() or 1
    own = min(threads or cores, cores)
    try:
        load = os.getloadavg()[0]
    except (AttributeError, OSError):  # Windows, and where the system does not tell
        return None
    if min(load, _others_at_work(load)) + own <= _CROWDED * cores:
        return None
    threads_of_it = "1 thread" if own == 1 else f"{own} threads"
    return (
        f"the machine is oversubscribed: load average {load:.1f} before this training's {threads_of_it}, "
        f"{cores} cores; it may take {(load + own) / cores:.1f} times as long as alone"
    )


def _others_at_work(load: float) -> float:
    """Return how many other threads run or wait for a core right now; the load where that is not told.

    A load average remembers a minute: after a training of ours it is high, and nobody else is there.
    """
    with suppress(OSError, ValueError, IndexError), open("/proc/loadavg", encoding="ascii") as file:
        return float(file.read().split()[3].partition("/")[0]) - 1
    return load

"""The machine that a command runs on: device, threads, versions."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import torch
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from pinnkan.ground.errors import UsageError

_DTYPES = {"float64": torch.float64, "float32": torch.float32}


def device_for(name: str) -> torch.device:
    """Return the device of this name; ``auto`` takes a GPU where there is one.

    Raises:
        UsageError: If the name is unknown or the machine has no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device, dtype=torch.float64)
    except (RuntimeError, AssertionError, TypeError) as error:
        # torch goes on to list every backend that it knows.
        cause = str(error).strip().splitlines()[0].split(". ")[0]
        raise UsageError(f"--device {name}: not usable here ({cause}); try cpu or auto") from None
    return device


def dtype_for(name: str) -> torch.dtype:
    """Return the torch type of ``float64`` or ``float32``."""
    return _DTYPES[name]


@contextmanager
def limited_threads(threads: int | None) -> Iterator[int]:
    """Use so many threads in torch and in BLAS, then the former number; yields the number in force."""
    former = torch.get_num_threads()
    count = threads or former
    torch.set_num_threads(count)
    try:
        with threadpool_limits(limits=count):
            yield count
    finally:
        torch.set_num_threads(former)


def provenance(device: torch.device, threads: int) -> dict[str, Any]:
    """Return what is recorded, not hashed: versions, machine, device, threads and the time of writing."""
    written = datetime.now(UTC).isoformat(timespec="seconds")
    return {"written": written, **_versions(), "device": str(device), "threads": threads}


@lru_cache(maxsize=1)
def _versions() -> dict[str, str]:
    """Return what no process changes; looking it up takes longer than many a step."""
    return {
        "pinnkan": version("pinnkan"),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
    }

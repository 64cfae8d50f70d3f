"""What all tests need: one thread each, two halves for two processes, and a machine that looks idle."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from halves import half_of

# Before torch and OpenBLAS load: two processes of two threads each would starve each other on two cores.
os.environ["OMP_NUM_THREADS"] = "1"
# A shell's background job ignores SIGINT, and so would every process that a test starts and interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each process of ``-n N`` the files that are always its own."""
    from xdist.scheduler import LoadScopeScheduling

    class ByHalf(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return str(half_of(nodeid.partition("::")[0], config.option.numprocesses))

    return ByHalf(config, log)


@pytest.fixture(autouse=True, scope="session")
def _warm_workers() -> Iterator[None]:
    """Fork the workers of ``--jobs`` from a server that has imported torch: a start takes seconds otherwise.

    Programs that tests start in a process of their own spawn their workers as ever.
    """
    warm = multiprocessing.get_context("forkserver")
    warm.set_forkserver_preload(["pinnkan.studies.compare", "pinnkan.sweeps.trainer"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(multiprocessing, "get_context", lambda method=None: warm)
        yield


@pytest.fixture(autouse=True)
def _idle_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no note about a busy machine depend on what else runs."""
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))

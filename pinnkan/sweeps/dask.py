"""A sweep on a Dask cluster: one task a value, files travel with the tasks.

Workers need pinnkan and nothing of our disk: a task brings the base (and the adapter to start
from) and returns the adapter's file. A killed worker's task is given to another one by the scheduler.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from pinnkan.ground.errors import FileAccessError, UsageError
from pinnkan.ground.files import read_file, replace_file
from pinnkan.ground.machine import wait_passively
from pinnkan.storage.runs.adapter_files import adapter_file
from pinnkan.storage.runs.identity import Identity
from pinnkan.storage.runs.paths import base_path
from pinnkan.storage.runs.results import TrainingResult
from pinnkan.storage.store import read_store
from pinnkan.sweeps.options import SweepOptions

CONNECT_WITHIN_S = 10
_LARGEST_FILE = 1 << 30


@dataclass(frozen=True)
class Parcel:
    """A value to train, with the files that it needs.

    Attributes:
        files: Path below the run directory to contents: the base, and the adapter to start from.
        options: Its directory is not the worker's.
        identity: Of the result.
    """

    files: dict[str, bytes]
    options: SweepOptions
    identity: Identity


def unpack_and_train(parcel: Parcel) -> tuple[TrainingResult, bytes | None]:
    """Train a parcel's value in a folder of its own; returns the result and its file's contents."""
    wait_passively()  # a Dask worker is nobody's child of ours
    from pinnkan.sweeps.trainer import WorkerTrainer

    with tempfile.TemporaryDirectory(prefix="pinnkan-") as name:
        folder = Path(name)
        for path, contents in parcel.files.items():
            replace_file(folder / path, contents)
        result = WorkerTrainer(replace(parcel.options, directory=folder))(parcel.identity)
        return result, None if result.path is None else read_file(result.path, _LARGEST_FILE)


class DaskCluster:
    """Jobs as tasks of a Dask scheduler; the same calls as `pinnkan.sweeps.processes.Pool`.

    Args:
        address: Of the scheduler, ``tcp://host:8786``, or a scheduler file.
        options: What is the same for all values.

    Raises:
        UsageError: If Dask is not installed.
        FileAccessError: If no scheduler answers at the address.
    """

    def __init__(self, address: str, options: SweepOptions) -> None:
        try:
            import distributed
        except ImportError:
            raise UsageError("--dask needs Dask: python -m pip install 'pinnkan[dask]'") from None
        self._dask, self._options = distributed, options
        where = {"scheduler_file": address} if Path(address).is_file() else {"address": address}
        try:
            self._client = distributed.Client(**where, timeout=CONNECT_WITHIN_S)
        except (OSError, ValueError) as error:
            raise FileAccessError(f"cannot reach a Dask scheduler at {address}: {error}") from None
        self._futures: dict[Any, int] = {}

    @property
    def free(self) -> int:
        """One more, always: the scheduler queues."""
        return 1

    def submit(self, key: int, identity: Identity) -> None:
        """Hand a value to the scheduler."""
        directory, options = self._options.directory, self._options
        needed = [base_path(directory)]
        if identity.start is not None:
            values = cast(dict[str, float], identity.start["values"])
            needed.append(adapter_file(directory, values, options.method, options.tag))
        own = adapter_file(directory, identity.values, options.method, options.tag)
        if own.is_file() and not options.training.force:
            needed.append(own)  # to go on from, where its error is above the tolerance
        files = {str(path.relative_to(directory)): read_file(path, _LARGEST_FILE) for path in needed}
        parcel = Parcel(files, options, identity)
        self._futures[self._client.submit(unpack_and_train, parcel, pure=False)] = key

    def next(self, timeout: float) -> tuple[int, TrainingResult | BaseException] | None:
        """Return key and result of a task that ended (an exception where it failed), None if none did.

        Raises:
            FileAccessError: If its file cannot be written here.
        """
        try:
            done = self._dask.wait(list(self._futures), timeout, return_when="FIRST_COMPLETED").done
        except TimeoutError:
            return None
        future = next(iter(done))
        key = self._futures.pop(future)
        error = future.exception()
        if error is not None:
            return key, error
        result, contents = future.result()
        if contents is None:
            return key, result
        path = adapter_file(self._options.directory, result.values, result.method, result.tag)
        # The guarded reader looks at it before it gets its name: it comes from another machine.
        replace_file(path, contents, _check)
        return key, replace(result, path=path)

    def close(self) -> list[str]:
        """Call off what has not ended; nothing of it is saved here."""
        self._client.cancel(list(self._futures), force=True)
        self._client.close()
        return []


def _check(path: Path) -> None:
    read_store(path, kind="adapter")

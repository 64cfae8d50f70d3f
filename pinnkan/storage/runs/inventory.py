"""What is there of every value of a run directory: done, running, failed, missing or stale, and why.

Neither torch nor SymPy: a finished sweep of hundreds of values is recognised in a second.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pinnkan.ground.errors import BUG, DamagedFileError, UsageError
from pinnkan.storage.runs.adapter_files import adapter_file
from pinnkan.storage.runs.identity import Identity, ProblemRecord, fits, stored_values, weights_hash
from pinnkan.storage.runs.paths import (
    ADAPTERS,
    BASE_STEM,
    ResultName,
    adapter_paths,
    base_path,
    read_stem,
    stem_of,
    work_path,
    work_stems,
)
from pinnkan.storage.runs.predecessors import followers_of, predecessors_of, started_from
from pinnkan.storage.runs.state_files import Failure, State, read_failure, read_running
from pinnkan.storage.store import Stored, read_store

_NOT_TRAINED = "not trained yet"

Status = Literal["done", "running", "failed", "missing", "stale"]


@dataclass(frozen=True)
class ValueStatus:
    """One parameter value.

    Attributes:
        name: Which result it is; its values are empty where an unreadable file does not tell them.
        file: Where the result is, or will be.
        status: ``done``, ``running``, ``failed``, ``missing`` or ``stale`` (a file is there that
            does not count: damaged, of another base, of other settings).
        why: One sentence.
        age_s: Seconds since the file that tells the status was written; None where there is none.
        meta: What the file of a result that is done says of itself.
        fault: Why the file that is there does not count; None if there is none, or it does.
        kept: Whether that fault is other settings than those asked for: the file is finished and of the
            present base, and nothing but ``--force`` replaces it.
    """

    name: ResultName
    file: str
    status: Status
    why: str
    age_s: float | None
    meta: Mapping[str, Any] | None = None
    fault: str | None = None
    kept: bool = False

    @property
    def path(self) -> Path:
        """The file; made only when asked for, which a hundred thousand missing ones are not."""
        return Path(self.file)


@dataclass(frozen=True)
class _Result:
    """Who a result is, what its file holds (None if there is none) and why that does not count (or None).

    ``kept`` says that all that does not count of it are settings; ``unasked``, what it was trained with that
    nobody asked for.
    """

    name: ResultName
    path: Path
    meta: Mapping[str, Any] | None
    fault: str | None
    kept: bool = False
    unasked: str = ""


def value_status(directory: Path, identity: Identity, tag: str | None) -> ValueStatus:
    """Return what there is of a result that is asked for.

    It is done only if its file verifies and was trained for the same problem, settings, values and base,
    and for the same seed, precision and start as far as these are stated.

    Args:
        directory: The run directory.
        identity: What is asked for.
        tag: Of the file's name.

    Raises:
        FileAccessError: If the system refuses to read the file.
    """
    stem = stem_of(identity.values, identity.method, tag)
    is_base = identity.method == BASE_STEM
    path = base_path(directory) if is_base else adapter_file(directory, identity.values, identity.method, tag)
    stored, fault = _read(path, "base" if is_base else "adapter")
    meta = None if stored is None else stored.meta
    kept, unasked = False, ""
    if meta is not None and identity.answered_by(meta):
        unasked = identity.unasked(meta)
    elif meta is not None:
        kept = _fits(meta, identity)
        fault = _difference(meta, identity) if kept else "the base changed since"
    failure = read_failure(directory, stem)
    if failure is not None and failure.settings_hash != identity.hash:
        failure = None
    result = _Result(_name_of(identity, tag), path, meta=meta, fault=fault, kept=kept, unasked=unasked)
    return _judged(directory, stem, result, failure)


def asked_for(directory: Path, asked: Sequence[Identity], tag: str | None) -> list[ValueStatus]:
    """Return `value_status` of many results: of those without any file one look at the folders tells.

    Raises:
        FileAccessError: If the system refuses to read a file.
    """
    there, folder = _stems(directory), os.fspath(directory / ADAPTERS)
    found = []
    for identity in asked:
        stem = stem_of(identity.values, identity.method, tag)
        if stem in there:
            found.append(value_status(directory, identity, tag))
        else:
            file = f"{folder}{os.sep}{stem}.h5"
            found.append(ValueStatus(_name_of(identity, tag), file, "missing", _NOT_TRAINED, None))
    return found


def _name_of(identity: Identity, tag: str | None) -> ResultName:
    return ResultName(identity.values, identity.method, tag)


def chained(directory: Path, asked: Sequence[Identity], tag: str | None) -> list[ValueStatus]:
    """Return what there is of results each of which starts from its neighbour (`predecessors.chain`).

    Arguments as in `value_status`. Where the neighbour is not done, neither is what starts from it.

    Raises:
        FileAccessError: If the system refuses to read a file.
    """
    predecessors = predecessors_of(asked)
    followers = followers_of(predecessors)
    found: dict[int, ValueStatus] = {}
    ready = deque(followers.get(None, []))
    while ready:
        at = ready.popleft()
        identity, predecessor = asked[at], predecessors[at]
        if predecessor is not None:
            start = found[predecessor]
            path = start.path if start.status == "done" else None
            identity = started_from(identity, asked[predecessor].values, path)
        found[at] = value_status(directory, identity, tag)
        ready.extend(followers.get(at, []))
    return [found[index] for index in range(len(asked))]


def value_statuses(directory: Path) -> list[ValueStatus]:
    """Return the base and every result that a run directory holds or that is at work in it.

    Adapters are judged against the present base alone, whatever their settings.

    Raises:
        FileAccessError: If the system refuses to read a file.
    """
    path = base_path(directory)
    stored, fault = _read(path, "base")
    names: tuple[str, ...] = ()
    base_hash = ""
    base = _Result(ResultName({}, BASE_STEM), path, None, fault)
    if stored is not None:
        names = tuple(parameter.name for parameter in ProblemRecord.read(path, stored.meta).parameters)
        base_hash = weights_hash(stored)
        base = _Result(ResultName(stored_values(path, stored), BASE_STEM), path, stored.meta, None)
    others = [_adapter(directory, stem, names, base_hash) for stem in _stems(directory)]
    found = [
        _judged(directory, stem, result, read_failure(directory, stem)) for stem, result in others if result
    ]
    found.sort(key=_rank)
    return [_judged(directory, BASE_STEM, base, read_failure(directory, BASE_STEM)), *found]


def _rank(status: ValueStatus) -> tuple[list[float], str, str]:
    """Return what results are sorted by: their values, then how they were trained."""
    name = status.name
    return list((name.values or {}).values()), name.method, name.tag or ""


def _stems(directory: Path) -> set[str]:
    stems = {path.name.removesuffix(".h5") for path in adapter_paths(directory)}
    for kind in ("running.json", "failed.json", "checkpoint.h5"):
        stems |= work_stems(directory, kind)
    return stems - {BASE_STEM}


def _adapter(
    directory: Path, stem: str, names: tuple[str, ...], base_hash: str
) -> tuple[str, _Result | None]:
    """Return what the files of one stem are; None if they belong to another family."""
    path = directory / ADAPTERS / f"{stem}.h5"
    stored, fault = _read(path, "adapter")
    if stored is not None:
        meta = stored.meta
        changed = "the base changed since" if base_hash else "there is no base that can be read"
        fault = None if fits(meta, base_hash) else changed
        tag = None if meta.get("tag") is None else str(meta["tag"])
        name = ResultName(stored_values(path, stored), meta["method"], tag)
        return stem, _Result(name, path, meta, fault)
    named = read_stem(stem, names)
    if named is not None:
        return stem, _Result(ResultName(*named), path, None, fault)
    return stem, None if fault is None else _Result(ResultName({}), path, None, f"{path.name}: {fault}")


def _read(path: Path, kind: str) -> tuple[Stored | None, str | None]:
    """Return the contents of a file, or what is wrong with it; neither if there is none."""
    try:
        stored = read_store(path, kind=kind)
        ProblemRecord.read(path, stored.meta)
        stored_values(path, stored)
    except UsageError:
        return None, None
    except DamagedFileError as error:
        message = str(error).removeprefix(f"{path}: ")
        return None, message if message.startswith("damaged") else f"damaged: {message}"
    return stored, None


def _judged(directory: Path, stem: str, result: _Result, failure: Failure | None) -> ValueStatus:
    state_path = work_path(directory, stem, "running.json")
    state = read_running(state_path)

    def found(status: Status, why: str, told_by: Path | None) -> ValueStatus:
        return ValueStatus(
            result.name,
            file=str(result.path),
            status=status,
            why=why,
            age_s=None if told_by is None else _age(told_by),
            meta=result.meta if status == "done" else None,
            fault=result.fault,
            kept=result.kept,
        )

    if result.meta is not None and result.fault is None:
        again = f"; {_at_work(state)}, trains it again" if state else ""
        return found("done", _trained(result.meta, result.unasked) + again, result.path)
    if state is not None:
        return found("running", _at_work(state), state_path)
    if failure is not None:
        # The traceback behind a bug's first line stays in its record.
        message = failure.message.partition("\n")[0] if failure.exit_code == BUG else failure.message
        why = f"{failure.error}: {' '.join(message.split())}"
        return found("failed", why, work_path(directory, stem, "failed.json"))
    status: Status = "missing" if result.fault is None else "stale"
    checkpoint = work_path(directory, stem, "checkpoint.h5")
    if checkpoint.is_file():
        return found(status, f"stopped at {_written_at(checkpoint)}, will continue", checkpoint)
    return found(status, result.fault or _NOT_TRAINED, result.path if result.fault else None)


def _fits(meta: Mapping[str, Any], identity: Identity) -> bool:
    """Tell whether a file is of the base and the problem that are asked for; settings decide nothing here."""
    stated = meta["problem"]
    return (meta.get("base_hash"), stated["text"], stated.get("samples")) == (
        identity.base_hash,
        identity.problem.text,
        identity.problem.samples,
    )


def _difference(meta: Mapping[str, Any], identity: Identity) -> str:
    """Say which settings of a file are others than those of what is asked for."""
    asked = identity.facts()
    pairs = {
        "settings": ("overrides", meta["problem"]["overrides"], list(identity.problem.overrides)),
        f"seed ({meta.get('seed')})": ("seed", meta.get("seed"), identity.seed),
        f"precision ({meta.get('dtype')})": ("dtype", meta.get("dtype"), identity.dtype),
        "start": ("start", meta.get("start"), asked["start"]),
        "values": ("values", meta.get("values"), asked["values"]),
    }
    others = [word for word, (key, a, b) in pairs.items() if a != b and key not in identity.left_open]
    return "other " + (", ".join(others) or "settings or seed")


def _trained(meta: Mapping[str, Any], unasked: str) -> str:
    steps, seconds = (meta["training"].get(key) for key in ("steps", "train_seconds"))
    took = f", {seconds:.1f} s" if isinstance(seconds, (int, float)) else ""
    options = f", with {unasked}" if unasked else ""
    return f"trained in {steps} step{'' if steps == 1 else 's'}{took}{options}"


def _at_work(state: State) -> str:
    step = f", step {state.step}/{state.total}" if state.total else ""
    return f"pid {state.pid} on {state.host}{step}"


def _age(path: Path) -> float | None:
    try:
        return max(0.0, time.time() - path.stat().st_mtime)
    except OSError:
        return None


def _written_at(path: Path) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(path.stat().st_mtime))
    except OSError:
        return "an unknown time"

"""``pinnkan show``: what is inside a base, an adapter or a run directory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from pinnkan.ground.errors import DamagedFileError, UsageError
from pinnkan.language.network_kinds import NETWORK_KINDS
from pinnkan.language.problem import Problem
from pinnkan.language.settings.blocks import NetworkSettings
from pinnkan.storage.runs.directory import RunDirectory
from pinnkan.storage.runs.facts import family_from, hidden_widths
from pinnkan.storage.runs.identity import fits, stored_values, weights_hash
from pinnkan.storage.runs.paths import ADAPTERS, BASE, FAMILY
from pinnkan.storage.runs.results import stored_report
from pinnkan.storage.runs.windows import KEY as WINDOWS
from pinnkan.storage.runs.windows import arrays_in_windows
from pinnkan.storage.store import Stored, read_store
from pinnkan.training.refinement import fitted


def show(path: Path) -> dict[str, Any]:
    """Return what a file or a run says of itself; nothing is computed.

    In a run, an adapter that does not fit the base is marked ``stale`` and one
    that cannot be read ``damaged``; the others are shown all the same.

    Raises:
        UsageError: If a directory has no base, or the file is the state of a stopped training.
        DamagedFileError: If the file, or the base of the run, is damaged or foreign.
    """
    return _show_run(path) if path.is_dir() else _show_file(path)


def _show_run(directory: Path) -> dict[str, Any]:
    run = RunDirectory(directory)
    if not run.base_path.is_file():
        raise UsageError(f"{directory} has no {BASE}; 'pinnkan pretrain PROBLEM -o {directory}' makes one")
    stored = read_store(run.base_path, kind="base")
    first = arrays_in_windows(stored.arrays, stored.meta)[0]
    problem = family_from(run.base_path, stored.meta, hidden_widths(first, stored.meta)).problem
    adapters = [_row(adapter, weights_hash(stored)) for adapter in run.adapter_paths()]
    return {
        "directory": str(directory),
        **_problem_facts(problem, stored),
        "base": _file_facts(run.base_path, stored),
        "adapters": adapters,
        **_family_beside(run.path / FAMILY, weights_hash(stored)),
        "problem_text": problem.file.text,
    }


def _show_file(path: Path) -> dict[str, Any]:
    stored = read_store(path)
    if stored.kind == "checkpoint":
        raise UsageError(
            f"{path} is the state of a training that was stopped, no result; "
            f"'pinnkan status {path.absolute().parent.parent}' tells of it"
        )
    first = arrays_in_windows(stored.arrays, stored.meta)[0]
    own = {name.removeprefix("base."): array for name, array in first.items()}
    problem = family_from(path, stored.meta, hidden_widths(own, stored.meta)).problem
    status = {"status": _status_beside(path, stored)} if stored.kind == "adapter" else {}
    return {
        "file": str(path),
        "kind": stored.kind,
        **status,
        **_problem_facts(problem, stored),
        **(_family_facts(stored) if stored.kind == "family" else _file_facts(path, stored)),
        "problem_text": problem.file.text,
    }


def _family_facts(stored: Stored) -> dict[str, Any]:
    """Return what a family file says of the search that made it."""
    meta = stored.meta
    keys = ("tolerance", "reason", "advice", "adapters", "curve", "effectivity", "seed")
    return {
        "ranges": _ranges(stored),
        **{key: meta.get(key) for key in keys},
        "file_bytes": stored.file_bytes,
        "format_version": stored.version,
        "provenance": dict(meta.get("provenance", {})),
    }


def _ranges(stored: Stored) -> dict[str, list[float]] | None:
    """Return the range of every parameter; None from a file that says nothing of them."""
    found = stored.meta.get("ranges")
    whole = isinstance(found, list) and all(isinstance(layer, list) and len(layer) == 3 for layer in found)
    return {str(name): [low, high] for name, low, high in found or []} if whole else None


def _family_beside(path: Path, base_hash: str) -> dict[str, Any]:
    """Return one line on a run's family file; nothing if there is none."""
    if not path.is_file():
        return {}
    try:
        stored = read_store(path, kind="family")
    except DamagedFileError as fault:
        return {"reduced_basis": {"file": path.name, "status": "damaged", "fault": str(fault)}}
    facts = _family_facts(stored)
    status = "fits" if stored.meta.get("base_hash") == base_hash else "stale"
    kept = {key: facts[key] for key in ("ranges", "tolerance", "reason", "file_bytes")}
    count = len(facts["adapters"] or [])
    return {"reduced_basis": {"file": path.name, "status": status, "adapters": count, **kept}}


def _problem_facts(problem: Problem, stored: Stored) -> dict[str, Any]:
    samples = problem.statements.samples
    return {
        "problem": problem.name,
        "title": problem.file.title,
        "citation": problem.file.citation or None,
        "coordinates": list(problem.coordinates),
        "unknowns": list(problem.unknowns),
        "equations": [equation.text for equation in problem.equations],
        "samples": None if samples is None else str(samples.file),
        "conditions": [condition.text for condition in problem.conditions],
        "constraints": [constraint.text for constraint in problem.constraints],
        "family": [
            {"parameter": p.name, "base": p.base, "low": p.low, "high": p.high} for p in problem.parameters
        ],
        "overrides": list(problem.file.overrides),
        "network": network_facts(_network(problem, stored), problem),
    }


def _network(problem: Problem, stored: Stored) -> NetworkSettings:
    """Return the network's settings, its functions and widths as they are after refinement."""
    names = ("0.coefficients", "0.change", "base.0.coefficients")
    arrays = arrays_in_windows(stored.arrays, stored.meta)[0]
    first = next((arrays[name] for name in names if name in arrays), None)
    coefficients = None if first is None else [torch.from_numpy(first)]
    own = {name.removeprefix("base."): array for name, array in stored.arrays.items()}
    network = fitted(problem.settings.network, coefficients)
    return replace(network, hidden=hidden_widths(own, stored.meta) or network.hidden)


def network_facts(settings: NetworkSettings, problem: Problem) -> dict[str, Any]:
    """Return a network's kind, widths such as ``2-64-64-1``, and basis; of several side by side, of each."""
    groups = settings.separate or (problem.unknowns,)
    widths = ["-".join(map(str, (problem.inputs, *settings.hidden, len(group)))) for group in groups]
    facts: dict[str, Any] = {"kind": settings.kind, "widths": ", ".join(widths)}
    if settings.separate is not None:
        written = [f"[{', '.join(group)}]" if len(group) > 1 else group[0] for group in settings.separate]
        facts["separate"] = f"[{', '.join(written)}]"
    return (
        facts | {"basis": settings.basis, "functions": settings.functions}
        if NETWORK_KINDS[settings.kind].on_edges
        else facts
    )


def _file_facts(path: Path, stored: Stored) -> dict[str, Any]:
    meta = stored.meta
    provenance = meta.get("provenance")
    return {
        "parameters": stored_values(path, stored),
        "method": meta.get("method"),
        "tag": meta.get("tag"),
        "seed": meta.get("seed"),
        "dtype": meta.get("dtype"),
        **({"windows": meta[WINDOWS]} if WINDOWS in meta else {}),
        "numbers": sum(array.size for array in stored.arrays.values()),
        "file_bytes": stored.file_bytes,
        "format_version": stored.version,
        "training": stored_report(meta) | {"advice": meta["training"].get("advice")},
        "provenance": provenance if isinstance(provenance, dict) else {},
    }


def _row(path: Path, base_hash: str) -> dict[str, Any]:
    """Return one line of a run's table of adapters."""
    try:
        stored = read_store(path, kind="adapter")
        values = stored_values(path, stored)
    except DamagedFileError as fault:
        return {"file": path.name, "status": "damaged", "fault": str(fault)}
    row: dict[str, Any] = {
        "file": path.name,
        "status": "fits" if fits(stored.meta, base_hash) else "stale",
        "parameters": values,
        "method": stored.meta.get("method"),
        "tag": stored.meta.get("tag"),
        "file_bytes": stored.file_bytes,
    }
    return row | stored_report(stored.meta)


def _status_beside(path: Path, stored: Stored) -> str:
    """Tell whether an adapter fits the base of the run it lies in."""
    base = path.resolve().parent.parent / BASE
    if path.resolve().parent.name != ADAPTERS or not base.is_file():
        return "no base beside it"
    try:
        return "fits" if fits(stored.meta, weights_hash(read_store(base, kind="base"))) else "stale"
    except DamagedFileError:
        return "the base beside it is damaged"

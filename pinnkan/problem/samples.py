"""The block ``samples``: a function given by values at points, to be represented rather than solved for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pinnkan.datafiles import Columns, DataFile
from pinnkan.errors import UsageError, quote
from pinnkan.problem.fields import (
    describe,
    read_block,
    read_number,
    read_text,
    refuse_unknown_keys,
    require,
)
from pinnkan.problem.places import Faults
from pinnkan.problem.reader import Block
from pinnkan.problem.spec import Samples

if TYPE_CHECKING:
    from pinnkan.problem.instance import Instance
    from pinnkan.problem.spec import Problem

FloatArray = NDArray[np.float64]

_EXAMPLE = "{file: data.csv, validation: 1/5}"
_VALIDATION = 0.2
_STREAM = 0x5A3


class SampleSet(NamedTuple):
    """Points (N, D) and the values given there, (N,)."""

    points: FloatArray
    values: FloatArray


def read_samples(root: Block, directory: Path | None, faults: Faults) -> Samples | None:
    """Read ``samples``, which stands instead of ``equations``; None if there is none or it has a fault.

    The file is looked for when it is needed: a stored result may outlive its data.
    """
    node = root.get("samples")
    block = None if node is None else read_block(node, "samples", faults, example=_EXAMPLE)
    if node is None or block is None:
        return None
    if root.get("equations") is not None:
        faults.add(node.place, "samples: give either equations or samples, not both")
    refuse_unknown_keys(block, ("file", "validation"), "samples", faults)
    file = require(block, "file", "samples", block.place, faults, example="data.csv")
    text = None if file is None else read_text(file, "samples.file", faults)
    if file is None or text is None:
        return None
    path = (directory or Path()) / text
    if path.suffix.lower() not in (".csv", ".npz"):
        faults.add(file.place, f"samples.file: expected a file ending in .csv or .npz, got {quote(text)}")
    return Samples(path, _read_validation(block, faults))


def _read_validation(block: Block, faults: Faults) -> float:
    node = block.get("validation")
    share = _VALIDATION if node is None else read_number(node, "samples.validation", faults)
    if node is not None and share is not None and not 0.0 < share < 1.0:
        faults.add(node.place, f"samples.validation: expected a share between 0 and 1, got {describe(node)}")
    return _VALIDATION if share is None else share


def load_samples(problem: Problem) -> SampleSet:
    """Return all rows of a problem's samples, in the order of the file.

    Raises:
        FileAccessError: If the file cannot be read.
        UsageError: If a column is missing or an entry is no finite number.
    """
    assert problem.samples is not None
    if "samples" not in problem.cache:
        names = [*problem.coordinates, problem.unknown]
        file = DataFile(problem.samples.file, what="samples")
        problem.cache["samples"] = file.columns(names, gaps_in=problem.unknown)
    columns = problem.cache["samples"]
    assert isinstance(columns, Columns)
    return SampleSet(columns.points(problem.coordinates), columns.arrays[problem.unknown])


def split_samples(instance: Instance, *, seed: int) -> tuple[SampleSet, SampleSet]:
    """Return the samples to train on and those held out, drawn by the seed.

    Raises:
        FileAccessError: If the file cannot be read.
        UsageError: If it is no such table, a point is outside the domain or a side of the split is empty.
    """
    samples = instance.problem.samples
    assert samples is not None
    points, values = load_samples(instance.problem)
    outside = np.flatnonzero(~instance.domain.contains(points))
    if outside.size:
        at = ", ".join(f"{x:.9g}" for x in points[outside[0]])
        raise UsageError(
            f"samples {samples.file}: {outside.size} of {len(points)} points are outside the domain, "
            f"first ({at}) in row {outside[0] + 1}"
        )
    held = round(samples.validation * len(values))
    if not 0 < held < len(values):
        raise UsageError(
            f"samples {samples.file}: {len(values)} rows cannot be split with "
            f"validation {samples.validation:g}; each side needs one at least"
        )
    order = np.random.default_rng([seed, _STREAM]).permutation(len(values))
    kept, validation = order[held:], order[:held]
    return SampleSet(points[kept], values[kept]), SampleSet(points[validation], values[validation])

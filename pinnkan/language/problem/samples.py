"""The block ``samples``: a function given by values at points, to be represented rather than solved for."""

from __future__ import annotations

from pathlib import Path

from pinnkan.ground.errors import quote
from pinnkan.language.problem.spec import DataTable
from pinnkan.language.reading.fields import (
    describe,
    read_block,
    read_number,
    read_text,
    refuse_unknown_keys,
    require,
)
from pinnkan.language.reading.nodes import Block
from pinnkan.language.reading.places import Faults

_EXAMPLE = "{file: data.csv, validation: 1/5}"
_VALIDATION = 0.2


def read_samples(root: Block, directory: Path | None, faults: Faults) -> DataTable | None:
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
    return DataTable(path, _read_validation(block, faults))


def _read_validation(block: Block, faults: Faults) -> float:
    node = block.get("validation")
    share = _VALIDATION if node is None else read_number(node, "samples.validation", faults)
    if node is not None and share is not None and not 0.0 < share < 1.0:
        faults.add(node.place, f"samples.validation: expected a share between 0 and 1, got {describe(node)}")
    return _VALIDATION if share is None else share

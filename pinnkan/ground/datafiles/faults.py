"""What is wrong with the content of a data file, before anybody knows what the file is for."""

from __future__ import annotations

from collections.abc import Sequence


class DataFault(Exception):
    """Content that is no table of numbers.

    Args:
        faults: Line of the file (None for the whole of it) and what was found and expected there.
    """

    def __init__(self, faults: Sequence[tuple[int | None, str]]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(text for _, text in self.faults))

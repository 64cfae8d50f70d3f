"""A study's tables as a section of a Markdown file, which the next report replaces."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pinnkan.errors import FileAccessError
from pinnkan.files import replace_file
from pinnkan.workflows.compare import planned
from pinnkan.workflows.study import Study
from pinnkan.workflows.study_rows import Row
from pinnkan.workflows.tables import tables_of


def section(name: str, study: Study, rows: Sequence[Row]) -> str:
    """Return the section: how many cells have a result, every table, and what every failure said.

    Args:
        name: Of the study, by which the section is found again.
        study: What is compared.
        rows: Those there are, as `pinnkan.workflows.compare.compare` returns them.
    """
    done = sum(row["status"] == "done" for row in rows)
    diverged = sum(row["status"] == "diverged" for row in rows)
    failed = len(rows) - done - diverged
    parts = [
        f"## {study.title}",
        f"{done} of {len(planned(study))} cells done, {diverged} diverged, {failed} failed.",
    ]
    for table in tables_of(study, rows):
        parts += [f"{table.title}:", table.markdown(), *table.notes]
    begin, end = _marks(name)
    return "\n\n".join([begin, *parts, end])


def write_report(path: Path, name: str, study: Study, rows: Sequence[Row]) -> None:
    """Put a study's section into a Markdown file, in place of the one it had or at the end.

    Raises:
        FileAccessError: If the file cannot be read or written.
    """
    try:
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
    except OSError as error:
        raise FileAccessError.of("read", path, error) from None
    begin, end = _marks(name)
    before, found, rest = text.partition(begin)
    after = rest.partition(end)[2] if found else "\n"
    gap = "" if found or not before.strip() else "\n"
    replace_file(path, f"{before}{gap}{section(name, study, rows)}{after}".encode())


def _marks(name: str) -> tuple[str, str]:
    return f"<!-- study: {name} -->", f"<!-- end of {name} -->"

"""A study's tables as a section of a Markdown file, which the next report replaces."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pinnkan.ground.errors import UsageError
from pinnkan.ground.files import read_data, replace_file, require_writable
from pinnkan.studies.planning import planned
from pinnkan.studies.rows import Row
from pinnkan.studies.study import Study
from pinnkan.studies.tables import tables_of

_LARGEST_FILE = 16 * 1024 * 1024


def section(name: str, study: Study, rows: Sequence[Row]) -> str:
    """Return the section: how many cells have a result, every table, and what every failure said.

    Args:
        name: Of the study, by which the section is found again.
        study: What is compared.
        rows: Those there are, as `pinnkan.studies.compare.compare` returns them.
    """
    unfinished = [row for row in rows if row["status"] != "done"]
    done = sum(row["status"] == "done" for row in rows)
    diverged = sum(row["status"] == "diverged" for row in rows)
    failed = len(rows) - done - diverged
    parts = [
        f"## {study.title}",
        f"{done} of {len(planned(study))} cells done, {diverged} diverged, {failed} failed.{_hours(rows)}",
    ]
    if study.shared.overrides:
        texts = ", ".join(f"`{text}`" for text in study.shared.overrides)
        parts.append(f"Settings of all cells: {texts}.")
    for table in tables_of(study, rows):
        parts += [f"{table.title}:", table.markdown(), *table.notes]
    columns = (*study.axes, *study.values, "seed")
    parts += [f"- {', '.join(str(row[column]) for column in columns)}: {row['error']}" for row in unfinished]
    begin, end = _marks(name)
    return "\n\n".join([begin, *parts, end])


def _hours(rows: Sequence[Row]) -> str:
    """Say how long the trainings took, one after the other; a base serves many rows and counts once."""
    values = sum(row["train_seconds"] or 0.0 for row in rows)
    # No two measured times are equal to all digits: the same time is the same base.
    bases = sum({row["base_seconds"] for row in rows if row["base_seconds"]})
    return f" Trainings: {(values + bases) / 3600:.2f} h, {bases / 3600:.2f} h of them bases." if rows else ""


def write_report(path: Path, name: str, study: Study, rows: Sequence[Row]) -> None:
    """Put a study's section into a Markdown file, in place of the one it had or at the end.

    Raises:
        UsageError: If the file is no text, or the end of the section is missing in it.
        FileAccessError: If the file cannot be read or written.
    """
    before, after = around(path, name)
    replace_file(path, f"{before}{section(name, study, rows)}{after}".encode())


def around(path: Path, name: str) -> tuple[str, str]:
    """Return what stands before and behind a study's section, or where it will be.

    Raises:
        UsageError: If the file is no text, or the end of the section is missing in it.
        FileAccessError: If it cannot be read or written.
    """
    require_writable(path)
    try:
        content = read_data(path, what="report", max_bytes=_LARGEST_FILE) if path.is_file() else b""
        text = content.decode()
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not a text file; --report writes Markdown") from None
    begin, end = _marks(name)
    before, found, rest = text.partition(begin)
    if not found:
        return before + ("\n" if before.strip() else ""), "\n"
    _, ended, after = rest.partition(end)
    if not ended:
        raise UsageError(f"{path}: the line '{end}' is missing, so what belongs to the report cannot be told")
    return before, after


def _marks(name: str) -> tuple[str, str]:
    return f"<!-- study: {name} -->", f"<!-- end of {name} -->"

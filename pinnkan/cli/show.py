"""``pinnkan show``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from pinnkan.cli.terminal import options, render, verdicts
from pinnkan.ground.errors import UsageError

PROBLEM_TEXT = "problem_text"

EXAMPLES = options.examples(
    "pinnkan show runs/elliptic",
    "pinnkan show runs/elliptic/adapters/lambda=0.1.h5 --json",
)

Target = Annotated[
    Path,
    typer.Argument(metavar="FILE-or-DIR", help="A base, an adapter or a run directory.", show_default=False),
]
Whole = Annotated[bool, typer.Option("-v", "--verbose", help="The text of the problem file as well.")]


def show(
    target: Target,
    as_json: options.AsJson = False,
    quiet: options.QuietAlready = False,
    verbose: Whole = False,
) -> None:
    """Show what is inside a file or a run.

    The problem, sizes, training, errors and provenance.
    """
    if not target.exists():
        raise UsageError(f"there is no file or directory {target}")
    from pinnkan.workflows.show import show as run

    data = dict(run(target))
    if as_json:
        render.write_json(data)
        return
    text = data.pop(PROBLEM_TEXT, None)
    remarks = ""
    if "adapters" in data:  # a reason is too long for a column
        remarks = verdicts.remarks([row for row in data["adapters"] if "parameters" in row])
        data["adapters"] = [_without_reasons(row) for row in data["adapters"]]
    render.write(render.document(verdicts.worded(data)) + remarks)
    if verbose and text:
        render.write(f"\n{text.rstrip()}")


def _without_reasons(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in ("reasons", "levels")}

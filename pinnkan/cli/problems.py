"""``pinnkan problems``."""

from __future__ import annotations

from typing import Annotated

import typer

from pinnkan.cli.terminal import options, render

EXAMPLES = options.examples("pinnkan problems", "pinnkan problems --json")

Files = Annotated[bool, typer.Option("-v", "--verbose", help="Their files as well.")]


def problems(
    as_json: options.AsJson = False, quiet: options.QuietAlready = False, verbose: Files = False
) -> None:
    """List the problems that ship with the package.

    Each name is a PROBLEM for 'pinnkan check' and 'pinnkan pretrain'.
    """
    from pinnkan.language.problem.finding import shipped_problems, top_level_text

    rows = [
        {"name": name, "title": top_level_text(path, "title") or "", "file": str(path)}
        for name, path in shipped_problems().items()
    ]
    if as_json:
        render.write_json({"problems": rows})
    else:
        render.write(render.table(rows, ("name", "title", "file") if verbose else ("name", "title")))

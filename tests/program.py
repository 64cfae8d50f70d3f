"""The program put together once a process: Typer takes longer over it than many commands take to run."""

from __future__ import annotations

from functools import cache
from typing import Any

import typer


@cache
def program() -> Any:
    """Return what `pinnkan.cli.app.make_app` makes, as one command that may be run any number of times."""
    from pinnkan.cli.app import make_app

    return typer.main.get_command(make_app())

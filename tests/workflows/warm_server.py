"""Runs the scripts beside it, each in a fork of one process that has imported torch and trained once.

Usage: warm_server.py FOLDER. A line of its stdin is a JSON list, the name of a script's module and the
arguments of its ``main``; a line of its stdout is what came of it, a JSON list: exit code, stdout, stderr.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from warm_commands import warm_up


def answer(folder: Path, name: str, arguments: list[Any]) -> tuple[int, str, str]:
    """Run a script to its end in a child; return its exit code, stdout and stderr."""
    streams = [folder / f"{name}.{number}.txt" for number in (1, 2)]
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            for number, path in enumerate(streams, start=1):
                os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
            place, *numbers = arguments
            importlib.import_module(name).main(Path(place), *numbers)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return code, *(path.read_text() for path in streams)


def main(folder: Path) -> None:
    warm_up(folder)
    while line := sys.stdin.readline():
        name, *arguments = json.loads(line)
        print(json.dumps(answer(folder, name, arguments)), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

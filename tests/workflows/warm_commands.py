"""Whole commands in forked children of one warm process: a tenth of a second each, and no start-up.

For scripts, not for pytest: what forks must have one thread. A child runs the program as the shell
would, to its exit code; what it does may be watched, made to fail or killed.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
import typer
from tiny_family import TINY

import pinnkan.cli.app
from pinnkan.storage.store import read_store
from pinnkan.sweeps import job as training_job
from pinnkan.sweeps import trainer  # noqa: F401  (what commands import late)

Arrays = dict[str, np.ndarray]

PROBLEM = TINY.replace("{steps: 6}", "{steps: 4, patience: 0}").replace(
    "{steps: 4, points: 80}", "{steps: 4, points: 40, patience: 0}"
)


def _unjudged(*_: object) -> dict[str, None]:
    """Give no verdict: it takes longer than so short a training and touches no file."""
    return {"relative_residual": None, "verdict": None, "reasons": None}


PROGRAM = typer.main.get_command(pinnkan.cli.app.make_app())
"""Put together once: that takes half as long as a whole command here."""

# In every child, which is a fork of this process.
training_job.judgement = _unjudged
pinnkan.cli.app.make_app = lambda: PROGRAM


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code (minus a signal's number) and what it wrote."""

    code: int
    out: str
    err: str


class Command:
    """A command under way in a child.

    Args:
        folder: Where its two streams are kept.
        words: Its arguments, all but ``--threads 1``.
        prepare: Called in the child before it begins.
    """

    def __init__(self, folder: Path, words: Sequence[object], prepare: Callable[[], object]) -> None:
        self._streams = [folder / name for name in ("out.txt", "err.txt")]
        self.pid = os.fork()
        if self.pid == 0:
            os._exit(self._run([*map(str, words), "--threads", "1"], prepare))

    def _run(self, words: list[str], prepare: Callable[[], object]) -> int:
        os.setpgid(0, 0)
        for number, path in enumerate(self._streams, start=1):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        # Workers of --jobs are forked, too: they are warm, and they are watched as we are.
        forked = multiprocessing.get_context("fork")
        multiprocessing.get_context = lambda _=None: forked  # type: ignore[assignment]
        sys.argv[:] = ["pinnkan", *words]
        code: Any = 70
        try:
            prepare()
            pinnkan.cli.app.main()
        except SystemExit as end:
            code = end.code or 0
        finally:
            for process in multiprocessing.active_children():
                process.kill()
        sys.stdout.flush()
        sys.stderr.flush()
        return int(code)

    def ended(self) -> bool:
        """Tell whether it ended by itself, leaving it to be waited for."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def wait(self) -> Ended:
        """Wait for its end."""
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return Ended(code, *(path.read_text() for path in self._streams))


def run(folder: Path, *words: object, prepare: Callable[[], object] = lambda: None) -> Ended:
    """Run a command to its end."""
    return Command(folder, words, prepare).wait()


def done(folder: Path, *words: object) -> Ended:
    """Run a command and insist that it succeeds."""
    ended = run(folder, *words)
    assert ended.code == 0, ended.err
    return ended


def warm_up(folder: Path) -> None:
    """Write the problem, and train once in this process or one that it is a fork of.

    So whatever is loaded or cached late is there in every child.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tiny.yaml").write_text(PROBLEM)
    _train_once()


@cache
def _train_once() -> None:
    torch.set_num_threads(1)
    out = sys.stdout, sys.stderr
    with (
        TemporaryDirectory() as place,
        open(os.devnull, "w") as sys.stdout,
        open(os.devnull, "w") as sys.stderr,
    ):
        problem, run_directory = Path(place) / "tiny.yaml", Path(place) / "warm"
        problem.write_text(PROBLEM)
        for words in (
            ("pretrain", problem, "-o", run_directory),
            ("finetune", run_directory, "--lambda", "0.5"),
        ):
            sys.argv[:] = ["pinnkan", *map(str, words), "--threads", "1"]
            with suppress(SystemExit):
                pinnkan.cli.app.main()
        assert list((run_directory / "adapters").iterdir())
    sys.stdout, sys.stderr = out


def same_arrays(one: Path, other: Path) -> bool:
    """Tell whether two files verify and hold the same numbers, bit by bit."""
    left, right = read_store(one).arrays, read_store(other).arrays
    return left.keys() == right.keys() and all(np.array_equal(left[name], right[name]) for name in left)


def finished_files(run_directory: Path) -> dict[Path, bytes]:
    """Return every file under its final name, after a look at whether it verifies."""
    found = {path: path.read_bytes() for path in run_directory.rglob("[!.]*.h5")}
    for path in found:
        read_store(path)
    return found


def temporary_files(run_directory: Path) -> list[str]:
    """Return the names of files that no writer has given its final name."""
    return sorted(path.name for path in run_directory.rglob(".*") if path.is_file())

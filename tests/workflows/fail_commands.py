"""Make each call by which a command writes fail in turn, and look at what is left.

Usage: fail_commands.py FOLDER EVERY. Every call of every command fails with every cause if EVERY is 1;
otherwise each call with one cause, the causes in turn, of the i-th command every EVERY-th call.
Prints one JSON object: the calls of each command, how many failed, and what was wrong (nothing).
"""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import re
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warm_commands import Ended, done, finished_files, run, same_arrays, temporary_files, warm_up

from pinnkan.storage.runs import checkpoints

CAUSES = (errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS)
CALLS = ("open", "write", "fsync", "close", "replace", "mkdir", "unlink")
IN_PLACE = "; the new file is in place, but a power cut may bring the old one back"


class Failing:
    """The calls of ``os`` that touch a folder: counted in all processes, listed, and one of them refused.

    Args:
        folder: The folder.
        log: Gets a line a call.
        fail_at: Number of the call to fail, from 1; 0 for none.
        code: With which error.
    """

    def __init__(self, folder: Path, log: Path, fail_at: int, code: int) -> None:
        self._folder, self._fail_at, self._code = str(folder), fail_at, code
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        self._count = multiprocessing.get_context("fork").Value("i", 0)
        self._write = os.write
        for name in CALLS:
            setattr(os, name, self._guarded(name, getattr(os, name)))

    def _guarded(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*arguments: Any, **options: Any) -> Any:
            place = self._place(arguments[0])
            if place is None or (name == "open" and not self._writes(place, arguments[1])):
                return call(*arguments, **options)
            with self._count:  # the log's line and the number are of the same call, whoever else calls
                self._count.value += 1
                number = self._count.value
                self._write(self._log, f"{name} {place}\n".encode())
            if number != self._fail_at:
                return call(*arguments, **options)
            if name == "close":
                call(*arguments)  # Linux frees the descriptor even if close reports an error
            raise OSError(self._code, os.strerror(self._code), None if name in ("write", "fsync") else place)

        return guarded

    def _place(self, target: Any) -> str | None:
        """Return the path that a call is about, if it is in the folder."""
        try:
            place = os.readlink(f"/proc/self/fd/{target}") if isinstance(target, int) else os.fspath(target)
        except OSError:
            return None
        return place if str(place).startswith(self._folder) else None

    @staticmethod
    def _writes(place: str, flags: int) -> bool:
        """Tell whether a file is opened to be written; folders are, to be flushed."""
        return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_DIRECTORY))


@dataclass(frozen=True)
class Case:
    """A command on a copy of a folder.

    Attributes:
        words: Its arguments; RUN stands for the run directory.
        before: Which folder it is run in: ``empty``, ``base``, ``stopped`` (a checkpoint) or ``adapters``.
        stop: Whether SIGTERM comes after the second step.
    """

    words: str
    before: str
    stop: bool = False


CASES = {
    "pretrain": Case("pretrain tiny.yaml -o RUN", "empty"),
    "pretrain --force": Case("pretrain tiny.yaml -o RUN --force", "adapters"),
    "pretrain, stopped": Case("pretrain tiny.yaml -o RUN", "empty", stop=True),
    "finetune": Case("finetune RUN --lambda 0.5,1", "base"),
    "finetune, going on": Case("finetune RUN --lambda 0.5", "stopped"),
    "finetune --force": Case("finetune RUN --lambda 0.5 --force", "adapters"),
    "finetune, stopped": Case("finetune RUN --lambda 0.5,1", "base", stop=True),
    "finetune --jobs": Case("finetune RUN --lambda 0.5,1 --jobs 2", "base"),
    "finetune --jobs, stopped": Case("finetune RUN --lambda 0.5,1 --jobs 2", "base", stop=True),
}


def stop_after_two_steps() -> None:
    """In a child: a signal arrives in the middle of the training."""
    take = checkpoints.Keeper.__call__

    def taking(keeper: checkpoints.Keeper, state: Any) -> None:
        take(keeper, state)
        if state.steps == 2:
            worker = multiprocessing.parent_process() is not None
            os.kill(os.getppid() if worker else os.getpid(), signal.SIGTERM)
            time.sleep(5.0 * worker)  # until the parent has asked us to end

    checkpoints.Keeper.__call__ = taking


class Bench:
    """Runs cases in a folder, each from the same beginning."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.run, self.log = folder, folder / "run", folder / "calls.txt"
        self.whole = folder / "whole"
        done(folder, "pretrain", folder / "tiny.yaml", "-o", folder / "base")
        shutil.copytree(folder / "base", folder / "stopped")
        words = ["finetune", folder / "stopped", "--lambda", "0.5"]
        assert run(folder, *words, prepare=stop_after_two_steps).code == 75
        shutil.copytree(folder / "base", self.whole)
        done(folder, "finetune", self.whole, "--lambda", "0.5,1")
        shutil.copytree(self.whole, folder / "adapters")

    def __call__(self, case: Case, fail_at: int, code: int = 0) -> Ended:
        shutil.rmtree(self.run, ignore_errors=True)
        if case.before != "empty":
            shutil.copytree(self.folder / case.before, self.run)
        self.old = finished_files(self.run)

        def prepare() -> None:
            if case.stop:
                stop_after_two_steps()
            Failing(self.run, self.log, fail_at, code)

        return run(self.folder, *self.words(case), prepare=prepare)

    def words(self, case: Case) -> list[str]:
        """Return a case's arguments."""
        places = {"RUN": str(self.run), "tiny.yaml": str(self.folder / "tiny.yaml")}
        return [places.get(word, word) for word in case.words.split()]

    def calls(self) -> list[str]:
        """Return the calls of the last run, temporary names without their numbers."""
        text = self.log.read_text().replace(f"{self.run}", "RUN")
        return re.sub(r"/\.(\S+)\.tmp\.\S+", r"/.\1.tmp", text).splitlines()


def harmless(call: str) -> bool:
    """Tell whether a command may succeed without a call: it only tidies up after a result that is whole."""
    return bool(re.fullmatch(r"unlink RUN/work/[^.]\S*\.(running|failed)\.json", call))


def faults(bench: Bench, case: Case, call: str, code: int, ended: Ended) -> list[str]:
    """Return what is wrong with a command one call of which was refused."""
    wrong, cause = [], os.strerror(code)
    lines = [line for line in ended.err.splitlines() if cause in line]
    if harmless(call):
        if ended.code != (75 if case.stop else 0):
            wrong.append(f"exit code {ended.code}")
    elif case.stop and ".checkpoint" in call and (ended.code != 74 or "lambda=1: lm" in ended.err):
        wrong.append(f"exit code {ended.code}, or went on after the signal: {ended.err[-300:]}")
    elif ended.code not in ((1, 74, 75) if case.stop else (1, 74)):
        wrong.append(f"exit code {ended.code}: {ended.err[-300:]}")
    elif not any(str(bench.run) in line for line in lines) or "Traceback" in ended.err + ended.out:
        wrong.append(f"cause or path not named: {ended.err[-300:]}")
    temporary = temporary_files(bench.run)
    if temporary and not (call.startswith("unlink") and len(temporary) == 1):
        wrong.append(f"left {temporary}")
    return wrong + _lost(bench, in_place=IN_PLACE in ended.err)


def _lost(bench: Bench, *, in_place: bool) -> list[str]:
    """Return which old files are neither as they were nor replaced by a whole one as announced."""
    wrong, now = [], finished_files(bench.run)
    for path, data in bench.old.items():
        if "checkpoint" in path.name:
            continue
        if path not in now:
            wrong.append(f"{path.name} is lost")
        elif now[path] != data and not (
            in_place or same_arrays(path, bench.whole / path.relative_to(bench.run))
        ):
            wrong.append(f"{path.name} is another")
    return wrong


def _after_it(bench: Bench, case: Case) -> list[str]:
    """Return what is wrong with the same command on a disk that works again."""
    done(bench.folder, *bench.words(case))
    wrong = [f"then left {name}" for name in temporary_files(bench.run)]
    wrong += [f"then left {path.name}" for path in (bench.run / "work").iterdir()]
    return wrong + [
        f"then {path.name} is another"
        for path in finished_files(bench.run)
        if not same_arrays(path, bench.whole / path.relative_to(bench.run))
    ]


def main(folder: Path, every: int) -> None:
    warm_up(folder)
    bench, wrong = Bench(folder), []
    counts: dict[str, Counter[str]] = {}
    failed = 0
    for at, (name, case) in enumerate(CASES.items()):
        code = bench(case, 0).code
        assert code == (75 if case.stop else 0), (name, code)
        total = len(bench.calls())
        counts[name] = Counter(call.split()[0] for call in bench.calls())
        for number in range(1 + at % every, total + 1, every):
            for cause in CAUSES if every == 1 else (CAUSES[(number + at) % len(CAUSES)],):
                ended = bench(case, number, cause)
                if len(bench.calls()) < number:  # two workers do not always the same
                    continue
                call, failed = bench.calls()[number - 1], failed + 1
                found = faults(bench, case, call, cause, ended)
                if cause == CAUSES[(number + at) % len(CAUSES)]:
                    found += _after_it(bench, case)
                wrong += [f"{name}: {call} with {errno.errorcode[cause]}: {fault}" for fault in found]
    print(json.dumps({"counts": counts, "failed": failed, "wrong": wrong}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))

"""Stop commands by a signal in the middle of a training, and give the same commands again.

Usage: stop_commands.py FOLDER. Prints one JSON object: of every stop the exit code, what was said, the CPU
seconds that ending took, what it left in ``work`` and what the second run said; and what was wrong (nothing).
"""

from __future__ import annotations

import json
import mmap
import os
import random
import resource
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from warm_commands import PROBLEM, Command, done, same_arrays, warm_up

from pinnkan.storage.runs import checkpoints

STEPS, STEP_S = 30, 0.03
"""Length of a training: slow steps, so that a signal arrives in the middle on a busy machine, too."""
STOP_AFTER = 5


def slowly(seen: mmap.mmap) -> None:
    """In a child: say which of two trainings have made some steps, and wait after each."""
    take = checkpoints.Keeper.__call__

    def taking(keeper: checkpoints.Keeper, state: Any) -> None:
        take(keeper, state)
        seen["lambda=1." in keeper.path.name] |= state.steps >= STOP_AFTER
        time.sleep(STEP_S)

    checkpoints.Keeper.__call__ = taking


def stop(folder: Path, number: int, words: list[object], *, trainings: int, draw: random.Random) -> Any:
    """Send a signal when so many trainings are under way; return what is told of the stop."""
    seen = mmap.mmap(-1, 2)
    command = Command(folder, words, partial(slowly, seen))
    while sum(seen[:2]) < trainings:
        assert not command.ended(), (folder / "err.txt").read_text()
        time.sleep(1e-3)
    time.sleep(draw.uniform(0, STEP_S))
    tree = [
        command.pid,
        *map(int, Path(f"/proc/{command.pid}/task/{command.pid}/children").read_text().split()),
    ]
    before, spent = _waited_for(), sum(map(_cpu_s, tree))
    os.kill(command.pid, number)
    ended = command.wait()
    # On an idle machine about the seconds that somebody waits; on a busy one those would prove nothing.
    return {"code": ended.code, "err": ended.err, "seconds": _waited_for() - before - spent}


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _waited_for() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(folder: Path) -> None:
    warm_up(folder)
    problem, whole, draw = folder / "tiny.yaml", folder / "whole", random.Random(0)
    problem.write_text(PROBLEM.replace("steps: 4,", f"steps: {STEPS},"))
    done(folder, "pretrain", problem, "-o", whole)
    done(folder, "finetune", whole, "--lambda", "0.5,1")
    values = ["--lambda", "0.5,1"]
    cases: dict[str, tuple[int, str, list[object], int]] = {
        "pretrain, SIGINT": (signal.SIGINT, "one", ["pretrain", problem, "-o", folder / "one"], 1),
        "pretrain, SIGTERM": (signal.SIGTERM, "two", ["pretrain", problem, "-o", folder / "two"], 1),
        "finetune, SIGTERM": (signal.SIGTERM, "one", ["finetune", folder / "one", *values], 1),
        "finetune --jobs, SIGINT": (
            signal.SIGINT,
            "two",
            ["finetune", folder / "two", *values, "--jobs", "2"],
            2,
        ),
    }
    stops, wrong = {}, []
    for name, (number, run, words, trainings) in cases.items():
        told = stop(folder, number, words, trainings=trainings, draw=draw)
        work = folder / run / "work"
        told["left"] = sorted(path.name for path in work.iterdir())
        told["then"] = done(folder, *words, "-v").err
        stops[name] = told
        wrong += [f"{name}: left {path.name}" for path in work.iterdir()]
    for run in ("one", "two"):
        for path in whole.rglob("*.h5"):
            if not same_arrays(path, folder / run / path.relative_to(whole)):
                wrong.append(f"{run}: {path.name} is another")
    print(json.dumps({"stops": stops, "wrong": wrong, "compared": len(list(whole.rglob("*.h5")))}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

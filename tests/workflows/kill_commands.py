"""Kill ``finetune`` with SIGKILL at random moments of training and saving, and start it again.

Usage: kill_commands.py FOLDER ROUNDS SEED. Prints one JSON object: how many kills fell in which stage,
how often a training went on from a checkpoint, and what was wrong (nothing).
"""

from __future__ import annotations

import json
import mmap
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from warm_commands import Command, done, finished_files, same_arrays, temporary_files, warm_up

from pinnkan.ground.files.leftovers import claim_temporary
from pinnkan.storage.runs import checkpoints
from pinnkan.sweeps import job as training_job

VALUES = ["--lambda", "0:1:5"]
STAGES = ("beginning", "training", "saving a checkpoint", "saving an adapter", "between")
AIMS = ("any", "training", "saving a checkpoint", "saving an adapter", "stopping")


class Marks:
    """What a child is at: one byte that parent and child share."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, 1)

    @property
    def stage(self) -> str:
        return STAGES[self._shared[0]]

    @stage.setter
    def stage(self, name: str) -> None:
        self._shared[0] = STAGES.index(name)

    @contextmanager
    def at(self, name: str) -> Iterator[None]:
        before, self.stage = self.stage, name
        yield
        self.stage = before

    def watch(self, save_every_s: float) -> None:
        """In the child: mark the stages of every training, and write checkpoints more often."""
        checkpoints.SAVE_EVERY_S = save_every_s
        train, write_adapter, write_checkpoint = (
            training_job.TrainingJob._gone_on,
            training_job.write_store,
            checkpoints.write_store,
        )

        def marked(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
            def wrapper(*arguments: Any, **options: Any) -> Any:
                with self.at(name):
                    return call(*arguments, **options)

            return wrapper

        self.stage = "between"
        training_job.TrainingJob._gone_on = marked("training", train)
        training_job.write_store = marked("saving an adapter", write_adapter)
        checkpoints.write_store = marked("saving a checkpoint", write_checkpoint)


def kill(command: Command, marks: Marks, aim: str, draw: random.Random, longest_s: float) -> str | None:
    """Kill a command and its workers at a random moment; return its stage, None if it ended before."""
    if aim == "any":
        time.sleep(draw.uniform(0, longest_s))
    else:
        stage, nth = "training" if aim == "stopping" else aim, draw.randint(1, 4)
        for _ in range(nth):
            wait_for(command, lambda: marks.stage != stage)
            wait_for(command, lambda: marks.stage == stage)
        time.sleep(draw.uniform(0, 0.05 if stage == "training" else 0.004))
        if aim == "stopping":
            with suppress(ProcessLookupError):
                os.kill(command.pid, signal.SIGTERM)
            time.sleep(draw.uniform(0, 0.02))
    ended, stage = command.ended(), marks.stage
    with suppress(ProcessLookupError):
        os.killpg(command.pid, signal.SIGKILL)
    code = command.wait().code
    assert code in (-signal.SIGKILL, 0, 75, 143), code
    return None if ended else stage


def wait_for(command: Command, condition: Callable[[], bool]) -> None:
    """Look all the time: a save takes milliseconds."""
    while not condition() and not command.ended():
        time.sleep(2e-4)


def check(run: Path, whole: Path, before: dict[Path, bytes], mine: str, *, forced: bool) -> list[str]:
    """Return what is wrong after a kill: files that do not verify, that are lost or not as they should be."""
    try:
        after = finished_files(run)
    except Exception as error:
        return [f"unreadable: {error}"]
    adapters = [path for path in after if path.parent.name == "adapters"]
    wrong = [f"{path.name} is another" for path in adapters if not same_arrays(path, whole / path.name)]
    for path, data in before.items():
        if "checkpoint" not in path.name and after.get(path) != data and not (forced and path in after):
            wrong.append(f"{path.name} is lost")
    if mine not in temporary_files(run):
        wrong.append("the temporary file of a live writer is gone")
    return wrong


def main(folder: Path, rounds: int, seed: int) -> None:
    warm_up(folder)
    run, whole = folder / "run", folder / "whole"
    for place in (run, whole):
        done(folder, "pretrain", folder / "tiny.yaml", "-o", place)
    longer = ["--set", "finetuning.steps=16"]
    start = time.monotonic()
    done(folder, "finetune", whole, *VALUES, *longer)
    longest_s = time.monotonic() - start
    (run / "adapters").mkdir()
    held, _ = claim_temporary(run / "adapters" / "lambda=0.h5")  # of a live writer: this process

    marks, draw = Marks(), random.Random(seed)
    stages: Counter[str] = Counter()
    aims: Counter[str] = Counter()
    wrong: list[str] = []
    went_on = leftovers = 0
    while stages.total() < rounds:
        aim = AIMS[stages.total() % len(AIMS)]
        forced, before = draw.random() < 0.2, finished_files(run)
        options = ["--force"] * forced + ["--jobs", "2"] * (draw.random() < 0.2)
        often = 0.0 if aim == "saving a checkpoint" or draw.random() < 0.5 else 60.0
        marks.stage = "beginning"
        words = ["finetune", run, *VALUES, *longer, *options]
        stage = kill(
            Command(folder, words, lambda often=often: marks.watch(often)), marks, aim, draw, longest_s
        )
        if stage is not None:
            stages[stage] += 1
            aims[aim] += 1
        went_on += (folder / "err.txt").read_text().count("going on after step")
        leftovers += len(temporary_files(run)) - 1
        wrong += check(run, whole / "adapters", before, held.name, forced=forced)
        adapters = list((run / "adapters").glob("[!.]*.h5"))
        if len(adapters) == 5:
            for path in adapters:
                path.unlink()
    done(folder, "finetune", run, *VALUES, *longer)
    wrong += check(run, whole / "adapters", {}, held.name, forced=False)
    kept = [*temporary_files(run), *(path.name for path in (run / "work").iterdir())]
    found = {"stages": stages, "aims": aims, "went_on": went_on, "leftovers": leftovers}
    print(json.dumps({**found, "wrong": wrong, "kept": kept, "own": held.name}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))

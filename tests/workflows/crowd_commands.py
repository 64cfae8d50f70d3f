"""Eight processes that finish the same value at the same moment, again and again.

Usage: crowd_commands.py FOLDER ROUNDS. Prints one JSON object: how often a file was replaced by another
one's in a round, and what was wrong (nothing).
"""

from __future__ import annotations

import json
import mmap
import shutil
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from warm_commands import Command, done, finished_files, same_arrays, temporary_files, warm_up

from pinnkan.sweeps import job as training_job

CROWD = 8
PATIENCE_S = 300.0


def meet_before_saving(places: mmap.mmap, mine: int) -> None:
    """In a child: train, say so, and save when all have trained."""
    save = training_job.write_store

    def saving(*arguments: Any, **options: Any) -> None:
        places[mine] = 1
        deadline = time.monotonic() + PATIENCE_S
        while sum(places[:CROWD]) < CROWD:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        save(*arguments, **options)

    training_job.write_store = saving


def main(folder: Path, rounds: int) -> None:
    warm_up(folder)
    run, whole, wrong = folder / "run", folder / "whole", []
    for place in (run, whole):
        done(folder, "pretrain", folder / "tiny.yaml", "-o", place)
    done(folder, "finetune", whole, "--lambda", "0.5")
    for number in range(CROWD):
        (folder / f"{number}").mkdir()
    for number in range(rounds):
        if number % 2 == 0:  # all make the folder, too
            shutil.rmtree(run / "adapters", ignore_errors=True)
        places = mmap.mmap(-1, CROWD)
        words = ["finetune", run, "--lambda", "0.5", "--force"]
        crowd = [
            Command(folder / f"{at}", words, partial(meet_before_saving, places, at)) for at in range(CROWD)
        ]
        wrong += [ended.err for ended in (one.wait() for one in crowd) if ended.code != 0]
        found = [path.relative_to(run).as_posix() for path in finished_files(run)]
        if sorted(found) != ["adapters/lambda=0.5.h5", "base.h5"]:
            wrong.append(f"found {found}")
        if not same_arrays(run / "adapters" / "lambda=0.5.h5", whole / "adapters" / "lambda=0.5.h5"):
            wrong.append("another adapter")
        wrong += [f"left {name}" for name in temporary_files(run)]
        wrong += [f"left {path.name}" for path in (run / "work").iterdir()]
    print(json.dumps({"rounds": rounds, "wrong": wrong}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))

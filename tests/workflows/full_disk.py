"""Commands on a file system of 1 MB that fills up, on a read-only one and in a read-only folder.

Usage: unshare --mount [--map-root-user] full_disk.py FOLDER. The mount is this script's own and goes with
it. Prints one JSON object: exit codes and messages, and what was wrong (nothing).
"""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from warm_commands import Ended, done, finished_files, run, same_arrays, temporary_files, warm_up

BLOCK = 4096


def mount(place: Path, options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], check=True)


def fill(path: Path, leave: int) -> None:
    """Take all blocks of a file system but some."""
    with open(path, "wb", buffering=0) as file:
        while True:
            try:
                file.write(bytes(BLOCK))
            except OSError:
                break
        file.truncate(max(0, file.tell() - leave * BLOCK))


def without_privileges() -> None:
    """In a child: give up what lets root write where nobody may (CAP_DAC_OVERRIDE among all others)."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # version 3, this process
    assert ctypes.CDLL(None, use_errno=True).capset(header, (ctypes.c_uint32 * 6)()) == 0


class Disk:
    """A run directory on a small file system, and what was wrong on it.

    Args:
        folder: Beside it lies ``whole``, where nothing failed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.place = folder, folder / "disk"
        self.run, self.filler = self.place / "run", self.place / "filler"
        self.place.mkdir()
        mount(self.place, "size=1m")
        self.wrong: list[str] = []
        self.said: dict[str, Any] = {}

    def refuses(self, name: str, cause: str, *words: object, **options: Any) -> Ended:
        """Run a command that must fail, naming cause and path, and leave all files as they are."""
        before = finished_files(self.place)
        ended = run(self.folder, *words, **options)
        self.said[name] = [ended.code, ended.err.strip().splitlines()[-1]]
        if ended.code not in (1, 74) or "Traceback" in ended.err:
            self.wrong.append(f"{name}: exit code {ended.code}: {ended.err[-300:]}")
        if not any(cause in line and str(self.place) in line for line in ended.err.splitlines()):
            self.wrong.append(f"{name}: says {ended.err[-300:]}")
        now = finished_files(self.place)
        self.wrong += [f"{name}: {path.name} changed" for path in before if now.get(path) != before[path]]
        self.wrong += [f"{name}: left {left}" for left in temporary_files(self.place)]
        return ended


def fill_up(disk: Disk, problem: Path, whole: Path) -> None:
    """Fill the disk at every stage of a run, then make room: the same commands finish."""
    full = "No space left on device"
    fill(disk.filler, leave=0)
    disk.refuses("pretrain, no block", full, "pretrain", problem, "-o", disk.run)
    fill(disk.filler, leave=1)
    disk.refuses("pretrain, one block", full, "pretrain", problem, "-o", disk.run)
    disk.filler.unlink()
    done(disk.folder, "pretrain", problem, "-o", disk.run)
    done(disk.folder, "finetune", disk.run, "--lambda", "0.5")
    for leave in range(2):  # no place for the probe before the training; none for the result behind it
        fill(disk.filler, leave)
        words = ["finetune", disk.run, "--lambda", "0.5", "--force"]
        disk.refuses(f"finetune --force, {leave} blocks", full, *words)
        disk.refuses(
            f"pretrain --force, {leave} blocks", full, "pretrain", problem, "-o", disk.run, "--force"
        )
    disk.filler.unlink()
    fill(disk.filler, leave=6)  # a few of the values fit
    some = disk.refuses("finetune, some fit", full, "finetune", disk.run, "--lambda", "0:1:9")
    if not 0 < some.out.count("trained") < 9:
        disk.wrong.append(f"expected that some of the values fit: {some.out}")
    disk.filler.unlink()
    done(disk.folder, "finetune", disk.run, "--lambda", "0:1:9")
    for path in finished_files(disk.run):
        if not same_arrays(path, whole / path.relative_to(disk.run)):
            disk.wrong.append(f"{path.name} is another")


def forbid(disk: Disk, problem: Path) -> None:
    """Commands where nothing may be written."""
    for name in ("adapters", "work"):
        place = disk.run / name
        place.chmod(0o555)
        words = ["finetune", disk.run, "--lambda", "0.3"]
        disk.refuses(f"read-only {name}", "Permission denied", *words, prepare=without_privileges)
        place.chmod(0o755)
    disk.run.chmod(0o555)
    words = ["pretrain", problem, "-o", disk.run, "--force"]
    disk.refuses("read-only folder", "Permission denied", *words, prepare=without_privileges)
    disk.run.chmod(0o755)
    subprocess.run(["mount", "-o", "remount,ro", str(disk.place)], check=True)
    denied = "Read-only file system"
    disk.refuses("read-only disk, finetune", denied, "finetune", disk.run, "--lambda", "0.3")
    disk.refuses("read-only disk, pretrain", denied, "pretrain", problem, "-o", disk.place / "other")
    # What is finished needs no writing.
    done(disk.folder, "finetune", disk.run, "--lambda", "0:1:9")
    done(disk.folder, "evaluate", disk.run)


def main(folder: Path) -> None:
    warm_up(folder)
    problem, whole = folder / "tiny.yaml", folder / "whole"
    done(folder, "pretrain", problem, "-o", whole)
    done(folder, "finetune", whole, "--lambda", "0:1:9")
    disk = Disk(folder)
    fill_up(disk, problem, whole)
    forbid(disk, problem)
    print(json.dumps({"said": disk.said, "wrong": disk.wrong}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""What a sweep costs beside its training: many values of a tiny problem, in five commands.

    pinnkan finetune DIR --lambda 0:1:200                  wall time against the sum of train_seconds
    pinnkan finetune DIR --lambda 0:1:200                  again: everything is there
    pinnkan status DIR --lambda 0:1:200
    pinnkan finetune DIR --lambda 0:1:200 --force --jobs 2
    pinnkan finetune DIR --lambda 0:1:200 --force --start nearest

The problem is Poisson's equation on a disk with a network 2-16-16-1 and 300 points, so that what is beside
training shows. Start-up of a command counts as outside training; of two workers it counts half.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from common import begin, finish, parser, table, time_text
from families import run_program

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflows"))
from tiny_family import TINY

PROBLEM = TINY.replace("hidden: [4, 4]", "hidden: [16, 16]").replace(
    "{steps: 4, points: 80}", "{steps: 25, points: 300, patience: 0}"
)


def measure(title: str, arguments: Sequence[str], jobs: int) -> dict[str, Any]:
    """Run a command and split its wall time."""
    command = run_program([*arguments, "--json"])
    rows = json.loads(command.output)["results"]
    seconds = [row["train_seconds"] for row in rows if row["status"] == "trained"]
    training = sum(seconds) / jobs
    return {
        "command": title,
        "wall": command.seconds,
        "values": len(seconds),
        "a value": statistics.median(seconds) if seconds else None,
        "outside": 1 - training / command.seconds if seconds else None,
    }


def measured(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Run all commands in a new run directory."""
    count = 5 if options.quick else options.values
    with tempfile.TemporaryDirectory() as name:
        run = Path(name) / "run"
        (Path(name) / "tiny.yaml").write_text(PROBLEM)
        threads = ["--threads", str(options.threads), "-q"]
        run_program(["pretrain", f"{name}/tiny.yaml", "-o", str(run), *threads])
        values = [str(run), "--lambda", f"0:1:{count}"]
        again = ["finetune", *values, *threads]
        return [
            measure("finetune", again, 1),
            measure("finetune, finished", again, 1),
            measure("status", ["status", *values], 1),
            measure("finetune --jobs 2", [*again, "--force", "--jobs", "2"], 2),
            measure("finetune --start nearest", [*again, "--force", "--start", "nearest"], 1),
        ]


def main() -> None:
    """Print the table."""
    made = parser(__doc__, threads=1)
    made.add_argument("--values", type=int, default=200)
    options = made.parse_args()
    record = begin("A sweep of tiny trainings", options)
    rows = measured(options)
    body = []
    for row in rows:
        share = "-" if row["outside"] is None else f"{100 * row['outside']:.1f} %"
        numbers = [time_text(row["wall"]), str(row["values"]), time_text(row["a value"]), share]
        body.append([row["command"], *numbers])
    print(table(["command", "wall s", "trained", "s a value", "outside training"], body))
    finish(record | {"rows": rows}, options.json)


if __name__ == "__main__":
    main()

"""Sweeps: predecessors, worker processes, a Dask cluster, SLURM scripts, and what they cost."""

from __future__ import annotations

import json
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from tiny_family import TINY

from pinnkan.ground.errors import RemoteError, Terminated, UnsavedError, UsageError
from pinnkan.language.parameters import expand_values
from pinnkan.storage.runs.predecessors import chain
from pinnkan.storage.runs.results import TrainingResult
from pinnkan.storage.store import hash_arrays, read_store
from pinnkan.sweeps import trainer
from pinnkan.sweeps.processes import Died, Pool
from pinnkan.sweeps.slurm import array_script
from pinnkan.workflows import finetune


def statuses(answer) -> list[str]:
    return [row["status"] for row in answer.json["results"]]


# --- predecessors ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([1.0, 2.0, 3.0], [None, 0, 1]),
        ([3.0, 1.0, 2.0], [2, None, 1]),
        ([-1.0, 1.0, -2.0], [None, None, 0]),
        ([0.0, 1.0], [None, None]),  # the base value itself: 1.0 is as near to the base
        ([5.0], [None]),
    ],
)
def test_a_value_starts_from_its_neighbour_on_the_way_to_the_base(values, found):
    assert chain([{"a": value} for value in values], {"a": 0.0}) == found


def test_distances_are_in_units_of_each_parameter_s_spread():
    values = [{"a": 1000.0, "b": 0.0}, {"a": 0.0, "b": 1.0}, {"a": 1000.0, "b": 1.0}, {"a": 1000.0, "b": 0.1}]
    assert chain(values, {"a": 0.0, "b": 0.0}) == [None, None, 3, 0]


def test_nearest_names_its_predecessor_and_does_not_depend_on_what_is_finished(pinnkan, done, run):
    done("finetune", run, "--lambda", "0.25:1:4", "--start", "nearest", "-q", "--tag", "n")
    read = {value: read_store(run / "adapters" / f"lambda={value}.n.h5") for value in ("0.25", "0.5", "1")}
    assert read["0.25"].meta["start"] is None
    assert read["0.5"].meta["start"] == {"values": {"lambda": 0.25}, "hash": hash_arrays(read["0.25"].arrays)}
    losses = [read[value].meta["history"]["loss"][0] for value in ("0.5", "1")]
    plain = done("finetune", run, "--lambda", "0.5,1", "-q", "--tag", "p", "--json").json["results"]
    assert [row["status"] for row in plain] == ["trained", "trained"]
    first = [
        read_store(run / "adapters" / f"lambda={v}.p.h5").meta["history"]["loss"][0] for v in ("0.5", "1")
    ]
    assert losses[1] < first[1]  # it starts nearer

    again = done("finetune", run, "--lambda", "0.25:1:4", "--start", "nearest", "--tag", "n", "--json")
    assert statuses(again) == ["present"] * 4
    # One in the middle is gone: it comes back with the same bits, and the later ones still fit.
    (run / "adapters" / "lambda=0.5.n.h5").unlink()
    again = done("finetune", run, "--lambda", "1,0.75,0.5,0.25", "--start", "nearest", "--tag", "n", "--json")
    assert statuses(again) == ["present", "present", "trained", "present"]
    same = read_store(run / "adapters" / "lambda=0.5.n.h5").arrays
    assert all(np.array_equal(same[name], read["0.5"].arrays[name]) for name in same)
    # Another list has other predecessors: what starts from elsewhere is another result.
    short = ("finetune", run, "--lambda", "0.25,1", "--start", "nearest", "--tag", "n", "--json")
    assert statuses(pinnkan(*short)) == ["present", "failed"]
    assert "lambda=1: finished, with other start; --force" in pinnkan(*short).err
    assert statuses(done(*short, "--force")) == ["trained", "trained"]


def test_values_behind_a_failed_one_fail_by_name(pinnkan, done, run):
    wild = ["finetuning.optimizer=adam", "finetuning.rate=1e6", "finetuning.steps=50"]
    sets = ["--method", "full", *(word for text in wild for word in ("--set", text))]
    answer = pinnkan("finetune", run, "--lambda", "0.5,1", "--start", "nearest", *sets, "--json")
    assert answer.code == 1
    assert statuses(answer) == ["failed", "failed"]
    assert "not trained: it starts from lambda=0.5, which failed" in answer.json["results"][1]["error"]
    rows = done("status", run, "--json").json["results"]
    (why,) = [row["why"] for row in rows if row["status"] == "failed"]
    assert "diverged at step" in why


# --- worker processes ------------------------------------------------------------------------


def test_workers_train_what_one_process_trains_and_a_fault_is_one_failed_value(pinnkan, done, run):
    """The value that cannot be written fails; the others do not."""
    done("finetune", run, "--lambda", "0:1:5", "--tag", "one", "--threads", 1, "-q")
    in_the_way = run / "adapters" / "lambda=1.two.h5"
    in_the_way.mkdir()
    answer = pinnkan(
        "finetune", run, "--lambda", "0:1:5", "--tag", "two", "--jobs", 2, "--threads", 1, "--json"
    )
    assert answer.code == 1
    assert statuses(answer) == ["trained"] * 4 + ["failed"]
    assert f"cannot write {in_the_way}: Is a directory" in answer.err
    assert "sweep: 5 of 5 values done" in answer.err
    for value in ("0", "0.25", "0.5", "0.75"):
        one, two = (
            read_store(run / "adapters" / f"lambda={value}.{tag}.h5").arrays for tag in ("one", "two")
        )
        assert all(np.array_equal(one[name], two[name]) for name in one)


def test_a_bad_order_is_refused_once_before_any_worker(pinnkan, run):
    answer = pinnkan("finetune", run, "--lambda", "0.1,0.2", "--jobs", 2, "--set", "finetuning.stepz=1")
    assert answer.code == 2
    assert answer.err.count("stepz") == 2  # the offending line and the message
    answer = pinnkan("finetune", run, "--lambda", "0.1", "--jobs", 2, "--dask", "tcp://localhost:1")
    assert (answer.code, "--jobs and --dask exclude each other" in answer.err) == (2, True)


def double(number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 4:
        os._exit(9)
    return 2 * number


def make_double():
    return double


def test_a_dead_worker_costs_its_job_and_is_replaced():
    pool, answers = Pool(2, make_double), {}
    waiting = [1, 2, 3, 4, 5, 6]
    try:
        while len(answers) < 6:
            while waiting and pool.free:
                pool.submit(waiting[0], waiting.pop(0))
            ended = pool.next(30)
            assert ended is not None
            answers |= [ended]
    finally:
        pool.close()
    assert {key: answers[key] for key in (1, 2, 5, 6)} == {1: 2, 2: 4, 5: 10, 6: 12}
    assert (answers[3], answers[4]) == (Died(-9), Died(9))
    assert str(answers[3]) == "its worker process was killed by SIGKILL"
    assert str(answers[4]) == "its worker process ended with exit code 9"


def make_ending():
    """A job that fails at once, or one that takes its time to save what it has when asked to stop."""

    def work(begun):
        Path(begun).touch()
        if "fails" in begun:
            return SimpleNamespace(fault=UsageError("the disk refused"))
        try:
            time.sleep(60)
        except Terminated:
            time.sleep(0.5)
            raise UnsavedError("saved, or not") from None

    return work


def test_what_ends_while_the_pool_is_closed_is_heard(tmp_path):
    """A result nobody has read yet, and a saving that a second SIGTERM must not break off."""
    pool = Pool(2, make_ending)
    places = [tmp_path / "fails", tmp_path / "saves"]
    for place in places:
        pool.submit(place.name, str(place))
    while not all(place.exists() for place in places):
        time.sleep(0.01)
    time.sleep(0.2)
    os.kill(pool._busy["saves"].process.pid, signal.SIGTERM)
    assert sorted(pool.close()) == ["saved, or not", "the disk refused"]


def test_a_fault_of_another_process_keeps_its_words():
    fault = pickle.loads(pickle.dumps(RemoteError("DivergedError", "not finite", 4)))
    assert (fault.kind, str(fault), fault.exit_code) == ("DivergedError", "not finite", 4)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (MemoryError(), 74, "out of memory; try fewer points, a smaller network or --dtype float32"),
        (RuntimeError("can't allocate memory: 8 bytes"), 74, "out of memory; try fewer points"),
        (OSError(28, "No space left on device", "x.h5"), 74, "cannot read or write x.h5: No space left"),
        (UsageError("no such rate"), 2, "no such rate"),
        (
            IndexError("out\nof range"),
            70,
            "a bug in pinnkan: out of range\nTraceback (most recent call last):",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_a_worker_names_a_fault_as_one_process_does(monkeypatch, error, code, message):
    class Failing:
        options = SimpleNamespace(method="lotra", tag=None)

        def __call__(self, identity):
            raise error

    monkeypatch.setattr(trainer, "Trainer", lambda options, observer: Failing())
    result = trainer.WorkerTrainer(None)(SimpleNamespace(values={"lambda": 1.0}))
    assert (result.fault.kind, result.fault.exit_code) == (type(error).__name__, code)
    assert str(result.fault).startswith(message)


class Elsewhere:
    """An engine in another process, none of whose files are here."""

    free = 1

    def __init__(self, sweep, fault):
        self._sweep, self._fault = sweep, fault

    def submit(self, key, identity):
        self._given = key, identity

    def next(self, timeout):
        key, identity = self._given
        if self._fault is None:
            path = self._sweep._options.directory / "adapters" / "lambda=1.h5"
            return key, TrainingResult(identity.values, "lotra", None, "trained", path)
        return key, TrainingResult(identity.values, "lotra", None, "failed", None, fault=self._fault)

    def close(self):
        return []


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (RemoteError("DivergedError", "diverged at step 3:\nlower it", 4), "diverged at step 3: lower it"),
        (RemoteError("IndexError", "a bug in pinnkan: no\nTraceback (most ...", 70), "a bug in pinnkan: no"),
    ],
    ids=["fault", "bug"],
)
def test_a_failure_in_another_process_is_recorded_until_it_succeeds(
    pinnkan, done, run, monkeypatch, fault, why
):
    answers = [fault, None]
    monkeypatch.setattr(finetune.Sweep, "_make_engine", lambda sweep: Elsewhere(sweep, answers.pop(0)))
    sweep = ("finetune", run, "--lambda", 1, "--dask", "tcp://far", "-q")
    assert pinnkan(*sweep).code == fault.exit_code
    (row,) = done("status", run, "--lambda", 1, "--json").json["results"]
    assert (row["status"], row["why"]) == ("failed", f"{fault.kind}: {why}")
    done(*sweep)
    assert done("status", run, "--lambda", 1, "--json").json["results"][0]["status"] == "missing"


def test_a_killed_worker_is_one_failed_value_and_the_others_go_on(pinnkan, done, tmp_path):
    (tmp_path / "long.yaml").write_text(
        TINY.replace("{steps: 4, points: 80}", "{steps: 40, points: 80, patience: 0}")
    )
    run = tmp_path / "run"
    done("pretrain", tmp_path / "long.yaml", "-o", run, "-q")
    killer = threading.Thread(target=_kill_trainer, args=(run / "work" / "lambda=0.25.running.json",))
    killer.start()
    answer = pinnkan("finetune", run, "--lambda", "0:1:5", "--jobs", "2", "--threads", "1", "--json")
    killer.join()
    assert answer.code == 1
    rows = {row["parameters"]["lambda"]: row["status"] for row in answer.json["results"]}
    assert rows == {0.0: "trained", 0.25: "failed", 0.5: "trained", 0.75: "trained", 1.0: "trained"}
    assert "lambda=0.25: its worker process was killed by SIGKILL" in answer.err
    assert "killed by SIGKILL" in done("status", run).out
    done("finetune", run, "--lambda", "0.25", "-q")
    assert list((run / "work").iterdir()) == []


def _kill_trainer(state: Path, seconds: float = 300) -> None:
    """Kill the process that a state file names as soon as there is one."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.kill(int(json.loads(state.read_text())["pid"]), signal.SIGKILL)
            return
        except (OSError, ValueError):
            time.sleep(0.01)


# --- Dask ------------------------------------------------------------------------------------


@pytest.fixture
def cluster(tmp_path):
    """A scheduler and two workers, three processes beside this one."""
    scheduler_file = tmp_path / "scheduler.json"
    spill = ["--local-directory", str(tmp_path / "dask")]
    scheduler = _dask("scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(scheduler_file))
    try:
        while not scheduler_file.is_file():
            assert scheduler.poll() is None
            time.sleep(0.05)
        options = ["--nthreads", "1", "--no-dashboard", "--no-nanny", *spill]
        workers = [_dask("worker", "--scheduler-file", str(scheduler_file), *options) for _ in range(2)]
        yield scheduler_file, workers
        for worker in workers:
            worker.kill()
            worker.wait()
    finally:
        scheduler.kill()
        scheduler.wait()


def _dask(role: str, *options: str) -> subprocess.Popen[bytes]:
    code = f"from distributed.cli.dask_{role} import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


@pytest.mark.filterwarnings("ignore")
def test_a_dask_cluster_survives_a_killed_worker_and_the_files_are_collected(done, run, cluster):
    scheduler_file, workers = cluster
    done("finetune", run, "--lambda", "0,0.5,1", "--tag", "here", "--threads", 1, "-q")
    steps = ["--set", "finetuning.steps=40", "--set", "finetuning.patience=0"]

    def kill() -> None:
        """In the middle: after the first results, with most values to come."""
        while not list((run / "adapters").glob("*.long.h5")):
            time.sleep(0.01)
        workers[0].kill()

    threading.Thread(target=kill, daemon=True).start()
    arguments = ["finetune", run, "--dask", scheduler_file, "--threads", 1, "--json"]
    answer = done(*arguments, "--lambda", "0:1:5", "--tag", "long", *steps)
    assert statuses(answer) == ["trained"] * 5
    assert len(list((run / "adapters").glob("*.long.h5"))) == 5
    chained = [*arguments, "--lambda", "0,0.5,1", "--tag", "there", "--start", "nearest"]
    assert statuses(done(*chained)) == ["trained"] * 3
    assert statuses(done(*chained)) == ["present"] * 3
    answer = done(*arguments, "--lambda", "0,0.5,1", "--tag", "far")
    assert statuses(answer) == ["trained"] * 3
    for path in (run / "adapters").glob("*.here.h5"):
        here = read_store(path).arrays
        there = read_store(path.with_name(path.name.replace("here", "far"))).arrays
        assert all(np.array_equal(here[name], there[name]) for name in here)


@pytest.mark.filterwarnings("ignore")
def test_no_scheduler_is_one_message(pinnkan, run, monkeypatch):
    from pinnkan.sweeps import dask as module

    monkeypatch.setattr(module, "CONNECT_WITHIN_S", 1)
    answer = pinnkan("finetune", run, "--lambda", "0.1", "--dask", "tcp://127.0.0.1:1")
    assert answer.code == 74
    assert "cannot reach a Dask scheduler at tcp://127.0.0.1:1" in answer.err


# --- SLURM -----------------------------------------------------------------------------------


def test_the_array_script_trains_every_value_once(done, run, tmp_path):
    """Run as SLURM would run it, task after task; its pinnkan tells arguments, which we run."""
    answer = done("finetune", run, "--lambda", "1/3,1", "--tag", "s", "--print-slurm", "--threads", 2)
    assert "#SBATCH --array=0-1\n" in answer.out
    assert "#SBATCH --cpus-per-task=2\n" in answer.out
    script, folder = tmp_path / "sweep.sh", tmp_path / "bin"
    script.write_text(answer.out)
    folder.mkdir()
    (folder / "pinnkan").write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    (folder / "pinnkan").chmod(0o755)
    for task in range(2):
        environment = {"PATH": f"{folder}:{os.environ['PATH']}", "SLURM_ARRAY_TASK_ID": str(task)}
        told = subprocess.run(
            ["bash", script], check=True, capture_output=True, text=True, env={**os.environ, **environment}
        )
        done(*told.stdout.splitlines())
    names = sorted(path.name for path in (run / "adapters").glob("*.s.h5"))
    assert names == ["lambda=0.3333333333333333.s.h5", "lambda=1.s.h5"]
    rows = done("finetune", run, "--lambda", "1/3,1", "--tag", "s", "--json").json["results"]
    assert [row["status"] for row in rows] == ["present"] * 2


def test_thousands_of_values_are_a_thousand_tasks():
    values = [{"nu": at / 2500, "beta": 2.0} for at in range(2500)]
    script = array_script(Path("my runs/heat"), values, ["--set", "points.rule=sobol"], threads=None)
    assert "#SBATCH --array=0-999\n" in script
    assert "exec pinnkan finetune 'my runs/heat' --set points.rule=sobol --threads" in script
    assert "\n  '--zip --param nu=0,0.4,0.8 --param beta=2,2,2'\n" in script


def test_a_script_s_values_are_read_back_to_the_last_bit():
    thirds = [*expand_values("0:1:4"), *expand_values("log:1e-7:3e20:5"), -1 / 3, 5e-324]
    script = array_script(Path("runs/e"), [{"nu": value} for value in thirds], [], threads=None)
    words = re.findall(r"--param nu=([^']*)'", script)
    assert [expand_values(word) for word in words] == [(value,) for value in thirds]


def test_chained_values_make_no_array(pinnkan, run):
    answer = pinnkan("finetune", run, "--lambda", "0:1:3", "--print-slurm", "--start", "nearest")
    assert answer.code == 2
    assert "run one job with --jobs instead" in answer.err


# --- what it costs ---------------------------------------------------------------------------


def test_a_finished_sweep_trains_nothing_and_imports_no_torch(done, run):
    done("finetune", run, "--lambda", "0:1:3", "-q")
    code = """
import sys
from pinnkan.cli.app import make_app
try:
    make_app()(["finetune", sys.argv[1], "--lambda", "0:1:3", "--json"], prog_name="pinnkan")
except SystemExit as end:
    print([name for name in ("torch", "sympy", "scipy") if name in sys.modules], end.code)
"""
    ended = subprocess.run([sys.executable, "-c", code, run], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[] 0"
    assert ended.stdout.count('"present"') == 3

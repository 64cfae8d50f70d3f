"""Closed standard streams, signals while the program is imported, and signals that somebody swallows."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import pinnkan

ROOT = Path(pinnkan.__file__).parents[1]
SIGNALS = [(signal.SIGINT, 130, "interrupted\n"), (signal.SIGTERM, 143, "terminated\n")]


def shell(command: str) -> subprocess.CompletedProcess[str]:
    """Run ``pinnkan`` with the words of a shell behind it."""
    whole = f"{sys.executable} -m pinnkan {command}"
    return subprocess.run(whole, shell=True, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    "command", ["problems", "--help", "--version", "show nothing", "pretrain elliptic -o X"]
)
@pytest.mark.parametrize(
    ("closed", "line"),
    [(">&-", "error: cannot write: stdout is closed\n"), ("2>&-", ""), (">&- 2>&-", "")],
    ids=["stdout", "stderr", "both"],
)
def test_a_closed_stream_is_said_before_any_work(tmp_path, command, closed, line):
    done = shell(f"{command.replace('X', str(tmp_path / 'x'))} {closed}")
    assert (done.returncode, done.stdout, done.stderr) == (74, "", line)
    assert list(tmp_path.iterdir()) == []


def test_a_closed_input_harms_nobody():
    done = shell("problems <&-")
    assert (done.returncode, done.stderr) == (0, "")
    assert "elliptic" in done.stdout


# --- while the program is imported -------------------------------------------------------------


@pytest.mark.parametrize(("number", "code", "said"), SIGNALS)
@pytest.mark.parametrize("module", ["typer", "torch"])
def test_a_signal_during_imports_ends_without_a_traceback(tmp_path, module, number, code, said):
    (tmp_path / f"{module}.py").write_text("import time\nprint('here', flush=True)\ntime.sleep(60)\n")
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    process = subprocess.Popen(
        [sys.executable, "-m", "pinnkan", "pretrain", "elliptic", "-o", str(tmp_path / "run")],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (code, said)


# --- swallowed on the way ----------------------------------------------------------------------

SWALLOWERS = {
    "a callback of C code": """
        callback = ctypes.CFUNCTYPE(None)(wait)
        callback()
    """,
    "a destructor": """
        class Thing:
            def __del__(self):
                wait()
        Thing()
    """,
    "a weak reference": """
        class Thing: ...
        thing = Thing()
        reference = weakref.ref(thing, lambda _: wait())
        del thing
    """,
    "a library that catches everything": """
        try:
            wait()
        except BaseException:
            pass
    """,
    "a finally that returns": """
        def quiet():
            try:
                wait()
            finally:
                return
        quiet()
    """,
}
PROGRAM = """
import ctypes, signal, sys, time, weakref
from pinnkan.cli.terminal.faults import guarded
from pinnkan.cli.terminal.progress import watching
from pinnkan.ground.progress import StepReport
from pinnkan.ground.signals import heed

def wait():
    print("here", flush=True)
    time.sleep(60)

@guarded
def command():
    with watching(quiet=False, verbose=False) as observer:
        observer.begin("lambda=0.1", "lm", 400)
SWALLOWER
        for step in range(1, 401):
            time.sleep(0.05)
            observer.step(StepReport(step, 400, 0.0, "lm", 1e-3, {}, None, None))
        print("trained to the end")

import typer
heed(signal.SIGINT, signal.SIGTERM)
app = typer.Typer()
app.command()(command)
app()
"""


@pytest.mark.parametrize(("number", "code", "said"), SIGNALS)
@pytest.mark.parametrize("swallower", SWALLOWERS)
def test_a_swallowed_signal_stops_all_the_same(swallower, number, code, said):
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", PROGRAM.replace("SWALLOWER", SWALLOWERS[swallower])],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=15)
    assert (process.returncode, out) == (code, "")
    assert err.endswith(said)
    assert "Traceback" not in err
    assert "ignored" not in err


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_what_a_step_raises_again_does_not_come_a_third_time(number):
    """The timer of a dropped exception goes off while the program stops: that must not be disturbed."""
    code = f"""
import ctypes, os, signal, time
from pinnkan.ground import signals
signals._AGAIN_AFTER_S = 0.2
signals.heed(signal.{number})
ctypes.CFUNCTYPE(None)(lambda: os.kill(os.getpid(), signal.{number}))()
try:
    signals.insist()
except BaseException as fault:
    time.sleep(0.6)
    print("stopped by", type(fault).__name__)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    name = {"SIGINT": "KeyboardInterrupt", "SIGTERM": "Terminated"}[number]
    assert (done.returncode, done.stdout, done.stderr) == (0, f"stopped by {name}\n", "")


@pytest.mark.parametrize("late", [0.0, 0.19, 0.199, 0.2, 0.201, 0.21])
def test_a_step_and_the_timer_at_one_moment_stop_once(late):
    code = f"""
import ctypes, os, signal, time
from pinnkan.ground import signals
signals._AGAIN_AFTER_S = 0.2
signals.heed(signal.SIGINT)
ctypes.CFUNCTYPE(None)(lambda: os.kill(os.getpid(), signal.SIGINT))()
try:
    time.sleep({late})
    signals.insist()
except KeyboardInterrupt:
    time.sleep(0.3)
    print("stopped")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "stopped\n", "")


def test_any_other_exception_in_a_callback_is_shown_as_always():
    code = "from pinnkan.ground.signals import heed\nimport signal, ctypes\nheed(signal.SIGINT)\n"
    code += "ctypes.CFUNCTYPE(None)(lambda: [][0])()"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert "IndexError" in done.stderr

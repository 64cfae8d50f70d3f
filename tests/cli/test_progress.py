"""Progress: plain in a log, a bar on a terminal, and never silent for long."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import pytest

from pinnkan.cli.terminal import displays
from pinnkan.cli.terminal.displays import Lines
from pinnkan.ground.progress import Outcome, StepReport, SweepReport

PROGRAM = """
import signal, sys, time
from pinnkan.cli.terminal.progress import watching
from pinnkan.ground.signals import stop_at_once
from pinnkan.cli.terminal.faults import guarded
from pinnkan.ground.progress import Outcome, StepReport

@guarded
def command():
    with watching(quiet="-q" in sys.argv, verbose="-v" in sys.argv) as observer:
        observer.begin("lambda=0.1", "lm [walls]", 50)
        steps = 0
        while steps < 50:
            steps += 1
            time.sleep(STEP)
            observer.step(StepReport(steps, 50, steps * STEP, "lm", 1e-3, {"equation[0]": 2e-3}, 3e-3, 4e-3))
        observer.end(Outcome("max_steps", "More steps may help.", steps))
        print("result", steps)
        AFTER
import typer
signal.signal(signal.SIGTERM, stop_at_once)
app = typer.Typer()
app.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})(command)
app()
"""


def program(*, step: float, after: str = "pass") -> list[str]:
    return [sys.executable, "-c", PROGRAM.replace("STEP", str(step)).replace("AFTER", after)]


def report(step: int, **changes: object) -> StepReport:
    fields = {"held_out": None, "error": None, **changes}
    return StepReport(step, 40, 1.25, "lm", 1e-3, {"equation[0]": 2e-3}, **fields)


def test_lines_of_a_phase():
    log = io.StringIO()
    lines = Lines(log)
    lines.begin("base", "lm", 40)
    for step in range(1, 41):
        lines.step(report(step, held_out=3e-3 if step == 40 else None, error=4e-3, note="damping 1e-4"))
    lines.end(Outcome("max_steps", "More steps may help.", 40))
    lines.note("wrote base.h5")
    assert log.getvalue() == (
        "base: lm: up to 40 steps\n"
        "base: lm: step 1/40  1.2 s  loss 1.00e-03  error 4.00e-03  equation[0] 2.00e-03  damping 1e-4\n"
        "base: lm: step 40/40  1.2 s  loss 1.00e-03  held-out 3.00e-03  error 4.00e-03"
        "  equation[0] 2.00e-03  damping 1e-4\n"
        "base: lm: max steps after 40 steps. More steps may help.\n"
        "wrote base.h5\n"
    )


def test_verbose_lines_show_every_step():
    log = io.StringIO()
    lines = Lines(log, verbose=True)
    for step in range(1, 41):
        lines.step(report(step))
    assert len(log.getvalue().splitlines()) == 40


def test_steps_that_come_slowly_are_all_shown(monkeypatch):
    monkeypatch.setattr(displays, "LINE_EVERY_S", 0.0)
    log = io.StringIO()
    lines = Lines(log)
    for step in (7, 8, 9):
        lines.step(report(step))
    assert len(log.getvalue().splitlines()) == 3


def test_a_long_step_does_not_leave_the_log_silent(monkeypatch):
    monkeypatch.setattr(displays, "SILENCE_S", 0.1)
    log = io.StringIO()
    lines = Lines(log, heartbeat=True)
    time.sleep(0.35)
    lines.begin("base", "lm", 40)
    time.sleep(0.35)
    lines.end(Outcome("max_steps", "", 40))
    time.sleep(0.35)
    lines.close()
    before, rest = log.getvalue().split("base: lm: up to 40 steps\n")
    within, after = rest.split("base: lm: max steps after 40 steps.\n")
    # Steps belong to a phase: evaluate and plot have none, nor has the judgement of what was trained.
    assert re.fullmatch(r"(still working: 0 s\n)+", before)
    assert re.fullmatch(r"(base: lm: 0 s without a step\n)+", within)
    assert re.fullmatch(r"(still working: 0 s\n)+", after)


def test_a_log_has_no_control_codes_and_stdout_no_progress():
    done = subprocess.run(program(step=0.001), capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "result 50\n"
    assert "\x1b" not in done.stderr
    assert "\r" not in done.stderr
    assert (
        done.stderr.splitlines()[-1]
        == "lambda=0.1: lm [walls]: max steps after 50 steps. More steps may help."
    )


def test_quiet_says_nothing():
    done = subprocess.run([*program(step=0.0), "-q"], capture_output=True, text=True, check=True, timeout=60)
    assert (done.stdout, done.stderr) == ("result 50\n", "")


@pytest.mark.parametrize(("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_gets_a_bar_that_leaves_one_line(environment, coloured):
    output = _on_a_terminal({"TERM": "xterm-256color", "COLUMNS": "120", **environment})
    assert "\x1b[2K" in output  # the bar redraws its line
    assert bool(re.search(r"\x1b\[(3\d|38;[\d;]+)m", output)) == coloured
    assert "lambda=0.1: lm [walls]" in output
    assert "max steps after 50 steps. More steps may help." in output


def test_a_dumb_terminal_gets_plain_lines():
    assert "\x1b" not in _on_a_terminal({"TERM": "dumb"})


def _on_a_terminal(environment: dict[str, str]) -> str:
    """Run the program with stderr on a pseudo-terminal and return what it drew."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        program(step=0.01), stdout=subprocess.DEVNULL, stderr=theirs, env={**inherited, **environment}
    )
    os.close(theirs)
    drawn = b""
    while process.poll() is None or select.select([ours], [], [], 0.1)[0]:
        if select.select([ours], [], [], 0.1)[0]:
            try:
                drawn += os.read(ours, 65536)
            except OSError:  # Linux reports the end of a terminal as an error
                break
    os.close(ours)
    assert process.wait(timeout=60) == 0
    return drawn.decode()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_abandons_the_step_under_way(number, code):
    process = subprocess.Popen(program(step=8), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert "up to 50 steps" in process.stderr.readline()
    process.send_signal(number)
    out, _ = process.communicate(timeout=6)  # the step takes 8
    assert (process.returncode, out) == (code, "")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_outside_a_loop_stops_at_once(number, code):
    process = subprocess.Popen(
        program(step=0, after="print('after', flush=True); time.sleep(20)"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("result")
    process.send_signal(number)
    process.communicate(timeout=15)  # and the end 20
    assert process.returncode == code


def test_a_closed_pipe_ends_quietly():
    command = program(step=0, after="print('x' * 100_000)")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        err = process.stderr.read()
    assert (process.returncode, "Broken" in err, "Traceback" in err) == (141, False, False)


@pytest.mark.parametrize(
    ("report", "text"),
    [
        (SweepReport(0, 0, 9, 0.0), "0 of 9 values done"),
        (SweepReport(3, 1, 9, 30.0), "about 60 s left, 3 of 9 values done, 1 failed"),
        (SweepReport(1, 0, 11, 700.0), "about 1 h 57 min left, 1 of 11 values done"),
        (
            SweepReport(1, 0, 2, 600.0, ("a=1: lm, step 4/9",)),
            "about 10 min left, 1 of 2 values done; a=1: lm, step 4/9",
        ),
        (SweepReport(9, 2, 9, 30.0), "9 of 9 values done, 2 failed"),
    ],
)
def test_where_a_sweep_stands(report, text):
    assert displays.standing(report) == text


def test_lines_of_a_sweep():
    log = io.StringIO()
    lines = Lines(log)
    for done in range(4):
        lines.sweep(SweepReport(done, 0, 3, 1.0 * done))
    lines.sweep(SweepReport(1, 0, 1, 1.0))  # one value is no sweep
    assert log.getvalue().splitlines() == ["sweep: 3 of 3 values done"]

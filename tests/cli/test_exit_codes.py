"""Every fault is one message on stderr and one exit code."""

from __future__ import annotations

import errno

import pytest

from pinnkan.ground.errors import (
    DamagedFileError,
    DivergedError,
    FileAccessError,
    PinnkanError,
    ProblemError,
    RemoteError,
    StoppedError,
    Terminated,
    ToleranceMissedError,
    UsageError,
    WrongBaseError,
)

PLACE = "heat.yaml:14:9: error: equation[0]: unknown name 'u_yy'"


@pytest.mark.parametrize(
    ("fault", "code", "message"),
    [
        (UsageError("no such value"), 2, "error: no such value\n"),
        (ProblemError([PLACE]), 2, f"{PLACE}\n1 error\n"),
        (DamagedFileError("base.h5: truncated"), 3, "error: base.h5: truncated\n"),
        (WrongBaseError("another base"), 3, "error: another base\n"),
        (DivergedError("the loss is not finite"), 4, "error: the loss is not finite\n"),
        (ToleranceMissedError("too large"), 5, "error: too large\n"),
        (FileAccessError("cannot write x"), 74, "error: cannot write x\n"),
        (StoppedError("stopped at step 3"), 75, "error: stopped at step 3\n"),
        (RemoteError("DivergedError", "the loss is not finite", 4), 4, "error: the loss is not finite\n"),
        (PinnkanError("a fault"), 2, "error: a fault\n"),
        (
            OSError(errno.ENOSPC, "No space left on device", "runs/x"),
            74,
            "error: cannot read or write runs/x: No space left on device\n",
        ),
        (OSError("odd"), 74, "error: cannot read or write: odd\n"),
        (
            MemoryError(),
            74,
            "error: out of memory; try fewer points, a smaller network or --dtype float32\n",
        ),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
            74,
            "error: out of memory; try fewer points, a smaller network or --dtype float32\n",
        ),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (Terminated(), 143, "terminated\n"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 141, ""),
        (UsageError("title \x1b[31mred"), 2, "error: title \\x1b[31mred\n"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_fault_to_message_and_code(pinnkan_command, workflow, tmp_path, fault, code, message):
    def fail(target):
        raise fault

    workflow("show", fail)
    answer = pinnkan_command("show", tmp_path)
    assert (answer.code, answer.out, answer.err) == (code, "", message)


def test_a_bug_keeps_its_traceback(pinnkan_command, workflow, tmp_path):
    workflow("show", lambda target: [][0])
    answer = pinnkan_command("show", tmp_path)
    assert answer.code == 70
    assert answer.err.startswith("Traceback")
    assert answer.err.endswith(
        "this is a bug in pinnkan (IndexError); please report it with the lines above\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evaluate", "heat"], "error: heat is not a run directory; did you mean 'runs/heat'?"),
        (["evaluate", "runs"], "error: runs has no base.h5; 'pinnkan pretrain PROBLEM -o runs' makes one"),
        (
            ["evaluate", "gone"],
            "error: there is no directory gone; 'pinnkan pretrain PROBLEM -o gone' makes one",
        ),
        (
            ["evaluate", "runs/heat/base.h5"],
            "error: runs/heat/base.h5 is a file; expected the run directory that holds base.h5",
        ),
        (["show", "gone"], "error: there is no file or directory gone"),
        (
            ["finetune", "runs/heat"],
            "error: which parameter values? Give --lambda VALUES or --param NAME=VALUES",
        ),
        (
            ["plot", "runs/heat", "--lambda", "0,1", "-o", "u.png"],
            "error: this command takes one parameter value, got 2",
        ),
        (
            ["export", "runs/heat", "-o", "u.csv"],
            "error: at which points? Give either --grid COUNTS or --points FILE",
        ),
        (
            ["export", "runs/heat", "-o", "u.csv", "--grid", "9x9", "--points", "p.csv"],
            "error: at which points? Give either --grid COUNTS or --points FILE",
        ),
        (
            ["export", "runs/heat", "-o", "u.csv", "--points", "p.csv", "--time", "1"],
            "error: --time goes with --grid; the points of a file carry their own times",
        ),
        (
            ["export", "runs/heat", "-o", "runs/heat/base.h5", "--grid", "9x9"],
            "error: -o runs/heat/base.h5 would overwrite the run's own base.h5; choose another name",
        ),
        (
            ["export", "runs/heat", "-o", "runs/heat/family.h5", "--grid", "9x9"],
            "error: -o runs/heat/family.h5 would overwrite the run's own family.h5; choose another name",
        ),
        (
            ["plot", "runs/heat", "-o", "runs/heat/adapters/lambda=1.h5"],
            "error: -o runs/heat/adapters/lambda=1.h5 would overwrite the run's own lambda=1.h5;"
            " choose another name",
        ),
        (["evaluate", "runs/heat", "-q", "-v"], "error: -q and -v exclude each other"),
    ],
)
def test_wrong_targets(pinnkan_command, workflow, problem, run_directory, arguments, message):
    for name in ("check", "evaluate", "finetune", "plot", "export", "show"):
        workflow(name, lambda *args, **options: None)
    answer = pinnkan_command(*arguments)
    assert (answer.code, answer.out, answer.err) == (2, "", f"{message}\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plot", "runs/heat", "--time", "nan", "-o", "u.png"], "expected a finite number, got nan"),
        (["finetune", "runs/heat", "--method", "lora"], "'lora' is not one of 'lotra', 'full', 'scratch'"),
        (["pretrain", "heat", "--seed", "-1"], "Invalid value for '--seed'"),
        (["pretrain"], "Missing argument"),
        (["evaluate", "runs/heat", "--sed", "1"], "No such option"),
        (["evalute"], "No such command 'evalute'"),
    ],
)
def test_wrong_options(pinnkan_command, run_directory, arguments, message):
    answer = pinnkan_command(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert message in " ".join(answer.err.split())


def test_a_problem_that_nobody_knows(pinnkan_command, problem):
    answer = pinnkan_command("check", "elipptic")
    assert (answer.code, answer.out) == (2, "")
    assert "did you mean 'elliptic'?" in answer.err

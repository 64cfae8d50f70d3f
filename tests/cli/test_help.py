"""Help answers at once, with an example for every command and a definition for every number."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from pinnkan.cli.app import COMMANDS

NAMES = [command.__name__ for command, _ in COMMANDS]
SLOW_IMPORTS = ("torch", "numpy", "sympy", "matplotlib", "scipy", "h5py", "yaml")


def test_the_commands_in_the_order_of_their_use():
    assert [
        *("check", "pretrain", "finetune", "fit", "status", "evaluate", "plot", "export"),
        *("family", "solve", "compare", "formula", "show", "spectrum", "problems"),
    ] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_help_has_an_example_of_the_command_itself(pinnkan_command, name):
    answer = pinnkan_command(name, "--help")
    examples = answer.out.partition("Examples:\n")[2]
    assert answer.code == 0
    assert re.search(rf"^    pinnkan {name}\b", examples, re.MULTILINE), answer.out


@pytest.mark.parametrize("name", NAMES)
def test_short_help_is_whole(pinnkan_command, name):
    (line,) = re.findall(rf"^  {name} .*$", pinnkan_command("--help").out, re.MULTILINE)
    assert not line.endswith("...")


def test_top_help_shows_the_main_job_and_the_exit_codes(pinnkan_command):
    out = pinnkan_command("--help").out
    for text in (
        "pinnkan pretrain elliptic",
        "pinnkan evaluate runs/elliptic",
        "130, 143  stopped by a signal",
    ):
        assert text in out


@pytest.mark.parametrize(
    "name",
    [
        "relative_l2",
        "relative_l2_squared",
        "relative_max",
        "boundary_max",
        "residual_rms",
        "zero_network_l2",
        "trainable_parameters",
        "file_bytes",
        "train_seconds",
        "steps",
        "stop_reason",
    ],
)
def test_evaluate_defines_every_number_it_prints(pinnkan_command, name):
    assert re.search(rf"^  {name}: \S", pinnkan_command("evaluate", "-h").out, re.MULTILINE)


@pytest.mark.parametrize(
    ("names", "options"),
    [
        (NAMES, ["-q", "-v"]),
        (["check", "pretrain", "finetune", "fit", "status"], ["--set", "--seed"]),
        (
            ["check", "pretrain", "finetune", "evaluate", "plot", "export"],
            ["--device", "--dtype", "--threads"],
        ),
        (["finetune", "status", "evaluate", "plot", "export"], ["--lambda", "--param"]),
        (["finetune", "status", "evaluate"], ["--zip"]),
        (["check", "pretrain", "finetune", "status", "evaluate", "show", "spectrum", "problems"], ["--json"]),
        (["pretrain", "finetune"], ["--force", "--time-limit"]),
        (["finetune", "status", "plot", "export"], ["--method", "--tag"]),
        (["plot", "export"], ["--time", "-o"]),
        (["plot", "spectrum"], ["-o", "--dpi", "--threads"]),
    ],
)
def test_options_that_commands_share(pinnkan_command, names, options):
    for name in names:
        out = pinnkan_command(name, "--help").out
        for option in options:
            assert re.search(rf"^  (-\w, )?{option}\b", out, re.MULTILINE), (name, option)


def test_only_devices_with_double_precision_are_offered(pinnkan_command):
    """MPS has none, and residuals are float64."""
    assert re.search(r"--device NAME\s+cpu, cuda, cuda:1 or auto\.", pinnkan_command("pretrain", "-h").out)


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [(["--help"], []), (["evaluate", "--help"], []), (["--version"], []), (["problems"], ["yaml"])],
)
def test_help_imports_nothing_slow(arguments, needed):
    program = (
        "import sys; from pinnkan.cli.app import main\n"
        "try: main()\n"
        f"finally: print([m for m in {SLOW_IMPORTS} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr.splitlines()[-1] == str(needed)


def test_version_and_module_entry():
    done = subprocess.run(
        [sys.executable, "-m", "pinnkan", "--version"], capture_output=True, text=True, check=True, timeout=60
    )
    assert re.fullmatch(r"pinnkan \d+\.\d+\.\d+\S*\n", done.stdout)


def test_help_into_a_full_disk_says_so():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "pinnkan", "--help"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
    assert (done.returncode, done.stderr) == (74, "error: cannot read or write: No space left on device\n")

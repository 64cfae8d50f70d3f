"""The program ``pinnkan``: its commands, and what happens before and after each."""

from __future__ import annotations

import signal
import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from pinnkan.cli import (
    check,
    compare,
    evaluate,
    export,
    family,
    finetune,
    fit,
    formula,
    plot,
    pretrain,
    problems,
    show,
    solve,
    spectrum,
    status,
)
from pinnkan.cli.terminal.faults import flush_results, guarded, report, require_streams
from pinnkan.cli.terminal.options import examples
from pinnkan.ground.machine import wait_passively
from pinnkan.ground.signals import heed

COMMANDS = (
    (check.check, check.EXAMPLES),
    (pretrain.pretrain, pretrain.EXAMPLES),
    (finetune.finetune, finetune.EXAMPLES),
    (fit.fit, fit.EXAMPLES),
    (status.status, status.EXAMPLES),
    (evaluate.evaluate, evaluate.EXAMPLES),
    (plot.plot, plot.EXAMPLES),
    (export.export, export.EXAMPLES),
    (family.family, family.EXAMPLES),
    (solve.solve, solve.EXAMPLES),
    (compare.compare, compare.EXAMPLES),
    (formula.formula, formula.EXAMPLES),
    (show.show, show.EXAMPLES),
    (spectrum.spectrum, spectrum.EXAMPLES),
    (problems.problems, problems.EXAMPLES),
)
EXAMPLES = examples(
    "pinnkan pretrain elliptic",
    "pinnkan finetune runs/elliptic --lambda 0.1,1",
    "pinnkan evaluate runs/elliptic",
    "pinnkan plot runs/elliptic --lambda 0.1 -o elliptic.png",
)
EXIT_CODES = """\b
Exit codes:
  0   done
  1   some of several values failed or are unsolved
  2   usage, problem file, missing PROBLEM or DIR
  3   damaged or foreign file, wrong base
  4   the one value asked for diverged or is unsolved
  5   --fail-above or a tolerance missed
  70  a bug, with its traceback
  74  cannot read or write
  75  stopped by a signal; the same command goes on where it stopped
  130, 143  stopped by a signal with nothing to save"""


def _show_version(asked: bool) -> None:
    """Print the version and leave; looked up only when asked for, the look-up takes its time."""
    if asked:
        from importlib.metadata import version

        typer.echo(f"pinnkan {version('pinnkan')}")
        raise typer.Exit


def pinnkan(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Solve families of partial differential equations from the shell.

    One problem file states a PDE with its parameters; 'pretrain' trains a physics-informed
    Kolmogorov-Arnold network for the base value, 'finetune' a small adapter for every other value;
    'evaluate', 'plot' and 'export' report and hand on the solutions.
    """


def make_app() -> typer.Typer:
    """Put the commands together.

    Typer's rich help is off: it would cost a quarter of a second at every start and boxes in every pipe.
    """
    app = typer.Typer(
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback(epilog=f"{EXAMPLES}\n\n{EXIT_CODES}")(pinnkan)
    for command, epilog in COMMANDS:
        app.command(epilog=epilog)(guarded(command))
    return app


def main() -> None:
    """Run the program and leave with its exit code."""
    wait_passively()
    require_streams()
    for stream in (sys.stdout, sys.stderr):
        # A log in an ASCII locale gets \u03bb for a lambda, not a crash.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    usual = (signal.SIG_DFL, signal.default_int_handler)
    heed(*(number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) in usual))
    try:
        make_app()(prog_name="pinnkan")
    except SystemExit as end:
        sys.exit(end.code or flush_results())
    except BaseException as error:
        # Outside the commands: a signal while options are read, help into a full disk.
        sys.exit(report(error))

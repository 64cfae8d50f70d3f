"""``pinnkan finetune``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import typer

from pinnkan.cli.terminal import options, render, results, targets, verdicts
from pinnkan.cli.terminal.progress import watching_training
from pinnkan.ground.errors import OtherSettingsError, PinnkanError, UsageError
from pinnkan.ground.machine import Compute
from pinnkan.ground.progress import Observer
from pinnkan.language.methods import LOTRA

if TYPE_CHECKING:
    from pinnkan.storage.runs.results import TrainingResult
    from pinnkan.sweeps.options import SweepOptions

SOME_FAILED = 1

EXAMPLES = options.examples(
    "pinnkan finetune runs/elliptic --lambda 0.1,1",
    "pinnkan finetune runs/elliptic --lambda 0:1:11 --lambda -0.5",
    "pinnkan finetune runs/elliptic --lambda 0:2:41 --start nearest --jobs 2",
    "pinnkan finetune runs/elliptic --lambda 1 --compression auto --tag auto",
    "pinnkan finetune runs/burgers --param nu=0.02 --method full --tag long --set finetuning.steps=200",
)


def finetune(
    directory: options.Directory,
    lambdas: options.Lambdas = None,
    params: options.Params = None,
    paired: options.Paired = False,
    method: options.TrainingMethod = LOTRA.name,
    tag: options.Tag = None,
    compression: options.Compression = None,
    overrides: options.Overrides = None,
    seed: options.Seed = None,
    device: options.Device = "cpu",
    dtype: options.StoredDtype = None,
    threads: options.Threads = None,
    tolerance: options.Tolerance = None,
    time_limit: options.TimeLimit = None,
    start: options.Start = None,
    jobs: options.Jobs = None,
    dask: options.Dask = None,
    print_slurm: options.PrintSlurm = False,
    force: options.Force = False,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Train an adapter for every parameter value.

    Writes DIR/adapters/lambda=0.1.h5, ... Several --param options give all combinations of their
    values; --zip pairs them. Values that are finished already are left as they are; those finished with
    other settings than stated (--set, --seed, --dtype, --start) are faults without --force. A stopped
    training goes on where it was. If one of several values fails, or its answer is unsolved, the
    others go on and the exit code is 1; 'pinnkan status DIR' says why. An answer that is unsolved is
    written all the same; if it is the only one asked for, the exit code is 4.

    With a tolerance, a value's training ends as soon as its error_estimate is below it ('pinnkan pretrain
    --help' defines that); ranks are raised and points added where it is missed. A finished result above it is
    gone on from. What stays above it is written, and the exit code is 5, or 1 among several values.
    """
    targets.require_run(directory)
    if not lambdas and not params:
        raise UsageError("which parameter values? Give --lambda VALUES or --param NAME=VALUES")
    if jobs and dask:
        raise UsageError("--jobs and --dask exclude each other: workers are here, or on the cluster")
    values = targets.read_values(directory, lambdas, params, quiet=quiet, paired=paired)
    from pinnkan.sweeps.options import SweepOptions, TrainingOptions

    compute = Compute(device, dtype and dtype.value, threads)
    sweep = SweepOptions(
        directory,
        method,
        tag,
        overrides=tuple(options.settings(overrides, compression)),
        training=TrainingOptions(seed, force, time_limit, compute, tolerance),
        nearest=options.nearest(start),
        jobs=jobs,
        dask=dask,
    )
    if print_slurm:
        _print_script(sweep, values)
    else:
        _train(sweep, values, quiet=quiet, verbose=verbose, as_json=as_json)


def _train(
    sweep: SweepOptions, values: Sequence[dict[str, float]], *, quiet: bool, verbose: bool, as_json: bool
) -> None:
    """Train what is missing, and print what came of every value.

    Raises:
        PinnkanError: As `_conclude`, and for what stops all values.
        typer.Exit: As `_conclude`.
    """
    from pinnkan.workflows.finetune import finetune as run

    threads = sweep.training.compute.threads
    with watching_training(quiet=quiet, verbose=verbose, threads=threads, jobs=sweep.jobs) as observer:
        _echo(observer, values)
        trained = run(sweep, values, observer)
        _note_finished(observer, trained)
        _conclude(trained, as_json=as_json)


def _words(sweep: SweepOptions) -> list[str]:
    """Return the options, beside values and threads, that make another command the same as this one."""
    training, starts = sweep.training, {None: None, True: "nearest", False: "base"}
    given = {
        "--method": sweep.method,
        "--tag": sweep.tag,
        "--seed": training.seed,
        "--device": training.compute.device,
        "--dtype": training.compute.dtype,
        "--start": starts[sweep.nearest],
        "--tolerance": training.tolerance,
        "--time-limit": training.time_limit,
    }
    words = [word for name, value in given.items() if value is not None for word in (name, str(value))]
    sets = [word for text in sweep.overrides for word in ("--set", text)]
    return [*words, *sets, *(["--force"] if training.force else [])]


def _print_script(sweep: SweepOptions, values: Sequence[dict[str, float]]) -> None:
    """Print the array script.

    Raises:
        UsageError: If the values depend on each other.
    """
    from pinnkan.sweeps.slurm import array_script

    if sweep.nearest:
        raise UsageError(
            "--print-slurm makes independent tasks, --start nearest chains them; "
            "run one job with --jobs instead"
        )
    threads = sweep.training.compute.threads
    typer.echo(array_script(sweep.directory, values, _words(sweep), threads=threads), nl=False)


def _echo(observer: Observer, values: Sequence[dict[str, float]]) -> None:
    """Say which values the options came to: start:stop:count reads as start:step:stop elsewhere."""
    from pinnkan.language.parameters import echo_values

    plural = "" if len(values) == 1 else "s"
    observer.note(f"{len(values)} value{plural}: {echo_values(values)}")


def _note_finished(observer: Observer, found: Sequence[TrainingResult]) -> None:
    """Say once what was left as it is: hundreds of finished values are one line."""
    present = [result for result in found if result.status == "present"]
    if len(present) == 1:
        told = results.said_unasked(*present)
        observer.note(f"{present[0].path} is finished; --force trains it again{told}")
    elif present:
        told = results.said_unasked(*present)
        observer.note(f"{len(present)} of {len(found)} values were finished; --force trains them again{told}")


def _fault_lines(faults: Sequence[tuple[Mapping[str, float], PinnkanError]]) -> list[str]:
    """Return a line for each fault; values that are finished with the same other settings share one."""
    kept: dict[str, list[str]] = {}
    lines = []
    for values, fault in faults:
        name = render.cell("parameters", values)
        if isinstance(fault, OtherSettingsError):
            kept.setdefault(fault.why, []).append(name)
        else:
            lines.append(f"{name}: {fault}")
    for why, names in kept.items():
        who = names[0] if len(names) == 1 else f"{len(names)} values ({names[0]} ... {names[-1]})"
        lines.append(f"{who}: finished, with {why}; {OtherSettingsError.remedy}")
    return lines


def _conclude(found: Sequence[TrainingResult], *, as_json: bool) -> None:
    """Print what came of every value, and let failures and verdicts decide the exit code.

    Raises:
        PinnkanError: The fault of the one value asked for, that it is unsolved included.
        typer.Exit: With 1 if some of several values failed or are unsolved.
    """
    faults = [(result.values, result.fault) for result in found if result.fault is not None]
    rows = [results.row(result) for result in found]
    if as_json:
        render.write_json({"results": rows})
    else:
        results.write_rows(rows)
    if len(found) == 1 and faults:
        raise faults[0][1]
    for line in _fault_lines(faults):
        typer.echo(f"error: {line}", err=True)
    verdicts.conclude(rows, said=not as_json)
    if faults:
        raise typer.Exit(SOME_FAILED)

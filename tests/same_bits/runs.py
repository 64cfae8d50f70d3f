"""Quick seeded runs of every shipped problem and of every way to train, and the numbers that they store.

``coefficients.npz`` beside this file holds these numbers and the machine that made them. Where a change must
move them, it says why, and makes the file anew:

    OMP_NUM_THREADS=1 python tests/same_bits/runs.py

Names of runs behind it (a problem that is new) make only their numbers, on the machine of the others.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import h5py
import numpy as np

HERE = Path(__file__).parent
PROBLEMS = HERE.parents[1] / "problems"
STORED = HERE / "coefficients.npz"

_SMALL = (
    "network.hidden=[5, 5]",
    "network.functions=5",
    "points.interior=80",
    "points.boundary=12",
    "points.initial=12",
    "points.held_out=40",
    "training.precision=full",
    "finetuning.precision=full",
)
_MIXED = ("training.precision=mixed", "finetuning.precision=mixed")
"""Single precision moves up to 3e-4 between machines, 1e-7 where a large damping keeps the steps short."""
_PLAIN = {"lotra": (), "full": ()}


_UNASKED = {
    "judgement": lambda *_: {"relative_residual": None, "verdict": None, "reasons": None},
    "require_well_posed": lambda _: None,
    "refuse_lost_derivatives": lambda _: None,
    "unseen_data": lambda *_: [],
}
"""Questions around a training, which take ten times as long as so few steps and move no number."""


@dataclass(frozen=True)
class QuickRun:
    """A base and its adapters.

    Attributes:
        problem: Name of the shipped problem.
        value: Parameter value of the adapters, as ``--param`` takes it.
        phases: ``training.phases`` of the base.
        tuning: ``finetuning.phases`` of the adapters.
        sets: More ``--set`` texts of the base, after those that make it small.
        adapters: ``--set`` texts of each adapter, by its method and, behind a dot, its tag.
        evaluated: Whether errors and residuals at other points are numbers of the run, too.
        reduced: A range of the parameter over which the base is reduced as well.
    """

    problem: str
    value: str
    phases: str = "[{steps: 2}]"
    tuning: str = "[{steps: 2}]"
    sets: Sequence[str] = ()
    adapters: Mapping[str, Sequence[str]] = field(default_factory=lambda: _PLAIN)
    evaluated: bool = False
    reduced: str | None = None


RUNS = {
    # Every shipped problem, by what its own recipe is made of.
    "advection": QuickRun(
        "advection",
        "c=0.8",
        "[{steps: 2}, {steps: 2, functions: 7}]",
        sets=["network.hidden=[2]", "points.interior=70"],
    ),
    "allen_cahn": QuickRun(
        "allen_cahn",
        "lambda=1.3",
        "[{steps: 1}, {form: lotra, steps: 1}, {form: lotra, steps: 1, smoothing: 12, damping: 1.0e-2}]",
        "[{steps: 1}, {points: 90, steps: 1, smoothing: 12}]",
    ),
    "beam": QuickRun("beam", "c=1.4"),
    "kdv": QuickRun("kdv", "c=2.5"),
    "black_scholes": QuickRun("black_scholes", "sigma=0.3"),
    "burgers": QuickRun("burgers", "nu=0.02"),
    "transport_periodic": QuickRun(
        "transport_periodic", "c=0.7", "[{steps: 2}, {points: 90, steps: 1, smoothing: 12}]"
    ),
    "elliptic": QuickRun(
        "elliptic",
        "lambda=0.7",
        "[{steps: 2}, {points: 90, steps: 1, smoothing: 12}]",
        adapters={**_PLAIN, "scratch": []},
        evaluated=True,
    ),
    "heat": QuickRun(
        "heat",
        "kappa=0.4",
        "[{form: slim, steps: 2}, {form: lotra, steps: 1}]",
        evaluated=True,
        reduced="kappa=0.1:0.4",
    ),
    "helmholtz": QuickRun(
        "helmholtz", "k=5.5", "[{steps: 2, damping: 100}]", "[{steps: 2, damping: 100}]", sets=_MIXED
    ),
    "hyperbolic": QuickRun(
        "hyperbolic",
        "lambda=1.6",
        "[{steps: 1, damping: 100}, {form: lotra, points: 90, steps: 1, smoothing: 12, damping: 100}]",
        "[{steps: 1, damping: 100}, {steps: 1, smoothing: 12, damping: 100}]",
        sets=_MIXED,
    ),
    "plate": QuickRun("plate", "k=1.5"),
    "predator_prey": QuickRun("predator_prey", "a=0.7"),
    "kovasznay": QuickRun("kovasznay", "Re=50"),
    "stokes": QuickRun("stokes", "k=1.5"),
    "kuramoto_sivashinsky": QuickRun("kuramoto_sivashinsky", "nu=0.6"),
    "cantilever": QuickRun("cantilever", "L=40"),
    "elasticity": QuickRun("elasticity", "nu=0.2"),
    "maxwell": QuickRun("maxwell", "eps=2.5"),
    "schroedinger": QuickRun("schroedinger", "c=0.7"),
    "brusselator": QuickRun("brusselator", "B=2.5"),
    "poisson_square": QuickRun("poisson_square", "c=0.3"),
    "wave": QuickRun("wave", "c=1.2", "[{form: slim, steps: 2}, {form: lotra, steps: 1}]"),
    # Every network, optimizer, rule and kind of adapter that no shipped problem asks for.
    "mlp": QuickRun(
        "elliptic",
        "lambda=0.7",
        sets=["network.kind=mlp", "points.rule=sobol"],
        adapters={"full": [], "scratch": []},
    ),
    "bspline": QuickRun(
        "heat", "kappa=0.4", sets=["network.basis=bspline", "points.rule=random"], adapters={"lotra": ()}
    ),
    "legendre": QuickRun("wave", "c=1.2", sets=["network.basis=legendre"], adapters={}),
    "taylor": QuickRun("poisson_square", "c=0.3", sets=["network.basis=taylor"], adapters={}),
    "fourier": QuickRun("helmholtz", "k=5.5", sets=["network.basis=fourier"], adapters={}),
    "slim": QuickRun(
        "burgers", "nu=0.02", sets=["network.kind=slim", "network.rank=0.5"], adapters={"full": ()}
    ),
    "oracle": QuickRun(
        "heat", "kappa=0.4", "[{steps: 1, points: 30}]", sets=["network.derivatives=autograd"], adapters={}
    ),
    "adam and lbfgs": QuickRun(
        "burgers",
        "nu=0.02",
        "[{optimizer: adam, steps: 3, refresh: 2}, {optimizer: lbfgs, steps: 3}]",
        "[{optimizer: adam, steps: 3, rates: LR-3, schedule: cosine}, {optimizer: lbfgs, steps: 3}]",
        sets=["points.noise=0.01"],
    ),
    "sparse": QuickRun(
        "elliptic",
        "lambda=0.7",
        "[{steps: 2, points: 300, sparsity: 1.0e-2}, {steps: 1, prune: 0.2}]",
        adapters={},
    ),
    "adapters": QuickRun(
        "elliptic",
        "lambda=0.7",
        adapters={
            "lotra.grown": ["adapter.compression=auto"],
            "lotra.ranks": ["adapter.ranks=[2, 3, 2]", "adapter.layers=all", "adapter.initialisation=paper"],
            "lotra.words": ["adapter.layers=[frozen, tucker, full]", "adapter.initialisation=orthonormal"],
        },
    ),
}


def numbers(run: QuickRun, folder: Path) -> dict[str, np.ndarray]:
    """Train a run in a new folder; return the numbers of every file it wrote, and the errors told of them."""
    sets = [f"training.phases={run.phases}", f"finetuning.phases={run.tuning}"]
    _pinnkan(
        "pretrain", PROBLEMS / f"{run.problem}.yaml", "-o", folder, *_settings([*_SMALL, *sets, *run.sets])
    )
    for adapter, texts in run.adapters.items():
        method, _, tag = adapter.partition(".")
        named = ["--method", method, *(["--tag", tag] if tag else [])]
        _pinnkan("finetune", folder, "--param", run.value, *named, *_settings(texts))
    if run.reduced is not None:
        _pinnkan(
            "family", folder, "--param", run.reduced, "--max-adapters", 2, "--tolerance", 0.5, *_settings([])
        )
    found = {path.relative_to(folder).as_posix(): _stored(path) for path in sorted(folder.rglob("*.h5"))}
    return found | ({"evaluate": _errors(folder)} if run.evaluated else {})


def _errors(folder: Path) -> np.ndarray:
    rows = json.loads(_pinnkan("evaluate", folder, "--json"))["results"]
    return np.array([row[key] for row in rows for key in ("relative_l2", "residual_rms")])


def _settings(texts: Sequence[str]) -> list[str]:
    return [*(word for text in texts for word in ("--set", text)), "--seed", "7", "--threads", "1", "-q"]


def _pinnkan(*arguments: object) -> str:
    """Run a command in this process; so few steps leave an answer that is unsolved, which is no matter here.

    Raises:
        RuntimeError: If it fails otherwise.
    """
    from program import program  # here: torch loads behind it, when the threads are settled

    out, err = io.StringIO(), io.StringIO()
    words = [str(argument) for argument in arguments]
    with redirect_stdout(out), redirect_stderr(err), ExitStack() as stack:
        for name, answer in _UNASKED.items():
            stack.enter_context(patch(f"pinnkan.sweeps.job.{name}", answer))
        try:
            program()(words, prog_name="pinnkan")
        except SystemExit as end:
            code = end.code
    if code not in (0, None) and "unsolved" not in out.getvalue() + err.getvalue():
        raise RuntimeError(f"pinnkan {' '.join(words)}: exit code {code}\n{err.getvalue()}")
    return out.getvalue()


def _stored(path: Path) -> np.ndarray:
    """Return the numbers of a stored file but for the long tables of a reduced basis."""
    with h5py.File(path) as file:
        entries = json.loads(bytes(file["json"][()]))["arrays"]
        arrays = [file[entry["dtype"]][entry["start"] : entry["stop"]] for entry in entries.values()]
    return np.concatenate([array for array in arrays if array.size <= _LONGEST])


_LONGEST = 400


def machine() -> dict[str, Any]:
    """Return what bits depend on beside the code: processor, libraries and their threads."""
    import scipy
    import torch
    from threadpoolctl import threadpool_info

    processor = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith(("model name", "cpu family", "model\t", "stepping", "flags"))
    ]
    pools = [{key: pool.get(key) for key in _POOL} for pool in threadpool_info()]
    return {
        "processor": hashlib.sha256("\n".join(sorted(set(processor))).encode()).hexdigest()[:16],
        "capability": torch.backends.cpu.get_cpu_capability(),
        "versions": [torch.__version__, np.__version__, scipy.__version__],
        "threads": torch.get_num_threads(),
        "pools": sorted(pools, key=json.dumps),
    }


_POOL = ("internal_api", "version", "architecture", "num_threads")


def all_numbers(names: Sequence[str]) -> Iterator[tuple[str, np.ndarray]]:
    """Train runs; yield names such as ``heat/base.h5`` with numbers."""
    for name in names:
        with TemporaryDirectory() as folder:
            yield from (
                (f"{name}/{file}", found) for file, found in numbers(RUNS[name], Path(folder) / "run").items()
            )


def kept_numbers(names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return what is stored of all runs but some."""
    with np.load(STORED) as file:
        stored = dict(file)
    if json.loads(stored.pop("machine").tobytes()) != machine():
        sys.exit("the stored numbers are another machine's: make all of them anew")
    return {key: array for key, array in stored.items() if key.partition("/")[0] not in names}


if __name__ == "__main__":
    sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent)]
    import scipy.linalg  # noqa: F401 -- loads its BLAS, which machine() names

    if machine()["threads"] != 1:
        sys.exit("set OMP_NUM_THREADS=1, as the tests do: with more threads sums have other last bits")
    wanted = sys.argv[1:]
    made = (kept_numbers(wanted) if wanted else {}) | dict(all_numbers(wanted or list(RUNS)))
    np.savez_compressed(STORED, machine=np.frombuffer(json.dumps(machine()).encode(), np.uint8), **made)
    count = sum(array.size for array in made.values())
    print(f"wrote {STORED}: {count} numbers, {os.path.getsize(STORED)} bytes")

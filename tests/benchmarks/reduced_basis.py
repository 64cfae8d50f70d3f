"""Reduced basis over adapters: error, effectivity and time at parameter values that nobody trained.

Runs, for every family,

    pinnkan pretrain FAMILY -o DIR
    pinnkan family DIR --lambda LOW:HIGH --tolerance 0 --max-adapters K --set ...

and then asks `pinnkan.ReducedBasis.load(DIR)` for 200 unseen values, all in one batch: uniform in the range,
for Burgers half of them in the logarithm of the viscosity. Errors are relative L2 over 5,000 uniform
points, against the exact solution or Cole and Hopf's formula.

    error          worst and median of the reduced solutions
    in the span    worst of the best combinations, which know the reference: what the adapters allow
    effectivity    estimate over error, 2.5 % and 97.5 % of the values
    ms a value     source, coefficients and estimate, in one batch on one thread
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import reduced_families
from common import begin, error_text, finish, parser, table, time_text, words
from families import run_program

import pinnkan
from pinnkan.ground.derivatives import Derivative
from pinnkan.physics.family import Family
from pinnkan.reduction import network_jets
from pinnkan.storage.runs.paths import adapter_path, base_path
from pinnkan.storage.store import read_store

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from reference_solutions import burgers

VALUES, VALUE_SEED = 200, 31
POINTS, POINT_SEED = 5_000, 77
REPEATS = 5

Reference = Callable[[np.ndarray, float], np.ndarray]


@dataclass(frozen=True)
class Case:
    """One family: its file, range, adapters, and what is asked for.

    Attributes:
        low: Low end of the range.
        high: High end.
        adapters: Most adapters.
        must: Worst error asked for.
        goal: Worst error hoped for.
        overrides: ``--set`` texts of the adapters.
        base: ``--set`` texts of the base.
        logarithmic: Whether half of the unseen values are uniform in the logarithm.
        text: The problem file where none is shipped.
    """

    low: float
    high: float
    adapters: int
    must: float
    goal: float
    overrides: tuple[str, ...] = ()
    base: tuple[str, ...] = ()
    logarithmic: bool = False
    text: str | None = None


HYPERBOLIC = (
    "{points: 1500, steps: 14}",
    "{form: lotra, points: 5000, steps: 8}",
    "{form: lotra, points: 6000, steps: 8, smoothing: 48, damping: 1.0e-4}",
    "{form: lotra, points: 12000, steps: 8, smoothing: 96, damping: 1.0e-5}",
)
"""The shipped phases but the last; three longer ones follow, for adapters inherit their base's error."""
HYPERBOLIC_LAST = "{form: lotra, points: 12000, steps: 6, smoothing: 96, damping: 1.0e-5, compression: 1/4}"
CASES = {
    "elliptic": Case(0, 2, 3, 1e-4, 2e-5, ("finetuning.phases.0.steps=14",)),
    "allen_cahn": Case(
        0, 2, 3, 1e-4, 2e-5, ("finetuning.phases.1.points=16000", "finetuning.phases.1.steps=10")
    ),
    "hyperbolic": Case(
        *(0, 2, 3, 1e-4, 2e-5),
        ("finetuning.phases.1.points=16000", "finetuning.phases.1.steps=12", "adapter.compression=1/4"),
        base=(f"training.phases=[{', '.join([*HYPERBOLIC, *3 * [HYPERBOLIC_LAST]])}]",),
    ),
    "burgers": Case(0.01, 0.1, 8, 5e-4, 1e-4, ("finetuning.phases.2.steps=12",), logarithmic=True),
    "heat": Case(0.05, 1, 6, 5e-4, 1e-4),
    "helmholtz_gaussian": Case(1, 4, 6, 5e-4, 1e-4, text=reduced_families.HELMHOLTZ),
    "reaction_diffusion": Case(0, 6, 6, 5e-4, 1e-4, text=reduced_families.REACTION),
}


@dataclass(frozen=True)
class Measurement:
    """One family."""

    family: str
    adapters: int
    worst: float
    median: float
    worst_at: float
    in_span: float
    effectivity: tuple[float, float, float]
    milliseconds: float
    one_milliseconds: float
    file_bytes: int
    pretrain_seconds: float
    family_seconds: float
    curve: list[dict[str, Any]]


def measure(name: str, folder: Path, options: argparse.Namespace) -> Measurement:
    """Make the family's file and ask it for unseen values."""
    case = CASES[name]
    always = ["--threads", str(options.threads), "--seed", str(options.seed)]
    quick = ["--set", "training.phases=[{points: 200, steps: 2}]"] if options.quick else []
    subject = name
    if case.text is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.yaml").write_text(case.text)
        subject = str(folder / f"{name}.yaml")
    longer = [] if options.quick else [word for text in case.base for word in ("--set", text)]
    run_program(["pretrain", subject, "-o", str(folder), "-q", *always, *quick, *longer])
    sets = ["finetuning.phases=[{points: 200, steps: 2}]"] if options.quick else case.overrides
    words_ = [word for text in sets for word in ("--set", text)]
    adapters = 2 if options.quick else (options.adapters or case.adapters)
    wanted = ["--lambda", f"{case.low}:{case.high}", "--tolerance", "0", "--max-adapters", str(adapters)]
    wall_seconds(["family", str(folder), *wanted, *always, *words_])
    return judge(name, folder)


def wall_seconds(arguments: Sequence[str]) -> float:
    """Run the program and return its wall time; exit 5 is success, for the tolerance 0 is never met."""
    started = time.perf_counter()
    try:
        run_program(arguments)
    except RuntimeError as error:
        if not str(error).endswith("exit 5"):
            raise
    return time.perf_counter() - started


def judge(name: str, folder: Path) -> Measurement:
    """Measure errors, effectivity and times of a family file."""
    family = pinnkan.ReducedBasis.load(folder)
    values = unseen(CASES[name])
    answers = family.solve_all(values.tolist())
    points = answers.reference.domain.uniform(POINTS, POINT_SEED)
    exact = np.stack([reference(family, name, points, value) for value in values.tolist()])
    sizes = np.linalg.norm(exact, axis=1)
    errors = np.linalg.norm(answers.solutions(points)[:, 0] - exact, axis=1) / sizes
    low, middle, high = (float(x) for x in np.quantile(answers.estimates / errors, (0.025, 0.5, 0.975)))
    alone = [batch_seconds(family, values[at : at + 1]) for at in range(20)]
    return Measurement(
        family=name,
        adapters=answers.coefficients.shape[1],
        worst=float(errors.max()),
        median=float(np.median(errors)),
        worst_at=float(values[errors.argmax()]),
        in_span=float((best_errors(family, points, values, exact) / sizes).max()),
        effectivity=(low, middle, high),
        milliseconds=1e3 * batch_seconds(family, values) / len(values),
        one_milliseconds=1e3 * statistics.median(alone),
        file_bytes=(folder / "family.h5").stat().st_size,
        pretrain_seconds=train_seconds(base_path(folder)),
        family_seconds=sum(
            train_seconds(adapter_path(folder, one, "lotra", None)) for one in family._stored.meta["adapters"]
        ),
        curve=family._stored.meta["curve"],
    )


def train_seconds(path: Path) -> float:
    """Return what the training of a stored result took; a search that was killed and resumed counts all."""
    seconds: float = read_store(path).meta["training"]["train_seconds"]
    return seconds


def unseen(case: Case) -> np.ndarray:
    """Return the values that are asked for."""
    rng = np.random.default_rng(VALUE_SEED)
    if not case.logarithmic:
        return rng.uniform(case.low, case.high, VALUES)
    half = rng.uniform(np.log(case.low), np.log(case.high), VALUES // 2)
    return np.concatenate([rng.uniform(case.low, case.high, VALUES // 2), np.exp(half)])


def reference(family: pinnkan.ReducedBasis, name: str, points: np.ndarray, value: float) -> np.ndarray:
    """Return the solution that is believed."""
    if name == "burgers":
        return burgers(*points.T, value)
    if name == "helmholtz_gaussian":
        return reduced_families.helmholtz(points, value)
    if name == "reaction_diffusion":
        return reduced_families.reaction(points, value)
    (exact,) = Family(family.problem).at(value).exact(points).values()
    return exact


def best_errors(
    family: pinnkan.ReducedBasis, points: np.ndarray, values: np.ndarray, exact: np.ndarray
) -> np.ndarray:
    """Return the distance of references from the span of the adapters, shape (L,)."""
    stored, value = family._stored, [Derivative(0, (0,) * points.shape[1])]
    ansatz = stored.model.ansatz
    jets = network_jets(
        ansatz.reference.ansatzes, stored.snapshots.network, stored.snapshots.coefficients, points, value
    )[0]
    basis, _ = np.linalg.qr(jets.T)
    wanted = exact - (0.0 if ansatz.lift_is_zero else ansatz.lift(points, value)(values[:, None])[0])
    return np.linalg.norm(wanted - wanted @ basis @ basis.T, axis=1)


def batch_seconds(family: pinnkan.ReducedBasis, values: np.ndarray) -> float:
    """Return the median wall time of answering a batch."""
    return statistics.median(family.solve_all(values.tolist()).seconds for _ in range(REPEATS))


def row(one: Measurement) -> list[str]:
    """Write one family as a row."""
    case = CASES[one.family]
    verdict = "goal" if one.worst <= case.goal else "must" if one.worst <= case.must else "misses"
    low, _, high = one.effectivity
    return [
        f"{one.family} {case.low:g}:{case.high:g}",
        str(one.adapters),
        error_text(one.worst),
        f"{one.worst_at:.3g}",
        error_text(one.median),
        error_text(one.in_span),
        f"{low:.2g}..{high:.2g}",
        time_text(one.milliseconds),
        time_text(one.one_milliseconds),
        f"{one.pretrain_seconds:.0f} + {one.family_seconds:.0f}",
        f"{one.file_bytes / 1e6:.1f}",
        f"{error_text(case.must)}, {error_text(case.goal)}",
        verdict,
    ]


def against_elements(one: Measurement) -> list[str] | None:
    """Set a family against finite elements of its median error, mid-range; None without a solver."""
    from finite_elements import LADDERS, at_error, climb

    if one.family not in LADDERS:
        return None
    case = CASES[one.family]
    found = at_error(climb(one.family, 0.5 * (case.low + case.high), 3, len(LADDERS[one.family])), one.median)
    if found is None:
        return [one.family, error_text(one.median), "-", time_text(one.milliseconds / 1e3), "-", "-", "-"]
    _, seconds, numbers = found
    online = one.milliseconds / 1e3
    offline = one.pretrain_seconds + one.family_seconds
    pays = f"{offline / (seconds - online):.0f}" if seconds > online else "never"
    return [
        one.family,
        error_text(one.median),
        time_text(seconds),
        f"{online:.2g}",
        pays,
        f"{8 * numbers:.0f}",
        str(8 * one.adapters),
    ]


ELEMENTS = [
    *("family", "median error", "FEM s a value", "reduced s a value", "pays from value"),
    *("FEM bytes a value", "reduced bytes a value"),
]
HEADER = [
    *("family", "adapters", "worst error", "at", "median", "in the span", "effectivity"),
    *("ms a value", "ms alone", "seconds offline", "MB", "must, goal", "worst meets"),
]


def many(folder: Path, count: int) -> list[str]:
    """Time one command that answers many values, start-up included."""
    case = CASES[folder.name]
    target = folder / "many.npz"
    box = f"{case.low}:{case.high}:{count}"
    seconds = wall_seconds(["solve", str(folder), "--lambda", box, "-o", str(target), "-q"])
    return [f"pinnkan solve {folder.name}", str(count), time_text(seconds)]


def main() -> None:
    """Run it."""
    made = parser(__doc__)
    made.add_argument("--families", type=words, default=list(CASES))
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--adapters", type=int, help="most adapters of every family (default: of each its own)")
    made.add_argument("--runs", type=Path, metavar="DIR", help="where the runs go (default: a new folder)")
    options = made.parse_args()
    record = begin("Reduced bases over adapters", options)
    folder = options.runs or Path(tempfile.mkdtemp(prefix="pinnkan-reduced-"))
    found = []
    for name in options.families:
        found.append(measure(name, folder / name, options))
        print(f"  {name}: done", file=sys.stderr, flush=True)
    print(f"{VALUES} unseen values a family; files in {folder}\n")
    print(table(HEADER, [row(one) for one in found]))
    print("\nWorst estimate by number of adapters\n")
    for one in found:
        points = ", ".join(f"{p['adapters']}: {error_text(p['worst_estimate'])}" for p in one.curve)
        print(f"{one.family}  {points}")
    rows = [line for line in map(against_elements, found) if line is not None]
    if rows:
        print("\nAgainst scikit-fem at equal error, middle of the range; the family file is counted once\n")
        print(table(ELEMENTS, rows))
    print("\nOne command, start-up included\n")
    commands = [many(folder / name, 100 if options.quick else 10_000) for name in options.families]
    print(table(["command", "values", "wall seconds"], commands))
    record["results"] = [asdict(one) for one in found]
    record["commands"] = commands
    finish(record, options.json)


if __name__ == "__main__":
    main()

"""``pinnkan family``: a reduced basis over adapters, chosen greedily, for any parameter value of a range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pinnkan.ground.errors import PinnkanError
from pinnkan.ground.files import clean_leftovers, require_writable
from pinnkan.ground.progress import Observer
from pinnkan.ground.runtime import limited_threads, provenance
from pinnkan.language.methods import LOTRA
from pinnkan.language.parameters import file_stem
from pinnkan.reduction import (
    FamilyAnsatz,
    OnlinePoints,
    Range,
    ReducedModel,
    Snapshots,
    field_root,
    named,
    online_points,
    read_ranges,
    thinned,
    training_set,
)
from pinnkan.reduction.greedy import ADVICE, CurvePoint, Reason, Search, search
from pinnkan.solutions.evaluation.verdict import worst
from pinnkan.storage.runs.directory import Result, RunDirectory
from pinnkan.storage.runs.identity import weights_hash
from pinnkan.storage.runs.paths import FAMILY
from pinnkan.storage.runs.reduced_basis import family_ansatz, write_family
from pinnkan.storage.runs.results import stored_verdict
from pinnkan.training import network_for
from pinnkan.workflows.finetune import finetune

FloatArray = NDArray[np.float64]

_CHECKED = 32
"""Parameter values at which the estimate is compared with an exact solution."""


@dataclass(frozen=True)
class FamilyResult:
    """What came of a search.

    Attributes:
        path: The file.
        reason: Why it ended: ``tolerance``, ``max_adapters`` or ``stalled``.
        advice: One sentence on that.
        tolerance: Asked for.
        curve: Worst estimate against number of adapters.
        adapters: Parameter values of the adapters in the basis.
        factor: From relative residual to estimate.
        effectivity: Estimate over true error at values between those of the training set: ``low``,
            ``median`` and ``high`` (2.5 % and 97.5 %), ``worst_error``, ``values`` (those that have
            an answer); None without an exact solution or an answer. The error is the largest over the
            unknowns.
        file_bytes: Size of the file.
    """

    path: Path
    reason: Reason
    advice: str
    tolerance: float
    curve: Sequence[Mapping[str, Any]]
    adapters: Sequence[Mapping[str, float]]
    factor: float
    effectivity: Mapping[str, float] | None
    file_bytes: int

    @property
    def met(self) -> bool:
        """Whether the estimate meets the tolerance everywhere in the training set."""
        return self.reason == "tolerance"


@dataclass
class _Trainer:
    """Trains adapters by the same idempotent workflow as ``pinnkan finetune``."""

    directory: Path
    base: Result
    ranges: Sequence[Range]
    options: Mapping[str, Any]
    trained: list[Result] = field(default_factory=list)

    def __call__(self, values: FloatArray) -> Sequence[Tensor]:
        (found,) = finetune(
            self.directory, [named(self.ranges, values.tolist())], method=LOTRA.name, tag=None, **self.options
        )
        if found.fault is not None:
            raise found.fault
        assert found.path is not None
        adapter = RunDirectory(self.directory).adapter(found.path, self.base)
        self.trained.append(adapter)
        return adapter.coefficients


def family(
    directory: Path,
    *,
    only: str | None,
    params: Sequence[str],
    tolerance: float,
    max_adapters: int,
    overrides: Sequence[str],
    seed: int | None,
    threads: int | None,
    force: bool,
    observer: Observer,
) -> FamilyResult:
    """Choose adapters greedily until the estimated error meets the tolerance, and write ``family.h5``.

    A killed search goes on where it stopped when it is called again: adapters that are
    finished are found and not trained again.

    Args:
        directory: The run.
        only: Range LOW:HIGH of the family's only parameter.
        params: Ranges NAME=LOW:HIGH.
        tolerance: Of the estimated relative L2 error, at every value of the training set.
        max_adapters: Most adapters.
        overrides: ``--set`` texts for the adapters' training.
        seed: Of the adapters' training; None takes finished ones whatever theirs was, and 0 for new ones.
        threads: CPU threads.
        force: Whether finished adapters are trained again.
        observer: Who is told.

    Raises:
        UsageError: If a range cannot be read, or domain or ansatz change with the parameters.
        PinnkanError: The fault of an adapter's training, or if nothing calibrates the estimate.
        FileAccessError: If a file cannot be written.
    """
    run = RunDirectory(directory)
    base = run.base()
    ranges = read_ranges(base.problem.parameters, only=only, named=params)
    clean_leftovers(directory)
    require_writable(directory / FAMILY)
    options = {
        "overrides": overrides,
        "seed": seed,
        "device": "cpu",
        "dtype": None,
        "threads": threads,
        "force": force,
        "time_limit": None,
        "observer": observer,
    }
    trainer = _Trainer(directory, base, ranges, options)
    with limited_threads(threads) as count:
        ansatz = family_ansatz(base.family, ranges)
        state = _begin(base, ansatz, ranges)

        def report(point: CurvePoint) -> None:
            observer.note(_line(point, ranges, tolerance))

        reason = search(state, trainer, tolerance=tolerance, most=max_adapters, report=report)
        factor = _factor(state, len(trainer.trained))
        adapters = trainer.trained[: state.adapters]
        model = state.model()
        result = _result(directory / FAMILY, reason, tolerance, state, factor, model, adapters)
        model = thinned(model, state.training, factor)
        constants = state.snapshots.constants
        facts = provenance(torch.device("cpu"), count)
    verdict = worst(stored_verdict(member.meta)["verdict"] for member in (base, *adapters))
    meta = _facts(result, base, ranges, state) | {"verdict": verdict, "seed": seed or 0, "provenance": facts}
    write_family(result.path, base=base, adapters=adapters, model=model, constants=constants, meta=meta)
    observer.note(f"wrote {result.path}")
    return replace(result, file_bytes=result.path.stat().st_size)


def _begin(base: Result, ansatz: FamilyAnsatz, ranges: Sequence[Range]) -> Search:
    network = network_for(ansatz.reference, base.problem.settings.network, base.coefficients)
    snapshots = Snapshots(ansatz, network, online_points(ansatz.reference))
    snapshots.add(np.array([base.values[one.name] for one in ranges]), base.coefficients)
    return Search(snapshots, ranges, training_set(ranges))


def _factor(state: Search, trained: int) -> float:
    """Return the constant from residual to estimate.

    Raises:
        PinnkanError: If there is none.
    """
    if state.factor is None:
        raise PinnkanError(
            f"nothing calibrates the estimate: of {trained} adapter{'s' * (trained != 1)} none differs from "
            "what the others and the base predict at its value, or Gauss-Newton did not end there; train "
            "them longer or on more points, as with --set finetuning.steps=100"
        )
    return state.factor


def _result(
    path: Path,
    reason: Reason,
    tolerance: float,
    state: Search,
    factor: float,
    model: ReducedModel,
    adapters: Sequence[Result],
) -> FamilyResult:
    """Return what a search has come to; the file is not written yet."""
    return FamilyResult(
        path,
        reason,
        ADVICE[reason],
        tolerance,
        [_row(point, state.ranges) for point in state.curve],
        [dict(adapter.values) for adapter in adapters],
        factor,
        _effectivity(model, state.ranges, factor),
        0,
    )


def _line(point: CurvePoint, ranges: Sequence[Range], tolerance: float) -> str:
    where = file_stem(named(ranges, point.at))
    count = f"{point.adapters} adapter{'s' * (point.adapters != 1)}"
    if point.unsolved:
        return f"{count}: no answer at {point.unsolved} values; next {where}"
    if point.worst_estimate is None:
        return f"{count}: nothing to calibrate an estimate on yet; next {where}"
    return f"{count}: worst estimate {point.worst_estimate:.2e} (tolerance {tolerance:.2g}) at {where}"


def _row(point: CurvePoint, ranges: Sequence[Range]) -> dict[str, Any]:
    facts = asdict(point)
    return facts | {"at": named(ranges, point.at)}


def _facts(result: FamilyResult, base: Result, ranges: Sequence[Range], state: Search) -> dict[str, Any]:
    """Return what the file says beside its arrays."""
    return {
        "problem": base.meta["problem"],
        "ranges": [[one.name, one.low, one.high] for one in ranges],
        "tolerance": result.tolerance,
        "reason": result.reason,
        "advice": result.advice,
        "curve": list(result.curve),
        "factor": result.factor,
        "samples": [asdict(sample) for sample in state.samples],
        "effectivity": result.effectivity,
        "adapters": list(result.adapters),
        "base_hash": weights_hash(base.stored),
        "base_values": dict(base.values),
    }


def _effectivity(model: ReducedModel, ranges: Sequence[Range], factor: float) -> dict[str, float] | None:
    """Compare estimates with errors against the exact solution, between the training values."""
    reference = model.ansatz.reference
    if not reference.has_exact or not reference.problem.exact:
        return None
    training = training_set(ranges)
    values = np.unique(0.5 * (training[:-1] + training[1:]), axis=0)
    values = values[np.linspace(0, len(values) - 1, min(_CHECKED, len(values))).astype(int)]
    reduced = model.solve(values)
    solved = reduced.converged
    if not solved.any():
        return None
    solutions = model.weighted(values[solved], reduced.c[solved])
    errors = largest(relative_errors(model.ansatz, model.blocks[0].place, values[solved], solutions))
    known = np.isfinite(errors)
    if not known.any():
        return None
    errors, reduced_residual = errors[known], reduced.residual[solved][known]
    ratios = factor * reduced_residual / np.maximum(errors, np.finfo(float).tiny)
    low, median, high = (float(x) for x in np.quantile(ratios, (0.025, 0.5, 0.975)))
    return {
        "low": low,
        "median": median,
        "high": high,
        "worst_error": float(errors.max()),
        "values": float(len(errors)),
    }


def relative_errors(
    ansatz: FamilyAnsatz, place: OnlinePoints, values: FloatArray, solutions: FloatArray
) -> dict[str, FloatArray]:
    """Return relative L2 errors against the exact formulas by unknown, shape (L,) each.

    Of unknowns without a formula there are none; NaN where a formula is zero all over. An unknown that
    nothing fixes but up to a constant is compared after the means are taken out, as by ``evaluate``.

    Args:
        ansatz: Of the family.
        place: Points of an equation.
        values: Parameter values, shape (L, P).
        solutions: At the points, times the root of their weights (`field_root`), stacked, (L, U * N).
    """
    reference = ansatz.reference
    unknowns, root = reference.problem.unknowns, field_root(place.weights, reference.scales)
    fields, roots = solutions.reshape(len(values), len(unknowns), -1), root.reshape(len(unknowns), -1)
    errors = {name: np.full(len(values), np.nan) for name in unknowns if name in reference.problem.exact}
    for row, parameters in enumerate(values.tolist()):
        exact = ansatz.at(parameters).exact(place.points)
        for name, own in errors.items():
            unknown = unknowns.index(name)
            wanted, gap = exact[name] * roots[unknown], fields[row, unknown] - exact[name] * roots[unknown]
            if unknown in ansatz.free_constants:
                wanted, gap = _centred(wanted, roots[unknown]), _centred(gap, roots[unknown])
            size = np.linalg.norm(wanted)
            if size > 0.0:
                own[row] = np.linalg.norm(gap) / size
    return errors


def largest(errors: Mapping[str, FloatArray]) -> FloatArray:
    """Return the largest over the unknowns, shape (L,); NaN where none has an error."""
    together: FloatArray = np.fmax.reduce(list(errors.values()))
    return together


def _centred(field: FloatArray, root: FloatArray) -> FloatArray:
    """Return a field (N,) that is multiplied by a root of weights without its mean."""
    centred: FloatArray = field - root * (root @ field) / (root @ root)
    return centred

"""``pinnkan family``: a reduced basis over adapters, chosen greedily, for any parameter value of a range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.errors import PinnkanError
from pinnkan.ground.files import clean_leftovers, require_writable
from pinnkan.ground.progress import Observer
from pinnkan.ground.runtime import limited_threads, provenance
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
from pinnkan.storage.runs.directory import Result, RunDirectory, require_one_network
from pinnkan.storage.runs.identity import weights_hash
from pinnkan.storage.runs.paths import FAMILY
from pinnkan.storage.runs.reduced_basis import family_ansatz, write_family
from pinnkan.storage.runs.results import stored_verdict
from pinnkan.sweeps.options import SweepOptions
from pinnkan.training import network_for
from pinnkan.workflows.finetune import finetune
from pinnkan.workflows.requests import FamilyRequest

_CHECKED = 32
"""Parameter values at which the estimate is compared with an exact solution."""


@dataclass(frozen=True)
class FamilyResult:
    """What came of a search.

    Attributes:
        path: The file.
        reason: Why it ended: ``tolerance``, ``max_adapters`` or ``stalled``.
        tolerance: Asked for.
        curve: Worst estimate against number of adapters.
        adapters: Parameter values of the adapters in the basis.
        factor: From relative residual to estimate.
        effectivity: Estimate over true error at values between those of the training set: ``low``,
            ``median`` and ``high`` (2.5 % and 97.5 %), ``worst_error``, ``values`` (those that have
            an answer); None without an exact solution or an answer. The error is the largest over the
            unknowns.
        file_bytes: Size of the file; 0 before it is written.
    """

    path: Path
    reason: Reason
    tolerance: float
    curve: Sequence[Mapping[str, Any]]
    adapters: Sequence[Mapping[str, float]]
    factor: float
    effectivity: Mapping[str, float] | None
    file_bytes: int = 0

    @property
    def advice(self) -> str:
        """One sentence on why it ended."""
        return ADVICE[self.reason]

    @property
    def met(self) -> bool:
        """Whether the estimate meets the tolerance everywhere in the training set."""
        return self.reason == "tolerance"

    def to_json(self) -> dict[str, Any]:
        """Return it as ``family --json`` prints it."""
        return {
            "path": str(self.path),
            "reason": self.reason,
            "advice": self.advice,
            "tolerance": self.tolerance,
            "curve": self.curve,
            "adapters": self.adapters,
            "factor": self.factor,
            "effectivity": self.effectivity,
            "file_bytes": self.file_bytes,
        }


@dataclass
class _Trainer:
    """Trains adapters by the same idempotent workflow as ``pinnkan finetune``."""

    base: Result
    ranges: Sequence[Range]
    options: SweepOptions
    observer: Observer
    trained: list[Result] = field(default_factory=list)

    def __call__(self, values: FloatArray) -> Sequence[Tensor]:
        (result,) = finetune(self.options, [named(self.ranges, values.tolist())], self.observer)
        if result.fault is not None:
            raise result.fault
        assert result.path is not None
        adapter = RunDirectory(self.options.directory).adapter(result.path, self.base)
        self.trained.append(adapter)
        return adapter.coefficients


def family(request: FamilyRequest, options: SweepOptions, observer: Observer) -> FamilyResult:
    """Choose adapters greedily until the estimated error meets the tolerance, and write ``family.h5``.

    A killed search goes on where it stopped when it is called again: adapters that are
    finished are found and not trained again.

    Args:
        request: Which values are to be answered, and how well.
        options: The run, and how adapters are trained; with a seed of None finished ones answer whatever
            theirs was.
        observer: Who is told.

    Raises:
        UsageError: If a range cannot be read, or domain or ansatz change with the parameters.
        PinnkanError: The fault of an adapter's training, or if nothing calibrates the estimate.
        FileAccessError: If a file cannot be written.
    """
    directory = options.directory
    base = RunDirectory(directory).base()
    require_one_network(base, "family")
    ranges = read_ranges(base.problem.parameters, only=request.only, named=request.params)
    clean_leftovers(directory)
    require_writable(directory / FAMILY)
    trainer = _Trainer(base, ranges, options, observer)
    with limited_threads(options.training.compute.threads) as count:
        state = _begin(base, ranges)
        reason = _search(state, trainer, request)
        factor = _factor(state, len(trainer.trained))
        adapters = trainer.trained[: state.adapters]
        model = state.model()
        result = FamilyResult(
            path=directory / FAMILY,
            reason=reason,
            tolerance=request.tolerance,
            curve=[_row(point, ranges) for point in state.curve],
            adapters=[dict(adapter.values) for adapter in adapters],
            factor=factor,
            effectivity=_effectivity(model, ranges, factor),
        )
        model = thinned(model, state.training, factor)
        facts = provenance(torch.device("cpu"), count)
    seed, verdict = options.training.seed or 0, _worst([base, *adapters])
    meta = _facts(result, base, state) | {"verdict": verdict, "seed": seed, "provenance": facts}
    constants = state.snapshots.constants
    write_family(result.path, base=base, adapters=adapters, model=model, constants=constants, meta=meta)
    observer.note(f"wrote {result.path}")
    return replace(result, file_bytes=result.path.stat().st_size)


def _begin(base: Result, ranges: Sequence[Range]) -> Search:
    """Return a search that knows the base alone."""
    ansatz = family_ansatz(base.family, ranges)
    network = network_for(ansatz.reference, base.problem.settings.network, base.coefficients)
    snapshots = Snapshots(ansatz, network, online_points(ansatz.reference))
    snapshots.add(np.array([base.values[span.name] for span in ranges]), base.coefficients)
    return Search(snapshots, ranges, training_set(ranges))


def _search(state: Search, trainer: _Trainer, request: FamilyRequest) -> Reason:
    """Train adapters, say of each what it brought, and return why the search ended."""

    def report(point: CurvePoint) -> None:
        trainer.observer.note(_line(point, state.ranges, request.tolerance))

    return search(state, trainer, tolerance=request.tolerance, most=request.max_adapters, report=report)


def _worst(results: Sequence[Result]) -> str | None:
    """Return the worst verdict on the results that a basis is made from."""
    return worst(stored_verdict(result.meta)["verdict"] for result in results)


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


def _facts(result: FamilyResult, base: Result, state: Search) -> dict[str, Any]:
    """Return what the file says beside its arrays."""
    return {
        "problem": base.meta["problem"],
        "ranges": [[span.name, span.low, span.high] for span in state.ranges],
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
    measured = np.isfinite(errors)
    if not measured.any():
        return None
    errors, reduced_residual = errors[measured], reduced.residual[solved][measured]
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

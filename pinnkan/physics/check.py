"""A problem tested against itself before anything is trained; returns data, prints nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sympy

from pinnkan.geometry import InitialTime
from pinnkan.ground.derivatives import value_index
from pinnkan.ground.errors import PinnkanError
from pinnkan.language.expressions import (
    canonical_text,
    derivative_symbols,
    display_text,
    evaluate,
    normal_symbols,
    substitute_unknowns,
)
from pinnkan.language.parameters import file_stem
from pinnkan.language.problem.spec import Condition, Constraint, Equation, Problem
from pinnkan.physics.blocks import ResidualBlock
from pinnkan.physics.compiled import full_residual
from pinnkan.physics.coverage import Holding, coverage
from pinnkan.physics.family import Family
from pinnkan.physics.instance import Instance
from pinnkan.physics.lost import refuse_lost_derivatives
from pinnkan.physics.steepness import unseen_data
from pinnkan.physics.wellposed import SEVERITIES, Finding, examine

_POINTS = 500
_SEED = 7_041_776
_SATISFIED = 1e-8
_TOO_EASY = 0.1


@dataclass(frozen=True)
class StatementTexts:
    """A statement as it is written and as it is understood.

    Attributes:
        text: As written.
        residual: Left minus right, SymPy's notation, everything written out.
        shown: The same with a manufactured source as the name ``source``.
    """

    text: str
    residual: str
    shown: str


@dataclass(frozen=True)
class CheckedStatement:
    """One equation or condition as the program understood it.

    Attributes:
        name: ``equation[0]``, ``boundary[0]``, ``initial[0]`` or the user's name.
        texts: As it is written and as it is understood.
        where: ``interior``, ``initial``, or boundary parts.
        hard: Whether the ansatz meets it by construction; None for an equation.
        weight: Of a soft condition.
        note: Why a condition that prescribes u is not hard; empty if there is nothing to say.
        exact_residual: Largest residual of the exact solution at random points; None without one.
    """

    name: str
    texts: StatementTexts
    where: tuple[str, ...]
    hard: bool | None = None
    weight: float = 1.0
    note: str = ""
    exact_residual: float | None = None


@dataclass(frozen=True)
class CheckedFormulas:
    """Formulas of a problem as the program understood them, by name.

    Attributes:
        ansatz: ``u = lift + factor*N`` of every unknown.
        exact: Of the unknowns whose exact solution is known.
        sources: Manufactured sources, by the names of their equations.
    """

    ansatz: Mapping[str, str]
    exact: Mapping[str, str]
    sources: Mapping[str, str]


@dataclass(frozen=True)
class CheckReport:
    """What ``check`` found.

    Attributes:
        equations: As understood.
        conditions: As understood.
        constraints: As understood.
        boundary: What holds on every part, unknown by unknown.
        formulas: Ansatz, exact solution and manufactured sources.
        zero_network_l2: Relative L2 error of the ansatz with N = 0; None without an exact solution.
        findings: Refusals first, then errors, then warnings.
    """

    equations: tuple[CheckedStatement, ...]
    conditions: tuple[CheckedStatement, ...]
    constraints: tuple[CheckedStatement, ...]
    boundary: Mapping[str, Mapping[str, tuple[Holding, ...]]]
    formulas: CheckedFormulas
    zero_network_l2: float | None
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether there are but warnings among the findings."""
        return all(finding.severity == "warning" for finding in self.findings)


def check_problem(family: Family, further: Sequence[Mapping[str, float]] = ()) -> CheckReport:
    """Test a problem against itself and whether it is one, at the base value and at its ranges' ends.

    Args:
        family: The problem as the file and its overrides state it.
        further: Other parameter values, at which its data are looked at with the points of adapters, too.

    Raises:
        ProblemError: If it makes no sense at the base value, or differentiates something that jumps.
    """
    problem, base = family.problem, family.at(None)
    findings: list[Finding] = []
    refuse_lost_derivatives(base)
    others = _instances([*_range_ends(problem), *further], family, findings)
    instances = [base, *others.values()]
    equations = tuple(_checked(equation, instances, findings) for equation in problem.equations)
    conditions = tuple(_checked(condition, instances, findings) for condition in problem.conditions)
    constraints = tuple(_checked(constraint, instances, findings) for constraint in problem.constraints)
    _note_unusable_data(instances, findings)
    findings.extend(examine(base, instances[1:]))
    findings += [Finding("warning", message) for message in unseen_data(base)]
    for values in further:
        name = file_stem(values)
        if name in others:
            unseen = unseen_data(others[name], "finetuning")
            findings += [Finding("warning", f"at {name}: {message}") for message in unseen]
    zero = _zero_network(base, findings)
    if zero is not None and zero < _TOO_EASY:
        message = (
            f"the ansatz without a network is already within {zero:.2g} of the solution: a void benchmark"
        )
        findings.append(Finding("warning", message))
    return CheckReport(
        equations=equations,
        conditions=conditions,
        constraints=constraints,
        boundary=coverage(base),
        formulas=_formulas(base),
        zero_network_l2=zero,
        findings=tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))),
    )


def _formulas(base: Instance) -> CheckedFormulas:
    problem = base.problem
    return CheckedFormulas(
        ansatz={ansatz.unknown: ansatz.text() for ansatz in base.ansatzes},
        exact={name: canonical_text(formula) for name, formula in problem.exact.items()},
        sources={e.name: canonical_text(e.source) for e in problem.equations if e.source is not None},
    )


def _range_ends(problem: Problem) -> list[dict[str, float]]:
    """Return the ends of the parameters' ranges: a slip in the parameter may hide at the base value."""
    ends = []
    for side in ("low", "high"):
        stated = {p.name: end for p in problem.parameters if (end := getattr(p, side)) is not None}
        if stated:
            ends.append({**problem.base_values, **stated})
    return ends


def _instances(
    values: Sequence[Mapping[str, float]], family: Family, findings: list[Finding]
) -> dict[str, Instance]:
    """Build the problem at parameter values other than the base's, by their names; note where it is none."""
    instances = {}
    for point in values:
        name = file_stem(point)
        if name in instances or dict(point) == family.problem.base_values:
            continue
        try:
            instance = family.at(point)
            refuse_lost_derivatives(instance)
            instances[name] = instance
        except PinnkanError as error:
            findings.append(Finding("error", f"at {name}: {error}"))
    return instances


def _checked(statement: Equation, instances: list[Instance], findings: list[Finding]) -> CheckedStatement:
    """Echo a statement and put the exact solution into it."""
    base = instances[0]
    problem = base.problem
    condition = statement if isinstance(statement, Condition) else None
    partials = derivative_symbols(statement.residual, problem.names).values()
    is_known = all(problem.unknowns[partial.unknown] in problem.exact for partial in partials)
    largest = _measure_exact(statement, instances, findings) if is_known and problem.exact else None
    note = next((a.notes[statement.name] for a in base.ansatzes if statement.name in a.notes), "")
    if condition is not None and condition.portion is None and note:
        findings.append(Finding("warning", f"{statement.name} stays soft: {note}"))
    return CheckedStatement(
        name=statement.name,
        texts=StatementTexts(
            statement.text,
            residual=_residual_text(statement, canonical_text),
            shown=_residual_text(statement, display_text),
        ),
        where=_where(statement, base),
        hard=None if type(statement) is Equation else statement.name in base.hard,
        weight=statement.weight,
        note=note,
        exact_residual=largest,
    )


def _where(statement: Equation, base: Instance) -> tuple[str, ...]:
    """Name the regions where a statement holds."""
    if isinstance(statement, Condition):
        return tuple(region.name for region in statement.regions(base.problem.names, base.values))
    if isinstance(statement, Constraint):
        return (_block(statement.name, base).where.name,)
    return ("interior",)


def _residual_text(statement: Equation, written: Callable[[sympy.Expr], str]) -> str:
    """Write a residual; of a constraint as ``integral(u**2) - (1)``, ``at(u_x, 0, 0)``, ``u(0, 0)``."""
    if not isinstance(statement, Constraint):
        full = full_residual(statement) if written is canonical_text else statement.residual
        return written(full)
    inner, position = written(statement.inner), ", ".join(map(written, statement.position))
    left = f"{statement.kind}({inner})"
    if statement.kind == "value":
        left = f"{inner}({position})" if statement.inner.is_Symbol else f"at({inner}, {position})"
    return left if statement.right == 0 else f"{left} - ({written(statement.right)})"


def _block(name: str, instance: Instance) -> ResidualBlock:
    """Return the block of a constraint."""
    return next(block for block in instance.conditions if block.name == name)


def _measure_exact(statement: Equation, instances: list[Instance], findings: list[Finding]) -> float | None:
    """Return the largest residual of the exact solution at all values; note the first that is too large."""
    largest, noted = 0.0, False
    for instance in instances:
        where = f" at {file_stem(instance.values)}" if instance.values else ""
        try:
            residual, scale = _exact_residual(statement, instance)
        except PinnkanError as error:
            findings.append(Finding("error", f"{statement.name} with the exact solution{where}: {error}"))
            return None
        largest = max(largest, residual)
        if not noted and not residual <= _SATISFIED * scale:
            message = f"{statement.name}: the exact solution leaves a residual of {residual:.2g}{where}"
            findings.append(Finding("error", message))
            noted = True
    return largest


def _exact_residual(statement: Equation, instance: Instance) -> tuple[float, float]:
    """Return the largest residual of the exact solution, and of its terms, at random points."""
    problem, domain = instance.problem, instance.domain
    names: tuple[str, ...] = problem.coordinates
    if isinstance(statement, Constraint):
        return _exact_defect(statement, instance)
    if not isinstance(statement, Condition):
        points = domain.uniform(_POINTS, _SEED)
    elif statement.is_initial:
        points = domain.collocate(InitialTime(), _POINTS, rule="random", seed=_SEED).points
    else:
        regions = statement.regions(problem.names, instance.values)
        sets = [domain.collocate(region, _POINTS, rule="random", seed=_SEED) for region in regions]
        normals = [places.normals for places in sets if places.normals is not None]
        points = np.hstack([np.concatenate([places.points for places in sets]), np.concatenate(normals)])
        names += tuple(leaf.name for leaf in normal_symbols(problem.names))
    residual = substitute_unknowns(full_residual(statement), problem.exact, problem.names)
    terms = evaluate([residual, *sympy.Add.make_args(residual)], names, points, instance.values)
    size = max(float(np.abs(terms[1:]).max()), instance.size_of(statement.name))
    return float(np.abs(terms[0]).max()), size


def _exact_defect(constraint: Constraint, instance: Instance) -> tuple[float, float]:
    """Return by how much the exact solution misses a constraint, and the size of its terms."""
    problem, block = instance.problem, _block(constraint.name, instance)
    drawn = instance.domain.collocate(block.where, _POINTS)
    residual = substitute_unknowns(constraint.residual, problem.exact, problem.names)
    terms = evaluate([residual, constraint.right], problem.coordinates, drawn.points, block.values)
    size = max(float(np.abs(terms[1]).max()), instance.size_of(constraint.name))
    return float(np.abs(drawn.means(terms[0])).max()), size


def _note_unusable_data(instances: list[Instance], findings: list[Finding]) -> None:
    """Coefficients and sources must be finite wherever they are asked for."""
    for instance in instances:
        for block in instance.blocks:
            found = instance.domain.collocate(block.where, _POINTS, rule="random", seed=_SEED)
            try:
                block.data(found.points, found.normals)
            except PinnkanError as error:
                at = file_stem(instance.values)
                findings.append(Finding("error", f"at {at}: {error}" if at else str(error)))


def _zero_network(instance: Instance, findings: list[Finding]) -> float | None:
    """Return the relative L2 error of the ansatz with N = 0, the largest over the unknowns that are not zero.

    None where there is nothing to compare with.
    """
    known = instance.known(instance.domain.uniform(4 * _POINTS, _SEED))
    if known is not None and known.gap:
        findings.append(Finding("warning", known.gap))
    if known is None:
        return None
    value, errors = value_index(len(instance.coordinates)), []
    for ansatz in instance.ansatzes:
        wanted = known.values.get(ansatz.unknown)
        if wanted is None or not wanted.any():
            continue
        lift = ansatz.lift.derivatives(known.points, [value])[0]
        values = wanted / np.abs(wanted).max()  # no square of them overflows or vanishes
        error = lift / np.abs(wanted).max() - values
        errors.append(float(np.linalg.norm(error) / np.linalg.norm(values)))
    return max(errors, default=None)

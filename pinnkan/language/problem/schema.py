"""A problem file's text to a validated :class:`Problem`, or to all of its faults at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import sympy

from pinnkan.geometry import Domain, Shape
from pinnkan.ground.errors import did_you_mean, quote
from pinnkan.language.bases import BASES
from pinnkan.language.expressions import Names, derivative_symbols, has_jump, symbol
from pinnkan.language.expressions.calculus import ORDINALS
from pinnkan.language.network_kinds import NETWORK_KINDS
from pinnkan.language.problem.conditions import read_conditions
from pinnkan.language.problem.constraints import read_constraints
from pinnkan.language.problem.declarations import Declared, read_declarations
from pinnkan.language.problem.domains import check_at_base, number_at, read_interval, read_shape
from pinnkan.language.problem.initial import initial_shortage, mentions
from pinnkan.language.problem.narrowing import narrowed
from pinnkan.language.problem.overrides import apply_overrides
from pinnkan.language.problem.prescribed import prescribed
from pinnkan.language.problem.samples import read_samples
from pinnkan.language.problem.spec import (
    Condition,
    Equation,
    Problem,
    ProblemFile,
    Scales,
    StatedDomain,
    StatedShape,
    StatedSolution,
    StatedWindows,
    Statements,
)
from pinnkan.language.problem.statements import StatementReader
from pinnkan.language.problem.windows import check_windows, read_windows
from pinnkan.language.reading.fields import describe, read_block, read_number, read_text, refuse_unknown_keys
from pinnkan.language.reading.nodes import Block, Scalar, read_yaml
from pinnkan.language.reading.places import Faults
from pinnkan.language.settings.blocks import NetworkSettings
from pinnkan.language.settings.defaults import Circumstances
from pinnkan.language.settings.former_keys import with_residual_bounds
from pinnkan.language.settings.reading import SETTINGS_KEYS, read_settings

_TEXT_KEYS = ("title", "description", "citation")
KEYS = (
    *_TEXT_KEYS, "coordinates", "time", "domain", "unknowns", "family", "definitions", "exact", "reference",
    "source", "equations", "samples", "boundary", "initial", "constraints", "scales", *SETTINGS_KEYS,
)  # fmt: skip
_SYNONYMS = {
    "parameters": "family", "params": "family", "constants": "definitions", "variables": "coordinates",
    "pde": "equations", "bc": "boundary", "boundary_conditions": "boundary", "ic": "initial",
    "initial_conditions": "initial", "solution": "exact", "geometry": "domain", "sampling": "points",
    "optimizer": "training", "rhs": "source", "data": "samples",
    "periodic": "domain: {..., periodic: x}",
}  # fmt: skip


def read_problem(
    text: str,
    *,
    file: str,
    name: str,
    overrides: Sequence[str] = (),
    directory: Path | None = None,
    stored: bool = False,
    hidden: tuple[int, ...] | None = None,
    former: bool = False,
    bounds_residual: bool = False,
) -> Problem:
    """Validate the text of a problem file.

    Args:
        text: The YAML text.
        file: What to call it in messages.
        name: Name of the problem.
        overrides: ``--set`` texts, applied in order.
        directory: Where the path of a reference file starts from.
        stored: Whether a result carries the text: it may outlive its reference file.
        hidden: Widths of the hidden layers of the network that is stored with the text, for a text that
            does not state them; None where there is none yet.
        former: See `pinnkan.language.problem.narrowing.narrowed`.
        bounds_residual: Whether ``tolerance`` in the training blocks of the text bounds the residual, as it
            did in files of before.

    Raises:
        ProblemError: With every fault that was found.
    """
    faults = Faults()
    root = read_yaml(text, file, faults)
    if root is not None:
        root = read_block(root, "the problem", faults, example="coordinates: [x, y]")
    faults.raise_if_any()
    assert isinstance(root, Block)
    if root.get("study") is not None:
        faults.add(root.place, f"this is a study, no problem; 'pinnkan compare {file}' runs it")
        faults.raise_if_any()
    root = apply_overrides(root, overrides, faults)
    if bounds_residual:
        root = with_residual_bounds(root)
    problem = _read_root(
        root, text, name, tuple(overrides), directory, faults, stored=stored, hidden=hidden, former=former
    )
    faults.raise_if_any()
    assert problem is not None
    return problem


def _read_root(
    root: Block,
    text: str,
    name: str,
    overrides: tuple[str, ...],
    directory: Path | None,
    faults: Faults,
    *,
    stored: bool,
    hidden: tuple[int, ...] | None,
    former: bool,
) -> Problem | None:
    """Read every block; None when a fault leaves nothing to build."""
    refuse_unknown_keys(root, KEYS, "", faults, synonyms=_SYNONYMS)
    texts = {key: _read_free_text(root, key, faults) for key in _TEXT_KEYS}
    declared = read_declarations(root, faults)
    reference = _read_reference(root, directory, faults, stored=stored)
    samples = read_samples(root, directory, faults)
    _refuse_samples_of_systems(root, declared, faults)
    scales = _read_scales(root, declared, faults)
    mathematics = _read_mathematics(root, declared, faults, former=former) if declared.sound else None
    equations = () if mathematics is None else mathematics.statements.equations
    periodic = () if mathematics is None or mathematics.shape is None else mathematics.shape.periodic
    circumstances = replace(_circumstances(declared, equations, hidden), periodic=len(periodic))
    settings = read_settings(root, circumstances, declared.unknowns if declared.sound else (), faults)
    if mathematics is not None and not stored:
        _check_splines(root, settings.network, mathematics.statements, declared.names(), faults)
    if faults:
        return None
    assert mathematics is not None
    assert mathematics.shape is not None
    return Problem(
        file=ProblemFile(name, text, overrides, directory, **texts),
        names=mathematics.names,
        parameters=declared.parameters,
        domain=StatedDomain(mathematics.shape, mathematics.interval, mathematics.windows),
        statements=replace(mathematics.statements, samples=samples),
        solution=replace(mathematics.solution, reference=reference),
        settings=settings,
        scales=scales,
    )


def _circumstances(
    declared: Declared, equations: Sequence[Equation], hidden: tuple[int, ...] | None
) -> Circumstances:
    """Return what the default recipe depends on; of a file with faults, whatever it may be."""
    coordinates = [symbol(name) for name in declared.coordinates]
    jumps = any(has_jump(equation.residual, coordinates) for equation in equations)
    return Circumstances(
        max(1, len(coordinates)),
        jumps,
        hidden=hidden,
        unknowns=max(1, len(declared.unknowns)),
        equations=max(1, len(equations)),
    )


def _read_free_text(root: Block, key: str, faults: Faults) -> str:
    node = root.get(key)
    return "" if node is None else read_text(node, key, faults) or ""


class _Mathematics(NamedTuple):
    """What the formulas of a file say; the shape is None where there is a fault."""

    names: Names
    shape: StatedShape | None
    interval: tuple[sympy.Expr, sympy.Expr] | None
    windows: StatedWindows | None
    statements: Statements
    solution: StatedSolution


def _read_mathematics(root: Block, declared: Declared, faults: Faults, *, former: bool) -> _Mathematics:
    """Read domain, data, equations and conditions."""
    reader = StatementReader(declared, faults)
    shape = read_shape(root, declared, reader.used, faults)
    interval = read_interval(root, declared, reader.used, faults)
    windows = read_windows(root, declared, reader.used, faults)
    space = check_at_base(root, declared, shape, interval, faults)
    reader.read_data(root)
    equations = () if root.get("samples") else reader.read_equations(root)
    boundary = read_conditions(reader, root, "boundary", space)
    initial = read_conditions(reader, root, "initial", space)
    constraints = read_constraints(reader, root, space)
    if not faults and boundary:
        boundary = _narrowed(declared, boundary, equations, reader.names(), space, interval, faults, former)
    if not faults:
        _check_counts(root, equations, reader.names(), faults)
        _check_initial(root, equations, initial, reader.names(), faults)
        _check_hard((*boundary, *initial), reader.names(), faults)
        _check_unused(declared, reader.used, faults)
        check_windows(windows, interval, (equations, initial), reader.names(), _base(declared), faults)
    return _Mathematics(
        names=reader.names(),
        shape=shape,
        interval=interval,
        windows=windows,
        statements=Statements(
            equations, boundary, initial, derived=tuple(reader.derived), constraints=constraints
        ),
        solution=StatedSolution(reader.exact),
    )


def _base(declared: Declared) -> dict[str, float]:
    return {parameter.name: parameter.base for parameter in declared.parameters}


def _narrowed(
    declared: Declared,
    boundary: tuple[Condition, ...],
    equations: tuple[Equation, ...],
    names: Names,
    space: Shape | None,
    interval: tuple[sympy.Expr, sympy.Expr] | None,
    faults: Faults,
    former: bool,
) -> tuple[Condition, ...]:
    """Return the boundary conditions as they hold beside each other, at the base values."""
    assert space is not None
    values = _base(declared)
    time = None if interval is None else (number_at(interval[0], values), number_at(interval[1], values))
    domain = Domain(space, names.coordinates, time)
    return narrowed(boundary, equations, names, domain, values, faults, former=former)


def _read_reference(root: Block, directory: Path | None, faults: Faults, *, stored: bool) -> Path | None:
    node = root.get("reference")
    if node is None:
        return None
    if root.get("exact") is not None:
        faults.add(node.place, "reference: give either exact or reference, not both")
    text = read_text(node, "reference", faults)
    if text is not None and Path(text).suffix.lower() not in (".csv", ".npz"):
        faults.add(node.place, f"reference: expected a file ending in .csv or .npz, got {quote(text)}")
    path = None if text is None else (directory or Path()) / text
    if path is not None and directory is not None and not stored and not path.is_file():
        faults.add(node.place, f"reference: no such file {quote(str(path), 80)}")
    return path


def _refuse_samples_of_systems(root: Block, declared: Declared, faults: Faults) -> None:
    node = root.get("samples")
    if node is not None and len(declared.unknowns) > 1:
        listed = ", ".join(declared.unknowns)
        faults.add(
            node.place, f"samples: values of one unknown are represented, found {listed}; take a file each"
        )


def _read_scales(root: Block, declared: Declared, faults: Faults) -> Scales:
    """Read ``scales``: of unknowns and of time, or ``none`` to train in the file's own units."""
    node = root.get("scales")
    if node is None:
        return Scales()
    if isinstance(node, Scalar) and node.text == "none":
        return Scales(dict.fromkeys(declared.unknowns, 1.0), math.inf, rows=False)
    example = f"{{{(declared.unknowns or ('u',))[0]}: 1000}}, or none"
    block = read_block(node, "scales", faults, example=example)
    if block is None:
        return Scales()
    known = [*declared.unknowns, *([declared.time] if declared.time else [])]
    refuse_unknown_keys(block, known, "scales", faults)
    read = {name: _read_scale(block, name, faults) for name in declared.unknowns}
    stated = {name: value for name, value in read.items() if value is not None}
    return Scales(stated, _read_scale(block, declared.time, faults))


def _read_scale(block: Block, name: str | None, faults: Faults) -> float | None:
    path, entry = f"scales.{name}", None if name is None else block.get(name)
    value = None if entry is None else read_number(entry, path, faults)
    if entry is not None and value is not None and not 1e-100 < value < 1e100:
        faults.add(entry.place, f"{path}: expected a number between 1e-100 and 1e100, got {describe(entry)}")
    return value


def _check_initial(
    root: Block,
    equations: tuple[Equation, ...],
    initial: tuple[Condition, ...],
    names: Names,
    faults: Faults,
) -> None:
    """An equation of order m in time needs m initial conditions; those of a system are counted together."""
    if names.time is None or len(names.unknowns) != 1:
        return
    shortage = initial_shortage(equations, initial, 0, names)
    if shortage is not None:
        equation, message = shortage
        node = root.get("initial")
        faults.add(equation.place if node is None else node.place, message)


def _check_counts(root: Block, equations: tuple[Equation, ...], names: Names, faults: Faults) -> None:
    """There are as many equations as unknowns at least, and each unknown occurs in one."""
    node = root.get("equations")
    if node is None:
        return
    for position, unknown in enumerate(names.unknowns):
        if not any(mentions(equation, position, names) for equation in equations):
            faults.add(node.place, f"equations: the unknown {unknown} occurs in none of them")
    if len(equations) < len(names.unknowns):
        listed = ", ".join(names.unknowns)
        number = f"{len(equations)} equation{'s' if len(equations) > 1 else ''}"
        message = f"equations: {number} for {len(names.unknowns)} unknowns ({listed}); each needs one"
        faults.add(node.place, message)


def _check_hard(conditions: tuple[Condition, ...], names: Names, faults: Faults) -> None:
    """``hard: true`` fits conditions that prescribe an unknown; two of those on one part contradict."""
    taken: dict[tuple[str, str], str] = {}
    for condition in conditions:
        item = prescribed(condition, names)
        u = names.unknowns[0] if item is None else item.unknown
        if condition.hard and item is None:
            what = f"'{u} = ...' or '{u}_{names.time} = ...'" if condition.is_initial else f"'{u} = ...'"
            message = f"{condition.name}: hard: true needs a condition {what}; use hard: false or auto"
            faults.add(condition.place, message)
        if item is None:
            continue
        if condition.portion is not None:
            continue  # of two portions it is known by now that they are apart
        for part in condition.parts or (f"the initial time (order {item.order})",):
            if (u, part) in taken:
                message = f"{condition.name}: {u} is prescribed twice on {part}, here and in {taken[u, part]}"
                faults.add(condition.place, message)
            taken[u, part] = condition.name


def _check_splines(
    root: Block, network: NetworkSettings, statements: Statements, names: Names, faults: Faults
) -> None:
    """A spline of degree p has p derivatives: of those beyond, no point sees more than zero."""
    if not NETWORK_KINDS[network.kind].on_edges or not BASES[network.basis].piecewise:
        return
    everything = (
        *statements.equations,
        *statements.boundary,
        *statements.initial,
        *statements.constraints,
    )
    partials = [p for s in everything for p in derivative_symbols(s.residual, names).values()]
    order = max((sum(partial.orders) for partial in partials), default=0)
    node = root.get("network")
    if network.degree < order and isinstance(node, Block):
        place = next((entry.place for key in ("degree", "basis") if (entry := node.get(key))), node.place)
        needed = f"derivatives of {ORDINALS[order]} order need B-splines of degree {order} or more"
        faults.add(place, f"network.degree: {needed}, found {network.degree}; functions are cells + degree")


def _names(declared: Declared) -> list[str]:
    return [parameter.name for parameter in declared.parameters]


def _check_unused(declared: Declared, used: set[str], faults: Faults) -> None:
    """A parameter or definition that nothing mentions is a slip of the pen."""
    reached, names = set(used), declared.names(declared.ours)
    pending = [name for name in declared.definitions if name in used]
    while pending:
        new = declared.definitions[pending.pop()].mentions(names) - reached
        reached |= new
        pending.extend(name for name in new if name in declared.definitions)
    for name in (*_names(declared), *declared.definitions):
        if name not in reached:
            others = [other for other in (*declared.definitions, *_names(declared)) if other != name]
            hint = did_you_mean(name, others)
            own = declared.declarations[name]
            faults.add(own.place, f"the {own.kind} {quote(name)} is never used{hint}")

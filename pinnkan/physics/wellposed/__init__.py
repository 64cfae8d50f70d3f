"""Whether a problem is one: has it a solution, one alone, and does that depend on the data with continuity?

Every test takes an instance and yields findings. Those of `REFUSING` and `REFUSING_ONE` may forbid training,
which asks them too; the others only say what they see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from pinnkan.ground.errors import ProblemError
from pinnkan.language.parameters import file_stem
from pinnkan.physics.instance import Instance
from pinnkan.physics.wellposed.balance import unbalanced
from pinnkan.physics.wellposed.characteristics import characteristics
from pinnkan.physics.wellposed.constraint_data import constraints_against_data
from pinnkan.physics.wellposed.corners import (
    initial_against_flux,
    initial_against_values,
    values_against_flux,
)
from pinnkan.physics.wellposed.counts import (
    excess_initial,
    missing_sides,
    more_equations,
    no_condition,
    two_on_one_side,
)
from pinnkan.physics.wellposed.findings import SEVERITIES, Finding
from pinnkan.physics.wellposed.forward import ill_posed_forward
from pinnkan.physics.wellposed.high_orders import conditions_for_high_orders
from pinnkan.physics.wellposed.initial import excess_initial_of_unknowns, missing_initial
from pinnkan.physics.wellposed.kinds import (
    hyperbolic_with_values_all_around,
    parabolic_with_conditions_at_both_ends,
)
from pinnkan.physics.wellposed.portion_jumps import jumps_between_portions
from pinnkan.physics.wellposed.resonance import nearly_singular
from pinnkan.physics.wellposed.seams import data_across_seams, exact_across_seams
from pinnkan.physics.wellposed.short_waves import growing_short_waves
from pinnkan.physics.wellposed.sides import conditions_on_portions, conditions_on_sides
from pinnkan.physics.wellposed.unfixed import unfixed_motions
from pinnkan.physics.wellposed.unknowns import bare_portions

Test = Callable[[Instance], Iterator[Finding]]

REFUSING: tuple[Test, ...] = (data_across_seams,)
WARNING: tuple[Test, ...] = (
    initial_against_values,
    unfixed_motions,
    bare_portions,
    jumps_between_portions,
    constraints_against_data,
    exact_across_seams,
)
WARNING_SYSTEM: tuple[Test, ...] = (conditions_on_sides, excess_initial_of_unknowns)
"""Of problems with several unknowns."""
REFUSING_ONE: tuple[Test, ...] = (ill_posed_forward, unbalanced)
"""Of problems with one unknown: what a system's principal part says is not decided equation by equation."""
REFUSING_SYSTEM: tuple[Test, ...] = (growing_short_waves, missing_initial)
_WARNING_OF_WHOLE_PARTS: tuple[Test, ...] = (
    two_on_one_side,
    conditions_for_high_orders,
    hyperbolic_with_values_all_around,
    parabolic_with_conditions_at_both_ends,
    characteristics,
    initial_against_flux,
    values_against_flux,
    nearly_singular,
)
WARNING_ONE: tuple[Test, ...] = (
    more_equations,
    no_condition,
    missing_sides,
    excess_initial,
    conditions_on_portions,
    *_WARNING_OF_WHOLE_PARTS,
)
_OF_WHOLE_PARTS = (unbalanced, *_WARNING_OF_WHOLE_PARTS)
"""They take a condition to hold on all of a part, and say nothing where one holds on a portion of it."""

__all__ = ["SEVERITIES", "Finding", "examine", "require_well_posed"]


def examine(base: Instance, others: Sequence[Instance] = ()) -> list[Finding]:
    """Return what every test finds at the base value; what it finds only elsewhere, with the value.

    A family that is no problem at an end of its own range contradicts itself: there, a refusal is an error.
    """
    findings: list[Finding] = []
    for test in (*_refusing(base), *_warning(base)):
        at_base = _run(test, base)
        findings.extend(at_base)
        elsewhere = ((instance, finding) for instance in others for finding in _run(test, instance))
        instance, finding = (None, None) if at_base else next(elsewhere, (None, None))
        if instance is not None and finding is not None:
            severity = "error" if finding.severity == "refusal" else finding.severity
            findings.append(Finding(severity, f"at {file_stem(instance.values)}: {finding.message}"))
    return findings


def _refusing(instance: Instance) -> tuple[Test, ...]:
    own = REFUSING_SYSTEM if instance.problem.is_system else REFUSING_ONE
    return _applicable((*own, *REFUSING), instance)


def _warning(instance: Instance) -> tuple[Test, ...]:
    own = WARNING_SYSTEM if instance.problem.is_system else WARNING_ONE
    return _applicable((*own, *WARNING), instance)


def _applicable(tests: Sequence[Test], instance: Instance) -> tuple[Test, ...]:
    whole = all(condition.portion is None for condition in instance.problem.boundary)
    return tuple(test for test in tests if whole or test not in _OF_WHOLE_PARTS)


def _run(test: Test, instance: Instance) -> list[Finding]:
    """Run a test; what overflows in it is not finite and decides nothing."""
    with np.errstate(all="ignore"):
        return list(test(instance))


def require_well_posed(instance: Instance) -> None:
    """Refuse to train what has no solution, or none that depends on its data with continuity.

    Raises:
        ProblemError: With every reason.
    """
    refused = [finding for test in _refusing(instance) for finding in _run(test, instance)]
    if refused:
        texts = [f.message if f.place is None else f.place.render(f.message) for f in refused]
        raise ProblemError(texts)

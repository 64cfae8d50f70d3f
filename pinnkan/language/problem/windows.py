"""``windows`` in the block ``time``: the interval of time is cut, and each piece has a network of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from pinnkan.ground.errors import ProblemError, quote
from pinnkan.language.expressions import Names
from pinnkan.language.problem.declarations import WINDOWS, Declared
from pinnkan.language.problem.domains import number_at, read_numbers
from pinnkan.language.problem.initial import mentions, time_order
from pinnkan.language.problem.spec import Condition, Equation, Problem, StatedWindows
from pinnkan.language.reading.nodes import Block, Listing, Node, Scalar
from pinnkan.language.reading.places import Faults

AUTO = "auto"
MOST_WINDOWS = 100
"""A file holds the arrays of all of them."""
_PATH = f"time.{WINDOWS}"
_EXPECTED = f"expected a number of windows, a list of their ends, or {AUTO}"


def read_windows(root: Block, declared: Declared, used: set[str], faults: Faults) -> StatedWindows | None:
    """Read ``windows``; None where there is none.

    The names that the ends mention are added to ``used``.
    """
    time = root.get("time")
    if declared.time in (None, WINDOWS) or not isinstance(time, Block):
        return None
    node = time.get(WINDOWS)
    if node is None:
        return None
    if isinstance(node, Listing):
        return _read_ends(node, declared, used, faults)
    return _read_count(node, faults)


def _read_ends(node: Listing, declared: Declared, used: set[str], faults: Faults) -> StatedWindows | None:
    """Read a list of ends, and look at them at the base values."""
    if not 1 <= len(node.items) <= MOST_WINDOWS:
        faults.add(node.place, f"{_PATH}: expected 1 to {MOST_WINDOWS} ends, got {len(node.items)}")
        return None
    ends = read_numbers(node, _PATH, len(node.items), declared, used, faults)
    return None if ends is None else StatedWindows(node.place, ends=ends)


def _read_count(node: Node, faults: Faults) -> StatedWindows | None:
    text = node.text if isinstance(node, Scalar) else None
    if text == AUTO:
        return StatedWindows(node.place, automatic=True)
    if text is None or not text.isascii() or not text.isdigit():
        found = "a block" if text is None else quote(text)
        faults.add(node.place, f"{_PATH}: {_EXPECTED}, got {found}")
        return None
    if not 1 <= len(text) <= 9 or not 1 <= int(text) <= MOST_WINDOWS:
        faults.add(node.place, f"{_PATH}: expected 1 to {MOST_WINDOWS} windows, got {text}")
        return None
    return StatedWindows(node.place, count=int(text))


def check_windows(
    windows: StatedWindows | None,
    interval: Sequence[object] | None,
    statements: tuple[Sequence[Equation], Sequence[Condition]],
    names: Names,
    values: Mapping[str, float],
    faults: Faults,
) -> None:
    """Refuse windows that do not fit the interval at the base values, or have nothing to hand over.

    Args:
        windows: As stated.
        interval: First and last time.
        statements: The equations and the initial conditions.
        names: Of the problem.
        values: The base values.
        faults: Where faults are noted.
    """
    if windows is None or windows.is_one or interval is None:
        return
    equations, initial = statements
    fault = _fault_of_ends(windows, interval, names.time or "", values)
    if fault:
        faults.add(windows.place, fault)
    orders = [time_order(equations, unknown, names)[0] for unknown in range(len(names.unknowns))]
    if not any(orders):
        faults.add(windows.place, f"{_PATH}: no equation has a derivative along {names.time}: leave it out")
    for unknown, order in enumerate(orders):
        count = sum(mentions(condition, unknown, names) for condition in initial)
        if count < order:
            name, what = names.unknowns[unknown], "values" if order == 1 else "values and rates"
            faults.add(
                windows.place,
                f"{_PATH}: a window hands on {what} of {name}, so the first one takes "
                f"{order} initial condition{'s' * (order > 1)} of it; found {count}",
            )


def can_be_cut(problem: Problem) -> bool:
    """Tell whether windows could be handed on: something has a rate, and all that is handed on is given."""
    equations, initial = problem.statements.equations, problem.statements.initial
    orders = [time_order(equations, unknown, problem.names)[0] for unknown in range(len(problem.unknowns))]
    given = [
        sum(mentions(condition, unknown, problem.names) for condition in initial)
        for unknown in range(len(problem.unknowns))
    ]
    return any(orders) and all(count >= order for count, order in zip(given, orders, strict=True))


def interval_at(problem: Problem, values: Mapping[str, float]) -> tuple[float, ...]:
    """Return the first and the last time at parameter values; nothing of a stationary problem."""
    return tuple(number_at(bound, values) for bound in problem.domain.interval or ())


def window_ends(problem: Problem, values: Mapping[str, float]) -> tuple[float, ...]:
    """Return the ends of all windows at parameter values, the first time first; none without windows.

    Of windows that are found by halving, the first and the last time.

    Raises:
        ProblemError: If the stated ends do not rise within the interval there.
    """
    stated, interval = problem.domain.windows, problem.domain.interval
    if stated is None or stated.is_one or interval is None:
        return ()
    fault = _fault_of_ends(stated, interval, problem.time or "", values)
    if fault:
        named = ", ".join(f"{name} = {value:.12g}" for name, value in values.items())
        raise ProblemError([stated.place.render(f"{fault}{f' at {named}' if named else ''}")])
    start, end = (number_at(bound, values) for bound in interval)
    if stated.ends:
        inner = [number_at(bound, values) for bound in stated.ends]
        return (start, *inner) if inner[-1] == end else (start, *inner, end)
    count = stated.count or 1
    return (start, *(start + (end - start) * k / count for k in range(1, count)), end)


def _fault_of_ends(
    stated: StatedWindows, interval: Sequence[object], time: str, values: Mapping[str, float]
) -> str:
    """Say that the stated ends do not rise within the interval; empty if they do."""
    start, end = (number_at(bound, values) for bound in interval)
    inner = [number_at(bound, values) for bound in stated.ends]
    if all(low < high for low, high in pairwise([start, *inner])) and (not inner or inner[-1] <= end):
        return ""
    found = ", ".join(f"{bound:g}" for bound in inner)
    return (
        f"{_PATH}: expected ends that rise from {time} = {start:g} to {time} = {end:g}, "
        f"the last of which may be left out, got [{found}]"
    )

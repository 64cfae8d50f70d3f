"""Random expressions as text, with an independent value in 50 digits from mpmath."""

from __future__ import annotations

import functools
import os
import random
import signal
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from time import process_time
from types import FrameType
from typing import Any, NoReturn

import mpmath
from hypothesis import HealthCheck, assume, given, note, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import UnsatisfiedAssumption

SEED = int(os.environ.setdefault("PINNKAN_FUZZ_SEED", str(random.SystemRandom().randrange(10**9))))
"""Of all random examples of this run; every process of it has the same one."""
EXAMPLES = int(os.environ.get("PINNKAN_FUZZ_EXAMPLES", "150"))
WHOLE_S, LONGEST_S = max(5.0, 0.05 * EXAMPLES), 20.0
"""CPU seconds after which a test tries no more examples, and those that one example may take."""

# Distance from a kink or a switch below which double precision may take the other branch.
GAP = 1e-6


@dataclass(frozen=True)
class Random:
    """A tree: a leaf's text, or an operation on trees."""

    operation: str
    operands: tuple[Any, ...] = ()

    def text(self) -> str:
        parts = [operand.text() for operand in self.operands]
        match self.operation:
            case "+" | "-" | "*" | "^":
                return f"({parts[0]} {self.operation} {parts[1]})"
            case "/":
                # Bounded away from zero, so that the value is well conditioned.
                return f"({parts[0]}/(1.5 + sin({parts[1]})))"
            case "neg":
                return f"(-{parts[0]})"
            case "exp" | "sinh" | "cosh" | "tan":
                return f"{self.operation}(sin({parts[0]}))"
            case "sqrt" | "log":
                return f"{self.operation}(1 + ({parts[0]})^2)"
            case "power":
                return f"((1 + abs({parts[0]}))^(sin({parts[1]})))"
            case "where":
                return f"where({parts[0]} < {parts[1]} and {parts[0]} <= 7, {parts[2]}, {parts[3]})"
            case _ if parts:
                return f"{self.operation}({', '.join(parts)})"
        return self.operation

    def value(self, at: dict[str, Any]) -> Any:
        v = [operand.value(at) for operand in self.operands]
        match self.operation:
            case "+":
                return v[0] + v[1]
            case "-":
                return v[0] - v[1]
            case "*":
                return v[0] * v[1]
            case "^":
                return v[0] ** int(v[1])
            case "/":
                return v[0] / (mpmath.mpf(1.5) + mpmath.sin(v[1]))
            case "neg":
                return -v[0]
            case "exp" | "sinh" | "cosh" | "tan":
                return getattr(mpmath, self.operation)(mpmath.sin(v[0]))
            case "sqrt" | "log":
                return getattr(mpmath, self.operation)(1 + v[0] ** 2)
            case "sin" | "cos" | "tanh" | "erf":
                return getattr(mpmath, self.operation)(v[0])
            case "abs":
                assume(abs(v[0]) > GAP)
                return abs(v[0])
            case "power":
                assume(abs(v[0]) > GAP)
                return (1 + abs(v[0])) ** mpmath.sin(v[1])
            case "min" | "max":
                assume(abs(v[0] - v[1]) > GAP)
                return (min if self.operation == "min" else max)(v[0], v[1])
            case "where":
                assume(abs(v[0] - v[1]) > GAP and abs(v[0] - 7) > GAP)
                return v[2] if v[0] < v[1] and v[0] <= 7 else v[3]
        if self.operation in at:
            return at[self.operation]
        return mpmath.pi if self.operation == "pi" else mpmath.mpf(float(self.operation))


_leaves = st.sampled_from(["x", "y", "lambda", "x", "y", "1", "2", "3", "0.5", "0.1", "1e-1", "pi"]).map(
    Random
)
_exponents = st.sampled_from(["2", "3"]).map(Random)


def _grow(inner: st.SearchStrategy[Random]) -> st.SearchStrategy[Random]:
    one = st.sampled_from(
        ["neg", "sin", "cos", "tanh", "erf", "exp", "sinh", "cosh", "tan", "sqrt", "log", "abs"]
    )
    two = st.sampled_from(["+", "-", "*", "/", "min", "max", "power"])
    return (
        st.builds(lambda op, a: Random(op, (a,)), one, inner)
        | st.builds(lambda op, a, b: Random(op, (a, b)), two, inner, inner)
        | st.builds(lambda a, n: Random("^", (a, n)), inner, _exponents)
        | st.builds(lambda a, b, c, d: Random("where", (a, b, c, d)), inner, inner, inner, inner)
    )


trees = st.recursive(_leaves, _grow, max_leaves=8)
numbers = st.integers(-20, 20).map(lambda k: k / 8 + 0.01)


def fuzzed(*strategies: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test on random examples: new ones each run, for a bounded time, the seed in every failure."""

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        began: list[float] = []
        failed: list[Exception] = []

        @seed(SEED + zlib.crc32(test.__name__.encode()))
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        )
        @given(*strategies)
        @functools.wraps(test)
        def bounded(*arguments: Any, **named: Any) -> None:
            note(f"PINNKAN_FUZZ_SEED={SEED} draws this example again")
            began.append(process_time())
            if began[-1] - began[0] > WHOLE_S and not failed:  # what failed is tried again, and made smaller
                return
            signal.signal(signal.SIGVTALRM, _too_long)
            signal.setitimer(signal.ITIMER_VIRTUAL, LONGEST_S)
            try:
                test(*arguments, **named)
            except UnsatisfiedAssumption:
                raise
            except Exception as error:
                failed.append(error)
                raise
            finally:
                signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)

        return bounded

    return decorate


def _too_long(number: int, frame: FrameType | None) -> NoReturn:
    raise TimeoutError(f"one expression took more than {LONGEST_S:g} s")

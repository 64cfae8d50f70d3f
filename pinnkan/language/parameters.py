"""A family's parameters: their declaration, the values asked for on the command line, and file names.

Values are expanded in exact rational arithmetic and rounded once, so that
``0:1:11`` contains 0.3 and not 0.30000000000000004.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from pinnkan.ground.errors import UsageError, did_you_mean, quote
from pinnkan.ground.files import read_data

MOST_VALUES = 100_000
_LARGEST_LIST = 4_000_000

_DECIMAL = r"[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?"
_NUMBER = re.compile(rf"({_DECIMAL})(?:\s*/\s*({_DECIMAL}))?")
_LONGEST_NUMBER = 60
_PLAIN_DIGITS = 12
_LARGEST_EXPONENT = 308.25  # 10 to this power is a double, to a little more it is none

_Lists = dict[str, tuple[float, ...]]


@dataclass(frozen=True)
class Parameter:
    """One named number that the problem depends on.

    Attributes:
        name: As written in the problem file.
        base: The value the base network is trained at.
        low: Lower end of the range of interest, None where not declared.
        high: Upper end.
    """

    name: str
    base: float
    low: float | None = None
    high: float | None = None

    def covers(self, value: float) -> bool:
        """Tell whether a value lies in the declared range; true where none is declared."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


def parse_number(text: str) -> float | None:
    """Return the value of a decimal number or a fraction of two, None for anything else or not finite."""
    match = _NUMBER.fullmatch(text.strip()) if len(text) <= _LONGEST_NUMBER else None
    if match is None:
        return None
    denominator = float(match[2]) if match[2] else 1.0
    value = float(match[1]) / denominator if denominator else math.inf
    return value if math.isfinite(value) else None


def expand_values(text: str, option: str = "--lambda") -> tuple[float, ...]:
    """Expand the text of one option into numbers, in the order given.

    Args:
        text: ``0.1``; ``0.1,0.2``; ``0:1:11`` (start:stop:count, both ends
            included); ``log:1e-3:1:7``; ``@values.txt`` (numbers separated by
            blanks, commas or lines; ``#`` starts a comment).
        option: What to call the option in messages.

    Raises:
        UsageError: If the text is none of these, or a value is not finite.
    """
    if text.startswith("@"):
        return _values_of_file(text[1:], option)
    words = [word.strip() for word in text.split(",")]
    return tuple(value for word in words for value in _expand_word(word, option))


def _expand_word(word: str, option: str) -> list[float]:
    if ":" not in word:
        return [float(_fraction(word, word, option))]
    logarithmic = word.startswith("log:")
    ends = word.removeprefix("log:").split(":")
    if len(ends) != 3:
        raise UsageError(f"{option}: expected start:stop:count or log:start:stop:count, got {quote(word)}")
    start, stop = (_fraction(end, word, option) for end in ends[:2])
    if not re.fullmatch(r"\d{1,7}", ends[2]) or not 2 <= int(ends[2]) <= MOST_VALUES:
        raise UsageError(
            f"{option}: the third number of start:stop:count is a count between 2 and {MOST_VALUES}, "
            f"both ends included; got {quote(ends[2])} in {quote(word)}"
        )
    count = int(ends[2])
    if logarithmic:
        return _logarithmic(start, stop, count, word, option)
    # Over one denominator, which Python divides by and rounds once, as a fraction would.
    step = (stop - start) / (count - 1)
    whole = math.lcm(start.denominator, step.denominator)
    first, rise = int(start * whole), int(step * whole)
    return [(first + rise * i) / whole for i in range(count)]


def _logarithmic(start: Fraction, stop: Fraction, count: int, word: str, option: str) -> list[float]:
    """Space evenly in the exponent; rounded to 15 digits so that whole powers of ten come out as such."""
    first, last = float(start), float(stop)
    if first <= 0 or last <= 0:  # 1e-4000 is zero as well
        raise UsageError(f"{option}: log: needs a positive start and stop, got {quote(word)}")
    low, high = math.log10(first), math.log10(last)
    exponents = [low + (high - low) * i / (count - 1) for i in range(1, count - 1)]
    inner = [float(f"{10 ** min(exponent, _LARGEST_EXPONENT):.15g}") for exponent in exponents]
    # The least and the largest doubles have no 15 digits: what is rounded may leave the range.
    ends = sorted((first, last))
    return [first, *(min(max(value, ends[0]), ends[1]) for value in inner), last]


def _fraction(text: str, word: str, option: str) -> Fraction:
    """Return the exact value of a decimal or a fraction of two decimals."""
    if parse_number(text) is None:
        inside = f" in {quote(word)}" if text != word else ""
        forms = "0.1 or 0.1,0.2 or 0:1:11 or log:1e-3:1:7 or @values.txt"
        raise UsageError(f"{option}: {quote(text)}{inside} is not a number; values are written as {forms}")
    numerator, _, denominator = text.partition("/")
    return Fraction(numerator.strip()) / Fraction(denominator.strip() or "1")


def _values_of_file(name: str, option: str) -> tuple[float, ...]:
    content = read_data(Path(name), what="list of values", max_bytes=_LARGEST_LIST)
    values: list[float] = []
    for number, line in enumerate(content.decode("utf-8-sig", errors="replace").splitlines(), start=1):
        for word in line.partition("#")[0].replace(",", " ").split():
            values.append(float(_fraction(word, word, f"{name}:{number}")))
    if not values:
        raise UsageError(f"{option}: the list of values {quote(name)} holds no number")
    return tuple(values)


def family_points(
    parameters: Sequence[Parameter],
    *,
    only: Sequence[str] = (),
    named: Sequence[str] = (),
    paired: bool = False,
    remark: Callable[[str], None] = lambda _: None,
) -> list[dict[str, float]]:
    """Return the parameter values that the command line asks for, without repetition.

    Several named parameters give the product of their lists, the last one
    running fastest; a parameter that is not named keeps its base value.

    Args:
        parameters: The family's parameters in problem order.
        only: Texts of ``--lambda``: values of the family's only parameter.
        named: Texts of ``--param``, each ``NAME=VALUES``.
        paired: Take the first value of every list together, then the second, ..., and no product.
        remark: Told which values were asked for more than once.

    Returns:
        One mapping from name to value each; empty if nothing was asked for.

    Raises:
        UsageError: If a name is unknown, a value cannot be read, or lists that are
            to be paired differ in length.
    """
    lists = _lists_by_name(parameters, only, named)
    if not lists:
        return []
    names = [parameter.name for parameter in parameters]
    counts = Counter((_pairs if paired else _product)(parameters, lists))
    points = [dict(zip(names, combination, strict=True)) for combination in counts]
    repeated = [file_stem(point) for point, count in zip(points, counts.values(), strict=True) if count > 1]
    if repeated:
        more = f" and {len(repeated) - 1} more" if len(repeated) > 1 else ""
        remark(f"{repeated[0]}{more} asked for more than once; once is enough")
    return points


def _product(parameters: Sequence[Parameter], lists: _Lists) -> Iterable[tuple[float, ...]]:
    axes = [lists.get(parameter.name, (parameter.base,)) for parameter in parameters]
    if math.prod(len(axis) for axis in axes) > MOST_VALUES:
        raise UsageError(f"--param: the product of the lists has more than {MOST_VALUES} values")
    return itertools.product(*axes)


def _pairs(parameters: Sequence[Parameter], lists: _Lists) -> Iterable[tuple[float, ...]]:
    lengths = {name: len(values) for name, values in lists.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise UsageError(
            f"--zip pairs lists of equal length: {found}; without --zip they give all combinations"
        )
    (count,) = set(lengths.values())
    axes = [lists.get(parameter.name, (parameter.base,) * count) for parameter in parameters]
    return zip(*axes, strict=True)


def _lists_by_name(parameters: Sequence[Parameter], only: Sequence[str], named: Sequence[str]) -> _Lists:
    names = [parameter.name for parameter in parameters]
    if (only or named) and not names:
        raise UsageError("this problem has no parameters; leave --lambda and --param out")
    if only and len(names) > 1:
        raise UsageError(
            f"--lambda sets the only parameter of a family; this one has {', '.join(names)}: "
            "use --param NAME=VALUE"
        )
    lists: _Lists = {}
    for text in only:
        lists[names[0]] = lists.get(names[0], ()) + expand_values(text)
    for text in named:
        name, equals, values = (part.strip() for part in text.partition("="))
        if not equals:
            raise UsageError(f"--param: expected NAME=VALUE, for example {names[0]}=0.1, got {quote(text)}")
        if name not in names:
            known = did_you_mean(name, names) or f"; the parameters are {', '.join(names)}"
            raise UsageError(f"--param: unknown parameter {quote(name)}{known}")
        lists[name] = lists.get(name, ()) + expand_values(values, f"--param {name}")
    return lists


def complete_values(
    parameters: Sequence[Parameter], values: Mapping[str, float] | float | None
) -> dict[str, float]:
    """Return a value for every parameter, in problem order; base values where none is given.

    Args:
        parameters: The family's parameters.
        values: By name, or one number for a family of one parameter.

    Raises:
        UsageError: For an unknown name, a number where the family has not one
            parameter, or a value that is not finite.
    """
    names = [parameter.name for parameter in parameters]
    if values is not None and not isinstance(values, Mapping):
        if len(names) != 1:
            found = ", ".join(names) or "none"
            raise UsageError(f"one number is not enough: the parameters are {found}; give {{'name': value}}")
        values = {names[0]: values}
    given = dict(values or {})
    for name in given:
        if name not in names:
            known = did_you_mean(name, names) or f"; the parameters are {', '.join(names) or 'none'}"
            raise UsageError(f"unknown parameter {quote(name)}{known}")
    complete = {
        parameter.name: float(given.get(parameter.name, parameter.base)) + 0.0 for parameter in parameters
    }
    for name, value in complete.items():
        if not math.isfinite(value):
            raise UsageError(f"parameter {name} must be a finite number, got {value}")
    return complete


def file_stem(values: Mapping[str, float]) -> str:
    """Return ``lambda=0.3`` or ``nu=0.01,beta=2``, in the order given: another name for every other value."""
    return ",".join(f"{name}={shortest_text(value)}" for name, value in values.items())


def shortest_text(value: float) -> str:
    """Return the shortest decimal, of 12 digits at least, that reads back as a value: ``0.3``, ``1e-05``."""
    value += 0.0  # turns -0.0 into 0.0: one value, one file
    digits = repr(value).partition("e")[0].replace(".", "").strip("-0")  # as few as read back
    return f"{value:.{max(len(digits), _PLAIN_DIGITS)}g}"


def older_file_stem(values: Mapping[str, float]) -> str:
    """Return the name that older versions gave: 12 digits, so that close values shared it."""
    return ",".join(f"{name}={value + 0.0:.{_PLAIN_DIGITS}g}" for name, value in values.items())


def echo_values(points: Iterable[Mapping[str, float]]) -> str:
    """Return the expanded list as it is echoed before the work starts."""
    return "  ".join(file_stem(point) for point in points)

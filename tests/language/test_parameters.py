"""Values of a family's parameters from the command line, and the names of their files."""

# ruff: noqa: E501  (tables of messages)

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from pinnkan.ground.errors import FileAccessError, UsageError
from pinnkan.language.parameters import (
    Parameter,
    complete_values,
    echo_values,
    expand_values,
    family_points,
    file_stem,
    older_file_stem,
    parse_number,
)

LAMBDA = (Parameter("lambda", 0.0),)
TWO = (Parameter("nu", 0.05), Parameter("beta", 1.0))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3),
        ("1E5", 1e5),
        ("1.0e3", 1000.0),
        ("-.5", -0.5),
        ("+2.", 2.0),
        ("1/8", 0.125),
        ("1/3", 1 / 3),
        (" 7 ", 7.0),
        ("010", None),
        ("1:30", None),
        ("0x10", None),
        ("1_000", None),
        ("1e999", None),
        ("1/0", None),
        ("nan", None),
        (".inf", None),
        ("2024-01-02", None),
        ("no", None),
        ("1" * 5000, None),
        ("", None),
    ],
)
def test_numbers_are_decimals_or_fractions_and_nothing_else(text, value):
    assert parse_number(text) == value


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0.1", (0.1,)),
        ("1/8", (0.125,)),
        ("-1e-3", (-0.001,)),
        ("0.1, 0.2,3", (0.1, 0.2, 3.0)),
        ("0:1:11", (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)),
        ("1:0:3", (1.0, 0.5, 0.0)),
        ("0.1:0.7:7", (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)),
        ("log:1e-3:1:4", (0.001, 0.01, 0.1, 1.0)),
        ("log:1e-3:1:7", (0.001, 0.00316227766016838, 0.01, 0.0316227766016838, 0.1, 0.316227766016838, 1.0)),
        ("0:1:2,5", (0.0, 1.0, 5.0)),
        ("-1e308:1e308:3", (-1e308, 0.0, 1e308)),
        ("0:1e-4000:2", (0.0, 0.0)),
        ("log:1e-300:1e300:3", (1e-300, 1.0, 1e300)),
        ("log:1.7976931348623157e308:1.7976931348623157e308:3", (1.7976931348623157e308,) * 3),
    ],
)
def test_values_expand_in_decimal(text, values):
    assert expand_values(text) == values


def test_values_from_a_file(tmp_path):
    path = tmp_path / "values.txt"
    path.write_text("0.1 0.2  # two\n\n1/4,\n# none\n5\n")
    assert expand_values(f"@{path}") == (0.1, 0.2, 0.25, 5.0)
    path.write_text("0.1\nx\n")
    with pytest.raises(UsageError, match=r"values.txt:2: 'x' is not a number"):
        expand_values(f"@{path}")
    path.write_text("# nothing\n")
    with pytest.raises(UsageError, match="holds no number"):
        expand_values(f"@{path}")
    with pytest.raises(FileAccessError, match=r"cannot read the list of values .*No such file"):
        expand_values(f"@{tmp_path}/absent.txt")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("abc", "--lambda: 'abc' is not a number; values are written as 0.1 or 0.1,0.2 or 0:1:11 or"),
        ("nan", "'nan' is not a number"),
        ("inf", "'inf' is not a number"),
        ("1e999", "'1e999' is not a number"),
        ("", "'' is not a number"),
        ("0.1,,0.2", "'' is not a number"),
        ("0:1", "expected start:stop:count or log:start:stop:count, got '0:1'"),
        ("0:1:0.1", "is a count between 2 and 100000, both ends included; got '0.1' in '0:1:0.1'"),
        ("0:1:1", "got '1' in '0:1:1'"),
        ("0:1:999999999", "is a count between 2 and 100000"),
        ("0:x:3", "'x' in '0:x:3' is not a number"),
        ("log:0:1:3", "log: needs a positive start and stop, got 'log:0:1:3'"),
        ("log:1e-4000:1:3", "log: needs a positive start and stop, got 'log:1e-4000:1:3'"),
        ("log:1:1e-4000:3", "log: needs a positive start and stop"),
        ("log:1:1e4000:3", "'1e4000' in 'log:1:1e4000:3' is not a number"),
        ("__import__('os')", "is not a number"),
    ],
)
def test_texts_that_are_no_values(text, message):
    with pytest.raises(UsageError) as caught:
        expand_values(text)
    assert message in str(caught.value)
    assert caught.value.exit_code == 2


def test_one_parameter_whatever_its_name():
    assert family_points(LAMBDA, only=["0.1", "0.2,0.1"]) == [{"lambda": 0.1}, {"lambda": 0.2}]
    assert family_points(LAMBDA, named=["lambda=1"]) == [{"lambda": 1.0}]
    assert family_points(LAMBDA) == []


def test_several_parameters_give_the_product_in_problem_order():
    points = family_points(TWO, named=["beta=1,2", "nu=0.01:0.02:2"])
    assert points == [
        {"nu": 0.01, "beta": 1.0},
        {"nu": 0.01, "beta": 2.0},
        {"nu": 0.02, "beta": 1.0},
        {"nu": 0.02, "beta": 2.0},
    ]
    assert family_points(TWO, named=["nu=0.01"]) == [{"nu": 0.01, "beta": 1.0}]
    assert echo_values(points[:2]) == "nu=0.01,beta=1  nu=0.01,beta=2"


def test_lists_are_paired_in_the_order_given():
    points = family_points(TWO, named=["beta=2,1", "nu=0.01:0.02:2"], paired=True)
    assert points == [{"nu": 0.01, "beta": 2.0}, {"nu": 0.02, "beta": 1.0}]
    assert family_points(TWO, named=["nu=1,2"], paired=True) == [
        {"nu": 1.0, "beta": 1.0},
        {"nu": 2.0, "beta": 1.0},
    ]
    assert family_points(LAMBDA, only=["1,2"], paired=True) == [{"lambda": 1.0}, {"lambda": 2.0}]
    assert family_points(TWO, paired=True) == []


@pytest.mark.parametrize(
    ("parameters", "options", "message"),
    [
        (TWO, {"only": ["1"]}, "--lambda sets the only parameter of a family; this one has nu, beta"),
        (TWO, {"named": ["betta=1"]}, "--param: unknown parameter 'betta'; did you mean 'beta'?"),
        (TWO, {"named": ["gamma=1"]}, "--param: unknown parameter 'gamma'; the parameters are nu, beta"),
        (TWO, {"named": ["0.1"]}, "--param: expected NAME=VALUE, for example nu=0.1, got '0.1'"),
        (TWO, {"named": ["nu=x"]}, "--param nu: 'x' is not a number"),
        (TWO, {"named": ["nu=0:1:1000", "beta=0:1:1000"]}, "the product of the lists has more than 100000 values"),
        (TWO, {"named": ["nu=1,2,3", "beta=1,2"], "paired": True}, "--zip pairs lists of equal length: nu has 3, beta has 2; without --zip"),
        ((), {"only": ["1"]}, "this problem has no parameters"),
    ],
)  # fmt: skip
def test_usage_faults(parameters, options, message):
    with pytest.raises(UsageError) as caught:
        family_points(parameters, **options)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("values", "stem"),
    [
        ({"lambda": 0.3}, "lambda=0.3"),
        ({"lambda": 0.1 + 0.2}, "lambda=0.30000000000000004"),
        ({"lambda": 0.1000000000000001}, "lambda=0.1000000000000001"),
        ({"lambda": 1 / 3}, "lambda=0.3333333333333333"),
        ({"lambda": 5e-324}, "lambda=4.94065645841e-324"),
        ({"lambda": -1.7976931348623157e308}, "lambda=-1.7976931348623157e+308"),
        ({"lambda": 2.0**60}, "lambda=1.152921504606847e+18"),
        ({"lambda": -0.0}, "lambda=0"),
        ({"lambda": 1.0}, "lambda=1"),
        ({"nu": 1e-5, "beta": 2.0}, "nu=1e-05,beta=2"),
    ],
)
def test_file_names(values, stem):
    assert file_stem(values) == stem


def test_every_value_has_a_name_of_its_own_that_reads_back():
    random = np.random.default_rng(0)
    values = random.normal(size=500) * 10.0 ** random.integers(-300, 300, 500)
    near = [*values, *np.nextafter(values, np.inf), *np.nextafter(values, -np.inf)]
    names = [file_stem({"lambda": float(value)}) for value in near]
    assert [float(name.partition("=")[2]) for name in names] == near
    assert len(set(names)) == len(set(near))
    assert all(
        older_file_stem({"lambda": float(f"{v:.12g}")}) == file_stem({"lambda": float(f"{v:.12g}")})
        for v in values
    )


def test_a_value_asked_for_twice_is_said():
    said = []
    assert family_points(LAMBDA, only=["0.1,0.2", "0.1"], remark=said.append) == [
        {"lambda": 0.1},
        {"lambda": 0.2},
    ]
    assert said == ["lambda=0.1 asked for more than once; once is enough"]
    family_points(LAMBDA, only=["0:1:11", "0:1:3,0,-0.0"], remark=said.append)
    assert said[1:] == ["lambda=0 and 2 more asked for more than once; once is enough"]
    close = family_points(LAMBDA, only=["0.1,0.1000000000000001"], remark=said.append)
    assert (len(close), len(said)) == (2, 2)


def test_complete_values():
    assert complete_values(TWO, {"beta": 3}) == {"nu": 0.05, "beta": 3.0}
    assert complete_values(LAMBDA, 0.5) == {"lambda": 0.5}
    with pytest.raises(
        UsageError, match=r"is not enough: the parameters are nu, beta; give \{'name': value\}"
    ):
        complete_values(TWO, 0.5)
    with pytest.raises(UsageError, match="unknown parameter 'betta'; did you mean 'beta'"):
        complete_values(TWO, {"betta": 1.0})
    with pytest.raises(UsageError, match="parameter nu must be a finite number, got nan"):
        complete_values(TWO, {"nu": float("nan")})


def test_range_covers():
    parameter = Parameter("nu", 1.0, 0.0, 2.0)
    assert [parameter.covers(value) for value in (-1.0, 0.0, 2.0, 2.1)] == [False, True, True, False]


@pytest.mark.parametrize("text", ["0:1:11", "-3/7:1e-3:101", "1e300:-1e300:7", "0.1:0.1:2", "1/3:2/3:4"])
def test_values_of_a_range_are_those_of_exact_fractions(text):
    start, stop, count = text.split(":")
    low, high = (
        Fraction(a) / Fraction(b or "1") for a, _, b in (end.partition("/") for end in (start, stop))
    )
    n = int(count)
    assert expand_values(text) == tuple(float(low + (high - low) * i / (n - 1)) for i in range(n))

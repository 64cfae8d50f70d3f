"""Hostile and random text: nothing but ExpressionFault escapes, and soon."""

from __future__ import annotations

import re
import string
from time import process_time

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from random_trees import Random, trees

from pinnkan.language.expressions import (
    ExpressionFault,
    Names,
    canonical_text,
    entries,
    parse_equation,
    parse_expression,
    symbol,
    to_symbolic,
    to_value,
)

NAMES = Names(
    space=("x", "y"),
    time="t",
    unknowns=("u", "w"),
    parameters=("lambda", "nu"),
    definitions={
        "r": parse_expression("sqrt(x^2 + y^2)"),
        "v": parse_expression("[u, w]"),
        "T": parse_expression("[[u, x], [w, 1]]"),
    },
    extra={"exact.u": symbol("x") ** 3},
)

HOSTILE = [
    "__import__('os').system('true')",
    "__import__(os)",
    "eval(x)",
    "exec(x)",
    "open(x)",
    "compile(x)",
    "globals()",
    "().__class__.__bases__[0].__subclasses__()",
    "x.__class__",
    "x.subs(x, 1)",
    "v.x.subs",
    "exact.u" + "_x" * 900 + "_z",
    "v" + ".x" * 900,
    "a_" * 990,
    "a." * 990,
    "T.__init__.__globals__",
    "u.__init__",
    "[].append",
    "[x for x in y]",
    "{x: y}",
    "lambda: 0",
    "lambda x: x",
    "f'{x}'",
    "'a'*10**9",
    '"x"',
    "`x`",
    "$HOME",
    "#x",
    "x; y",
    "x\\\ny",
    "x := 1",
    "x = 1",
    "*x",
    "x[0]",
    "u[0]",
    "9**9**9",
    "9^9^9^9",
    "9**9**9 - 9**9**9",
    "2^(2^(2^(2^(2^2))))",
    "10^400",
    "1e999",
    "exp(exp(exp(10)))",
    "exp(1000000000*log(2))",
    "sqrt(2)^1000000000",
    "pi^pi^pi^pi",
    "(1 + 1/3)^100000",
    "(3*x)^10000000",
    "factorial(10000000)",
    "gamma(x)",
    "zeta(x)",
    "Integral(x)",
    "Symbol(x)",
    "S(x)",
    "oo",
    "nan",
    "inf",
    "I*x",
    "zoo",
    "True",
    "None",
    "1/0",
    "0/0",
    "0^(-1)",
    "log(0)",
    "sqrt(-1)",
    "(-1)^0.5",
    "(" * 5000 + "x" + ")" * 5000,
    "(" * 900 + "x" + ")" * 900,
    "-" * 1999,
    "+" * 1000 + "x",
    "x^" * 999 + "x",
    "[" * 999 + "]" * 999,
    "where(" * 300,
    "dx(" * 300 + "u" + ")" * 300,
    "u_" + "x" * 1500,
    "x" * 2001,
    "\x00",
    "x\x00y",
    "\ud800",
    "\uff58",
    "\u202ex",
    "x\u00a0+ y",
    "\u0661",
    "x\u2060",
    "\U0001d465",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_refused(text: str) -> None:
    start = process_time()
    with pytest.raises(ExpressionFault) as caught:
        to_symbolic(parse_expression(text), NAMES)
    assert caught.value.message
    assert 0 <= caught.value.start <= caught.value.end
    assert process_time() - start < 1.0


_WORDS = re.findall(
    r"\S+",
    """
    v.x v.y_t v_x T T.xy T_t exact.u exact.u_x n n.x n_x I w . .x
    curl( advect( sym( trace( transpose( outer( cross(
    x y t u u_x u_xy u_t lambda nu r v pi e 0 1 2 3 0.5 1e3 1e300 999999999 unknown
    + - * / ^ ** ( ( ( ) ) ) [ ] , , = < <= > and or
    sin( cos( tan( exp( log( sqrt( abs( tanh( sinh( cosh( erf( min( max( where(
    Piecewise(( And( grad( div( laplace( dot( norm( dn( diff( dx( dt( dxx(
    """,
)
_texts = (
    st.lists(st.sampled_from(_WORDS), max_size=40).map(" ".join)
    | st.text(alphabet=string.printable, max_size=60)
    | st.text(max_size=40)
)
fuzz = settings(max_examples=600, deadline=None, database=None)


def survives(text: str) -> None:
    for parse in (parse_expression, parse_equation):
        fault = None
        try:
            assert all(map(canonical_text, entries(to_value(parse(text), NAMES, normal=True))))
        except ExpressionFault as caught:
            fault = caught
        assert fault is None or 0 <= fault.start <= min(fault.end, len(text))


@seed(4)
@fuzz
@given(_texts)
def test_only_expression_faults_escape(text: str) -> None:
    survives(text)


@seed(5)
@fuzz
@given(trees, st.data())
def test_mutations_of_valid_text(tree: Random, data: st.DataObject) -> None:
    text = tree.text()
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 3))
        text = text[:place] + data.draw(st.sampled_from([*_WORDS, ""])) + text[place + cut :]
    survives(text)

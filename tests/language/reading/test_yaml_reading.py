"""YAML as it is read here: values stay text until a key gives them a type; bombs are refused quickly."""

# ruff: noqa: E501  (tables of messages)

from __future__ import annotations

import time

import pytest

from pinnkan.ground.errors import ProblemError
from pinnkan.language.reading.fields import read_flag, read_integer, read_number, read_text
from pinnkan.language.reading.nodes import Block, Listing, Scalar, read_yaml
from pinnkan.language.reading.places import Faults, Place, Source


def read(text: str):
    faults = Faults()
    try:
        root = read_yaml(text, "file", faults)
    except ProblemError:  # thirty faults are enough
        root = None
    places = [(place.line, place.column) for place, _ in faults.found]
    return root, [message for _, message in faults.found], places


def scalar(text: str) -> Scalar:
    return Scalar(text, Place(Source.of("file", text), 1, 1))


def test_the_key_decides_the_type():
    faults = Faults()
    assert read_text(scalar("no"), "title", faults) == "no"
    assert read_text(scalar("2024-13-45"), "title", faults) == "2024-13-45"
    assert read_flag(scalar("no"), "slim", faults) is False
    assert read_flag(scalar("on"), "slim", faults) is True
    assert read_integer(scalar("1e3"), "steps", faults) == 1000
    assert read_number(scalar("1e-3"), "rate", faults) == 1e-3
    assert not faults


def test_values_keep_their_text_and_place():
    root, faults, _ = read("a: no\nb: [1e-3, 'x: y', 010]\nc:\n  d: \"q\"\n")
    assert not faults
    assert isinstance(root, Block)
    b = root.get("b")
    assert isinstance(b, Listing)
    assert [item.text for item in b.items] == ["1e-3", "x: y", "010"]
    quoted = b.items[1]
    assert (quoted.place.line, quoted.place.column, quoted.lead) == (2, 11, 1)
    assert quoted.part(3, 4).column == 15
    assert root.get("c").get("d").text == "q"


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a: &x 1", (1, 4), "anchor '&x' is not allowed; write values out"),
        ("a: *x", (1, 4), "alias '*x' is not allowed; write the value out, or quote the text"),
        ("<<: {a: 1}", (1, 1), "merge key '<<' is not allowed; write the keys out"),
        ("a: !!int 3", (1, 4), "tag 'tag:yaml.org,2002:int' is not allowed; the key decides the type of its value"),
        ("a: 1\nb: 2\na: 3", (3, 1), "duplicate key 'a'; first given in line 1"),
        ("? [a, b]\n: 1", (1, 3), "a key must be a plain word"),
        ("a:\n\tb: 1", (2, 1), "a tab cannot indent YAML; use spaces"),
        ("a: u_t: 1", (1, 7), "YAML syntax: mapping values are not allowed here; put a value that contains ': ' in quotes"),
        (
            "a: [dot([1], b)]",
            (1, 9),
            "YAML syntax: while parsing a flow sequence expected ',' or ']', but got '['; "
            "put a formula that holds brackets or commas in quotes",
        ),
        ("a: 1\n---\nb: 1", (2, 1), "only one YAML document ('---') a file is read"),
        ("", (1, 1), "the file is empty"),
        ("# nothing\n", (1, 1), "the file is empty"),
        ("a: \x00", (1, 4), "character U+0000 is not allowed"),
        ('a: "\\uD800"', (1, 4), "text with a lone surrogate character"),
        ("[" * 5000, (1, 21), "nested more than 20 levels deep"),
        ("{a: " * 5000, (1, 78), "nested more than 20 levels deep"),
        ("- " * 5000 + "x", (1, 41), "nested more than 20 levels deep"),
        ("x" * 262_145, (1, 1), "file too long: 262145 characters, at most 262144 are read"),
    ],
)  # fmt: skip
def test_what_yaml_allows_and_we_do_not(text, place, message):
    _, messages, places = read(text)
    assert messages[:1] == [message]
    assert places[0] == place


def test_more_nodes_than_a_problem_needs_are_refused():
    _, messages, _ = read("a: [" + "1," * 20_001 + "]")
    assert messages == ["more than 20000 values in one file"]


def test_bombs_are_refused_within_a_second():
    merge = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 9))
    aliases = "a: &a [x]\n" + "".join(f"b{n}: [*a, *a]\n" for n in range(9))
    cycle = "a: &x [*x]\n"
    for text in (merge, aliases, cycle, "[" * 200_000, "{" * 200_000, "- " * 100_000, "a: " + "-" * 200_000):
        start = time.process_time()
        root, messages, _ = read(text)
        assert time.process_time() - start < 1.0
        assert messages or isinstance(root, Block)

"""Numbers at the ends of the range, wherever one can be stated: a result or one message, never a traceback.

The places come from the tables themselves: the settings' dataclasses, the options of the command line and
the numbers of two problem files. A key or an option that is added later is tried without a change here.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from program import program
from tiny_family import TINY

from pinnkan.ground.errors import PinnkanError
from pinnkan.language.problem import load_problem
from pinnkan.language.settings.blocks import Settings
from pinnkan.language.settings.keys import keys_of
from pinnkan.physics.family import Family

VALUES = (
    *("0", "-0.0", "5e-324", "1e308", "-1e308", "1e4000", "1e-4000"),
    *("0.12345678901234567", "12345678901234567", "-12345678901234567"),
)
SMALL = TINY.replace("[4, 4]", "[2, 2]").replace("functions: 4", "functions: 3").replace("60", "20")
SMALL = SMALL.replace("training: {steps: 6}", "training: {steps: 1}").replace("held_out: 40", "held_out: 20")
BESIDE = {
    "degree": ("network.basis=bspline",),
    "rank": ("network.kind=slim",),
    "rate": ("training.optimizer=adam",),
    "rates": ("training.optimizer=adam",),
    "refresh": ("training.steps=2",),
    "adapter": ("training.form=lotra",),
}
"""What else a key needs to be looked at; ``adapter``: the whole block."""
BLOCKS = [field for field in dataclasses.fields(Settings) if field.name != "chosen"]
"""The blocks of a problem file."""


def has_number(kind: Any) -> bool:
    return kind in (int, float) or any(has_number(part) for part in get_args(kind))


def numeric_keys() -> Iterator[tuple[str, str, int]]:
    """Yield block, key and length (0 for a single number) of every setting that may be a number."""
    for block in BLOCKS:
        settings = getattr(Settings(), block.name)
        for key in keys_of(settings).values():
            if key.name != "phases" and has_number(key.kind):
                length = key.limits.get("length", 2) if "tuple" in str(key.kind) else 0
                yield block.name, key.name, length


def settings_tried() -> Iterator[tuple[str, ...]]:
    """Yield the ``--set`` texts of every key and value."""
    for block, key, length in numeric_keys():
        for value in VALUES:
            text = f"[{', '.join([value] * length)}]" if length else value
            yield f"{block}.{key}={text}", *BESIDE.get(key, ()), *BESIDE.get(block, ())


def is_taken(texts: tuple[str, ...]) -> bool:
    """Tell whether the schema takes a setting; if not, it must name it."""
    try:
        load_problem(SMALL, overrides=texts)
    except PinnkanError as fault:
        if fault.exit_code != 2 or texts[0].partition("=")[0] not in str(fault):
            raise
        return False
    return True


TRIED = list(settings_tried())


def test_the_settings_are_tried():
    assert len(list(numeric_keys())) >= 35
    taken = [texts for texts in TRIED if is_taken(texts)]
    assert {texts[0].partition(".")[0] for texts in taken} == {block.name for block in BLOCKS}


TRAINED = [texts for texts in TRIED if not texts[0].startswith("finetuning")]
"""Fine-tuning reads the classes of training; what moves there is the same code."""


def rarely(texts: tuple[str, ...]) -> bool:
    """Tell what the quick run leaves out: it keeps the ends of the range."""
    return not re.search(r"=(\[.*)?(5e-324|1e308)", texts[0])


@pytest.mark.parametrize(
    "texts",
    [pytest.param(texts, marks=[pytest.mark.slow] * rarely(texts), id=" ".join(texts)) for texts in TRAINED],
)
def test_a_setting_gives_a_result_or_one_message(tmp_path, pinnkan, texts):
    if not is_taken(texts):
        return
    (tmp_path / "tiny.yaml").write_text(SMALL)
    options = [word for text in texts for word in ("--set", text)]
    answer = pinnkan("pretrain", tmp_path / "tiny.yaml", "-o", tmp_path / "run", "-q", *options)
    expect_an_answer(answer)


def expect_an_answer(answer: Any, codes: tuple[int, ...] = (0, 2, 4, 5)) -> None:
    """Expect a result, or a message that names a fault of the input, and nothing of Python's."""
    assert answer.code in codes, answer.err
    assert "Traceback" not in answer.err
    assert "Warning:" not in answer.err
    assert answer.code == 0 or answer.err.strip()


NUMBERS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("N", "X", "SECONDS", "S", "SHARE", "T", "R", "RATIO", "LIST"), ("{}",)),
    "VALUES": ("{}", "{}:1:3", "log:{}:1:3", "0:{}:3", "log:1:{}:3"),
    "NAME=VALUES": ("lambda={}",),
    "LOW:HIGH": ("{}:1", "0:{}"),
    "NAME=LOW:HIGH": ("lambda=0:{}",),
    "NAME=VALUE": ("x={}",),
    "COUNTS": ("{}x3", "{}"),
    "FORMULAS": ("{}*u", "u, {}"),
    "FIELD": ("{}*u",),
    "VECTOR": ("[{}, u]",),
    "RANGES": ("x={}:1,y=0:1", "x=0:{},y=0:1"),
}
"""How an option states a number, by what its help calls its value."""
NO_NUMBERS = {
    *("KEY=VALUE", "FILE", "DIR", "PROBLEM", "NAME", "ADDRESS", "SOURCE", "STUDY", "FILE-or-DIR", "FILE..."),
    *("NAME=LEVELS", "FILE.csv", "FILE.md", "TOPIC", None),
}
COMMANDS: dict[str, tuple[str, ...]] = {
    "status": ("tiny",),
    "check": ("tiny.yaml",),
    "export": ("heat", "-o", "u.csv", "--grid", "3"),
    "fit": ("x*y", "--domain", "x=0:1,y=0:1", "-o", "fitted", "--force", "--samples", "20"),
    "pretrain": ("tiny.yaml", "-o", "again", "--force"),
    "plot": ("heat", "-o", "u.png", "--dpi", "20"),
    "solve": ("tiny", "--lambda", "0.5"),
    "family": ("tiny", "--max-adapters", "1"),
    "compare": ("tiny.yaml", "--axis", "compression=1/2", "--lambda", "0.5", "-o", "study"),
    "spectrum": ("tiny/base.h5",),
    "evaluate": ("tiny",),
    "formula": ("nowhere",),
    "finetune": ("nowhere",),
}
"""The rest of each command's line; an option that several have is tried with the first of them."""


def numeric_options() -> dict[str, tuple[str, str]]:
    """Return command and what its value is called of every option that states a number, by its name."""
    app: Any = program()
    assert set(COMMANDS) <= set(app.commands)
    found: dict[str, tuple[str, str]] = {}
    for name in sorted(app.commands, key=lambda name: [*COMMANDS, name].index(name)):
        for parameter in app.commands[name].params:
            metavar = parameter.metavar
            is_choice = metavar is not None and re.fullmatch(r"<\w+(\|\w+)+>", metavar)
            assert metavar in NUMBERS or metavar in NO_NUMBERS or is_choice, (name, parameter.name, metavar)
            if metavar in NUMBERS:
                found.setdefault(parameter.opts[-1], (name, metavar))
    return found


OPTIONS = numeric_options()


SLOW_COMMANDS = ("evaluate", "family", "compare", "fit", "solve", "pretrain")


@pytest.mark.parametrize(
    "option",
    [
        pytest.param(option, marks=[pytest.mark.slow] * (command in SLOW_COMMANDS))
        for option, (command, _) in OPTIONS.items()
    ],
)
def test_an_option_gives_a_result_or_one_message(pinnkan, folder, monkeypatch, option):
    monkeypatch.chdir(folder)
    (folder / "tiny.yaml").write_text(SMALL)
    command, metavar = OPTIONS[option]
    words = list(COMMANDS[command])
    if option in words:
        place = words.index(option)
        del words[place : place + 2]
    settings = ("--set", "network.hidden=[2]", "--set", "training.steps=1") if command == "fit" else ()
    for form in NUMBERS[metavar]:
        for value in VALUES:
            expect_an_answer(pinnkan(command, *words, *settings, f"{option}={form.format(value)}", "-q"))


def test_the_options_are_tried():
    assert len(OPTIONS) >= 22, sorted(OPTIONS)


DISK = """\
coordinates: [x, y]
time: {t: [<0>, <1>]}
domain: {shape: disk, center: [<0>, <0>], radius: <1>}
unknowns: u
family:
  k: {base: <1>, range: [<0.5>, <2>]}
definitions: {g: <1>*x}
equations:
  - u_t - k*laplace(u) + <1>*u^<2> = g
boundary:
  - {equation: u = <1>*x, weight: <1>, hard: false}
initial:
  - u = <1>*x*y
network: {hidden: [2], functions: 3}
points: {interior: 20, held_out: 20, boundary: 20, initial: 20}
training: {steps: 1}
"""
BOX = """\
coordinates: [x, y]
domain: {shape: box, x: [<0>, <1>], y: [<0>, <1>]}
unknowns: u
exact: <1>*x*(1 - x)*y
family: {k: <1>}
equations:
  - -laplace(u) = k + <1>
boundary:
  - {equation: u = <0>, weight: <1>}
  - {on: x+, equation: <1>*u + dn(u) = <0>}
network: {hidden: [2], functions: 3}
points: {interior: 20, held_out: 20, boundary: 20}
training: {steps: 1}
"""


def problems(template: str, *, every: int = 1) -> Iterator[str]:
    """Yield the template with one of its numbers replaced, each by every so many-th of the values.

    Which ones changes from place to place, so that every place and every value is tried.
    """
    places = list(re.finditer(r"<([^>]*)>", template))
    for number, place in enumerate(places):
        for value in VALUES[number % every :: every]:
            text = f"{template[: place.start()]}{value}{template[place.end() :]}"
            yield re.sub(r"<([^>]*)>", r"\1", text)


@pytest.mark.parametrize("template", [DISK, BOX], ids=["disk", "box"])
def test_a_number_of_a_problem_file_is_understood_or_refused(template):
    outcomes = {True: 0, False: 0}
    for text in problems(template, every=2):
        try:
            Family(load_problem(text)).at()
            outcomes[True] += 1
        except PinnkanError as fault:
            if fault.exit_code not in (2, 4):
                raise
            outcomes[False] += 1
    assert min(outcomes.values()) >= 12, outcomes


@pytest.mark.slow
@pytest.mark.parametrize("template", [DISK, BOX], ids=["disk", "box"])
def test_a_number_of_a_problem_file_is_trained_with(tmp_path, pinnkan, template):
    for text in problems(template):
        (tmp_path / "p.yaml").write_text(text)
        expect_an_answer(pinnkan("pretrain", tmp_path / "p.yaml", "-o", tmp_path / "run", "--force", "-q"))


def test_a_domain_far_from_the_origin_is_refused(tmp_path, pinnkan):
    for old, new, message in (
        ("center: [<0>", "center: [1e10", "domain: radius: an extent of 1 at 1e+10 leaves too few digits"),
        ("t: [<0>, <1>]", "t: [1e10, 10000000001]", "time: t: an extent of 1 at 1e+10 leaves too few digits"),
    ):
        (tmp_path / "p.yaml").write_text(re.sub(r"<([^>]*)>", r"\1", DISK.replace(old, new)))
        answer = pinnkan("check", tmp_path / "p.yaml", "-q")
        assert answer.code == 2
        assert message in answer.err
        assert "count from a nearer origin" in answer.err

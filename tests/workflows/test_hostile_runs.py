"""Runs with a hostile file: well formed, its checksum right, its contents nothing that pinnkan wrote.

Whoever reads it refuses it in one line. (Files that are no proper container are the gallery of
``tests/storage/store``.)
"""

from __future__ import annotations

import copy
import json
import re
import zlib
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_family import TINY

from pinnkan.storage.store import Stored, read_store, write_store

Edit = Callable[[Stored], Stored]


def arrays(change: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]) -> Edit:
    return lambda stored: replace(stored, arrays=change(dict(stored.arrays)))


def array(**changes: np.ndarray) -> Edit:
    """Put arrays in place; ``_1_core`` is ``1.core``."""
    return arrays(lambda old: old | {k.lstrip("_").replace("_", ".", 1): v for k, v in changes.items()})


def meta(*place: str | int, value: object) -> Edit:
    def edit(stored: Stored) -> Stored:
        changed = copy.deepcopy(stored.meta)
        inner: Any = changed
        for key in place[:-1]:
            inner = inner[key]
        inner[place[-1]] = value
        return replace(stored, meta=changed)

    return edit


def problem(text: str) -> Edit:
    return meta("problem", "text", value=text)


WIDER = TINY.replace("[4, 4]", "[5, 5]")
YAML_BOMB = "\n".join(f"{b}: &{b} [{', '.join(['*' + a] * 9)}]" for a, b in pairwise("abcdefgh"))

BASES: dict[str, tuple[Edit, str]] = {
    "a layer missing": (arrays(lambda old: dict(list(old.items())[:1])), "its arrays have shapes"),
    "a further array": (array(x=np.ones(3)), "expected arrays 0.coefficients"),
    "no arrays": (arrays(lambda _: {}), "expected arrays 0.coefficients"),
    "another shape": (array(_1_coefficients=np.ones((3, 3, 3))), r"shapes \[\(2, 4, 4\), \(3, 3, 3\)"),
    "flat arrays": (arrays(lambda old: {k: v.ravel() for k, v in old.items()}), r"shapes \[\(32,\)"),
    "empty arrays": (arrays(lambda old: {k: v[:0] for k, v in old.items()}), r"shapes \[\(0, 4, 4\)"),
    "the problem of another network": (problem(WIDER), r"its problem's network \[\(2, 5, 4\)"),
    "no problem": (meta("problem", value=None), "no problem inside; not written by pinnkan"),
    "a problem that is no YAML": (problem("{{{"), "its problem is refused: .*error"),
    "a YAML tag that runs code": (
        problem("!!python/object/apply:os.system [touch HERE/pwned]\n"),
        "its problem is refused: .*error",
    ),
    "a YAML bomb": (problem("a: &a [1]\n" + YAML_BOMB + "\n"), "its problem is refused: .*error"),
    "a formula that runs code": (
        problem(TINY.replace("lambda*x)", "lambda*__import__('os'))")),
        "its problem is refused: .*error",
    ),
    "overrides that are none": (meta("problem", "overrides", value=["x"]), "its problem is refused: .*error"),
    "overrides of another type": (meta("problem", "overrides", value=[{}]), "no text problem.overrides"),
    "parameters of another type": (meta("problem", "parameters", value=[1]), "no object in problem.param"),
    "no method": (meta("method", value=[1]), "no method or no training facts inside"),
    "no training facts": (meta("training", value=None), "no method or no training facts inside"),
    "values of another type": (meta("values", value={"lambda": "x"}), "no parameter values inside"),
    "values of another family": (meta("values", value={"mu": 1.0}), r"values are of \['mu'\], its problem"),
    "an adapter": (lambda stored: replace(stored, kind="adapter"), "of kind 'adapter', expected 'base'"),
}

ADAPTERS: dict[str, tuple[Edit, str]] = {
    "the wrong base": (meta("base_hash", value="0" * 64), "was trained for another base"),
    "a hash of another type": (meta("base_hash", value=[1]), "was trained for another base"),
    "a core of another shape": (array(_1_core=np.ones((3, 3, 3))), "its arrays do not fit the base"),
    "a factor of another shape": (array(_1_u1=np.ones((1000, 2))), "its arrays do not fit the base"),
    "a factor missing": (
        arrays(lambda old: {k: v for k, v in old.items() if k != "1.u2"}),
        "its arrays do not fit the base",
    ),
    "a change of another shape": (array(_0_change=np.ones((9, 9, 9))), "its arrays do not fit the base"),
    "the problem of another network": (problem(WIDER), r"its problem's network \[\(2, 5, 4\)"),
    "a problem that is no YAML": (problem("{{{"), "its problem is refused: .*error"),
    "values of another family": (meta("values", value={"mu": 1.0}), r"values are of \['mu'\], its problem"),
    "values of another type": (meta("values", value=[0.5]), "no parameter values inside"),
    "no method": (meta("method", value=None), "no method or no training facts inside"),
    "a base": (lambda stored: replace(stored, kind="base"), "of kind 'base', expected 'adapter'"),
}


def report(one: object) -> np.ndarray:
    return np.frombuffer(zlib.compress(one if isinstance(one, bytes) else json.dumps(one).encode()), np.uint8)


def bomb() -> np.ndarray:
    deflate = zlib.compressobj(9)
    parts = [deflate.compress(bytes(1 << 20)) for _ in range(200)]
    return np.frombuffer(b"".join([*parts, deflate.flush()]), np.uint8)


CHECKPOINTS: dict[str, tuple[Edit, str]] = {
    "a bomb": (array(reports=bomb()), "reports do not inflate to at most 134217728 bytes"),
    "half a stream": (array(reports=report([1])[:-5]), "reports do not inflate"),
    "no stream": (array(reports=np.zeros(9, np.uint8)), "not a checkpoint of this version"),
    "nested reports": (array(reports=report(b"[" * 100_000)), "not a checkpoint of this version"),
    "reports of other things": (array(reports=report([{"step": 1}])), "not a checkpoint of this version"),
    "reports that are numbers": (array(reports=report([1])), "not a checkpoint of this version"),
    "no reports": (
        arrays(lambda old: {k: v for k, v in old.items() if k != "reports"}),
        "not a checkpoint of this version",
    ),
    "no theta": (
        arrays(lambda old: {k: v for k, v in old.items() if k != "optimizer.theta"}),
        "not a state of this training",
    ),
    "a short theta": (array(_optimizer_theta=np.ones(3)), "not a state of this training"),
    "a flat origin": (array(_origin_0=np.ones(3)), "not a state of this training"),
    "no such phase": (meta("phase", value=99), "not a state of this training"),
    "a phase that is a text": (meta("phase", value="x"), "not a state of this training"),
    "an origin in no phase": (meta("origin", value=99), "not a state of this training"),
    "an endless list": (meta("optimizer", "x[]", value=1 << 60), "not a checkpoint of this version"),
    "a damping that is a text": (meta("optimizer", "damping", value="x"), "not a state of this training"),
    "a best state of another type": (meta("best", value=1), "not a checkpoint of this version"),
    "a loop of another length": (meta("loop", value=[1]), "not a checkpoint of this version"),
    "a step that is a text": (meta("loop", 5, value="x"), "not a checkpoint of this version"),
    "a base": (lambda stored: replace(stored, kind="base"), "of kind 'base', expected 'checkpoint'"),
}


def plant(path: Path, edit: Edit) -> None:
    """Put an edited copy in place of a file, its checksum right; HERE in a problem is the folder."""
    stored = edit(read_store(path))
    found = json.dumps(stored.meta).replace("HERE", str(path.parents[1]))
    write_store(path, stored.kind, arrays=stored.arrays, meta=json.loads(found))


def assert_refused(answer: Any, path: Path, message: str) -> None:
    assert answer.code == 3, (answer.code, answer.err)
    lines = [line for line in answer.err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, answer.err
    assert "Traceback" not in answer.err
    assert re.match(rf"error: {re.escape(str(path))}: .*{message}", lines[0]), lines


@pytest.mark.parametrize("name", BASES)
def test_a_hostile_base_is_refused(pinnkan, folder, name):
    run, (edit, message) = folder / "tiny", BASES[name]
    plant(run / "base.h5", edit)
    answers = [
        pinnkan("finetune", run, "--lambda", "0.25"),
        pinnkan("evaluate", run),
        pinnkan("export", run, "--grid", "3x3", "-o", folder / "u.csv"),
    ]
    for answer in answers:
        assert_refused(answer, run / "base.h5", message)
    assert not (folder / "pwned").exists()
    assert not (folder / "u.csv").exists()
    assert pinnkan("status", run).code in (0, 3)


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_hostile_adapter_is_refused_and_trained_again(pinnkan, done, run, name):
    edit, message = ADAPTERS[name]
    path = run / "adapters" / "lambda=0.5.h5"
    good = read_store(path).arrays
    plant(path, edit)
    assert_refused(
        pinnkan("export", run, "--lambda", "0.5", "--grid", "3x3", "-o", run / "u.csv"), path, message
    )
    assert not (run / "u.csv").exists()
    done("status", run)
    done("finetune", run, "--lambda", "0.5", "--force", "--threads", 1, "-q")
    again = read_store(path).arrays
    assert all(np.allclose(again[name], good[name], rtol=1e-6, atol=1e-9) for name in good)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base that Ctrl-C stopped after its second step."""
    from conftest import pinnkan

    from pinnkan.storage.runs.checkpoints import Keeper

    folder, take = tmp_path_factory.mktemp("stopped"), Keeper.__call__

    def stop(keeper: Keeper, state: Any) -> None:
        take(keeper, state)
        if state.steps == 2:
            raise KeyboardInterrupt

    (folder / "tiny.yaml").write_text(TINY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Keeper, "__call__", stop)
        for place in ("run", "whole"):
            assert pinnkan("pretrain", folder / "tiny.yaml", "-o", folder / place, "--threads", 1).code == 75
    assert pinnkan("pretrain", folder / "tiny.yaml", "-o", folder / "whole", "--threads", 1).code == 0
    return folder


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_hostile_checkpoint_costs_its_steps_and_no_more(pinnkan, stopped, tmp_path, name):
    edit, message = CHECKPOINTS[name]
    source = stopped / "run" / "work" / "base.checkpoint.h5"
    path = tmp_path / "run" / "work" / source.name
    path.parent.mkdir(parents=True)
    path.write_bytes(source.read_bytes())
    plant(path, edit)
    answer = pinnkan("pretrain", stopped / "tiny.yaml", "-o", tmp_path / "run", "--threads", 1)
    assert answer.code == 0, answer.err
    (line,) = [line for line in answer.err.splitlines() if "starting afresh" in line]
    assert re.search(rf"starting afresh: {re.escape(str(path))}: .*{message}", line), line
    whole = read_store(stopped / "whole" / "base.h5").arrays
    found = read_store(tmp_path / "run" / "base.h5").arrays
    assert all(np.array_equal(found[key], whole[key]) for key in whole)
    assert list(path.parent.iterdir()) == []


def test_the_checkpoint_of_these_tests_is_gone_on_from(pinnkan, stopped, tmp_path):
    """Unedited: what the others lose is not lost for another reason."""
    path = tmp_path / "run" / "work" / "base.checkpoint.h5"
    path.parent.mkdir(parents=True)
    path.write_bytes((stopped / "run" / "work" / path.name).read_bytes())
    plant(path, lambda stored: stored)
    answer = pinnkan("pretrain", stopped / "tiny.yaml", "-o", tmp_path / "run", "--threads", 1)
    assert "going on after step 2" in answer.err

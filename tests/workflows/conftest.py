"""The whole program in this process, on tiny problems that are trained once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from program import program
from tiny_family import HEAT, TINY


@dataclass
class Answer:
    """One run of the program."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def pinnkan(*arguments: object) -> Answer:
    """Run the program in this process."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as end:
        program()([str(argument) for argument in arguments], prog_name="pinnkan")
    return Answer(int(end.value.code or 0), out.getvalue(), err.getvalue())


def done(*arguments: object) -> Answer:
    """Run the program and insist that it does what it is asked for: a few steps leave a verdict behind."""
    answer = pinnkan(*arguments)
    said = ": unsolved: " in answer.out + answer.err
    assert answer.code == 0 or (answer.code in (1, 4) and said), answer.err
    return answer


@pytest.fixture(name="pinnkan", scope="session")
def _pinnkan() -> Callable[..., Answer]:
    return pinnkan


@pytest.fixture(name="done", scope="session")
def _done() -> Callable[..., Answer]:
    return done


@pytest.fixture(scope="session")
def _trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny family with its base and the adapter at 0.5; nobody writes here."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "tiny.yaml").write_text(TINY)
    (folder / "heat.yaml").write_text(HEAT)
    done("pretrain", folder / "tiny.yaml", "-o", folder / "tiny", "-q")
    done("finetune", folder / "tiny", "--lambda", "0.5", "-q")
    done("pretrain", folder / "heat.yaml", "-o", folder / "heat", "-q")
    return folder


@pytest.fixture
def folder(_trained: Path, tmp_path: Path) -> Path:
    """A copy of the trained runs ``tiny`` and ``heat`` beside their YAML files."""
    shutil.copytree(_trained, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def run(folder: Path) -> Path:
    """The run ``tiny``."""
    return folder / "tiny"


@pytest.fixture
def arrays() -> Callable[[Path], dict[str, np.ndarray]]:
    """Read the arrays of a stored file."""
    from pinnkan.storage.store import read_store

    return lambda path: read_store(path).arrays

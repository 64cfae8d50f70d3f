"""Commands run in this process against workflows that are made of answers."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from program import program

import pinnkan.cli.terminal.targets  # noqa: F401  # before `workflow` puts stubs in the place of what it imports
from pinnkan.ground.errors import PinnkanError

REPORT = {
    "relative_l2": 2.5e-4,
    "residual_rms": 1e-3,
    "trainable_parameters": 2632,
    "train_seconds": 3.14159,
    "steps": 12,
    "stop_reason": "converged",
}


@dataclass(frozen=True)
class Result:
    """What the workflows pretrain and finetune return."""

    values: Mapping[str, float]
    method: str = "lotra"
    tag: str | None = None
    status: str = "trained"
    path: Path | None = Path("runs/heat/adapters/x.h5")
    report: Mapping[str, Any] = field(default_factory=lambda: REPORT)
    fault: PinnkanError | None = None
    unasked: str = ""


@dataclass
class Answer:
    """One run of the program."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def stub(monkeypatch: pytest.MonkeyPatch, name: str, **members: Any) -> None:
    module = ModuleType(name)
    for member, value in members.items():
        setattr(module, member, value)
    monkeypatch.setitem(sys.modules, name, module)


@pytest.fixture
def result() -> type[Result]:
    return Result


@pytest.fixture
def workflow(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[..., Any]], list[SimpleNamespace]]:
    """Replace a workflow; the list it returns fills with the arguments of every call."""

    def replace(name: str, answer: Callable[..., Any]) -> list[SimpleNamespace]:
        calls: list[SimpleNamespace] = []

        def run(*args: Any, **options: Any) -> Any:
            calls.append(SimpleNamespace(args=args, **options))
            return answer(*args, **options)

        stub(monkeypatch, f"pinnkan.workflows.{name}", **{name: run})
        return calls

    program()  # whose imports need the package that is replaced
    importlib.import_module("pinnkan.workflows.requests")  # those of the commands, too
    stub(monkeypatch, "pinnkan.workflows")
    return replace


@pytest.fixture
def problem(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SimpleNamespace:
    """A problem called heat with the parameter lambda: shipped, and held by the run directory."""
    from pinnkan.language.parameters import Parameter
    from pinnkan.language.problem import finding, loading

    heat = SimpleNamespace(
        name="heat", title="Heat equation", parameters=(Parameter("lambda", 0.0),), overrides=()
    )

    def load_problem(path: Path, *, overrides: Any = ()) -> SimpleNamespace:
        return SimpleNamespace(**{**vars(heat), "overrides": tuple(overrides)})

    monkeypatch.setattr(loading, "load_problem", load_problem)
    monkeypatch.setattr(finding, "top_level_text", lambda path, key: heat.title)
    monkeypatch.setattr(
        finding,
        "shipped_problems",
        lambda: {name: tmp_path / f"{name}.yaml" for name in ("elliptic", "heat")},
    )
    program()
    stub(monkeypatch, "pinnkan.workflows")
    stub(monkeypatch, "pinnkan.storage.runs.identity", recorded_problem=lambda directory: heat)
    return heat


@pytest.fixture
def run_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder runs/heat with something called base.h5, below the working directory."""
    monkeypatch.chdir(tmp_path)
    directory = tmp_path / "runs" / "heat"
    directory.mkdir(parents=True)
    (directory / "base.h5").touch()
    return Path("runs/heat")


@pytest.fixture
def pinnkan_command(capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Run the program in this process."""

    def run(*arguments: object) -> Answer:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            program()([str(argument) for argument in arguments], prog_name="pinnkan")
        streams = capsys.readouterr()
        return Answer(int(end.value.code or 0), streams.out, streams.err)

    return run

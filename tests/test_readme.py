"""The README kept true: its commands are run, its tables compared with the code.

Trainings run in quick form: tiny network, few points, one step, by ``--set`` options put before
the README's own.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from program import program

import pinnkan.ground.errors
from pinnkan.cli.app import COMMANDS, EXIT_CODES
from pinnkan.cli.evaluate import COST, ERRORS, JUDGEMENT
from pinnkan.language.problem import load_problem, shipped_problems
from pinnkan.language.problem.finding import shipped_with_the_paper
from pinnkan.language.problem.schema import KEYS
from pinnkan.language.settings.blocks import Settings
from pinnkan.language.settings.keys import keys_of
from pinnkan.optim.rates import RATES
from pinnkan.studies.planning import planned
from pinnkan.studies.study_file import is_study, read_study
from pinnkan.workflows import evaluate, plot_subject, spectrum

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
NAMES = [command.__name__ for command, _ in COMMANDS]

TINY_PHASE = "[{steps: 1, points: 50}]"
QUICK = {
    "pretrain": (
        f"training.phases={TINY_PHASE}",
        "network.hidden=[3, 3]",
        "points.interior=50",
        "points.held_out=50",
    ),
    "finetune": (f"finetuning.phases={TINY_PHASE}",),
}
QUICK["fit"] = QUICK["pretrain"][:2]
QUICK["family"] = QUICK["finetune"]
QUICK["compare"] = (*QUICK["pretrain"], *QUICK["finetune"])
SHORTER = ((r"\bsteps: \d+", "steps: 1"), ("^0:2:41$", "0:2:3"), ("^0,1$", "0"))
"""What the README itself says that takes long: steps, values of a sweep, seeds."""


def fences(language: str) -> list[str]:
    """Return the contents of all fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def shell_commands() -> list[str]:
    """Return every command of the shell blocks, in order, each once."""
    lines = [line for block in fences("bash") for line in block.splitlines()]
    return list(dict.fromkeys(command for line in lines for command in line.split(" && ")))


def table(heading: str) -> list[list[str]]:
    """Return the cells, without backticks, of the table whose first column has a heading."""
    (body,) = re.findall(rf"^\| {heading} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", README, re.MULTILINE)
    return [re.split(r" (?<!\\)\| ", row.strip("| ").replace("`", "")) for row in body.splitlines()]


def run(arguments: list[str]) -> tuple[int, str, str]:
    """Run the program in this process; return exit code, stdout and stderr."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as end:
        program()(arguments, prog_name="pinnkan")
    return int(end.value.code or 0), out.getvalue(), err.getvalue()


def quickly(command: str) -> list[str]:
    """Return the arguments of a command, so changed that a training takes a tenth of a second."""
    _, name, *rest = shlex.split(command)
    overrides = [word for text in QUICK.get(name, ()) for word in ("--set", text)]
    for long, short in SHORTER:
        rest = [re.sub(long, short, word) for word in rest]
    return [name, *overrides, *rest]


def options_of(name: str) -> set[str]:
    """Return all options of a command, as its --help shows them."""
    group: Any = program()
    options = [p for p in group.commands[name].params if p.param_type_name == "option"]
    return {opt for option in options for opt in option.opts} | {"--help", "-h"}


PINNKAN = [command for command in shell_commands() if command.startswith("pinnkan ")]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the problem file of the README."""
    folder = tmp_path_factory.mktemp("readme")
    problem, *_ = fences("yaml")
    (folder / "rod.yaml").write_text(problem, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def tried(workplace: Path) -> dict[str, tuple[int, str, str]]:
    """Every command, run in order, with exit code, stdout and stderr."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(workplace)
        for module in (evaluate, plot_subject, spectrum):  # measured on 20,000 points otherwise
            patch.setattr(module, "POINTS", 1000)
        return {command: run(quickly(command)) for command in PINNKAN}


@pytest.fixture
def folder(workplace: Path, tried: object, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where the commands were run, as working directory."""
    monkeypatch.chdir(workplace)
    return workplace


@pytest.mark.parametrize("command", PINNKAN)
def test_a_command_runs_and_writes_what_it_names(tried, folder, command):
    code, out, err = tried[command]
    # One step on fifty points misses every tolerance.
    misses = "--fail-above" in command or command.split()[1] in ("family", "solve")
    told = command.split()[1] in ("pretrain", "finetune", "solve") and ": unsolved: " in out + err
    assert code in ((1, 4) if told else (5 if misses else 0,)), err
    assert "wrote" in err or out
    for file in re.findall(r"(?:-o|--plot) (\S+\.\w+)", command):
        assert (folder / file).stat().st_size > 0


def test_the_run_shown_has_the_columns_and_rows_of_today(tried):
    _, printed, _ = tried["pinnkan evaluate runs/elliptic"]
    (shown,) = (block for block in fences("text") if "error:" not in block)
    # The quick form takes few steps, hence other numbers and another reason to stop.
    numbers_and_rules = r"\d+(\.\d+)?(e[-+]\d+)?|-+|converged|max_steps|(un)?solved|doubtful"
    printed = re.sub(r"^\S+ \(\w+\): (doubtful|unsolved): .*\n", "", printed, flags=re.MULTILINE)
    assert re.sub(numbers_and_rules, "0", shown).split() == re.sub(numbers_and_rules, "0", printed).split()


def test_the_python_blocks_run(folder):
    names: dict[str, Any] = {}
    for block in fences("python"):
        exec(block, names)
    assert names["u"]([[0.0, 0.0]]).shape == (1,)
    assert list(names["table"].columns) == ["x", "y", "u"]
    assert set(names["grid"].keys()) == {"t", "x", "u"}
    assert names["array"].shape == tuple(names["entry"]["shape"])
    names["file"].close()


def test_the_faults_are_printed_as_shown(folder):
    problem, *_ = fences("yaml")
    (shown,) = (block for block in fences("text") if "error:" in block)
    (folder / "rod.yaml").write_text(problem.replace("u_xx", "u_yy").replace("weight", "wieght"))
    code, _, err = run(["check", "rod.yaml"])
    (folder / "rod.yaml").write_text(problem)
    assert (code, err) == (2, shown)


def test_the_flow_shown_passes_its_check(tmp_path):
    _, flow, _ = fences("yaml")
    (tmp_path / "cavity.yaml").write_text(flow)
    assert run(["check", str(tmp_path / "cavity.yaml"), "-q"])[::2] == (0, "")


def test_the_study_shown_is_one(tmp_path):
    *_, study = fences("yaml")
    (tmp_path / "study.yaml").write_text(study)
    cells = planned(read_study(tmp_path / "study.yaml"))
    assert len(cells) == 2 * 3 * 2 * 3
    studies = {name: path for name, path in shipped_with_the_paper().items() if is_study(path)}
    assert {"paper/ours", "paper/paper", "paper/rates"} <= set(studies)
    for path in studies.values():
        assert len(planned(read_study(path))) > len(planned(read_study(path).quickened())) > 0


def test_every_command_has_an_example_and_a_row():
    assert {command.split()[1] for command in PINNKAN} == set(NAMES)
    assert {row[0] for row in table("command")} == {f"pinnkan {name}" for name in NAMES}


@pytest.mark.parametrize("command", PINNKAN)
def test_a_command_has_the_options_it_is_shown_with(command):
    _, name, *rest = shlex.split(command)
    assert {word for word in rest if re.match(r"--?[a-z]", word)} <= options_of(name)


def test_prose_and_program_have_the_same_options():
    prose = re.sub(r"^```.*?^```$", "", README, flags=re.MULTILINE | re.DOTALL)
    known = set().union(*map(options_of, NAMES)) | {"--version"}
    quoted = {word for code in re.findall(r"`([^`]+)`", prose) for word in code.split()}
    foreign = {"-m", "-e", "-n"}  # python's, pip's and pytest's
    assert {word for word in quoted if re.fullmatch(r"--?[a-z][a-z-]*", word)} - foreign <= known
    missing = {opt for opt in known if opt.startswith("--") and not re.search(rf"{opt}\b", README)}
    assert missing == {"--quiet", "--verbose", "--output"}  # there by their short names


def test_every_shipped_problem_has_a_row_with_its_parameter():
    shown = {row[0]: row[3] for row in table("name")}
    parameters = {name: load_problem(path).parameters for name, path in shipped_problems().items()}
    assert shown == {
        name: ", ".join(f"{parameter.name} ({parameter.base:.3g})" for parameter in own)
        for name, own in parameters.items()
    }


def test_the_exit_codes_are_those_of_the_program():
    lines = [line.strip() for line in EXIT_CODES.splitlines()[2:]]
    assert table("exit code") == [re.split(r"  +", line) for line in lines]


def test_every_fault_has_its_exit_code_in_the_table():
    codes = {row[0] for row in table("exit code")}
    faults = [
        f for f in vars(pinnkan.ground.errors).values() if isinstance(f, type) and hasattr(f, "exit_code")
    ]
    assert len(faults) > 5
    assert {str(fault.exit_code) for fault in faults} <= codes


def test_every_number_of_evaluate_is_defined():
    assert {name for row in table("number") for name in row[0].split(", ")} == {*ERRORS, *COST, *JUDGEMENT}


def test_every_key_of_a_problem_file_has_its_row():
    assert {name for row in table("key") for name in row[0].split(", ")} == set(KEYS)


def test_every_setting_and_choice_is_named():
    settings = {row[0]: row[1] for row in table("block")}
    for name in ("network", "adapter", "points", "training"):
        text = next(text for row, text in settings.items() if row.startswith(name))
        for key in keys_of(getattr(Settings(), name)).values():
            choices = key.limits.get("choices", ())
            for word in (key.name, *(() if choices == RATES else choices)):
                assert re.search(rf"\b{word}\b", text), (name, word)


def test_installation_is_one_command_that_names_torch_and_the_project():
    (install,) = [line for block in fences("bash") for line in block.splitlines() if "-e . &&" in line]
    pip, *job = install.split(" && ")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert shlex.split(pip) == ["python", "-m", "pip", "install", "torch>=2.6", "-e", "."]
    assert "torch>=2.6" in project["dependencies"]
    assert f"Python {project['requires-python'].removeprefix('>=')} or newer" in README
    (block,) = re.findall(r"<!-- run:elliptic -->\n```bash\n(.*?)```", README, re.DOTALL)
    assert job == block.splitlines()
    assert "https://download.pytorch.org/whl/cpu" in README
    assert "bash .ci/run\n" in fences("bash")


def test_links_and_pictures_lead_somewhere():
    targets = re.findall(r"\]\(([^)#:]+)\)", README)
    assert len(targets) >= 3
    for target in targets:
        assert (ROOT / target).is_file(), target
    assert (ROOT / "problems/pictures/elliptic.png").stat().st_size < 200_000
    headings = {
        re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-")
        for h in re.findall(r"^#+ (.*)$", README, re.M)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) <= headings

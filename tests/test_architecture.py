"""The rooms and their floors: imports point down, in no circle; only the command line prints."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import pinnkan.errors

ROOT = Path(pinnkan.errors.__file__).parent

FLOORS = {
    # The facade and the entry point stand on the roof: nothing inside may import them.
    "__init__": 7,
    "__main__": 7,
    "cli": 6,
    "workflows": 5,
    "training": 4,
    "store": 4,
    "evaluation": 4,
    "snapping": 4,
    "output": 4,
    "reduction": 4,
    "adapters": 3,
    "solution": 3,
    "problem": 2,
    "networks": 2,
    "optim": 2,
    "expressions": 1,
    "geometry": 1,
    "bases": 1,
    "tucker": 1,
    "datafiles": 1,
    "parameters": 1,
    "channels": 0,
    "files": 0,
    "machine": 0,
    "signals": 0,
    "progress": 0,
    "errors": 0,
}
EVERYWHERE = {"errors"}


def room_of(path: Path) -> str:
    """Name the room of a source file: its folder, or itself at the top."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def sources() -> list[Path]:
    # problems/ holds data files in a wheel, never modules.
    return sorted(path for path in ROOT.rglob("*.py") if room_of(path) != "problems")


def imported_modules(tree: ast.AST, package: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Give line and dotted name of every import, those inside functions and of strings included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parent = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*parent, *([node.module] if node.module else [])])
            # "from pinnkan import store" imports the room store; from a room it only names members.
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and _callee(node) in ("import_module", "__import__"):
            yield from ((node.lineno, arg.value) for arg in node.args[:1] if isinstance(arg, ast.Constant))


def _callee(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def imported_rooms(source: str, package: tuple[str, ...] = ("pinnkan",)) -> list[tuple[int, str]]:
    names = [(line, name.split(".")) for line, name in imported_modules(ast.parse(source), package)]
    inside = [(line, parts[1:]) for line, parts in names if parts[0] == "pinnkan"]
    return [(line, parts[0] if parts and parts[0] in FLOORS else "__init__") for line, parts in inside]


def faults_of(room: str, source: str, package: tuple[str, ...] = ("pinnkan",)) -> list[str]:
    return [
        f"line {line}: {room} (floor {FLOORS[room]}) imports {other} (floor {FLOORS[other]})"
        for line, other in imported_rooms(source, package)
        if other != room and other not in EVERYWHERE and FLOORS[other] >= FLOORS[room]
    ]


def test_every_room_has_a_floor():
    assert sorted({room_of(path) for path in sources()} - set(FLOORS)) == []


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path):
    package = ("pinnkan", *path.relative_to(ROOT).parts[:-1])
    assert faults_of(room_of(path), path.read_text(encoding="utf-8"), package) == []


def module_of(path: Path) -> str:
    parts = ["pinnkan", *path.relative_to(ROOT).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_among(files: dict[str, tuple[str, tuple[str, ...]]]) -> dict[str, set[str]]:
    """Return which modules each module imports, be it lazily or for types alone.

    Args:
        files: Source and package of every module, by dotted name.
    """
    graph = {}
    for module, (source, package) in files.items():
        named = [name for _, name in imported_modules(ast.parse(source), package)]
        # "from pinnkan.store import layout" names a module, "from pinnkan.store import write_store" none.
        reached = {name if name in files else name.rpartition(".")[0] for name in named}
        graph[module] = (reached & files.keys()) - {module}
    return graph


def circle_in(graph: dict[str, set[str]]) -> list[str]:
    """Return modules that import each other in a circle, the first again at the end; none without one."""
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_imports_run_in_a_circle():
    files = {}
    for path in sources():
        package = ("pinnkan", *path.relative_to(ROOT).parts[:-1])
        files[module_of(path)] = path.read_text(encoding="utf-8"), package
    assert circle_in(imports_among(files)) == []


def test_a_circle_through_a_lazy_import_or_one_for_types_is_seen():
    files = {
        "pinnkan.problem.spec": "def at():\n    from pinnkan.problem.instance import make",
        "pinnkan.problem.instance": "from pinnkan.problem import domains",
        "pinnkan.problem.domains": "if TYPE_CHECKING:\n    from .spec import Problem",
    }
    graph = imports_among({name: (source, ("pinnkan", "problem")) for name, source in files.items()})
    assert set(circle_in(graph)) == set(files)
    graph["pinnkan.problem.domains"].clear()
    assert circle_in(graph) == []


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_only_the_command_line_prints(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    prints = [
        node.lineno for node in ast.walk(tree) if isinstance(node, ast.Call) and _callee(node) == "print"
    ]
    streams = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("stdout", "stderr", "__stdout__", "__stderr__")
    ]
    assert room_of(path) == "cli" or (prints, streams) == ([], [])


@pytest.mark.parametrize(
    ("room", "source", "package", "found"),
    [
        ("optim", "from pinnkan.problem import Problem", ("pinnkan", "optim"), "imports problem (floor 2)"),
        (
            "bases",
            "def f():\n    import pinnkan.networks.jets",
            ("pinnkan", "bases"),
            "imports networks (floor 2)",
        ),
        ("store", "from pinnkan import workflows", ("pinnkan", "store"), "imports workflows (floor 5)"),
        ("store", "from ..training import loop", ("pinnkan", "store"), "imports training (floor 4)"),
        ("store", "from .. import training", ("pinnkan", "store"), "imports training (floor 4)"),
        (
            "store",
            "import importlib\nimportlib.import_module('pinnkan.cli')",
            ("pinnkan", "store"),
            "imports cli",
        ),
        ("store", "import pinnkan\n", ("pinnkan", "store"), "imports __init__ (floor 7)"),
        ("store", "from pinnkan import load", ("pinnkan", "store"), "imports __init__ (floor 7)"),
    ],
)
def test_the_reader_of_imports_sees_every_way_up(room, source, package, found):
    (fault,) = faults_of(room, source, package)
    assert found in fault


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("store", "from pinnkan.errors import PinnkanError\nfrom . import layout\nfrom .layout import write"),
        ("errors", "import math"),
        ("channels", "import pinnkan.errors"),
        ("training", "from ..networks.jets import jet\nfrom pinnkan import adapters"),
    ],
)
def test_the_way_down_is_free(room, source):
    assert faults_of(room, source, ("pinnkan", room)) == []

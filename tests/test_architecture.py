"""The wings: imports point down one column, files form no circle, light files load no heavy library.

This file is the one place where the floors are written down.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import pinnkan.ground.errors
from pinnkan.language.adapted_layers import LAYER_KINDS
from pinnkan.language.network_kinds import NETWORK_KINDS
from pinnkan.optim.kinds import OPTIMIZERS

ROOT = Path(pinnkan.ground.errors.__file__).parents[1]

COLUMN = (
    "ground",
    "optim",
    "networks",
    "geometry",
    "output",
    "language",
    "physics",
    "solutions",
    "reduction",
    "training",
    "storage",
    "sweeps",
    "workflows",
    "studies",
    "cli",
    "__main__",
    "__init__",  # the facade: nothing inside may import it
)
"""Every wing, lowest first: each may import those before it."""

HEAVY = {"torch", "sympy", "matplotlib", "scipy"}
LIGHT = {
    "cli": HEAVY,
    "ground": HEAVY - {"torch"},
    "geometry": HEAVY - {"sympy"},
    "optim.kinds": HEAVY,
    "language.adapted_layers": HEAVY,
    "language.bases": HEAVY,
    "language.methods": HEAVY,
    "language.network_kinds": HEAVY,
    "language.parameters": HEAVY,
    "language.reading": HEAVY,
    "language.problem.finding": HEAVY,
    "language.settings.blocks": HEAVY,
    "storage.store": HEAVY,
    "storage.runs.paths": HEAVY,
    "storage.runs.identity": HEAVY,
    "storage.runs.inventory": HEAVY,
    "storage.runs.state_files": HEAVY,
    "storage.runs.results": HEAVY,
    "sweeps.options": HEAVY,
    "sweeps.sweep": HEAVY,
    "sweeps.processes": HEAVY,
    "sweeps.slurm": HEAVY,
    "workflows.finetune": HEAVY,
    "workflows.requests": HEAVY,
    "output.pictures.formats": HEAVY,
    "output.suffixes": HEAVY,
    "studies.study": HEAVY,
    "studies.study_file": HEAVY,
}
"""Wings and files that must answer at once, and what they must not load, with all that they import."""


def module_of(path: Path) -> str:
    """Return a file's name below the package: ``networks.layers``; a package's own is that of its folder."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def wing_of(module: str) -> str:
    return module.partition(".")[0]


@cache
def sources() -> dict[str, ast.Module]:
    # problems/ holds data files in a wheel, never modules.
    files = [path for path in sorted(ROOT.rglob("*.py")) if path.relative_to(ROOT).parts[0] != "problems"]
    return {module_of(path): ast.parse(path.read_text(encoding="utf-8")) for path in files}


def imported_names(tree: ast.AST, package: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Give line and dotted name of every import, those inside functions and of strings included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parent = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*parent, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and _callee(node) in ("import_module", "__import__"):
            yield from ((node.lineno, arg.value) for arg in node.args[:1] if isinstance(arg, ast.Constant))


def _callee(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def imported_modules(tree: ast.AST, package: tuple[str, ...]) -> list[tuple[int, str]]:
    """Return line and module, named as by `module_of`, of every import from this package.

    "from pinnkan import storage" names a wing; what is no module is a name in the longest module before it,
    and a name in the package itself is the facade's.
    """
    names = [(line, name.split(".")) for line, name in imported_names(tree, package)]
    return [(line, _known(parts[1:])) for line, parts in names if parts[0] == "pinnkan"]


def _known(parts: list[str]) -> str:
    prefixes = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return next(
        (p for p in prefixes if p in sources()), parts[0] if parts and parts[0] in COLUMN else "__init__"
    )


def faults_of(module: str, tree: ast.AST, package: tuple[str, ...]) -> list[str]:
    wing, height = wing_of(module), COLUMN.index(wing_of(module))
    return [
        f"line {line}: {wing} imports {other}"
        for line, other in imported_modules(tree, package)
        if wing_of(other) != wing and COLUMN.index(wing_of(other)) >= height
    ]


def package_of(module: str) -> tuple[str, ...]:
    folder = ROOT.joinpath(*module.split("."))
    return ("pinnkan", *(module.split(".") if folder.is_dir() else module.split(".")[:-1]))


def test_every_file_is_in_a_wing():
    assert sorted({wing_of(module) for module in sources()} - set(COLUMN)) == []


@pytest.mark.parametrize("module", sources())
def test_imports_point_down(module):
    assert faults_of(module, sources()[module], package_of(module)) == []


def circle_in(files: dict[str, ast.Module]) -> list[str]:
    """Return files that import each other in a circle, be it lazily or for types alone; none without one."""
    graph = {
        module: {other for _, other in imported_modules(tree, package_of(module))} - {module}
        for module, tree in files.items()
        if not _is_face(module)
    }
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        return list(error.args[1])
    return []


def test_files_form_no_circle():
    assert circle_in(sources()) == []


def test_a_circle_through_a_lazy_import_or_one_for_types_is_seen():
    files = {
        "language.problem.spec": "def at():\n    from pinnkan.physics.instance import Instance",
        "physics.instance": "from pinnkan.physics import blocks",
        "physics.blocks": "if TYPE_CHECKING:\n    from ..language.problem.spec import Problem",
    }
    trees = {module: ast.parse(source) for module, source in files.items()}
    assert set(circle_in(trees)) == set(files)
    trees["physics.blocks"] = ast.parse("")
    assert circle_in(trees) == []


def _is_face(module: str) -> bool:
    """Tell whether a file only shows what its folder holds: it closes no circle that matters."""
    return ROOT.joinpath(*module.split(".")).is_dir() or module == "__init__"


@cache
def loaded(module: str) -> frozenset[str]:
    """Return the heavy libraries that an import of a file loads, by itself or by what it imports."""
    return _loaded(module, set())


def _loaded(module: str, seen: set[str]) -> frozenset[str]:
    if module in seen:
        return frozenset()
    seen.add(module)
    tree = sources()[module]
    top = ast.Module([node for node in tree.body if not _for_types(node)], [])
    outside = {name.split(".")[0] for _, name in imported_names(_without_functions(top), package_of(module))}
    inside = {other for _, other in imported_modules(_without_functions(top), package_of(module))}
    parents = {module.rpartition(".")[0]} & set(sources())  # a folder's face is read before its files
    found = [
        _loaded(other, seen) for other in sorted((inside | parents) - {"__init__"}) if other in sources()
    ]
    return frozenset(outside & HEAVY).union(*found)


def _for_types(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def _without_functions(tree: ast.Module) -> ast.Module:
    class Emptied(ast.NodeTransformer):
        def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
            return ast.Pass()

    return Emptied().visit(ast.parse(ast.unparse(tree)))


@pytest.mark.parametrize("name", LIGHT)
def test_light_files_load_no_heavy_library(name):
    files = [module for module in sources() if module == name or module.startswith(f"{name}.")]
    assert files
    heavy = {module: sorted(loaded(module) & LIGHT[name]) for module in files}
    assert {module: libraries for module, libraries in heavy.items() if libraries} == {}


@pytest.mark.parametrize("module", sources())
def test_only_the_command_line_prints(module):
    nodes = list(ast.walk(sources()[module]))
    prints = [node.lineno for node in nodes if isinstance(node, ast.Call) and _callee(node) == "print"]
    streams = [
        node.lineno
        for node in nodes
        if isinstance(node, ast.Attribute) and node.attr in ("stdout", "stderr", "__stdout__", "__stderr__")
    ]
    assert wing_of(module) == "cli" or (prints, streams) == ([], [])


@pytest.mark.parametrize(
    ("module", "source", "other"),
    [
        ("optim.adam", "from pinnkan.physics import instance", "physics.instance"),
        ("optim.adam", "def f():\n    import pinnkan.networks.jets", "networks.jets"),
        ("storage.store.reader", "from pinnkan import workflows", "workflows"),
        ("storage.store.reader", "from ...workflows import check", "workflows.check"),
        ("storage.store.reader", "from ... import workflows", "workflows"),
        ("storage.store.reader", "import importlib\nimportlib.import_module('pinnkan.cli')", "cli"),
        ("storage.store.reader", "import pinnkan\n", "__init__"),
        ("storage.store.reader", "from pinnkan import load", "__init__"),
    ],
)
def test_the_reader_of_imports_sees_every_way_up(module, source, other):
    (fault,) = faults_of(module, ast.parse(source), package_of(module))
    assert fault.endswith(f"imports {other}")


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("storage.store.reader", "from pinnkan.ground.errors import PinnkanError\nfrom . import layout"),
        ("ground.errors", "import math"),
        ("physics.blocks", "import pinnkan.ground.errors"),
        ("training.loop", "from ..networks.jets import jet\nfrom pinnkan.networks import adapters"),
    ],
)
def test_the_way_down_is_free(module, source):
    assert faults_of(module, ast.parse(source), package_of(module)) == []


NAMED = {"method", "basis"}
"""What always holds the name of a row of a table; ``kind`` and ``word`` do where the name is one."""
ROWS = {*NETWORK_KINDS, *LAYER_KINDS}


def rows_compared(tree: ast.AST) -> list[int]:
    """Return the lines that compare the name of a row with a word instead of asking the row."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        for name in [getattr(node.left, "attr", getattr(node.left, "id", ""))]
        if any(
            isinstance(word, ast.Constant)
            and word.value
            and (name in NAMED or (name in ("kind", "word") and word.value in ROWS))
            for word in _compared_with(node)
        )
    ]


def _compared_with(node: ast.Compare) -> Iterator[ast.expr]:
    for side in node.comparators:
        yield from side.elts if isinstance(side, ast.Tuple | ast.List | ast.Set) else [side]


@pytest.mark.parametrize("module", sources())
def test_no_row_of_a_table_is_compared_by_its_name(module):
    assert rows_compared(sources()[module]) == []


@pytest.mark.parametrize(
    "source",
    [
        "run.method == 'scratch'",
        "method in ('lotra', 'full')",
        "network.basis != 'bspline'",
        "settings.kind == 'mlp'",
        "word == 'tucker'",
    ],
)
def test_a_row_compared_by_its_name_is_seen(source):
    assert rows_compared(ast.parse(source)) == [1]


@pytest.mark.parametrize("source", ["token.kind == 'number'", "method is None", "form == 'slim'"])
def test_other_comparisons_are_free(source):
    assert rows_compared(ast.parse(source)) == []


def optimizers_written(tree: ast.AST) -> list[int]:
    """Return the lines where a word is the name of an optimizer: compared, a key of a table, a default."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in OPTIMIZERS
    ]


@pytest.mark.parametrize("module", sources())
def test_no_file_but_their_table_writes_an_optimizers_name(module):
    assert module == "optim.kinds" or optimizers_written(sources()[module]) == []


@pytest.mark.parametrize(
    "source", ["phase.optimizer == 'lm'", "{'adam': 50}[name]", "def f(kind='lbfgs'):\n    pass"]
)
def test_an_optimizers_name_is_seen(source):
    assert optimizers_written(ast.parse(source)) == [1]


EMPTY_NAMES = {"one", "at", "found", "some", "known"}
"""Words that no loop is to call its variable: they say nothing of the thing."""


def empty_names(tree: ast.AST) -> list[int]:
    """Return the lines of loops and comprehensions whose variable is named for nothing."""
    targets = [node.target for node in ast.walk(tree) if isinstance(node, ast.For | ast.comprehension)]
    names = [name for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]
    return [name.lineno for name in names if name.id in EMPTY_NAMES]


@pytest.mark.parametrize("module", sources())
def test_loop_variables_are_named_for_their_things(module):
    assert empty_names(sources()[module]) == [], "name the variable for its thing"


@pytest.mark.parametrize(
    "source",
    [
        "for one in values: pass",
        "[at for at in range(3)]",
        "{name: found for name, found in pairs}",
        "any(x for (some, (known, x)) in pairs)",
    ],
)
def test_a_loop_variable_that_says_nothing_is_seen(source):
    assert set(empty_names(ast.parse(source))) == {1}
    assert empty_names(ast.parse("for value in (one, at): found = value")) == []


MOST_FIELDS = 8
"""Of a record: more are parts that belong together, each a record of its own."""
WIDE_RECORDS = {
    "ground.progress.StepReport": "a row of the history, which files and checkpoints hold under these names",
    "physics.residuals.training_set.TrainingSet": "what the innermost loop reads of residual and points",
}
"""The records that have more fields still, and why; none may join them."""


def wide_records(module: str, tree: ast.AST) -> list[str]:
    """Return the dataclasses and named tuples of more fields than a record is to have."""
    return [
        f"{module}.{node.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and _is_record(node) and _field_count(node) > MOST_FIELDS
    ]


def _is_record(node: ast.ClassDef) -> bool:
    words = [ast.unparse(mark) for mark in (*node.decorator_list, *node.bases)]
    return any(word.partition("(")[0].rpartition(".")[2] in ("dataclass", "NamedTuple") for word in words)


def _field_count(node: ast.ClassDef) -> int:
    annotated = [line for line in node.body if isinstance(line, ast.AnnAssign)]
    return sum("ClassVar" not in ast.unparse(line.annotation) for line in annotated)


def test_records_have_few_fields():
    wide = [name for module, tree in sources().items() for name in wide_records(module, tree)]
    assert sorted(set(wide) - set(WIDE_RECORDS)) == [], "group the fields that belong together"


@pytest.mark.parametrize("mark", ["@dataclass\nclass R:", "@dataclasses.dataclass(frozen=True)\nclass R:"])
def test_a_wide_record_is_seen(mark):
    for count, wide in ((MOST_FIELDS, []), (MOST_FIELDS + 1, ["m.R"])):
        fields = "".join(f"\n    field_{number}: int" for number in range(count))
        assert wide_records("m", ast.parse(mark + fields)) == wide
        assert wide_records("m", ast.parse("class R(NamedTuple):" + fields)) == wide
        assert wide_records("m", ast.parse("class R:" + fields)) == []


LAZY_IMPORTS = {
    "__init__": 4,  # the facade answers "pinnkan.load" when it is asked for
    "__main__": 1,
    "geometry": 2,
    "language": 6,
    "physics": 5,
    "reduction": 1,
    "solutions": 2,
    "storage": 2,  # h5py
    "studies": 1,  # torch, which whoever has cells run by other processes need not load
    "sweeps": 5,  # Dask, torch, worker processes
    "workflows": 2,  # matplotlib
}
"""Import statements inside functions, of optional or heavy libraries; commands have theirs beside."""


def test_imports_stand_at_the_top():
    counts = dict.fromkeys(COLUMN, 0)
    for module, tree in sources().items():
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        counts[wing_of(module)] += len({line for function in functions for line in _import_lines(function)})
    grown = {wing: count for wing, count in counts.items() if count > LAZY_IMPORTS.get(wing, 0)}
    assert set(grown) <= {"cli"}


def _import_lines(function: ast.FunctionDef) -> Iterator[int]:
    return (node.lineno for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom))

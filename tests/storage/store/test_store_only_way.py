"""The store is the only way to HDF5, and nothing in the package runs what a file says."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import pinnkan

PACKAGE = Path(pinnkan.__file__).parent

# Modules that run code on reading, or read formats that do.
FORBIDDEN_MODULES = {
    "pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "code", "codeop",
    "runpy",
}  # fmt: skip
FORBIDDEN_NAMES = {"eval", "exec", "compile", "__import__"}
FORBIDDEN_CALLS = {
    "torch.load", "torch.save", "torch.jit.load", "torch.hub.load",
    "yaml.load", "yaml.load_all", "yaml.full_load", "yaml.full_load_all", "yaml.unsafe_load",
    "yaml.unsafe_load_all", "yaml.Loader", "yaml.FullLoader", "yaml.UnsafeLoader",
    "sympy.parse_expr", "sympy.lambdify", "sympy.parsing.sympy_parser.parse_expr",
    "builtins.eval", "builtins.exec", "os.system", "os.popen", "subprocess.run", "subprocess.Popen",
}  # fmt: skip
# Calls that open a file by its path: pinnkan.ground.files does it, with its guard, and nobody else.
READS_AND_WRITES = {
    "open", "read_text", "read_bytes", "write_text", "write_bytes", "fdopen", "mkstemp", "NamedTemporaryFile",
    "fromfile", "tofile", "memmap", "loadtxt", "genfromtxt", "savetxt", "savefig", "imread", "imsave",
}  # fmt: skip
MEMORY_ONLY = {"numpy.load", "numpy.save", "numpy.savez", "numpy.savez_compressed", "zipfile.ZipFile"}
"""Of these, a first argument that is a buffer's name or a call of BytesIO is fine."""
BUFFERS = ("buffer", "file", "io.BytesIO(content)")
OPENS = {
    # Members of an archive or of an HDF5 file in memory, the kernel's word on the load, and the null device.
    "ground/datafiles/npz_arrays.py": {"self._zip.open"},
    "storage/store/hdf5.py": {"h5py.h5g.open", "h5py.h5a.open", "h5py.h5d.open"},
    "ground/machine.py": {"open"},
    "cli/terminal/faults.py": {"os.open"},
    "output/pictures/canvas.py": {"figure.savefig"},
}
# An export is a file for others, written and never read.
H5PY_ALLOWED = {"storage/store/hdf5.py", "output/exports/hdf5.py"}


def faults_of(source: str, place: str) -> list[str]:
    """List the forbidden imports, names and calls of a module, with their lines."""
    faults, aliases = [], {}
    tree = ast.parse(source)
    for node in ast.walk(tree):
        for name, alias in imported(node):
            aliases[alias] = name
            root = name.split(".")[0]
            if root in FORBIDDEN_MODULES or name in FORBIDDEN_CALLS:
                faults.append(f"{place}:{node.lineno}: import of {name}")
            if root == "h5py" and place not in H5PY_ALLOWED:
                faults.append(f"{place}:{node.lineno}: h5py outside the store")
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (call := around_the_files(node, place, aliases)):
            faults.append(f"{place}:{node.lineno}: {call} outside pinnkan.ground.files")
        if isinstance(node, ast.Name) and node.id in FORBIDDEN_NAMES:
            faults.append(f"{place}:{node.lineno}: {node.id}")
        if isinstance(node, ast.Attribute) and dotted(node, aliases) in FORBIDDEN_CALLS:
            faults.append(f"{place}:{node.lineno}: {dotted(node, aliases)}")
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle" and not is_false(node.value):
            faults.append(f"{place}:{node.value.lineno}: allow_pickle")
        if isinstance(node, ast.Call) and dotted(node.func, aliases) == "importlib.import_module":
            faults.append(f"{place}:{node.lineno}: importlib.import_module")
    return faults


def around_the_files(node: ast.Call, place: str, aliases: dict[str, str]) -> str:
    """Return a call that reads or writes a file past the guard of ``pinnkan.ground.files``; empty if none."""
    if place.startswith("ground/files/"):
        return ""
    name = dotted(node.func, aliases)
    if name in MEMORY_ONLY:
        return "" if node.args and ast.unparse(node.args[0]) in BUFFERS else name
    last = name.rpartition(".")[2]
    # A bare name is a function of the module or an import, unless it is Python's own open.
    own = isinstance(node.func, ast.Name) and name == last and last != "open"
    if last not in READS_AND_WRITES or own or name.startswith("pinnkan."):
        return ""
    return "" if ast.unparse(node.func) in OPENS.get(place, set()) else name


def imported(node: ast.AST) -> list[tuple[str, str]]:
    if isinstance(node, ast.Import):
        return [(item.name, item.asname or item.name.split(".")[0]) for item in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [(f"{node.module}.{item.name}", item.asname or item.name) for item in node.names]
    return []


def dotted(node: ast.AST, aliases: dict[str, str]) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value, aliases)}.{node.attr}"
    return aliases.get(node.id, node.id) if isinstance(node, ast.Name) else "?"


def is_false(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


def test_the_package_was_found():
    assert {"storage/store/hdf5.py", "storage/store/reader.py", "ground/errors.py"} <= set(MODULES)


@pytest.mark.parametrize("place", MODULES)
def test_module_runs_no_text_and_reads_no_file_around_the_store(place):
    assert faults_of((PACKAGE / place).read_text(encoding="utf-8"), place) == []


@pytest.mark.parametrize(
    "source",
    [
        "import h5py",
        "def f():\n    from h5py import File",
        "import pickle",
        "from pickle import loads",
        "import torch\ntorch.load('x')",
        "import torch as t\nt.load('x')",
        "from torch import load as l",
        "eval('1')",
        "exec('1')",
        "f = eval",
        "__import__('os')",
        "import builtins\nbuiltins.eval('1')",
        "import yaml\nyaml.load('x', yaml.Loader)",
        "from yaml import full_load",
        "import numpy as np\nnp.load('x', allow_pickle=True)",
        "import sympy\nsympy.lambdify([], 1)",
        "import importlib\nimportlib.import_module('pickle')",
        "open('x')",
        "with open('x') as file:\n    file.read()",
        "import io\nio.open('x')",
        "import os\nos.fdopen(3)",
        "from os import open as o\no('x', 0)",
        "path.open('rb')",
        "path.read_text(encoding='utf-8')",
        "(folder / 'a').read_bytes()",
        "path.write_text('x')",
        "self._path.write_bytes(b'x')",
        "import numpy as np\nnp.load('x')",
        "import numpy as np\nnp.load(path, allow_pickle=False)",
        "import numpy as np\nnp.savez(path, x=1)",
        "import numpy as np\nnp.loadtxt(path)",
        "from numpy import fromfile\nfromfile('x')",
        "array.tofile('x')",
        "import tempfile\ntempfile.mkstemp()",
        "import zipfile\nzipfile.ZipFile(path)",
        "figure.savefig('x.png')",
    ],
)
def test_the_lint_finds(source):
    assert faults_of(source, "language/reading/nodes.py") != []


@pytest.mark.parametrize(
    "source",
    [
        "model.eval()",
        "import re\nre.compile('x')",
        "import yaml\nyaml.compose('x')",
        "from pinnkan.language.reading.fields import read_text\nread_text(node, path, faults)",
        "import io\nimport numpy as np\nnp.load(io.BytesIO(content), allow_pickle=False)",
        "import numpy as np\nnp.savez(buffer, x=1)",
        "shapes.reopen()",
    ],
)
def test_the_lint_lets_pass(source):
    assert faults_of(source, "language/reading/nodes.py") == []


def test_the_store_opens_hdf5_in_memory_only():
    tree = ast.parse((PACKAGE / "storage" / "store" / "hdf5.py").read_text(encoding="utf-8"))
    calls = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    opened = [call for call in calls if call.startswith(("h5py.File(", "h5py.h5f.", "open("))]
    assert sorted(opened) == [
        "h5py.File(h5py.h5f.create(repr(buffer).encode(), h5py.h5f.ACC_TRUNC, fcpl=plan, fapl=access))",
        "h5py.File(io.BytesIO(data), 'r')",
        "h5py.h5f.create(repr(buffer).encode(), h5py.h5f.ACC_TRUNC, fcpl=plan, fapl=access)",
    ]

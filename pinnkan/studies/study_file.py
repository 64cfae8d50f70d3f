"""Studies as small YAML files.

study: Bases and ranks of the elliptic family
problem: elliptic
values: {lambda: "0.1,1"}
seeds: [0, 1, 2]
set: [training.steps=10]
axes:
  basis: {chebyshev: [network.basis=chebyshev], fourier: [network.basis=fourier]}
  method: {1/8: [adapter.compression=1/8], full: {method: full}, scratch: {method: scratch}}
exclude: [{basis: fourier, method: full}]
tables:
  - {rows: [lambda, method], columns: basis, number: relative_l2}
  - {rows: [lambda], columns: basis, number: loss, shows: ranking}
figures: [{name: fourier, panels: [lambda], where: {basis: fourier}}]  # what --plot draws, a file each
quick: {seeds: [0], basis: [chebyshev]}
published: published.csv  # lambda,method,basis,relative_l2: what a paper found, shown beside
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pinnkan.ground.errors import PinnkanError, quote
from pinnkan.language.methods import METHODS
from pinnkan.language.problem.finding import problem_text, top_level_text
from pinnkan.language.reading.fields import (
    read_block,
    read_choice,
    read_integer,
    read_list,
    read_text,
    refuse_unknown_keys,
)
from pinnkan.language.reading.nodes import Block, Node, Scalar, read_yaml
from pinnkan.language.reading.places import Faults
from pinnkan.studies.published import read_published
from pinnkan.studies.rows import RESERVED
from pinnkan.studies.study import (
    DTYPES,
    NUMBERS,
    SHOWS,
    FigureLayout,
    Level,
    Presentation,
    SharedSettings,
    Study,
    TableLayout,
)

_KEYS = (
    "study",
    "problem",
    "values",
    "seeds",
    "set",
    "axes",
    "exclude",
    "tables",
    "figures",
    "quick",
    "dtype",
    "published",
)


def read_study(path: Path) -> Study:
    """Read a study's file.

    Raises:
        ProblemError: With every fault of the file.
        FileAccessError: If it cannot be read.
    """
    faults = Faults()
    root = read_yaml(problem_text(path), str(path), faults)
    faults.raise_if_any()
    study = _Reader(path, faults).study(root)
    faults.raise_if_any()
    assert study is not None
    return study


def is_study(path: Path) -> bool:
    """Tell whether a file is a study rather than a problem: the key ``study`` says so.

    Raises:
        ProblemError: If it is no YAML.
        FileAccessError: If it cannot be read.
    """
    return top_level_text(path, "study") is not None


class _Reader:
    """Reads the blocks of a study's file, noting every fault."""

    def __init__(self, path: Path, faults: Faults) -> None:
        self._path = path
        self._faults = faults

    def study(self, root: Node | None) -> Study | None:
        path = self._path
        block = read_block(root, "study", self._faults, example="{study: TITLE, ...}") if root else None
        if block is None:
            return None
        refuse_unknown_keys(block, _KEYS, "", self._faults)
        axes = self._axes(block)
        return Study(
            title=self._text(block, "study") or path.stem,
            problem=self._problem(block),
            values=self._values(block),
            shared=self._shared(block),
            axes=axes,
            exclude=tuple(
                self._names(node, "exclude", axes) for node in self._list(block.get("exclude"), "exclude")
            ),
            quick=self._quick(block.get("quick"), axes),
            presentation=self._presentation(block, axes),
        )

    def _shared(self, block: Block) -> SharedSettings:
        return SharedSettings(
            self._seeds(block.get("seeds"), "seeds") or (0,),
            self._texts(block.get("set"), "set"),
            self._choice(block.get("dtype"), "dtype", DTYPES),
        )

    def _presentation(self, block: Block, axes: Mapping[str, Mapping[str, Level]]) -> Presentation:
        tables, figures = (self._list(block.get(key), key) for key in ("tables", "figures"))
        values = tuple(self._values(block))
        return Presentation(
            tuple(self._table(node, axes, block) for node in tables),
            tuple(self._figure(node, axes, block) for node in figures),
            self._published(block.get("published"), self._path.parent, axes, values),
        )

    def _text(self, block: Block, key: str) -> str | None:
        node = block.get(key)
        return None if node is None else read_text(node, key, self._faults)

    def _problem(self, block: Block) -> str | None:
        """Return a problem's name, or its path: a file is sought beside the study first."""
        name = self._text(block, "problem")
        beside = self._path.parent / (name or "")
        return str(beside) if name is not None and beside.is_file() else name

    def _list(self, node: Node | None, path: str) -> tuple[Node, ...]:
        return () if node is None else read_list(node, path, self._faults, example="[...]") or ()

    def _texts(self, node: Node | None, path: str) -> tuple[str, ...]:
        texts = [read_text(item, path, self._faults) for item in self._list(node, path)]
        return tuple(text for text in texts if text is not None)

    def _integers(self, node: Node | None, path: str) -> list[int]:
        numbers = [read_integer(item, path, self._faults) for item in self._list(node, path)]
        return [number for number in numbers if number is not None]

    def _seeds(self, node: Node | None, path: str) -> tuple[int, ...]:
        seeds = self._integers(node, path)
        if node is not None and any(seed < 0 for seed in seeds):
            self._faults.add(node.place, f"{path}: seeds are 0 or more")
        return tuple(seeds)

    def _values(self, block: Block) -> dict[str, tuple[str, ...]]:
        node = block.get("values")
        if node is None or (isinstance(node, Block) and not node.entries):
            self._faults.add(
                block.place, "no values: state the parameter values, as in values: {lambda: '0.1,1'}"
            )
            return {}
        found = read_block(node, "values", self._faults, example="{lambda: '0.1,1'}")
        texts = (
            {key.text: read_text(value, f"values.{key.text}", self._faults) for key, value in found.entries}
            if found
            else {}
        )
        return {name: (text,) for name, text in texts.items() if text is not None}

    def _axes(self, block: Block) -> dict[str, dict[str, Level]]:
        node = block.get("axes")
        found = read_block(node, "axes", self._faults, example="{basis: {...}}") if node is not None else None
        axes: dict[str, dict[str, Level]] = {}
        for key, value in found.entries if found else ():
            path = f"axes.{key.text}"
            levels = read_block(value, path, self._faults, example="{fourier: [network.basis=fourier]}")
            if key.text in RESERVED or key.text in self._values(block):
                self._faults.add(key.place, f"{path}: a column of the table has this name; choose another")
            if levels is not None and not levels.entries:
                self._faults.add(value.place, f"{path}: an axis needs a level")
            if levels is not None:
                axes[key.text] = {
                    name.text: self._level(level, f"{path}.{name.text}") for name, level in levels.entries
                }
        return axes

    def _level(self, node: Node, path: str) -> Level:
        if not isinstance(node, Block):
            return Level(self._texts(node, path))
        refuse_unknown_keys(node, ("set", "method", "problem"), path, self._faults)
        method = node.get("method")
        chosen = (
            None if method is None else read_choice(method, f"{path}.method", tuple(METHODS), self._faults)
        )
        return Level(self._texts(node.get("set"), f"{path}.set"), chosen, self._problem(node))

    def _names(self, node: Node, path: str, axes: Mapping[str, Mapping[str, Level]]) -> dict[str, str]:
        """Read a combination of levels that exist."""
        block = read_block(node, path, self._faults, example="{basis: fourier, method: full}")
        if block is not None and not block.entries:
            self._faults.add(block.place, f"{path}: no axis is named, which would leave out everything")
        found = {}
        for key, value in block.entries if block else ():
            text = read_text(value, f"{path}.{key.text}", self._faults)
            if text is not None and self._known(key, value, text, path, axes):
                found[key.text] = text
        return found

    def _known(
        self, key: Scalar, value: Node, text: str, path: str, axes: Mapping[str, Mapping[str, Level]]
    ) -> bool:
        if key.text not in axes:
            self._faults.add(
                key.place, f"{path}: there is no axis {quote(key.text)}; axes are {', '.join(axes)}"
            )
            return False
        if text not in axes[key.text]:
            known = ", ".join(axes[key.text])
            self._faults.add(
                value.place, f"{path}: axis {key.text} has no level {quote(text)}; there are {known}"
            )
            return False
        return True

    def _table(self, node: Node, axes: Mapping[str, object], root: Block) -> TableLayout:
        path = "tables"
        block = read_block(node, path, self._faults, example="{rows: [lambda, method], columns: basis}")
        if block is None:
            return TableLayout((), "")
        refuse_unknown_keys(block, ("rows", "columns", "number", "shows"), path, self._faults)
        rows, columns = self._texts(block.get("rows"), f"{path}.rows"), self._text(block, "columns") or ""
        self._check_names((*rows, columns), block, path, (*axes, *self._values(root)))
        if columns in rows:
            self._faults.add(block.place, f"{path}: {columns} stands in rows and in columns; name it once")
        return TableLayout(
            rows,
            columns,
            self._choice(block.get("number"), f"{path}.number", NUMBERS),
            self._choice(block.get("shows"), f"{path}.shows", SHOWS),
        )

    def _figure(self, node: Node, axes: Mapping[str, Mapping[str, Level]], root: Block) -> FigureLayout:
        path = "figures"
        block = read_block(node, path, self._faults, example="{name: fourier, panels: [lambda]}")
        if block is None:
            return FigureLayout("")
        refuse_unknown_keys(block, ("name", "panels", "where"), path, self._faults)
        name, panels = self._text(block, "name") or "", self._texts(block.get("panels"), f"{path}.panels")
        if not re.fullmatch(r"[\w.-]+", name):
            self._faults.add(
                block.place, f"{path}: expected a name of letters and digits for its file, got {quote(name)}"
            )
        self._check_names(panels, block, path, (*axes, *self._values(root)))
        return FigureLayout(name, panels, self._levels(block.get("where"), f"{path}.where", axes))

    def _check_names(self, names: Sequence[str], block: Block, path: str, known: Sequence[str]) -> None:
        for name in names:
            if name not in known:
                self._faults.add(
                    block.place,
                    f"{path}: expected axes or parameters ({', '.join(known)}), got {quote(name)}",
                )

    def _levels(
        self, node: Node | None, path: str, axes: Mapping[str, Mapping[str, Level]]
    ) -> dict[str, tuple[str, ...]]:
        """Read some levels by axis: a list of them or one."""
        block = read_block(node, path, self._faults, example="{basis: fourier}") if node is not None else None
        found: dict[str, tuple[str, ...]] = {}
        for key, value in block.entries if block else ():
            texts = (
                (read_text(value, f"{path}.{key.text}", self._faults),)
                if isinstance(value, Scalar)
                else self._texts(value, f"{path}.{key.text}")
            )
            names = tuple(text for text in texts if text is not None)
            if all(self._known(key, value, name, path, axes) for name in names):
                found[key.text] = names
        return found

    def _choice(self, node: Node | None, path: str, choices: tuple[str, ...]) -> str:
        """Read one of some words; the first where there is none."""
        chosen = None if node is None else read_choice(node, path, choices, self._faults)
        return chosen or choices[0]

    def _published(
        self,
        node: Node | None,
        folder: Path,
        axes: Mapping[str, Mapping[str, Level]],
        parameters: tuple[str, ...],
    ) -> tuple[dict[str, str], ...]:
        """Read the table of published numbers, whose other columns are axes or parameters."""
        text = None if node is None else read_text(node, "published", self._faults)
        if node is None or text is None:
            return ()
        try:
            return read_published(folder / text, axes, parameters)
        except (PinnkanError, ValueError) as error:
            self._faults.add(node.place, f"published: {error}")
            return ()

    def _quick(
        self, node: Node | None, axes: Mapping[str, Mapping[str, Level]]
    ) -> dict[str, tuple[str, ...]]:
        block = read_block(node, "quick", self._faults, example="{seeds: [0]}") if node is not None else None
        if block is None:
            return {}
        seeds = block.get("seeds")
        found = {} if seeds is None else {"seeds": tuple(map(str, self._integers(seeds, "quick.seeds")))}
        rest = replace(block, entries=tuple(entry for entry in block.entries if entry[0].text != "seeds"))
        return found | self._levels(rest, "quick", axes)

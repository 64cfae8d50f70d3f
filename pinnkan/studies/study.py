"""A study: which trainings are compared. A cell is one combination of the axes' levels, a value and a seed.

Nothing here imports torch.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pinnkan.ground.errors import UsageError, quote
from pinnkan.language.methods import LOTRA, METHODS
from pinnkan.language.parameters import Parameter, family_points, file_stem

DTYPES = ("float64", "float32")
NUMBERS = (
    "relative_l2",
    "relative_max",
    "residual_rms",
    "boundary_max",
    "loss",
    "train_seconds",
    "trainable_parameters",
)
SHOWS = ("median", "ranking")
_OF_THE_ADAPTER = ("finetuning.", "adapter.")


@dataclass(frozen=True)
class Level:
    """One place on an axis: what it changes.

    Attributes:
        overrides: ``--set`` texts.
        method: How values are trained, if the level decides that.
        problem: Name or path, if the level decides that.
        scratch: ``--set`` texts of values trained from scratch: ``training:`` says how, not ``finetuning:``.
    """

    overrides: tuple[str, ...] = ()
    method: str | None = None
    problem: str | None = None
    scratch: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableLayout:
    """A table: a row for every combination of ``rows``, a column for every level of ``columns``.

    Attributes:
        number: What is compared.
        shows: ``median`` of all cells of a place, with their range; or ``ranking``: in how many of its cells
            a column has the lowest number of all columns, all else equal, and its median ratio to it.
    """

    rows: tuple[str, ...]
    columns: str
    number: str = NUMBERS[0]
    shows: str = SHOWS[0]


@dataclass(frozen=True)
class FigureLayout:
    """A picture of trajectories: a row of panels for every combination of ``panels``, a line for all else.

    Attributes:
        name: What is appended to the name of its file.
        panels: Axes or parameters.
        where: The only levels shown, by axis.
    """

    name: str
    panels: tuple[str, ...] = ()
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class SharedSettings:
    """What all cells of a study have in common.

    Attributes:
        seeds: Seeds of every combination and value.
        overrides: ``--set`` texts.
        dtype: Precision of all trainings.
    """

    seeds: tuple[int, ...] = (0,)
    overrides: tuple[str, ...] = ()
    dtype: str = DTYPES[0]


@dataclass(frozen=True)
class Presentation:
    """How the cells of a study are shown.

    Attributes:
        tables: What is printed.
        figures: What is drawn; one picture of all lines where it is empty.
        published: Numbers that somebody else found, by the names of axes, parameters and numbers.
    """

    tables: tuple[TableLayout, ...] = ()
    figures: tuple[FigureLayout, ...] = ()
    published: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True)
class Study:
    """What is compared.

    Attributes:
        title: For headings.
        problem: Name or path, None where an axis names it.
        values: Texts of parameter values by name, such as ``0.1,1`` or ``@values.txt``.
        shared: What all cells have in common.
        axes: Levels by axis and name, in order.
        exclude: Combinations of levels that make no sense.
        quick: The part that ``--quick`` runs: seeds, and levels by axis.
        presentation: How the cells are shown.
    """

    title: str
    problem: str | None
    values: Mapping[str, tuple[str, ...]]
    shared: SharedSettings = field(default_factory=SharedSettings)
    axes: Mapping[str, Mapping[str, Level]] = field(default_factory=dict)
    exclude: tuple[Mapping[str, str], ...] = ()
    quick: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    presentation: Presentation = field(default_factory=Presentation)

    def quickened(self) -> Study:
        """Return the part that ``--quick`` runs."""
        axes = {
            axis: {name: levels[name] for name in self.quick.get(axis, tuple(levels))}
            for axis, levels in self.axes.items()
        }
        seeds = tuple(map(int, self.quick.get("seeds", map(str, self.shared.seeds[:1]))))
        return replace(self, axes=axes, shared=replace(self.shared, seeds=seeds))

    def with_settings(self, seeds: tuple[int, ...], overrides: Sequence[str]) -> Study:
        """Return it with other seeds, if there are any, and with more ``--set`` texts."""
        shared = replace(
            self.shared,
            seeds=seeds or self.shared.seeds,
            overrides=(*self.shared.overrides, *overrides),
        )
        return replace(self, shared=shared)


@dataclass(frozen=True)
class Source:
    """A problem that a study names.

    Attributes:
        path: Its file.
        text: What stands in it.
        parameters: Of the problem.
    """

    path: Path
    text: str
    parameters: Sequence[Parameter]


@dataclass(frozen=True)
class Cell:
    """One training and its base.

    Attributes:
        labels: Level by axis.
        source: The problem, as it was when the study was planned.
        base: ``--set`` texts of the base.
        adapter: ``--set`` texts of the value's own training.
        method: How the value is trained.
        values: Parameter values.
        seed: Of both trainings.
        dtype: Of both.
    """

    labels: Mapping[str, str]
    source: Source
    base: tuple[str, ...]
    adapter: tuple[str, ...]
    method: str
    values: Mapping[str, float]
    seed: int
    dtype: str

    @property
    def base_key(self) -> str:
        """A word that two cells share if they share their base."""
        return _digest([self.source.text, self.base, self.seed, self.dtype])

    @property
    def key(self) -> str:
        """A word for all that decides the cell's numbers."""
        return _digest([self.base_key, self.adapter, self.method, dict(self.values)])

    @property
    def title(self) -> str:
        """How the cell is called in messages."""
        return f"{', '.join(self.labels.values())}, {file_stem(self.values)}, seed {self.seed}"


def cells_of(study: Study, find: Mapping[str, Source]) -> list[Cell]:
    """Return all cells: combinations in the order of the axes, of each all seeds and values.

    Args:
        study: What is compared.
        find: The problems that it names.

    Raises:
        UsageError: If no problem is named, or a value cannot be read.
    """
    found = []
    for combination in itertools.product(*(levels.items() for levels in study.axes.values())):
        labels = dict(zip(study.axes, (name for name, _ in combination), strict=True))
        if any(
            all(labels.get(axis) == name for axis, name in excluded.items()) for excluded in study.exclude
        ):
            continue
        levels = [level for _, level in combination]
        name = next((level.problem for level in levels if level.problem), study.problem)
        if name is None:
            raise UsageError(
                f"study {quote(study.title)}: no problem; state 'problem: NAME' or an axis of problems"
            )
        source = find[name]
        texts = [*study.shared.overrides, *(text for level in levels for text in level.overrides)]
        adapter = tuple(text for text in texts if text.startswith(_OF_THE_ADAPTER))
        base = tuple(text for text in texts if not text.startswith(_OF_THE_ADAPTER))
        method = next((level.method for level in levels if level.method), LOTRA.name)
        if not METHODS[method].on_base:
            adapter += tuple(text for level in levels for text in level.scratch)
        named = [f"{name}={text}" for name, texts in study.values.items() for text in texts]
        points = family_points(source.parameters, named=named)
        found += [
            Cell(
                labels,
                source,
                base=base,
                adapter=adapter,
                method=method,
                values=values,
                seed=seed,
                dtype=study.shared.dtype,
            )
            for seed in dict.fromkeys(study.shared.seeds)
            for values in points
        ]
    return found


def base_folder(cell: Cell, directory: Path) -> Path:
    """Return the run directory of a cell's base, which may be that of other cells too."""
    return directory / "bases" / cell.base_key


def problems_of(study: Study) -> list[str]:
    """Return the names or paths of the problems that a study names."""
    names = [level.problem for levels in study.axes.values() for level in levels.values()]
    return list(dict.fromkeys(name for name in (study.problem, *names) if name is not None))


def _digest(facts: object) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]

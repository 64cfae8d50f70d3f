"""What a picture shows of a solution: its fields on a section, their names, and what is said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from pinnkan.language.problem import Problem
from pinnkan.output.pictures.field import Quantity
from pinnkan.output.pictures.flow import Flow
from pinnkan.output.pictures.labels import Caption, plain, symbol
from pinnkan.output.pictures.line import Curve
from pinnkan.output.pictures.sections import Section
from pinnkan.solutions.derived_fields import DerivedField
from pinnkan.solutions.evaluation.measures import EVALUATION_SEED, POINTS, errors_at, residual_rms
from pinnkan.solutions.fields import ERROR, REFERENCE, RESIDUAL, SOLUTION, fields_at, references_beside
from pinnkan.solutions.windows import AnySolution
from pinnkan.workflows.requests import FlowKind

HISTORY = "history"
_KINDS: Mapping[str, Literal["value", "signed", "magnitude"]] = {
    SOLUTION: "value",
    REFERENCE: "value",
    ERROR: "signed",
    # It peaks where a solution is rough: on an even scale the peaks are all one sees.
    RESIDUAL: "magnitude",
}


@dataclass(frozen=True)
class Subject:
    """What is drawn, of which section, where to, and what must be said of it."""

    solution: AnySolution
    section: Section
    field: str
    output: Path
    dpi: int
    note: str
    flows: Mapping[FlowKind, DerivedField]

    @property
    def problem(self) -> Problem:
        """The problem that is solved."""
        return self.solution.instance.problem

    @property
    def kind(self) -> Literal["value", "signed", "magnitude"]:
        """Which colours the field is drawn in."""
        return _KINDS.get(self.field, "value")

    def label(self, name: str) -> str:
        """Return what an axis or a colour bar calls a field."""
        if self.field == RESIDUAL:
            of = "" if len(self.problem.equations) == 1 else f" of {plain(name)}"
            return f"residual{of}" if len(self.section.free) == 1 else f"|residual{of}|"
        shown = symbol(name) if name.replace("_", "a").isalnum() else plain(name)
        words = {REFERENCE: f"reference {shown}", ERROR: f"error in {shown}"}
        return words.get(self.field, shown)

    @property
    def caption(self) -> Caption:
        """What is written above the picture."""
        held = {**self.solution.instance.values, **self.section.fixed}
        return Caption(self.problem.file.title or self.problem.name, held, self._figures(), self.note)

    def _figures(self) -> dict[str, float | None]:
        """Measure what the picture is judged by, over the whole domain, as ``evaluate`` does."""
        points = self.solution.instance.domain.uniform(POINTS, EVALUATION_SEED)
        overall = "overall " if self.section.fixed else ""
        if self.field in (SOLUTION, ERROR, HISTORY, *self.problem.unknowns):
            errors = errors_at(self.solution, self.solution.instance.known(points))
            own = (errors.get("fields") or {}).get(self.field)
            if own is None and self.field in self.problem.unknowns and self.problem.is_system:
                return {}
            largest = "largest " if self.problem.is_system and own is None else ""
            return {f"{overall}{largest}relative $L^2$ error": (own or errors)["relative_l2"]}
        if self.field == RESIDUAL:
            return {f"{overall}root mean square": residual_rms(self.solution, points)}
        return {}

    def values(self, points: np.ndarray) -> dict[str, np.ndarray]:
        """Return the fields at points (N, D) of the domain, (N,) each."""
        return fields_at(self.solution, self.field, points)

    def references(self, points: np.ndarray) -> dict[str, np.ndarray]:
        """Return what is drawn beside them, NaN where data do not cover a point."""
        known = references_beside(self.solution, self.field, points)
        return {name: values for name, values in known.items() if not np.isnan(values).all()}

    def curves(self, section: Section, places: np.ndarray) -> dict[str, Curve]:
        """Return the fields along places (N,) of a section with one free coordinate."""
        points = section.points(places[:, None])
        known = self.references(points)
        return {
            name: Curve(self.label(name), places, values, known.get(name))
            for name, values in self.values(points).items()
        }

    def quantities(self, sections: Sequence[Section], places: np.ndarray) -> list[Quantity]:
        """Return the fields at places (N, 2) of each section, with reference and error if they are known."""
        points = [section.points(places) for section in sections]
        shown, known = [self.values(p) for p in points], [self.references(p) for p in points]
        flows = self._flows(points)
        quantities = []
        for name in shown[0]:
            values, label = tuple(fields[name] for fields in shown), self.label(name)
            named = label if len(shown[0]) > 1 else ""
            if not all(name in fields for fields in known):
                # A title stands above each of several fields; one alone is named by its colour bar.
                quantities.append(Quantity(label, values, self.kind, title=named, flows=flows))
                continue
            wanted = tuple(fields[name] for fields in known)
            errors = tuple(a - b for a, b in zip(values, wanted, strict=True))
            titles = [f"{word} {named}".strip() for word in (SOLUTION, REFERENCE, ERROR)]
            if self.field not in (SOLUTION, *self.problem.unknowns):
                titles[0] = label
            quantities += [
                Quantity(label, values, title=titles[0], starts_group=True, flows=flows),
                Quantity(label, wanted, title=titles[1], same_scale_as_previous=True),
                Quantity(f"error in {label}", errors, "signed", title=titles[2]),
            ]
        return quantities

    def _flows(self, points: Sequence[np.ndarray]) -> tuple[Flow, ...]:
        """Return the vectors over the fields, their components along the picture's axes, at every time."""
        axes = [self.problem.space.index(name) for name in self.section.space]
        flows = []
        for kind, derived in self.flows.items():
            vectors = [derived.at(self.solution, places) for places in points]
            flows.append(Flow(kind, tuple((vector[axes[0]], vector[axes[1]]) for vector in vectors)))
        return tuple(flows)

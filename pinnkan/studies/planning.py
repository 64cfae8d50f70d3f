"""The cells of a study before any is trained: their problems are read, and what cannot be is refused."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from pinnkan.ground.errors import UsageError
from pinnkan.language.methods import METHODS
from pinnkan.language.network_kinds import NETWORK_KINDS
from pinnkan.language.problem import Problem
from pinnkan.language.problem.finding import find_problem, problem_text
from pinnkan.language.problem.schema import read_problem
from pinnkan.optim.kinds import OPTIMIZERS
from pinnkan.studies.study import Cell, Source, Study, cells_of, problems_of


def planned(study: Study) -> list[Cell]:
    """Return the cells of a study.

    Raises:
        UsageError: If a problem or a value cannot be found.
        ProblemError: If a problem file has faults.
    """
    sources = {}
    for name in problems_of(study):
        path = find_problem(name)
        text = problem_text(path)
        sources[name] = Source(path, text, problem_of(path, text, ()).parameters)
    return cells_of(study, sources)


def refuse_faults(cells: Sequence[Cell]) -> None:
    """Refuse what some cell could not do before the first of them is trained.

    Raises:
        UsageError: If learning rates are said for a training whose optimizers take none, or an MLP shall have
            an adapter.
        ProblemError: If an override names what is not there.
    """
    distinct = {(cell.source.text, cell.base, cell.adapter, cell.method): cell for cell in cells}
    for cell in distinct.values():
        settings = problem_of(cell.source.path, cell.source.text, (*cell.base, *cell.adapter)).settings
        phases = settings.finetuning.in_turn
        rates = [text for text in cell.adapter if text.startswith("finetuning.rates=")]
        if rates and METHODS[cell.method].low_rank and not any(p.kind.takes("rates") for p in phases):
            takers = [name for name, kind in OPTIMIZERS.items() if kind.takes("rates")]
            raise UsageError(
                f"{cell.title}: {rates[0]} changes nothing, for no phase of fine-tuning is of "
                f"{' or '.join(takers)}; set finetuning.phases=[{{optimizer: {takers[0]}, steps: 1500}}]"
            )
        if not NETWORK_KINDS[settings.network.kind].on_edges and METHODS[cell.method].low_rank:
            raise UsageError(
                f"{cell.title}: a LoTRA adapter needs a KAN; exclude the combination, or state method: full"
            )


@lru_cache(maxsize=8)
def problem_of(path: Path, text: str, overrides: tuple[str, ...]) -> Problem:
    """Return a problem, parsed once for all cells that share it."""
    return read_problem(text, file=str(path), name=path.stem, overrides=overrides, directory=path.parent)

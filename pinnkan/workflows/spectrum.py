"""``pinnkan spectrum``: singular values of stored coefficients, and what a truncation of them would cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pinnkan.ground.errors import UsageError
from pinnkan.ground.runtime import limited_threads
from pinnkan.language.adapted_layers import LAYER_KINDS
from pinnkan.language.methods import stands_alone
from pinnkan.language.network_kinds import NETWORK_KINDS
from pinnkan.networks.adapters import outer_layers
from pinnkan.networks.network import chains_of
from pinnkan.networks.tucker import hosvd, ranks_of
from pinnkan.output.pictures.formats import PICTURES
from pinnkan.output.pictures.labels import Caption
from pinnkan.output.pictures.spectra import SpectraPanel, plot_spectra
from pinnkan.output.suffixes import require_suffix
from pinnkan.solutions.evaluation.measures import EVALUATION_SEED, POINTS
from pinnkan.solutions.evaluation.spectra import MODES, Spectrum, discarded_norm, mode_spectra
from pinnkan.solutions.evaluation.theorem1 import constants, output_bound
from pinnkan.storage.runs.directory import Result, RunDirectory, read_base, require_one_network
from pinnkan.storage.runs.paths import ADAPTERS, BASE
from pinnkan.storage.store import read_store
from pinnkan.training import network_for
from pinnkan.training.adapters import Plan
from pinnkan.training.refinement import basis_for, fitted

SHARES = (0.9, 0.99, 0.999)
COMPRESSIONS = (1 / 16, 1 / 8, 1 / 4, 1 / 2)
_LEADING = 5
_CHUNK = 4096


@dataclass(frozen=True)
class Change:
    """Coefficients as reference plus change, the change of the hidden layers to be decomposed.

    Attributes:
        name: ``base``, ``update``, ``sum`` or ``scratch``.
        result: The file that it is of.
        target: Coefficients of every layer.
        reference: What the change is counted from: the base for an update, else zero.
        spectra: Of target minus reference in every layer that an adapter would change by Tucker.
    """

    name: str
    result: Result
    target: Sequence[Tensor]
    reference: Sequence[Tensor]
    spectra: Mapping[int, Sequence[Spectrum]]

    @classmethod
    def of(cls, name: str, result: Result, reference: Sequence[Tensor] | None = None) -> Change:
        """Decompose a result's coefficients, or their difference from others."""
        require_one_network(result, "spectrum")
        target = result.coefficients
        known = reference or [torch.zeros_like(layer) for layer in target]
        hidden = _hidden_layers(result)
        spectra = {layer: mode_spectra(target[layer] - known[layer]) for layer in hidden}
        return cls(name, result, target, known, spectra)

    def facts(self) -> dict[str, Any]:
        """Return file, spectra and Theorem 1's comparison as plain data."""
        return {
            "file": str(self.result.path),
            "tensor": self.name,
            "parameters": dict(self.result.values),
            "spectra": [row for layer in self.spectra for row in self._rows(layer)],
            "theorem1": self._theorem1(),
        }

    def _rows(self, at: int) -> Iterator[dict[str, Any]]:
        for mode, spectrum in enumerate(self.spectra[at], start=1):
            yield {
                "layer": at,
                "mode": f"{mode} {MODES[mode - 1]}",
                "count": len(spectrum.values),
                "leading": spectrum.relative[:_LEADING].tolist(),
                **{f"rank_{100 * share:g}%": spectrum.rank_holding(share) for share in SHARES},
                "singular_values": spectrum.values.tolist(),
                "discarded_energy": spectrum.discarded.tolist(),
            }

    def _theorem1(self) -> dict[str, Any]:
        settings = fitted(self.result.problem.settings.network, self.target)
        known = constants(basis_for(settings), self.target, self.reference)
        shapes = [(int(c.shape[0]), int(c.shape[1]), int(c.shape[2])) for c in self.target]
        chains = chains_of(len(shapes), settings.chains)
        outputs = self._outputs(self.target)
        rows = []
        for compression in COMPRESSIONS:
            ranks = {layer: ranks_of(shapes[layer], compression) for layer in self.spectra}
            errors = {layer: discarded_norm(self.spectra[layer], ranks[layer]) for layer in ranks}
            truncated = self._truncated(ranks)
            removed = [float((self.target[layer] - truncated[layer]).norm()) for layer in ranks]
            difference = self._outputs(truncated) - outputs
            rows.append(
                {
                    "compression": compression,
                    "ranks": [list(cut) for cut in ranks.values()],
                    "removed": max(removed),
                    "eps": max(errors.values()),
                    "difference": float(difference.abs().max()),
                    "bound": max(output_bound(known, shapes[own], _within(errors, own)) for own in chains),
                }
            )
        return {
            "B": known.bound,
            "L": known.lipschitz,
            "M": known.norm,
            "layers": chains[0].stop,
            "largest_output": float(outputs.abs().max()),
            "points": POINTS,
            "truncations": rows,
        }

    def _truncated(self, ranks: Mapping[int, tuple[int, int, int]]) -> list[Tensor]:
        """Return the target with the changes of hidden layers cut to some ranks."""
        layers = list(self.target)
        for layer, cut in ranks.items():
            layers[layer] = (
                self.reference[layer] + hosvd(self.target[layer] - self.reference[layer], cut).dense()
            )
        return layers

    @torch.no_grad()
    def _outputs(self, coefficients: Sequence[Tensor]) -> Tensor:
        """Return the network's own outputs, without lift and factor, on the points of ``evaluate``."""
        instance = self.result.family.at(self.result.values)
        network = network_for(instance, self.result.problem.settings.network, coefficients)
        points = torch.from_numpy(instance.domain.uniform(POINTS, EVALUATION_SEED))
        weights = network.matrices(coefficients)
        return torch.cat([network.values(part, weights) for part in torch.split(points, _CHUNK)])


def spectrum(
    files: Sequence[Path], *, output: Path | None = None, dpi: int = 200, threads: int | None = None
) -> dict[str, Any]:
    """Decompose the hidden layers' coefficients in some files.

    A base gives one set of spectra; an adapter or a fully fine-tuned result those of its base (once), of
    the update and of their sum; a result from scratch its own.

    Args:
        files: ``base.h5``, adapters, full results.
        output: PNG, PDF or SVG with the spectra and the energy they discard; none if not given.
        dpi: Of a PNG.
        threads: CPU threads.

    Returns:
        ``{"results": [...]}``, see `Change.facts`.

    Raises:
        UsageError: If a network has no hidden Tucker layer or the base of an adapter is not beside it.
        DamagedFileError: If a file is damaged, foreign, or of another base.
        FileAccessError: If the picture cannot be written.
    """
    if output is not None:
        require_suffix(output, PICTURES)
    with limited_threads(threads):
        changes: dict[tuple[Path, str], Change] = {}
        for change in (own for path in files for own in _changes(path)):
            changes.setdefault((change.result.path.resolve(), change.name), change)
        facts = [change.facts() for change in changes.values()]
        if output is not None:
            _draw(list(changes.values()), output, dpi)
    return {"results": facts}


def _changes(path: Path) -> Iterator[Change]:
    if read_store(path).kind == "base":
        yield Change.of("base", read_base(path))
        return
    directory = path.resolve().parent.parent
    if path.resolve().parent.name != ADAPTERS or not (directory / BASE).is_file():
        raise UsageError(
            f"{path}: there is no base beside it (expected {directory / BASE}); "
            "name the file where it was written, DIR/adapters/..."
        )
    run = RunDirectory(directory)
    base = run.base()
    result = run.adapter(path, base)
    if stands_alone(result.method):
        yield Change.of(result.method, result)
        return
    yield Change.of("base", base)
    yield Change.of("update", result, base.coefficients)
    yield Change.of("sum", result)


def _within(errors: Mapping[int, float], chain: slice) -> dict[int, float]:
    """Return the errors of one network's layers, counted from its first."""
    return {
        layer - chain.start: error for layer, error in errors.items() if chain.start <= layer < chain.stop
    }


def _hidden_layers(result: Result) -> list[int]:
    """Return the layers that an adapter changes by Tucker, or else those between first and last.

    Raises:
        UsageError: If there is none.
    """
    count = len(result.coefficients)
    settings = result.problem.settings
    words = Plan(settings.adapter.layers, chains=settings.network.chains).words(count)
    hidden = [layer for layer, word in enumerate(words) if LAYER_KINDS[word].low_rank]
    hidden = hidden or sorted(set(range(count)) - outer_layers(count, settings.network.chains))
    if not NETWORK_KINDS[settings.network.kind].on_edges or not hidden:
        raise UsageError(
            f"{result.path}: spectra are of the (I, J, K) coefficients of a KAN's hidden layers; "
            "this network has none"
        )
    return hidden


def _draw(changes: Sequence[Change], output: Path, dpi: int) -> None:
    panels = []
    for change in changes:
        several = len(change.spectra) > 1
        curves = {
            f"{f'layer {layer}, ' if several else ''}mode {mode}: {MODES[mode - 1]}": spectrum
            for layer, spectra in change.spectra.items()
            for mode, spectrum in enumerate(spectra, start=1)
        }
        title = (
            change.name
            if change.name == change.result.path.stem
            else f"{change.name}, {change.result.path.stem}"
        )
        relative = {name: curve.relative.numpy() for name, curve in curves.items()}
        discarded = {name: curve.discarded.numpy() for name, curve in curves.items()}
        panels.append(SpectraPanel(title, relative, discarded))
    problem = changes[0].result.problem
    caption = Caption(problem.file.title or problem.name)
    plot_spectra(output, panels, caption=caption, dpi=dpi)

"""The blocks ``network``, ``adapter``, ``points``, ``training``, ``finetuning``, read by their dataclasses.

Types, choices and bounds come from :mod:`pinnkan.language.settings.blocks` and, for the keys of one
optimizer alone, from :mod:`pinnkan.optim.kinds`; a key added there is understood here without a change.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pinnkan.language.network_kinds import NETWORK_KINDS
from pinnkan.language.parameters import parse_number
from pinnkan.language.reading.fields import (
    describe,
    read_block,
    read_choice,
    read_flag,
    read_integer,
    read_list,
    read_number,
    read_text,
    refuse_unknown_keys,
)
from pinnkan.language.reading.nodes import Block, Listing, Node, Scalar
from pinnkan.language.reading.places import Faults
from pinnkan.language.settings.blocks import NetworkSettings, PhaseT, Settings, TrainingSettings
from pinnkan.language.settings.defaults import (
    Circumstances,
    default_network,
    default_settings,
    stated_training,
    with_fresh_points,
)
from pinnkan.language.settings.former_keys import without_former_tolerance
from pinnkan.language.settings.keys import keys_of, with_keys
from pinnkan.language.settings.separate import read_separate

_EXAMPLES = {
    "network": "{hidden: [64, 64]}",
    "adapter": "{compression: 1/8}",
    "points": "{interior: 1000}",
    "training": "{steps: 40}",
    "finetuning": "{steps: 40}",
}
SETTINGS_KEYS = tuple(_EXAMPLES)
_NONE_WORDS = {"", "~", "null", "none", "None"}


def read_settings(
    root: Block, circumstances: Circumstances, unknowns: Sequence[str], faults: Faults
) -> Settings:
    """Read every settings block of a problem file; what is left out comes from the default recipe."""
    separate = read_separate(root, unknowns, faults)
    circumstances = dataclasses.replace(circumstances, points=_stated_points(root), separate=separate)
    chosen = default_network(circumstances, frozen=_states_frozen(root))
    network = _read_block(root, "network", chosen, faults)
    _check_depth(root, network, faults)
    settings = default_settings(network, circumstances)
    if _draws_by_residual(root, faults):
        settings = with_fresh_points(settings)
    values = {
        key: _read_block(root, key, getattr(settings, key), faults)
        for key in SETTINGS_KEYS
        if key != "network"
    }
    return dataclasses.replace(settings, **values, chosen=_chosen(root))


def _stated_points(root: Block) -> int | None:
    """Return the interior points that the file states; None without a number of them."""
    block = root.get("points")
    node = block.get("interior") if isinstance(block, Block) else None
    number = parse_number(node.text) if isinstance(node, Scalar) else None
    return int(number) if number is not None and number >= 1 and number == int(number) else None


def _states_frozen(root: Block) -> bool:
    """Tell whether the file states a kind of network of which the last layer alone is trained."""
    block = root.get("network")
    node = block.get("kind") if isinstance(block, Block) else None
    kind = NETWORK_KINDS.get(node.text) if isinstance(node, Scalar) else None
    return kind is not None and kind.frozen


def _check_depth(root: Block, network: NetworkSettings, faults: Faults) -> None:
    """A network that keeps what was drawn has one layer of it."""
    kind, block = NETWORK_KINDS[network.kind], root.get("network")
    node = block.get("hidden") if isinstance(block, Block) else None
    if kind.frozen and node is not None and len(network.hidden) > 1:
        faults.add(
            node.place,
            f"network.hidden: {kind.title} has one hidden layer, whose neurons it counts; "
            f"found {len(network.hidden)} layers; try [{sum(network.hidden)}]",
        )


def _draws_by_residual(root: Block, faults: Faults) -> bool:
    """Tell whether the file draws points by the residual; where it gives samples, that is refused."""
    block = root.get("points")
    node = block.get("rule") if isinstance(block, Block) else None
    if not isinstance(node, Scalar) or node.text != "residual":
        return False
    if root.get("samples") is not None:
        faults.add(node.place, "points.rule: residual draws points of equations; samples are where they are")
    return True


_CHOSEN = {
    "network.hidden": ("hidden",),
    "points.interior": ("interior",),
    "points.rule": ("rule",),
    "training": ("optimizer", "phases", "form", "steps"),
    "adapter.compression": ("compression", "ranks"),
    "finetuning": ("optimizer", "phases", "form", "steps"),
}
"""What the default recipe chooses, and the keys of its block that say it instead."""


def _chosen(root: Block) -> tuple[str, ...]:
    """Return what the file leaves to the default recipe."""
    blocks = {path: root.get(path.partition(".")[0]) for path in _CHOSEN}
    return tuple(
        path
        for path, block in blocks.items()
        if not isinstance(block, Block) or all(block.get(key) is None for key in _CHOSEN[path])
    )


def _read_block(root: Block, key: str, defaults: Any, faults: Faults) -> Any:
    node = root.get(key)
    block = None if node is None else read_block(node, key, faults, example=_EXAMPLES[key])
    if block is None:
        return defaults
    if isinstance(defaults, TrainingSettings):
        return _read_training(defaults, block, key, faults)
    return with_keys(defaults, _read_keys(defaults, block, key, faults))


def _read_keys(settings: Any, block: Block, path: str, faults: Faults) -> dict[str, Any]:
    """Return the values of the keys of a settings class that the block states."""
    keys = keys_of(settings)
    refuse_unknown_keys(block, list(keys), path, faults)
    values: dict[str, Any] = {}
    for key in keys.values():
        node = block.get(key.name)
        # Groups of unknowns are in the defaults already: they depend on the names of the unknowns.
        if node is None or key.name in ("phases", "separate"):
            continue
        value = _read_typed(node, key.kind, f"{path}.{key.name}", key.limits, faults)
        if value is not _WRONG:
            values[key.name] = value
    return values


def _read_training(
    defaults: TrainingSettings[PhaseT], block: Block, path: str, faults: Faults
) -> TrainingSettings[PhaseT]:
    """Return the defaults of ``training:`` or ``finetuning:`` with the keys and the phases of the block."""
    values = _read_keys(defaults, block, path, faults)
    node = block.get("phases")
    defaults = stated_training(defaults, {*values, *(["phases"] if node is not None else [])})
    settings = with_keys(defaults, values)
    if node is not None:
        phases = _read_phases(node, settings.phase, f"{path}.phases", faults)
        whole = _all_state_steps(node)
    else:
        # What the block states goes for every phase of the recipe, which states its own steps.
        own = {key: value for key, value in values.items() if key != "steps"}
        phases, whole = tuple(with_keys(phase, own) for phase in defaults.phases), True
    if "steps" in values and phases and whole:
        phases = _within(phases, settings.phase.steps)
    return dataclasses.replace(settings, phases=phases)


def _all_state_steps(phases: Node) -> bool:
    items = phases.items if isinstance(phases, Listing) else ()
    return bool(items) and all(isinstance(item, Block) and item.get("steps") for item in items)


def _within(phases: tuple[PhaseT, ...], total: int) -> tuple[PhaseT, ...]:
    """Give the phases ``total`` steps together: the last ones are cut, or the last one goes on.

    So ``--set training.steps=200`` says how long to train whether a file has phases or not.
    """
    kept: list[PhaseT] = []
    for phase in phases:
        left = total - sum(taken.steps for taken in kept)
        if left <= 0 and kept:
            break
        kept.append(dataclasses.replace(phase, steps=min(phase.steps, max(left, 0))))
    rest = total - sum(taken.steps for taken in kept)
    kept[-1] = dataclasses.replace(kept[-1], steps=kept[-1].steps + rest)
    return tuple(kept)


def _read_phases(node: Node, around: PhaseT, path: str, faults: Faults) -> tuple[PhaseT, ...]:
    """Read the list of phases; a key that a phase leaves out comes from the block around it."""
    items = read_list(node, path, faults, example="[{optimizer: adam}, {optimizer: lm}]")
    phases = []
    for index, item in enumerate(items or ()):
        place = f"{path}[{index}]"
        block = read_block(item, place, faults, example="{optimizer: lm, steps: 40}")
        if block is not None:
            block = without_former_tolerance(block, place, faults)
            phases.append(with_keys(around, _read_keys(around, block, place, faults)))
    return tuple(phases)


_WRONG = object()
"""Stands for a value that was refused; None is a legal value of some keys."""


def _read_typed(node: Node, kind: Any, path: str, limits: Any, faults: Faults) -> Any:
    """Read one value by its type annotation: a scalar, a tuple, or a union of these."""
    options = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    if NoneType in options and isinstance(node, Scalar) and node.text in _NONE_WORDS:
        return None
    words = [word for option in options if get_origin(option) is Literal for word in get_args(option)]
    if isinstance(node, Scalar) and node.text in words:
        return node.text
    lists = [option for option in options if get_origin(option) is tuple]
    plain = [option for option in options if get_origin(option) is None and option is not NoneType]
    if lists and (isinstance(node, Listing) or not plain):
        return _read_tuple(node, get_args(lists[0])[0], path, limits, faults)
    if words and isinstance(node, Scalar) and parse_number(node.text) is None:
        faults.add(node.place, f"{path}: expected a number or {' or '.join(words)}, got {describe(node)}")
        return _WRONG
    value = _read_scalar(node, plain[0], path, limits, faults)
    return _WRONG if value is None else value


def _read_tuple(node: Node, kind: Any, path: str, limits: Any, faults: Faults) -> Any:
    items = read_list(node, path, faults, example="[64, 64]")
    if items is None:
        return _WRONG
    length = limits.get("length")
    if not items or (length is not None and len(items) != length):
        expected = f"{length} entries" if length else "at least one entry"
        faults.add(node.place, f"{path}: expected {expected}, got {len(items)}")
        return _WRONG
    of_entry = {**limits, "choices": limits.get("words")}
    values = [_read_scalar(item, kind, f"{path}[{n}]", of_entry, faults) for n, item in enumerate(items)]
    return _WRONG if None in values else tuple(values)


def _read_scalar(node: Node, kind: Any, path: str, limits: Any, faults: Faults) -> Any:
    if kind is bool:
        return read_flag(node, path, faults)
    if kind is str:
        choices = limits.get("choices")
        return read_choice(node, path, choices, faults) if choices else read_text(node, path, faults)
    value = read_integer(node, path, faults) if kind is int else read_number(node, path, faults)
    low, high = limits.get("low"), limits.get("high")
    if value is None or ((low is None or value >= low) and (high is None or value <= high)):
        return value
    bounds = f"at least {low:g}" if high is None else f"between {low:g} and {high:g}"
    faults.add(node.place, f"{path}: expected {bounds}, got {describe(node)}")
    return None

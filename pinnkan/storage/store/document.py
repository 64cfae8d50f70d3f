"""The one JSON text of a stored file, strict in both directions."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from pinnkan.storage.store.layout import MAX_JSON_BYTES

MAX_DEPTH = 32


def encode_document(document: dict[str, Any]) -> bytes:
    """Return the compact UTF-8 text of a JSON object; tuples become lists.

    Raises:
        ValueError: If a value is no JSON (names its place), or the text
            exceeds 4 MiB.
    """
    check_json(document, "document")
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")
    if len(text) > MAX_JSON_BYTES:
        raise ValueError(f"the JSON text takes {len(text)} bytes; at most {MAX_JSON_BYTES} are stored")
    return text


def decode_document(text: bytes) -> dict[str, Any]:
    """Parse the JSON object of a file that nobody vouches for.

    Raises:
        ValueError: If the text is no JSON object, repeats a key, or holds
            something that ``encode_document`` would not have written.
    """
    try:
        document = json.loads(
            text.decode("utf-8"), parse_constant=_refuse_constant, object_pairs_hook=_unique_keys
        )
    except RecursionError:
        raise ValueError("the JSON text is nested too deeply") from None
    check_json(document, "document")
    if not isinstance(document, dict):
        raise ValueError("the JSON text is not an object")
    return document


def check_json(value: object, where: str, depth: int = 0) -> None:
    """Allow null, booleans, 64-bit integers, finite floats, UTF-8 texts, lists and objects.

    Raises:
        ValueError: Naming the place of anything else.
    """
    if depth > MAX_DEPTH:
        raise ValueError(f"{where:.80} is nested more than {MAX_DEPTH} deep")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ValueError(f"{where} has the key {key!r:.40}, which is not a text")
            _check_text(key, where)
            check_json(item, f"{where}.{key}", depth + 1)
    elif isinstance(value, list | tuple):
        for position, item in enumerate(value):
            check_json(item, f"{where}[{position}]", depth + 1)
    else:
        _check_scalar(value, where)


def _check_scalar(value: object, where: str) -> None:
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        _check_text(value, where)
    elif isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise ValueError(f"{where} is an integer of more than 64 bits")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(
                f"{where} is {value}; JSON has finite numbers only, write null for an unknown one"
            )
    else:
        raise ValueError(f"{where} is of type {type(value).__name__}, which is not JSON")


def _check_text(text: str, where: str) -> None:
    # A lone surrogate passes json.loads and then breaks whoever prints or stores the text.
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError(f"{where} holds a text that is not valid Unicode") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"the JSON text holds {name}")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("the JSON text repeats a key")
    return result

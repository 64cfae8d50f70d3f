"""Hostile files: each is what pinnkan writes but for one edit, behind a checksum that is right."""

from __future__ import annotations

import io
import json
import os
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
from store_files import sealed

Edit = Callable[[h5py.File, Path], object]

ENTRY = {"dtype": "float64", "start": 0, "stop": 3, "shape": [3]}
DOCUMENT = {"arrays": {"a": ENTRY}, "meta": {}}
VARIABLE = h5py.string_dtype()


def put_json(file: h5py.File, document: object) -> None:
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    data = np.frombuffer(text, np.uint8)
    if "json" in file:
        del file["json"]
    file.create_dataset("json", data=data, chunks=data.shape, fletcher32=True, compression="gzip")


def replace(file: h5py.File, name: str = "float64", **options: object) -> h5py.Dataset:
    del file[name]
    return file.create_dataset(name, **options)


def flat(**options: object) -> dict[str, object]:
    return {"data": np.arange(3.0), "chunks": (3,), "fletcher32": True, **options}


def crafted(path: Path, edit: Edit, canary: Path, *, kind: str = "adapter", **file_options: object) -> Path:
    """A file that pinnkan accepts but for one edit, behind a right checksum."""
    options = {"libver": ("v110", "v110"), "userblock_size": 512, **file_options}
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", **options) as file:
        file.attrs["encoding-type"] = np.bytes_(f"pinnkan-{kind}".encode())
        file.attrs["encoding-version"] = np.bytes_(b"1.0")
        file.create_dataset("float64", **flat())
        put_json(file, DOCUMENT)
        edit(file, canary)
    return sealed(path, buffer.getvalue()[512:])


def external_storage(file: h5py.File, canary: Path) -> None:
    replace(file, shape=(3,), dtype="<f8", external=[(os.fsencode(canary), 0, 24)])


def external_json(file: h5py.File, canary: Path) -> None:
    replace(file, "json", shape=(24,), dtype="u1", external=[(os.fsencode(canary), 0, 24)])


def external_link(file: h5py.File, canary: Path) -> None:
    del file["float64"]
    file["float64"] = h5py.ExternalLink(str(canary), "/float64")


def soft_link(file: h5py.File, canary: Path) -> None:
    file["float32"] = h5py.SoftLink("/float64")


def soft_cycle(file: h5py.File, canary: Path) -> None:
    del file["float64"]
    file["float64"] = h5py.SoftLink("/float64")


def virtual(file: h5py.File, canary: Path) -> None:
    del file["float64"]
    layout = h5py.VirtualLayout((3,), "<f8")
    layout[:] = h5py.VirtualSource(str(canary), "float64", shape=(3,))
    file.create_virtual_dataset("float64", layout)


def hard_cycle(file: h5py.File, canary: Path) -> None:
    file["float32"] = file["/"]


def alias(file: h5py.File, canary: Path) -> None:
    file["float32"] = file["float64"]


def committed_type(file: h5py.File, canary: Path) -> None:
    file["float32"] = np.dtype("<f4")


def skipped_filter(file: h5py.File, canary: Path) -> None:
    dataset = replace(file, shape=(3,), dtype="<f8", chunks=(3,), fletcher32=True)
    dataset.id.write_direct_chunk((0,), np.arange(3.0).tobytes(), filter_mask=1)


def stored_chunk(size: int, content: bytes) -> Edit:
    """Declare a dataset of one chunk and store other bytes in its place."""

    def edit(file: h5py.File, canary: Path) -> None:
        options = {"dtype": "<f8", "chunks": (size,), "fletcher32": True}
        replace(file, shape=(size,), **options).id.write_direct_chunk((0,), content)

    return edit


def deflated(file: h5py.File, declared: int, content: bytes) -> None:
    """Store a chunk of the JSON dataset that holds something else than it declares."""
    filters = {"compression": "gzip", "fletcher32": True}
    dataset = replace(file, "json", shape=(declared,), dtype="u1", chunks=(declared,), **filters)
    dataset.id.write_direct_chunk((0,), content + b"\0\0\0\0")


def bomb(file: h5py.File, canary: Path) -> None:
    deflated(file, 1000, zlib.compress(bytes(1 << 26), 9))


def declared_bomb(file: h5py.File, canary: Path) -> None:
    deflated(file, 1 << 26, zlib.compress(bytes(1 << 26), 9))


def truncated_deflate(file: h5py.File, canary: Path) -> None:
    text = json.dumps(DOCUMENT).encode()
    deflated(file, len(text), zlib.compress(text)[:-6])


def trailing_deflate(file: h5py.File, canary: Path) -> None:
    text = json.dumps(DOCUMENT).encode()
    deflated(file, len(text), zlib.compress(text) + b"more")


def many_members(file: h5py.File, canary: Path) -> None:
    for number in range(1000):
        file.create_group(f"g{number}")


def unknown_filter(file: h5py.File, canary: Path) -> None:
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_chunk((3,))
    plan.set_filter(32013, h5py.h5z.FLAG_OPTIONAL, ())
    del file["float64"]
    space = h5py.h5s.create_simple((3,))
    h5py.h5d.create(file.id, b"float64", h5py.h5t.IEEE_F64LE, space, plan).write(
        h5py.h5s.ALL, h5py.h5s.ALL, np.arange(3.0)
    )


def attribute(name: str, value: object, **options: object) -> Edit:
    def edit(file: h5py.File, canary: Path) -> None:
        if name in file.attrs:
            del file.attrs[name]
        file.attrs.create(name, value, **options)

    return edit


def version(value: object) -> Edit:
    return attribute("encoding-version", value)


def document(**changes: object) -> Edit:
    return lambda file, canary: put_json(file, {**DOCUMENT, **changes})


def entry(**changes: object) -> Edit:
    return document(arrays={"a": {**ENTRY, **changes}})


def text(content: bytes) -> Edit:
    return lambda file, canary: put_json(file, content)


def dataset(name: str = "float64", **options: object) -> Edit:
    return lambda file, canary: replace(file, name, **options)


def empty(size: int, chunk: int) -> Edit:
    return dataset(shape=(size,), dtype="<f8", chunks=(chunk,), fletcher32=True)


def member(name: str, **options: object) -> Edit:
    return lambda file, canary: file.create_dataset(name, **options)


GALLERY: dict[str, tuple[Edit, str]] = {
    # The numbers come from elsewhere.
    "external storage": (external_storage, "'float64' keeps its numbers elsewhere or not in one chunk"),
    "external json": (external_json, "'json' keeps its numbers elsewhere"),
    "external link": (external_link, "member 'float64' is a link to another place, expected a dataset"),
    "soft link": (soft_link, "member 'float32' is a link to another place"),
    "soft cycle": (soft_cycle, "member 'float64' is a link to another place"),
    "virtual dataset": (virtual, "'float64' keeps its numbers elsewhere"),
    # The tree is another one.
    "hard cycle": (hard_cycle, "member 'float32' is not a dataset"),
    "group": (lambda file, _: file.create_group("float32"), "member 'float32' is not a dataset"),
    "committed type": (committed_type, "member 'float32' is not a dataset"),
    "one dataset twice": (alias, "dataset 'float32' has another type than float32"),
    "unknown member": (member("weights\nline two", data=[1.0]), "unexpected member 'weights\\\\nline two'"),
    "many members": (many_members, "the root group has 1002 members, expected at most 5"),
    "no json": (lambda file, _: file.__delitem__("json"), "dataset 'json' is missing"),
    "attribute of a dataset": (
        lambda file, _: file["float64"].attrs.create("a", "b", dtype=VARIABLE),
        "dataset 'float64' has attributes",
    ),
    # Sizes that lie.
    "huge shape": (
        dataset(shape=(1 << 40,), dtype="<f8", chunks=(1 << 20,), fletcher32=True),
        "is not one chunk",
    ),
    "huge chunk": (
        dataset(shape=(1 << 26,), dtype="<f8", chunks=(1 << 26,), fletcher32=True),
        "is not one chunk",
    ),
    "nothing stored": (empty(3, chunk=3), "is not one chunk of one axis"),
    "short chunk": (stored_chunk(3, bytes(27)), "'float64' declares 24 bytes that the file does not hold"),
    "long chunk": (stored_chunk(3, bytes(9000)), "'float64' declares 24 bytes that the file does not hold"),
    "huge chunk of nothing": (
        stored_chunk(1 << 28, bytes(9)),
        "declares 2147483648 bytes that the file",
    ),
    "gzip bomb": (bomb, "dataset 'json' does not inflate to the 1000 bytes it declares"),
    "declared gzip bomb": (
        declared_bomb,
        "'json' declares 67108864 bytes, at most 4194304 are read",
    ),
    "truncated gzip": (truncated_deflate, "dataset 'json' does not inflate"),
    "trailing gzip": (trailing_deflate, "dataset 'json' does not inflate"),
    "extendable": (dataset(**flat(chunks=(8,), maxshape=(None,))), "is not one chunk of one axis"),
    "two axes": (dataset(**flat(data=np.ones((3, 1)), chunks=(3, 1))), "is not one chunk of one axis"),
    # Other filters and types.
    "compressed numbers": (dataset(**flat(compression="gzip")), r"has the filters \(1, 3\), expected \(3,\)"),
    "plugin filter": (unknown_filter, r"has the filters \(32013,\), expected \(3,\)"),
    "no checksum": (dataset(data=np.arange(3.0), chunks=(3,)), r"has the filters \(\), expected \(3,\)"),
    "skipped filter": (skipped_filter, "dataset 'float64' skips its filters"),
    "contiguous": (dataset(data=np.arange(3.0)), "'float64' keeps its numbers elsewhere or not in one chunk"),
    "scalar": (dataset(data=3.0), "'float64' keeps its numbers elsewhere or not in one chunk"),
    "big-endian": (dataset(**flat(data=np.arange(3.0, dtype=">f8"))), "has another type than float64"),
    "integers": (dataset(**flat(data=np.arange(3))), "has another type than float64"),
    "compound": (dataset(**flat(data=np.zeros(3, "f8,i4"))), "has another type than float64"),
    "object references": (
        lambda file, _: replace(
            file, data=[file.ref] * 3, dtype=h5py.ref_dtype, chunks=(3,), fletcher32=True
        ),
        "has another type than float64",
    ),
    "variable-length strings": (
        dataset(data=["x"] * 3, dtype=VARIABLE, chunks=(3,)),
        "has another type than float64",
    ),
    # Numbers that are not finite.
    "nan": (dataset(**flat(data=np.array([0, np.nan, 1]))), "'float64' holds numbers that are not finite"),
    "infinity": (
        dataset(**flat(data=np.array([0, -np.inf, 1]))),
        "'float64' holds numbers that are not finite",
    ),
    # Version and kind.
    "other encoding": (attribute("encoding-type", np.bytes_(b"dict")), "unknown encoding 'dict'"),
    "newer encoding": (
        version(np.bytes_(b"2.0")),
        "encoding version '2.0', expected 1.0; update pinnkan to read it",
    ),
    "no version": (version(np.bytes_(b"one")), "encoding version 'one', expected 1.0"),
    "variable-length attribute": (
        attribute("encoding-type", "pinnkan-adapter", dtype=VARIABLE),
        "attribute 'encoding-type' is not a fixed-length string",
    ),
    "number as attribute": (
        version(1.0),
        "'encoding-version' is not a fixed-length string",
    ),
    "list as attribute": (
        version(np.array([b"1.0"])),
        "is not one string of at most 64",
    ),
    "long attribute": (
        version(np.bytes_(b"1" * 65)),
        "is not one string of at most 64",
    ),
    "attribute that is no ASCII": (
        version(np.bytes_(b"\xff")),
        "can't decode byte 0xff",
    ),
    "further attribute": (attribute("more", "x", dtype=VARIABLE), "must have exactly the attributes"),
    "attribute missing": (
        lambda file, _: (file.attrs.__delitem__("encoding-type"), file.attrs.create("x", 1)),
        "attribute 'encoding-type' is missing",
    ),
    # The JSON text.
    "no object": (text(b"[1]"), "the JSON text is not an object"),
    "no JSON": (text(b"{" * 9), "Expecting property name"),
    "no UTF-8": (text(b'{"\xff": 1}'), "can't decode byte 0xff"),
    "nested JSON": (text(b"[" * 100_000), "nested"),
    "deep JSON": (document(meta={"a": json.loads("[" * 40 + "]" * 40)}), "is nested more than 32 deep"),
    "NaN in JSON": (text(b'{"meta": {"a": NaN}}'), "the JSON text holds NaN"),
    "infinity in JSON": (text(b'{"meta": {"a": 1e999}}'), "document.meta.a is inf"),
    "long integer": (text(b'{"meta": ' + b"9" * 5000 + b"}"), "Exceeds the limit|more than 64 bits"),
    "repeated key": (text(b'{"meta": {}, "meta": {"a": 1}}'), "the JSON text repeats a key"),
    "lone surrogate": (text(b'{"meta": {"a": "\\ud800"}}'), "holds a text that is not valid Unicode"),
    "no meta": (document(meta=None), "the JSON text has no object 'meta'"),
    "no index": (document(arrays=[]), "the index of arrays must be an object"),
    "long index": (document(arrays={f"a{i}": ENTRY for i in range(5000)}), "of at most 4096 entries"),
    "bad array name": (document(arrays={"../a": ENTRY}), "array name '../a' is not of letters"),
    "entry is no object": (document(arrays={"a": 1}), "the index entry of array 'a' is not an object"),
    "unknown dtype": (entry(dtype="object"), "array 'a' names the unknown dtype 'object'"),
    "dtype is no text": (entry(dtype=["float64"]), "array 'a' names the unknown dtype"),
    "negative shape": (entry(shape=[-3]), r"array 'a' has the impossible shape \[-3\]"),
    "shape too large": (entry(shape=[1 << 62, 4]), "array 'a' has the impossible shape"),
    "too many axes": (entry(shape=[1] * 9), "array 'a' has the impossible shape"),
    "shape is no list": (entry(shape=3), "array 'a' has the impossible shape 3"),
    "true is no number": (entry(start=True), "array 'a' spans True to 3, which does not fit"),
    "shape does not fit": (entry(shape=[4]), "array 'a' spans 0 to 3, which does not fit its shape"),
    "beyond the end": (
        entry(stop=4, shape=[4]),
        "arrays listed do not tile the 3 numbers of dataset 'float64'",
    ),
    "hole": (entry(start=1, shape=[2]), "do not tile the 3 numbers"),
    "numbers unlisted": (entry(stop=2, shape=[2]), "do not tile the 3 numbers"),
    "overlap": (document(arrays={"a": ENTRY, "b": ENTRY}), "do not tile the 3 numbers"),
    "dataset missing": (entry(dtype="float32"), "do not tile the 3 numbers of dataset 'float64'"),
}

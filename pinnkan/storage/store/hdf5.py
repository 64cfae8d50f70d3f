"""The HDF5 part of a stored file: the only module that touches h5py.

Files are built and parsed in memory. libhdf5 never opens a path of ours: no
half-written file, no lock, no plugin, and a hostile file that points elsewhere
(external storage, external links, virtual datasets) is refused before anything
is followed.
"""

from __future__ import annotations

import io
import os
import zlib
from typing import Any

import numpy as np

from pinnkan.storage.store.layout import DTYPES, JSON_NAME, MAX_JSON_BYTES, USER_BLOCK_BYTES, Array, Contents

# Before h5py is imported, or libhdf5 loads every library of its plugin path when a file names an unknown
# filter. Reader and writer import this module when they are called, so `import pinnkan` sets nothing.
os.environ.setdefault("HDF5_PLUGIN_PRELOAD", "::")
import h5py

_CHECKSUM_BYTES = 4
_MAX_ATTRIBUTE_BYTES = 64


def build_hdf5(contents: Contents) -> bytes:
    """Return the HDF5 part of a file, to be put behind a user block.

    The same contents give the same bytes (no time stamps). ``v110`` writes
    checksummed metadata that HDF5 1.10 and later read; ``latest`` would change
    its meaning with the library.
    """
    buffer = io.BytesIO()
    with _create_in(buffer) as file:
        for key, value in (("encoding-type", contents.encoding), ("encoding-version", contents.version)):
            file.attrs.create(key, np.bytes_(value.encode("ascii")))
        for key, array in contents.flat.items():
            file.create_dataset(key, data=array, chunks=array.shape, fletcher32=True)
        text = np.frombuffer(contents.text, np.uint8)
        gzip = {"compression": "gzip", "compression_opts": 9}
        file.create_dataset(JSON_NAME, data=text, chunks=text.shape, fletcher32=True, **gzip)
    return buffer.getvalue()[USER_BLOCK_BYTES:]


def parse_hdf5(data: bytes) -> Contents:
    """Walk a whole file, user block included, whose checksum holds but whose author is unknown.

    Raises:
        ValueError: If the file holds anything that ``build_hdf5`` does not
            write. libhdf5 may raise errors of its own on crafted metadata.
    """
    with h5py.File(io.BytesIO(data), "r") as file:
        if file.userblock_size != USER_BLOCK_BYTES:
            raise ValueError("the HDF5 part does not begin behind the user block")
        root = h5py.h5g.open(file.id, b"/")
        names = _checked_names(root)
        encoding, version = _attributes(root)
        flat = {name: _flat_array(root, name, len(data)) for name in names if name != JSON_NAME}
        return Contents(encoding, version, flat, _json_text(root, len(data)))


def _create_in(buffer: io.BytesIO) -> Any:
    # By the low-level interface, because h5py.File before 3.15 cannot leave out the time stamps of the root.
    # Not by HDF5's in-memory files: HDF5 1.14 returns their image with a wrong checksum in it.
    plan = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    plan.set_userblock(USER_BLOCK_BYTES)
    plan.set_obj_track_times(False)
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_libver_bounds(h5py.h5f.LIBVER_V110, h5py.h5f.LIBVER_V110)
    access.set_fclose_degree(h5py.h5f.CLOSE_STRONG)
    access.set_fileobj_driver(h5py.h5fd.fileobj_driver, buffer)
    return h5py.File(h5py.h5f.create(repr(buffer).encode(), h5py.h5f.ACC_TRUNC, fcpl=plan, fapl=access))


def _checked_names(root: Any) -> list[str]:
    known = {*DTYPES, JSON_NAME}
    if root.get_num_objs() > len(known):
        raise ValueError(f"the root group has {root.get_num_objs()} members, expected at most {len(known)}")
    names = [raw.decode("utf-8", "replace") for raw in root]
    for name in names:
        if name not in known:
            raise ValueError(f"unexpected member {name!r:.60}")
        if root.links.get_info(name.encode()).type != h5py.h5l.TYPE_HARD:
            raise ValueError(f"member {name!r} is a link to another place, expected a dataset")
        if h5py.h5o.get_info(root, name.encode()).type != h5py.h5o.TYPE_DATASET:
            raise ValueError(f"member {name!r} is not a dataset")
    if JSON_NAME not in names:
        raise ValueError(f"dataset {JSON_NAME!r} is missing")
    return names


def _attributes(root: Any) -> tuple[str, str]:
    if h5py.h5a.get_num_attrs(root) != 2:
        raise ValueError("the root group must have exactly the attributes encoding-type and encoding-version")
    return _short_text(root, "encoding-type"), _short_text(root, "encoding-version")


def _short_text(root: Any, name: str) -> str:
    # Reading a damaged variable-length string has sent libhdf5 into an endless loop: look at the type first.
    if not h5py.h5a.exists(root, name.encode()):
        raise ValueError(f"attribute {name!r} is missing")
    attribute = h5py.h5a.open(root, name.encode())
    kind = attribute.get_type()
    if not isinstance(kind, h5py.h5t.TypeStringID) or kind.is_variable_str():
        raise ValueError(f"attribute {name!r} is not a fixed-length string")
    if kind.get_size() > _MAX_ATTRIBUTE_BYTES or attribute.shape != ():
        raise ValueError(f"attribute {name!r} is not one string of at most {_MAX_ATTRIBUTE_BYTES} bytes")
    value = np.empty((), f"S{kind.get_size()}")
    attribute.read(value)
    return bytes(value[()]).decode("ascii")


def _open_dataset(root: Any, name: str, kind: Any, filters: tuple[int, ...]) -> Any:
    """Open a dataset that is exactly one stored chunk of one axis; nothing of it is read yet."""
    dataset = h5py.h5d.open(root, name.encode())
    plan = dataset.get_create_plist()
    if plan.get_layout() != h5py.h5d.CHUNKED or plan.get_external_count() != 0:
        raise ValueError(f"dataset {name!r} keeps its numbers elsewhere or not in one chunk")
    if not dataset.get_type().equal(h5py.h5t.py_create(kind)):
        raise ValueError(f"dataset {name!r} has another type than {kind}")
    found = tuple(plan.get_filter(i)[0] for i in range(plan.get_nfilters()))
    if found != filters:
        raise ValueError(f"dataset {name!r} has the filters {found}, expected {filters}")
    if len(dataset.shape) != 1 or plan.get_chunk() != dataset.shape or dataset.get_num_chunks() != 1:
        raise ValueError(f"dataset {name!r} of shape {dataset.shape!r:.60} is not one chunk of one axis")
    if dataset.get_chunk_info(0).filter_mask != 0:
        raise ValueError(f"dataset {name!r} skips its filters")
    if h5py.h5a.get_num_attrs(dataset) != 0:
        raise ValueError(f"dataset {name!r} has attributes, expected none")
    return dataset


def _flat_array(root: Any, name: str, file_bytes: int) -> Array:
    kind = DTYPES[name]
    dataset = _open_dataset(root, name, kind, (h5py.h5z.FILTER_FLETCHER32,))
    declared = dataset.shape[0] * kind.itemsize
    # Uncompressed: what is declared is what lies in the file, so no shape can ask for more memory than that.
    if declared > file_bytes or dataset.get_storage_size() != declared + _CHECKSUM_BYTES:
        raise ValueError(f"dataset {name!r} declares {declared} bytes that the file does not hold")
    array: Array = np.empty(dataset.shape, kind)
    dataset.read(h5py.h5s.ALL, h5py.h5s.ALL, array)
    if kind.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"dataset {name!r} holds numbers that are not finite")
    return array


def _json_text(root: Any, file_bytes: int) -> bytes:
    filters = (h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_FLETCHER32)
    dataset = _open_dataset(root, JSON_NAME, DTYPES["uint8"], filters)
    declared, stored = dataset.shape[0], dataset.get_storage_size()
    if declared > MAX_JSON_BYTES or stored > file_bytes:
        raise ValueError(
            f"dataset {JSON_NAME!r} declares {declared} bytes, at most {MAX_JSON_BYTES} are read"
        )
    # libhdf5 would inflate a chunk to whatever it holds; zlib stops at the declared size.
    _, chunk = dataset.read_direct_chunk((0,))
    inflate = zlib.decompressobj()
    text = inflate.decompress(chunk[:-_CHECKSUM_BYTES], declared + 1)
    if len(text) != declared or not inflate.eof or inflate.unused_data:
        raise ValueError(f"dataset {JSON_NAME!r} does not inflate to the {declared} bytes it declares")
    return text

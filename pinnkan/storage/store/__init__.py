"""HDF5 files of networks and adapters: atomic writer, guarded reader; layout in FORMAT.md."""

from pinnkan.storage.store.hashing import hash_arrays
from pinnkan.storage.store.reader import Stored, read_store, verify
from pinnkan.storage.store.writer import write_store

__all__ = [
    "Stored",
    "hash_arrays",
    "read_store",
    "verify",
    "write_store",
]

"""HDF5 files of networks and adapters: atomic writer, guarded reader; layout in FORMAT.md."""

from pinnkan.store.durable import require_writable
from pinnkan.store.hashing import hash_arrays
from pinnkan.store.leftovers import clean_leftovers
from pinnkan.store.reader import Stored, read_store, verify
from pinnkan.store.writer import write_store

__all__ = [
    "Stored",
    "clean_leftovers",
    "hash_arrays",
    "read_store",
    "require_writable",
    "verify",
    "write_store",
]

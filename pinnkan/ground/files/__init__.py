"""Files that appear whole or not at all, and what writers leave behind."""

from pinnkan.ground.files.durable import atomic_writer, replace_file, replace_unsynced, require_writable
from pinnkan.ground.files.leftovers import clean_leftovers, host_name, may_be_written_by
from pinnkan.ground.files.reading import read_data, read_file

__all__ = [
    "atomic_writer",
    "clean_leftovers",
    "host_name",
    "may_be_written_by",
    "read_data",
    "read_file",
    "replace_file",
    "replace_unsynced",
    "require_writable",
]

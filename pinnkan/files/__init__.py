"""Files that appear whole or not at all, and what writers leave behind."""

from pinnkan.files.durable import atomic_writer, read_file, replace_file, replace_news, require_writable
from pinnkan.files.leftovers import clean_leftovers, host_name, may_be_written_by

__all__ = [
    "atomic_writer",
    "clean_leftovers",
    "host_name",
    "may_be_written_by",
    "read_file",
    "replace_file",
    "replace_news",
    "require_writable",
]

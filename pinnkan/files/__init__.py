"""Files that appear whole or not at all, and what writers leave behind."""

from pinnkan.files.durable import atomic_writer, read_file, replace_file, require_writable
from pinnkan.files.leftovers import clean_leftovers

__all__ = ["atomic_writer", "clean_leftovers", "read_file", "replace_file", "require_writable"]

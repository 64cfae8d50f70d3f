"""Tables of numbers that the user brings: CSV and NPZ files, read in one place and behind one guard."""

from pinnkan.ground.datafiles.columns import LARGEST_FILE, Columns, DataFile
from pinnkan.ground.datafiles.csv_text import CsvFault, decode_text, read_csv_rows

__all__ = ["LARGEST_FILE", "Columns", "CsvFault", "DataFile", "decode_text", "read_csv_rows"]

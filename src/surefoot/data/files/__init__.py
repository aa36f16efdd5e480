"""Populations from data files: ROOT, npz and Parquet, read in chunks, by the names of columns."""

from surefoot.data.files.base import DataFile, Jagged
from surefoot.data.files.columns import Names, read_columns, resolve
from surefoot.data.files.loading import load_population, open_data_file
from surefoot.data.files.writing import write_data_file

__all__ = [
    "DataFile",
    "Jagged",
    "Names",
    "load_population",
    "open_data_file",
    "read_columns",
    "resolve",
    "write_data_file",
]

"""Populations from data files: ROOT, npz and Parquet, read in chunks, by the names of columns."""

from surefoot.data.files.loading import load_population
from surefoot.data.files.opening import open_table
from surefoot.data.files.parts import read_parts
from surefoot.data.files.table import Jagged, Table
from surefoot.data.files.writing import write_table

__all__ = ["Jagged", "Table", "load_population", "open_table", "read_parts", "write_table"]

"""Small tables in every kind of file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from surefoot.data.files import write_data_file

Columns = dict[str, NDArray]
Write = Callable[..., str]
KINDS = ("root", "npz", "parquet")


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def columns() -> Columns:
    generator = np.random.default_rng(5)
    return {
        "deposits": generator.exponential(size=(60, 9)).astype(np.float32),
        "energy": generator.uniform(1.0, 100.0, 60),
        "x": generator.normal(size=60).astype(np.float32),
        "shower": np.repeat(np.arange(30), 2),
    }


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write columns to a file of the kind and return its path."""

    def write(kind: str, columns: Columns, rows: int = 25, **options: object) -> str:
        path = tmp_path / f"table.{kind}"
        length = len(next(iter(columns.values())))
        chunks = (
            {name: values[start : start + rows] for name, values in columns.items()}
            for start in range(0, length, rows)
        )
        assert write_data_file(path, chunks, **options) == length
        return str(path)

    return write

"""docs/data.md: its Python runs, its study files are read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from surefoot.study_files.read import read_study_file

TEXT = (Path(__file__).parents[1] / "docs/data.md").read_text(encoding="utf-8")


def test_the_python_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    scope: dict[str, object] = {}
    for program in re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL):
        exec(compile(program, "docs/data.md", "exec"), scope)
    assert capsys.readouterr().out.startswith("('rooms', 'area')\n")


@pytest.mark.parametrize("table", re.findall(r"```toml\n(.*?)```", TEXT, flags=re.DOTALL))
def test_the_tables_are_those_of_a_study_file(tmp_path: Path, table: str) -> None:
    rest = "\n[loss]\nname = 'rmse'\n"
    if "[[space]]" not in table:
        rest += "[space]\nfamily = 'estimator'\nclass = 'sklearn.svm.SVR'\n"
    (tmp_path / "s.toml").write_text(table + rest)
    assert read_study_file(tmp_path / "s.toml").tables.population.source.startswith("houses")

"""The house: no circles of imports, every module under the contract, tests that stand alone."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

ROOT = Path(__file__).parents[1]
FACES = ("calorimeter", "errors", "journal", "racing", "testing")


def circles(imports: dict[str, set[str]]) -> list[set[str]]:
    """Return the sets of modules that import one another, given what each imports."""
    place = {module: number for number, module in enumerate(sorted(imports))}
    edges = [(place[a], place[b]) for a in imports for b in imports[a] if b in place]
    rows, columns = np.array(edges).T
    graph = coo_array((np.ones(len(edges)), (rows, columns)), shape=(len(place),) * 2)
    _, groups = connected_components(graph, connection="strong")
    found = [{m for m in place if groups[place[m]] == group} for group in set(groups.tolist())]
    return [group for group in found if len(group) > 1]


def imported(file: Path) -> set[str]:
    """Return the modules a file imports anywhere in it, also for types and within functions."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names |= {node.module}
    return names


def test_no_benchmarks_import_one_another() -> None:
    files = (ROOT / "benchmarks").glob("*.py")
    assert circles({file.stem: imported(file) for file in files}) == []


def test_every_room_is_in_the_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers, calorimeter = contracts["contracts"]
    rooms = {room for layer in layers["layers"] for room in layer.split(" : ")}
    there = {p.stem for p in (ROOT / "src/surefoot").iterdir() if p.suffix in ("", ".py")}
    there -= {"__init__", "__pycache__"}
    assert there - rooms == set(layers["exhaustive_ignores"])
    assert {f"surefoot.{room}" for room in rooms} == set(calorimeter["source_modules"])


def test_tests_import_helpers_and_never_each_other() -> None:
    bad = re.compile(r"(?:from|import) (tests\.[\w.]*\btest_\w+)|from tests[\w.]* import test_")
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for match in bad.finditer(path.read_text(encoding="utf-8"))
        if path != Path(__file__)
    ]
    assert found == []


@pytest.mark.parametrize(
    "page", ["README.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
)
def test_documents_import_from_public_faces_only(page: str) -> None:
    assert inner((ROOT / page).read_text(encoding="utf-8")) == []


def inner(text: str) -> list[str]:
    """Return the paths into modules of surefoot that are no public face."""
    faces = "|".join(FACES)
    names = re.findall(r'(?<!entry-points.")\bsurefoot\.[a-z_]+(?:\.\w+)*', text)
    rooms = {path.stem for path in (ROOT / "src/surefoot").iterdir()}
    return [
        name
        for name in names
        if name.split(".")[1] in rooms and not re.fullmatch(rf"surefoot\.({faces})(\.\w+)?", name)
    ]

"""The house: no circles of imports, every module under the contract, tests that stand alone."""

from __future__ import annotations

import ast
import importlib.util
import re
import tomllib
from pathlib import Path

import grimp
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


def test_no_modules_import_one_another_not_even_for_types() -> None:
    graph = grimp.build_graph("surefoot", cache_dir=None)
    imports = {m: graph.find_modules_directly_imported_by(m) for m in graph.modules}
    assert circles(imports) == []


def test_no_benchmarks_import_one_another() -> None:
    files = (ROOT / "benchmarks").glob("*.py")
    assert circles({file.stem: imported(file) for file in files}) == []


@pytest.mark.parametrize("folder", ["benchmarks", "examples", "tools"])
def test_scripts_import_what_there_is(folder: str) -> None:
    missing = [
        f"{file.name}: {node.module}.{alias.name}"
        for file in sorted((ROOT / folder).glob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("surefoot")
        for alias in node.names
        if not hasattr(importlib.import_module(str(node.module)), alias.name)
        and importlib.util.find_spec(f"{node.module}.{alias.name}") is None
    ]
    assert missing == []


def test_every_room_is_in_the_contract() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (contract,) = settings["contracts"]
    assert contract["exhaustive"]
    assert contract.get("exhaustive_ignores", []) == []
    rooms = {room for layer in contract["layers"] for room in layer.split(" : ")}
    assert rooms == {path.stem for path in there(ROOT / "src/surefoot")}


def test_the_page_of_the_architecture_names_every_room() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    rooms = {path.stem for path in there(ROOT / "src/surefoot")} - {"__main__"}
    assert {room for room in rooms if not re.search(rf"\b{room}\b", page)} == set()


def there(folder: Path) -> list[Path]:
    """Return the modules and packages in a folder."""
    known = [path for path in folder.iterdir() if path.suffix == ".py" or any(path.rglob("*.py"))]
    return [path for path in known if path.stem not in ("__init__", "__pycache__")]


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


@pytest.mark.parametrize("example", [p.name for p in (ROOT / "examples").iterdir() if p.is_file()])
def test_examples_import_from_public_faces_only(example: str) -> None:
    assert inner((ROOT / "examples" / example).read_text(encoding="utf-8")) == []


def inner(text: str) -> list[str]:
    """Return the paths into modules that are no public face; groups of entry points are none."""
    rooms = {path.stem for path in there(ROOT / "src/surefoot")}
    names = re.findall(r"\bsurefoot\.([a-z_]+)((?:\.\w+)*)", text)
    return [
        f"surefoot.{room}{rest}"
        for room, rest in names
        if room in rooms and rest and not (room in FACES and rest.count(".") == 1)
    ]

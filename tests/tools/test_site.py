"""The site: every page is in its navigation, links lead where they do on GitHub."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
from pymdownx.slugs import slugify

ROOT = Path(__file__).parents[2]


def tool(name: str) -> ModuleType:
    """Return a module of tools/, which is no package."""
    spec = importlib.util.spec_from_file_location(f"tools_{name}", ROOT / f"tools/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGES, DOCSTRINGS = tool("site_pages"), tool("docstrings")
PATHS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", ROOT / "SECURITY.md"]
PATHS += sorted((ROOT / "docs").rglob("*.md"))


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    named = set(re.findall(r"([\w./]+\.md)$", navigation, flags=re.MULTILINE))
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    pages |= {place for place in PAGES.DOCUMENTS.values() if place.endswith(".md")}
    assert named == pages | {f"api/{face}.md" for face in PAGES.FACES}


def test_every_public_face_has_a_page_with_all_its_names() -> None:
    told = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("public face (")[2]
    assert sorted(PAGES.FACES) == sorted(re.findall(r"`([\w.]+)`", told.partition(")")[0]))
    assert "\n::: surefoot.racing.Halving\n" in PAGES.page_of_face("surefoot.racing")


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_links_lead_somewhere_on_github(path: Path) -> None:
    """The site's are checked once more when it is built."""
    text = path.read_text(encoding="utf-8")
    for link in PAGES.LINK.findall(text):
        assert (path.parent / link).exists(), link
    for link, anchor in re.findall(r"\]\(([^:)#\s]*)#([^)\s]+)\)", text):
        page = path.parent / link if link else path
        headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert anchor in [slugify(case="lower")(heading, "-") for heading in headings], anchor


@pytest.mark.parametrize(
    ("place", "link", "leads"),
    [
        ("index.md", "docs/race.md#rounds", "race.md#rounds"),
        ("index.md", "docs/figures/training.svg", "figures/training.svg"),
        ("index.md", "examples", "examples/index.md"),
        ("index.md", "CONTRIBUTING.md", "contributing.md"),
        ("index.md", "https://example.org/docs/a.md", "https://example.org/docs/a.md"),
        ("race.md", "../README.md", "index.md"),
        ("race.md", "data.md", "data.md"),
        ("race.md", "#rounds", "#rounds"),
        ("recipes.md", "../examples/energy.toml", "examples/energy.toml"),
        ("development/gpu.md", "../benchmarks.md", "../benchmarks.md"),
        ("policy.md", "docs/security.md", "security.md"),
    ],
)
def test_a_link_leads_to_the_page_made_of_what_it_names(place: str, link: str, leads: str) -> None:
    assert PAGES.linked(f"a [b]({link}) c", place) == f"a [b]({leads}) c"


def test_examples_are_listed_with_their_first_words() -> None:
    page = PAGES.page_of_examples([ROOT / "examples/energy.toml", ROOT / "examples/digits.py"])
    assert "- [energy.toml](energy.toml): Which of 64 small networks predicts the energy" in page
    assert "- [digits.py](digits.py): Small convolutional networks" in page


@pytest.mark.parametrize(
    ("docstring", "markdown"),
    [
        ("Add.\n\n>>> 1 + 1\n2", "Add.\n\n```pycon\n>>> 1 + 1\n2\n```"),
        ("By\n\nExamples\n--------\n>>> 1", "By\n\nExamples\n--------\n>>> 1"),
        ("So::\n\n    a\n\n    b\n\nEnd.", "So:\n\n```text\n    a\n\n    b\n```\n\nEnd."),
        ("T\n\n===  ===\na    b\n===  ===", "T\n\n```text\n===  ===\na    b\n===  ===\n```"),
        (
            "F.\n\nParameters\n----------\na\n    One.\n\n    Two.\n\nRaises `E`.",
            "F.\n\nParameters\n----------\na\n    One.\n\n    Two.\n\nNotes\n-----\nRaises `E`.",
        ),
        (
            "F.\n\nParameters\n----------\na\n    One.\n\nReturns\n-------\nb",
            "F.\n\nParameters\n----------\na\n    One.\n\nReturns\n-------\nb",
        ),
    ],
)
def test_docstrings_become_markdown(docstring: str, markdown: str) -> None:
    assert DOCSTRINGS.as_markdown(docstring) == markdown

"""Pages of the site that `mkdocs.yml` describes and that are not in docs/: a hook of MkDocs.

The README is its first page; the other documents beside it, the examples and the modules of the
public faces are pages too. On GitHub a link leads as it stands, from the file that it is in; here
to the page or file of the site that was made of what it names.
"""

from __future__ import annotations

import importlib
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
FACES = (
    "surefoot",
    "surefoot.racing",
    "surefoot.journal",
    "surefoot.errors",
    "surefoot.testing",
    "surefoot.calorimeter",
)
WIDE = ".md-grid { max-width: 76rem }"
"""Style: sessions of terminals fit in."""
DOCUMENTS = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "policy.md",
    "LICENSE": "license.txt",
    "CITATION.cff": "citation.cff",
    "examples": "examples/index.md",
}
"""What stands outside of docs/, by its path in the repository, and where it is in the site."""
LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)#\s]+)")
"""The path in a link of Markdown, unless it leads out of the repository or to its own page."""


def on_files(files: Files, config: Any) -> Files:
    """Add what is not in docs/."""

    def add(place: str, text: str) -> None:
        files.append(File.generated(config, place, content=text))

    for document, place in DOCUMENTS.items():
        if (ROOT / document).is_file():
            add(place, (ROOT / document).read_text(encoding="utf-8"))
    examples = [path for path in sorted((ROOT / "examples").rglob("*.*")) if path.is_file()]
    for path in examples:
        add(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
    add(DOCUMENTS["examples"], page_of_examples(examples))
    add("wide.css", WIDE)
    for face in FACES:
        add(f"api/{face}.md", page_of_face(face))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Lead the links of a page to the pages of the site."""
    return linked(markdown, page.file.src_uri)


def linked(markdown: str, place: str) -> str:
    """Return the text of the site's page at a place with its links as the site has them."""
    home = {site: document for document, site in DOCUMENTS.items()}.get(place, f"docs/{place}")
    if place == DOCUMENTS["examples"] or place.startswith("api/"):
        return markdown

    def lead(match: re.Match[str]) -> str:
        named = posixpath.normpath(posixpath.join(posixpath.dirname(home), match[1]))
        site = DOCUMENTS.get(named, named.removeprefix("docs/"))
        return posixpath.relpath(site, posixpath.dirname(place) or ".")

    return LINK.sub(lead, markdown)


def page_of_examples(examples: list[Path]) -> str:
    """Return the list of the examples, each with its first words."""
    lines = ["# Examples", "", "Study files and programs to start from.", ""]
    for path in examples:
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(ROOT / "examples").as_posix()
        words = text.split('"""')[1] if path.suffix == ".py" else comment(text)
        words = re.sub(r"^surefoot .*\n", "", words)
        first = re.split(r"(?<=[.:?])\s", " ".join(words.split()), maxsplit=1)[0]
        lines.append(f"- [{name}]({name}): {first.rstrip(':')}")
    return "\n".join([*lines, ""])


def comment(text: str) -> str:
    """Return the comment that a study file begins with."""
    lines = text.splitlines()
    ends = next((n for n, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return "\n".join(line.lstrip("# ") for line in lines[:ends])


def page_of_face(name: str) -> str:
    """Return the page of a module: what it is, and everything that it makes public."""
    names = importlib.import_module(name).__all__
    options = "    options: {members: false, show_root_heading: false, show_root_toc_entry: false}"
    head = f"# {name}\n\n::: {name}\n{options}"
    return "\n\n".join([head, *(f"::: {name}.{one}" for one in names), ""])

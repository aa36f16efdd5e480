"""Docstrings as the site shows them: an extension of Griffe, which reads them for `mkdocs.yml`.

They are written for readers of the source; in Markdown their sessions, literal blocks and tables
need fences, and what follows the parameters a heading.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import griffe

SECTION = re.compile(r"-{3,}$")
RULE = re.compile(r"=+( +=+)+$")


class Docstrings(griffe.Extension):
    """Writes every docstring as Markdown before it is parsed."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of a module, class, function or attribute."""
        if obj.docstring is not None:
            obj.docstring.value = as_markdown(obj.docstring.value)


def as_markdown(docstring: str) -> str:
    """Return a docstring with fences and headings where Markdown needs them."""
    written: list[str] = []
    section, literal = "", False
    for block in re.split(r"\n\s*\n", docstring):
        lines = block.split("\n")
        if literal and block.startswith("    "):
            written.append(fenced("text", block))
            continue
        literal = False
        if len(lines) > 1 and SECTION.match(lines[1]):
            section = lines[0]
        elif section in ("Parameters", "Attributes") and not block.startswith(" "):
            written.append("Notes\n-----")
            section = "Notes"
        if block.lstrip().startswith(">>>") and section != "Examples":
            block = fenced("pycon", block)
        elif RULE.match(lines[0]):
            block = fenced("text", block)
        elif block.endswith("::"):
            block, literal = block[:-1], True
        if written[-1:] == ["Notes\n-----"]:
            block = f"{written.pop()}\n{block}"
        written.append(block)
    return "\n\n".join(joined(written))


def joined(blocks: list[str]) -> list[str]:
    """Return blocks of which neighbours of one fenced text are one."""
    found = blocks[:1]
    for before, block in pairwise(blocks):
        if before.startswith("```text") and block.startswith("```text"):
            found[-1] = found[-1][: -len("\n```")] + "\n\n" + block.removeprefix("```text\n")
        else:
            found.append(block)
    return found


def fenced(language: str, block: str) -> str:
    """Return code in fences: a session as far in as it is, anything else at the margin."""
    margin = block[: len(block) - len(block.lstrip())] if language == "pycon" else ""
    return f"{margin}```{language}\n{block}\n{margin}```"

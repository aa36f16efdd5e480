"""The section of docs/clusters.md about a shared database does what it says, on a real server."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from surefoot.journal import Journal
from tests.postgres import Server

PAGE = (Path(__file__).parents[1] / "docs" / "clusters.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## A shared database")[2].partition("\n## ")[0]
HOST = "ann@db.example"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", SECTION, flags=re.DOTALL)


def masked(text: str) -> list[str]:
    """Return the words of lines without what differs from one run to the next."""
    text = re.sub(r"[0-9a-f]{64}|[0-9a-f]{4}…", "DIGEST", text)
    text = re.sub(r"\d[\d,.:]*", "N", text)
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


@pytest.fixture
def lab(postgres: Server) -> str:
    """Set the server up as the page says; return what stands for user and host there."""
    postgres.sql("DROP DATABASE IF EXISTS shared", database="postgres")
    (commands,) = blocks("sql")
    renamed = commands.replace("races", "shared").replace("ann", "anna")
    for statement in filter(str.strip, renamed.split(";")):
        postgres.sql(statement, database="postgres")
    postgres.sql("CREATE ROLE ben LOGIN IN ROLE lab", database="postgres")
    postgres.sql("ALTER ROLE ben IN DATABASE shared SET role = 'lab'", database="postgres")
    yield f"anna@127.0.0.1:{postgres.port}"
    postgres.sql("DROP DATABASE shared", database="postgres")
    postgres.sql("DROP ROLE anna, ben, lab", database="postgres")


def test_a_group_shares_its_journals_as_the_page_says(folder, run, lab, capsys):
    def here(text: str) -> str:
        return text.replace(f"{HOST}/races", f"{lab}/shared")

    (session,) = blocks("console")
    for turn in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
        command, _, shown = turn.partition("\n")
        code, out, err = run(*shlex.split(here(command))[1:])
        assert (command, code, err) == (command, 0, "")
        told = masked(out)
        for line in masked(here(shown)):
            assert line == "…" or line in told, (line, out)
    (code,) = blocks("python")
    exec(compile(here(code), "docs/clusters.md", "exec"), {})
    assert capsys.readouterr().out.startswith("small finished the race's ")
    other = here(f"postgresql://{HOST}/races?study=small").replace("anna@", "ben@")
    with Journal.read(other) as journal:
        count = journal.count()
    assert run("select", "small.toml", "-j", other)[0] == 0
    with Journal.read(other) as journal:
        assert journal.count() == count

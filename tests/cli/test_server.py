"""The commands with a journal on a server, as with a file; no password is ever printed."""

from __future__ import annotations

import shutil

import pytest

from surefoot.journal import Journal, verify
from tests.postgres import PASSWORD, Server


def losses(place):
    with Journal.read(place) as journal:
        return [(o.candidate, o.role, o.instance, o.loss) for o in journal.outcomes()]


@pytest.fixture
def url(postgres: Server, request) -> str:
    """The journal of a test, whose URL holds a password."""
    return postgres.url(request.node.name[:50].replace("[", "-"), f"guarded:{PASSWORD}")


def test_a_race_on_a_server_is_that_in_a_file(folder, run, url, postgres, monkeypatch):
    monkeypatch.setattr("sys.argv", ["surefoot", "select", "small.toml", "-j", url])
    code, out, err = run("select", "small.toml", "-j", url)
    shown = url.replace(f":{PASSWORD}", "")
    assert (code, err) == (0, "")
    assert f"Journal       {shown}" in out
    assert f"surefoot show '{shown}'" in out
    stem = url.rpartition("=")[2]
    kept = str(postgres.dumped(stem))
    assert "surefoot select small.toml -j" in kept
    assert PASSWORD not in kept
    assert (folder / f"{stem}.png").stat().st_size > 1000
    assert run("select", "small.toml")[0] == 0
    assert sorted(losses(url)) == sorted(losses("small.db"))

    for command in (
        ("show", url),
        ("show", url, "-c", "winner"),
        ("rerace", url, "--criterion", "max"),
        ("plot", url, "race.svg"),
        ("export", url, "outcomes.csv"),
        ("check", url, "--replay", "2"),
        ("replay", url, "winner", "0"),
        ("report", url),
        ("select", "small.toml", "-j", url),
        ("assess", "small.toml", "--from", url, "-j", f"{url}-a", "-i", "5"),
        ("copy", url, "copy.db"),
        ("copy", "copy.db", f"{url}-copy"),
        ("journals", postgres.url(user=f"guarded:{PASSWORD}")),
        ("journals", "."),
    ):
        code, out, err = run(*command)
        assert (command, code, err) == (command, 0, "")
        assert PASSWORD not in out
    assert verify("copy.db").digest == verify(f"{url}-copy").digest == verify(url).digest
    lines = [line.split() for line in out.splitlines()]
    assert lines[0][:4] == ["journal", "state", "progress", "kind"]
    assert [line[:2] for line in lines[1:]] == [["copy.db", "finished"], ["small.db", "finished"]]
    for path in folder.iterdir():
        assert PASSWORD.encode() not in path.read_bytes()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("show", "{url}"), "there is no journal"),
        (("show", "{wrong}"), "password authentication failed"),
        (("show", "{slash}"), "write '@' as %40"),
        (("show", "{url}", "{url}"), "unexpected extra argument"),
        (("{url}",), "No such command"),
        (("select", "small.toml", "-j", "{nothing}"), "add ?study=NAME"),
        (("copy", "small.toml", "{url}"), "is not a surefoot journal"),
        (("journals", "{wrong}"), "password authentication failed"),
        (
            ("select", "small.toml", "-j", "mysql://ann:{password}@host/db"),
            "cannot be at mysql://…",
        ),
    ],
)
def test_a_mistake_is_told_without_the_password(folder, run, url, command, words):
    given = {
        "url": url,
        "wrong": url.replace(PASSWORD, f"not-{PASSWORD}"),
        "slash": url.replace(PASSWORD, f"{PASSWORD}/2"),
        "nothing": url.partition("?")[0],
        "password": PASSWORD,
    }
    code, out, err = run(*(word.format(**given) for word in command))
    assert code == 2
    said = " ".join(f"{out} {err}".replace("│", " ").split())
    assert words in said
    assert PASSWORD not in said


def test_a_study_of_one_candidate_takes_it_from_a_server(folder, run, url):
    shutil.copy("small.toml", "again.toml")
    assert run("select", "small.toml", "-j", url)[0] == 0
    code, out, err = run("variance", "again.toml", "--from", url, "--dry-run")
    assert (code, err) == (0, "")
    assert PASSWORD not in out

"""Damaged journals: every command on one succeeds or refuses it in one sentence."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from pathlib import Path

import pytest

import surefoot
from surefoot.journal.chain import Chain, seal
from tests.campaign import mutations
from tests.campaign.campaign import both, campaign
from tests.campaign.studies import tables, write_data

COMMANDS = [
    ["show", "r.db"],
    ["show", "r.db", "--eliminated"],
    ["show", "r.db", "-c", "winner"],
    ["check", "r.db"],
    ["check", "r.db", "--replay", "1"],
    ["rerace", "r.db", "--criterion", "max"],
    ["rerace", "r.db", "--schedule", "halving", "--warmup", "2"],
    ["export", "r.db", "out.csv", "--overwrite"],
    ["plot", "r.db", "out.png", "--overwrite"],
    ["replay", "r.db", "winner", "0"],
    ["select", "s.toml", "-j", "r.db", "-w", "1", "--overwrite"],
]
COLUMNS = {
    "study": ("description", "fingerprint", "version", "created"),
    "candidates": ("key", "family", "label", "spec"),
    "outcomes": (
        "candidate", "role", "instance", "sample", "attempt", "status", "loss", "seconds",
        "engine", "message", "curve",
    ),
    "notes": ("name", "content", "recorded"),
}  # fmt: skip


@pytest.fixture(scope="module")
def raced(tmp_path_factory):
    """A folder with the journal of a small race."""
    folder = tmp_path_factory.mktemp("journals")
    write_data(folder)
    (folder / "s.toml").write_text(mutations.toml(tables()["sums"]))
    study = surefoot.read_study(folder / "s.toml")
    study.run(folder / "whole.db", executor=surefoot.InlineExecutor())
    return folder


def value(old: object, dice: random.Random) -> object:
    """Return another value for a column, often its JSON changed inside."""
    if isinstance(old, str) and old.startswith(("{", "[")) and dice.random() < 0.8:
        made = {"it": json.loads(old)}
        inside = list(mutations.places(made))
        mutations.change(*dice.choice(inside), dice, ["x", "kind"])
        return json.dumps(made.get("it"))
    if isinstance(old, bytes):
        return mutations.octets(old, dice)
    if isinstance(old, str) and dice.random() < 0.5:
        return mutations.text(old, dice)
    return dice.choice((None, "", "x", "finished", "failed", b"\xff\xfe", 0, -1, 3, 1e300, 2**62))


def damage(path: Path, dice: random.Random) -> str:
    """Damage a journal somewhere, in most cases with a chain that is whole again."""
    if dice.random() < 0.25:
        path.write_bytes(mutations.octets(path.read_bytes(), dice))
        return "bytes"
    with sqlite3.connect(path) as database:
        table = dice.choice(list(COLUMNS))
        column = dice.choice(COLUMNS[table])
        rows = database.execute(f"SELECT id, {column} FROM {table}").fetchall()
        if not rows:
            return "nothing"
        number, old = dice.choice(rows)
        kind = dice.random()
        try:
            if kind < 0.8:
                new = value(old, dice)
                database.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", (new, number))
            elif kind < 0.9:
                database.execute(f"DELETE FROM {table} WHERE id = ?", (number,))
            else:
                database.execute(f"DROP TABLE {table}")
        except (sqlite3.IntegrityError, OverflowError):
            return "nothing"
        words = f"{table}.{column}"
    if dice.random() < 0.85:
        sealed_again(path)
    return words


def sealed_again(path: Path) -> None:
    """Make the chain of digests whole again: what a forger would do, or an earlier surefoot."""
    import sqlalchemy as sa

    engine = sa.create_engine(f"sqlite:///{path}")
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM chain")
            seal(connection, Chain())
    except Exception:
        pass
    finally:
        engine.dispose()


@pytest.mark.filterwarnings("ignore")
@both
def test_every_damaged_journal_is_read_or_refused_in_one_sentence(raced, monkeypatch, slow):
    monkeypatch.chdir(raced)
    part = campaign("journals", 8, 5_000, slow=slow)
    for number, dice in enumerate(part.dice()):
        for old in raced.glob("r.db*"):
            old.unlink()
        shutil.copy(raced / "whole.db", raced / "r.db")
        words = damage(raced / "r.db", dice)
        command = dice.choice(COMMANDS)
        part.judge_command(command, f"input {number}: {words}: {' '.join(command)}")
    part.check()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: " ".join(one[::2]))
def test_every_command_works_on_the_whole_journal(raced, monkeypatch, command):
    monkeypatch.chdir(raced)
    for old in raced.glob("r.db*"):
        old.unlink()
    shutil.copy(raced / "whole.db", raced / "r.db")
    sealed_again(raced / "r.db")
    part = campaign("whole", 1, 1, slow=False)
    part.judge_command(command, " ".join(command))
    part.check()
    assert part.ends == {"success": 1}

"""Options and arguments of every command: an answer, a usage message, or one sentence."""

from __future__ import annotations

import shutil

import pytest

from surefoot.cli.main import app
from tests.campaign import mutations
from tests.campaign.campaign import both, campaign
from tests.campaign.studies import tables, write_data

WORDS = ["0", "1", "-1", "2.5", "nan", "inf", "-inf", "1e9", "1000000000", "10" * 20, "", " ", "x",
         "s.toml", "r.db", "no.db", "no/no.db", "out.csv", "out.png", "out.gif", ".", "/", "winner",
         "model_2", "scaled_sum", "fam=1", "window='3x3'", "channels=[1]", "family='estimator'",
         "race", "certify", "10,20", "10:20:3", "a,b", "auto", "direct", "torch_eager", "max",
         "mean+2*sd", "halving", "top_two", "test", "rank", "true", "\x1b[2J", "--", "-", "é" * 200,
         "postgresql://nobody@127.0.0.1:1/no", "sqlite:///x", "optuna:x", "mlflow:/dev/null/x",
         "photons:A", "showers.npz", "tcp://127.0.0.1:1"]  # fmt: skip
QUIET = {"simulate", "photons", "geant4", "watch"}
"""Commands that take minutes, or serve until they are stopped."""


@pytest.fixture(scope="module")
def raced(tmp_path_factory):
    import surefoot

    folder = tmp_path_factory.mktemp("options")
    write_data(folder)
    (folder / "s.toml").write_text(mutations.toml(tables()["sums"]))
    study = surefoot.read_study(folder / "s.toml")
    study.run(folder / "r.db", executor=surefoot.InlineExecutor())
    return folder


def commands() -> dict[str, list[str]]:
    """Return every command with its options, as the command line itself lists them."""
    import typer

    group = typer.main.get_command(app)
    found = {}
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        if name not in QUIET and not hasattr(command, "commands"):
            found[name] = [flag for one in command.params for flag in getattr(one, "opts", [])]
    return found


@both
def test_every_command_line_ends_well(raced, monkeypatch, tmp_path, slow):
    part = campaign("options", 15, 10_000, slow=slow)
    known = commands()
    study = [
        "select",
        "assess",
        "variance",
        "sample-size",
        "compare",
        "plan",
        "transfer",
        "grid",
        "search",
    ]
    for number, dice in enumerate(part.dice()):
        folder = tmp_path / "work"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(raced, folder)
        monkeypatch.chdir(folder)
        name = dice.choice(list(known))
        line = [name]
        if dice.random() < 0.9:
            line.append("s.toml" if name in study else "r.db")
        if name == "replay":
            line += ["winner", "0"]
        if name in ("export", "plot"):
            line.append("out.csv" if name == "export" else "out.png")
        flags = [flag for flag in known[name] if flag.startswith("-") and flag != "--cluster"]
        for _ in range(dice.choice((0, 1, 1, 2, 3))):
            line.append(dice.choice(flags) if flags and dice.random() < 0.9 else "--nonsense")
            if dice.random() < 0.8:
                line.append(dice.choice(WORDS))
        if dice.random() < 0.15 and len(line) > 1:
            line[dice.randrange(1, len(line))] = dice.choice(WORDS)
        if name in study and "--dry-run" not in line:
            line.append("--dry-run")
        part.judge_command(line, f"input {number}: {line}")
    part.check()

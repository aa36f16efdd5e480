"""``surefoot search`` on small showers."""

import re

import pytest

from surefoot.seeds.ledger import Role
from tests.cli.commands.small import count


@pytest.fixture
def study(folder):
    text = (folder / "small.toml").read_text().replace('"full", ', "")
    (folder / "s.toml").write_text(text + '\n[search]\ntrials = [4, 8]\nrival = "scaled_sum"\n')
    return folder


def test_a_search_ends_with_a_certificate_and_a_figure(run, study):
    code, out, err = run("search", "s.toml")
    assert (code, err) == (0, "")
    assert "A small study: 8 trials by 'tpe' among 4 candidates, mean of relative_rmse" in out
    assert "8 trials of 1 instance by 'tpe': 8 trainings of" in out
    assert "best of 4 trials: scaled sum" in out
    assert re.search(r"Certificate +With 95 % confidence, at least 65.1 %", out)
    assert "the rival: scaled sum" in out
    assert "beats the rival" in out
    assert re.search(r"Journal +s-search\.db\nFigure +s-search\.png\n", out)
    assert (study / "s-search.png").read_bytes().startswith(b"\x89PNG")
    done = count("s-search.db")
    code, out, _ = run("search", "s.toml")
    assert code == 0
    assert count("s-search.db") == done
    code, out, _ = run("journals")
    assert "finished" in out


def test_more_trials_go_on(run, study):
    run("search", "s.toml", "--trials", 5)
    code, out, _ = run("search", "s.toml", "--trials", 5, "--trials", 9)
    assert code == 0
    assert "Extended: trials 5 -> 9" in out
    assert "best of 5 trials" in out
    assert "best of 9 trials" in out
    code, _, err = run("search", "s.toml", "--trials", 5)
    assert code == 2
    assert "trials 9 -> 5 asks for less" in err


def test_the_winner_of_a_race_is_a_rival_with_its_cost(run, study):
    assert run("select", "small.toml")[0] == 0
    code, out, _ = run("search", "s.toml", "--from", "small.db", "--rival", "scaled sum")
    assert code == 0
    assert re.search(r"whose race took \d+ trainings", " ".join(out.split()))
    assert "beats the rival" in out
    code, out, _ = run("search", "s.toml", "--from", "small.db", "--journal", "other.db")
    assert code == 0
    assert re.search(r"the rival: scaled sum.*whose race took", " ".join(out.split()))


def test_a_journal_of_another_space_is_refused(run, study):
    assert run("search", "s.toml")[0] == 0
    text = (study / "s.toml").read_text()
    (study / "s.toml").write_text(text.replace("[false, true]", "true"))
    code, _, err = run("search", "s.toml")
    assert code == 2
    assert "belongs to another study" in err
    assert "candidates" in err


def test_show_plot_report_check_and_replay_know_it(run, study):
    run("search", "s.toml")
    code, out, _ = run("show", "s-search.db")
    assert code == 0
    assert "8 trials of 1 instance" in out
    for what in ("trials", "comparison"):
        assert run("plot", "s-search.db", f"{what}.png", "--what", what)[0] == 0
    assert run("check", "s-search.db", "--replay", 2)[0] == 0
    assert run("report", "s-search.db")[0] == 0
    code, out, _ = run("replay", "s-search.db", "winner", 0, "--role", Role.CERTIFY.name.lower())
    assert code == 0
    assert "the same" in out
    code, out, _ = run("export", "s-search.db", "optuna:sqlite:///o.db")
    assert code == 0
    assert "trials" in out


def test_a_dry_run_trains_nothing(run, study):
    code, out, _ = run("search", "s.toml", "--dry-run")
    assert code == 0
    assert "29 trainings, about " in out
    assert not list(study.glob("*.db"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("trials = [4, 8]", "trials = 0", "[search] trials = 0 must be"),
        ("trials = [4, 8]", 'sampler = "tp"', "sampler 'tp' is unknown: use 'tpe' or"),
        ("trials = [4, 8]", "trial = 3", "did you mean 'trials'?"),
        ('rival = "scaled_sum"', 'rival = "sum"', "'sum' is no key or label"),
    ],
)
def test_bad_study_files_are_one_sentence(run, study, old, new, message):
    text = (study / "s.toml").read_text()
    assert old in text
    (study / "s.toml").write_text(text.replace(old, new))
    code, _, err = run("search", "s.toml")
    assert code == 2
    assert message in err
    assert err.count("\n") == 1

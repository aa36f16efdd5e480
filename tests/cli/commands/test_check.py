"""``surefoot check``: digests and trainings of a journal, by the library's function."""

from pathlib import Path

import pytest

import surefoot
from surefoot.errors import JournalError, SurefootError
from tests.journal.recorded import edit


@pytest.fixture
def raced(folder, run):
    assert run("select", "small.toml")[0] == 0
    return folder


def test_a_whole_journal_is_as_it_was_written_and_its_trainings_give_the_same(run, raced):
    code, out, _ = run("check", "small.db")
    assert code == 0
    assert out.startswith("small.db: as it was written (1 study, ")
    assert "they are no signature" in out
    code, out, _ = run("check", "small.db", "--replay", 4)
    assert code == 0
    assert out.count("the same to the last bit") == 4
    checked, again = (surefoot.check("small.db", 3, seed=1) for _ in range(2))
    assert checked.same
    assert [(one.label, one.recorded.instance) for one in checked.replayed] == [
        (one.label, one.recorded.instance) for one in again.replayed
    ]


def test_another_study_file_is_refused_and_a_moved_population_is_given(run, raced):
    Path("showers.npz").rename("moved.npz")
    assert run("check", "small.db", "--replay", 1)[0] == 2
    Path("small.toml").write_text(Path("small.toml").read_text().replace("showers", "moved"))
    code, out, _ = run("check", "small.db", "--replay", 2, "-s", "small.toml")
    assert code == 0
    assert out.count("the same to the last bit") == 2


def test_an_edited_loss_is_named_before_anything_else_is_done(run, raced):
    edit(Path("small.db"), "UPDATE outcomes SET loss = 0.0 WHERE id = 3")
    for words in (("check",), ("show",), ("export", "o.csv")):
        code, _, err = run(words[0], "small.db", *words[1:])
        assert code == 2
        assert "row 3 of its table 'outcomes' (instance 0 of " in err
        assert "is not the one that was written" in err
    assert run("select", "small.toml")[0] == 2
    with pytest.raises(JournalError, match="was changed after it was written"):
        surefoot.check("small.db")


def test_a_forged_outcome_with_digests_to_match_is_found_by_training_it_again(run, raced):
    """Digests can be made anew, but trainings give the losses they gave."""
    edit(Path("small.db"), "UPDATE outcomes SET loss = loss / 2", "DROP TABLE chain")
    edit(Path("small.db"), "PRAGMA user_version = 1")
    code, out, _ = run("check", "small.db", "-n", 3)
    assert code == 1
    assert "without digests" in out
    assert out.count("different after epoch 1: the losses are 1.00e+00 apart") == 3


def test_a_negative_number_of_replays_is_refused():
    with pytest.raises(SurefootError, match="replays = -1 cannot be"):
        surefoot.check("nowhere.db", -1)

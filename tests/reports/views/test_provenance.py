from surefoot.reports.views.provenance import provenance
from tests.reports.journals import raced


def test_it_says_what_is_needed_to_get_the_same_numbers(race):
    journal, selection = race
    (table,) = provenance(journal).tables
    rows = dict(zip(*(column.cells for column in table.columns), strict=True))
    study = selection.record.study
    assert rows["fingerprint of the data"] == study.population.fingerprint
    assert rows["seed"] == str(study.seed)
    assert rows["engines"] == f"fake ({journal.count():,})"
    assert rows["digest"].startswith(journal.chain.digest.hex())
    assert {"processor", "python", "numpy", "surefoot"} <= rows.keys()


def test_the_command_that_goes_on_is_the_one_noted(tmp_path):
    with raced(str(tmp_path / "a.db")) as (journal, selection):
        assert provenance(journal).words == ()
        command = {"command": "surefoot select a.toml"}
    with selection.study.open(tmp_path / "a.db", command) as journal:
        (words,) = provenance(journal).words
    assert words.sentences == ("surefoot select a.toml",)

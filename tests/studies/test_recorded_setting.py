"""A journal's population is found again, or one sentence says what to give instead."""

from pathlib import Path

import numpy as np
import pytest

from surefoot.errors import JournalError
from surefoot.journal import Journal
from surefoot.studies.description import DescribedSetting
from surefoot.studies.replay import recorded_setting
from surefoot.study_files.build import population_of, setting_of, study_of
from surefoot.study_files.read import read_study_file
from tests.journal.recorded import make_old


def described(setting):
    """What decides a setting; a population's name holds the path it was loaded by."""
    found = DescribedSetting.of(setting).json()
    del found["population"]["name"]
    return found


@pytest.fixture
def opened(folder):
    """A folder with the journal of the small study, in which nothing is trained yet."""
    file = read_study_file(Path("small.toml"))
    study_of(file, population_of(file)).open("small.db").close()
    return folder


def test_the_setting_is_that_of_the_study_file(opened):
    file = read_study_file(Path("small.toml"))
    wanted = described(setting_of(file, population_of(file)))
    with Journal.read("small.db") as journal:
        assert described(recorded_setting(journal)) == wanted
        assert journal.notes()["population"] == {
            "source": "showers.npz",
            "features": "cells",
            "target": "energy",
            "target_unit": "GeV",
            "folder": str(opened),
        }


@pytest.mark.parametrize(
    "sampling", ["", "size = 50", 'size = 50\nmethod = "subsample"\ntest_size = 40']
)
def test_draws_halves_and_stopping_come_back(opened, sampling):
    text = Path("networks.toml").read_text().replace("size = 64", sampling)
    text = text.replace('side = "total"', 'side = "total"\npool_fraction = 0.3')
    Path("other.toml").write_text(text)
    file = read_study_file(Path("other.toml"))
    asked = study_of(file, population_of(file))
    with asked.open("other.db") as journal:
        assert described(recorded_setting(journal)) == described(asked.setting)


def test_the_population_is_looked_for_from_anywhere(opened, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with Journal.read("../small.db") as journal:
        assert len(recorded_setting(journal).halves.population) == 200


def test_a_folder_moved_whole_is_found(opened, tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    moved = tmp_path / "moved"
    moved.mkdir()
    for name in ("small.db", "showers.npz"):
        (opened / name).rename(moved / name)
    with Journal.read(moved / "small.db") as journal:
        assert len(recorded_setting(journal).halves.population) == 200


def test_data_that_are_gone_or_changed_are_named(opened):
    with np.load("showers.npz") as arrays:
        changed = dict(arrays)
    changed["energy"][3] += 1.0
    np.savez("showers.npz", **changed)
    with (
        Journal.read("small.db") as journal,
        pytest.raises(JournalError, match=r"showers.npz holds other data than .* with --study"),
    ):
        recorded_setting(journal)
    Path("showers.npz").unlink()
    with (
        Journal.read("small.db") as journal,
        pytest.raises(JournalError, match=r"showers.npz does not exist; give .* with --study"),
    ):
        recorded_setting(journal)


def test_a_population_made_in_python_has_no_source(opened):
    file = read_study_file(Path("small.toml"))
    asked = study_of(file, population_of(file))
    population = asked.setting.halves.population
    object.__setattr__(population, "origin", None)
    with asked.open("python.db") as journal:
        assert "population" not in journal.notes()
        with pytest.raises(JournalError, match=r"does not say where .* with --study"):
            recorded_setting(journal)


def test_a_journal_from_before_notes_needs_the_study_file_once(opened):
    make_old(Path("small.db"), "notes")
    with (
        Journal.read("small.db") as journal,
        pytest.raises(JournalError, match=r"does not say where .* with --study"),
    ):
        recorded_setting(journal)
    file = read_study_file(Path("small.toml"))
    study_of(file, population_of(file)).open("small.db").close()
    with Journal.read("small.db") as journal:
        assert len(recorded_setting(journal).halves.population) == 200


def test_where_the_data_are_does_not_make_another_study(opened, tmp_path):
    (tmp_path / "other").mkdir()
    Path("other/small.toml").write_text(Path("small.toml").read_text())
    Path("other/showers.npz").write_bytes(Path("showers.npz").read_bytes())
    file = read_study_file(Path("other/small.toml"))
    asked = study_of(file, population_of(file))
    with asked.open("small.db") as journal:
        assert journal.notes()["population"]["folder"] == str(opened / "other")


def test_photons_by_name_need_no_folder(opened):
    text = Path("small.toml").read_text()
    for line in ('features = "cells"', 'target_unit = "GeV"'):
        text = text.replace(line, "")
    text = text.replace("showers.npz", "photons:A")
    Path("photons.toml").write_text(text)
    file = read_study_file(Path("photons.toml"))
    asked = study_of(file, population_of(file))
    with asked.open("photons.db") as journal:
        assert journal.notes()["population"] == {"source": "photons:A", "target": "energy"}
        again = recorded_setting(journal)
    assert described(again) == described(asked.setting)

"""Searches: trials inside the draws of a race, recorded, resumed, extended and certified."""

import numpy as np
import pytest

import surefoot
from surefoot.errors import ConfigurationError, JournalError, JournalMismatchError
from surefoot.journal import Journal
from surefoot.racing.schedules.rounds import Halving
from surefoot.seeds.ledger import Role
from surefoot.studies.replay import find_candidate
from surefoot.studies.search.result import recorded_search
from surefoot.studies.search.study import SearchStudy
from surefoot.studies.select.study import SelectStudy
from tests.fakes import Fake, Seen, fake_loss, fake_setting

SETTING = fake_setting()
SPACE = tuple(
    Fake(quality=quality, noise=noise)
    for quality in (1.0, 1.2, 1.5, 2.0)
    for noise in (0.02, 0.05, 0.1)
)
RIVAL = Fake(quality=1.1, noise=0.02)


def study(**changes):
    fields = {
        "candidates": SPACE,
        "setting": SETTING,
        "seed": 4,
        "engine": "fake",
        "trials": 18,
        "certify": 4,
    }
    return SearchStudy(**(fields | changes))


def told(found):
    return [(one.key, one.instances, one.value) for one in found.trials]


def test_a_trial_is_the_next_instances_of_its_candidate_in_a_race():
    asked = study(trials=30, instances=2)
    found = asked.run(workers=1)
    assert found.trainings == 60
    had = dict.fromkeys((one.key for one in SPACE), 0)
    for one in found.trials:
        had[one.key] += 2
        assert one.instances == had[one.key]
        losses = [
            fake_loss(asked.instance(one.key, Role.RACE, number), SETTING)
            for number in range(had[one.key])
        ]
        assert one.value == pytest.approx(np.mean(losses))
    assert max(had.values()) > 2
    race = SelectStudy(candidates=SPACE, setting=SETTING, seed=4, engine="fake", certify=4)
    for number in range(3):
        key = SPACE[0].key
        assert asked.instance(key, Role.RACE, number) == race.instance(key, Role.RACE, number)
        assert asked.instance(key, Role.CERTIFY, number) == race.instance(key, Role.CERTIFY, number)


def test_the_best_after_each_number_of_trials_is_certified_and_so_is_the_rival():
    found = study(trials=[18, 6], rival=RIVAL, rival_trainings=77).run(workers=1)
    assert found.steps == (6, 18)
    latest = {}
    for place, one in enumerate(found.trials, start=1):
        latest[one.key] = one.value
        assert found.best_after(place) == min(latest, key=latest.get)
    assert set(found.certificates) == {found.best_after(6), found.best, RIVAL.key}
    compared = found.comparison()
    assert compared.names[-1] == "the rival"
    assert compared.reference == len(compared.names) - 1
    assert compared.losses.shape[1:] == (1, 4)
    assert "whose race took 77 trainings" in str(found)
    assert found.certificates[found.best].racing_value == found.value(found.best)
    assert "in the search" in str(found.certificates[found.best])


def test_the_winner_of_a_race_and_the_best_of_a_search_have_the_same_fresh_losses(tmp_path):
    race = SelectStudy(
        candidates=SPACE, setting=SETTING, seed=4, engine="fake", certify=6, schedule=Halving()
    )
    raced = race.run(tmp_path / "race.db", workers=1)
    found = study(rival=raced.winner, certify=6).run(tmp_path / "s.db", workers=1)
    assert found.certificates[raced.winner.key].losses == raced.certificate.losses


@pytest.mark.parametrize("at_once", [1, 4])
@pytest.mark.parametrize("cut", [1, 7, 20])
def test_a_search_cut_anywhere_goes_on_as_if_it_had_not_been(tmp_path, at_once, cut):
    whole, part = tmp_path / "whole.db", tmp_path / "part.db"
    expected = study(at_once=at_once).run(whole, workers=1)

    class Stop(Seen):
        def outcome(self, outcome):
            super().outcome(outcome)
            if len(self.outcomes) == cut:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        study(at_once=at_once).run(part, workers=1, watch=Stop())
    seen = Seen()
    again = study(at_once=at_once).run(part, workers=1, watch=seen)
    assert told(again) == told(expected)
    assert str(again) == str(expected)
    with Journal.read(part) as journal:
        assert journal.count() == 18 + 4
        assert str(recorded_search(journal)) == str(again)
        assert find_candidate(journal, "winner") == again.best
    assert len(seen.outcomes) < 22


def test_workers_change_nothing():
    one, two = (study(at_once=3).run(workers=number) for number in (1, 2))
    assert told(one) == told(two)
    assert str(one) == str(two)


@pytest.mark.parametrize("at_once", [1, 4])
def test_more_trials_are_an_extension_and_proposed_as_if_asked_for_at_once(tmp_path, at_once):
    path, seen = tmp_path / "s.db", Seen()
    study(trials=10, at_once=at_once).run(path, workers=1, watch=seen)
    with study(trials=[10, 18], at_once=at_once).open(path) as journal:
        assert journal.extended.changes == ("trials 10 -> 18",)
        found = study(trials=[10, 18], at_once=at_once).run(journal, workers=1, watch=seen)
    expected = study(trials=[10, 18], at_once=at_once).run(workers=1)
    assert told(found) == told(expected)
    assert set(found.certificates) >= set(expected.certificates)
    with pytest.raises(JournalMismatchError, match="trials 18 -> 10 asks for less"):
        study(trials=10, at_once=at_once).open(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"candidates": SPACE[:6]}, "candidates: 12 -> 6"),
        ({"sampler": "random"}, "sampler: .*tpe.* -> .*random"),
        ({"instances": 2}, "instances: 1 -> 2"),
        ({"seed": 5}, "seed"),
    ],
)
def test_a_journal_of_another_space_or_sampler_is_refused(tmp_path, changes, message):
    study(trials=3, certify=0).run(tmp_path / "s.db", workers=1)
    with pytest.raises(JournalMismatchError, match=message):
        study(**({"trials": 3, "certify": 0} | changes)).open(tmp_path / "s.db")


def test_another_kind_of_study_is_no_search(tmp_path):
    surefoot.assess(
        SPACE[0], SETTING.halves.population, engine="fake", n=3, journal=tmp_path / "a.db"
    )
    with Journal.read(tmp_path / "a.db") as journal, pytest.raises(JournalError, match="no study"):
        recorded_search(journal)
    with study().open(tmp_path / "s.db") as journal, pytest.raises(JournalError, match="no trial"):
        recorded_search(journal)


def test_trials_that_diverge_count_as_infinite():
    bad = tuple(
        Fake(quality=0.5, noise=one.noise, side=7, fate="diverge", when=tuple(range(50)))
        for one in SPACE[:3]
    )
    found = study(candidates=(*SPACE[:6], *bad), trials=24).run(workers=1)
    assert any(np.isinf(one.value) for one in found.trials)
    assert "trials have no finite mean" in str(found)
    assert found.best not in {one.key for one in bad}
    with pytest.raises(surefoot.SurefootError, match="none of 4 trials has a finite value"):
        study(candidates=bad, trials=4).run(workers=1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trials": 0}, "trials = 0 must be"),
        ({"trials": []}, "trials = 0 must be"),
        ({"trials": "many"}, "trials = 'many' must be a whole number, or a list"),
        ({"instances": 0}, "instances = 0 must be"),
        ({"at_once": 0}, "at_once = 0 must be"),
        ({"criterion": "sd"}, "instances = 1 of a trial give no sd: give 2 or more"),
        ({"sampler": "nsga"}, "sampler 'nsga' is unknown"),
        ({"candidates": SPACE[:1]}, "needs two candidates or more, not 1"),
        ({"candidates": SPACE[:1] * 2}, "is given twice"),
    ],
)
def test_what_is_no_search(changes, message):
    with pytest.raises(ConfigurationError, match=message):
        study(**changes)


def test_a_search_in_one_call():
    space = surefoot.SearchSpace.product(Fake, quality=[1.0, 2.0], noise=[0.1, 0.2])
    found = surefoot.search(
        space, SETTING.halves.population, engine="fake", sample_size=20, trials=9, certify=3
    )
    assert len(found.trials) == 9
    assert found.overview()[0]["candidate"] == found.label
    assert found.overview()[0]["bound"] == found.certificates[found.best].bound.value

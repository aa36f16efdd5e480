from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import surefoot
from surefoot.errors import JournalError, JournalMismatchError
from surefoot.executors.base import Executor
from surefoot.executors.local.executor import LocalExecutor
from surefoot.instances import Instance, Outcome, Setting
from surefoot.journal import MEMORY, Extended, Extension, Journal
from surefoot.journal.descriptions import canonical, fingerprint
from surefoot.racing.criteria import as_criterion
from surefoot.racing.race import Race
from surefoot.racing.replay import Replay
from surefoot.racing.rules.rank import ByPrediction, ByRank
from surefoot.racing.rules.tests import BySigns, BySwaps, ByTest
from surefoot.racing.schedules.exact_max import ByMax, ExactMax
from surefoot.racing.schedules.rounds import FlatBudget, Halving
from surefoot.racing.schedules.stages import Chain, Pairs, default_schedule, within
from surefoot.racing.screen import Screen
from surefoot.racing.state import RaceState
from surefoot.racing.table import LossTable
from surefoot.seeds.ledger import Role
from surefoot.statistics.promise import Promise
from surefoot.studies.assess.study import AssessStudy
from surefoot.studies.base import Study
from surefoot.studies.description import Description
from surefoot.studies.extension import announcement, extension, extension_or_why_not, history
from surefoot.studies.race_record import recorded_race
from surefoot.studies.select.selection import Selection
from surefoot.studies.select.study import SelectStudy
from surefoot.studies.variance.study import VarianceStudy
from tests.fakes import Fake, FakeThreads, fake_setting
from tests.journal.recorded import make_old

SETTING = fake_setting()
CANDIDATES = tuple(Fake(quality=1.0 + 0.05 * i, noise=0.15) for i in range(12))
BASELINE = Fake(quality=1.5, noise=0.1)


class Counting(Executor):
    """Trains in this thread, counts what it trains and dies after so many."""

    engine = "fake"
    workers = 1

    def __init__(self, lives: int = 1 << 30) -> None:
        self.lives, self.trained = lives, []

    def batches(
        self, instances: Sequence[Instance], setting: Setting
    ) -> Iterator[tuple[Outcome, ...]]:
        for instance in instances:
            if len(self.trained) == self.lives:
                raise InterruptedError
            self.trained.append(
                (instance.candidate.key, instance.seed.role, instance.seed.instance)
            )
            yield (FakeThreads().train(instance, setting, np.zeros(1, np.uint8)).outcome,)


def study(**changes: Any) -> SelectStudy:
    fields: dict[str, Any] = {
        "candidates": CANDIDATES,
        "setting": SETTING,
        "seed": 3,
        "engine": "fake",
        "schedule": Halving(),
        "certify": 7,
        "content": 0.8,
        "confidence": 0.9,
    }
    return SelectStudy(**(fields | changes))


def usual(limit: float | None = None, cap: int | None = None, **changes: Any) -> SelectStudy:
    """The default schedule and its rule."""
    size = len(changes.get("candidates", CANDIDATES))
    schedule = default_schedule(size, within(limit, size), cap)
    return study(schedule=schedule, rule=ByPrediction(), limit=limit, max_instances=cap, **changes)


def described(asked: Study) -> Description:
    return Description.read(json.loads(canonical(asked.description.json())))


def run(asked: SelectStudy, path: str | Path = MEMORY, lives: int = 1 << 30) -> Selection:
    with asked.open(path) as journal:
        return asked.run(journal, executor=Counting(lives))


def whole(state: RaceState) -> list[Any]:
    """Everything a state says, as plain values."""
    rounds = [
        (
            *(r.number, r.name, r.keys, r.values.tolist(), np.asarray(r.counts).tolist()),
            *(r.trainings, r.survivors, [(e.key, e.reason) for e in r.eliminations]),
        )
        for r in state.rounds
    ]
    return [rounds, state.survivors, state.winner, state.ranking, state.stopped, state.need]


def pairs(flat: float, cap: int, total: int | None = None, separation: float = 4.0) -> Chain:
    return Chain((FlatBudget(flat, finalists=4), Pairs(cap, 2, separation, total)))


def maximal(complete: int) -> SelectStudy:
    return study(criterion="max", schedule=ExactMax(complete), rule=ByMax(complete))


EXTENSIONS = {
    "a larger limit": (study(limit=30), study(limit=60), ["limit 30 -> 60"]),
    "no limit": (study(limit=30), study(), ["limit 30 -> none"]),
    "a default schedule follows": (usual(100), usual(2500.5), ["limit 100 -> 2,500.5"]),
    "it follows max_instances": (usual(900, 5), usual(900), ["max_instances 5 -> none"]),
    "a limit above the usual budget": (
        usual(),
        usual(900),
        ["limit none -> 900 (default schedule: 204 -> 900 trainings)"],
    ),
    "it did without a limit": (
        usual(204),
        usual(),
        ["limit 204 -> none (default schedule: 204 -> 204 trainings)"],
    ),
    "more of each": (
        study(rule=BySigns(), max_instances=20),
        study(rule=BySigns(), max_instances=40, certify=9),
        ["max_instances 20 -> 40", "certify 7 -> 9"],
    ),
    "the rule's own max_instances": (
        study(rule=BySigns(), max_instances=20),
        study(rule=BySigns()),
        ["max_instances 20 -> 64"],
    ),
    "another promise of the certificate": (
        study(),
        study(content=0.95, confidence=0.5),
        ["content 0.8 -> 0.95", "confidence 0.9 -> 0.5"],
    ),
    "larger parts": (
        study(schedule=pairs(20, 8, 90)),
        study(schedule=pairs(40, 16)),
        ["budget 20 -> 40", "cap 8 -> 16", "total 90 -> none"],
    ),
    "more a round": (
        study(schedule=Halving()),
        study(schedule=Halving(per_round=3, warmup=5)),
        ["per_round 1 -> 3", "warmup 1 -> 5"],
    ),
    "the exact maximum": (maximal(8), maximal(16), ["max_instances 8 -> 16", "complete 8 -> 16"]),
    "an assessment": (
        AssessStudy(candidate=BASELINE, setting=SETTING, n=5),
        AssessStudy(candidate=BASELINE, setting=SETTING, n=6, content=0.5),
        ["n 5 -> 6", "content 0.95 -> 0.5"],
    ),
}


@pytest.mark.parametrize("case", EXTENSIONS)
def test_what_asks_for_more_is_an_extension_and_never_back(case: str) -> None:
    before, after, words = EXTENSIONS[case]
    found = extension(described(before), described(after))
    assert found is not None
    assert found.changes == tuple(words)
    back = extension(described(after), described(before))
    if case == "another promise of the certificate":
        assert back is not None
    else:
        assert back is None
    for one in (before, after):
        assert extension(described(one), described(one)) is None


LESS = "an extension only asks for more, but "
RERACE = "`surefoot rerace JOURNAL` runs the recorded race under other rules without training"
SHORTER = "`surefoot rerace JOURNAL` runs the recorded race with less (--limit, --max-instances)"
OTHERS = "other candidates make another race"
PROMISE = {"candidate": BASELINE, "setting": SETTING}
REFUSED = {
    "less": (study(limit=60), study(limit=30), [LESS + "limit 60 -> 30 asks for less", SHORTER]),
    "less and more": (study(limit=60), study(limit=30, certify=9), ["but limit 60 -> 30 asks"]),
    "a limit at all": (study(), study(limit=60), ["limit none -> 60 asks", SHORTER]),
    "less certified": (study(), study(certify=3), [LESS + "certify 7 -> 3 asks for less"]),
    "a default schedule that shrinks": (
        usual(900),
        usual(),
        ["but limit 900 -> none (default schedule: 900 -> 204 trainings) asks for less"],
    ),
    "a limit below the usual budget": (
        usual(),
        usual(100),
        ["but limit none -> 100 (default schedule: 204 -> 100 trainings) asks for less"],
    ),
    "another criterion": (study(), study(criterion="max"), [RERACE]),
    "another rule": (study(), study(rule=ByTest()), [RERACE]),
    "another level": (study(rule=ByTest(0.1)), study(rule=ByTest(0.2)), [RERACE]),
    "another schedule": (study(), study(schedule=FlatBudget(40.0)), [RERACE]),
    "other parts": (study(schedule=pairs(20, 8)), usual(), [RERACE]),
    "another share": (study(), study(schedule=Halving(keep=0.6)), [RERACE]),
    "another separation": (
        study(schedule=pairs(20, 8)),
        study(schedule=pairs(20, 8, separation=5.0)),
        [RERACE],
    ),
    "a screen": (
        study(baseline=BASELINE),
        study(baseline=BASELINE, screen=Screen(0.3)),
        [RERACE],
    ),
    "more candidates": (usual(), usual(candidates=(*CANDIDATES, BASELINE)), [OTHERS]),
    "another seed": (study(limit=30), study(limit=60, seed=4), []),
    "other luck": (study(), study(paired=False), []),
    "other data": (study(), study(setting=fake_setting(210)), []),
    "other samples": (study(), study(setting=fake_setting(size=30)), []),
    "another cost": (study(limit=30), study(limit=60, cost="visits"), []),
    "another baseline": (study(), study(baseline=BASELINE), []),
    "groups": (study(), study(certify_best_of="side"), []),
    "a promise": (AssessStudy(n=5, **PROMISE), AssessStudy(promise=Promise(2.0), **PROMISE), []),
    "a promise changed": (
        AssessStudy(promise=Promise(2.0, 0.8), **PROMISE),
        AssessStudy(promise=Promise(2.0, 0.9), **PROMISE),
        [],
    ),
    "another question": (study(), AssessStudy(**PROMISE), []),
}


@pytest.mark.parametrize("case", REFUSED)
def test_all_else_is_refused_with_what_to_do_instead(tmp_path: Path, case: str) -> None:
    before, after, said = REFUSED[case]
    found = extension_or_why_not(before.description.json(), after.description.json())
    assert isinstance(found, str)
    assert bool(found) == bool(said)
    with before.open(tmp_path / "r.db") as journal:
        kept = journal.study
    with pytest.raises(JournalMismatchError) as error:
        after.open(tmp_path / "r.db")
    assert all(words in str(error.value) for words in said)
    if not said:
        assert str(error.value).endswith("change it back or give another journal")
    with Journal.read(tmp_path / "r.db") as journal:
        assert (journal.study, journal.extensions()) == (kept, [])


@given(
    st.integers(1, 400),
    st.integers(1, 3000),
    st.integers(1, 3000),
    st.one_of(st.none(), st.integers(2, 99)),
    st.sampled_from(["mean", "mean+2*sd"]),
)
def test_the_default_schedule_of_a_larger_limit_always_extends(
    size: int, one: int, other: int, cap: int | None, criterion: str
) -> None:
    limits = sorted({float(one), float(other)})
    keys, needs = [f"{number:03}" for number in range(size)], as_criterion(criterion).needs

    def asked(limit: float) -> Description:
        schedule = default_schedule(size, within(limit, size), cap, needs)
        made = study(
            criterion=criterion,
            schedule=schedule,
            rule=ByPrediction(),
            max_instances=cap,
        )
        return replace(described(made), candidates=tuple(keys), limit=limit)

    found = extension(asked(limits[0]), asked(limits[-1]))
    assert (found is None) == (len(limits) == 1)
    assert extension(asked(limits[-1]), asked(limits[0])) is None


RACES = {
    "default": lambda limit, cap: {
        "schedule": default_schedule(9, within(limit, 9), cap),
        "rule": ByPrediction(),
    },
    "paper": lambda limit, cap: {"schedule": Halving(0.7), "rule": ByRank()},
    "signs": lambda limit, cap: {"schedule": Halving(), "rule": BySigns(0.2)},
    "swaps": lambda limit, cap: {"schedule": Halving(per_round=3), "rule": BySwaps(0.2)},
}


@settings(max_examples=12)
@given(st.data())
def test_an_extended_race_ends_as_the_larger_one_and_trains_nothing_twice(
    data: st.DataObject,
) -> None:
    qualities = data.draw(st.lists(st.integers(100, 140), min_size=9, max_size=9, unique=True))
    candidates = tuple(Fake(quality=quality / 100, noise=0.3) for quality in qualities)
    kind = data.draw(st.sampled_from(sorted(RACES)))
    screen = data.draw(st.sampled_from([None, Screen(0.5), Screen(0.3, "noise")]))
    paired = data.draw(st.booleans())
    criterion = data.draw(st.sampled_from(["mean", "max"] if kind != "signs" else ["mean"]))
    limits = sorted(data.draw(st.lists(st.integers(45, 150), min_size=2, max_size=3, unique=True)))
    caps = sorted(data.draw(st.lists(st.integers(30, 60), min_size=len(limits))))[: len(limits)]
    numbers = sorted(data.draw(st.lists(st.integers(0, 9), min_size=3, max_size=3)))
    asked = [
        study(
            candidates=candidates,
            baseline=BASELINE,
            criterion=criterion,
            screen=screen,
            paired=paired,
            certify=certify,
            limit=limit,
            max_instances=top,
            **RACES[kind](limit, top),
        )
        for limit, top, certify in zip(limits, caps, numbers, strict=False)
    ]
    with TemporaryDirectory() as folder:
        path, trained = Path(folder) / "r.db", []
        for one in asked:
            lives = data.draw(st.one_of(st.just(1 << 30), st.integers(0, 120)))
            executor = Counting(lives)
            with one.open(path) as journal:
                before = {canonical(e.study) for e in journal.extensions()}
                kept = {(m.candidate, m.role, m.instance, m.loss) for m in everything(journal)}
                try:
                    selection = one.run(journal, executor=executor)
                except InterruptedError:
                    with pytest.raises(InterruptedError):
                        one.run(journal, executor=Counting(0))
                    selection = one.run(journal, executor=(again := Counting()))
                    executor.trained += again.trained
                now = {(m.candidate, m.role, m.instance, m.loss) for m in everything(journal)}
                assert kept <= now
                assert journal.count() == len(now) == len(kept) + len(executor.trained)
                trained += executor.trained
                assert len(set(trained)) == len(trained)
                at_once = run(one)
                assert whole(selection.state) == whole(at_once.state)
                assert whole(recorded_race(journal).state()) == whole(at_once.state)
                assert selection.ranking() == at_once.ranking()
                winner = selection.winner.key
                assert selection.certificates.get(winner) == at_once.certificates.get(winner)
                assert journal.study == described(one).json()
                assert canonical(described(one).json()) not in before
        with Journal.read(path) as journal:
            known = journal.extensions()
        assert [e.study for e in known] == [described(one).json() for one in asked[:-1]]


def everything(journal: Journal) -> list[Any]:
    return [measure for role in Role for measure in journal.measures(role)]


def test_a_default_race_extended_trains_few_more_than_the_larger_one_alone() -> None:
    """As docs/race.md says: its rounds are others, and what they do not ask for was spent."""

    def go(limit: int, losses: np.ndarray, have: set[tuple[str, int]]) -> RaceState:
        keys = tuple(f"{number:03}" for number in range(len(losses)))
        race = Race(
            keys, "mean", default_schedule(len(keys), limit), None, ByPrediction(), limit=limit
        )
        while True:
            known = [(key, i, losses[int(key), i]) for key, i in have]
            table = LossTable.from_outcomes(known) if known else LossTable.empty(keys)
            state = Replay(race).run(table)
            if state.over:
                return state
            have.update(state.need)

    for seed in range(3):
        random = np.random.default_rng(seed)
        quality = random.normal(0.0, 0.2, 64)[:, None]
        losses = np.exp(quality + random.normal(0.0, 0.15, (64, 200)))
        extended: set[tuple[str, int]] = set()
        alone: set[tuple[str, int]] = set()
        go(192, losses, extended)
        assert len(extended) <= 192
        assert whole(go(384, losses, extended)) == whole(go(384, losses, alone))
        assert alone <= extended
        assert len(extended) <= 1.05 * len(alone)


def test_a_crash_after_the_new_description_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    run(study(limit=20), path)
    larger = study(limit=60)
    with pytest.raises(InterruptedError):
        run(larger, path, lives=0)
    with pytest.raises(JournalMismatchError, match="limit 60 -> 20 asks for less"):
        study(limit=20).open(path)
    with larger.open(path) as journal:
        assert journal.extended is None
        assert len(journal.extensions()) == 1
        assert whole(larger.run(journal, executor=Counting()).state) == whole(run(larger).state)


def test_description_and_history_change_both_or_neither(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    run(study(limit=20), path)
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute(
            "CREATE TRIGGER failing BEFORE UPDATE ON study BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    with pytest.raises(JournalError, match="no"):
        study(limit=60).open(path)
    with Journal.read(path) as journal:
        assert journal.study == described(study(limit=20)).json()
        assert journal.extensions() == []


def test_journals_from_before_extensions_open_and_are_extended(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    count = run(study(limit=20), path).table.count
    make_old(path, "extensions")
    with Journal.read(path) as journal:
        assert journal.extensions() == []
        mark = journal.study
    with study(limit=60).open(path) as journal:
        assert journal.extended is not None
        assert journal.count(Role.RACE) == count
        assert journal.study != mark
    with closing(sqlite3.connect(path)) as raw:
        query = "SELECT fingerprint, description, version, fresh FROM extensions"
        assert raw.execute(query).fetchall() == [
            (fingerprint(canonical(mark)), canonical(mark), surefoot.__version__, 7)
        ]
        now = canonical(study(limit=60).description.json())
        assert raw.execute("SELECT description FROM study").fetchall() == [(now,)]


def test_a_certificate_keeps_its_instances_and_it_is_said_that_they_were_seen(
    tmp_path: Path,
) -> None:
    path = tmp_path / "r.db"
    first = run(study(), path)
    larger = study(certify=10, content=0.7)
    executor = Counting()
    with larger.open(path) as journal:
        second = larger.run(journal, executor=executor)
        assert announcement(journal.extended) == [
            "Extended: certify 7 -> 10, content 0.8 -> 0.7; nothing recorded is trained again",
            "7 fresh losses had been seen before it was extended: the certificate's confidence "
            "holds only if they had no part in the decision",
        ]
    assert [(role, number) for _, role, number in executor.trained] == [
        (Role.CERTIFY, number) for number in (7, 8, 9)
    ]
    assert first.certificate is not None
    assert second.certificate is not None
    assert second.certificate.losses[:7] == first.certificate.losses
    assert second.certificate == run(larger).certificate


def test_history_is_told_in_sentences() -> None:
    def step(*changes: str, minute: int, fresh: int = 0) -> Extended:
        return Extended({}, changes, fresh, f"2026-11-23T09:{minute}:59.123456+00:00")

    one, two = step("limit 400 -> 800", minute=12), step("a 1 -> 2", "b 1 -> 2", minute=30)
    assert history([]) == announcement(None) == []
    assert history([one]) == ["Extended once: limit 400 -> 800 (2026-11-23 09:12 UTC)"]
    assert history([one, two]) == [
        "Extended twice: limit 400 -> 800 (2026-11-23 09:12 UTC); "
        "a 1 -> 2, b 1 -> 2 (2026-11-23 09:30 UTC)"
    ]
    first, caution = history([one, two, step("c 1 -> 2", minute=31, fresh=1)])
    assert first.startswith("Extended 3 times: ")
    assert caution.startswith("1 fresh loss had been seen before it was extended")
    assert announcement(one) == ["Extended: limit 400 -> 800; nothing recorded is trained again"]


def test_a_selection_in_one_call_goes_on(tmp_path: Path) -> None:
    def go(path: Path | None, limit: int, certify: int) -> Selection:
        return surefoot.select(
            CANDIDATES,
            SETTING.halves.population,
            sample_size=20,
            engine="fake",
            limit=limit,
            certify=certify,
            journal=path,
        )

    go(tmp_path / "r.db", 40, 3)
    extended = go(tmp_path / "r.db", 90, 5)
    at_once = go(None, 90, 5)
    assert extended.ranking() == at_once.ranking()
    assert extended.certificate == at_once.certificate
    with Journal.read(tmp_path / "r.db") as journal:
        assert [e.changes for e in journal.extensions()] == [("limit 40 -> 90", "certify 3 -> 5")]
        assert journal.extensions()[0].fresh == 3
    with pytest.raises(JournalMismatchError, match="limit 90 -> 40 asks for less"):
        go(tmp_path / "r.db", 40, 5)


def test_an_assessment_goes_on(tmp_path: Path) -> None:
    def go(n: int, path: str | Path, executor: Executor) -> Any:
        asked = AssessStudy(candidate=BASELINE, setting=SETTING, engine="fake", n=n)
        with asked.open(path) as journal:
            return asked.run(journal, executor=executor)

    go(5, tmp_path / "a.db", Counting())
    executor = Counting()
    found = go(8, tmp_path / "a.db", executor)
    assert len(executor.trained) == 3
    with LocalExecutor(1, "fake") as local:
        assert found.losses.tolist() == go(8, MEMORY, local).losses.tolist()
    with Journal.read(tmp_path / "a.db") as journal:
        assert journal.extensions()[0].fresh == 5


def test_other_studies_know_no_extension() -> None:
    old = VarianceStudy(candidate=BASELINE, setting=SETTING).description.json()
    assert extension_or_why_not(old, old | {"paired": False}) == ""
    race = study(limit=20).description.json()
    assert isinstance(extension_or_why_not(race, race | {"limit": 30}), Extension)

"""Select: race the candidates, then certify the winner on fresh instances.

The race is a replay of the journal: its state follows from the outcomes recorded, and it trains
what that state lacks, until nothing is lacking. A study killed at any moment therefore goes on
where it was, with the same winner and the same losses as if it had never stopped.
"""

from __future__ import annotations

from surefoot.errors import EngineError
from surefoot.executors.base import Executor
from surefoot.instances import Instance
from surefoot.journal import Identity, Journal, identity
from surefoot.racing.state import RaceState
from surefoot.seeds.ledger import Role
from surefoot.studies.base import SelectStudy
from surefoot.studies.race_record import RaceRecord, recorded_certificates
from surefoot.studies.runner import missing, train_missing
from surefoot.studies.select.selection import Selection
from surefoot.studies.watch import Silent, Watcher


def select(
    study: SelectStudy,
    journal: Journal,
    executor: Executor,
    watch: Watcher | None = None,
    *,
    retry_failed: bool = False,
) -> Selection:
    """Run or resume a selection.

    Parameters
    ----------
    study
        What is asked.
    journal
        Its journal, as `SelectStudy.open` opens it.
    executor
        Where instances run.
    watch
        Told of everything once it is recorded.
    retry_failed
        Train instances again that are recorded as failed, once, where the race needs them.

    Raises
    ------
    ConfigurationError
        If every candidate is screened out (the message says by how much the best missed the bar),
        or all diverge.
    JournalMismatchError
        If the journal is of another study.
    EngineError
        If no engine trains a candidate.
    KeyboardInterrupt
        On Ctrl-C, once everything finished is recorded.
    """
    watcher = Silent() if watch is None else watch
    study.check(journal, executor.engine)
    retry = journal.failed() if retry_failed else set()
    watcher.started(len(study.candidates), journal.count())
    record, state = _race(study, journal, executor, watcher, retry)
    _certify(study, journal, executor, watcher, retry, state)
    selection = Selection(
        study, state, record.table, recorded_certificates(journal, state), journal.path
    )
    watcher.finished(selection)
    return selection


def _race(
    study: SelectStudy,
    journal: Journal,
    executor: Executor,
    watch: Watcher,
    retry: set[Identity],
) -> tuple[RaceRecord, RaceState]:
    record = RaceRecord(study.description, study.race)
    record.add(m for m in journal.measures(Role.RACE) if identity(m) not in retry)
    told = 0
    while True:
        state = record.state()
        for finished in state.rounds[told:]:
            watch.round_finished(finished)
        told = len(state.rounds)
        if state.over or state.current is None:
            return record, state
        todo = _instances(study, record, state)
        watch.round_started(state.current, len(todo))
        new = train_missing(todo, study.setting, journal, executor, retry=retry, each=watch.outcome)
        if not new:
            raise EngineError(f"the executor left no outcome of {len(todo)} instances to train")
        record.add(new)


def _instances(study: SelectStudy, record: RaceRecord, state: RaceState) -> list[Instance]:
    """Return what the race waits for, long trainings first so that no core idles at the end."""
    pairs = dict.fromkeys(state.need)
    if study.baseline is not None:
        key = study.baseline.key
        pairs |= dict.fromkeys((key, number) for number in record.baseline_needs(state))
    instances = [study.instance(key, Role.RACE, number) for key, number in pairs]
    return sorted(instances, key=lambda one: -getattr(one.candidate, "flops", 0))


def _certify(
    study: SelectStudy,
    journal: Journal,
    executor: Executor,
    watch: Watcher,
    retry: set[Identity],
    state: RaceState,
) -> None:
    """Train the fresh instances of the winner and of the best of every other group."""
    for candidate in study.groups(study.known[key] for key in state.ranking):
        todo = [study.instance(candidate.key, Role.CERTIFY, n) for n in range(study.certify)]
        left = list(missing(todo, study.setting, journal, retry))
        if left:
            watch.certifying(candidate, len(left))
            train_missing(left, study.setting, journal, executor, retry=retry, each=watch.outcome)

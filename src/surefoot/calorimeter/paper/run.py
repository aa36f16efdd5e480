"""Train the paper's studies at a scale: photons first, then what teaches most per hour.

Everything is in one folder: a journal per study, named after it, and the simulated photons. Run
again, it goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from surefoot.calorimeter.paper.plan import STUDIES, PaperStudy, chosen
from surefoot.calorimeter.root_io import write_photons
from surefoot.calorimeter.simulation.simulate import simulate
from surefoot.data.population import Population
from surefoot.engines.devices import AUTO
from surefoot.errors import ConfigurationError
from surefoot.executors.base import Executor
from surefoot.executors.opening import open_executor
from surefoot.instances import Setting
from surefoot.journal import Journal
from surefoot.studies.base import FixedStudy, Study, identity_of
from surefoot.studies.duration import mean_seconds, probe, seconds_of_all
from surefoot.studies.search.study import SearchStudy
from surefoot.studies.select.cost import count_trainings
from surefoot.studies.select.study import SelectStudy
from surefoot.studies.watch import Watcher
from surefoot.study_files.build import baseline_of, candidates_of, population_of, setting_of
from surefoot.study_files.read import StudyFile

SEED = 2505
"""Of the simulated photons."""


@dataclass(frozen=True)
class Cost:
    """What a study's journal lacks: ``trainings``, and the ``seconds`` on one core they take."""

    trainings: int
    seconds: float


@dataclass(eq=False)
class PaperRun:
    """Studies of the paper at a scale, with their photons and journals in ``folder``.

    ``engine`` trains them, None for those that the study files name.

    Raises `ConfigurationError` if there is no such folder or scale.
    """

    studies: Mapping[str, PaperStudy]
    scale: str
    folder: Path
    engine: str | None = None
    _loaded: tuple[tuple[Any, ...], Population] | None = None
    _rates: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for study in self.studies.values():
            study.changes(self.scale)
        if not self.folder.is_dir():
            raise ConfigurationError(f"there is no folder '{self.folder}': make it first")

    def place(self, study: PaperStudy) -> Path:
        """Return the journal of a study."""
        return self.folder / f"{study.name}.db"

    def photons(self) -> dict[Path, tuple[str, int]]:
        """Return the files of photons that are to be simulated yet, each a dataset and a number."""
        wanted = {}
        for study in self.studies.values():
            if (count := study.photons(self.scale)) is not None:
                wanted[self._file(study, count)] = study.dataset, count
        return {file: what for file, what in wanted.items() if not file.exists()}

    def simulate(
        self, file: Path, workers: int | None = None, progress: Callable[[int], None] | None = None
    ) -> None:
        """Simulate the photons of a file; it appears when it is whole."""
        dataset, count = self.photons()[file]
        chunks = simulate(dataset, count, SEED, workers=workers)
        about = {"dataset": dataset, "events": count, "simulation": "fast", "seed": str(SEED)}
        write_photons(file, chunks, metadata=about, progress=progress)

    def asked(self, study: PaperStudy) -> Study[Any]:
        """Return a study on its data; errors are those of `PaperStudy.asked`."""
        file = self._read(study)
        asked = study.asked(self.scale, file, self._population(file), self.folder)
        return asked if self.engine is None else replace(asked, engine=self.engine)

    def cost(self, study: PaperStudy) -> Cost:
        """Return what a study's journal lacks, at speeds measured once per family of candidates.

        A stopping rule is taken to end trainings as soon as it may.
        """
        if study.about.after and not (self.folder / f"{study.about.after}.db").exists():
            return self._before_its_selection(study)
        asked = self.asked(study)
        rates, epochs = self._speeds(asked.everyone, asked.setting), _epochs(asked.setting)
        with ExitStack() as stack:
            place = self.place(study)
            record = stack.enter_context(Journal.read(place)) if place.exists() else None
            done = 0 if record is None else record.count()
            if isinstance(asked, SelectStudy):
                left = max(0, count_trainings(asked).total - done)
                each = mean_seconds(asked.candidates, asked.setting, rates, epochs)
                return Cost(left, left * each)
            if isinstance(asked, SearchStudy):
                todo = asked.likely()[done:]
            else:
                assert isinstance(asked, FixedStudy)
                known = record.has if record is not None else lambda *_: False
                todo = [o for o in asked.instances() if not known(*identity_of(o, asked.setting))]
            return Cost(len(todo), seconds_of_all(todo, asked.setting, rates, epochs))

    def order(self, costs: Mapping[str, Cost]) -> list[PaperStudy]:
        """Return the studies, the most claims per hour first, each after its selection."""

        def hours_per_claim(one: PaperStudy) -> float:
            taken_up = [s for s in self.studies.values() if s.about.after == one.name]
            claims = sum(len(s.about.claims) for s in (one, *taken_up))
            seconds = sum(costs[s.name].seconds for s in (one, *taken_up))
            return seconds / max(claims, 1)

        def key(one: PaperStudy) -> tuple[float, bool, str]:
            after = self.studies.get(one.about.after)
            first = one if after is None else after
            return hours_per_claim(first), after is not None, one.name

        return sorted(self.studies.values(), key=key)

    def train(
        self, study: PaperStudy, executor: Executor | None = None, watch: Watcher | None = None
    ) -> Any:
        """Train what a study's journal lacks and return its answer; errors are those of `run`."""
        asked = self.asked(study)
        notes = {"paper": {"study": study.name, "scale": self.scale}}
        with asked.open(self.place(study), notes) as journal:
            return asked.run(journal, executor=executor, watch=watch)

    def _file(self, study: PaperStudy, count: int) -> Path:
        return self.folder / f"photons-{study.dataset}-{count}.root"

    def _read(self, study: PaperStudy) -> StudyFile:
        count = study.photons(self.scale)
        where = study.dataset if count is None else self._file(study, count).resolve()
        return study.read(self.scale, f"photons:{where}")

    def _population(self, file: StudyFile) -> Population:
        """Return a study's data; those of the last one are kept."""
        table = file.tables.population
        key = table.source, str(table.target), str(table.features), str(table.side)
        if self._loaded is None or self._loaded[0] != key:
            self._loaded = None
            self._loaded = key, population_of(file)
        return self._loaded[1]

    def _speeds(self, candidates: Iterable[Any], setting: Setting) -> Mapping[str, float]:
        unknown = [one for one in candidates if one.family not in self._rates]
        if unknown:
            self._rates |= probe(unknown, setting, self.engine or AUTO)
        return self._rates

    def _before_its_selection(self, study: PaperStudy) -> Cost:
        """Return about what a study costs whose candidates a selection has yet to name."""
        file = self._read(study)
        population, n = self._population(file), study.changes(self.scale)["options"]["n"]
        baseline = baseline_of(file)
        everyone = candidates_of(file, population) + (() if baseline is None else (baseline,))
        setting = setting_of(file, population)
        rates = self._speeds(everyone, setting)
        each = mean_seconds(everyone, setting, rates, _epochs(setting))
        return Cost(n * len(everyone), n * len(everyone) * each)


def _epochs(setting: Setting) -> int:
    """Return after how many epochs a training ends that stops as soon as it may."""
    stopping = setting.stopping
    longest = stopping.max_epochs
    return longest if stopping.reading == "none" else min(stopping.min_epochs, longest)


def run_paper(
    names: Iterable[str] = (),
    scale: str = "laptop",
    *,
    folder: str | Path = ".",
    studies: str | Path = STUDIES,
    engine: str | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    watch: Watcher | None = None,
) -> PaperRun:
    """Train the studies of the paper of these names, or all, and return the run.

    Parameters
    ----------
    names
        Of studies or study files; all unless any are given.
    scale
        ``smoke``, ``laptop`` or ``paper``.
    folder
        Where journals and simulated photons are.
    studies
        The folder of the study files, the paper's unless given.
    engine
        Who trains, instead of the study files'.
    workers, executor, watch
        As of `surefoot.compare`.

    Raises
    ------
    ConfigurationError
        If there is no such study, scale or folder.
    StudyFileError
        If a study file cannot be used.
    JournalMismatchError
        If a journal of the folder is of another study.
    """
    run = PaperRun(chosen(list(names), Path(studies)), scale, Path(folder), engine)
    for file in run.photons():
        run.simulate(file, workers)
    order = run.order({name: run.cost(one) for name, one in run.studies.items()})
    with open_executor(executor, workers, engine or AUTO) as opened:
        for study in order:
            run.train(study, opened, watch)
    return run

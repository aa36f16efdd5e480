"""Train the paper's studies at a scale: photons first, then what teaches most per hour.

Everything is in one folder: a journal per study, named after it, and the simulated photons. Run
again, it goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from surefoot.calorimeter.paper.plan import STUDIES, PaperStudy, chosen
from surefoot.calorimeter.paper.sharing import SharedInstances
from surefoot.calorimeter.root_io import write_photons
from surefoot.calorimeter.simulation.simulate import FAST_VERSION, simulate
from surefoot.data.population import Population
from surefoot.engines.devices import AUTO
from surefoot.errors import ConfigurationError
from surefoot.executors.base import Executor
from surefoot.executors.opening import open_executor
from surefoot.instances import Setting
from surefoot.journal import Journal
from surefoot.studies.base import FixedStudy, Study
from surefoot.studies.duration import mean_seconds, probe, seconds_of_each
from surefoot.studies.journals import PLANNED
from surefoot.studies.search.study import SearchStudy
from surefoot.studies.select.cost import count_trainings
from surefoot.studies.select.study import SelectStudy
from surefoot.studies.sizes.base import MultiSizeStudy
from surefoot.studies.variance.study import VarianceStudy
from surefoot.studies.watch import Watcher
from surefoot.study_files.build import baseline_of, candidates_of, population_of, setting_of
from surefoot.study_files.read import StudyFile

SEED = 2505
"""Of the simulated photons."""
KEPT = 1 << 29
"""Bytes of data that stay in memory from one study to the next."""


@dataclass(frozen=True)
class Cost:
    """What a study's journal lacks: ``trainings``, and the ``seconds`` on one core they take."""

    trainings: int
    seconds: float


@dataclass(eq=False)
class PaperRun:
    """Studies of the paper at a scale, with their photons and journals in ``folder``.

    ``engine`` trains them, None for those that the study files name. ``instances`` is how many of
    each candidate are trained at most, None for as many as the scale says; more go on in the same
    journals. Selections and searches have theirs in any case.

    Raises `ConfigurationError` if there is no such folder or scale.
    """

    studies: Mapping[str, PaperStudy]
    scale: str
    folder: Path
    engine: str | None = None
    instances: int | None = None
    _loaded: dict[tuple[Any, ...], Population] = field(default_factory=dict)
    _rates: dict[str, float] = field(default_factory=dict)
    _shared: SharedInstances = field(init=False)

    def __post_init__(self) -> None:
        for study in self.studies.values():
            study.changes(self.scale)
        if not self.folder.is_dir():
            raise ConfigurationError(f"there is no folder '{self.folder}': make it first")
        self._shared = SharedInstances(self.folder)

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
        about = {
            "dataset": dataset,
            "events": count,
            "simulation": "fast",
            "version": FAST_VERSION,
            "seed": str(SEED),
        }
        write_photons(file, chunks, metadata=about, progress=progress)

    def asked(self, study: PaperStudy) -> Study[Any]:
        """Return a study on its data; errors are those of `PaperStudy.asked`."""
        file = self._read(study)
        asked = study.asked(self.scale, file, self._population(file), self.folder)
        if self.instances is not None and isinstance(asked, FixedStudy):
            name = "alone" if isinstance(asked, VarianceStudy) else "n"
            fewer: dict[str, Any] = {name: self._at_most(getattr(asked, name))}
            asked = replace(asked, **fewer)
        return asked if self.engine is None else replace(asked, engine=self.engine)

    def _at_most(self, n: int) -> int:
        return n if self.instances is None else min(n, self.instances)

    def plan(self) -> list[tuple[PaperStudy, Cost]]:
        """Return the studies not complete, the most claims per hour first, and their costs.

        Each comes after its selection. Speeds are measured once per family of candidates; a
        stopping rule is taken to end trainings as soon as it may. What studies share counts for the
        first of them.
        """
        data = {one.name: str(self._read(one).tables.population) for one in self.studies.values()}
        # Those of the same data one after the other, so that each are loaded once.
        by_data = sorted(self.studies.values(), key=lambda one: data[one.name])
        todo = {one.name: self._todo(one) for one in by_data}
        left = {name: one for name, one in todo.items() if one is not None}
        planned, counted = [], set[Hashable]()
        for study in self._order({name: sum(one.values()) for name, one in left.items()}):
            new = {key: s for key, s in left[study.name].items() if key not in counted}
            counted |= new.keys()
            planned.append((study, Cost(len(new), sum(new.values()))))
        return planned

    def _todo(self, study: PaperStudy) -> dict[Hashable, float] | None:
        """Return the seconds of each training that a study lacks, None if its journal is complete.

        Equal keys are equal trainings: an instance of another study of the same data, seed and
        rules is the same. There are none if other journals have them all.
        """
        if study.about.after and not (self.folder / f"{study.about.after}.db").exists():
            return self._before_its_selection(study)
        asked = self.asked(study)
        setting, epochs = asked.setting, _epochs(asked.setting)
        if isinstance(asked, FixedStudy):
            missing = self._shared.missing(asked, self.place(study))
            if isinstance(asked, MultiSizeStudy):
                setting = replace(setting, sampling=asked.sampling(asked.ordered[-1]))
            rates = self._speeds(asked.everyone if missing else (), setting)
            seconds = seconds_of_each((missing or {}).values(), asked.setting, rates, epochs)
            return None if missing is None else dict(zip(missing, seconds, strict=True))
        done, total = self._recorded(study)
        if isinstance(asked, SelectStudy):
            left = max(0, count_trainings(asked).total - done)
            rates = self._speeds(asked.candidates if left else (), setting)
            each = mean_seconds(asked.candidates, setting, rates, epochs) if left else 0.0
            return {(study.name, number): each for number in range(left)} or None
        assert isinstance(asked, SearchStudy)
        todo = asked.likely()[: (total or asked.cost) - done]
        rates = self._speeds(asked.everyone if todo else (), setting)
        seconds = seconds_of_each(todo, setting, rates, epochs)
        return {(study.name, number): each for number, each in enumerate(seconds)} or None

    def _recorded(self, study: PaperStudy) -> tuple[int, int]:
        """Return how many instances a journal has, and notes that there are to be; 0 without one.

        A search that has ended notes how many it took, since its bests may be one candidate.
        """
        place = self.place(study)
        if not place.exists():
            return 0, 0
        with Journal.read(place) as journal:
            return journal.count(), int(journal.notes().get(PLANNED, 0))

    def _order(self, seconds: Mapping[str, float]) -> list[PaperStudy]:
        """Return studies with their seconds, the most claims per hour first, selections before."""

        def seconds_per_claim(one: PaperStudy) -> float:
            both = [one, *(s for s in self.studies.values() if s.about.after == one.name)]
            claims = sum(len(s.about.claims) for s in both)
            return sum(seconds.get(s.name, 0.0) for s in both) / max(claims, 1)

        def key(one: PaperStudy) -> tuple[float, bool, str]:
            after = self.studies.get(one.about.after)
            first = one if after is None else after
            return seconds_per_claim(first), after is not None, one.name

        return sorted((self.studies[name] for name in seconds), key=key)

    def train(
        self, study: PaperStudy, executor: Executor | None = None, watch: Watcher | None = None
    ) -> Any:
        """Train what a study's journal lacks and return its answer; errors are those of `run`.

        Instances that another journal of the folder has are taken from there.
        """
        asked = self.asked(study)
        notes = {"paper": {"study": study.name, "scale": self.scale}}
        with asked.open(self.place(study), notes) as journal:
            if isinstance(asked, FixedStudy):
                self._shared.take_over(asked, journal)
            return asked.run(journal, executor=executor, watch=watch)

    def _file(self, study: PaperStudy, count: int) -> Path:
        # Photons of an earlier simulation are not taken up, nor are the journals trained on them.
        return self.folder / f"photons-{study.dataset}-{count}-v{FAST_VERSION}.root"

    def _read(self, study: PaperStudy) -> StudyFile:
        count = study.photons(self.scale)
        where = study.dataset if count is None else self._file(study, count).resolve()
        return study.read(self.scale, f"photons:{where}")

    def _population(self, file: StudyFile) -> Population:
        """Return a study's data; what was loaded last stays in memory, `KEPT` bytes of it."""
        table = file.tables.population
        key = table.source, str(table.target), str(table.features), str(table.side)
        if key not in self._loaded:
            self._loaded[key] = population_of(file)
            while len(self._loaded) > 1 and self._held() > KEPT:
                del self._loaded[next(iter(self._loaded))]
        return self._loaded[key]

    def _held(self) -> int:
        return sum(one.features.nbytes for one in self._loaded.values())

    def _speeds(self, candidates: Iterable[Any], setting: Setting) -> Mapping[str, float]:
        unknown = [one for one in candidates if one.family not in self._rates]
        if unknown:
            self._rates |= probe(unknown, setting, self.engine or AUTO)
        return self._rates

    def _before_its_selection(self, study: PaperStudy) -> dict[Hashable, float]:
        """Return `_todo`, about, of a study whose candidates a selection has yet to name."""
        file = self._read(study)
        population = self._population(file)
        n = self._at_most(study.changes(self.scale)["options"]["n"])
        baseline = baseline_of(file)
        everyone = candidates_of(file, population) + (() if baseline is None else (baseline,))
        setting = setting_of(file, population)
        rates = self._speeds(everyone, setting)
        each = mean_seconds(everyone, setting, rates, _epochs(setting))
        return {(study.name, number): each for number in range(n * len(everyone))}


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
    claims: Collection[int] = (),
    instances: int | None = None,
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
    claims
        Numbers of claims; the studies that decide them are trained beside those of ``names``.
    instances
        Of each candidate at most, None for as many as the scale says; not of selections and
        searches. More of them go on in the same journals.
    studies
        The folder of the study files, the paper's unless given.
    engine
        Who trains, instead of the study files'.
    workers, executor, watch
        As of `surefoot.compare`.

    Raises
    ------
    ConfigurationError
        If there is no such study, claim, scale or folder.
    StudyFileError
        If a study file cannot be used.
    JournalMismatchError
        If a journal of the folder is of another study.
    """
    found = chosen(names, Path(studies), claims)
    run = PaperRun(found, scale, Path(folder), engine, instances)
    for file in run.photons():
        run.simulate(file, workers)
    order = run.plan()
    with open_executor(executor, workers, engine or AUTO) as opened:
        for study, _ in order:
            run.train(study, opened, watch)
    return run

"""From the tables of a study file to what they describe.

Where a table asks for something impossible, each of these raises `StudyFileError`, whose message
names file and table.
"""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from surefoot import registry
from surefoot.candidates.base import Candidate
from surefoot.candidates.conditions import parse_condition
from surefoot.candidates.convnet.notation import NAMED, choices_of, convnet_space
from surefoot.candidates.making import making, whole
from surefoot.candidates.space import SearchSpace
from surefoot.candidates.trust import trust as trusting
from surefoot.checks import short
from surefoot.data.files import load_population, resolved
from surefoot.data.population import Population, Sampling
from surefoot.errors import (
    CandidateError,
    ConfigurationError,
    StudyFileError,
    SurefootError,
    nearest,
)
from surefoot.instances import Setting
from surefoot.journal import Journal
from surefoot.learning.losses import parse_loss
from surefoot.learning.stopping import Stopping
from surefoot.places import Place
from surefoot.racing import Race, as_criterion
from surefoot.seeds.ledger import Role, check_study_seed
from surefoot.studies.description import rebuild_candidate
from surefoot.studies.grid.study import GridStudy
from surefoot.studies.options import make_setting
from surefoot.studies.replay import find_candidate
from surefoot.studies.search.study import SearchStudy
from surefoot.studies.select.study import SelectStudy
from surefoot.studies.sizes.compare import (
    PAPER_INSTANCES,
    PAPER_SIZES,
    PAPER_STOPPING,
    CompareStudy,
)
from surefoot.study_files.read import StudyFile, read_study_file
from surefoot.study_files.schema import ConvNetSection, FamilySection, build_rules


@contextmanager
def blaming(file: StudyFile, table: str) -> Iterator[None]:
    """Turn an error on what a table asks for into one that names file and table."""
    try:
        yield
    except SurefootError as error:
        raise StudyFileError(f"{file.path}: [{table}] {error}") from error


def read_study(
    path: str | os.PathLike[str], *, engine: str | None = None, trust: str | Iterable[str] = ()
) -> SelectStudy:
    """Return the selection that a study file asks for, its data loaded, ready to `run`.

    Parameters
    ----------
    path
        The study file (TOML); paths in it are relative to it.
    engine
        Who trains, instead of the file's.
    trust
        Packages, modules or import paths whose code the file may name, in this process.

    Raises
    ------
    StudyFileError
        If the file cannot be read, or a table asks for something impossible; the message names
        file and table.

    Examples
    --------
    >>> import surefoot
    >>> study = surefoot.read_study("examples/energy.toml")
    >>> len(study.candidates), str(study.setting.loss), study.race.rule.name
    (64, 'relative_rmse', 'prediction')

    ``study.run(journal="energy.db")`` is what ``surefoot select examples/energy.toml`` runs.
    """
    trusting(trust, beside=Path(path))
    file = read_study_file(Path(path))
    return study_of(file, population_of(file), engine)


def study_of(file: StudyFile, population: Population, engine: str | None = None) -> SelectStudy:
    """Return the selection that a study file asks for; ``engine`` overrides the file's."""
    tables, candidates = file.tables, candidates_of(file, population)
    setting, baseline = setting_of(file, population), baseline_of(file)
    rules = rules_of(file, len(candidates))
    with blaming(file, "study"):
        check_study_seed(tables.study.seed)
    with blaming(file, "certificate"):
        return SelectStudy(
            candidates=candidates,
            setting=setting,
            seed=tables.study.seed,
            name=tables.study.name,
            engine=engine or tables.engine.asked,
            criterion=tables.study.criterion,
            baseline=baseline,
            paired=tables.race.paired,
            certify=tables.certificate.n,
            certify_best_of=tables.certificate.best_of,
            content=tables.certificate.content,
            confidence=tables.certificate.confidence,
            **rules,
        )


def population_of(file: StudyFile) -> Population:
    """Load the population of ``[population]``; a file's path is relative to the study file's."""
    table, folder = file.tables.population, file.path.parent
    given = table.model_dump(exclude_unset=True)
    options = {name: given[name] for name in given.keys() - {"source", "pool_fraction"}}
    if not options.get("classes", True):
        del options["classes"]
    with blaming(file, "population"):
        population = load_population(resolved(table.source, folder), **options)
    if resolved(table.source, folder.absolute()) != table.source:
        given["folder"] = str(folder.absolute())
    return population.found_at(given)


def setting_of(file: StudyFile, population: Population) -> Setting:
    """Return what all instances share, the population split by the study's seed."""
    tables = file.tables
    with blaming(file, "stopping"):
        stopping = Stopping(**tables.stopping.model_dump())
    with blaming(file, "loss"):
        loss = parse_loss(tables.loss.name)
        if tables.loss.objective is not None:
            loss = replace(loss, objective=tables.loss.objective)
        population.check_loss(loss)
    with blaming(file, "sampling"):
        sampling = Sampling(**tables.sampling.model_dump())
    with blaming(file, "population"):
        setting = make_setting(
            population,
            loss=loss,
            sampling=sampling,
            stopping=stopping,
            pool_fraction=tables.population.pool_fraction,
            plain_curves=tables.loss.plain_curves,
            seed=tables.study.seed,
        )
    with blaming(file, "sampling"):
        setting.halves.check(sampling)
    return setting


def baseline_of(file: StudyFile) -> Candidate | None:
    """Return the candidate of ``[baseline]``, or None without that table."""
    table = file.tables.baseline
    if table is None:
        return None
    with blaming(file, "baseline"):
        return _of_family(table.family, table.model_extra or {})


def rules_of(file: StudyFile, candidates: int) -> dict[str, Any]:
    """Return the rules of ``[race]``, as `SelectStudy` takes them."""
    tables = file.tables
    with blaming(file, "study"):
        criterion = as_criterion(tables.study.criterion)
    with blaming(file, "race"):
        if tables.race.screen is not False and tables.baseline is None:
            raise ConfigurationError(
                f"screen = {tables.race.screen:g} compares with a baseline: add [baseline] with "
                "its family, such as 'scaled_sum', or set screen = false"
            )
        rules = build_rules(tables.race)
        Race(map(str, range(candidates)), criterion, **rules)
        return rules


def candidates_of(file: StudyFile, population: Population) -> tuple[Candidate, ...]:
    """Return the candidates of the union of all ``[space]`` tables, in the file's order."""
    with blaming(file, "space"):
        first, *rest = (_space(table, population) for table in file.tables.space)
        for space in rest:
            first |= space
        return first.candidates


def _of_family(name: str, fields: dict[str, Any]) -> Candidate:
    with making(f"a candidate of family {name!r}"):
        return whole(registry.lookup("candidates", name).from_spec(fields))


def _space(table: ConvNetSection | FamilySection, population: Population) -> SearchSpace:
    """Return the space of one ``[space]`` table."""
    if isinstance(table, FamilySection):
        family, fields = registry.lookup("candidates", table.family), table.model_extra or {}
        with making(f"a space of family {table.family!r}"):
            if hasattr(family, "space"):
                space: SearchSpace = family.space(fields)
            else:
                choices = {name: choices_of(name, value) for name, value in fields.items()}
                space = SearchSpace.product(family, **choices)
    else:
        space = convnet_space(_convnet_fields(table, population))
        if table.max_parameters is not None:
            space = space.where(max_parameters=table.max_parameters)
    for text in table.conditions:
        space = space.where(parse_condition(text))
    return space


def _convnet_fields(table: ConvNetSection, population: Population) -> dict[str, Any]:
    """Return the fields of the short notation, completed by what the population settles."""
    others = {"family", "name", "max_parameters", "conditions", "input_shape"}
    fields = table.model_dump(exclude_none=True, exclude=others)
    if "side" in fields:
        if population.side is None and any(choices_of("side", fields["side"])):
            raise ConfigurationError(
                f"side = true, but {population.name} has no side features: "
                "name some as side in [population]"
            )
        width = 0 if population.side is None else int(population.side.shape[1])
        fields["side"] = [width * wanted for wanted in choices_of("side", fields["side"])]
    if "loss" in fields:
        fields["loss"] = [parse_loss(text) for text in choices_of("loss", fields["loss"])]
    if "preset" not in fields:
        fields["outputs"] = population.outputs
        convolved = any(choices_of("channels", fields.get("channels", [])))
        fields["input_shape"] = [_input_shape(table.input_shape, population, convolved)]
    return fields


def _input_shape(
    given: list[int] | None, population: Population, convolved: bool
) -> tuple[int, ...]:
    columns = population.features.shape[1]
    if given is None and not convolved:
        return (1, 1, columns)
    edge = math.isqrt(columns)
    if given is None and edge * edge != columns:
        raise ConfigurationError(
            f"input_shape is missing: the {columns} features of {population.name} are no "
            "square image, so give [channels, rows, columns]"
        )
    shape = (1, edge, edge) if given is None else tuple(given)
    if len(shape) != 3 or math.prod(shape) != columns:
        raise ConfigurationError(
            f"input_shape = {short(given)} does not hold the {columns} features of "
            f"{population.name}: give [channels, rows, columns]"
        )
    return shape


def choose_candidate(
    file: StudyFile, population: Population, text: str | None, journal: Place | None = None
) -> Candidate:
    """Return the candidate that a text names.

    Raises `ConfigurationError` if it names none, or several.

    Parameters
    ----------
    text
        A preset such as ``model_2``; fields of a network in the short notation, such as
        ``channels = [8, 16], hidden = [9]``; a family that needs no field, such as ``scaled_sum``;
        a key, the start of one or a label, of the study file's candidates or of those of
        ``journal``; None for the study file's only candidate.
    journal
        A journal whose candidate it is; ``winner`` names its winner.
    """
    if journal is not None:
        with Journal.read(journal) as record:
            return rebuild_candidate(record.candidates()[find_candidate(record, text or "winner")])
    families = registry.names("candidates")
    if text in NAMED:
        return _from_notation(file, population, f"preset = '{text}'")
    if text is not None and "=" in text:
        return _from_notation(file, population, text)
    if text is not None and text in families:
        with blaming(file, f"--candidate {text}"):
            return _of_family(text, {})
    everyone = candidates_of(file, population)
    if text is None:
        if len(everyone) == 1:
            return everyone[0]
        raise StudyFileError(
            f"{file.path} describes {len(everyone):,} candidates: say which with --candidate, a "
            "preset such as model_2, a key or label, or fields such as 'channels = [8, 16], "
            "hidden = [9]'"
        )
    found = [c for c in everyone if text in (c.key, c.label) or c.key.startswith(text)]
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigurationError(
            f"--candidate {text!r} names {len(found)} candidates of {file.path}"
        )
    raise ConfigurationError(
        f"--candidate {text!r} is no key or label of a candidate of {file.path}, no preset and no "
        f"family: {nearest(text, [*NAMED, *families])}"
    )


def _from_notation(file: StudyFile, population: Population, text: str) -> Candidate:
    """Return the network of an inline table's fields, completed by what the population settles."""
    with blaming(file, f"--candidate {text}"):
        try:
            fields = tomllib.loads(f"fields = {{ {text} }}")["fields"]
            table = ConvNetSection.model_validate(fields)
        except tomllib.TOMLDecodeError as error:
            raise CandidateError(f"cannot be read as fields 'name = value, …': {error}") from None
        except ValidationError as error:
            first = error.errors()[0]
            raise CandidateError(
                f"field {first['loc'][0]!r} cannot be used: {first['msg']}"
            ) from None
        found = _space(table, population).candidates
        if len(found) != 1:
            raise CandidateError(f"describes {len(found)} candidates: give one value of each field")
        return found[0]


def comparison_of(
    file: StudyFile,
    population: Population,
    *,
    paper: bool = False,
    only: Sequence[str] | None = None,
    sizes: Sequence[int] | Literal["paper"] | None = None,
    n: int | None = None,
    engine: str | None = None,
) -> CompareStudy:
    """Return the comparison of the only candidate of every ``[space]`` and the baseline.

    ``only`` names whom to compare instead of every ``[[space]]``: the name of one, or what
    `choose_candidate` takes. ``sizes``, ``n`` and ``engine`` override the file's; ``paper`` asks
    for the paper's sizes and instances and stops as the paper does.
    """
    tables, names, candidates = file.tables, list[str](), list[Candidate]()
    spaces = {table.name or "": table for table in tables.space}
    wanted = tables.space if only is None else [spaces.get(text, text) for text in only]
    for one in wanted:
        if isinstance(one, str):
            candidates.append(choose_candidate(file, population, one))
            names.append(one if one in NAMED else candidates[-1].label)
            continue
        with blaming(file, "space"):
            found = _space(one, population).candidates
            if len(found) != 1:
                words = f"{one.name!r} " if one.name else ""
                raise ConfigurationError(
                    f"{words}describes {len(found):,} candidates, but compare takes one from "
                    "each [[space]]: give one value of each field"
                )
        names.append(one.name or found[0].label)
        candidates += found
    baseline = baseline_of(file)
    if baseline is not None and all(one.key != baseline.key for one in candidates):
        names.append((tables.baseline and tables.baseline.name) or baseline.label)
        candidates.append(baseline)
    for name in names:
        if names.count(name) > 1:
            what = "[[space]] name =" if only is None else "--candidate"
            raise StudyFileError(f"{file.path}: {what} {name!r} is given twice")
    setting, asked = setting_of(file, population), tables.compare
    with blaming(file, "compare"):
        return CompareStudy(
            candidates=tuple(candidates),
            names=tuple(names),
            name=tables.study.name,
            baseline=baseline,
            setting=replace(setting, stopping=PAPER_STOPPING) if paper else setting,
            seed=tables.study.seed,
            engine=engine or tables.engine.asked,
            sizes=(PAPER_SIZES if paper else asked.sizes) if sizes is None else sizes,
            n=(PAPER_INSTANCES if paper else asked.instances) if n is None else n,
            content=tables.certificate.content,
            confidence=tables.certificate.confidence,
            equal_test=paper or not asked.same_test,
        )


def grid_of(
    file: StudyFile,
    population: Population,
    *,
    by: Sequence[str] = (),
    n: int | None = None,
    engine: str | None = None,
) -> GridStudy:
    """Return the grid of all candidates of a study file, and its baseline if it has one.

    ``by``, ``n`` and ``engine`` override the file's.
    """
    tables, asked = file.tables, file.tables.grid
    candidates, setting, baseline = (
        candidates_of(file, population),
        setting_of(file, population),
        baseline_of(file),
    )
    named = [asked.by] if isinstance(asked.by, str) else asked.by
    with blaming(file, "grid"):
        return GridStudy(
            candidates=candidates,
            setting=setting,
            seed=tables.study.seed,
            name=tables.study.name,
            engine=engine or tables.engine.name,
            n=asked.instances if n is None else n,
            by=tuple(by) or tuple(named),
            baseline=baseline,
            criterion=tables.study.criterion,
            confidence=tables.certificate.confidence,
        )


def search_of(
    file: StudyFile,
    population: Population,
    *,
    trials: Sequence[int] | None = None,
    sampler: str | None = None,
    rival: str | None = None,
    selected: Place | None = None,
    engine: str | None = None,
) -> SearchStudy:
    """Return the search of a study file's spaces, and its rival if it has one.

    ``trials``, ``sampler``, ``rival`` and ``engine`` override the file's; ``selected`` is the
    journal of a race or another search whose winner, or ``rival``, it is.
    """
    tables, asked = file.tables, file.tables.search
    candidates, setting = candidates_of(file, population), setting_of(file, population)
    named = rival if rival is not None or selected is not None else asked.rival
    other = None
    if named is not None or selected is not None:
        with blaming(file, "search"):
            other = choose_candidate(file, population, named, selected)
    with blaming(file, "search"):
        return SearchStudy(
            candidates=candidates,
            setting=setting,
            seed=tables.study.seed,
            name=tables.study.name,
            engine=engine or tables.engine.name,
            trials=asked.trials if trials is None else trials,
            instances=asked.instances,
            sampler=asked.sampler if sampler is None else sampler,
            at_once=asked.at_once,
            criterion=tables.study.criterion,
            rival=other,
            rival_trainings=None if selected is None else _raced(selected),
            certify=tables.certificate.n,
            content=tables.certificate.content,
            confidence=tables.certificate.confidence,
        )


def _raced(place: Place) -> int:
    """Return how many instances a journal's candidates were chosen by."""
    with Journal.read(place) as journal:
        return journal.count(Role.RACE)

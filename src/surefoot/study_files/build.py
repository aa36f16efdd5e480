"""From the tables of a study file to the objects they describe."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from surefoot import registry
from surefoot.candidates.base import Candidate
from surefoot.candidates.conditions import parse_condition
from surefoot.candidates.convnet.notation import choices_of, convnet_space
from surefoot.candidates.space import SearchSpace
from surefoot.candidates.trust import trust as trusting
from surefoot.data.files.loading import load_population, resolved
from surefoot.data.population import Population, Sampling
from surefoot.errors import ConfigurationError, StudyFileError, SurefootError
from surefoot.instances import Setting
from surefoot.learning.losses.base import parse_loss
from surefoot.learning.stopping import Stopping
from surefoot.seeds.ledger import check_study_seed
from surefoot.studies.options import make_setting
from surefoot.studies.select.study import SelectStudy
from surefoot.study_files.read import StudyFile, read_study_file
from surefoot.study_files.schema import ConvNetSection, FamilySection


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
    """Return the selection that a study file asks for; ``engine`` overrides the file's.

    Raises
    ------
    StudyFileError
        If a table asks for something impossible; the message names file and table.
    """
    tables = file.tables
    candidates = candidates_of(file, population)
    parts: dict[str, Any] = {
        "candidates": candidates,
        "setting": setting_of(file, population),
        "baseline": baseline_of(file),
        **rules_of(file, len(candidates)),
    }
    with blaming(file, "study"):
        check_study_seed(tables.study.seed)
    with blaming(file, "certificate"):
        return SelectStudy(
            **parts,
            seed=tables.study.seed,
            engine=engine or tables.engine.name,
            criterion=tables.study.criterion,
            paired=tables.race.paired,
            certify=tables.certificate.n,
            certify_best_of=tables.certificate.best_of,
            content=tables.certificate.content,
            confidence=tables.certificate.confidence,
        )


def candidates_of(file: StudyFile, population: Population) -> tuple[Candidate, ...]:
    """Return the candidates of the union of all ``[space]`` tables, in the file's order.

    Raises
    ------
    StudyFileError
        If a table describes no candidate, or a network needs what the population lacks.
    """
    with blaming(file, "space"):
        first, *rest = (space_of(table, population) for table in file.tables.space)
        for space in rest:
            first |= space
        return first.candidates


def population_of(file: StudyFile) -> Population:
    """Load the population of ``[population]``; a file's path is relative to the study file's.

    Raises
    ------
    StudyFileError
        If the source is neither known nor a readable file, or lacks what is named.
    """
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
        family = registry.lookup("candidates", table.family)
        candidate: Candidate = family.from_spec(dict(table.model_extra or {}))
        return candidate


def rules_of(file: StudyFile, candidates: int) -> dict[str, Any]:
    """Return the rules of ``[race]``, as `SelectStudy` takes them.

    Raises
    ------
    StudyFileError
        If a key has no meaning beside the others, or the rules cannot judge the criterion.
    """
    from surefoot.racing.criteria import as_criterion
    from surefoot.racing.race import Race
    from surefoot.study_files.race import build_rules

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


def space_of(table: ConvNetSection | FamilySection, population: Population) -> SearchSpace:
    """Return the space of one ``[space]`` table."""
    if isinstance(table, FamilySection):
        family, fields = registry.lookup("candidates", table.family), table.model_extra or {}
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
    fields = table.model_dump(
        exclude_none=True, exclude={"family", "name", "max_parameters", "conditions", "input_shape"}
    )
    if "side" in fields:
        fields["side"] = [
            _side_features(population) if wanted else 0
            for wanted in choices_of("side", fields["side"])
        ]
    if "loss" in fields:
        fields["loss"] = [parse_loss(text) for text in choices_of("loss", fields["loss"])]
    if "preset" not in fields:
        fields["outputs"] = population.outputs
        fields["input_shape"] = [_input_shape(table.input_shape, population)]
    return fields


def _side_features(population: Population) -> int:
    if population.side is None:
        raise ConfigurationError(
            f"side = true, but {population.name} has no side features: "
            "name some as side in [population]"
        )
    return int(population.side.shape[1])


def _input_shape(given: list[int] | None, population: Population) -> tuple[int, int, int]:
    columns = population.features.shape[1]
    if given is None:
        edge = math.isqrt(columns)
        if edge * edge != columns:
            raise ConfigurationError(
                f"input_shape is missing: the {columns} features of {population.name} are no "
                "square image, so give [channels, rows, columns]"
            )
        return (1, edge, edge)
    if len(given) != 3 or math.prod(given) != columns:
        raise ConfigurationError(
            f"input_shape = {given} does not hold the {columns} features of {population.name}: "
            "give [channels, rows, columns]"
        )
    return (given[0], given[1], given[2])

"""The tables of a study file as pydantic models; unknown keys are errors.

Every field's ``description`` says in words what its value must be: error messages quote it. What
the values mean, and their defaults where None, is the matter of the objects built from them.

The keys of ``[race]`` are those that the registered schedules and rules state. A key without
meaning for the schedule or rule chosen is refused in a sentence that says where it belongs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    create_model,
    field_validator,
)

from surefoot.engines.devices import DEVICE, on_device
from surefoot.errors import ConfigurationError
from surefoot.racing import Screen, registry
from surefoot.racing.parts import either
from surefoot.racing.race import Cost

WHOLE = "a whole number"
NUMBER = "a number"
WORD = "a word in quotes"
YES = "true or false"


Words = str | list[str]
Whole = int | list[int]
Number = float | list[float]


def _choices(what: str) -> Any:
    """Return a field of one value or a list of choices, None unless given."""
    return Field(None, description=f"{what}, or a list of choices")


_PER_CONVOLUTION: Any = Field(
    None,
    description="one for all convolutions, a list of choices, or a list with a list per choice",
)
_USUAL: Any = Field({})
"""A table whose fields have their defaults unless given."""


class Section(BaseModel):
    """One table; keys that are not fields are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class StudySection(Section):
    """``[study]``: what is asked."""

    name: str = Field("", description=WORD)
    seed: int = Field(0, description="a whole number from 0 to 2^64 - 1")
    criterion: str = Field(
        "mean", description="a criterion in quotes, such as 'mean', 'max' or 'mean+2*sd'"
    )


class PopulationSection(Section):
    """``[population]``: where the data are and what is predicted."""

    source: str = Field(
        description="a known population such as 'photons:A', or a file such as 'houses.csv'"
    )
    target: Words | None = Field(None, description="a name in quotes, or a list of names")
    features: Words | None = Field(None, description="a name in quotes, or a list of names")
    side: bool | Words | None = Field(
        None, description="a name in quotes, a list of names, true or false"
    )
    groups: str | None = Field(None, description=WORD)
    weights: str | None = Field(None, description=WORD)
    order: str | None = Field(None, description=WORD)
    missing: bool = Field(False, description=YES)
    categories: bool | Words = Field(
        False, description="true, a name in quotes, or a list of names"
    )
    classes: bool = Field(False, description=YES)
    unit: str | None = Field(None, description="the features' unit, such as 'MeV'")
    target_unit: str | None = Field(None, description="the target's unit, such as 'GeV' or 'mm'")
    target_among_features: bool = Field(False, description=YES)
    pool_fraction: float = Field(0.5, description="a number between 0 and 1")


class SamplingSection(Section):
    """``[sampling]``: the draws of an instance."""

    size: int | None = Field(None, description=WHOLE)
    method: str = Field("bootstrap", description="'bootstrap' or 'subsample'")
    test_size: int | None = Field(None, description=WHOLE)
    stratify: bool = Field(False, description=YES)


class LossSection(Section):
    """``[loss]``: what is measured on the test draw, and trained on unless a space says else."""

    name: str = Field(description="a loss in quotes, such as 'relative_rmse' or 'huber(0.5)'")
    objective: Literal["root", "square"] | None = Field(
        None, description="'square' or 'root': what is trained of a loss that is a root"
    )
    plain_curves: bool = Field(False, description=YES)


class StoppingSection(Section):
    """``[stopping]``: when an instance's training ends."""

    max_epochs: int = Field(300, description=WHOLE)
    min_epochs: int = Field(100, description=WHOLE)
    window: int = Field(30, description=WHOLE)
    tolerance: float = Field(0.10, description=NUMBER)
    reading: str = Field("plateau", description="'plateau', 'explosion' or 'none'")


class ConvNetSection(Section):
    """``[space]``: networks in the short notation; one value is fixed, a list is choices."""

    family: Literal["convnet"] = Field("convnet", description="a known family of candidates")
    name: str | None = Field(None, description="what compare calls it, in quotes")
    preset: Words | None = _choices("a preset in quotes")
    channels: list[int] | list[list[int]] | None = Field(
        None, description="a list of channels such as [8, 16] or [], or a list of such lists"
    )
    hidden: list[int] | list[list[int]] | None = Field(
        None, description="a list of units such as [32], or a list of such lists"
    )
    kernel: Whole | list[list[int]] | None = _PER_CONVOLUTION
    padding: Words | list[list[str]] | None = _PER_CONVOLUTION
    conv_bias: bool | list[bool] | list[list[bool]] | None = _PER_CONVOLUTION
    pool: Words | list[str | list[str]] | None = _PER_CONVOLUTION
    activation: Words | None = _choices(WORD)
    batch_norm: bool | list[bool] | None = _choices(YES)
    dropout: Number | None = _choices(NUMBER)
    side: bool | list[bool] | None = _choices(YES)
    side_layer: Whole | None = _choices(WHOLE)
    input_shape: list[int] | None = Field(
        None, description="three whole numbers: [channels, rows, columns]"
    )
    scale: bool | list[bool] | None = _choices(YES)
    optimizer: Words | None = _choices(WORD)
    learning_rate: Number | None = _choices(NUMBER)
    batch_size: Whole | None = _choices(WHOLE)
    decay: Number | None = _choices(NUMBER)
    loss: Words | None = _choices("a loss in quotes")
    objective: Words | None = _choices("'square' or 'root'")
    schedule: Words | None = _choices("a schedule in quotes")
    warmup: Number | None = _choices("a number of epochs")
    average: Words | None = _choices("an average in quotes")
    clip: float | str | list[float | str] | None = _choices("a number or 'none'")
    max_parameters: int | None = Field(None, description=WHOLE)
    conditions: list[str] = Field(
        [], description="a list of comparisons such as ['learning_rate * batch_size <= 0.1']"
    )


class BaselineSection(BaseModel):
    """``[baseline]``: what a screen compares with; its candidate takes every other key."""

    model_config = ConfigDict(extra="allow", frozen=True)

    family: str = Field(description="a known family of candidates, such as 'scaled_sum'")
    name: str | None = Field(None, description="what compare calls it, in quotes")


class FamilySection(BaselineSection):
    """``[space]`` with another ``family``: its candidate class takes every other key."""

    conditions: list[str] = Field([], description="a list of comparisons")


def _kind(table: Any) -> str:
    family = table.get("family", "convnet") if isinstance(table, dict) else "convnet"
    return "convnet" if family == "convnet" else "family"


SpaceSection = Annotated[
    Annotated[ConvNetSection, Tag("convnet")] | Annotated[FamilySection, Tag("family")],
    Discriminator(_kind),
]


class RaceSection(Section):
    """``[race]``: rounds, who leaves after one, when it ends, and the screen.

    `race_table` adds the keys of schedules and rules.
    """

    schedule: str = "default"
    rule: str | None = None
    rungs: str | None = None
    max_instances: int | None = Field(None, description=WHOLE)
    limit: float | None = Field(None, description=NUMBER)
    cost: Cost = Field("instances", description="'instances', 'seconds' or 'visits'")
    screen: float | Literal[False] = Field(
        False, description="the tolerance above the baseline such as 0.2, or false"
    )
    screen_margin: Literal["none", "noise"] = Field("none", description="'none' or 'noise'")
    paired: bool = Field(True, description=YES)

    @field_validator("screen", mode="before")
    @classmethod
    def _no_true(cls, value: Any) -> Any:
        if value is True:
            raise ValueError
        return value


def race_table() -> type[RaceSection]:
    """Return the table with the names and keys of all that is registered now."""
    fields: dict[str, Any] = {}
    for kind, choice in registry.ONE.items():
        names = tuple(registry.registered(kind))
        names += ("none",) if kind == "rungs" else ()
        default = RaceSection.model_fields[choice].default
        allowed = Literal[names] if default else Literal[names] | None
        fields[choice] = (allowed, Field(default, description=either(names)))
        for name, homes in registry.keys(kind).items():
            domain = homes[0][1].domain
            fields[name] = (domain.type | None, Field(None, description=domain.words))
    return create_model("RaceSection", __base__=RaceSection, **fields)


def read_race(table: Any) -> Any:
    """Return ``[race]`` checked; raises pydantic's ``ValidationError``."""
    if not isinstance(table, Mapping):
        return table
    return race_table().model_validate(registry.renamed(table))


class CertificateSection(Section):
    """``[certificate]``: fresh instances of the winner and what they are to promise."""

    n: int = Field(59, description=WHOLE)
    content: float = Field(0.95, description="a share between 0 and 1")
    confidence: float = Field(0.95, description="a share between 0 and 1")
    best_of: str = Field(
        "", description="a field in quotes such as 'side': the best of each of its values"
    )


class CompareSection(Section):
    """``[compare]``: sample sizes and instances of a comparison."""

    sizes: list[int] | Literal["paper"] | None = Field(
        None, description="a list of whole numbers, or 'paper' for the paper's 45"
    )
    instances: int = Field(20, description=WHOLE)
    same_test: bool = Field(False, description=YES)


class GridSection(Section):
    """``[grid]``: instances of every candidate, and the fields asked about."""

    instances: int = Field(10, description=WHOLE)
    by: str | list[str] = Field([], description="a field in quotes, or a list of fields")


class PaperSection(Section):
    """``[paper]``: what ``surefoot paper`` makes of the file.

    The tables of a scale stand in place of the file's, key by key; besides, ``photons`` asks for so
    many simulated ones and ``options`` are fields of the study that no table has.
    """

    command: str = Field(description="the command that asks it, such as 'compare'")
    claims: list[int] = Field(description="a list of the numbers of claims")
    sources: list[str] = Field(["A"], description="a list of data sets, such as ['A', 'B']")
    candidates: list[str] = Field([], description="a list of candidates, each asked about alone")
    after: str = Field("", description="the name of the selection that it takes up, in quotes")
    smoke: dict[str, Any] = Field({}, description="a table")
    laptop: dict[str, Any] = Field({}, description="a table")
    paper: dict[str, Any] = Field({}, description="a table")


class SearchSection(Section):
    """``[search]``: who proposes how many candidates, and who is certified beside the best."""

    trials: Whole = Field(120, description="a whole number, or a list of them")
    instances: int = Field(1, description=WHOLE)
    sampler: str = Field("tpe", description="'tpe', 'gp', 'cmaes' or 'random'")
    at_once: int = Field(1, description=WHOLE)
    rival: str | None = Field(
        None, description="a candidate in quotes: a preset, fields, a family, a key or a label"
    )


class EngineSection(Section):
    """``[engine]``: who trains; decides no result but the last digits."""

    name: str = Field("auto", description="'auto' or the name of an engine")
    device: str = Field(
        "auto", pattern=DEVICE, description="'auto', 'cpu', 'cuda' or one GPU as 'cuda:0'"
    )
    workers: int | None = Field(None, description=WHOLE)

    @property
    def asked(self) -> str:
        """The engine on its device, as studies take it."""
        return on_device(self.name, self.device)


class StudyModel(Section):
    """A whole study file."""

    model_config = ConfigDict(validate_default=True)

    study: StudySection = _USUAL
    population: PopulationSection = Field(description="a table")
    sampling: SamplingSection = _USUAL
    loss: LossSection = Field(description="a table")
    stopping: StoppingSection = _USUAL
    space: list[SpaceSection] = Field(description="a table, or several as [[space]]", min_length=1)
    baseline: BaselineSection | None = Field(None, description="a table")
    race: RaceSection = _USUAL
    certificate: CertificateSection = _USUAL
    compare: CompareSection = _USUAL
    grid: GridSection = _USUAL
    search: SearchSection = _USUAL
    engine: EngineSection = _USUAL
    paper: PaperSection | None = Field(None, description="a table")

    @field_validator("race", mode="before")
    @classmethod
    def _of_those_registered(cls, value: Any) -> Any:
        return read_race(value)

    @field_validator("space", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return [value] if isinstance(value, dict) else value


TABLES: dict[str, Any] = {name: one.annotation for name, one in StudyModel.model_fields.items()}
TABLES |= {"space": ConvNetSection, "baseline": BaselineSection, "paper": PaperSection}
"""The model of every table by its name."""


def build_rules(race: RaceSection) -> dict[str, Any]:
    """Return schedule, rule, rungs, screen, limit, max_instances and cost as `Race` takes them.

    Raises `ConfigurationError` if a key has no meaning beside the others or is missing, or a number
    is none that schedule, rule or screen can have.
    """
    schedule = registry.make("schedules", race.schedule, _given(race, "schedules"))
    numbers, rule = _given(race, "rules"), None
    if schedule.own_rule is not None:
        known = registry.registered("schedules").items()
        home = f"schedule = {either([name for name, one in known if not one.own_rule])}"
        for key in ("rule", *numbers, "max_instances"):
            if key in race.model_fields_set:
                beside = f"schedule = '{race.schedule}'"
                raise registry.meaningless(key, getattr(race, key), beside, home)
    elif race.rule is not None or numbers:
        rule = registry.make("rules", race.rule or schedule.usual_rule.name, numbers)
    screen = None
    if race.screen is not False:
        screen = Screen(tolerance=race.screen, margin=race.screen_margin)
    elif "screen_margin" in race.model_fields_set:
        raise ConfigurationError(
            f"screen_margin = '{race.screen_margin}' has no meaning without a screen: give its "
            "tolerance too, such as screen = 0.2"
        )
    bounds = {"limit": race.limit, "max_instances": race.max_instances, "cost": race.cost}
    parts = {"schedule": schedule, "rule": rule, "rungs": _rungs(race), "screen": screen}
    return {**parts, **bounds}


def _rungs(race: RaceSection) -> Any:
    """Return the rungs of a table; None without any."""
    given = _given(race, "rungs")
    if race.rungs not in (None, "none"):
        return registry.make("rungs", race.rungs, given)
    for key, value in given.items():
        homes = [home for home, _ in registry.keys("rungs")[key]]
        raise registry.meaningless(key, value, "a race without rungs", f"rungs = {either(homes)}")
    return None


def _given(race: RaceSection, kind: registry.Kind) -> dict[str, Any]:
    """Return the keys of schedules or of rules that a table gives."""
    values = {key: getattr(race, key, None) for key in registry.keys(kind)}
    return {key: value for key, value in values.items() if value is not None}

"""The ``[race]`` table, and from it, or from the options of ``rerace``, to the rules of a race.

Its keys are those that the registered schedules and rules state. A key without meaning for the
schedule or rule chosen is refused in a sentence that says where it belongs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model, field_validator

from surefoot.errors import ConfigurationError
from surefoot.racing import registry
from surefoot.racing.parts import either
from surefoot.racing.race import Cost
from surefoot.racing.screen import Screen


class RaceSection(BaseModel):
    """``[race]``: rounds, who leaves after one, when it ends, and the screen.

    `race_table` adds the keys of schedules and rules.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    schedule: str = "default"
    rule: str | None = None
    max_instances: int | None = Field(None, description="a whole number")
    limit: float | None = Field(None, description="a number")
    cost: Cost = Field("instances", description="'instances', 'seconds' or 'visits'")
    screen: float | Literal[False] = Field(
        False, description="the tolerance above the baseline such as 0.2, or false"
    )
    screen_margin: Literal["none", "noise"] = Field("none", description="'none' or 'noise'")
    paired: bool = Field(True, description="true or false")

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


def build_rules(race: RaceSection) -> dict[str, Any]:
    """Return schedule, rule, screen, limit, max_instances and cost as `Race` takes them.

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
    return {"schedule": schedule, "rule": rule, "screen": screen, **bounds}


def _given(race: RaceSection, kind: registry.Kind) -> dict[str, Any]:
    """Return the keys of schedules or of rules that a table gives."""
    values = {key: getattr(race, key, None) for key in registry.keys(kind)}
    return {key: value for key, value in values.items() if value is not None}

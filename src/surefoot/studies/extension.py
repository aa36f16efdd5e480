"""Extension: the changes of a study under which everything its journal holds stays valid.

A race is replayed from its losses, and the luck of instance i does not depend on the rules of the
race. So every recorded outcome serves a race that may spend more, and only what that race lacks is
trained. The rule: a number that counts trainings may grow or, where that means no bound, go away
(`limit`, `max_instances`, the certificate's `certify`, an assessment's `n`, a search's `trials`,
and `COUNTS` of the schedule); a default schedule follows limit and max_instances; what the
certificate is to promise may change, since it is read off the same losses. All else is another
study.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, Literal, NamedTuple, TypeGuard

from surefoot.journal import Extended, Extension
from surefoot.journal.descriptions import mismatches
from surefoot.racing import Race
from surefoot.racing.schedules.stages import default_schedule, within
from surefoot.studies.description import Description, RaceDescription

COUNTS = frozenset({"budget", "cap", "complete", "per_round", "total", "warmup"})
"""Numbers of schedules, and of the rule that goes with one, that count trainings."""
_OPEN = frozenset({"limit", "max_instances", "total"})
"""None of these is no bound."""
_NUMBERS = {
    "select": ("limit", "max_instances", "certify"),
    "assess": ("n",),
    "search": ("trials", "certify"),
}
_PROMISED = ("content", "confidence")
_ORDER = ("limit", "max_instances", "schedule", "rule", "trials", "certify", "n", *_PROMISED)
"""The order in which changes are told."""
_RULES = frozenset({"criterion", "schedule", "rule", "screen", "rungs", "limit", "max_instances"})


class _Change(NamedTuple):
    """A difference: the description's field, in words, and whether it asks for more trainings."""

    field: str
    words: str
    kind: Literal["more", "less", "other"]


def extension(old: Description, new: Description) -> Extension | None:
    """Return how the study asked for extends that of the journal, None if it does not."""
    found = list(_changes(old, new))
    if not found or any(change.kind != "more" for change in found):
        return None
    return Extension(tuple(dict.fromkeys(change.words for change in found)))


def extension_or_why_not(old: Mapping[str, Any], new: Mapping[str, Any]) -> Extension | str:
    """Return the extension, or what to add to the refusal of a changed study; "" for nothing.

    Both are descriptions as JSON values, of the journal and of the study asked for.
    """
    before, after = Description.read(old), Description.read(new)
    kinds = {before.kind, after.kind}
    return extension(before, after) or _why_not(kinds, list(_changes(before, after)))


def history(extensions: Sequence[Extended]) -> list[str]:
    """Return in sentences when and by what a study was extended, none if it never was.

    A certificate holds for a number of instances fixed beforehand. If some of its losses were known
    when the study was extended, that is said.
    """
    if not extensions:
        return []
    number = len(extensions)
    times = {1: "once", 2: "twice"}.get(number, f"{number} times")
    steps = (
        f"{', '.join(one.changes)} ({one.recorded[:16].replace('T', ' ')} UTC)"
        for one in extensions
    )
    seen = max(one.fresh for one in extensions)
    return [f"Extended {times}: {'; '.join(steps)}", *_caution(seen)]


def announcement(extended: Extended | None) -> list[str]:
    """Return in sentences what a study has just been extended by; none for None."""
    if extended is None:
        return []
    return [
        f"Extended: {', '.join(extended.changes)}; nothing recorded is trained again",
        *_caution(extended.fresh),
    ]


def _caution(seen: int) -> list[str]:
    if not seen:
        return []
    return [
        f"{seen} fresh loss{'es' if seen > 1 else ''} had been seen before it was extended: the "
        "certificate's confidence holds only if they had no part in the decision"
    ]


def _changes(old: Description, new: Description) -> Iterator[_Change]:
    """Yield every difference of two descriptions; a population's name is none."""
    kind, one, other = new.kind, old.json(), new.json()
    promise = "promise" in one or "promise" in other
    numbers = () if promise else _NUMBERS.get(kind, ())
    default = _is_default(old) and _is_default(new)
    for name in dict.fromkeys([*_ORDER, *one, *other]):
        before, after = one.get(name), other.get(name)
        if before == after or not mismatches({name: before}, {name: after}):
            continue
        if name == "limit" and _is_default(old) and _is_default(new) and None in (before, after):
            yield _default_limit(old, new)
        elif name in numbers:
            yield _number(name, name, before, after)
        elif name in _PROMISED and numbers:
            yield _Change(name, f"{name} {before:g} -> {after:g}", "more")
        elif name == "schedule" and default:
            continue  # it follows limit and max_instances, which are judged themselves
        elif name in ("schedule", "rule") and kind == "select":
            yield from _grown(name, name, before, after)
        else:
            yield _Change(name, f"another {name}", "other")


def _number(field: str, name: str, before: Any, after: Any) -> _Change:
    words = f"{name} {_shown(before)} -> {_shown(after)}"
    open_ = name in _OPEN and after is None
    more = open_ or (None not in (before, after) and after >= before)
    return _Change(field, words, "more" if more else "less")


def _grown(field: str, name: str, before: Any, after: Any) -> Iterator[_Change]:
    """Yield what differs in parts of the same kinds, or that the parts are others."""
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        if before.keys() == after.keys():
            for inner in before:
                yield from _grown(field, inner, before[inner], after[inner])
            return
    elif isinstance(before, list) and isinstance(after, list):
        if len(before) == len(after):
            for one, other in zip(before, after, strict=True):
                yield from _grown(field, name, one, other)
            return
    elif name in COUNTS and (name in _OPEN or None not in (before, after)):
        yield _number(field, name, before, after)
        return
    yield _Change(field, f"another {field}", "other")


def _is_default(study: Description) -> TypeGuard[RaceDescription]:
    """Say whether a selection has the default schedule of its candidates, limit and max_instances.

    A rule's own ``max_instances`` and a limit in seconds or visits are not what it is made from.
    """
    if not isinstance(study, RaceDescription):
        return False
    size, needs = len(study.candidates), study.criterion.needs
    return any(
        study.schedule == default_schedule(size, within(total, size), cap, needs)
        for total, cap in product({study.limit, None}, {study.max_instances, None})
    )


def _default_limit(old: RaceDescription, new: RaceDescription) -> _Change:
    """Return the change of a default schedule's limit from or to none, its usual budget."""
    before, after = _spending(old), _spending(new)
    words = (
        f"limit {_shown(old.limit)} -> {_shown(new.limit)} (default schedule: {before:,} -> "
        f"{after:,} trainings)"
    )
    more = after > before or (after == before and new.limit is None)
    return _Change("limit", words, "more" if more else "less")


def _spending(study: RaceDescription) -> int:
    """Return the trainings of the default schedule of a selection."""
    keys, cap, criterion = study.candidates, study.max_instances, study.criterion
    schedule = default_schedule(len(keys), within(study.limit, len(keys)), cap, criterion.needs)
    race = Race(keys, criterion, schedule, max_instances=cap)
    planned = sum(part.trainings for part in race.plan())
    return planned if study.limit is None else min(planned, int(study.limit))


def _why_not(kinds: set[Any], found: Sequence[_Change]) -> str:
    """Return what to add to a refusal; "" where another study was meant all along."""
    fields = {change.field for change in found}
    known = _RULES | {"certify", "n", "trials", *_PROMISED}
    race = kinds == {"select"}
    if race and "candidates" in fields <= known | {"candidates"}:
        return (
            "other candidates make another race, since who left was judged among those it began "
            "with"
        )
    if not fields <= known:
        return ""
    under, said = "under other rules", []
    if all(change.kind != "other" for change in found):
        less = [change.words for change in found if change.kind == "less"]
        said.append(f"an extension only asks for more, but {' and '.join(less)} asks for less")
        under = "with less (--limit, --max-instances)"
    if race and fields & _RULES:
        said.append(f"`surefoot rerace JOURNAL` runs the recorded race {under} without training")
    return "; ".join(said)


def _shown(value: Any) -> str:
    return "none" if value is None else f"{value:,.10g}"

"""A verdict for each claim of the paper, by the claim's rule, from what is recorded.

A rule finds a claim seen, not seen or reversed. The verdict is more careful: what was found with
fewer examples, epochs or candidates than the claim speaks of is said to be of that size, and is
never called not seen or reversed; what was not run to its end, or too seldom, cannot be decided.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from surefoot.calorimeter.paper.evidence import Recorded
from surefoot.errors import ConfigurationError, StatisticsError, nearest

Found = Literal["seen", "not seen", "reversed"]
Word = Literal["seen", "seen at smaller size", "not seen", "reversed", "cannot be decided here"]
SEEN: Found = "seen"
NOT_SEEN: Found = "not seen"
REVERSED: Found = "reversed"
SMALLER: Word = "seen at smaller size"
OPEN: Word = "cannot be decided here"
FEWEST = 5
"""Instances of a candidate below which nothing is said of it."""
EPOCHS = 100
"""The paper's trainings are at least this long."""
NEAR = 0.98
"""A size counts as the claim's from this share on: the largest of the 45 is 31,697, not 32,000."""


@dataclass(frozen=True)
class Finding:
    """What a rule found: a word, and the figures in a sentence or two."""

    found: Found
    words: str


class Evidence(Mapping[str, Recorded]):
    """The studies that a claim bears on; notes which of them its rule looks at, and how.

    Raises `StatisticsError` for a study that is not recorded, or has instances to train yet: those
    of its largest samples come first, so that it is no smaller study but another one.
    """

    def __init__(self, studies: Mapping[str, Recorded]) -> None:
        self._studies = studies
        self.used: dict[str, Recorded] = {}

    def __getitem__(self, name: str) -> Recorded:
        if name not in self._studies:
            raise StatisticsError(f"the study {name} has not been run")
        if not self._studies[name].complete:
            progress = self._studies[name].progress
            raise StatisticsError(f"the study {name} is not complete yet: {progress}")
        return self.used.setdefault(name, self._studies[name])

    def aside(self, name: str) -> Recorded | None:
        """Return a study that is told of and decides nothing; None if it is not recorded."""
        return self._studies.get(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._studies)

    def __len__(self) -> int:
        return len(self._studies)


Rule = Callable[[Evidence], Finding]


@dataclass(frozen=True)
class Claim:
    """A claim: its number, what the paper says, its rule, and the studies that answer it.

    Those ``beside`` them are told of and decide nothing. ``examples`` is the size of the training
    samples that it speaks of, ``candidates`` how many a race of it has; 0 where it speaks of none.
    """

    number: int
    text: str
    rule: Rule
    studies: tuple[str, ...]
    beside: tuple[str, ...] = ()
    examples: int = 0
    candidates: int = 0

    @property
    def said(self) -> str:
        """The rule in words: when it is seen and when reversed."""
        return " ".join((self.rule.__doc__ or "").split())

    @property
    def command(self) -> str:
        """The command that trains what it takes."""
        return f"surefoot paper run {' '.join((*self.studies, *self.beside))}".strip()


@dataclass(frozen=True)
class Verdict:
    """The verdict on a claim: a word, the figures behind it, and at which scale they were got."""

    claim: Claim
    word: Word
    figures: str
    scale: str = ""

    def __str__(self) -> str:
        return f"{self.claim.number}. {self.claim.text}: {self.word}. {self.figures}"


CLAIMS: dict[int, Claim] = {}
"""Every claim by its number, as `claim` made them known."""


def claim(
    number: int,
    text: str,
    *studies: str,
    beside: tuple[str, ...] = (),
    examples: int = 0,
    candidates: int = 0,
) -> Callable[[Rule], Rule]:
    """Make a rule, whose docstring states it, that of a claim."""

    def known(rule: Rule) -> Rule:
        CLAIMS[number] = Claim(number, text, rule, studies, beside, examples, candidates)
        return rule

    return known


def verdict_of(asked: Claim, studies: Mapping[str, Recorded]) -> Verdict:
    """Return the verdict on a claim from the studies recorded, by name."""
    seen = Evidence(studies)
    try:
        finding = asked.rule(seen)
    except StatisticsError as error:
        return Verdict(asked, OPEN, f"{_sentence(str(error))} It takes: {asked.command}.")
    scale = "/".join(dict.fromkeys(one.scale or "?" for one in seen.used.values()))
    if few := _too_few(seen.used.values()):
        return Verdict(asked, OPEN, f"{_sentence(few)} {finding.words}", scale)
    smaller = _smaller(asked, list(seen.used.values()))
    if not smaller:
        return Verdict(asked, finding.found, finding.words, scale)
    words = f"{finding.words} ({smaller})"
    if finding.found == SEEN:
        return Verdict(asked, SMALLER, words, scale)
    return Verdict(asked, OPEN, f"{_sentence(f'there it is {finding.found}')} {words}", scale)


def verdicts_of(studies: Mapping[str, Recorded], numbers: Collection[int] = ()) -> list[Verdict]:
    """Return the verdicts on claims from the studies recorded, by name; else as `claims_of`."""
    return [verdict_of(one, studies) for one in claims_of(numbers)]


def claims_of(numbers: Collection[int] = ()) -> list[Claim]:
    """Return claims in their order, all unless numbers are given.

    Raises `ConfigurationError` for a number that no claim has.
    """
    importlib.import_module("surefoot.calorimeter.paper.claims")
    for number in numbers:
        if number not in CLAIMS:
            known = nearest(str(number), [str(one) for one in sorted(CLAIMS)])
            raise ConfigurationError(f"the paper has no claim {number} here: {known}")
    return [CLAIMS[number] for number in sorted(set(numbers) or CLAIMS)]


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _too_few(used: Iterable[Recorded]) -> str:
    """Say whose instances are too few; "" if none are."""
    for study in used:
        if study.kind in ("select", "search"):
            continue
        for key, name in study.names.items():
            told = [one for one in study.told if one.candidate == key]
            counts = [sum(o.sample == size for o in told) for size in {o.sample for o in told}]
            if told and min(counts) < FEWEST:
                few = f"the study {study.study} has {min(counts)} instances of {name}"
                return f"{few}, {FEWEST} are needed"
    return ""


def _smaller(asked: Claim, used: Sequence[Recorded]) -> str:
    """Say in what the studies were smaller than the claim; "" if in nothing."""
    words = []
    largest = min((study.sizes[-1] for study in used), default=0)
    if largest < NEAR * asked.examples:
        words.append(f"{largest:,} examples, not {asked.examples:,}")
    epochs = min((_shortest(study) for study in used), default=EPOCHS)
    if epochs < EPOCHS:
        words.append(f"{epochs} epochs, not {EPOCHS}")
    raced = min((len(s.names) for s in used if s.kind == "select"), default=asked.candidates)
    if raced < asked.candidates:
        words.append(f"{raced:,} candidates, not {asked.candidates:,}")
    return ", ".join(words)


def _shortest(study: Recorded) -> int:
    """Return the epochs of the shortest training to its end of a network; `EPOCHS` without any."""
    trained = (one.epochs for one in study.told if one.epochs > 1 and one.loss < float("inf"))
    return min(trained, default=EPOCHS)

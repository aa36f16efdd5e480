"""Who proposes the next candidate of a search: samplers of Optuna, by name."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from surefoot.checks import one_of
from surefoot.errors import require
from surefoot.seeds.ledger import Role, study_generator
from surefoot.studies.search.space import Choice, Space


@dataclass(frozen=True)
class Sampler:
    """A sampler of Optuna's.

    Parameters
    ----------
    words
        What it is, with its source.
    made
        The name of its class, and with which arguments it is made.
    needs
        Modules that it takes besides, with the extra that installs each.
    remembers
        Whether it keeps notes of its own in the trials that it proposed, beside their values.
    """

    words: str
    made: tuple[str, Mapping[str, Any]]
    needs: tuple[tuple[str, str], ...] = ()
    remembers: bool = False


SAMPLERS: Mapping[str, Sampler] = {
    "tpe": Sampler(
        "Tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011), each field by itself.",
        ("TPESampler", {"multivariate": False, "constant_liar": True}),
    ),
    "gp": Sampler(
        "Gaussian process with expected improvement; fields with an order and without.",
        ("GPSampler", {"warn_independent_sampling": False}),
        (("torch", "torch"),),
    ),
    "cmaes": Sampler(
        "CMA-ES (Hansen) over the fields that are numbers, by rank; the others at random.",
        ("CmaEsSampler", {"warn_independent_sampling": False}),
        (("cmaes", "optuna"),),
        remembers=True,
    ),
    "random": Sampler("Every value of a field equally likely.", ("RandomSampler", {})),
}
"""Samplers by the name that study files and options have for them."""


def check_sampler(name: str) -> None:
    """Raise `ConfigurationError` for an unknown sampler, `MissingExtraError` without a module."""
    one_of("sampler", name, tuple(SAMPLERS))
    for module, extra in (("optuna", "optuna"), *SAMPLERS[name].needs):
        require(module, extra=extra)


class Proposer:
    """Proposes candidates of a space, by places, one trial after the other.

    A proposal depends on the study's seed, the number of the trial and the trials told before, and
    on nothing else: every trial has a sampler with a seed of its own. So a search goes on from what
    a journal holds as if it had never stopped.
    """

    def __init__(self, space: Space, sampler: str, seed: int) -> None:
        check_sampler(sampler)
        self._optuna = require("optuna", extra="optuna")
        self._space, self._kind, self._seed = space, SAMPLERS[sampler], seed
        with quiet(self._optuna):
            self._study = self._optuna.create_study(direction="minimize")
        self._asked: dict[int, Any] = {}

    def ask(self, number: int, recorded: int | None = None) -> int:
        """Return the candidate of a trial, in their order; ``recorded`` is one that is settled."""
        with quiet(self._optuna):
            self._study.sampler = self._none() if recorded is not None else self._sampler(number)
            if recorded is not None:
                known = self._space.choices(recorded)
                self._study.enqueue_trial({c.name: _coded(c, n) for c, n in known})
            trial = self._asked[number] = self._study.ask()
            if recorded is not None and self._kind.remembers:
                sampler, asked = self._sampler(number), self._study.get_trials(deepcopy=False)[-1]
                space = sampler.infer_relative_search_space(self._study, asked)
                sampler.sample_relative(self._study, asked, space)
            return self._space.walk(lambda choice: _suggested(trial, choice))

    def tell(self, number: int, value: float) -> None:
        """Tell what a trial has come to; +inf where it has no finite value."""
        with quiet(self._optuna):
            self._study.tell(self._asked.pop(number), value)

    def _sampler(self, number: int) -> Any:
        name, arguments = self._kind.made
        seed = int(study_generator(self._seed, Role.SEARCH, number).integers(1 << 32))
        return getattr(self._optuna.samplers, name)(seed=seed, **arguments)

    def _none(self) -> Any:
        """Return a sampler that costs nothing, where all is settled."""
        return self._optuna.samplers.RandomSampler(seed=0)


def _suggested(trial: Any, choice: Choice) -> int:
    """Return the number of the value that a sampler chooses; numbers by their rank."""
    if choice.ordered:
        return int(trial.suggest_int(choice.name, 0, len(choice.values) - 1))
    names = _names(choice.values)
    return names.index(trial.suggest_categorical(choice.name, names))


def _coded(choice: Choice, number: int) -> int | str:
    """Return a value as the sampler knows it."""
    return number if choice.ordered else _names(choice.values)[number]


def _names(values: Sequence[Any]) -> list[str]:
    return [repr(value) for value in values]


@contextlib.contextmanager
def quiet(optuna: Any) -> Iterator[None]:
    """Keep Optuna from telling of every study, and of what is new in it."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        optuna.logging.set_verbosity(before)

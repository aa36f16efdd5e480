"""Samplers: what they propose depends on the seed, the trial and what was told, on nothing else."""

from itertools import product

import pytest

from surefoot.errors import ConfigurationError, MissingExtraError
from surefoot.studies.search import samplers
from surefoot.studies.search.samplers import SAMPLERS, Proposer, check_sampler
from surefoot.studies.search.space import Space

SPECS = [
    {"rate": r, "width": w, "kind": k}
    for r, w, k in product((0.1, 0.01, 0.001), (8, 16, 32), ("relu", "elu"))
]
QUICK = ("tpe", "cmaes", "random")


def proposer(sampler, seed=3):
    return Proposer(Space(("toy", one) for one in SPECS), sampler, seed)


def value(place):
    spec = SPECS[place]
    return spec["rate"] * 10.0 + abs(spec["width"] - 16) / 16.0 + (spec["kind"] == "elu")


def whole(sampler, trials, seed=3, at_once=1):
    """The proposals of an uninterrupted search."""
    one, found = proposer(sampler, seed), []
    for first in range(0, trials, at_once):
        numbers = range(first, min(first + at_once, trials))
        places = [one.ask(number) for number in numbers]
        for number, place in zip(numbers, places, strict=True):
            one.tell(number, value(place))
        found += places
    return found


@pytest.mark.parametrize("sampler", QUICK)
@pytest.mark.parametrize("after", [1, 12, 21])
def test_a_search_that_goes_on_proposes_what_an_uninterrupted_one_does(sampler, after):
    expected = whole(sampler, 26)
    again = proposer(sampler)
    for number, place in enumerate(expected[:after]):
        assert again.ask(number, place) == place
        again.tell(number, value(place))
    for number in range(after, 26):
        place = again.ask(number)
        assert place == expected[number]
        again.tell(number, value(place))


@pytest.mark.parametrize("sampler", QUICK)
def test_it_goes_on_in_the_midst_of_trials_asked_at_once(sampler):
    expected = whole(sampler, 24, at_once=4)
    again = proposer(sampler)
    for first in range(0, 24, 4):
        settled = [expected[n] if n < 14 else None for n in range(first, first + 4)]
        places = [again.ask(first + n, known) for n, known in enumerate(settled)]
        assert places == expected[first : first + 4]
        for n, place in enumerate(places):
            again.tell(first + n, value(place))


@pytest.mark.slow
def test_a_gaussian_process_goes_on_too():
    expected = whole("gp", 14)
    again = proposer("gp")
    for number, place in enumerate(expected[:12]):
        again.ask(number, place)
        again.tell(number, value(place))
    assert again.ask(12) == expected[12]


def test_seeds_and_samplers_differ():
    assert whole("tpe", 12) != whole("tpe", 12, seed=4)
    assert len({tuple(whole(sampler, 16)) for sampler in QUICK}) == 3


def test_tpe_learns_what_random_does_not():
    learnt = sum(value(place) for seed in range(3) for place in whole("tpe", 40, seed)[20:])
    blind = sum(value(place) for seed in range(3) for place in whole("random", 40, seed)[20:])
    assert learnt < 0.8 * blind


def test_a_lost_trial_is_told_and_avoided():
    one, lost = proposer("tpe"), 0
    for number in range(50):
        place = one.ask(number)
        bad = SPECS[place]["kind"] == "elu"
        lost += bad and number >= 25
        one.tell(number, float("inf") if bad else value(place))
    assert lost < 10


def test_an_unknown_sampler_names_those_there_are():
    with pytest.raises(ConfigurationError, match="sampler 'grid' is unknown: use 'tpe' or 'gp'"):
        check_sampler("grid")


@pytest.mark.parametrize(
    ("sampler", "module", "extra"),
    [("tpe", "optuna", "optuna"), ("gp", "torch", "torch"), ("cmaes", "cmaes", "optuna")],
)
def test_a_missing_package_names_its_extra(monkeypatch, sampler, module, extra):
    def missing(name, *, extra):
        if name == module:
            raise MissingExtraError(f"'{name}' is not installed; surefoot[{extra}]")

    monkeypatch.setattr(samplers, "require", missing)
    with pytest.raises(MissingExtraError, match=rf"'{module}'.*\[{extra}\]"):
        check_sampler(sampler)


def test_every_sampler_says_what_it_is():
    assert list(SAMPLERS) == ["tpe", "gp", "cmaes", "random"]
    assert all(one.words.endswith(".") for one in SAMPLERS.values())

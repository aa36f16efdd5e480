import pytest

from surefoot.calorimeter.paper.verdicts import CLAIMS, OPEN, SMALLER, verdict_of, verdicts_of
from surefoot.errors import ConfigurationError
from tests.calorimeter.paper.recorded import losses, study, told

CLAIM_23 = {
    ("model 3", 8000): losses(7.0),
    ("model 4", 8000): losses(3.0),
    ("model 3", 31697): losses(7.0),
    ("model 4", 31697): losses(3.0),
}


def verdict(number, *studies):
    verdicts_of({})
    return verdict_of(CLAIMS[number], {one.study: one for one in studies})


def test_every_claim_has_a_rule_in_words_and_is_open_until_something_is_run():
    found = verdicts_of({})
    assert [one.claim.number for one in found] == list(range(1, 30))
    for one in found:
        assert one.claim.said.startswith("Seen if")
        if one.claim.number == 11:
            assert (one.word, "41,567 trainings" in one.figures) == ("seen", True)
            continue
        assert one.word == OPEN
        assert "has not been run. It takes: surefoot paper run" in one.figures
    with pytest.raises(ConfigurationError, match="the paper has no claim 30 here"):
        verdicts_of({}, [30])


def test_a_claim_at_its_size_is_seen_or_reversed():
    seen = verdict(23, study("sizes-position-B", CLAIM_23))
    assert (seen.word, seen.scale) == ("seen", "paper")
    equal = {key: losses(3.0) for key in CLAIM_23}
    assert verdict(23, study("sizes-position-B", equal)).word == "reversed"


def test_what_is_smaller_than_the_claim_is_never_called_not_seen():
    smaller = {key: value for key, value in CLAIM_23.items() if key[1] == 8000}
    found = verdict(23, study("sizes-position-B", smaller))
    assert found.word == SMALLER
    assert "(8,000 examples, not 32,000)" in found.figures
    equal = {key: losses(3.0) for key in smaller}
    found = verdict(23, study("sizes-position-B", equal))
    assert found.word == OPEN
    assert found.figures.startswith("There it is reversed.")


def test_shorter_trainings_and_few_instances_are_said():
    rows = [one for key, value in CLAIM_23.items() for one in told(*key, value, epochs=40)]
    short = study("sizes-position-B", {}, more=tuple(rows))
    assert verdict(23, short).word == SMALLER
    assert "40 epochs, not 100" in verdict(23, short).figures
    few = study("sizes-position-B", {key: value[:4] for key, value in CLAIM_23.items()})
    found = verdict(23, few)
    assert found.word == OPEN
    assert "has 4 instances of model 3, 5 are needed" in found.figures


def test_nothing_is_decided_by_a_study_with_instances_to_train():
    """It has its largest samples first: the size next to 132 examples may be one of thousands."""
    begun = study("sizes-position-B", CLAIM_23, complete=False, progress="84 of 200 instances")
    found = verdict(23, begun)
    assert found.word == OPEN
    assert found.figures.startswith("The study sizes-position-B is not complete yet: 84 of 200")

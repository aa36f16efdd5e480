"""A study's groups: the figures are those that the journal gives, of every kind of study."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import surefoot
from surefoot.exports.groups import Grouped, grouped
from surefoot.journal import Journal, Role
from tests.exports.journals import every_kind, race
from tests.studies.races import BASELINE, CANDIDATES


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Grouped]:
    groups = {}
    for kind, path in every_kind(tmp_path_factory.mktemp("groups")).items():
        with Journal.read(path) as journal:
            groups[kind] = grouped(journal)
    return groups


def test_a_race_is_in_the_order_of_its_ranking(tmp_path: Path) -> None:
    selection = race(tmp_path / "r.db")
    with Journal.read(tmp_path / "r.db") as journal:
        found = grouped(journal)
        fresh = [one.loss for one in journal.outcomes(Role.CERTIFY)]
    ranking = selection.ranking()
    assert [one.key for one in found.groups] == [*(row["key"] for row in ranking), BASELINE.key]
    assert [one.rank for one in found.groups[:-1]] == [row["rank"] for row in ranking]
    assert found.groups[-1].rank is None
    assert found.winner == found.groups[0].key == selection.winner.key
    assert found.groups[0].value == selection.value
    assert [one.value for one in found.groups[:-1]] == [row["value"] for row in ranking]
    assert [one.left for one in found.groups[:-1]] == [row["round"] for row in ranking]
    best = found.groups[0].figures()
    assert best["bound"] == selection.certificate.bound.value
    assert best["fresh_mean"] == pytest.approx(np.mean(fresh))
    assert (found.name, found.loss) == ("A race", "rmse")
    assert found.facts["criterion"] == "mean"


def test_quartiles_and_counts_are_those_of_the_losses(found: dict[str, Grouped]) -> None:
    for group in found["select"].groups:
        figures, losses = group.figures(), group.losses
        assert (
            figures["instances"] == len(losses) == figures["diverged"] + np.isfinite(losses).sum()
        )
        if np.isfinite(losses).all():
            quartiles = [figures[name] for name in ("q1", "median", "q3")]
            np.testing.assert_allclose(quartiles, np.quantile(losses, [0.25, 0.5, 0.75]))
            if len(losses) > 1:
                interval = stats.ttest_1samp(losses, 0.0).confidence_interval(group.confidence)
                np.testing.assert_allclose([group.mean.low, group.mean.high], interval)
        else:
            assert figures["criterion"] == np.inf
    assert sum(group.figures()["diverged"] for group in found["select"].groups) == 1


def test_the_criterion_over_the_first_losses_ends_at_its_value(found: dict[str, Grouped]) -> None:
    for group in found["select"].groups:
        assert group.values[len(group.losses)] == group.value
        assert list(group.values) == list(range(1, len(group.losses) + 1))


def test_only_fresh_instances_of_a_fixed_number_have_a_bound(found: dict[str, Grouped]) -> None:
    bounded = {
        kind: [one.certificate is not None for one in study.groups] for kind, study in found.items()
    }
    search = found["search"]
    assert bounded.pop("search") == [one.key == search.winner for one in search.groups]
    assert bounded.pop("select") == [True, *[False] * len(CANDIDATES), False]
    assert bounded == {
        "assess": [True],
        "promise": [False],
        "variance": [False],
        "sample_size": [True, True],
        "compare": [True, True, True, True],
        "grid": [False, False, False],
        "pilot": [False] * 8,
    }


def test_sizes_are_groups_of_their_own(found: dict[str, Grouped]) -> None:
    study = found["sample_size"]
    assert [one.sample for one in study.groups] == [20, 40]
    assert study.title(study.groups[0]).endswith(", 20 examples")


def test_an_extended_study_keeps_its_identity(tmp_path: Path) -> None:
    identities = set()
    for certify in (3, 5):
        race(tmp_path / "r.db", certify=certify)
        with Journal.read(tmp_path / "r.db") as journal:
            identities.add(grouped(journal).identity)
    race(tmp_path / "other.db", certify=7)
    with Journal.read(tmp_path / "other.db") as journal:
        assert grouped(journal).identity not in identities
    assert len(identities) == 1


def test_an_unfinished_race_has_those_that_were_trained(tmp_path: Path) -> None:
    selection = race(tmp_path / "r.db")
    with Journal.read(tmp_path / "r.db") as journal:
        kept = [one for one in journal.outcomes(Role.RACE) if one.instance == 0]
        study = journal.study
    everyone = [*selection.study.everyone]
    with Journal.open(tmp_path / "part.db", study, everyone) as journal:
        journal.add(*kept[: len(kept) // 2])
        found = grouped(journal)
    assert found.winner is None
    assert len(found.groups) == len(kept) // 2
    assert found.name == "part"
    assert surefoot.export(tmp_path / "part.db", tmp_path / "o.tex").count > 0

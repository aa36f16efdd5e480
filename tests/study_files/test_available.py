"""What a study file may name: everything that is registered, each in a sentence."""

from __future__ import annotations

import pytest

import surefoot
from surefoot import registry
from surefoot.errors import ConfigurationError
from surefoot.learning.losses import parse_loss
from surefoot.racing.criteria import as_criterion
from surefoot.study_files.available import KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_every_name_has_words(kind: str) -> None:
    found = surefoot.available(kind)
    group = {"datasets": "populations"}.get(kind, kind)
    if kind != "losses":
        assert sorted(found) == registry.names(group)
    for name, words in found.items():
        assert len(words) > 10, name
        assert "`" not in words
        assert "\n" not in words


def test_what_is_listed_can_be_used() -> None:
    for name in surefoot.available("criteria"):
        assert as_criterion(name).name.startswith(name)
    for name in surefoot.available("losses"):
        assert parse_loss(name).name == name


def test_what_is_registered_later_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    def houses(name: str) -> None:
        """Houses of a town. More words."""

    monkeypatch.setitem(registry._added, ("populations", "houses"), houses)
    assert surefoot.available("datasets")["houses"] == "Houses of a town."
    with pytest.raises(ConfigurationError, match="kind 'criterion' is unknown: did you mean 'crit"):
        surefoot.available("criterion")

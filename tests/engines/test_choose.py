from __future__ import annotations

import logging
from typing import ClassVar

import pytest

from surefoot import registry
from surefoot.candidates.base import Candidate
from surefoot.engines.choose import PREFERRED, Chooser
from surefoot.errors import ConfigurationError, EngineError, MissingExtraError
from surefoot.instances import Setting
from tests.engines.cases import Mean
from tests.fakes import Fake, FakeThreads, fake_setting


class Picky(FakeThreads):
    name: ClassVar[str] = "picky"

    def refusal(self, candidate: Candidate, setting: Setting) -> str | None:
        if isinstance(candidate, Fake) and candidate.noise < 1:
            return None
        return "it wants quiet fakes"


class Absent(FakeThreads):
    def __init__(self) -> None:
        raise MissingExtraError("'absent' is not installed; install it with: pip install …")


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let picky, direct and fake be the only engines, under the names of preferred ones."""
    from surefoot.engines.direct import Direct

    engines = {PREFERRED[0]: Picky, PREFERRED[1]: Direct, PREFERRED[3]: FakeThreads}
    monkeypatch.setattr(registry, "names", lambda kind: sorted(engines))
    monkeypatch.setattr(registry, "lookup", lambda kind, name: engines[name])


@pytest.mark.usefixtures("only")
def test_auto_takes_the_first_that_does_not_refuse_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="surefoot")
    chooser, setting = Chooser(), fake_setting()
    assert isinstance(chooser.choose(Fake(), setting), Picky)
    assert not caplog.records
    for noise in (1, 2):
        assert type(chooser.choose(Fake(noise=noise), setting)) is FakeThreads
    refused = [record.getMessage() for record in caplog.records if "quiet" in record.getMessage()]
    assert len(refused) == 1
    assert "fused_cpu refused (it wants quiet fakes)" in refused[0]


@pytest.mark.usefixtures("only")
def test_an_engine_is_built_once() -> None:
    chooser, setting = Chooser(), fake_setting()
    assert chooser.choose(Fake(), setting) is chooser.choose(Fake(quality=2), setting)


@pytest.mark.usefixtures("only")
def test_formulas_go_to_the_direct_engine_under_any_name() -> None:
    setting = fake_setting()
    for name in ("auto", "fused_cpu", "direct"):
        assert Chooser(name).choose(Mean(), setting).name == "direct"


def test_a_named_engine_is_used_or_says_why_not() -> None:
    setting = fake_setting()
    assert Chooser("fake").choose(Fake(), setting).name == "fake"
    with pytest.raises(EngineError, match=r"no engine trains fake 1 \(fake\): direct: "):
        Chooser("direct").choose(Fake(), setting)


def test_a_missing_extra_is_a_refusal_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry._added, ("engines", "absent"), Absent)
    with pytest.raises(EngineError, match="absent: 'absent' is not installed; install it with"):
        Chooser("absent").choose(Fake(), fake_setting())


def test_an_unknown_engine_is_named_with_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match="'fused' is unknown: did you mean 'fused_cpu'"):
        Chooser("fused")

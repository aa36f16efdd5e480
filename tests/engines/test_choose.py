from __future__ import annotations

import logging
from dataclasses import replace
from typing import ClassVar

import pytest

from surefoot import registry
from surefoot.candidates.base import Candidate
from surefoot.engines.choose import PREFERRED, Chooser
from surefoot.errors import ConfigurationError, EngineError, MissingExtraError
from surefoot.instances import Setting
from surefoot.testing import toy_setting
from tests.engines.cases import MODULES, PLAIN, STACKED_MODULES, Line, Mean
from tests.fakes import Fake, FakeThreads, fake_setting
from tests.gpus import with_gpus


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


@pytest.mark.parametrize(
    ("asked", "count", "net", "module"),
    [
        ("auto", 0, "fused_cpu", "torch_eager"),
        ("auto", 1, "torch_stacked", "torch_stacked"),
        ("auto(cpu)", 1, "fused_cpu", "torch_eager"),
        ("auto(cuda)", 1, "torch_stacked", "torch_stacked"),
        ("fused_cpu", 1, "fused_cpu", None),
        ("torch_stacked(cpu)", 0, "torch_stacked", "torch_stacked"),
    ],
)
def test_auto_takes_stacks_where_there_is_a_gpu(
    asked: str, count: int, net: str, module: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_gpus(monkeypatch, count)
    chooser, setting = Chooser(asked), toy_setting()
    assert chooser.choose(PLAIN, setting).name == net
    assert chooser.choose(Line(), setting).name == "direct"
    if module is not None:
        assert chooser.choose(STACKED_MODULES["own loss"], setting).name == module


@pytest.mark.parametrize("engine", ["torch_stacked", "auto"])
@pytest.mark.parametrize("candidate", [PLAIN, Line()], ids=["net", "direct"])
def test_a_gpu_that_is_asked_for_and_not_there_is_an_error(
    engine: str, candidate: Candidate, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_gpus(monkeypatch, 0)
    with pytest.raises(
        EngineError, match=r"cannot train here: .* no device 'cuda:1': it has no GPU"
    ):
        Chooser(f"{engine}(cuda:1)").choose(candidate, toy_setting())


@pytest.mark.parametrize("count", [0, 1])
def test_on_other_machines_a_gpu_is_used_if_it_is_asked_for(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_gpus(monkeypatch, count)
    chosen = Chooser("torch_stacked(cuda)", here=False).choose(PLAIN, toy_setting())
    assert chosen.asked == "torch_stacked(cuda)"
    assert Chooser("auto(cuda)", here=False).choose(PLAIN, toy_setting()).asked == chosen.asked
    assert Chooser(here=False).choose(PLAIN, toy_setting()).asked == "fused_cpu"


def test_an_engine_of_the_cpu_takes_no_gpu() -> None:
    with pytest.raises(ConfigurationError, match=r"'fused_cpu\(cuda\)' .* trains on the CPU"):
        Chooser("fused_cpu(cuda)")
    assert Chooser("fused_cpu(cpu)").choose(PLAIN, toy_setting()).name == "fused_cpu"


def test_what_is_trained_one_by_one_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="surefoot")
    chooser, setting = Chooser("torch_stacked(cpu)"), toy_setting()
    for rate in (1e-3, 1e-2):
        chooser.choose(replace(MODULES["dense"], learning_rate=rate), setting)
    (said,) = [record.getMessage() for record in caplog.records]
    assert "trains Dense(dropout=0.2)" in said
    assert "one instance at a time, since torch says: RuntimeError: vmap: called random" in said


def test_auto_leaves_to_others_what_no_stack_takes(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="surefoot")
    with_gpus(monkeypatch, 1)
    assert Chooser().choose(MODULES["dense"], toy_setting()).name == "torch_eager"
    assert any("it would train one instance at a time" in one.message for one in caplog.records)

"""Which device is meant, on machines that have GPUs and on those that have none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import surefoot
from surefoot.engines import devices
from surefoot.engines.devices import device_refusal, engine_and_device, gpus, is_gpu, on_device
from surefoot.engines.torch.stacked.engine import TorchStacked
from surefoot.errors import ConfigurationError
from surefoot.journal import Journal
from surefoot.studies.assess.study import AssessStudy
from surefoot.testing import toy_setting
from tests.engines.cases import PLAIN
from tests.gpus import with_gpus

Machine = Callable[[int], None]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    """Give this machine so many GPUs, as torch tells."""
    return lambda count: with_gpus(monkeypatch, count)


@pytest.mark.parametrize(
    ("asked", "engine", "device"),
    [
        ("auto", "auto", "auto"),
        ("fused_cpu", "fused_cpu", "auto"),
        ("torch_stacked(cuda:1)", "torch_stacked", "cuda:1"),
        ("auto(cpu)", "auto", "cpu"),
        ("auto(auto)", "auto", "auto"),
    ],
)
def test_an_engine_may_have_a_device(asked: str, engine: str, device: str) -> None:
    assert engine_and_device(asked) == (engine, device)
    assert engine_and_device(on_device(engine, device)) == (engine, device)


@pytest.mark.parametrize("device", ["gpu", "", "cuda:", "cuda:-1", "mps", "cpu)x"])
def test_a_device_that_is_none_is_refused(device: str) -> None:
    with pytest.raises(ConfigurationError, match=r"must be 'auto', 'cpu', 'cuda' or 'cuda:0'"):
        engine_and_device(f"torch_stacked({device})")


def test_without_a_driver_torch_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "DRIVERS", ("/dev/no-such-driver",))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: 1 / 0)
    assert not is_gpu("auto")
    assert TorchStacked().places()[0].device == "cpu"


@pytest.mark.parametrize("count", [0, 1, 3])
def test_auto_is_every_gpu_or_the_cpu(machine: Machine, count: int) -> None:
    machine(count)
    every = [f"cuda:{number}" for number in range(count)] or ["cpu"]
    assert gpus() == count
    assert is_gpu("auto") is (count > 0)
    for device, meant in {"auto": every, "cpu": ["cpu"], "cuda:0": ["cuda:0"]}.items():
        placed = TorchStacked(device, size=7).places()
        assert [one.device for one in placed] == meant
        assert {one.size for one in placed} == {7}


def test_a_device_that_is_not_there_is_refused(machine: Machine) -> None:
    machine(0)
    refusal = TorchStacked("cuda").refusal(PLAIN, toy_setting())
    assert refusal == "this machine has no device 'cuda': it has no GPU that torch can use"
    machine(2)
    assert device_refusal("cuda:1") is None
    assert TorchStacked("cuda:1").refusal(PLAIN, toy_setting()) is None
    assert device_refusal("cuda:2") == "this machine has no device 'cuda:2': it has 2 GPUs"


def test_outcomes_tell_which_gpu_trained_them(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"Fake 9000 at {device}")
    assert TorchStacked("cuda:1").processor() == "Fake 9000 at cuda:1"
    assert TorchStacked().processor() == "Fake 9000 at cuda:0"
    assert "Fake" not in TorchStacked("cpu").processor()


def test_a_journal_keeps_which_engine_and_device_it_was(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was trained on the CPU is trained there again, on a machine with a GPU, too."""
    monkeypatch.setattr(TorchStacked, "processor", lambda self: f"Fake 9000 as {self.device}")
    setting, file = toy_setting(), tmp_path / "assess.db"
    asked = "torch_stacked(cpu)"
    study = AssessStudy(candidate=PLAIN, n=2, setting=setting, engine=asked)
    study.run(file, workers=1)
    with Journal.read(file) as journal:
        assert journal.study["engine"] == asked
        assert journal.engines() == {"torch_stacked": 2}
        assert journal.notes()["processors"] == {"torch_stacked": ["Fake 9000 as cpu"]}
    machine(1)
    again = surefoot.replay(file, PLAIN.key, 1, role="assess", setting=setting)
    assert again.same

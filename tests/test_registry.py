"""Names -> objects, through entry points or registered in the process."""

from importlib.metadata import entry_points

import pytest

from surefoot import registry
from surefoot.candidates.convnet.network import ConvNet
from surefoot.engines.direct import Direct
from surefoot.engines.torch.eager import TorchEager
from surefoot.errors import ConfigurationError


@pytest.fixture(autouse=True)
def _own_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_added", {})


def test_entry_points_are_found_by_name() -> None:
    assert registry.lookup("candidates", "convnet") is ConvNet
    assert registry.lookup("engines", "torch_eager") is TorchEager
    assert registry.lookup("engines", "direct") is Direct


def test_engines_are_registered_under_their_own_names() -> None:
    for name in ("torch_eager", "direct"):
        assert registry.lookup("engines", name).name == name


@pytest.mark.parametrize("kind", ["candidates", "populations", "engines"])
def test_every_entry_point_of_the_package_loads(kind: str) -> None:
    found = [point.name for point in entry_points(group=f"surefoot.{kind}")]
    assert found
    assert set(found) <= set(registry.names(kind))
    assert all(callable(registry.lookup(kind, name)) for name in found)


def test_a_name_registered_in_the_process_comes_first() -> None:
    thing = object()
    registry.register("candidates", "convnet", thing)
    registry.register("candidates", "mine", thing)
    assert registry.lookup("candidates", "convnet") is thing
    assert "mine" in registry.names("candidates")
    assert "mine" not in registry.names("engines")
    assert registry.names("candidates") == sorted(registry.names("candidates"))


def test_an_unknown_name_is_echoed_with_the_nearest() -> None:
    with pytest.raises(
        ConfigurationError, match=r"'convnte' is not .* among the candidates: did you"
    ):
        registry.lookup("candidates", "convnte")

"""Weights and programs of a trained instance as files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from surefoot.candidates.convnet.network import Conv, ConvNet
from surefoot.data.population import Population, Sampling
from surefoot.engines.torch.eager import TorchEager, module_of
from surefoot.errors import ExportError, SurefootError
from surefoot.exports.weights import weights_of, write_program, write_weights
from surefoot.instances import Instance, Setting, Training
from surefoot.learning.losses import Loss
from surefoot.learning.stopping import Stopping
from surefoot.replacing import check_target
from surefoot.seeds.ledger import InstanceSeed, Role
from tests.fakes import Fake

NET = ConvNet((Conv(2),), (3,), input_shape=(1, 4, 4), batch_size=8, batch_norm=True, scale=True)


@pytest.fixture(scope="module")
def trained() -> tuple[Setting, Training]:
    generator = np.random.default_rng(1)
    population = Population(generator.normal(size=(40, 16)), generator.normal(size=40))
    stopping = Stopping(max_epochs=2, min_epochs=1, reading="none")
    setting = Setting(population.split(0), Sampling(16), Loss("rmse"), stopping)
    instance = Instance(NET, InstanceSeed(0, Role.CERTIFY, 0))
    return setting, TorchEager().train(instance, setting, np.zeros(1, np.uint8))


def test_the_torch_module_predicts_what_was_trained(trained: tuple[Setting, Training]) -> None:
    setting, training = trained
    assert training.predictor is not None
    module = module_of(NET, weights_of(training))
    halves = setting.halves
    features = halves.population.features[halves.test]
    with torch.no_grad():
        predicted = module(torch.from_numpy(features)).numpy()
    np.testing.assert_allclose(predicted, training.predictor.predict(features, None), rtol=1e-6)
    loss = setting.loss.value(predicted, halves.population.target[halves.test])
    assert loss == pytest.approx(training.outcome.loss, rel=1e-5)


def test_weights_are_saved_as_plain_arrays(
    trained: tuple[Setting, Training], tmp_path: Path
) -> None:
    _, training = trained
    assert training.predictor is not None
    write_weights(NET, training, tmp_path / "w.npz")
    with np.load(tmp_path / "w.npz", allow_pickle=False) as saved:
        assert set(saved) == set(training.predictor.weights)
        for name, values in training.predictor.weights.items():
            assert np.array_equal(saved[name], values)
    assert sum(values.size for name, values in training.predictor.weights.items()) >= (
        NET.number_of_parameters
    )


def test_what_has_no_weights_says_so(trained: tuple[Setting, Training], tmp_path: Path) -> None:
    _, training = trained
    nothing = Training(training.outcome, None)
    with pytest.raises(SurefootError, match="left no weights"):
        write_weights(NET, nothing, tmp_path / "w.npz")
    with pytest.raises(SurefootError, match=r"cannot be written as \.pt2"):
        write_program(Fake(), training, tmp_path / "w.pt2")


def test_on_a_full_disk_no_half_of_a_program_stays(
    trained: tuple[Setting, Training], tmp_path: Path, full_disk: Callable[[], None]
) -> None:
    """Torch itself, left to write the file, ends the process there."""
    _, training = trained
    write_program(NET, training, tmp_path / "w.pt2")
    check_target(tmp_path / "w.pt2", [".pt2"])
    before = (tmp_path / "w.pt2").read_bytes()
    full_disk()
    with pytest.raises(ExportError, match=r"w\.pt2 cannot be written"):
        write_program(NET, training, tmp_path / "w.pt2")
    assert (tmp_path / "w.pt2").read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["w.pt2"]

"""Scaling: means and deviations of the draw, by an independent oracle, and what they make alike."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler

from surefoot.candidates.convnet.network import ConvNet
from surefoot.data.population import Population
from surefoot.engines import scaling
from surefoot.engines.fused_cpu import FusedCpu
from surefoot.engines.scaling import loss_share, scaling_names, scaling_of
from surefoot.engines.torch.eager import TorchEager, module_of
from surefoot.errors import CandidateError
from surefoot.learning.losses import ROOTED, Loss, parse_loss
from surefoot.testing import toy_instance, toy_setting

NET = ConvNet(
    (),
    (6, 4),
    "tanh",
    input_shape=(3,),  # type: ignore[arg-type]
    side=2,
    outputs=2,
    scale=True,
    batch_size=16,
)


def table(n: int = 200, outputs: int = 2) -> Population:
    generator = np.random.default_rng(3)
    x = generator.standard_normal((n, 5)) * [1, 20, 0.1, 3, 1] + [0, 1000, 5, -7, 0]
    y = 10.0 + x[:, :1] + generator.standard_normal((n, outputs)) * np.arange(1, outputs + 1)
    return Population(x[:, :3], np.abs(y), x[:, 3:])


def test_means_and_deviations_are_those_of_the_drawn_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    data = table()
    rows = np.random.default_rng(1).integers(0, 200, 77).astype(np.int32)
    found = scaling_of(NET, data, rows)
    assert {name: values.size for name, values in found.items()} == scaling_names(NET)
    assert data.side is not None
    for what, values in (("", data.features), ("side_", data.side), ("target_", data.target)):
        oracle = StandardScaler().fit(values[rows].astype(np.float64))
        np.testing.assert_allclose(found[f"scale.{what}mean"], oracle.mean_, rtol=1e-6)
        np.testing.assert_allclose(found[f"scale.{what}deviation"], oracle.scale_, rtol=1e-6)
    monkeypatch.setattr(scaling, "ROWS", 10)
    again = scaling_of(NET, data, rows)
    for name, values in found.items():
        np.testing.assert_allclose(again[name], values, rtol=1e-6)


def test_what_is_constant_is_only_shifted_and_classes_are_left_alone() -> None:
    data = Population(np.full((8, 3), 7.0), np.arange(8) % 2, np.zeros((8, 2)), classes=True)
    found = scaling_of(NET, data, np.arange(8, dtype=np.int32))
    np.testing.assert_array_equal(found["scale.mean"], [7, 7, 7])
    np.testing.assert_array_equal(found["scale.deviation"], [1, 1, 1])
    np.testing.assert_array_equal(found["scale.target_mean"], [0, 0])
    np.testing.assert_array_equal(found["scale.target_deviation"], [1, 1])


def test_without_scaling_there_is_none() -> None:
    plain = replace(NET, scale=False)
    assert scaling_of(plain, table(), np.arange(4, dtype=np.int32)) == scaling_names(plain) == {}
    assert loss_share(Loss("mse"), {}) == 1.0


@given(
    name=st.sampled_from(["relative_rmse", "stochastic_rmse", "rmse", "mse", "mae", "huber"]),
    root=st.booleans(),
    factor=st.floats(0.01, 100.0),
)
def test_the_trained_loss_holds_the_targets_unit_to_its_power(
    name: str, root: bool, factor: float
) -> None:
    loss = Loss(name, 0.7, "root" if root and name in ROOTED else None)
    target = np.random.default_rng(2).uniform(1.0, 2.0, (30, 2))
    prediction = target + 0.1

    def trained(unit: float) -> float:
        in_unit = replace(loss, parameter=loss.parameter * unit)
        mean = float(in_unit.per_example(prediction * unit, target * unit).mean())
        return float(np.sqrt(mean)) if loss.objective == "root" else mean

    assert trained(factor) == pytest.approx(factor**loss.power * trained(1.0), rel=1e-9)


@pytest.mark.parametrize("engine", [FusedCpu(), TorchEager()], ids=lambda engine: engine.name)
@pytest.mark.parametrize("loss", ["mse", "rmse(root)", "mae", "huber(0.5)", "relative_rmse"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_units_do_not_matter(engine: Any, loss: str, optimizer: Any) -> None:
    """In units 2ᵏ times as large, exact in binary, a training is the same to its last bit."""
    data, curves = table(), []
    net = replace(NET, optimizer=optimizer, decay=0.1, learning_rate=0.01)
    for unit in (1.0, 2.0**-9):
        side = None if data.side is None else data.side * 8.0
        scaled = Population(data.features * [2.0**30, 1.0, 0.25], data.target * unit, side)
        if unit == 1.0:
            scaled = data
        measured = parse_loss(loss)
        measured = replace(measured, parameter=measured.parameter * unit)
        setting = toy_setting(scaled, loss=measured)
        reported = measured.power * (2.0 if measured.objective == "root" else 1.0)
        reported /= 2.0 if measured.rooted else 1.0
        curve = engine.train(toy_instance(net), setting).outcome.curve
        curves.append(curve / np.float32(unit**reported))
    assert curves[0][-1] < curves[0][0]
    if engine.name == "fused_cpu":
        np.testing.assert_array_equal(curves[0], curves[1])
    np.testing.assert_allclose(curves[0], curves[1], rtol=1e-4)


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 40), st.integers(1, 3), st.sampled_from([(), (5,), (20, 3, 2)]))
def test_a_table_of_any_width_is_learnt(
    features: int, outputs: int, hidden: tuple[int, ...]
) -> None:
    generator = np.random.default_rng(features)
    x = 100.0 + generator.standard_normal((300, features))
    y = 1e4 * (x[:, :1] + np.arange(outputs))
    net = ConvNet(
        (),
        hidden,
        "tanh",
        input_shape=(features,),  # type: ignore[arg-type]
        outputs=outputs,
        scale=True,
        learning_rate=0.01,
        batch_size=8,
    )
    setting = toy_setting(Population(x, y), loss=Loss("rmse"))
    training = FusedCpu().train(toy_instance(net), setting)
    assert training.predictor is not None
    assert training.predictor.predict(x[:5].astype(np.float32), None).shape == (5, outputs)
    assert training.outcome.loss < 3e4


def test_weights_without_their_scaling_are_refused() -> None:
    weights = dict(FusedCpu().train(toy_instance(NET), toy_setting(table())).predictor.weights)  # type: ignore[union-attr]
    module_of(NET, weights)
    del weights["scale.mean"]
    with pytest.raises(CandidateError, match=r"weights scale.mean of .* are missing"):
        module_of(NET, weights)

"""The reference engine against torch written out by hand, and its manners."""

import subprocess
import sys
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from surefoot.candidates.convnet.initialization import initial_weights, named_weights
from surefoot.candidates.convnet.network import ACTIVATIONS, Conv, ConvNet, Pool
from surefoot.candidates.convnet.notation import preset
from surefoot.data.population import Population, Sampling
from surefoot.engines.torch.eager import TorchEager, module_of
from surefoot.engines.torch.jobs import convnet_job, mean_loss, optimizer_of
from surefoot.engines.torch.module import ConvModule
from surefoot.engines.torch.training import CHUNK
from surefoot.errors import CandidateError
from surefoot.instances import Instance, Status
from surefoot.learning.losses import parse_loss
from surefoot.learning.optimizers import OPTIMIZERS
from surefoot.learning.stopping import Stopping
from surefoot.seeds.ledger import Stream
from surefoot.seeds.philox import epoch_order, keep_masks
from surefoot.testing import toy_instance, toy_population, toy_setting
from tests.engines.cases import EXPLODING, NOISY, PLAIN, SIDE


def train(instance: Instance, **changes: object):
    return TorchEager().train(instance, toy_setting(**changes))


def test_two_epochs_are_those_written_out_by_hand() -> None:
    """Convolution, PReLU, average pooling, dropout, side features, batches and AdamW."""
    net = ConvNet(
        (Conv(3, kernel=3, pool=Pool("average", 3, stride=2)),),
        (4,),
        "prelu",
        dropout=0.25,
        side=1,
        side_layer=0,
        optimizer="adamw",
        learning_rate=0.02,
        decay=0.1,
        batch_size=30,
    )
    setting = toy_setting(stopping=Stopping(2, reading="none"))
    instance = toy_instance(net, 6)
    population, draw = setting.halves.population, instance.draw(setting)
    names = named_weights(net, initial_weights(net, instance.seed))
    w = {name: torch.tensor(values, requires_grad=True) for name, values in names.items()}
    data = [torch.tensor(a) for a in (population.features, population.side, population.target)]

    def forward(rows: np.ndarray, step: int | None) -> torch.Tensor:
        image, side = data[0][rows].view(-1, 1, 15, 15), data[1][rows]

        def dropped(x: torch.Tensor, layer: int) -> torch.Tensor:
            if step is None:
                return x
            key = instance.seed.key(Stream.NOISE)
            return x * torch.tensor(keep_masks(key, step, layer, *x.shape, 0.25)) / 0.75

        x = functional.conv2d(image, w["conv1.weight"], w["conv1.bias"])
        x = functional.avg_pool2d(functional.prelu(x, w["conv1_activation.weight"]), 3, 2)
        x = torch.cat([dropped(x.flatten(1), 0), side], dim=1)
        x = functional.linear(x, w["fc1.weight"], w["fc1.bias"])
        x = dropped(functional.prelu(x, w["fc1_activation.weight"]), 1)
        return functional.linear(x, w["fc2.weight"], w["fc2.bias"])

    optimizer = torch.optim.AdamW(w.values(), lr=0.02, weight_decay=0.1)
    curve, step = [], 0
    for epoch in range(2):
        order = epoch_order(instance.seed.key(Stream.ORDER), epoch, 70)
        for rows in (order[:30], order[30:60], order[60:]):
            chosen = draw.train[rows]
            loss = ((forward(chosen, step) / data[2][chosen] - 1) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
        with torch.no_grad():
            relative = forward(draw.test, None).double() / data[2][draw.test].double() - 1
        curve.append(float((relative**2).mean().sqrt()))
    training = TorchEager().train(instance, setting)
    np.testing.assert_allclose(training.outcome.curve, curve, rtol=2e-5)
    assert training.predictor is not None
    for name, values in training.predictor.weights.items():
        np.testing.assert_allclose(values, w[name].detach().numpy(), rtol=1e-3, atol=1e-5)


def test_initial_weights_are_the_ledgers() -> None:
    seed = toy_instance(NOISY, 9).seed
    module = convnet_job(NOISY, seed, toy_setting(), {}).predictor.module
    state = {name: value.numpy() for name, value in module.state_dict().items()}
    for name, values in named_weights(NOISY, initial_weights(NOISY, seed)).items():
        np.testing.assert_array_equal(state[name], values)
    assert {name for name, _ in module.named_parameters()} == set(
        named_weights(NOISY, initial_weights(NOISY, seed))
    )


@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5, 6, 7])
def test_same_padding_is_torchs(kernel: int) -> None:
    net = ConvNet((Conv(2, kernel, padding="same"),), activation="sigmoid")
    weights = named_weights(net, initial_weights(net, toy_instance(net).seed))
    x = torch.randn(3, 1, 15, 15, generator=torch.Generator().manual_seed(kernel))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        maps = functional.conv2d(
            x, *(torch.tensor(weights[f"conv1.{a}"]) for a in ("weight", "bias")), padding="same"
        )
    expected = functional.linear(
        torch.sigmoid(maps).flatten(1),
        *(torch.tensor(weights[f"fc1.{a}"]) for a in ("weight", "bias")),
    )
    torch.testing.assert_close(module_of(net, weights)(x), expected)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_layers_have_the_shapes_that_the_candidate_says(activation: str) -> None:
    net = replace(preset("model_4"), activation=activation, batch_norm=True)
    module, shapes = ConvModule(net).eval(), {}
    for layer in net.layers:
        if hasattr(module, layer.name):
            module.get_submodule(layer.name).register_forward_hook(
                lambda _, __, out, name=layer.name: shapes.update({name: tuple(out.shape[1:])})
            )
    module(torch.zeros(2, 225), torch.zeros(2, 2))
    assert len(shapes) > 10
    assert shapes == {layer.name: layer.output for layer in net.layers if layer.name in shapes}
    trained = sum(parameter.numel() for parameter in module.parameters())
    assert trained == net.number_of_parameters


@pytest.mark.parametrize("net", [PLAIN, SIDE, NOISY], ids=["plain", "side", "noisy"])
def test_a_module_of_trained_weights_predicts_as_the_predictor(net: ConvNet) -> None:
    predictor = train(toy_instance(net)).predictor
    assert predictor is not None
    module = module_of(net, predictor.weights)
    population = toy_population()
    assert population.side is not None
    expected = predictor.predict(population.features, population.side)
    features, side = torch.from_numpy(population.features), torch.from_numpy(population.side)
    for shape in [(240, 225), (240, 1, 15, 15)]:
        inputs = [features.view(shape)] + [side] * (net.side > 0)
        torch.testing.assert_close(module(*inputs).detach(), torch.from_numpy(expected))
    assert not module.training


def test_running_averages_are_among_the_weights() -> None:
    predictor = train(toy_instance(NOISY)).predictor
    assert predictor is not None
    names = set(predictor.weights)
    assert {"conv1_norm.running_mean", "fc1_norm.running_var"} <= names
    assert not any("num_batches" in name for name in names)
    assert np.ptp(predictor.weights["conv1_norm.running_mean"]) > 0


def test_weights_of_another_network_are_refused() -> None:
    weights = named_weights(PLAIN, initial_weights(PLAIN, toy_instance(PLAIN).seed))
    with pytest.raises(CandidateError, match=r"'conv1.weight' of shape \(4, 1, 3, 3\) do not fit"):
        module_of(replace(PLAIN, convolutions=(Conv(5, bias=False),)), weights)
    with pytest.raises(CandidateError, match=r"fc2\.bias of .* are missing"):
        module_of(PLAIN, {name: w for name, w in weights.items() if name != "fc2.bias"})
    with pytest.raises(CandidateError, match="no such array"):
        module_of(PLAIN, {**weights, "fc9.bias": weights["fc2.bias"]})


def test_a_module_says_that_side_features_are_missing() -> None:
    module = ConvModule(SIDE)
    with pytest.raises(ValueError, match="takes 1 side features; give them"):
        module(torch.zeros(2, 225))


@pytest.mark.parametrize("name", ["relative_rmse", "stochastic_rmse", "rmse", "mae", "huber(0.7)"])
@pytest.mark.parametrize("outputs", [1, 3])
def test_losses_in_torch_are_the_means_of_those_in_numpy(name: str, outputs: int) -> None:
    generator = np.random.default_rng(3)
    prediction, target = generator.uniform(0.5, 3.0, (2, 40, outputs))
    loss = parse_loss(name)
    found = mean_loss(loss)(torch.tensor(prediction), torch.tensor(target))
    assert float(found) == pytest.approx(loss.per_example(prediction, target).mean(), rel=1e-12)


@pytest.mark.parametrize("name", ["cross_entropy", "brier", "error_rate"])
def test_classification_losses_in_torch_are_those_in_numpy(name: str) -> None:
    generator = np.random.default_rng(4)
    logits, codes = generator.normal(size=(40, 3)), generator.integers(0, 3, (40, 1))
    loss = parse_loss(name)
    found = mean_loss(loss)(torch.tensor(logits), torch.tensor(codes))
    expected = loss.trained.per_example(logits, codes.astype(np.float64)).mean()
    assert float(found) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", ["cross_entropy", "brier", "error_rate"])
def test_classes_are_learnt(name: str) -> None:
    population = toy_population()
    codes = np.digitize(population.target[:, 0], [2.3, 3.6])
    labelled = Population(population.features, codes, classes=True)
    net = replace(PLAIN, outputs=3, hidden=(16,), learning_rate=0.01)
    setting = toy_setting(
        labelled,
        loss=parse_loss(name),
        sampling=Sampling(None),
        stopping=Stopping(60, reading="none"),
    )
    curve = TorchEager().train(toy_instance(net), setting).outcome.curve
    assert curve[-1] < 0.7 * curve[0]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_are_those_of_torch_with_its_defaults(name: str) -> None:
    module = torch.nn.Linear(2, 1)
    ours = optimizer_of(name, module.parameters(), 0.01, 0.2)
    kinds = {
        kind.__name__.lower(): kind
        for kind in (*vars(torch.optim).values(),)
        if isinstance(kind, type)
    }
    stock = kinds[name](module.parameters(), lr=0.01, weight_decay=0.2)
    assert type(ours) is type(stock)
    assert ours.defaults == stock.defaults


def test_a_training_loss_that_is_not_finite_is_diverged_before_the_epoch_ends() -> None:
    outcome = train(toy_instance(replace(EXPLODING, batch_size=16))).outcome
    assert (outcome.status, outcome.epochs) == (Status.DIVERGED, 0)


def test_a_test_loss_that_is_not_finite_is_diverged_though_training_was_finite() -> None:
    """The one step of an epoch blows the weights up; only the test notices."""
    outcome = train(toy_instance(replace(EXPLODING, batch_size=70))).outcome
    assert (outcome.status, outcome.epochs) == (Status.DIVERGED, 0)


def test_an_exception_inside_training_is_failed() -> None:
    setting = toy_setting()
    signed = Population(
        setting.halves.population.features[:, :200], setting.halves.population.target
    )
    broken = replace(setting, halves=replace(setting.halves, population=signed))
    outcome = TorchEager().train(toy_instance(PLAIN), broken).outcome
    assert outcome.status is Status.FAILED
    assert outcome.message.startswith("RuntimeError: ")


def test_a_lone_value_per_channel_is_normalised_to_the_shift() -> None:
    """A last batch of one example has no variance after the flattening; it must not end in NaN."""
    net = replace(NOISY, batch_size=69, dropout=0.0)
    module = convnet_job(net, toy_instance(net).seed, toy_setting(), {}).predictor.module
    module.train()
    before = module.get_buffer("fc1_norm.running_mean").clone()
    x = torch.randn(1, 225, generator=torch.Generator().manual_seed(0), requires_grad=True)
    prediction = module(x)
    with torch.no_grad():
        shift = functional.gelu(module.get_parameter("fc1_norm.bias"))
        weight, bias = (module.get_parameter(f"fc2.{a}") for a in ("weight", "bias"))
        torch.testing.assert_close(prediction[0], weight @ shift + bias)
    torch.autograd.backward(prediction)
    assert x.grad is not None
    assert not x.grad.any()
    assert torch.equal(module.get_buffer("fc1_norm.running_mean"), before)
    assert train(toy_instance(net)).outcome.status is Status.FINISHED


def test_predictions_do_not_depend_on_company() -> None:
    predictor = train(toy_instance(NOISY)).predictor
    assert predictor is not None
    features = np.tile(toy_population().features, (6, 1))[: CHUNK + 100]
    together = predictor.predict(features, None)
    np.testing.assert_allclose(predictor.predict(features[-5:], None), together[-5:], rtol=1e-5)


def test_torchs_own_random_numbers_and_threads_are_left_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    threads = torch.get_num_threads()
    torch.manual_seed(5)
    train(toy_instance(NOISY))
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == threads


def test_without_torch_it_is_importable_refuses_and_names_the_install_command() -> None:
    program = """
import sys
sys.modules["torch"] = None
from surefoot.engines.torch.eager import TorchEager, module_of
from surefoot.testing import toy_instance, toy_setting
from tests.engines.cases import PLAIN
print(TorchEager().refusal(PLAIN, toy_setting()))
for call in (lambda: TorchEager().train(toy_instance(PLAIN), toy_setting()),
             lambda: module_of(PLAIN, {})):
    try:
        call()
    except Exception as error:
        print(type(error).__name__, error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 3
    assert all("pip install 'surefoot[torch]'" in line for line in lines)
    assert [line.split()[0] for line in lines[1:]] == ["MissingExtraError"] * 2

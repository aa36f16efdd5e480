"""The recipe of networks and modules: keys, labels, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from surefoot.candidates.convnet.network import Conv, ConvNet
from surefoot.candidates.module.candidate import ModuleCandidate
from surefoot.candidates.recipe import DEFAULTS, trained_loss
from surefoot.errors import CandidateError
from surefoot.learning.losses import Loss


def net(**recipe: Any) -> ConvNet:
    return ConvNet((Conv(4),), (5,), **recipe)


def module(**recipe: Any) -> ModuleCandidate:
    return ModuleCandidate("tests.engines.modules.Dense", **recipe)


both = pytest.mark.parametrize("make", [net, module])
RECIPE = {
    "objective": "root",
    "schedule": "cosine(0.01)",
    "warmup": 5,
    "average": "ema(2 epochs)",
    "clip": 1,
}


@both
def test_defaults_are_no_part_of_the_key(make: Any) -> None:
    given = make(schedule="constant", warmup=0, average="none", clip="none")
    assert given == make()
    assert given.key == make().key
    assert not set(DEFAULTS) - {"schedule"} & set(make().spec())


def test_keys_without_a_recipe_are_those_of_before() -> None:
    assert net().key == "17fbca62b78976c3"
    assert module().key == "c13c63ce5fb144fe"


@both
def test_a_recipe_is_part_of_key_label_and_spec(make: Any) -> None:
    given = make(**RECIPE)
    assert given.key != make().key
    assert given.label == make().label + " root cosine(0.01) warmup 5 ema(2 epochs) clip 1"
    assert type(given).from_spec(given.spec()) == given
    for name, value in RECIPE.items():
        assert make(**{name: value}).key not in (make().key, given.key)


@both
def test_one_recipe_has_one_spelling(make: Any) -> None:
    assert make(schedule=" cosine ( 0 )", average="ema") == make(
        schedule="cosine", average="ema( 500 steps )"
    )


@both
@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({"objective": "roots"}, "did you mean 'root'"),
        ({"schedule": "cosin"}, "did you mean 'cosine'"),
        ({"average": "last(2)"}, "2 must be"),
        ({"warmup": -1}, "warmup = -1.0 must be a number of epochs, 0 or more"),
        ({"clip": 0}, "clip = 0.0 must be a positive norm"),
        ({"clip": "high"}, "clip = 'high' must be a number"),
    ],
)
def test_what_is_no_recipe(make: Any, recipe: dict[str, Any], message: str) -> None:
    with pytest.raises(CandidateError, match=message):
        make(**recipe)


def test_a_module_has_a_schedule_of_torch_or_one_of_ours() -> None:
    path = "torch.optim.lr_scheduler.StepLR"
    own = module(schedule=path, schedule_parameters={"step_size": 5}, average="ema")
    assert own.schedule == path
    assert " StepLR " in own.label
    with pytest.raises(CandidateError, match="warmup = 2 is for a schedule by name"):
        module(schedule=path, warmup=2)
    with pytest.raises(CandidateError, match="write values in brackets"):
        module(schedule="cosine", schedule_parameters={"floor": 0.1})
    with pytest.raises(CandidateError, match=f"schedule {path!r} is unknown"):
        net(schedule=path)


def test_the_loss_that_is_trained() -> None:
    measured = Loss("relative_rmse")
    assert trained_loss(net(), measured).objective == "square"
    assert trained_loss(net(), Loss("rmse", objective="root")).objective == "root"
    assert trained_loss(net(objective="root"), measured).objective == "root"
    assert trained_loss(net(objective="root"), Loss("mae")) == Loss("mae")
    assert trained_loss(net(objective="root"), Loss("error_rate")) == Loss("cross_entropy")

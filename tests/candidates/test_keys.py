"""Keys and labels that journals hold: none may ever change."""

import pytest
import torch
from sklearn.svm import SVR

import surefoot
from surefoot.candidates.base import Candidate
from surefoot.candidates.function import FunctionCandidate

LINEAR = {"in_features": 4, "out_features": 1}
PINNED: list[tuple[Candidate, str, str]] = [
    (
        surefoot.EstimatorCandidate(
            "sklearn.svm.SVR", {"C": 10.0}, ["sklearn.preprocessing.MinMaxScaler"]
        ),
        "28e95c8b1e07de95",
        "MinMaxScaler → SVR(C=10)",
    ),
    (
        surefoot.EstimatorCandidate.of(SVR(gamma=float("inf"))),
        "a9fd07a1a60c1d88",
        "SVR(gamma=inf)",
    ),
    (
        surefoot.preset("model_1", objective=None),
        "b2aec8e94155d359",
        "32c3m2-64c3m2/1 fc9-1 relu nadam lr 0.0001 batch 64 decay 0.01",
    ),
    (
        surefoot.convnet([], [32, 32], input_shape=[10], scale=True),
        "1e650293087aa314",
        "fc32-32-1 scaled relu adam lr 0.001 batch 32",
    ),
    (
        surefoot.preset("nas_2", objective=None),
        "7f8a754754a20d07",
        "32c3m2-16c3m4 fc128-64-9-1+side relu adamw lr 0.01 batch 32 decay 0.01",
    ),
    (
        surefoot.ModuleCandidate(
            "torch.nn.Linear",
            LINEAR,
            optimizer=torch.optim.SGD,
            loss="torch.nn.functional.huber_loss",
            schedule=torch.optim.lr_scheduler.StepLR,
            schedule_parameters={"step_size": 3},
        ),
        "8a5569e764600123",
        "Linear(in_features=4, out_features=1) SGD lr 0.001 StepLR batch 32",
    ),
    (
        FunctionCandidate("tests.engines.estimators.line", {"shrink": 0.9}),
        "fd8ea25649fc77cb",
        "line(shrink=0.9)",
    ),
]


@pytest.mark.parametrize(("candidate", "key", "label"), PINNED, ids=lambda one: str(one)[:20])
def test_a_key_and_a_label_stay(candidate: Candidate, key: str, label: str) -> None:
    assert (candidate.key, candidate.label) == (key, label)
    assert type(candidate).from_spec(candidate.spec()) == candidate


@pytest.mark.parametrize(
    "factory", [surefoot.ResNet, "surefoot.ResNet", "surefoot.candidates.resnet.ResNet"]
)
def test_the_residual_network_is_the_same_by_every_name(factory: object) -> None:
    net = surefoot.ModuleCandidate(
        factory, {"width": 8}, input_shape=(1, 15, 15), initialization="he"
    )
    assert (net.key, net.label) == ("444d66241e09269c", "ResNet(width=8) he adam lr 0.001 batch 32")

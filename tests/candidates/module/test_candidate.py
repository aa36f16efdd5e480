"""Torch modules as candidates: specs, keys, spaces and what is refused."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from surefoot.candidates.module.candidate import ModuleCandidate
from surefoot.candidates.space import SearchSpace
from surefoot.errors import CandidateError, ConfigurationError, SpaceError
from surefoot.learning.losses import Loss
from tests.engines import modules

DENSE = "tests.engines.modules.Dense"
FULL = ModuleCandidate(
    modules.Dense,
    {"width": 5, "dropout": 0.1},
    optimizer=torch.optim.SGD,
    optimizer_parameters={"momentum": 0.9, "nesterov": True},
    learning_rate=0.1,
    batch_size=8,
    decay=0.01,
    loss=torch.nn.functional.huber_loss,
    loss_parameters={"delta": 0.5},
    schedule=torch.optim.lr_scheduler.CosineAnnealingLR,
    schedule_parameters={"T_max": 20},
    initialization="he",
    input_shape=[1, 15, 15],
    side=True,
    version=3,
)


@pytest.mark.parametrize(
    "candidate",
    [
        FULL,
        ModuleCandidate(DENSE),
        ModuleCandidate(DENSE, loss=Loss("huber", 1 / 3)),
        ModuleCandidate(DENSE, loss="mae", optimizer="nadam"),
        ModuleCandidate("tests.engines.modules.dense", {"width": 3}),
    ],
    ids=lambda c: c.label[:20],
)
def test_a_candidate_is_rebuilt_from_its_spec(candidate: ModuleCandidate) -> None:
    again = ModuleCandidate.from_spec(json.loads(json.dumps(candidate.spec(), allow_nan=False)))
    assert again == candidate
    assert (again.key, hash(again), again.label) == (
        candidate.key,
        hash(candidate),
        candidate.label,
    )
    assert again.spec() == candidate.spec()


def test_objects_and_their_paths_are_the_same_candidate() -> None:
    assert FULL.factory == DENSE
    assert FULL.optimizer == "torch.optim.sgd.SGD"
    assert FULL.schedule == "torch.optim.lr_scheduler.CosineAnnealingLR"
    assert FULL.loss == "torch.nn.functional.huber_loss"
    assert ModuleCandidate(modules.Dense) == ModuleCandidate(DENSE, {}, learning_rate=1e-3)


def test_every_field_changes_the_key() -> None:
    changes = [
        {"factory": "tests.engines.modules.dense"},
        {"parameters": {"width": 6, "dropout": 0.1}},
        {"optimizer": "adam", "optimizer_parameters": None},
        {"optimizer_parameters": {"momentum": 0.8}},
        {"learning_rate": 0.2},
        {"batch_size": 9},
        {"decay": 0.0},
        {"loss": None, "loss_parameters": None},
        {"loss_parameters": {"delta": 0.6}},
        {"schedule": None, "schedule_parameters": None},
        {"schedule_parameters": {"T_max": 21}},
        {"initialization": "own"},
        {"input_shape": None},
        {"side": False},
        {"device": "cuda"},
        {"version": 4},
    ]
    keys = {replace(FULL, **change).key for change in changes}
    assert len(keys | {FULL.key}) == len(changes) + 1


def test_the_label_is_one_line() -> None:
    assert FULL.label == (
        "Dense(dropout=0.1, width=5) +side he SGD(momentum=0.9, nesterov=True) lr 0.1 "
        "CosineAnnealingLR batch 8 decay 0.01"
    )


def test_it_counts_its_parameters_and_leaves_torchs_random_numbers_alone() -> None:
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    assert FULL.number_of_parameters == 226 * 5 + 6
    assert torch.equal(torch.rand(1), expected)


def test_a_space_over_the_factorys_and_the_trainings_arguments() -> None:
    build = ModuleCandidate.builder(modules.Dense, dropout=0.5, batch_size=64)
    space = SearchSpace.product(build, width=[4, 8, 16], learning_rate=[1e-3, 1e-2])
    assert len(space) == 6
    for candidate in space:
        assert isinstance(candidate, ModuleCandidate)
        assert candidate.parameters is not None
        assert candidate.parameters["dropout"] == 0.5
        assert candidate.batch_size == 64
    assert len(space.where(max_parameters=226 * 8 + 9)) == 4


def test_a_misspelt_argument_of_a_space_is_named() -> None:
    build = ModuleCandidate.builder(modules.Dense)
    with pytest.raises(SpaceError, match="unknown field 'widht': did you mean 'width'"):
        SearchSpace.product(build, widht=[4])
    with pytest.raises(SpaceError, match="did you mean 'learning_rate'"):
        SearchSpace.product(build, width=[4], lerning_rate=[0.1])


def test_a_table_of_a_study_file_is_a_space() -> None:
    table = {
        "factory": DENSE,
        "parameters": {"width": [4, 8], "dropout": 0.1},
        "learning_rate": [0.1, 0.01, 0.001],
        "batch_size": 16,
        "input_shape": [1, 15, 15],
    }
    space = ModuleCandidate.space(table)
    assert len(space) == 6
    first = space.candidates[0]
    assert isinstance(first, ModuleCandidate)
    assert (first.batch_size, first.input_shape) == (16, (1, 15, 15))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ModuleCandidate("Dense"), "factory 'Dense' is not an import path"),
        (lambda: ModuleCandidate("a b.c"), "factory 'a b.c' is not an import path"),
        (lambda: ModuleCandidate(lambda: None), "cannot be imported by name: use a class"),
        (lambda: ModuleCandidate(DENSE, {"f": object()}), "'f' of parameters"),
        (lambda: ModuleCandidate(DENSE, optimizer="sdg"), "'sdg' is unknown: did you mean 'sgd'"),
        (lambda: ModuleCandidate(DENSE, learning_rate=0), "learning_rate = 0.0 must be positive"),
        (lambda: ModuleCandidate(DENSE, learning_rate="1"), "'1' must be a number"),
        (lambda: ModuleCandidate(DENSE, decay=-1), "decay = -1.0 must not be negative"),
        (lambda: ModuleCandidate(DENSE, batch_size=0), "batch_size = 0 must be at least 1"),
        (lambda: ModuleCandidate(DENSE, initialization="hee"), "'hee' is unknown: did you"),
        (lambda: ModuleCandidate(DENSE, device="gpu"), "device 'gpu' must be 'cpu', 'cuda'"),
        (lambda: ModuleCandidate(DENSE, loss=lambda p, y: p), "loss .* cannot be imported"),
        (lambda: ModuleCandidate(DENSE, input_shape=15), "input_shape = 15 must be a list"),
        (lambda: ModuleCandidate.from_spec({"width": 3}), "no field 'width'"),
        (lambda: ModuleCandidate.from_spec({"learning_rat": 3}), "did you mean 'learning_rate'"),
        (lambda: ModuleCandidate.from_spec({}), "names no 'factory'"),
        (
            lambda: ModuleCandidate.space({"factory": DENSE, "parameters": {"loss": ["mse"]}}),
            "parameter 'loss' of .* has the name of a field of the training",
        ),
    ],
)
def test_what_is_no_candidate(make, message: str) -> None:
    with pytest.raises(CandidateError, match=message):
        make()


def test_a_misspelt_loss() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'mae'"):
        ModuleCandidate(DENSE, loss="maee")


def test_candidates_are_made_without_torch() -> None:
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "from surefoot.candidates.module.candidate import ModuleCandidate as M\n"
        f"print(M('{DENSE}', {{'width': 4}}, schedule='torch.optim.lr_scheduler.StepLR').key)\n"
        "try: M('a.b').check()\n"
        "except Exception as error: print(type(error).__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    candidate = ModuleCandidate(DENSE, {"width": 4}, schedule="torch.optim.lr_scheduler.StepLR")
    assert done.stdout.split() == [candidate.key, "MissingExtraError"]

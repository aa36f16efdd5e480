"""Damaged folders of saved models: read and used, or refused in one sentence."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

import surefoot
from tests.campaign import mutations
from tests.campaign.campaign import both, campaign

NAMES = ["format", "family", "spec", "classes", "codes", "outputs", "features", "feature_names",
         "side", "side_names", "probabilities", "class", "parameters", "x"]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("saved")
    rng = np.random.default_rng(1)
    x = rng.normal(size=(60, 4))
    estimator = surefoot.EstimatorCandidate("sklearn.linear_model.Ridge", {"alpha": 0.1})
    classifier = surefoot.EstimatorCandidate("sklearn.naive_bayes.GaussianNB")
    network = surefoot.convnet([2], hidden=[2], kernel=1, input_shape=(1, 2, 2), batch_size=8)
    population = surefoot.Population(x, rng.normal(size=60))
    classes = surefoot.Population(x, np.where(x[:, 0] > 0, "a", "b"))
    short = {"stopping": surefoot.Stopping(max_epochs=1, min_epochs=1, reading="none")}
    for name, candidate, data, options in (
        ("estimator", estimator, population, {}),
        ("classifier", classifier, classes, {"loss": "cross_entropy"}),
        ("network", network, population, short),
    ):
        executor = surefoot.InlineExecutor()
        found = surefoot.select([candidate], data, certify=1, executor=executor, **options)
        surefoot.save(found, made / name)
    return made


def used(path) -> None:
    """Read a model and predict with it."""
    surefoot.load(path).predict(np.ones((3, 4)))


@pytest.mark.filterwarnings("ignore")
@both
def test_every_damaged_model_is_used_or_refused_in_one_sentence(folder, slow):
    part = campaign("saved models", 60, 15_000, slow=slow)
    for number, dice in enumerate(part.dice()):
        name = dice.choice(["estimator", "classifier", "network"])
        shutil.rmtree(folder / "damaged", ignore_errors=True)
        shutil.copytree(folder / name, folder / "damaged")
        record = folder / "damaged" / "model.json"
        if dice.random() < 0.8:
            content = {"it": json.loads(record.read_text())}
            record.write_text(json.dumps(mutations.mutated(content, dice, NAMES).get("it")))
        else:
            file = dice.choice(sorted((folder / "damaged").iterdir()))
            file.write_bytes(mutations.octets(file.read_bytes(), dice))
        part.judge(lambda: used(folder / "damaged"), f"input {number}: {name}")
    part.check()


def test_the_originals_can_be_used(folder):
    for name in ("estimator", "classifier", "network"):
        used(folder / name)

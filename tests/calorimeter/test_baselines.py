from itertools import product
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot import registry
from surefoot.calorimeter.baselines import WINDOWS, Barycentre, Correction, ScaledSum, baseline_for
from surefoot.calorimeter.photons import load_photons
from surefoot.calorimeter.root_io import read_photons
from surefoot.candidates.base import DirectCandidate
from surefoot.errors import CandidateError, DataError
from surefoot.learning.losses import parse_loss

SUMS = [ScaledSum(*fields) for fields in product(WINDOWS, (False, True))]
CENTRES = [Barycentre(*fields) for fields in product(("x", "y"), get_args(Correction), WINDOWS)]


def held_out(candidate: DirectCandidate, images: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Predict every second image from a fit to the others, both ways."""
    predicted = np.empty_like(target)
    for half in (0, 1):
        fitted = candidate.fit(images[half::2], None, target[half::2])
        predicted[1 - half :: 2] = fitted(images[1 - half :: 2], None)
    return predicted


@pytest.fixture(scope="module")
def sample_a():
    return read_photons("A")


def test_the_scaled_sum_reaches_the_papers_resolution(sample_a) -> None:
    energy = sample_a.energy[:, None]
    predicted = held_out(ScaledSum(), sample_a.deposits, energy)
    loss = np.sqrt(np.mean(((predicted - energy) / energy).astype(float) ** 2))
    assert abs(loss - 0.0199) <= 0.0006
    k = ScaledSum().fit(sample_a.deposits, None, energy)(np.ones((1, 225), np.float32), None) / 225
    assert k[0, 0] == pytest.approx(5.74, abs=0.01)


@pytest.mark.parametrize("axis", ["x", "y"])
def test_the_barycentre_reaches_the_papers_resolution(sample_a, axis: str) -> None:
    position = getattr(sample_a, axis)[:, None]
    error = held_out(Barycentre(axis), sample_a.deposits, position) - position
    assert abs(np.sqrt(np.mean(error.astype(float) ** 2)) - 1.39) <= 0.05


@pytest.mark.parametrize(
    ("candidate", "at_most"),
    [
        (Barycentre(correction="asinh", window="3x3"), 1.19),
        (Barycentre(correction="arctan", window="3x3"), 1.15),
        (Barycentre(correction="log"), 1.36),
    ],
    ids=lambda value: getattr(value, "label", ""),
)
def test_other_corrections_reach_what_is_known_of_them(sample_a, candidate, at_most) -> None:
    position = sample_a.x[:, None]
    error = held_out(candidate, sample_a.deposits, position) - position
    assert np.sqrt(np.mean(error.astype(float) ** 2)) <= at_most


def test_every_correction_is_better_than_none(sample_a) -> None:
    position = sample_a.y[:, None]
    rms = {
        one.correction: np.std(held_out(one, sample_a.deposits, position) - position)
        for one in CENTRES
        if one.axis == "y" and one.window == "full"
    }
    assert rms["linear"] < rms["none"]
    assert max(rms["asinh"], rms["arctan"], rms["log"]) < rms["linear"]


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10.0))
def test_k_is_the_closed_form(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    energy = rng.uniform(1, 100, (40, 1)).astype(np.float32)
    images = (scale * energy * rng.dirichlet(np.ones(9), 40)).astype(np.float32)
    images *= rng.normal(1.0, 0.05, (40, 1)).astype(np.float32)
    ratio = images.sum(axis=1, dtype=float) / energy[:, 0]
    k = ratio.mean() / (ratio**2).mean()
    found = ScaledSum().fit(images, None, energy)(images, None)
    np.testing.assert_allclose(found[:, 0], k * images.sum(axis=1, dtype=float), rtol=1e-6)


def test_the_linear_sum_minimises_the_relative_loss() -> None:
    rng = np.random.default_rng(3)
    energy = rng.uniform(1, 100, (500, 1)).astype(np.float32)
    images = np.zeros((500, 9), np.float32)
    images[:, 4] = (0.2 * energy - 0.1)[:, 0] * rng.normal(1, 0.02, 500)
    loss = parse_loss("relative_rmse")
    predict = ScaledSum(linear=True).fit(images, None, energy)
    best = loss.value(predict(images, None), energy)
    assert best < loss.value(ScaledSum().fit(images, None, energy)(images, None), energy)
    for factor, shift in ((1.001, 0.0), (0.999, 0.0), (1.0, 0.01), (1.0, -0.01)):
        assert best < loss.value(factor * predict(images, None) + np.float32(shift), energy)


@pytest.mark.parametrize("correction", ["linear", "asinh", "arctan"])
@pytest.mark.parametrize("window", list(WINDOWS))
def test_a_correction_recovers_its_own_law(correction, window) -> None:
    """Images with a barycentre g whose true position is the law's value at g."""
    rng = np.random.default_rng(4)
    pitch = 10.0
    g = rng.uniform(-2.0, 2.0, 400)
    images = np.zeros((400, 25), np.float32)
    images[:, 11] = 0.3 - g / pitch / 2
    images[:, 13] = 0.3 + g / pitch / 2
    images[:, 12] = 0.5
    images *= 7.0
    g = (images[:, 13] - images[:, 11]).astype(float) * pitch / images.sum(axis=1)
    law = {
        "linear": lambda g: 1.7 * g + 0.3,
        "asinh": lambda g: 1.1 * 2.0 * np.arcsinh(2 * g / pitch * np.sinh(pitch / 4.0)),
        "arctan": lambda g: 5.0 * np.arctan(g / 1.5),
    }[correction]
    target = law(g)[:, None].astype(np.float32)
    candidate = Barycentre("x", correction, window, pitch)
    np.testing.assert_allclose(candidate.fit(images, None, target)(images, None), target, atol=1e-3)


@pytest.mark.parametrize("correction", get_args(Correction))
def test_the_axes_are_the_same_method_turned(sample_a, correction) -> None:
    images = sample_a.deposits[:800]
    turned = images.reshape(-1, 15, 15).transpose(0, 2, 1).reshape(-1, 225).copy()
    target = sample_a.x[:800, None]
    along_x = Barycentre("x", correction).fit(images, None, target)(images, None)
    along_y = Barycentre("y", correction).fit(turned, None, target)(turned, None)
    np.testing.assert_allclose(along_x, along_y, atol=2e-3)


@pytest.mark.parametrize("candidate", SUMS + CENTRES, ids=lambda one: one.label)
def test_specs_rebuild_and_fits_repeat(sample_a, candidate) -> None:
    family = registry.lookup("candidates", candidate.family)
    again = family.from_spec(candidate.spec())
    assert again == candidate
    assert again.key == candidate.key
    images = sample_a.deposits[:300]
    target = (sample_a.energy if candidate.family == "scaled_sum" else sample_a.x)[:300, None]
    one, two = (c.fit(images, None, target)(images, None) for c in (candidate, again))
    assert one.dtype == np.float32
    assert one.shape == (300, 1)
    assert one.tobytes() == two.tobytes()


def test_labels_and_keys_differ() -> None:
    everyone = SUMS + CENTRES
    assert len({one.key for one in everyone}) == len(everyone)
    assert len({one.label for one in everyone}) == len(everyone)


def test_left_out_fields_have_defaults() -> None:
    assert ScaledSum.from_spec({}) == ScaledSum()
    assert Barycentre.from_spec({"axis": "y"}) == baseline_for("y")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ScaledSum("4x4"), "window = '4x4' of scaled_sum is unknown"),
        (lambda: Barycentre("z"), "axis = 'z'"),
        (lambda: Barycentre(correction="asin"), "did you mean 'asinh'"),
        (lambda: Barycentre(pitch=0.0), "pitch = 0.0 mm .* positive"),
        (lambda: ScaledSum.from_spec({"windw": "3x3"}), "no field 'windw': did you mean 'window'"),
        (lambda: baseline_for("theta"), "'theta' has no classical baseline"),
    ],
)
def test_wrong_fields(make, message) -> None:
    with pytest.raises(CandidateError, match=message):
        make()


def test_what_cannot_be_fitted() -> None:
    images, energy = np.ones((4, 9), np.float32), np.ones((4, 1), np.float32)
    with pytest.raises(DataError, match="must be positive"):
        ScaledSum().fit(images, None, energy - 1)
    with pytest.raises(DataError, match="all deposits of the draw are zero"):
        ScaledSum(linear=True).fit(images * 0, None, energy)
    with pytest.raises(DataError, match="predicts one target, not 2"):
        Barycentre().fit(images, None, np.ones((4, 2), np.float32))
    with pytest.raises(DataError, match="sum to 0 GeV"):
        Barycentre().fit(images * 0, None, energy)


def test_defaults_suit_the_targets() -> None:
    assert baseline_for("energy") == ScaledSum()
    for axis in ("x", "y"):
        assert baseline_for(axis) == Barycentre(axis)


def test_a_baseline_trains_through_its_engine() -> None:
    from surefoot import Sampling
    from surefoot.engines.direct import Direct
    from surefoot.instances import Instance, Setting, Status
    from surefoot.seeds.ledger import InstanceSeed, Role

    setting = Setting(load_photons("A").split(1), Sampling(2_000), parse_loss("relative_rmse"))
    instance = Instance(ScaledSum(), InstanceSeed(1, Role.RACE, 0))
    outcome = Direct().train(instance, setting, np.zeros(1, np.uint8)).outcome
    assert outcome.status is Status.FINISHED
    assert 0.018 < outcome.loss < 0.022

import numpy as np
import pytest

from surefoot.calorimeter.detector import OUTER
from surefoot.calorimeter.simulation.chunks import PhotonChunk
from surefoot.calorimeter.simulation.simulate import simulate
from surefoot.calorimeter.simulation.validation import gather
from surefoot.errors import DataError, SurefootError

NAMES = list(PhotonChunk.__annotations__)


def assert_same(one, other):
    for name in NAMES:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("dataset", ["A", "B"])
def test_images_depend_on_neither_chunk_nor_threads(dataset):
    whole = gather(list(simulate(dataset, 60, 5, chunk=60, workers=1)))
    assert_same(gather(list(simulate(dataset, 60, 5, chunk=7, workers=3))), whole)
    rest = gather(list(simulate(dataset, 40, 5, first=20, chunk=9, workers=2)))
    np.testing.assert_array_equal(rest.deposits, whole.deposits[20:])
    np.testing.assert_array_equal(rest.shower, np.arange(20, 60))


def test_noise_does_not_depend_on_the_chunk_either():
    options = {"noise": 0.002, "threshold": 0.004}
    whole = gather(list(simulate("A", 30, 5, chunk=30, **options)))
    assert_same(gather(list(simulate("A", 30, 5, chunk=4, **options))), whole)
    seen = whole.deposits[whole.deposits > 0]
    assert seen.min() >= 0.004
    clean = gather(list(simulate("A", 30, 5)))
    np.testing.assert_array_equal(whole.energy, clean.energy)
    assert not np.array_equal(whole.deposits, clean.deposits)


def test_seeds_differ():
    one, other = (next(simulate("A", 5, seed)) for seed in (1, 2))
    assert not np.array_equal(one.deposits, other.deposits)


def test_a_chunk_is_what_it_says():
    chunk = next(simulate("B", 50, 1))
    assert chunk.deposits.shape == (50, 225)
    assert chunk.deposits.dtype == np.float32
    assert chunk.shower.dtype == np.int64
    assert len(chunk) == 50
    assert (chunk.deposits >= 0).all()
    assert np.isfinite(chunk.deposits).all()
    assert (chunk.outside >= 0).all()


def test_wider_cells_hold_more():
    inner, outer = (next(simulate("A", 300, 1, **kind)) for kind in ({}, {"detector": OUTER}))
    central = [c.deposits[:, 112].sum() / c.deposits.sum() for c in (inner, outer)]
    assert central[1] > central[0] + 0.1


def test_progress_counts_every_event():
    seen = []
    chunks = list(simulate("A", 25, 1, chunk=10, progress=seen.append))
    assert seen == [len(chunk) for chunk in chunks] == [10, 10, 5]


def test_nothing_is_simulated_before_it_is_asked_for():
    stream = simulate("A", 10**9, 1, chunk=10, workers=2)
    assert len(next(stream)) == 10
    stream.close()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"dataset": "D"}, "dataset 'D' does not exist"),
        ({"n": -1}, "the number of events must be 0 or more, not -1"),
        ({"chunk": 0}, "a chunk must hold at least 1 event, not 0"),
        ({"workers": -2}, "at least 1 worker is needed, not -2"),
        ({"noise": -0.1}, "the noise must be 0 GeV or more, not -0.1"),
        ({"threshold": float("nan")}, "the threshold must be 0 GeV or more, not nan"),
        ({"engine": "geant"}, "engine 'geant' does not exist; did you mean 'geant4'"),
    ],
)
def test_bad_arguments_are_named(arguments, said):
    with pytest.raises(DataError, match=said):
        list(simulate(**({"dataset": "A", "n": 3, "seed": 1} | arguments)))


def test_a_seed_outside_the_ledger_is_refused():
    with pytest.raises(SurefootError, match="study seed -1"):
        list(simulate("A", 3, -1))

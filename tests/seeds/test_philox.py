"""Compiled Philox against numpy's, orders against chi-square, masks against their definition."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from surefoot.seeds.philox import dropout_threshold, epoch_order, keep_masks, philox4x64

words = st.integers(0, 2**64 - 1)
keys = st.tuples(words, words)


def raw(counter: tuple[int, ...], key: tuple[int, int], n: int = 4) -> np.ndarray:
    """Return numpy's words for a counter: it counts up before it makes the first block."""
    value = sum(word << 64 * place for place, word in enumerate(counter)) - 1
    before = [(value % 2**256) >> 64 * place & (2**64 - 1) for place in range(4)]
    generator = np.random.Philox(
        counter=np.array(before, dtype=np.uint64), key=np.array(key, dtype=np.uint64)
    )
    return generator.random_raw(n)


@given(counter=st.tuples(words, words, words, words), key=keys)
def test_words_are_those_of_numpy(counter, key) -> None:
    found = philox4x64(*(np.uint64(word) for word in (*counter, *key)))
    np.testing.assert_array_equal(np.array(found, dtype=np.uint64), raw(counter, key))


def test_words_are_those_of_the_papers_known_answers() -> None:
    """Random123's kat_vectors: philox4x64, 10 rounds, all bits 0 and all bits 1."""
    zeros, ones = np.uint64(0), np.uint64(2**64 - 1)
    assert [hex(word) for word in philox4x64(*[zeros] * 6)] == [
        "0x16554d9eca36314c",
        "0xdb20fe9d672d0fdc",
        "0xd7e772cee186176b",
        "0x7e68b68aec7ba23b",
    ]
    assert [hex(word) for word in philox4x64(*[ones] * 6)] == [
        "0x87b092c3013fe90b",
        "0x438c3c67be8d0224",
        "0x9cc7d7c69cd777b6",
        "0xa09caebf594f0ba0",
    ]


@given(key=keys, epoch=st.integers(0, 2**20), n=st.integers(1, 400))
def test_an_order_is_a_permutation_and_that_of_its_key_and_epoch(key, epoch, n) -> None:
    order = epoch_order(key, epoch, n)
    assert order.dtype == np.int32
    np.testing.assert_array_equal(np.sort(order), np.arange(n))
    np.testing.assert_array_equal(order, epoch_order(key, epoch, n))


@given(key=keys, epoch=st.integers(0, 2**40), n=st.integers(2, 60))
def test_an_order_is_fisher_yates_on_numpys_words(key, epoch, n) -> None:
    halves = raw((0, 0, 0, epoch), key, 4 * (n // 8 + 1)).view(np.uint32).astype(object)
    expected = list(range(n))
    for turn, i in enumerate(range(n - 1, 0, -1)):
        j = int(halves[turn]) * (i + 1) >> 32
        expected[i], expected[j] = expected[j], expected[i]
    assert epoch_order(key, epoch, n).tolist() == expected


def test_all_orders_of_four_are_equally_likely() -> None:
    counts: dict[tuple[int, ...], int] = {}
    for epoch in range(24_000):
        order = tuple(epoch_order((7, 9), epoch, 4).tolist())
        counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 24
    assert scipy.stats.chisquare(list(counts.values())).pvalue > 1e-3


def test_every_example_is_equally_likely_in_every_place() -> None:
    n, epochs = 12, 6_000
    places = np.zeros((n, n))
    for epoch in range(epochs):
        places[np.arange(n), epoch_order((3, 1 << 56), epoch, n)] += 1
    statistic = ((places - epochs / n) ** 2 / (epochs / n)).sum()
    assert scipy.stats.chi2((n - 1) ** 2).sf(statistic) > 1e-3


def test_orders_of_neighbouring_epochs_and_keys_are_unrelated() -> None:
    n = 2_000
    base = epoch_order((5, 5), 0, n)
    for other in (epoch_order((5, 5), 1, n), epoch_order((5, 6), 0, n), epoch_order((4, 5), 0, n)):
        assert abs(scipy.stats.spearmanr(base, other).statistic) < 4 / np.sqrt(n)


@given(
    key=keys,
    step=st.integers(0, 2**40),
    layer=st.integers(0, 4),
    examples=st.integers(1, 5),
    units=st.integers(1, 40),
    p=st.floats(0.01, 0.99),
)
def test_masks_are_numpys_words_against_the_threshold(key, step, layer, examples, units, p) -> None:
    masks = keep_masks(key, step, layer, examples, units, p)
    assert masks.shape == (examples, units)
    for example in range(examples):
        blocks = [raw((b, example, layer, step), key) for b in range((units + 7) // 8)]
        halves = np.concatenate(blocks).view(np.uint32)[:units]
        np.testing.assert_array_equal(masks[example], halves >= round(p * 2**32))


def test_a_mask_keeps_the_share_that_it_should() -> None:
    for p in (0.1, 0.5, 0.8):
        masks = keep_masks((1, 2), 3, 0, 200, 500, p)
        assert abs(masks.mean() - (1 - p)) < 4 * np.sqrt(p * (1 - p) / masks.size)


def test_masks_of_a_batch_do_not_depend_on_its_size() -> None:
    whole = keep_masks((1, 2), 3, 1, 20, 33, 0.4)
    np.testing.assert_array_equal(keep_masks((1, 2), 3, 1, 7, 33, 0.4), whole[:7])
    np.testing.assert_array_equal(keep_masks((1, 2), 3, 1, 20, 8, 0.4), whole[:, :8])


@pytest.mark.parametrize(("p", "threshold"), [(0.0, 0), (0.5, 2**31), (1 - 1e-12, 2**32 - 1)])
def test_thresholds(p: float, threshold: int) -> None:
    assert dropout_threshold(p) == threshold


def test_nothing_is_dropped_at_probability_zero() -> None:
    assert keep_masks((1, 2), 0, 0, 50, 50, 0.0).all()

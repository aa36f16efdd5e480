"""Dropout masks made on the device are the ledger's."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from surefoot.engines.torch.stacked.noise import keep_masks
from surefoot.seeds import philox

WORDS = st.integers(0, 2**64 - 1)


@given(
    keys=st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=3),
    step=st.integers(0, 2**40),
    layer=st.integers(0, 3),
    units=st.integers(1, 40),
    probability=st.floats(0.0, 0.99),
)
def test_masks_are_those_of_the_ledger(
    keys: list[tuple[int, int]], step: int, layer: int, units: int, probability: float
) -> None:
    held = torch.from_numpy(np.array(keys, dtype=np.uint64).view(np.int64))
    steps = torch.arange(len(keys)) + step
    masks = keep_masks(held, steps, layer, 5, units, probability).numpy()
    for number, key in enumerate(keys):
        expected = philox.keep_masks(key, step + number, layer, 5, units, probability)
        np.testing.assert_array_equal(masks[number], expected)

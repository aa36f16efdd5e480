"""Hypothesis draws networks of every kind that `ConvNet` can describe."""

from __future__ import annotations

from hypothesis import assume
from hypothesis import strategies as st

from surefoot.candidates.convnet.network import ACTIVATIONS, Conv, ConvNet, Pool
from surefoot.errors import CandidateError
from surefoot.learning.losses import Loss

pools = st.builds(
    Pool,
    st.sampled_from(["max", "average"]),
    st.integers(1, 4),
    st.sampled_from([None, 1, 2, 3]),
)
convolutions = st.builds(
    Conv,
    channels=st.integers(1, 19),
    kernel=st.integers(1, 7),
    padding=st.sampled_from(["valid", "same"]),
    bias=st.booleans(),
    pool=st.none() | st.just(Pool()) | pools,
)
losses = st.builds(
    Loss,
    st.sampled_from(
        [
            "relative_rmse",
            "stochastic_rmse",
            "rmse",
            "mse",
            "mae",
            "huber",
            "cross_entropy",
            "brier",
        ]
    ),
    st.just(0.3),
)


@st.composite
def networks(draw: st.DrawFn, batch_norm: bool | None = None) -> ConvNet:
    hidden = tuple(draw(st.lists(st.integers(1, 20), max_size=3)))
    side = draw(st.integers(0, 3))
    try:
        return ConvNet(
            tuple(draw(st.lists(convolutions, min_size=0, max_size=3))),
            hidden,
            draw(st.sampled_from(ACTIVATIONS)),
            batch_norm=draw(st.booleans()) if batch_norm is None else batch_norm,
            dropout=draw(st.sampled_from([0.0, 0.3])),
            side=side,
            side_layer=draw(st.integers(0, len(hidden))),
            input_shape=(
                draw(st.integers(1, 3)),
                draw(st.integers(4, 15)),
                draw(st.integers(4, 15)),
            ),
            outputs=draw(st.integers(2, 4)),
            scale=draw(st.booleans()),
            batch_size=draw(st.sampled_from([5, 16, 20, 32, 70])),
        )
    except CandidateError:
        assume(False)
        raise

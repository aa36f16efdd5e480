"""Search spaces, counted against brute force."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.candidates.convnet.network import Conv, ConvNet
from surefoot.candidates.space import SearchSpace
from surefoot.errors import CandidateError, SpaceError

rates = st.lists(st.sampled_from([1e-4, 1e-3, 1e-2, 0.1]), min_size=1, max_size=4)
batches = st.lists(st.sampled_from([16, 32, 64]), min_size=1, max_size=3)
widths = st.lists(st.sampled_from([(), (9,), (64, 9)]), min_size=1, max_size=3)


def space_of(learning_rate: list[float], batch_size: list[int], hidden: list) -> SearchSpace:
    return SearchSpace.product(
        ConvNet,
        convolutions=[(Conv(8),)],
        learning_rate=learning_rate,
        batch_size=batch_size,
        hidden=hidden,
    )


def brute(*spaces: tuple[list[float], list[int], list]) -> list[ConvNet]:
    found: list[ConvNet] = []
    for choices in spaces:
        for rate, batch, hidden in itertools.product(*choices):
            net = ConvNet((Conv(8),), hidden, learning_rate=rate, batch_size=batch)
            if net not in found:
                found.append(net)
    return found


@given(rates, batches, widths)
def test_a_product_counts_each_candidate_once_in_order(rate, batch, hidden) -> None:
    space = space_of(rate, batch, hidden)
    assert list(space) == brute((rate, batch, hidden))
    assert len(space) == len(set(rate)) * len(set(batch)) * len(set(hidden))


@given(st.tuples(rates, batches, widths), st.tuples(rates, batches, widths))
def test_a_union_counts_what_is_shared_once(one, other) -> None:
    assert list(space_of(*one) | space_of(*other)) == brute(one, other)


@given(st.tuples(rates, batches, widths), st.floats(1e-5, 1.0), st.integers(1_000, 100_000))
def test_conditions_restrict_as_a_filter_does(choices, limit, parameters) -> None:
    expected = [
        net
        for net in brute(choices)
        if net.learning_rate <= limit and net.number_of_parameters <= parameters
    ]
    space = space_of(*choices)
    for restricted in (
        space.where(lambda net: net.learning_rate <= limit, max_parameters=parameters),
        space.where(max_parameters=parameters).where(lambda net: net.learning_rate <= limit),
    ):
        if expected:
            assert list(restricted) == expected
        else:
            with pytest.raises(SpaceError, match="no candidate of the space is left by"):
                len(restricted)


def test_a_condition_on_one_part_of_a_union_leaves_the_other_alone() -> None:
    fast = space_of([0.1, 1e-3], [32], [()]).where(lambda net: net.learning_rate > 0.01)
    assert len(fast | space_of([1e-4], [32], [()])) == 2
    assert len((fast | space_of([1e-4], [32], [()])).where(max_parameters=10**6)) == 2


def test_a_space_of_listed_candidates() -> None:
    nets = [ConvNet((Conv(c),)) for c in (4, 8, 4)]
    assert list(SearchSpace(nets)) == nets[:2]
    assert nets[0] in list(SearchSpace(nets).where(lambda net: net.convolutions[0].channels == 4))


def test_the_papers_number_of_candidates() -> None:
    """2 · 3 · 3 · 2 · 2 · 2 · 4 · 4 · 3 = 6,912 (paper §3.10), all different."""

    def build(side, kernel, depth, optimizer, channels, width, learning_rate, batch_size, decay):
        return ConvNet(
            (Conv(channels, kernel), Conv(2 * channels, kernel)),
            (width,) * (depth - 1),
            side=side,
            optimizer=optimizer,
            learning_rate=learning_rate,
            batch_size=batch_size,
            decay=decay,
        )

    space = SearchSpace.product(
        build,
        side=[0, 1],
        kernel=[2, 3, 4],
        depth=[2, 3, 4],
        optimizer=["nadam", "adamw"],
        channels=[16, 32],
        width=[32, 64],
        learning_rate=[1e-4, 1e-3, 1e-2, 1e-1],
        batch_size=[16, 32, 64, 128],
        decay=[0.001, 0.01, 0.1],
    )
    assert len(space) == 6_912


def test_unknown_fields_and_missing_choices_are_refused() -> None:
    with pytest.raises(SpaceError, match="'learning_rat': did you mean 'learning_rate'"):
        SearchSpace.product(ConvNet, convolutions=[(Conv(8),)], learning_rat=[0.1])
    for choices in ([], "relu", 3):
        with pytest.raises(SpaceError, match="must be a list of at least one choice"):
            SearchSpace.product(ConvNet, convolutions=[(Conv(8),)], activation=choices)


def test_an_impossible_combination_is_named() -> None:
    space = SearchSpace.product(ConvNet, convolutions=[(Conv(8),), (Conv(8, 7),) * 3])
    with pytest.raises(
        SpaceError, match=r"kernel 7 of conv3 .*\(in the space's combination .*conv"
    ):
        len(space)


def test_an_empty_space_names_its_conditions() -> None:
    with pytest.raises(SpaceError, match="left by max_parameters = 10: relax it") as caught:
        len(space_of([0.1], [32], [()]).where(max_parameters=10))
    assert isinstance(caught.value, CandidateError)
    with pytest.raises(SpaceError, match="no candidate of the space is left by its choices"):
        len(SearchSpace([]))

"""The ledger: keys that never meet, and streams that are numpy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import ConfigurationError
from surefoot.seeds.ledger import (
    MAX_NUMBER,
    InstanceSeed,
    Role,
    Stream,
    candidate_salt,
    check_study_seed,
    study_generator,
)

words = st.integers(0, 2**64 - 1)
numbers = st.integers(0, MAX_NUMBER - 1)
roles, streams = st.sampled_from(Role), st.sampled_from(Stream)
names = st.tuples(roles, streams, numbers)


@given(study=words, one=names, other=names)
def test_paired_keys_are_equal_only_for_the_same_role_stream_and_number(study, one, other) -> None:
    keys = [InstanceSeed(study, role, number).key(stream) for role, stream, number in (one, other)]
    assert (keys[0] == keys[1]) == (one == other)


@given(study=words, role=roles, stream=streams, number=numbers, salt=words)
def test_a_key_can_be_read_back(study, role, stream, number, salt) -> None:
    k0, k1 = InstanceSeed(study, role, number, candidate=salt).key(stream)
    assert (k1 >> 56, k1 >> 48 & 0xFF, k1 & (MAX_NUMBER - 1)) == (role, stream, number)
    assert k0 ^ study == salt
    assert 0 <= k0 < 2**64
    assert 0 <= k1 < 2**64


def test_roles_and_streams_fit_their_bytes() -> None:
    assert all(0 <= value < 256 for value in (*Role, *Stream))
    assert len({*Role}) == 12
    assert len({*Stream}) == 5


def test_numbers_of_roles_and_streams_never_change() -> None:
    """A journal's outcomes can be replayed only while these keep their numbers."""
    assert [role.name for role in sorted(Role)] == [
        "SPLIT",
        "RACE",
        "CERTIFY",
        "ASSESS",
        "VARIANCE",
        "SAMPLE_SIZE",
        "COMPARE",
        "PILOT",
        "STATISTICS",
        "SIMULATE",
        "GRID",
        "SEARCH",
    ]
    assert [stream.name for stream in sorted(Stream)] == ["DRAW", "INIT", "ORDER", "NOISE", "TEST"]


@given(seed=st.builds(InstanceSeed, words, roles, numbers), stream=streams)
def test_a_generator_starts_afresh_every_time(seed: InstanceSeed, stream: Stream) -> None:
    first, second = (seed.generator(stream).integers(0, 2**32, 4) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_the_first_words_of_a_stream_are_pinned() -> None:
    """Fixed for ever: NumPy guarantees Philox's stream for a key."""
    seed = InstanceSeed(2026, Role.CERTIFY, 7)
    assert seed.key(Stream.INIT) == (2026, (2 << 56) + (1 << 48) + 7)
    expected = np.random.Philox(key=np.array([2026, (2 << 56) + (1 << 48) + 7], dtype=np.uint64))
    found = seed.generator(Stream.INIT).bit_generator.random_raw(8)
    np.testing.assert_array_equal(found, expected.random_raw(8))


@given(study=words, number=numbers, draw=numbers, init=numbers)
def test_overrides_replace_the_number_of_their_streams_only(study, number, draw, init) -> None:
    seed = InstanceSeed(study, Role.VARIANCE, number, draw=draw, init=init)
    assert seed.key(Stream.DRAW) == InstanceSeed(study, Role.VARIANCE, draw).key(Stream.DRAW)
    for stream in (Stream.INIT, Stream.ORDER, Stream.NOISE):
        assert seed.key(stream) == InstanceSeed(study, Role.VARIANCE, init).key(stream)
    only_draw = InstanceSeed(study, Role.VARIANCE, number, draw=draw)
    assert only_draw.key(Stream.INIT)[1] & (MAX_NUMBER - 1) == number


@given(study=words, number=numbers, draw=numbers, init=numbers, other=numbers)
def test_order_and_test_sample_can_have_numbers_of_their_own(
    study, number, draw, init, other
) -> None:
    plain = InstanceSeed(study, Role.VARIANCE, number, draw=draw, init=init)
    order = InstanceSeed(study, Role.VARIANCE, number, draw=draw, init=init, order=other)
    test = InstanceSeed(study, Role.VARIANCE, number, draw=draw, init=init, test=other)
    for stream in Stream:
        elsewhere = InstanceSeed(study, Role.VARIANCE, other).key(stream)
        noisy = stream in (Stream.ORDER, Stream.NOISE)
        assert order.key(stream) == (elsewhere if noisy else plain.key(stream))
        assert test.key(stream) == (elsewhere if stream is Stream.TEST else plain.key(stream))


@pytest.mark.parametrize("field", ["instance", "draw", "init", "order", "test"])
@pytest.mark.parametrize("number", [-1, MAX_NUMBER])
def test_numbers_out_of_range_are_refused(field: str, number: int) -> None:
    fields = {"instance": 0, field: number}
    with pytest.raises(
        ConfigurationError, match=rf"{field} number {number} is not in 0 … 2\^48 - 1"
    ):
        InstanceSeed(1, Role.RACE, **fields)


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_study_seeds_out_of_range_are_refused(seed: int) -> None:
    with pytest.raises(ConfigurationError, match=f"study seed {seed} is not in"):
        InstanceSeed(seed, Role.RACE, 0)
    with pytest.raises(ConfigurationError):
        check_study_seed(seed)


def test_salts_come_from_the_candidates_key() -> None:
    assert candidate_salt("ffffffffffffffff") == 2**64 - 1
    assert candidate_salt("0123456789abcdef") == 0x0123456789ABCDEF
    paired, salted = (
        InstanceSeed(1, Role.RACE, 0, candidate=salt).key(Stream.DRAW)
        for salt in (0, candidate_salt("0123456789abcdef"))
    )
    assert paired != salted


def test_a_studys_own_choices_have_a_stream_of_their_own() -> None:
    split, simulate = (study_generator(3, role).random(4) for role in (Role.SPLIT, Role.SIMULATE))
    assert not np.array_equal(split, simulate)
    np.testing.assert_array_equal(split, study_generator(3, Role.SPLIT).random(4))
    assert not np.array_equal(split, study_generator(3, Role.SPLIT, 1).random(4))

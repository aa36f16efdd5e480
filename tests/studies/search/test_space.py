"""A space as choices one after the other: every candidate is reached, and nothing else."""

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from surefoot.studies.search.space import Choice, Space


def space_of(*specs):
    return Space(("toy", one) for one in specs)


def asked(space, place):
    return [choice for choice, _ in space.choices(place)]


def test_a_product_asks_every_field_with_all_its_values():
    specs = [{"kind": k, "rate": r} for k, r in product("ba", (0.1, 0.01))]
    space = space_of(*specs)
    for place in range(4):
        kind, rate = asked(space, place)
        assert kind == Choice("kind", ("a", "b"), False, 1)
        assert rate == Choice("rate", (0.01, 0.1), True, 2)
        assert (
            space.walk(dict(zip((kind, rate), (n for _, n in space.choices(place)))).get) == place
        )


def test_what_conditions_leave_has_a_name_of_its_own():
    space = space_of(*({"a": a, "b": b} for a, b in [(1, 1), (1, 2), (1, 3), (2, 2), (2, 3)]))
    assert [one.name for one in asked(space, 0)] == ["a", "b"]
    assert [one.name for one in asked(space, 4)] == ["a", "b of 2, 3"]


def test_a_list_is_its_length_and_then_its_entries():
    space = space_of(*({"hidden": one} for one in ([8], [16], [8, 8], [8, 16])))
    assert [one.name for one in asked(space, 0)] == ["hidden length", "hidden 1"]
    assert [one.name for one in asked(space, 3)] == ["hidden length", "hidden 2 of 8, 16"]
    nested = space_of(*({"layers": one} for one in ([{"units": 8}], [{"units": 16}])))
    assert [one.values for one in asked(nested, 0)] == [(8, 16)]


def test_candidates_alike_in_all_fields_are_numbered():
    space = Space([("toy", {"a": 1}), ("toy", {"a": 2}), ("toy", {"a": 1})])
    (first, last) = space.choices(2)
    assert first[0].name == "a"
    assert last == (Choice("candidate", (0, 1), False, None), 1)


VALUES = st.sampled_from([1, 2, 0.5, "x", "y", True, None, [1], [1, 2], [2, 2]])
SPECS = st.dictionaries(st.sampled_from("abc"), VALUES)


@given(st.lists(SPECS, min_size=1, max_size=12), st.integers(0, 2**32 - 1))
def test_every_candidate_is_reached_and_any_choices_lead_to_one(specs, seed):
    space = space_of(*specs)
    for place in range(len(specs)):
        told = dict(space.choices(place))
        assert space.walk(lambda choice, told=told: told[choice]) == place
    rng = np.random.default_rng(seed)
    place = space.walk(lambda choice: int(rng.integers(len(choice.values))))
    assert 0 <= place < len(specs)

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from surefoot.executors.dask.leases import LARGEST, TARGET, Lease, Leases, Pace
from surefoot.instances import Instance, Outcome
from surefoot.testing import toy_function, toy_instance, toy_setting

CANDIDATE = toy_function.candidate()
SETTING = toy_setting()


def instances(count: int) -> list[Instance]:
    return [toy_instance(CANDIDATE, number) for number in range(count)]


def outcome(instance: Instance, seconds: float = 1.0) -> Outcome:
    return Outcome.of(instance, SETTING, "toy", [1.0], seconds)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def measured(seconds: float, answers: int = 10**6) -> Pace:
    pace = Pace(answers)
    pace.latest.extend([seconds] * 10)
    return pace


def test_leases_start_small_and_every_worker_has_one_to_spare() -> None:
    leases = Leases(iter(instances(100)))
    leases.join("a", 1)
    leases.join("b", 2)
    given = list(leases.give())
    assert [len(one.todo) for one in given] == [1] * 5
    assert sorted(one.worker for one in given) == ["a"] * 2 + ["b"] * 3


def test_leases_grow_to_seconds_of_work() -> None:
    endless = (toy_instance(CANDIDATE, number) for number in range(10**9))
    for seconds, size in ((0.1, TARGET / 0.1), (1e-6, LARGEST), (60.0, 1)):
        leases = Leases(endless, measured(seconds))
        leases.join("a", 1)
        assert [len(one.todo) for one in leases.give()] == [size] * 2


def test_leases_shrink_where_little_is_left() -> None:
    leases = Leases(instances(16), measured(0.4))
    leases.join("a", 1)
    leases.join("b", 1)
    sizes = [len(one.todo) for one in leases.give()]
    while not leases.done:
        (first, *_) = leases._open.values()
        for number in list(first.todo):
            leases.answer(number, outcome(first.todo[number], 0.4), first.number)
        leases.ended()
        sizes += [len(one.todo) for one in leases.give() if not one.twice]
    assert sizes[:4] == [4, 3, 2, 1]
    assert (sum(sizes), sizes[-1]) == (16, 1)


def test_leases_of_short_trainings_are_no_shorter_than_a_share() -> None:
    leases = Leases(instances(16), measured(0.1))
    leases.join("a", 1)
    leases.join("b", 1)
    assert [len(one.todo) for one in leases.give()] == [5, 5, 3, 2]


def test_leases_hold_what_is_trained_at_once() -> None:
    """However long an instance takes, as it does where one takes as long as hundreds."""
    for pace, left in ((Pace(), 100), (measured(60.0), 100), (measured(1e-3), 7)):
        leases = Leases(instances(left), pace, least=30)
        for worker in "abc":
            leases.join(worker, 1)
        sizes = [len(one.todo) for one in leases.give()]
        assert sizes == ([30, 30, 30, 10] if left == 100 else [7])


def test_the_last_lease_is_given_out_twice_from_its_end() -> None:
    clock = Clock()
    leases = Leases(instances(20), measured(1.0), clock)
    leases.join("slow", 1)
    given = list(leases.give())
    assert [list(one.todo) for one in given] == [list(range(10)), [10, 11, 12, 13, 14]]
    leases.join("fast", 1)
    given = list(leases.give())
    taken, recalled = [], leases.recalled()
    while not (copies := [one for one in given if one.twice]):
        for lease in [leases._open[number] for number in leases.held_by("fast")]:
            taken += list(lease.todo)
            for number in list(lease.todo):
                leases.answer(number, outcome(lease.todo[number]), lease.number)
        leases.ended()
        given = list(leases.give())
        recalled += leases.recalled()
    assert sorted(taken) == list(range(10, 20)), "what was not begun was recalled"
    assert 1 in recalled
    (copy,) = copies
    assert list(copy.todo) == list(range(9, 0, -1)), "all but what is being trained"


def test_what_takes_too_long_is_given_out_twice() -> None:
    clock = Clock()
    leases = Leases(instances(1), measured(1.0), clock)
    leases.join("slow", 1)
    leases.join("other", 1)
    (lone,) = leases.give()
    assert list(leases.give()) == []
    clock.now = 60.0
    (copy,) = leases.give()
    assert (copy.worker, list(copy.todo)) == ("other", [0])
    one = lone.todo[0]
    assert leases.answer(0, outcome(one), copy.number)
    assert not leases.answer(0, outcome(one), lone.number)
    first = leases.first(0)
    assert first is not None
    assert {lease.number for lease in leases.ended()} == {0, 1}
    assert leases.done


def test_what_a_worker_was_training_is_known_when_it_goes() -> None:
    leases = Leases(instances(40), measured(1.0))
    leases.join("a", 2)
    running = list(leases.give())[:2]
    leases.answer(0, outcome(running[0].todo[0]), running[0].number)
    assert [number for number, _ in leases.leave("a")] == [1, next(iter(running[1].todo))]
    assert leases.leave("a") == []


@given(st.integers(0, 2**32), st.integers(0, 60))
def test_every_instance_is_answered_once_whatever_happens(seed: int, number: int) -> None:
    """Workers come and go, leases end early, answers come late, twice and in any order."""
    chance, clock = random.Random(seed), Clock()
    asked, answered = instances(number), list[int]()
    leases = Leases(iter(asked) if seed % 2 else asked, clock=clock)
    sent: list[tuple[Lease, list[int]]] = []
    for step in range(10_000):
        clock.now += chance.random() * 5
        if step < 200 and chance.random() < 0.2:
            leases.join(chance.choice("abcd"), chance.randint(1, 3))
        if step < 200 and chance.random() < 0.1:
            leases.leave(chance.choice("abcd"))
        if step == 200:
            leases.join("e", 1)
        sent += [(lease, list(lease.todo)) for lease in leases.give()]
        assert all(len(leases.held_by(one)) <= 4 for one in "abcde")
        if leases.done:
            break
        for lease, todo in chance.sample(sent, min(3, len(sent))):
            if chance.random() < 0.05:
                leases.end(lease.number)
            if todo:
                place = todo.pop(0)
                if leases.answer(place, outcome(asked[place], chance.random()), lease.number):
                    answered.append(place)
        leases.ended()
    assert leases.done
    assert sorted(answered) == list(range(number))


def test_second_answers_of_the_same_instance_are_kept_apart() -> None:
    leases = Leases(instances(1))
    leases.join("a", 1)
    (lease,) = leases.give()
    one = outcome(lease.todo[0])
    assert leases.answer(0, one, lease.number)
    assert leases.first(0) is None, "it was given out once"
    assert not leases.answer(0, replace(one, loss=2.0), lease.number)

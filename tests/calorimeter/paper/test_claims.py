"""Every rule sees its claim where it holds, and its reverse where that does."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.calorimeter.paper.claims.rules import TREES
from surefoot.calorimeter.paper.verdicts import CLAIMS, Evidence, verdicts_of
from surefoot.errors import StatisticsError
from surefoot.seeds.ledger import FactorLevels
from tests.calorimeter.paper.recorded import losses, study, told

SIZES = (8_000, 16_000, 24_000, 32_000)
SLOW = np.where(np.arange(100) < 45, 2.0, 1.0)
FAST = np.where(np.arange(100) < 10, 2.0, 1.0)


def found(number, *studies):
    verdicts_of({})
    return CLAIMS[number].rule(Evidence({one.study: one for one in studies})).found


def compared(name, medians, spreads=None, sizes=SIZES, **more):
    rows = {
        (one, size): losses(value, (spreads or {}).get(one, 0.01))
        for one, value in medians.items()
        for size in sizes
    }
    return study(name, rows, **more)


def grid(name, field, medians, spreads=None):
    made = compared(name, medians, spreads, (32_000,), kind="grid")
    return study(
        name, {}, kind="grid", more=made.told, specs={one: {field: one} for one in medians}
    )


def energy(two=0.9, spread=0.05, trees=1.0):
    medians = {"model 2": two, "model 2, ema": two, "scaled sum": 1.0, TREES: trees}
    spreads = {"model 2": spread, "model 2, ema": 0.02}
    return [compared(f"energy-{one}", medians, spreads) for one in "AB"]


def position(a=0.9, b=2.07):
    others = {"barycentre, S-curve": 1.0, TREES: 0.95}
    far = dict.fromkeys(others, 2.5)
    return [
        compared("position-A", {"model 4": a, "model 4, ema": a} | others),
        compared("position-B", {"model 4": b, "model 4, ema": b} | far),
    ]


def by_size(name, curves, medians, **more):
    """A study of two models; medians are by size."""
    rows = {(one, s): losses(v) for one, values in medians.items() for s, v in values.items()}
    return study(name, rows, curves=curves, **more)


def energies(slow=SLOW, fast=FAST, one=None, two=None):
    one = one or {132: 2.0, 2_047: 1.6, 17_006: 1.0, 31_697: 1.0}
    two = two or {132: 1.0, 2_047: 0.98, 17_006: 0.98, 31_697: 0.98}
    curves, medians = {"model 1": slow, "model 2": fast}, {"model 1": one, "model 2": two}
    return [by_size(f"sizes-energy-{name}", curves, medians) for name in "AB"]


def positions(three=None, four=None):
    three = three or {9_124: 6.0, 15_015: 2.0, 17_006: 2.0, 31_697: 2.0}
    four = four or {9_124: 2.1, 15_015: 2.0, 17_006: 2.0, 31_697: 2.0}
    curves, medians = {"model 3": SLOW, "model 4": FAST}, {"model 3": three, "model 4": four}
    return [by_size(f"sizes-position-{name}", curves, medians) for name in "AB"]


def initialisation(name, sample, weights):
    values = losses(1.0, 0.01, 21)
    rows = []
    for number, loss in enumerate(values - 1.0):
        for levels, scale in (((number, 0), sample), ((0, number), weights), ((number,) * 2, 2.0)):
            if number or scale == 2.0:
                seed = FactorLevels(*levels).number
                rows += told(name, 32_000, [1.0 + scale * loss], role="variance", first=seed)
    return study(f"initialisation-{name}", {}, kind="variance", more=tuple(rows))


def selection(winner="m2", shaky=8, other=1.1, **more):
    rows = []
    for number in range(10):
        values = losses(1.0 + 0.01 * number, 0.01, 5)
        if number < shaky:
            values[0] *= 2.0
        rows += told(f"c{number}", 32_000, values, role="race")
    rows += told("m2", 32_000, losses(1.0), role="certify")
    rows += told("m1", 32_000, losses(other), role="certify")
    names = {one.candidate: {} for one in rows}
    specs = {name: {"hidden": [9]} for name in names} | {
        "m2": {"side": 1, "hidden": [9]},
        "m1": {"side": 0, "hidden": [9]},
    }
    fields = {"kind": "select", "more": tuple(rows), "winner": winner, "specs": specs}
    return study("selection", {}, **(fields | more))


def deeper(layers):
    specs = {"w": {"hidden": [9] * layers}}
    rows = tuple(told("w", 32_000, losses(1.0), role="certify"))
    return study("selection-position", {}, kind="select", more=rows, winner="w", specs=specs)


def transferred(ratio):
    made = compared("transfer", {"w": ratio, "formula": 1.0}, sizes=(32_000,))
    return study("transfer", {}, more=made.told, baseline="formula")


ACTIVATIONS = {"relu": 1.0, "tanh": 1.1, "gelu": 1.2}
OPTIMISERS = {"nadam": 1.0, "adamw": 1.01, "sgd": 1.3}
REGULAR = {"model 2": 1.0, "batch norm": 1.0, "dropout 0.1": 1.0, "dropout 0.5": 1.0}
STEADIER = dict.fromkeys(REGULAR, 0.01) | {"model 2": 0.1}
SCHEDULES = {"constant": 1.0, "factor": 1.0, "cyclical": 1.0, "warm-up": 1.0, "cosine": 1.0}
NAS = {"NAS 1": 1.0, "NAS 2": 1.0, "model 2": 1.0}


def regular(spreads, batch=FAST):
    curves = dict.fromkeys(REGULAR, SLOW) | {"batch norm": batch}
    return compared("regularisation", REGULAR, spreads, (32_000,), curves=curves)


CASES = {
    1: ([grid("activations", "activation", ACTIVATIONS)],
        [grid("activations", "activation", ACTIVATIONS | {"relu": 1.3})]),
    2: ([grid("activations-position", "activation", ACTIVATIONS | {"prelu": 1.0}, {"relu": 0.1})],
        [grid("activations-position", "activation", ACTIVATIONS | {"prelu": 1.0}, {"prelu": 0.1})]),
    3: ([grid("optimisers", "optimizer", OPTIMISERS)],
        [grid("optimisers", "optimizer", OPTIMISERS | {"sgd": 0.9})]),
    4: ([compared("resnet", {"ResNet": 1.5, "scaled sum": 1.0})],
        [compared("resnet", {"ResNet": 0.9, "scaled sum": 1.0})]),
    5: ([compared("dense", {"64-64": 1.5, "32": 1.4, "scaled sum": 1.0})],
        [compared("dense", {"64-64": 0.9, "32": 1.4, "scaled sum": 1.0})]),
    6: ([selection(shaky=10)], [selection(shaky=0)]),
    7: ([regular({})], [regular(STEADIER)]),
    8: ([compared("schedules", SCHEDULES)],
        [compared("schedules", SCHEDULES, {"constant": 0.1})]),
    10: ([selection(shaky=8)], None),
    12: ([selection()], [selection(winner="m1")]),
    13: ([*energies(), *positions()], [*energies(FAST, SLOW), *positions()]),
    14: ([*energies(), *positions()],
         [*energies(one={132: 1.0, 2_047: 1.5, 17_006: 1.0, 31_697: 1.0}), *positions()]),
    15: (energies(), energies(one={132: 0.8, 31_697: 1.0}, two={132: 1.0, 31_697: 0.98})),
    16: (energies(), energies(one={132: 1.0, 31_697: 1.0}, two={132: 2.0, 31_697: 1.0})),
    17: (energy(), energy(spread=0.001)),
    18: (energy(), energy(two=1.1)),
    19: ([initialisation("model_1", 3.0, 1.0)], [initialisation("model_1", 1.0, 3.0)]),
    20: ([initialisation("model_2", 1.0, 3.0)], [initialisation("model_2", 3.0, 1.0)]),
    21: (positions(), positions(three={9_124: 2.0, 15_015: 2.2, 17_006: 2.0, 31_697: 2.0})),
    22: (positions(), positions(three={9_124: 9.0, 17_006: 8.0, 31_697: 4.0},
                                four={9_124: 9.0, 17_006: 6.0, 31_697: 2.0})),
    23: (positions(three=dict.fromkeys((9_124, 15_015, 17_006, 31_697), 6.0)), positions()),
    24: (position(), position(b=0.8)),
    25: (position(), position(a=1.2, b=3.0)),
    26: (energies(), energies(FAST, SLOW, one={132: 1.0, 31_697: 1.0},
                              two={132: 2.0, 31_697: 1.0})),
    27: (energy(), energy(two=1.1)),
    28: ([compared("nas", NAS, {"NAS 1": 0.02, "NAS 2": 0.02})],
         [compared("nas", NAS, {"model 2": 0.1})]),
    29: ([selection(), deeper(2)], [selection(), deeper(0)]),
}  # fmt: skip
"""Studies in which each claim is seen, and in which it is reversed."""


@pytest.mark.parametrize("number", CASES)
def test_a_rule_sees_its_claim_and_its_reverse(number):
    seen, reverse = CASES[number]
    assert found(number, *seen) == "seen"
    if reverse is not None:
        assert found(number, *reverse) == "reversed"


def test_what_no_test_tells_apart_is_not_seen():
    rng = np.random.default_rng(1)
    everyone = ("model 2", "model 2, ema", "scaled sum", TREES)
    rows = {(name, size): rng.normal(1.0, 0.1, 20) for name in everyone for size in SIZES}
    alike = [study(f"energy-{one}", rows) for one in "AB"]
    assert found(18, *alike) == "not seen"
    assert found(17, *alike) == "not seen"


def test_the_best_epoch_is_compared_with_the_last():
    def worlds(scale):
        for name in "AB":
            rows = told("model 2", 32_000, losses(1.0))
            for one in rows:
                object.__setattr__(one, "best", 0.9 + scale * (one.loss - 1.0))
            yield study(f"energy-{name}", {}, more=tuple(rows))

    assert found(9, *worlds(3.0)) == "seen"
    assert found(9, *worlds(0.2)) == "reversed"


@pytest.mark.parametrize("number", [number for number in range(1, 30) if number != 11])
def test_studies_that_have_only_begun_decide_nothing(number):
    """No rule stumbles over what is missing yet."""
    verdicts_of({})
    every = {name for claim in CLAIMS.values() for name in claim.studies}
    every |= {f"{name}-{dataset}" for name in every for dataset in "AB"}
    empty = {name: study(name, {}) for name in every}
    with pytest.raises(StatisticsError):
        CLAIMS[number].rule(Evidence(empty))
    for name in every:
        empty[name] = study(name, {}, more=tuple(told("somebody", 100, losses(1.0, n=3))))
    with pytest.raises(StatisticsError):
        CLAIMS[number].rule(Evidence(empty))


def test_what_a_search_found_is_told_beside_and_decides_nothing():
    rows = [one for name in ("c0", "c1") for one in told(name, 2_000, [1.0], role="race")]
    rows += told("c1", 2_000, losses(1.1), role="certify")
    rows += told("m2", 2_000, losses(1.0), role="certify")
    search = study("search", {}, kind="search", more=tuple(rows), baseline="m2")
    seen, _ = CASES[28]
    verdicts_of({})
    both = CLAIMS[28].rule(Evidence({one.study: one for one in (*seen, search)}))
    assert both.found == "seen"
    assert "search of 2 networks at 2,000 examples, beside model 2: c1 has 1.1" in both.words
    alone = Evidence({"search": search})
    with pytest.raises(StatisticsError, match="nas has not been run"):
        CLAIMS[28].rule(alone)


def test_what_a_selection_here_found_is_told_beside_and_decides_nothing():
    verdicts_of({})
    seen, _ = CASES[27]
    both = CLAIMS[27].rule(
        Evidence({one.study: one for one in (*seen, selection(), transferred(1.2))})
    )
    assert both.found == "seen"
    assert "our own selection on A from 12 candidates at 32,000 examples, w, has 1.2" in both.words
    begun = study("transfer", {}, baseline="formula")
    alone = CLAIMS[27].rule(Evidence({one.study: one for one in (*seen, selection(), begun)}))
    assert "our own selection" not in alone.words

"""Damaged data files of every kind: loaded, or refused in one sentence."""

from __future__ import annotations

import io

import numpy as np
import pytest

from surefoot.data.files import load_population, write_data_file
from tests.campaign import mutations
from tests.campaign.campaign import both, campaign

KINDS = ("npz", "parquet", "root", "csv")
SELECTIONS = [
    {"target": "y", "features": ["a", "b"]},
    {"target": "y", "features": "*"},
    {"target": ["y", "a"], "features": "m", "groups": "g"},
    {"target": "g", "features": ["m", "b"], "classes": True},
    {"target": "y", "features": "m", "side": "a", "unit": "MeV", "target_unit": "GeV"},
]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The bytes of a small file of every kind that this surefoot reads."""
    made = tmp_path_factory.mktemp("files")
    rng = np.random.default_rng(2)
    columns = {"a": rng.normal(size=30), "b": rng.integers(0, 9, 30), "y": rng.random(30) + 1}
    columns |= {"g": np.arange(30) % 5, "m": rng.random((30, 4)).astype(np.float32)}
    found = {}
    for kind in ("npz", "parquet", "root"):
        path = made / f"d.{kind}"
        try:
            write_data_file(path, [columns])
        except ImportError:
            continue
        found[kind] = path.read_bytes()
    lines = io.StringIO()
    names = [name for name in columns if name != "m"]
    table = np.column_stack([columns[name] for name in names])
    np.savetxt(lines, table, delimiter=",", header=",".join(names), comments="")
    found["csv"] = lines.getvalue().encode()
    return made, found


@pytest.mark.filterwarnings("ignore")
@both
def test_every_damaged_file_is_loaded_or_refused_in_one_sentence(files, slow):
    folder, originals = files
    part = campaign("data files", 120, 20_000, slow=slow)
    for number, dice in enumerate(part.dice()):
        kind = dice.choice(list(originals))
        content = mutations.octets(originals[kind], dice)
        if kind == "csv" and dice.random() < 0.5:
            content = mutations.text(originals[kind].decode(), dice).encode("utf-8", "replace")
        path = folder / f"damaged.{kind}"
        path.write_bytes(content)
        wanted = dice.choice(SELECTIONS)
        part.judge(lambda: load_population(str(path), **wanted), f"input {number}: {kind}")  # noqa: B023
    part.check()


@both
def test_every_array_makes_a_population_or_one_sentence(slow):
    """Arrays of every kind and shape, as Python gives them."""
    from surefoot.data.population import Population

    part = campaign("arrays", 150, 20_000, slow=slow)
    kinds = "?bBhHiIlLqQefdgFDSUOMm"
    for number, dice in enumerate(part.dice()):

        def array(dice=dice):
            rows = 20 if dice.random() < 0.8 else dice.choice((0, 1, 2, 5))
            shape = (rows, *(dice.choice((0, 1, 2, 3)) for _ in range(dice.randrange(3))))
            shape = shape if dice.random() < 0.95 else ()
            kind = np.dtype(dice.choice(kinds))
            count = int(np.prod(shape, dtype=int))
            if kind.hasobject or kind.kind in "SU":
                content = [dice.choice(mutations.NASTY) for _ in range(count)]
                made = np.empty(count, object)
                made[:] = content
                return made.reshape(shape)
            made = np.frombuffer(dice.randbytes(count * kind.itemsize), kind).reshape(shape)
            made = np.abs(made) if kind.kind in "if" and dice.random() < 0.5 else made
            return made if dice.random() < 0.8 else made.tolist()

        parts = {"features": array(), "target": array()}
        parts |= {name: array() for name in ("side", "groups") if dice.random() < 0.3}
        if dice.random() < 0.3:
            parts["classes"] = dice.choice((True, False, [0, 1], ["a", "b"], 3, "x", [[]]))
        with np.errstate(all="ignore"):
            part.judge(lambda: Population(**parts).split(1), f"input {number}")  # noqa: B023
    part.check()

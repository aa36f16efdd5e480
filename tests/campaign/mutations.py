"""Mutations of values, tables, text and bytes, made by dice."""

from __future__ import annotations

import copy
import json
import math
import random
import re
from collections.abc import Iterator, MutableMapping, MutableSequence
from typing import Any

NASTY: list[Any] = [
    0, 1, 2, 3, -1, -5, 7, 10**6, 10**9, 10**15, 2**31, 2**63, 2**64, -(2**63), 10**30,
    0.0, -0.0, 0.5, 1.0, 1e-300, 1e300, -1.5, math.nan, math.inf, -math.inf, 0.999999,
    True, False, "", " ", "x", "alpha", "3", "nan", "true", "mean", "max", "rmse", "model_2",
    "../..", "/", "\x00", "\x1b[2J", "a\u202eb", "é" * 3, "x" * 3000, "a=b", "cell_*",
    "cells[places]",
    "quantile(2)", "mean+", "huber(-1)", "ema(0 steps)", "step(0)", "cosine(nan)", "last(2)",
    "torch.nn.Module", "sklearn.svm.SVR", "os.system", "builtins.eval", "a.b.c", "photons:Z",
    [], [1], [0], [-1], ["x"], [[]], [[1]], [[1, 2], [3]], [1, "x"], [True], [math.nan], [10**9],
    [1] * 50, ["x"] * 300, list(range(20)), {}, {"a": 1}, {"class": "sklearn.svm.SVR"}, [{}],
    [{"a": 1}], {"a": {"b": {"c": []}}}, {"tuple": [1]}, {"list": 3}, {"class": 3},
]  # fmt: skip
"""Values that a key is given whatever it stands for."""


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every place of nested tables and lists, as a container and a key."""
    if isinstance(value, MutableMapping):
        items: Any = list(value.items())
    elif isinstance(value, MutableSequence):
        items = list(enumerate(value))
    else:
        return
    for key, inner in items:
        yield value, key
        yield from places(inner)


def mutated(tables: dict[str, Any], dice: random.Random, names: list[str]) -> dict[str, Any]:
    """Return nested tables with one to three places changed; ``names`` may become new keys."""
    tables = copy.deepcopy(tables)
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        found = list(places(tables))
        if not found:
            break
        container, key = dice.choice(found)
        try:
            change(container, key, dice, names)
        except (KeyError, IndexError):
            continue
    return tables


def change(container: Any, key: Any, dice: random.Random, names: list[str]) -> None:
    """Change one place: another value, a near one, nothing, a list of it, a new neighbour."""
    value = container[key]
    kind = dice.randrange(10)
    if kind < 5:
        container[key] = copy.deepcopy(dice.choice(NASTY))
    elif kind == 5:
        del container[key]
    elif kind == 6:
        container[key] = [value] if dice.random() < 0.5 else [value, copy.deepcopy(value)]
    elif kind == 7 and isinstance(value, int | float) and not isinstance(value, bool):
        container[key] = dice.choice((-value, value + 1, value * 1e9, value / 3, str(value)))
    elif kind == 7 and isinstance(value, str):
        container[key] = text(value, dice)
    elif isinstance(container, MutableMapping):
        container[dice.choice(names)] = copy.deepcopy(dice.choice([*NASTY, value]))
    else:
        container.insert(0, copy.deepcopy(dice.choice(NASTY)))


def text(words: str, dice: random.Random) -> str:
    """Return text with some characters replaced, left out, doubled or put in."""
    made = list(words)
    for _ in range(dice.choice((1, 1, 2, 5))):
        place = dice.randrange(len(made) + 1)
        kind = dice.randrange(4)
        if kind == 0 or not made[place : place + 1]:
            made.insert(place, dice.choice("=[]{}\"'#.,\n\t\\()-+eE0 9\x00\x07\u202eé"))
        elif kind == 1:
            del made[place : place + dice.choice((1, 1, 3, 20))]
        elif kind == 2:
            made[place] = chr(dice.choice((dice.randrange(32, 127), dice.randrange(0x300, 0x3000))))
        else:
            made[place:place] = made[max(0, place - dice.randrange(1, 30)) : place]
    return "".join(made)


def octets(content: bytes, dice: random.Random) -> bytes:
    """Return bytes truncated, overwritten, flipped, shifted or repeated somewhere."""
    made = bytearray(content)
    for _ in range(dice.choice((1, 1, 2, 8))):
        if not made:
            break
        place, length = dice.randrange(len(made)), dice.choice((1, 1, 4, 64, 1000))
        kind = dice.randrange(6)
        if kind == 0:
            del made[place:]
        elif kind == 1:
            made[place] ^= 1 << dice.randrange(8)
        elif kind == 2:
            made[place : place + length] = dice.randbytes(length)
        elif kind == 3:
            made[place : place + length] = bytes([dice.choice((0, 255))]) * length
        elif kind == 4:
            del made[place : place + length]
        else:
            made[place:place] = made[max(0, place - length) : place]
    return bytes(made)


def toml(tables: dict[str, Any]) -> str:
    """Return nested tables as TOML; what TOML has no word for is left out."""
    lines = []
    for name, table in tables.items():
        if isinstance(table, list) and table and all(isinstance(one, dict) for one in table):
            for one in table:
                lines += [f"[[{_key(name)}]]", *_lines(one)]
        elif isinstance(table, dict):
            lines += [f"[{_key(name)}]", *_lines(table)]
        else:
            lines.insert(0, f"{_key(name)} = {_value(table)}")
    return "\n".join(lines) + "\n"


def _lines(table: dict[str, Any]) -> list[str]:
    return [f"{_key(key)} = {_value(value)}" for key, value in table.items() if value is not None]


def _key(name: Any) -> str:
    return str(name) if re.fullmatch(r"[A-Za-z0-9_-]+", str(name)) else json.dumps(str(name))


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else repr(value).replace("+", "")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict):
        inner = ", ".join(f"{_key(key)} = {_value(one)}" for key, one in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(str(value)).replace("\\u0000", "\\u0000").replace("\x7f", "\\u007f")

"""`summary`: plain values of every kind of study."""

from __future__ import annotations

import json
from pathlib import Path

import surefoot
from surefoot.journal import Journal
from tests.exports.journals import DIVERGING, every_kind


def test_every_kind_is_json_without_infinities(tmp_path: Path) -> None:
    for kind, path in every_kind(tmp_path).items():
        told = surefoot.summary(path)
        json.dumps(told, allow_nan=False)
        assert told["kind"] == {"promise": "assess"}.get(kind, kind)
        with Journal.read(path) as journal:
            assert told == surefoot.summary(journal)
            assert told["instances"] == journal.count()
        if kind == "select":
            (lost,) = (one for one in told["candidates"] if one["key"] == DIVERGING.key)
            assert lost["losses"][0] is None
            assert lost["figures"]["criterion"] is None
            assert told["candidates"][0]["winner"]

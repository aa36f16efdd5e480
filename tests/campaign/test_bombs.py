"""Numbers that nobody means: one sentence within seconds, whatever they would cost."""

from __future__ import annotations

import copy
import time
from typing import Any

import pytest

from tests.campaign import mutations
from tests.campaign.campaign import Campaign
from tests.campaign.studies import tables, write_data

HUGE = 10**9
BOMBS: list[tuple[str, str, str, Any]] = [
    ("sums", "race", "warmup", HUGE),
    ("sums", "race", "max_instances", HUGE),
    ("sums", "race", "per_round", HUGE),
    ("sums", "certificate", "n", HUGE),
    ("sums", "sampling", "size", HUGE),
    ("sums", "sampling", "test_size", HUGE),
    ("sums", "stopping", "max_epochs", HUGE),
    ("sums", "stopping", "window", HUGE),
    ("sums", "engine", "workers", HUGE),
    ("sums", "study", "seed", 10**30),
    ("sums", "race", "limit", 1e300),
    ("presets", "race", "complete", HUGE),
    ("presets", "race", "budget", 1e300),
    ("estimators", "race", "cap", HUGE),
    ("modules", "race", "complete", HUGE),
    ("networks", "space", "channels", [HUGE]),
    ("networks", "space", "hidden", [HUGE]),
    ("networks", "space", "kernel", HUGE),
    ("networks", "space", "batch_size", HUGE),
    ("networks", "space", "warmup", 1e300),
    ("presets", "space", "learning_rate", [0.1 / n for n in range(1, 2_001)]),
    ("networks", "space", "average", f"ema({HUGE} epochs)"),
    ("modules", "space", "parameters", {"width": HUGE}),
    ("modules", "space", "input_shape", [1, HUGE, 1]),
]


@pytest.mark.parametrize(("name", "table", "key", "value"), BOMBS, ids=lambda one: str(one)[:40])
def test_a_number_that_nobody_means_costs_nothing(tmp_path, monkeypatch, name, table, key, value):
    monkeypatch.chdir(tmp_path)
    write_data(tmp_path)
    study = copy.deepcopy(tables()[name])
    home = study[table][0] if isinstance(study[table], list) else study[table]
    home[key] = value
    (tmp_path / "s.toml").write_text(mutations.toml(study))
    part, began = Campaign("bombs", 1, 0), time.monotonic()
    part.judge_command(["select", "s.toml", "--dry-run"], f"{table}.{key}")
    part.check()
    if "one sentence" in part.ends:
        assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    "options",
    [
        ("assess", "-i", HUGE),
        ("sample-size", "-i", HUGE),
        ("sample-size", "-s", f"10:20:{HUGE}"),
        ("sample-size", "-s", f"1:{10**30}:{HUGE}"),
        ("variance", "--draws", HUGE),
        ("variance", "--tests", HUGE),
        ("variance", "--alone", HUGE),
        ("variance", "--replicates", HUGE),
        ("compare", "-i", HUGE),
        ("grid", "-i", HUGE),
        ("assess", "-p", "1", "--max-exceedances", HUGE),
        ("select", "-w", HUGE),
        ("plan", "--pilot", HUGE),
        ("plan", "--races", HUGE),
        ("plan", "-i", HUGE),
    ],
    ids=str,
)
def test_so_it_is_with_options(tmp_path, monkeypatch, options):
    monkeypatch.chdir(tmp_path)
    write_data(tmp_path)
    study = tables()["sums"]
    study["space"]["window"] = ["full"]
    study["space"]["linear"] = [True]
    (tmp_path / "s.toml").write_text(mutations.toml(study))
    command, *others = map(str, options)
    part = Campaign("options", 1, 0)
    part.judge_command([command, "s.toml", "--dry-run", *others], " ".join(map(str, options)))
    part.check()
    assert "success" not in part.ends

"""Mutated study files: each makes a study that could train, or is refused in one sentence."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pytest

import surefoot
from surefoot.engines.choose import Chooser
from surefoot.errors import StudyFileError
from surefoot.studies.select.cost import count_trainings
from surefoot.study_files.schema import TABLES
from tests.campaign import mutations
from tests.campaign.campaign import both, campaign
from tests.campaign.studies import tables, write_data

NAMES = [
    *sorted({name for model in TABLES.values() for name in model.model_fields}),
    "class", "parameters", "steps", "factory", "function", "device", "version", "window", "linear",
    "optimizer_parameters", "loss_parameters", "schedule_parameters", "pitch", "budget", "cap",
    "complete", "keep", "level", "looks", "anytime", "nonsense", "", "a b", "\x1b",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("studies")
    write_data(made)
    return made


def planned(path: Path) -> None:
    """Do all that comes before the first training."""
    study = surefoot.read_study(path)
    count_trainings(study)
    chooser = Chooser(study.engine)
    for candidate in study.everyone[:20]:
        chooser.choose(candidate, study.setting)
    _ = study.description.json()


@both
def test_every_mutated_study_file_is_a_study_or_one_sentence(folder, slow):
    part = campaign("study files", 200, 20_000, slow=slow)
    path, originals = folder / "study.toml", list(tables().values())
    for number, dice in enumerate(part.dice()):
        made = mutations.mutated(dice.choice(originals), dice, NAMES)
        words = mutations.toml(made)
        if dice.random() < 0.25:
            words = mutations.text(words, dice)
        path.write_text(words, encoding="utf-8", errors="surrogateescape")
        if keep := os.environ.get("SUREFOOT_CAMPAIGN_KEEP"):
            Path(keep).write_text(words, encoding="utf-8", errors="surrogateescape")
        part.judge(partial(planned, path), f"input {number}")
    part.check()


def test_every_original_can_be_planned(folder):
    for name, made in tables().items():
        (folder / f"{name}.toml").write_text(mutations.toml(made))
        planned(folder / f"{name}.toml")


def test_a_file_nested_without_end_is_refused(folder):
    (folder / "deep.toml").write_text("x = " + "[" * 100_000)
    with pytest.raises(StudyFileError):
        surefoot.read_study(folder / "deep.toml")
